"""The router: from the intake, through admission, to traffic; every submission answered once with a signed
receipt.

One batch at a time, in the order of the intake: quarantine the refused, write the admitted with all receipts
in one atomic batch (a few frames: each before its receipt), acknowledge. Meanwhile the next batch is parsed
and its signatures are verified beside it. Whatever goes wrong, the router stops, reads its state back, sets
the durable to the beginning of the intake and begins again: `State.through` then tells what of that has been
answered already. Nothing waits for a timer, so a single frame passes at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple
from uuid import uuid4

import structlog

from hub import history, tracing
from hub.admission import Opened
from hub.arrival import Arrival, unbroken
from hub.batch import (
    ONE_BY_ONE_MAX,
    BatchRefused,
    Outgoing,
    publish_batch,
    publish_ordered,
)
from hub.durables import ADMISSION, ensure_admission
from hub.fairness import Allowance, Taken, Tokens
from hub.fence import Fence
from hub.issuing import issue
from hub.office import TROUBLE, Office
from hub.pull import NOBODY, Pull
from hub.registrar import announcement_of, split_bundle
from hub.settlement import Settlement, Submission, admit, claim, over_quota, prepare, quarantine_entry
from hub.state import ANSWERED, State
from hub.streams import HISTORY_TTL, INTAKE, RECEIPT_TTL, TTL_HEADER, WRAP_TTL, trim_intake
from hub.turns import Turns
from hub.verifying import Verifying
from schemas.errors import Code, FormatError, LiaisonError, OperationError, TrustError
from schemas.history import parse_handover
from schemas.receipts import ADMITTED
from schemas.signing import Signer
from schemas.subjects import history_for, receipts_for, wraps_for

_log = structlog.get_logger(__name__)

BATCH: Final = 640
"""Submissions taken from the intake at once: with a receipt for each of 300 publishers they are one atomic
batch of the server, which holds 1,000.
"""
_AT_A_STRETCH: Final = 8
"""So many batches, where there are, before whoever else wants to change something has its turn."""
_FEW: Final = 4
"""So many are written one after the other: an atomic batch, however small, costs the server as much."""
_TRIM_EVERY: Final = 5000
_BACKOFF_SECONDS: Final = (0.05, 0.2, 0.5, 1.0, 2.0)

_Ready = asyncio.Queue[asyncio.Task[list[Submission]]]
"""Batches that are being prepared, in the order of the intake."""

Step = Literal["settling", "stored"]
"""Moments at which a crash is interesting: before the batch is written, and between that and the
acknowledgement.
"""


async def no_hook(_step: Step) -> None:
    """Go on."""


class Part(NamedTuple):
    """What a router works through: the whole intake, or under a fence one partition of it
    (`hub.partitions`).
    """

    durable: str = ADMISSION
    subjects: Sequence[str] = ()
    fence: Fence | None = None
    allowance: Allowance = Allowance()


WHOLE: Final = Part()


class Router:
    """Works through its part of the intake until `run` is cancelled. `cosigned` is given what a witness hands
    in. `hook` is called at each `Step` (tests stop there).
    """

    def __init__(
        self,
        office: Office,
        signer: Signer,
        cosigned: Callable[[str, bytes], Awaitable[None]],
        verifying: Verifying,
        part: Part = WHOLE,
        *,
        hook: Callable[[Step], Awaitable[None]] = no_hook,
    ) -> None:
        self._office = office
        self._cosigned = cosigned
        self._part = part
        self._signer = signer
        self._hook = hook
        self._verifying = verifying
        self._tokens = Tokens(part.allowance)
        self._turns = Turns(self._tokens)
        self._interrupted = asyncio.Event()
        self._since_trim = 0
        self._ending: asyncio.Task[None] | None = None
        self._under_way: asyncio.Task[None] | None = None

    def interrupt(self) -> None:
        """Begin again from the last answer: after a reconnection nobody knows what got through."""
        self._interrupted.set()

    async def run(self) -> None:
        """Route until cancelled. Trouble is logged and tried again."""
        failures = 0
        while True:
            settled = self._office.answered.total()
            try:
                await self._session()
            except* TROUBLE as trouble:
                failures = 0 if self._office.answered.total() > settled else failures + 1
                _log.warning("routing interrupted", reason=str(trouble.exceptions[0]), failures=failures)
            await asyncio.sleep(_BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS) - 1)])

    async def _session(self) -> None:
        self._interrupted.clear()
        self._ending = self._under_way = None
        office, part = self._office, self._part
        if part.fence:
            # First, so that nothing is written any more by a former holder that is not read below.
            office.doubt(await part.fence.put_up())
        async with office.writing():
            anew, spoiled = bool(part.fence), office.spoiled
            await ensure_admission(office.nc, part.durable, part.subjects, anew=anew, spoiled=spoiled)
        ready: _Ready = asyncio.Queue()
        turns = self._turns = Turns(self._tokens)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stop_when_interrupted())
            group.create_task(self._settle_all(ready, group))
            group.create_task(self._take_turns(ready, group))
            fresh, report = bool(part.fence), self._report
            async with Pull(office.nc, INTAKE, part.durable, batch=BATCH, report=report, fresh=fresh) as pull:
                await turns.read(unbroken(pull) if part.fence else pull)

    async def _stop_when_interrupted(self) -> None:
        await self._interrupted.wait()
        what = "the connection to NATS, or what is read over it, was made anew"
        raise OperationError(Code.HUB_UNREACHABLE, what, "none is needed")

    def _report(self, trouble: str) -> None:
        _log.warning("intake pull in trouble", reason=trouble)
        if self._part.fence and trouble.startswith(NOBODY):
            self.interrupt()  # a former holder may have taken the durable away, late: it is made anew

    # -- ahead: whose turn it is, form and signature ------------------------------------------------------

    async def _take_turns(self, ready: _Ready, group: asyncio.TaskGroup) -> None:
        while True:
            taken = await self._turns.batch(BATCH, self._office.clock, self._answered)
            ready.put_nowait(group.create_task(self._prepare(taken)))

    def _answered(self, arrival: Arrival) -> bool:
        return self._office.state.answered(arrival.publisher, arrival.mark)

    async def _prepare(self, taken: Sequence[Taken]) -> list[Submission]:
        submissions = [over_quota(each.arrival) if each.over else prepare(each.arrival) for each in taken]
        keys = self._office.view().keys
        claims = [(each, made) for each in submissions if (made := claim(each, keys))]
        verified = await self._verifying.check([made for _, made in claims])
        for (submission, _), holds in zip(claims, verified, strict=True):
            if submission.opened:
                submission.opened = Opened(submission.opened.frame, holds)
        return submissions

    # -- in order: decide, write, acknowledge -------------------------------------------------------------

    async def _settle_all(self, ready: _Ready, group: asyncio.TaskGroup) -> None:
        coming = group.create_task(ready.get())
        while True:
            await asyncio.wait({coming})
            async with self._office.writing() as state:
                for _ in range(_AT_A_STRETCH):
                    submissions = await coming.result()
                    coming = group.create_task(ready.get())
                    # Under a fence the server takes one write at a time, so it had better be the whole.
                    few = len(submissions) <= _FEW and self._part.fence is None
                    for part in [[each] for each in submissions] if few else [submissions]:
                        await self._settle(part, state, group)
                    self._turns.judged()
                    self._trim(len(submissions), group)
                    if not await self._comes(coming):
                        break
                await self._written()

    async def _comes(self, coming: asyncio.Task[asyncio.Task[list[Submission]]]) -> bool:
        """Whether another batch is there before all is written: then it is judged meanwhile."""
        if self._under_way:
            await asyncio.wait({coming, self._under_way}, return_when=asyncio.FIRST_COMPLETED)
        return coming.done()

    async def _settle(
        self, submissions: Sequence[Submission], state: State, group: asyncio.TaskGroup
    ) -> None:
        settlement = Settlement(judged=tracing.notes())
        again = self._office.among.leases.shared
        for submission in submissions:
            if state.answered(submission.publisher, submission.mark):
                settlement.done.append(submission.mark.sequence)
                continue  # answered before a crash
            if settlement.full(submission) or submission.is_document:
                # What was sent before a document is judged, and published, before it counts.
                await self._write(settlement, state, group)
                if not submission.opened:
                    await self._written()
                settlement = Settlement(judged=tracing.notes())
            settlement.done.append(submission.mark.sequence)
            now = self._office.clock()
            try:
                try:
                    await self._decide(submission, settlement, state, now)
                except TrustError:
                    # Nobody is refused for what another hub knows already. What was read here was sent before
                    # now: to ask once is enough.
                    asked, again = again, False
                    if not (asked and await self._office.catch_up()):
                        raise
                    await self._decide(submission, settlement, state, now)
            except (FormatError, TrustError) as refusal:
                if refusal.code is not Code.OVER_QUOTA:  # its sender keeps it, and sends it again
                    settlement.refused.append((submission, refusal))
                if not _is_cosignature(submission):
                    settlement.answer(submission, refusal.code, now)
            else:
                if not _is_cosignature(submission):
                    settlement.answer(submission, ADMITTED, now)
            settlement.settled(submission)
        await self._write(settlement, state, group)

    async def _decide(self, submission: Submission, settlement: Settlement, state: State, now: int) -> None:
        office, message, sent_to = self._office, submission.message, submission.sent_to
        if submission.refusal is not None:
            raise submission.refusal
        if submission.opened is not None and submission.subject is not None:
            admit(submission.opened, submission.subject, office.view(), state, settlement, now)
        elif sent_to.startswith("s.doc."):
            await office.record(message.data, by=submission.publisher)
        elif _is_cosignature(submission):
            await self._cosigned(submission.publisher, message.data)
        elif sent_to.startswith("s.wrap."):
            await self._wraps(message.data, submission.publisher, settlement, state)
        elif sent_to.startswith("s.history."):
            holder = history.route(message.data, submission.publisher, office.directory, office.view(), now)
            settlement.send(history_for(holder), message.data, {TTL_HEADER: HISTORY_TTL})
        elif sent_to.startswith("s.rewrap."):
            await self._handover(message.data, submission.publisher, settlement, state)
        else:
            raise FormatError(Code.BAD_SUBJECT, "nothing is taken on this subject", "see FORMAT.md, Subjects")

    async def _wraps(self, bundle: bytes, publisher: str, settlement: Settlement, state: State) -> None:
        announcement = announcement_of(bundle)
        community = state.announcements.community(publisher, announcement)
        if community is None:
            await self._office.look_up(publisher)
            community = state.announcements.community(publisher, announcement)
        for delivery in split_bundle(bundle, publisher, community, self._office.view()):
            settlement.send(wraps_for(delivery.recipient), delivery.data, {TTL_HEADER: WRAP_TTL})

    async def _handover(self, data: bytes, sender: str, settlement: Settlement, state: State) -> None:
        handover = parse_handover(data)
        await self._office.look_up(handover.publisher)
        for delivery in history.split(handover, sender, state.announcements, self._office.view()):
            settlement.send(wraps_for(delivery.recipient), delivery.data, {TTL_HEADER: WRAP_TTL})

    async def _write(self, settlement: Settlement, state: State, group: asyncio.TaskGroup) -> None:
        """Begin to write what was decided, when all before it is written. The end of it may still be under
        way in `group`, on the wire before whatever is written next.
        """
        through = settlement.through
        answers = [
            Outgoing(receipts_for(to), data, {TTL_HEADER: RECEIPT_TTL, ANSWERED: str(through[to])})
            for part in settlement.answered()
            for to, data in issue(part, self._signer).items()
        ]
        await self._written()
        if settlement.answers:
            await self._hook("settling")
            await self._quarantine(settlement.refused, state)
        outgoing = [*settlement.traffic, *answers]
        together = len(settlement.traffic) > 1 or len(outgoing) > ONE_BY_ONE_MAX
        # Under a fence as ever the whole; and two receipts for one endpoint say both that all is answered.
        together |= self._part.fence is not None or len({each.subject for each in answers}) < len(answers)
        if not together:
            # An atomic batch costs several times as much as a message, and one frame cannot be torn apart.
            # Only the receipt says that it is answered: after a crash before it the frame comes again, is
            # found to be the head of its chain, and is answered then. Nobody waits for its disk: readers
            # have the frame meanwhile, and the next one is judged.
            await publish_ordered(self._office.nc, outgoing[:-1], batch_id=uuid4().hex)
            outgoing = outgoing[-1:]
        finish = self._finish(settlement, outgoing, state, self._ending, together=together)
        self._ending = group.create_task(finish)
        # While the disk has a batch, the next one is judged; nothing of it is sent before this one is there.
        self._under_way = self._ending if together else None
        await asyncio.sleep(0)  # what is left is on its way before anything that follows

    async def _written(self) -> None:
        """Return when no batch is under way. Raises what became of it."""
        if self._under_way:
            await self._under_way
            self._under_way = None

    async def _finish(
        self,
        settlement: Settlement,
        left: Sequence[Outgoing],
        state: State,
        before: asyncio.Task[None] | None,
        *,
        together: bool,
    ) -> None:
        """Publish what is left of it, and be done with its submissions, once those `before` are done with."""
        if together:
            await self._publish(left)
        else:
            await publish_ordered(self._office.nc, left, batch_id=uuid4().hex)
        if before:
            await before
        state.through.update(settlement.through)
        if settlement.answers:
            await self._hook("stored")
            self._office.meter.settled(settlement.taken, self._office.clock())
            tracing.stored(settlement.judged, self._office.clock())
        if last := self._turns.window.settled(settlement.done):
            await last.ack()

    async def _publish(self, outgoing: Sequence[Outgoing]) -> None:
        if not outgoing:
            return
        nc, fence = self._office.nc, self._part.fence
        guard = fence.headers if fence else {}
        first, *others = outgoing
        try:
            last = await publish_batch(nc, [_with(first, guard), *others], batch_id=uuid4().hex) + len(others)
        except BatchRefused as refused:
            if not refused.duplicate:
                raise
            # One of them is there already: the server leaves that one out when each comes alone.
            _log.warning("batch held a duplicate", messages=len(outgoing))
            last = 0
            for each in outgoing:
                (last,) = await publish_ordered(nc, [_with(each, guard)], batch_id=uuid4().hex)
        self._office.among.wrote(last)

    async def _quarantine(self, refused: Sequence[tuple[Submission, LiaisonError]], state: State) -> None:
        js = self._office.nc.jetstream()
        fresh = [each for each in refused if not state.kept(each[0].publisher, each[0].mark)]
        pending = [
            js.publish(out.subject, out.payload, headers=dict(out.headers))
            for out in (quarantine_entry(*each) for each in fresh)
        ]
        for done in await asyncio.gather(*pending, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
        for submission, refusal in fresh:
            state.quarantined[submission.publisher] = submission.mark
            _log.info("submission refused", code=refusal.code, endpoint=submission.publisher)

    def _trim(self, settled: int, group: asyncio.TaskGroup) -> None:
        """Now and then, beside the work, what is settled and has nothing open before it. Not the newest of
        it: should the server lose its end and begin there again, this must not take what was put in their
        place.
        """
        self._since_trim += settled
        if self._since_trim >= _TRIM_EVERY:
            self._since_trim = 0
            before = self._turns.window.floor - 1 - BATCH
            group.create_task(trim_intake(self._office.nc, before, self._part.subjects))


def _is_cosignature(submission: Submission) -> bool:
    """A witness reads no receipts: it sees in the next head what came of its word."""
    return submission.sent_to.startswith("s.cosig.")


def _with(message: Outgoing, headers: Mapping[str, str]) -> Outgoing:
    return Outgoing(message.subject, message.payload, {**message.headers, **headers})
