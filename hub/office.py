"""The office: the one writer of the directory, the accounts and the hub's state. Router and control service
act through it.

Everything that changes something happens inside `Office.writing()`, one at a time. Whoever fails half way
leaves the state in doubt; the next to enter reads it back from the streams first.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from hashlib import sha256
from typing import Final

import nats.errors
import structlog
from nats.aio.client import Client

from hub import registrar
from hub.accounts import NAME_MAX, Accounts
from hub.admission import View, next_change
from hub.among import Among
from hub.batch import Outgoing
from hub.claims import push
from hub.desk import ask_office
from hub.durables import ensure_endpoint, ensure_witness
from hub.grants import DIRECTORY, Entitlements
from hub.jetstream import next_stored
from hub.lease import ALONE, Leases
from hub.operating.meter import Meter
from hub.records import Endpoint
from hub.spoiled import Spoiled
from hub.state import State, digest, look_up_announcements
from hub.streams import TTL_HEADER
from schemas.directory import Directory
from schemas.documents import Agency, Enrolment, Replace, WitnessRequest
from schemas.encoding import from_base64
from schemas.errors import Code, FormatError, OperationError, TrustError
from schemas.signing import KEY_SIZE, Signer
from schemas.subjects import DIRECTORY_DOCUMENTS

_log = structlog.get_logger(__name__)

TROUBLE = (OperationError, nats.errors.Error, TimeoutError, ConnectionError)
"""What a NATS server that is away, slow or full makes of a call."""
_LONGEST_WAIT_SECONDS = 3600.0
_PROVISIONING = 8
WITNESS: Final = "witness:"
"""Begins the name of a witness's account: no agency's id has a colon."""


class Office:
    """Directory, accounts and admission state of a running hub. `clock` gives Unix milliseconds.

    `nc` is a connection of the HUB account, `system` one of the system account, `root` and `hub` are the
    first two documents. `answered` counts answers by code. With `leases`, it is one of several hubs
    (`hub.among`).
    """

    def __init__(
        self,
        nc: Client,
        system: Client,
        accounts: Accounts,
        documents: tuple[bytes, bytes],
        clock: Callable[[], int],
        leases: Leases = ALONE,
        spoiled: Spoiled | None = None,
    ) -> None:
        self.nc = nc
        self.among = Among(nc, accounts, leases)
        self.accounts = accounts
        self.clock = clock
        self.meter = Meter()
        self.answered = self.meter.answered
        self.spoiled = spoiled
        self._system = system
        self._root, self._hub = documents
        self._state = State(Directory.pinned(self._root))
        self._in_doubt = True
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._served: dict[str, Entitlements] = {}
        self._unpushed: set[str] = set()
        """Accounts that are to be put into force as they are recorded."""
        self.grown: list[Callable[[], None]] = []
        """Told after each document that the directory has taken."""
        self._suspended = self._read_suspended()

    # -- reading ------------------------------------------------------------------------------------------

    @property
    def root(self) -> bytes:
        """The pinned first root document."""
        return self._root

    @property
    def fingerprint(self) -> bytes:
        """The SHA-256 of the pinned root: the directory's name."""
        return sha256(self._root).digest()

    @property
    def state(self) -> State:
        """The state as it is; change it inside `writing` only."""
        return self._state

    @property
    def directory(self) -> Directory:
        """The directory as it is."""
        return self._state.directory

    @property
    def leading(self) -> bool:
        """Whether this hub keeps the directory and the accounts: always, where it is alone."""
        return self.among.leading

    def view(self) -> View:
        """What admission looks things up in, now."""
        return self._state.view(self._suspended, self.clock())

    def agency_of(self, public: str) -> str | None:
        """The agency for which an endpoint's account was made; None for one that is not known (any more)."""
        return next((each.name for each in self.accounts.endpoints() if each.public == public), None)

    def endpoints_of(self, agency_or_endpoint: str) -> list[Endpoint]:
        """The endpoints that an operator means. OperationError `not_found`."""
        found = [each for each in self.accounts.endpoints() if agency_or_endpoint in {each.name, each.public}]
        if not found:
            raise OperationError(
                Code.NOT_FOUND,
                f"no agency or endpoint is called {agency_or_endpoint}",
                "see `liaison-hub status` for those that were admitted",
            )
        return found

    # -- writing ------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[State]:
        """The right to change things, with a state that is right. Trouble inside leaves it in doubt."""
        async with self._lock:
            if self._in_doubt:
                await self._read_state()
            try:
                yield self._state
            except (FormatError, TrustError):
                raise
            except BaseException:
                self._in_doubt = True
                raise

    def doubt(self, newest: int) -> None:
        """Have the state read again before it is used, as far as the sequence `newest` of TRAFFIC at
        least.
        """
        self.among.wrote(newest)
        self._in_doubt = True

    async def catch_up(self) -> bool:
        """Take in what another hub has done to directory and accounts; whether there was something. Call
        inside `writing`.
        """
        if not self.among.leases.shared or self.leading:
            return False
        try:
            return await self.among.catch_up(self._state)
        finally:
            self._suspended = self._read_suspended()

    async def _read_state(self) -> None:
        self._in_doubt = False
        try:
            self._state = await self.among.read(self._root)
        except BaseException:
            self._in_doubt = True
            raise
        self._suspended = self._read_suspended()

    async def open(self, signer: Signer) -> None:
        """Begin: the directory has its first two documents, the hub its key, every endpoint what it may
        reach.

        Raises OperationError `wrong_key` when the directory names another receipt key than `signer`'s, and
        whatever `rebuild` finds wrong.
        """
        await self.among.lead()
        self._in_doubt = True
        self._served.clear()
        async with self.writing() as state:
            if await next_stored(self.nc, DIRECTORY, [DIRECTORY_DOCUMENTS], 0) is None:
                await self._append(DIRECTORY_DOCUMENTS, self._root)
            if state.directory.hub is None:
                grown = state.directory.apply(self._hub)
                await self._append(DIRECTORY_DOCUMENTS, self._hub)
                state.replace_directory(grown)
            hub = state.directory.hub
            if hub is None or from_base64(hub.key, KEY_SIZE) != signer.public:
                raise OperationError(
                    Code.WRONG_KEY,
                    "the directory names another receipt key than this hub holds",
                    "restore the hub's receipt.key, or have the secretariat sign its new one and submit that",
                )
            await self.among.tell(each.public for each in self.accounts.endpoints())
            await self._serve(self.accounts.endpoints())

    async def record(self, data: bytes, *, by: str | None) -> None:
        """Append the next document or membership entry, handed in by the endpoint `by` (None: by the
        operator).

        Call inside `writing`. Readers are let in before the entry that lets them in is published, and shut
        out after the one that ends it. Again what is there already: nothing happens. Raises FormatError or
        TrustError.
        """
        if not self.leading and by is not None:
            await ask_office(self.nc, "doc", by, data)
            await self.catch_up()
            return
        self.among.check_leading()
        agency = None if by is None else self._submitter(by)
        accounts = {each.public: each.name for each in self.accounts.endpoints()}
        recorded = registrar.submit(self.directory, data, agency=agency, accounts=accounts, now=self.clock())
        if recorded.repeated:
            return
        touched = [each for each in self.accounts.endpoints() if each.name in recorded.affected]
        await self._serve(touched, ahead=recorded.directory)
        await self._append(recorded.subject, data)
        self._state.replace_directory(recorded.directory)
        await self._serve(touched)
        self._changed.set()
        for tell in self.grown:
            tell()
        _log.info("directory grown", subject=recorded.subject, size=self.directory.head.size)

    async def admit(self, request: bytes, said: bytes) -> tuple[Enrolment, Endpoint]:
        """Make an endpoint for an enrolment request that the registrars have signed for; the same request
        again, the same endpoint. Raises FormatError, TrustError or OperationError.
        """
        enrolment, document = registrar.check_enrolment(request, said)
        async with self.writing():
            await self._know(enrolment, document, said)
            endpoint = next(
                (each for each in self.accounts.endpoints() if each.user_public == enrolment.user), None
            )
            if endpoint is None or endpoint.name != enrolment.id:
                submittable = registrar.submittable(self.directory, enrolment.id)
                minted = self.accounts.mint(enrolment.id, enrolment.user, submittable)
                endpoint = self.accounts.endpoint(minted.account_public)
            await self._push(endpoint.public)
            await self._serve([endpoint])
        _log.info("endpoint admitted", agency=enrolment.id, endpoint=endpoint.public)
        return enrolment, endpoint

    async def admit_witness(self, request: bytes) -> tuple[WitnessRequest, Endpoint]:
        """Make an account for a witness that the root names; the same request again, the same account. Raises
        FormatError, TrustError `bad_signature` or `unknown_key`, or OperationError.
        """
        async with self.writing():
            asked = registrar.check_witness(self.directory, request)
            name = f"{WITNESS}{asked.name}"[:NAME_MAX]
            known = (each for each in self.accounts.endpoints() if each.user_public == asked.user)
            endpoint = next((each for each in known if each.name == name), None)
            if endpoint is None:
                minted = self.accounts.mint(name, asked.user, kind="witness")
                endpoint = self.accounts.endpoint(minted.account_public)
            await self._push(endpoint.public)
            await self._serve([endpoint])
        _log.info("witness admitted", witness=asked.name, endpoint=endpoint.public)
        return asked, endpoint

    async def tell(self, subject: str, data: bytes, ttl: str) -> None:
        """Put a message about the directory behind its documents; it goes after `ttl`. Call inside
        `writing`.
        """
        await self.among.put(Outgoing(subject, data, {TTL_HEADER: ttl}))

    async def suspend(self, agency_or_endpoint: str) -> list[str]:
        """Cut endpoints off at once: no connection, and nothing of theirs is admitted. Their public keys."""
        return await self._push_each(agency_or_endpoint, self.accounts.suspend, "endpoint suspended")

    async def resume(self, agency_or_endpoint: str) -> list[str]:
        """End a suspension. Their public keys."""
        return await self._push_each(agency_or_endpoint, self.accounts.resume, "endpoint resumed")

    async def look_up(self, publisher: str) -> None:
        """Make sure that the publisher's announced epochs are remembered. Call inside `writing`."""
        if not self.among.leases.admits(publisher):
            self._state.looked_up.discard(publisher)  # another hub admits what it announces
        await look_up_announcements(self.nc, self._state, publisher)

    async def keep_time(self) -> None:
        """Let readers in and shut them out when their time comes; runs until cancelled."""
        while True:
            self._changed.clear()
            due = next_change(self.directory, self.clock())
            wait = _LONGEST_WAIT_SECONDS if due is None else max(due - self.clock(), 0) / 1000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, _LONGEST_WAIT_SECONDS)):
                    await self._changed.wait()
                continue
            try:
                async with self.writing():
                    await self._serve(self.accounts.endpoints())
            except TROUBLE as trouble:
                _log.warning("entitlements not updated", reason=str(trouble))
                await asyncio.sleep(1)

    # -- inside -------------------------------------------------------------------------------------------

    async def _know(self, asked: Enrolment, document: Agency | Replace, data: bytes) -> None:
        """See that the directory names the key of the request as the agency's, now or to be."""
        if isinstance(document, Agency):
            known = self.directory.agencies.get(asked.id)
            news = known is None or known.version < document.version
        else:
            news = not self._is_named(asked)
        if news:
            await self.record(data, by=None)
        if not self._is_named(asked):
            raise TrustError(
                Code.BAD_KEY,
                "the agency is known by another identity key",
                "ask the agency which one is right",
            )

    def _is_named(self, asked: Enrolment) -> bool:
        return self.directory.identities.is_named(asked.id, asked.identity)

    def _submitter(self, public: str) -> str:
        agency = self.agency_of(public)
        if agency is None:
            raise TrustError(Code.UNKNOWN_PUBLISHER, "the hub has no such endpoint", "enrol again")
        if public in self._suspended:
            raise TrustError(Code.SUSPENDED, "the endpoint is suspended", "call the hub's operators")
        return agency

    async def _append(self, subject: str, data: bytes) -> None:
        message = Outgoing(subject, data, {"Nats-Msg-Id": digest(data)})
        self._state.position = await self.among.put(message)

    async def _serve(self, endpoints: Collection[Endpoint], *, ahead: Directory | None = None) -> None:
        """Give endpoints what the directory says that they may reach, and with `ahead` what that one will
        say too.
        """
        gate = asyncio.Semaphore(_PROVISIONING)

        async def one(endpoint: Endpoint) -> None:
            async with gate:
                await self._serve_one(endpoint, ahead)

        results = await asyncio.gather(*map(one, endpoints), return_exceptions=True)
        for failed in filter(None, results):
            raise failed

    async def _serve_one(self, endpoint: Endpoint, ahead: Directory | None) -> None:
        self.among.check_leading()
        now, agency, public = self.clock(), endpoint.name, endpoint.public
        if endpoint.kind == "witness":
            if public not in self._served:
                await ensure_witness(self.nc, public, self.spoiled)
                self._served[public] = frozenset()
            return
        newest = ahead or self.directory
        reads = registrar.entitlements(newest, agency, now)
        if ahead:
            reads |= self._served.get(public, frozenset())
        sends = registrar.submittable(newest, agency)
        if sends != self.accounts.endpoint(public).entitlements:
            self._unpushed.add(public)
            self.accounts.entitle(public, sends)
        if public in self._unpushed:  # also when the server was away the last time
            await self._push(public)
            self._unpushed.discard(public)
        if self._served.get(public) != reads:
            restored = self._state.restored
            await ensure_endpoint(self.nc, public, reads, restored and restored.metadata, self.spoiled)
            self._served[public] = reads

    async def _push(self, public: str) -> None:
        """Put an account into force as it is recorded, also when the record changes meanwhile: a suspension
        must not be overtaken by an entitlement that was on its way.
        """
        pushed = ""
        while pushed != (current := self.accounts.account_jwt(public)):
            self.among.check_leading()
            await self.among.tell([public])
            await push(self._system, current)
            pushed = current

    def _read_suspended(self) -> frozenset[str]:
        return frozenset(each.public for each in self.accounts.endpoints() if each.suspended)

    async def _push_each(self, wanted: str, change: Callable[[str], str], event: str) -> list[str]:
        done = []
        self.among.check_leading()
        for endpoint in self.endpoints_of(wanted):
            change(endpoint.public)
            self._suspended = self._read_suspended()
            await self._push(endpoint.public)
            done.append(endpoint.public)
            _log.info(event, agency=endpoint.name, endpoint=endpoint.public)
        return done
