"""The identity key of a running node's agency: a new one made ready, taken up when its time has come, and the
objection to one that nobody here has made. FORMAT.md, "Directory".

Which key counts is decided by the directory, as with the other keys (`key_store`): whatever a crash
interrupts, the node goes on from what the directory says.
"""

import asyncio
import os
from typing import Final

import structlog

from schemas.directory import Directory
from schemas.documents import Identity, Object, Replace
from schemas.encoding import from_base64, instant, to_base64
from schemas.errors import Code, LiaisonError, OperationError
from schemas.signing import DOCUMENT_TYPE, KEY_SIZE, fingerprint, sign_envelope
from subscribers.core import Core
from subscribers.exchange.enrolment import keys_document, request
from subscribers.keyring.identity_api import IdentityDocument, IdentityRequest, IdentityState
from subscribers.keys import Random, SigningKey

_PERIOD: Final = 5.0
"""Seconds between two looks at whether something is due."""
_LATEST: Final = 9_000_000_000_000
"""A time that an instant of four digits of year can tell (Unix milliseconds)."""

log = structlog.get_logger(__name__)


class Succession:
    """The identity of one running node. One change at a time."""

    def __init__(self, core: Core, random: Random = os.urandom) -> None:
        self._core = core
        self._random = random
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Do what is due, now and then, until cancelled."""
        while True:
            try:
                await self.tick()
            except LiaisonError as error:
                log.warning("identity not looked after", code=str(error.code), reason=error.message)
            await asyncio.sleep(_PERIOD)

    async def tick(self) -> None:
        """Take up a key whose time has come, go over to one that the directory has, and bind the keys of a
        machine that waited for it.
        """
        core = self._core
        async with self._turn:
            self._go_over()
            if not core.link.connected or self._agency not in core.ledger.known().agencies:
                return
            ours = self._ours()
            if ours and (self._holds_present() or core.clock() >= ours[0].nbf):
                await self._take_up(*ours)
            await self._bind()

    async def _bind(self) -> None:
        """Enter the keys of a machine that waited for its identity."""
        core, known = self._core, self._core.ledger.known()
        vouched = core.ledger.vouched.vouches(known, self._agency)
        if core.endpoint in known.endpoints or not (vouched and self._holds_present()):
            return
        document = keys_document(core.keys, known, core.endpoint, core.clock)
        if document:
            await core.submit(document, lambda after: core.endpoint in after.endpoints)
            log.info("keys bound to the endpoint")

    def identity(self) -> list[IdentityState]:
        """Our own identity, and every agency's that is about to change or in dispute."""
        known, ours = self._core.ledger.known(), self._agency
        changing = {*known.identities.pending, *known.identities.disputed} - {ours}
        named = [each for each in (ours, *sorted(changing)) if each in known.agencies]
        return [_state(known, each, own=each == ours) for each in named]

    async def identity_new(self) -> IdentityRequest:
        """A new key on this machine, and the request with which the secretariat replaces the present one.
        Again before that: the same key.
        """
        async with self._turn:
            rack, now = self._core.rack, self._core.clock()
            key = rack.next_identity or rack.stage_identity(self._random)
            asked = request(rack.ring.succeeded(bytes(key)), now)
            log.info("new identity key made ready")
            return IdentityRequest(fingerprint=fingerprint(key.public), request=asked.decode())

    async def identity_object(self) -> IdentityDocument:
        """Our no to the replacement that waits. OperationError `not_found` where none does, `wrong_key` where
        this machine does not hold the key that may object, or the hub's refusal.
        """
        core, ours = self._core, self._agency
        async with self._turn:
            waits = core.ledger.known().identities.pending.get(ours)
            if waits is None:
                raise OperationError(
                    Code.NOT_FOUND, "no replacement of our identity is waiting", "see `identity show`"
                )
            if not self._holds_present():
                raise OperationError(
                    Code.WRONG_KEY,
                    "this machine does not hold the identity key that can object",
                    "object from the machine that does, or call the secretariat",
                )
            document = Object(issued=core.clock(), agency=ours, identity=waits.identity)
            data = sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [core.keys.identity]).to_bytes()
            handed_in = core.link.connected
            if handed_in:
                await core.submit(data, lambda known: waits != known.identities.pending.get(ours))
            log.warning("objected to the replacement of our identity")
            return IdentityDocument(agency=ours, document=data.decode(), submitted=handed_in)

    async def identity_take_up(self) -> IdentityDocument:
        """Take up our new key now. OperationError `not_found`, `too_early` while the time has not passed and
        this machine does not hold the present key, or the hub's refusal.
        """
        async with self._turn:
            ours = self._ours()
            if ours is None:
                raise OperationError(
                    Code.NOT_FOUND,
                    "no replacement by a key of this machine is waiting",
                    "run `identity new`, and have the secretariat sign the request",
                )
            if not self._holds_present() and self._core.clock() < ours[0].nbf:
                raise OperationError(
                    Code.TOO_EARLY,
                    "the present identity key still has time to object",
                    f"wait until {instant(min(ours[0].nbf, _LATEST))}; the node does it by itself then",
                )
            return await self._take_up(*ours)

    async def _take_up(self, waits: Replace, key: SigningKey) -> IdentityDocument:
        core, ours = self._core, self._agency
        known = core.ledger.known()
        both = self._holds_present()
        issued = core.clock() if both else max(core.clock(), waits.nbf)
        document = Identity(issued=issued, agency=ours, identity=waits.identity, logs=known.owned_logs(ours))
        signers = [key, core.keys.identity] if both else [key]
        data = sign_envelope(DOCUMENT_TYPE, document.to_bytes(), signers).to_bytes()
        handed_in = core.link.connected
        if handed_in:
            await core.submit(data, lambda after: after.identity(ours) == key.public)
            self._go_over()
        return IdentityDocument(agency=ours, document=data.decode(), submitted=handed_in)

    def _go_over(self) -> None:
        if self._core.rack.follow_identity(_present(self._core.ledger.known(), self._agency)):
            log.warning("identity key replaced by the new one; make a new backup of the keys")

    @property
    def _agency(self) -> str:
        return self._core.keys.profile.id

    def _holds_present(self) -> bool:
        return self._core.keys.identity.public == _present(self._core.ledger.known(), self._agency)

    def _ours(self) -> tuple[Replace, SigningKey] | None:
        """The replacement that waits, where its key is one of this machine, and that key."""
        waits = self._core.ledger.known().identities.pending.get(self._agency)
        key = waits and self._find(waits)
        return (waits, key) if waits and key else None

    def _find(self, waits: Replace) -> SigningKey | None:
        held = (self._core.rack.next_identity, self._core.keys.identity)
        return next((each for each in held if each and to_base64(each.public) == waits.identity), None)


def _present(directory: Directory, agency: str) -> bytes | None:
    return directory.identity(agency) if agency in directory.agencies else None


def _state(directory: Directory, agency: str, *, own: bool) -> IdentityState:
    waits = directory.identities.pending.get(agency)
    return IdentityState(
        agency=agency,
        agency_name=directory.agencies[agency].name,
        own=own,
        fingerprint=fingerprint(directory.identity(agency)),
        next_fingerprint=fingerprint(from_base64(waits.identity, KEY_SIZE)) if waits else "",
        effective=instant(min(waits.nbf, _LATEST)) if waits else None,
        disputed=agency in directory.identities.disputed,
    )
