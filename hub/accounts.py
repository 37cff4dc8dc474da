"""Operator, system, HUB and endpoint accounts: their keys and their JWTs (`hub.claims` pushes those to a
server).

The hub alone holds these keys. An endpoint gives the public half of a user key that it made, and gets a user
JWT back. What is recorded of an endpoint is one file, replaced atomically **before** a change is pushed; JWTs
are derived from it, the same every time. So whatever a crash interrupts, loading the records and pushing them
all (`push_all`) makes the server right.
"""

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from hub import grants
from hub.files import private_directory, read_private, remove_private, sync_directory, write_private
from hub.jwt import KeyKind, NKey, check_public, mint
from hub.records import Endpoint, Kind, dump_endpoint, load_endpoint, load_shared
from schemas.errors import Code, OperationError

_KEYS: Final = {
    "operator": KeyKind.OPERATOR,
    "system": KeyKind.ACCOUNT,
    "hub": KeyKind.ACCOUNT,
    "control": KeyKind.USER,
}
NAME_MAX: Final = 64
_SALT_BYTES: Final = 16


class Service(StrEnum):
    """The hub's own users."""

    SYSTEM = "system"
    """Pushes claims and reads the server's health: the system account."""
    HUB = "hub"
    """Owns the streams: router and registrar."""
    CONTROL = "control"
    """Asks the control service, and can do nothing else: the hub's commands."""


@dataclass(frozen=True)
class Credentials:
    """A user JWT and the key that answers the server's challenge."""

    jwt: str
    seed: bytes = field(repr=False)

    def options(self) -> dict[str, Any]:
        """Keyword arguments for `nats.connect`."""
        key = NKey.from_seed(self.seed)
        return {
            "user_jwt_cb": self.jwt.encode,
            "signature_cb": lambda nonce: base64.b64encode(key.sign(nonce.encode())),
        }

    def file_text(self) -> str:
        """A `.creds` file, as every NATS client and the `nats` command read it."""
        return (
            f"-----BEGIN NATS USER JWT-----\n{self.jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{self.seed.decode()}\n------END USER NKEY SEED------\n"
        )


@dataclass(frozen=True)
class EndpointCredentials:
    """What admitting an endpoint gives: `account_jwt` to push, `user_jwt` for the agency."""

    account_public: str
    account_jwt: str
    user_jwt: str


class Accounts:
    """All accounts of one hub, in a private directory: `keys/<name>.nk` and `accounts/<PK>.json`.

    Only one process may hold it (the embedded server's lock sees to that). `clock` gives Unix seconds.
    """

    def __init__(
        self,
        directory: Path,
        keys: dict[str, NKey],
        endpoints: list[Endpoint],
        clock: Callable[[], float],
        *,
        shared: bool = False,
    ) -> None:
        self._directory = directory
        self._keys = keys
        self._endpoints = {endpoint.public: endpoint for endpoint in endpoints}
        self._clock = clock
        now = int(clock())
        operator, system, hub = keys["operator"], keys["system"], keys["hub"]
        self.system_public: Final = system.public
        self.hub_public: Final = hub.public
        self.operator_jwt: Final = mint(
            operator, operator.public, "liaison", now, grants.operator(system.public)
        )
        self.system_jwt: Final = mint(operator, system.public, "SYS", now, grants.system_account())
        self.hub_jwt: Final = mint(operator, hub.public, "HUB", now, grants.hub_account(shared=shared))

    @classmethod
    def create(cls, directory: Path, *, clock: Callable[[], float] = time.time) -> Self:
        """New keys in `directory`. Raises `OperationError` ALREADY_KNOWN if there are some: they are never
        replaced.
        """
        if (directory / "keys").exists():
            raise OperationError(
                Code.ALREADY_KNOWN,
                f"{directory} already holds a hub's keys",
                "use them, or choose another directory",
            )
        fresh = private_directory(private_directory(directory) / "keys.new")
        for name, kind in _KEYS.items():
            write_private(fresh / f"{name}.nk", NKey.generate(kind).seed)
        private_directory(directory / "accounts")
        fresh.rename(directory / "keys")
        sync_directory(directory)
        return cls.load(directory, clock=clock)

    @classmethod
    def load(cls, directory: Path, *, clock: Callable[[], float] = time.time, shared: bool = False) -> Self:
        """The accounts in `directory`; `shared` for one hub of a cluster. Raises `OperationError` NOT_FOUND,
        FORBIDDEN (open to others) or STORE_CORRUPT.
        """
        keys = {name: _read_key(directory / "keys" / f"{name}.nk", kind) for name, kind in _KEYS.items()}
        records = sorted((directory / "accounts").glob("A*.json"))
        endpoints = [load_endpoint(path.stem, read_private(path)) for path in records]
        return cls(directory, keys, endpoints, clock, shared=shared)

    @classmethod
    def load_or_create(cls, directory: Path, *, clock: Callable[[], float] = time.time) -> Self:
        """`load` if there are keys, else `create`."""
        make = cls.load if (directory / "keys").exists() else cls.create
        return make(directory, clock=clock)

    # -- the hub's own ------------------------------------------------------------------------------------

    def credentials(self, service: Service) -> Credentials:
        """A user for one of the hub's own connections. SYSTEM and HUB users are new each time and live in
        memory only.
        """
        now = int(self._clock())
        if service is Service.CONTROL:
            user = self._keys["control"]
            return Credentials(
                mint(self._keys["hub"], user.public, service, now, grants.control_user()), user.seed
            )
        user = NKey.generate(KeyKind.USER)
        return Credentials(
            mint(self._keys[service], user.public, service, now, grants.full_user()), user.seed
        )

    def write_control_credentials(self, path: Path) -> None:
        """Write the `.creds` file that the hub's commands connect with: whoever can read it can admit and
        suspend.
        """
        write_private(path, self.credentials(Service.CONTROL).file_text().encode())

    def server_config(self, resolver_directory: Path) -> str:
        """The part of a nats-server configuration that makes it this hub's: operator, resolver, first
        accounts.

        The embedded server is started with it; an existing server (`--nats URL`) must include it, with
        JetStream, `sync_interval: always` and a `max_payload` of at least `grants.MAX_PAYLOAD` in its own
        part.
        """
        return (
            f"operator: {self.operator_jwt}\n"
            f"system_account: {self.system_public}\n"
            f'resolver {{ type: full, dir: "{resolver_directory}", allow_delete: true, interval: "2m" }}\n'
            "resolver_preload {\n"
            f"  {self.system_public}: {self.system_jwt}\n"
            f"  {self.hub_public}: {self.hub_jwt}\n"
            "}\n"
        )

    # -- endpoints ----------------------------------------------------------------------------------------

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint, suspended ones too, in the order of their keys."""
        return tuple(self._endpoints[public] for public in sorted(self._endpoints))

    def endpoint(self, public: str) -> Endpoint:
        """The endpoint whose account is `public`. Raises `OperationError` NOT_FOUND."""
        try:
            return self._endpoints[public]
        except KeyError:
            raise OperationError(
                Code.NOT_FOUND,
                f"no endpoint {public} was admitted here",
                "see `liaison-hub status` for those that were",
            ) from None

    def mint(
        self,
        name: str,
        user_public: str,
        entitlements: grants.Entitlements = frozenset(),
        kind: Kind = "agency",
    ) -> EndpointCredentials:
        """A new account for the user key `user_public` of an agency or a witness; `name` is shown to
        operators only.

        Raises `FormatError` BAD_KEY, `OperationError` BAD_REQUEST (name) or ALREADY_KNOWN (the user key has
        an account).
        """
        self._check_user(user_public)
        if not name.isprintable() or not 0 < len(name) <= NAME_MAX:
            raise OperationError(
                Code.BAD_REQUEST, "the endpoint's name is not usable", f"give 1 to {NAME_MAX} characters"
            )
        salt = secrets.token_hex(_SALT_BYTES)
        account = self._account_key(salt)
        record = Endpoint(
            public=account.public,
            name=name,
            user_public=user_public,
            entitlements=entitlements,
            suspended=False,
            issued_at=int(self._clock()),
            revoked={},
            seed=account.seed,
            kind=kind,
            salt=salt,
        )
        self._save(record)
        return self._issue(record)

    def entitle(self, public: str, entitlements: grants.Entitlements) -> str:
        """Set the communities of an endpoint; the account JWT to push. Nothing else of the account
        changes.
        """
        return self._change(replace(self.endpoint(public), entitlements=entitlements))

    def suspend(self, public: str) -> str:
        """Allow no connection; the account JWT to push, which ends those that exist."""
        return self._change(replace(self.endpoint(public), suspended=True))

    def resume(self, public: str) -> str:
        """End a suspension; the account JWT to push. The endpoint's user JWT is valid again as it is."""
        return self._change(replace(self.endpoint(public), suspended=False))

    def replace_user(self, public: str, user_public: str) -> EndpointCredentials:
        """Revoke the endpoint's user key for ever and admit another (lost or stolen machine). Push, then hand
        over.

        Raises `FormatError` BAD_KEY, `OperationError` NOT_FOUND or ALREADY_KNOWN.
        """
        record = self.endpoint(public)
        self._check_user(user_public)
        revoked = {**record.revoked, record.user_public: self._next_issue(record)}
        self._change(replace(record, user_public=user_public, revoked=revoked))
        return self._issue(self.endpoint(public))

    def remove(self, public: str) -> str:
        """Forget an endpoint and its key for ever; the request to give to `delete`."""
        self.endpoint(public)
        remove_private(self._record_path(public))
        del self._endpoints[public]
        return self.delete_request([public])

    def learn(self, public: str, content: bytes) -> None:
        """Take in what another hub of the cluster tells of an endpoint, unless what is known is as new.
        OperationError STORE_CORRUPT.
        """
        record = load_shared(public, content, lambda salt: self._account_key(salt).seed if salt else b"")
        known = self._endpoints.get(public)
        if known and known.issued_at >= record.issued_at:
            return
        if not record.seed and known:
            record = replace(record, seed=known.seed)
        if record.seed:
            write_private(self._record_path(public), dump_endpoint(record))
        self._endpoints[public] = record

    def delete_request(self, publics: list[str]) -> str:
        """The operator's order to a server to delete these accounts, for `delete`."""
        operator = self._keys["operator"]
        nats = {"type": "generic", "accounts": publics}
        return mint(operator, operator.public, "remove", int(self._clock()), nats)

    def account_jwt(self, public: str) -> str:
        """The endpoint's account JWT as it now stands."""
        record = self.endpoint(public)
        if record.suspended:
            claims = grants.suspended_account(record.revoked)
        elif record.kind == "witness":
            claims = grants.witness_account(public, self.hub_public, record.revoked)
        else:
            claims = grants.endpoint_account(public, self.hub_public, record.entitlements, record.revoked)
        return mint(self._keys["operator"], public, record.name, record.issued_at, claims)

    def user_jwt(self, public: str) -> str:
        """The endpoint's user JWT, for the agency. It changes only with the user key."""
        return self._issue(self.endpoint(public)).user_jwt

    def leaf(self, public: str) -> tuple[str, Credentials]:
        """For a leaf node of an endpoint's: its account as the leaf knows it, and a new user for the link.
        Raises `OperationError` NOT_FOUND, or BAD_REQUEST for what is no agency's.
        """
        record = self.endpoint(public)
        if record.kind == "witness" or not record.seed:
            raise OperationError(
                Code.BAD_REQUEST,
                f"{public} can have no leaf node from here",
                "name an agency's endpoint, at the hub that admitted it",
            )
        operator, user = self._keys["operator"], NKey.generate(KeyKind.USER)
        account = mint(operator, public, record.name, record.issued_at, grants.leaf_account())
        claims, now = grants.leaf_user(public), int(self._clock())
        user_jwt = mint(NKey.from_seed(record.seed), user.public, f"{record.name} leaf", now, claims)
        return account, Credentials(user_jwt, user.seed)

    def _account_key(self, salt: str) -> NKey:
        # Derived, so that a hub that is told the salt has the key too, and none travels or lies in a stream.
        operator = self._keys["operator"].seed
        return NKey(KeyKind.ACCOUNT, hmac.digest(operator, b"liaison account " + salt.encode(), "sha256"))

    def _issue(self, record: Endpoint) -> EndpointCredentials:
        if not record.seed:
            raise OperationError(
                Code.NOT_FOUND,
                f"this hub has not the key of the account {record.public}",
                "ask the hub that admitted it, or copy its record from there",
            )
        user = grants.witness_user if record.kind == "witness" else grants.endpoint_user
        claims = user(record.public)
        account = NKey.from_seed(record.seed)
        user_jwt = mint(account, record.user_public, record.name, record.issued_at, claims)
        return EndpointCredentials(record.public, self.account_jwt(record.public), user_jwt)

    def _check_user(self, user_public: str) -> None:
        check_public(KeyKind.USER, user_public)
        # A key revoked once stays revoked: its seed may be in a thief's hands.
        known = any(
            user_public == one.user_public or user_public in one.revoked for one in self._endpoints.values()
        )
        if known:
            raise OperationError(
                Code.ALREADY_KNOWN,
                "this user key already has, or had, an account here",
                "make a new enrolment request",
            )

    def _next_issue(self, record: Endpoint) -> int:
        # Strictly later than what went before, also when two changes fall in one second or the clock was set
        # back: a revocation covers what was issued up to its time, and resolvers of a cluster keep the later
        # JWT.
        return max(int(self._clock()), record.issued_at + 1)

    def _change(self, record: Endpoint) -> str:
        self._save(replace(record, issued_at=self._next_issue(record)))
        return self.account_jwt(record.public)

    def _record_path(self, public: str) -> Path:
        return self._directory / "accounts" / f"{public}.json"

    def _save(self, record: Endpoint) -> None:
        write_private(self._record_path(record.public), dump_endpoint(record))
        self._endpoints[record.public] = record


def _read_key(path: Path, kind: KeyKind) -> NKey:
    key = NKey.from_seed(read_private(path))
    if key.kind is not kind:
        raise OperationError(
            Code.STORE_CORRUPT, f"{path} holds another kind of key", "restore it from its backup"
        )
    return key
