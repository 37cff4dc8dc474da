"""The life of a node's own keys while it runs: rotate, revoke, destroy what is over. See `key_life` for what
is due, `key_store` for the files.

A rotation goes: new keys on disk (`next/`), their `keys` document at the hub, the document back in the
directory, then the switch. Killed anywhere in between, the node finishes it at its next start, or when the
hub is reached again; until the directory has the new keys, the old ones are the ones in use.
"""

import asyncio
import os
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import structlog

from schemas.directory import Directory
from schemas.documents import Keys, Revoke
from schemas.errors import Code, LiaisonError, OperationError, TrustError
from schemas.signing import DOCUMENT_TYPE, sign_envelope
from subscribers.core import DAY, Core
from subscribers.exchange.enrolment import keys_document
from subscribers.keyring import key_life
from subscribers.keyring.epoch_keys import age
from subscribers.keyring.key_life import KeyInfo, Policy, Reader
from subscribers.keys import Random
from subscribers.sealing import EpochKey, wrap
from subscribers.settings import NodeSettings
from subscribers.storage.store import unbroken

_PERIOD: Final = 600.0
_RETRY: Final = 5.0
_REMEMBERED: Final = 60_000
_UNDECIDED: Final = frozenset({Code.HUB_UNREACHABLE, Code.LOG_BEHIND, Code.CLOCK_SKEW, Code.NOT_NEXT})
"""After these the hub may have the document all the same: another that stands in the way of this one may be
ours, from before the answer was lost, and not have come back yet.
"""

log = structlog.get_logger(__name__)


class Rotation:
    """The keys of one running node. One change at a time."""

    def __init__(
        self,
        core: Core,
        settings: NodeSettings,
        random: Random = os.urandom,
        clock: Callable[[], int] | None = None,
    ) -> None:
        """`clock` is what ages are told by (Unix ms): the node's own unless another is given."""
        self._core = core
        self._clock = clock or core.clock
        self._random = random
        self._turn = asyncio.Lock()
        self.policy = Policy(
            settings.key_rotate_days * DAY, settings.key_overlap_days * DAY, settings.key_max_days * DAY
        )
        self._locked_out: dict[str, tuple[Directory, int, list[str]]] = {}
        self._epoch_life = settings.epoch_key_days * DAY

    async def run(self) -> None:
        """Do what is due, now and then, until cancelled."""
        while True:
            try:
                await self.tick()
            except LiaisonError as error:
                log.warning("keys could not be looked after", code=str(error.code), reason=error.message)
            # What was begun is finished soon; for the rest minutes are soon enough.
            await asyncio.sleep(_RETRY if self._core.rack.staged else _PERIOD)

    async def tick(self) -> None:
        """Finish what was begun, rotate when it is due, destroy what is over, and say what is getting old."""
        core = self._core
        async with self._turn:
            if core.rack.staged and core.link.connected:
                await self._finish()
            directory, now = core.ledger.known(), self._clock()
            if core.link.connected and key_life.is_due(directory, core.endpoint, self.policy, now):
                log.info("scheduled rotation of keys")
                await self._rotate(encryption=True)
            self._destroy_expired()
            await self.delete_epoch_keys()
            if warning := self.warning():
                log.warning("keys are getting old", reason=warning)

    async def rotate(self, *, encryption: bool) -> list[KeyInfo]:
        """New keys, announced and in use when this returns. OperationError: `hub_unreachable` or `log_behind`
        (it is finished later), or the hub's refusal.
        """
        async with self._turn:
            self._require_link()
            await self._rotate(encryption=encryption)
        return self.keys()

    async def revoke(self, kid: str, reason: str, *, rotate: bool, stop: bool) -> list[KeyInfo]:
        """Have a signing key of this agency refused everywhere from now on. Our current one only with a
        successor (`rotate`) or with the word that we mean to fall silent (`stop`).

        Raises OperationError `bad_request`, `unknown_key`, `already_known`, or as the hub refuses.
        """
        core = self._core
        async with self._turn:
            self._require_link()
            keys = core.ledger.known().signers.get(kid)
            if keys is None or keys.agency != core.keys.profile.id:
                fix = "see `liaison-agency keys list`; encryption keys are replaced by a rotation"
                raise OperationError(Code.UNKNOWN_KEY, "this agency has no such signing key", fix)
            if kid in core.ledger.known().revoked:
                raise OperationError(Code.ALREADY_KNOWN, "the key is revoked already")
            if kid == core.rack.kid and not (rotate or stop):
                fix = "add --rotate to go on with new keys, or --and-stop to publish nothing more"
                raise OperationError(Code.BAD_REQUEST, "this is the key that signs now", fix)
            if kid == core.rack.kid and rotate:
                await self._rotate(encryption=True)
            document = Revoke(issued=core.clock(), agency=core.keys.profile.id, kid=kid)
            envelope = sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [core.keys.identity])
            await core.submit(envelope.to_bytes(), lambda known: kid in known.revoked)
            log.warning("signing key revoked", kid=kid, reason=reason)
        return self.keys()

    def keys(self) -> list[KeyInfo]:
        """Every key that this agency's endpoints have had."""
        core = self._core
        return key_life.keys_of(core.ledger.known(), core.keys.profile.id, self.policy, self._clock())

    def warning(self) -> str:
        """What to tell people of our keys' age; empty when there is nothing."""
        core = self._core
        return key_life.overdue(core.ledger.known(), core.endpoint, self.policy, self._clock())

    def readers(self, community: str) -> list[Reader]:
        """Who can read what we publish in a community (its id), and who cannot."""
        core = self._core
        seen = {each.publisher for each in core.ledger.chains} | {core.endpoint}
        return key_life.readers(core.ledger.known(), community, self._clock(), self.policy, seen, _is_usable)

    def locked_out(self, community: str) -> list[str]:
        """The agencies of a community (its id) that cannot read what is published there; at most a minute
        old, since it is asked for each bulletin.
        """
        directory, now = self._core.ledger.known(), self._clock()
        known = self._locked_out.get(community)
        if known is None or known[0] is not directory or abs(now - known[1]) > _REMEMBERED:
            known = (directory, now, key_life.locked_out(self.readers(community)))
            self._locked_out[community] = known
        return known[2]

    async def delete_epoch_keys(self) -> int:
        """Forget epoch keys that have been here for longer than the setting says, except those that are in
        use. The archive keeps what they opened. How many went.
        """
        core, now, life = self._core, self._clock(), self._epoch_life
        gone = await core.store.transact(lambda connection: age(connection, now, life, core.endpoint))
        core.ledger.forget_keys(gone)
        if gone:
            log.info("old epoch keys deleted", count=len(gone))
        return len(gone)

    async def _rotate(self, *, encryption: bool) -> None:
        core = self._core
        core.check_identity()
        if core.rack.staged is None:
            core.rack.stage(self._random, encryption=encryption)
        await self._finish()

    async def _finish(self) -> None:
        """Announce the staged keys, unless the directory has them, and switch to them."""
        core = self._core
        staged = core.rack.staged
        if staged is None:
            return
        document = keys_document(staged, core.ledger.known(), core.endpoint, core.clock)
        if document:
            public = staged.signing.public
            try:
                await core.submit(document, lambda known: known.has_key(core.endpoint, public))
            except OperationError as error:
                if error.code not in _UNDECIDED and not core.staged_is_known():
                    core.rack.discard()
                    await core.outbox.renew()
                raise
        await unbroken(self._switch())

    async def _switch(self) -> None:
        core = self._core
        core.rack.promote()
        await core.outbox.renew()
        log.info("keys rotated", signing=core.rack.kid, encryption=core.keys.encryption.kid.hex())

    def _destroy_expired(self) -> None:
        core = self._core
        over = key_life.expired_kems(core.ledger.known(), core.endpoint, self.policy, self._clock())
        for kid in sorted(over & core.rack.old.keys()):
            core.rack.destroy(kid)
            log.info("replaced encryption key destroyed", kid=kid)

    def _require_link(self) -> None:
        if not self._core.link.connected:
            fix = "see `liaison-agency doctor`; nothing was changed"
            raise OperationError(Code.HUB_UNREACHABLE, "keys change only with the hub at hand", fix)


@lru_cache(maxsize=4096)
def _is_usable(keys: Keys) -> bool:
    try:
        wrap(EpochKey(bytes(32)), bytes(32), keys)  # a key of low order shows only when it is used
    except TrustError:
        return False
    return True
