"""Leases: which duties this hub of a cluster has, and for how long it may be sure of it.

The rota (`hub.rota`) is one message in a small replicated stream in memory. Every hub reads it, takes its
turn and writes it back under the condition that nobody else did meanwhile; whoever loses that race reads
again.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

import nats.errors
import structlog
from nats.aio.client import Client

from hub.background import end
from hub.batch import BatchRefused, Outgoing, publish_ordered
from hub.durables import ADMISSION
from hub.jetstream import ABSENT, NO_STREAM, JetStreamRefused, api, stored_text
from hub.partitions import partition_of
from hub.rota import OFFICE, PATIENCE, Rota, Watch, leave, partition_duty, turn
from schemas.errors import Code, OperationError

_log = structlog.get_logger(__name__)

ROTA: Final = "ROTA"
BEAT_SECONDS: Final = 0.5
SURE_SECONDS: Final = BEAT_SECONDS * PATIENCE / 2
"""After its last beat a holder is sure of its duties for so long; others wait for twice that."""
_ANSWER_SECONDS: Final = 2.0
_SUBJECT: Final = "rota"
_FOR_GOOD: Final = frozenset({Code.BAD_SETTINGS, Code.ALREADY_RUNNING, Code.STORE_CORRUPT})
_TROUBLE: Final = (OperationError, nats.errors.Error, TimeoutError, ConnectionError)


class Leases(Protocol):
    """What a hub asks about its duties."""

    @property
    def me(self) -> str:
        """This hub's name among the others."""

    @property
    def shared(self) -> bool:
        """Whether there may be other hubs."""

    @property
    def durables(self) -> Sequence[str]:
        """On INTAKE, one for each partition."""

    def holds(self, duty: str) -> bool:
        """Whether this hub has the duty, for certain at this moment."""

    def admits(self, publisher: str) -> bool:
        """Whether this hub has the partition in which an endpoint is admitted."""

    def holders(self) -> dict[str, str]:
        """Who does what; empty for a hub that is alone."""

    def facts(self) -> dict[str, Any] | None:
        """Members and who of them does what, for `status`; None for a hub that is alone."""


class Alone:
    """A hub that shares nothing: it has every duty for good."""

    me = ""
    shared = False
    durables = (ADMISSION,)

    def holds(self, duty: str) -> bool:  # noqa: ARG002 - as `Leases` says
        """Always."""
        return True

    def admits(self, publisher: str) -> bool:  # noqa: ARG002 - the same
        """Always."""
        return True

    def holders(self) -> dict[str, str]:
        """Nothing is shared, so nothing is held."""
        return {}

    def facts(self) -> None:
        """There are none."""


ALONE: Final = Alone()


class Lease:
    """This hub, `me`, among others. `run` until cancelled, then `leave`."""

    shared = True

    def __init__(self, nc: Client, me: str, partitions: int, replicas: int) -> None:
        self.me = me
        self.partitions = partitions
        self.durables = [f"{ADMISSION}-{number}-of-{partitions}" for number in range(partitions)]
        self._nc = nc
        self._replicas = replicas
        self._rota = Rota(partitions)
        self._watch = Watch()
        self._number: int | None = None
        self._sure_until = 0.0
        self._changed = asyncio.Event()

    # -- asking -------------------------------------------------------------------------------------------

    def holds(self, duty: str) -> bool:
        """Whether this hub has the duty, for certain at this moment."""
        return duty in self._rota.of(self.me) and asyncio.get_running_loop().time() < self._sure_until

    def admits(self, publisher: str) -> bool:
        """Whether this hub has the partition in which an endpoint is admitted."""
        return self.holds(partition_duty(partition_of(publisher, self.partitions)))

    def holders(self) -> dict[str, str]:
        """Who does what, as this hub last saw it; what nobody does is left out."""
        return {duty: self._rota.duties[duty] for duty in self._rota.names if duty in self._rota.duties}

    def facts(self) -> dict[str, Any]:
        """As this hub last saw it."""
        return facts_of(self._rota, self.me)

    async def until(self, true: Callable[[Rota], bool]) -> None:
        """Wait for a rota of which this is true."""
        while not true(self._rota):
            await self._changed.wait()

    async def on_duty(self, duty: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Whenever this hub has the duty, `work`; it is cancelled when the duty goes. Runs until cancelled.

        The first error of `work` ends it and is raised.
        """
        while True:
            await self.until(lambda rota: duty in rota.of(self.me))
            _log.info("on duty", duty=duty, hub=self.me)
            working = asyncio.create_task(work())
            gone = asyncio.create_task(self.until(lambda rota: duty not in rota.of(self.me)))
            try:
                await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end([working, gone])
            if not working.cancelled() and (error := working.exception()) is not None:
                raise error
            _log.info("off duty", duty=duty, hub=self.me)

    # -- beating ------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """See that the stream is there, and take the first turn. Raises OperationError."""
        config = {
            "name": ROTA,
            "subjects": [_SUBJECT],
            "storage": "memory",
            "max_msgs_per_subject": 1,
            "num_replicas": self._replicas,
        }
        await api(self._nc, f"STREAM.CREATE.{ROTA}", config)
        await self._beat()

    async def run(self) -> None:
        """Beat until cancelled. OperationError `bad_settings` when the others were set otherwise."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._beat()
            except JetStreamRefused as refused:
                if refused.reason == NO_STREAM:  # it was in the memory of servers that have all gone
                    with contextlib.suppress(*_TROUBLE):
                        await self.begin()
                    continue
                _log.warning("no beat", reason=str(refused))
            except _TROUBLE as trouble:
                if isinstance(trouble, OperationError) and trouble.code in _FOR_GOOD:
                    raise
                _log.warning("no beat", reason=str(trouble) or type(trouble).__name__)

    async def leave(self) -> None:
        """Give all duties back, so that nobody has to wait. What fails is left to the others' patience."""
        with contextlib.suppress(*_TROUBLE):
            async with asyncio.timeout(_ANSWER_SECONDS):
                while True:
                    sequence, rota = await _read(self._nc, self.partitions)
                    if await self._write(sequence, leave(rota, self.me)):
                        break

    async def _beat(self) -> None:
        """One turn, for as often as others were faster. Raises trouble."""
        begun = asyncio.get_running_loop().time()
        while True:
            sequence, rota = await _read(self._nc, self.partitions)
            if self._number is not None and rota.beats.get(self.me, self._number) != self._number:
                raise OperationError(
                    Code.ALREADY_RUNNING,
                    f"another hub calls itself {self.me} too",
                    "give each hub of the cluster a name of its own (LIAISON_HUB_MEMBER)",
                )
            watch = self._watch.look(rota)
            self._number = None
            if await self._write(sequence, turn(rota, self.me, watch.dead, partitions=self.partitions)):
                break
            await asyncio.sleep(random.uniform(0, BEAT_SECONDS / 10))  # noqa: S311 - only to differ
        # Only now: a beat that came to nothing says nothing about the others' silence.
        self._watch, self._number = watch.of_those_in(self._rota), self._rota.beats[self.me]
        self._sure_until = begun + SURE_SECONDS

    async def _write(self, sequence: int, fresh: Rota) -> bool:
        condition = {"Nats-Expected-Last-Subject-Sequence": str(sequence)}
        message = Outgoing(_SUBJECT, fresh.to_bytes(), condition)
        try:
            await publish_ordered(self._nc, [message], batch_id="rota", timeout=_ANSWER_SECONDS)
        except BatchRefused:
            return False
        self._rota = fresh
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        return True


async def holders(nc: Client) -> dict[str, Any] | None:
    """Members and who of them does what, read from NATS over a connection of the HUB account; None where no
    hub of a cluster has ever been. Raises OperationError.
    """
    sequence, rota = await _read(nc, 1)
    return facts_of(rota) if sequence else None


def facts_of(rota: Rota, me: str | None = None) -> dict[str, Any]:
    """The rota for `status`: members in order, duties with their holder (None: nobody)."""
    return {
        "hub": me,
        "partitions": rota.partitions,
        "members": sorted(rota.beats),
        "office": rota.duties.get(OFFICE),
        "duties": {duty: rota.duties.get(duty) for duty in rota.names},
    }


async def _read(nc: Client, partitions: int) -> tuple[int, Rota]:
    """The rota and its sequence; an empty one and 0 where there is none yet. NO_STREAM is raised."""
    try:
        found = await api(nc, f"STREAM.MSG.GET.{ROTA}", {"last_by_subj": _SUBJECT}, timeout=_ANSWER_SECONDS)
    except JetStreamRefused as refused:
        if refused.reason not in ABSENT - {NO_STREAM}:
            raise
        return 0, Rota(partitions)
    return int(found["message"]["seq"]), Rota.parse(stored_text(found))
