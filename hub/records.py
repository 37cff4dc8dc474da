"""What the hub records of one endpoint, and its strict encoding as a small JSON file."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from hub.grants import DIRECTORY, READABLE, Entitlements
from hub.jwt import KeyKind, NKey
from schemas.errors import Code, LiaisonError, OperationError

_VERSION: Final = 1

Kind = Literal["agency", "witness"]
"""Whose account it is. A witness reads the directory and hands in cosignatures; that is all it reaches."""


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: its account, its user, what it may reach.

    `public` is the account's key, the `PK` of subjects and durables; `issued_at` (Unix seconds) is when its
    JWTs were last issued, strictly growing; `revoked` maps former user keys to the second up to which they
    are revoked; `name` is an agency's id, or a witness's name.
    """

    public: str
    name: str
    user_public: str
    entitlements: Entitlements
    suspended: bool
    issued_at: int
    revoked: dict[str, int]
    seed: bytes = field(repr=False)
    """Empty on a hub of a cluster that was told of the account, and has not its key."""
    kind: Kind = "agency"
    salt: str = ""
    """From which the hubs of a cluster make the seed, each by itself; none for older accounts."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The streams on which the hub made a durable for it."""
        return READABLE if self.kind == "agency" else (DIRECTORY,)


class _Shared(BaseModel):
    """A record without what is secret, as the hubs of a cluster tell it to each other."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    version: Literal[1]
    name: str
    user_public: str
    entitlements: list[Annotated[list[str], Field(min_length=2, max_length=2)]]
    suspended: bool
    issued_at: int
    revoked: dict[str, int]
    kind: Kind = "agency"
    salt: str = ""


class _Kept(_Shared):
    """A record as it is on the disk."""

    seed: SecretStr


def dump_endpoint(endpoint: Endpoint) -> bytes:
    """The file's content: JSON in UTF-8, with the account's seed in it."""
    return json.dumps({**_shared(endpoint).model_dump(), "seed": endpoint.seed.decode()}, indent=1).encode()


def load_endpoint(public: str, content: bytes) -> Endpoint:
    """Undo `dump_endpoint`. Raises `OperationError` STORE_CORRUPT if it is not the record of the account
    `public`.
    """
    try:
        record = _Kept.model_validate_json(content)
        key = NKey.from_seed(record.seed.get_secret_value().encode())
    except (ValidationError, LiaisonError) as bad:
        raise _corrupt(public) from bad
    if key.kind is not KeyKind.ACCOUNT or key.public != public:
        raise _corrupt(public)
    return _endpoint(public, record, key.seed)


def dump_shared(endpoint: Endpoint) -> bytes:
    """What other hubs are told of an endpoint: nothing secret."""
    return _shared(endpoint).model_dump_json().encode()


def load_shared(public: str, content: bytes, seed_of: Callable[[str], bytes]) -> Endpoint:
    """Undo `dump_shared`; `seed_of` gives the seed for a salt, empty for none. OperationError
    STORE_CORRUPT.
    """
    try:
        record = _Shared.model_validate_json(content)
    except ValidationError as bad:
        raise _corrupt(public) from bad
    seed = seed_of(record.salt)
    if seed and NKey.from_seed(seed).public != public:
        raise _corrupt(public)
    return _endpoint(public, record, seed)


def _shared(endpoint: Endpoint) -> _Shared:
    return _Shared(
        version=_VERSION,
        name=endpoint.name,
        user_public=endpoint.user_public,
        entitlements=[list(pair) for pair in sorted(endpoint.entitlements)],
        suspended=endpoint.suspended,
        issued_at=endpoint.issued_at,
        revoked=endpoint.revoked,
        kind=endpoint.kind,
        salt=endpoint.salt,
    )


def _endpoint(public: str, record: _Shared, seed: bytes) -> Endpoint:
    return Endpoint(
        public=public,
        name=record.name,
        user_public=record.user_public,
        entitlements=frozenset((realm, community) for realm, community in record.entitlements),
        suspended=record.suspended,
        issued_at=record.issued_at,
        revoked=record.revoked,
        seed=seed,
        kind=record.kind,
        salt=record.salt,
    )


def _corrupt(public: str) -> OperationError:
    return OperationError(
        Code.STORE_CORRUPT, f"the record of endpoint {public} is damaged", "restore it from its backup"
    )
