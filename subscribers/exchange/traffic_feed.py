"""The one ordered feed of frames, wraps and receipts: verified and opened in order, committed with the state
they change, then acknowledged.

A batch is one transaction: bulletins, chain heads, epoch keys, settled submissions and quarantine together.
The node may be killed at any point; what was not acknowledged comes again and finds itself known.

While there is a backlog, batches are larger and one signature is verified for each unbroken run in them; live
frames are verified one by one (`subscribers.judging.reading`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import apsw
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from schemas.chain import ChainKey
from schemas.encoding import from_base64
from schemas.errors import Code, LiaisonError, OperationError
from schemas.frame import Frame
from schemas.operations import operations_for, read_operation
from schemas.receipts import Answer, read
from schemas.signing import KEY_SIZE
from schemas.subjects import TRAFFIC, history_for, parse_frame_subject, receipts_for, wraps_for
from subscribers import tracing
from subscribers.directory.feed import DirectoryFeed, behind
from subscribers.exchange.batch import Batch, Piece, record_of_opened
from subscribers.exchange.hub_link import HubLink, feed_settled
from subscribers.exchange.in_order import InOrder
from subscribers.exchange.missing import miss, suspect
from subscribers.exchange.outbox import Outbox
from subscribers.judging import operational
from subscribers.judging.held import AHEAD, ANCESTORS_MAX, ancestors, fetch, stands_on
from subscribers.judging.missed import Us
from subscribers.judging.own_frames import claim
from subscribers.judging.past import given
from subscribers.judging.reading import Reading
from subscribers.judging.refused import Refused
from subscribers.judging.trust import accept_wrap
from subscribers.judging.verdicts import (
    Announced,
    Beat,
    Carded,
    Chain,
    LogBehind,
    Opened,
    Reader,
    Sealed,
    Settled,
    Skipped,
    Verdict,
)
from subscribers.judging.verdicts import Refused as Refusal
from subscribers.keyring.key_store import Rack
from subscribers.pull import Pull, ack, place
from subscribers.sharing.asked import accept_request, note_asked
from subscribers.storage.archive import put_all, unpublished
from subscribers.storage.journal import Settlement, Signing, settle
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store, unbroken
from subscribers.telling.compliance import confirm
from subscribers.telling.republish import Fresh, Rows
from subscribers.writing.replies import Reported, record_of

_BATCH: Final = 512
"""Messages asked for at once: a run, and so a signature, reaches no further than a batch."""
_RECEIPTS_FOLLOW: Final = 0.01
_PAIR: Final = 2
"""A frame and its receipt: whoever waits for each answer before sending the next has never more."""
_IN_A_STREAM: Final = 0.06
"""Seconds. One transaction for our own frames and their receipts, or for several while many are sent, leaves
writer and disk to what others wait for.
"""

_BRIEF: Final = 32 * 1024
"""Bytes of a batch that is written on the event loop: some bulletins, or one of some length. What is long is
long to index, and many refusals are many rows.
"""

log = structlog.get_logger(__name__)


class TrafficFeed:
    """Takes the traffic durable of this endpoint into the store."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        outbox: Outbox,
        directory: DirectoryFeed,
        keys: Rack,
        endpoint: str,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._outbox = outbox
        self._directory = directory
        self._keys = keys
        self._endpoint = endpoint
        self._clock = clock
        self._turn = asyncio.Lock()
        self._seen: tuple[object, object] = (None, None)
        self.fresh = Fresh()
        """Bulletins as they are committed."""
        self.unlocked = asyncio.Event()
        """Set when keys have come, which may be of old epochs."""
        self.asked = asyncio.Event()
        """Set when somebody has asked for old keys."""
        self.on_looked: Callable[[], Awaitable[None]] = _nothing
        """Awaited when `follow` has looked again."""

    async def run(self, nc: Client, link: HubLink) -> None:
        """Read until the connection is lost; tells the link when the backlog is done."""
        if await feed_settled(nc, TRAFFIC) == 0:
            await link.read()
        stream, order, lost = False, InOrder(), Code.HUB_UNREACHABLE
        async with Pull(nc, stream=TRAFFIC, durable=self._endpoint, batch=_BATCH, lost=lost) as pull:
            async for arrived in pull:
                messages = arrived
                if not any(map(self._is_others, messages)):
                    # Our own frames: the receipts are right behind them, and nobody waits for either alone.
                    pause = _IN_A_STREAM if stream else _RECEIPTS_FOLLOW
                    messages = [*arrived, *await pull.linger(pause, self._is_others)]
                    stream = len(messages) > _PAIR
                order.follow(messages)
                last = place(messages[-1]).left == 0
                live = last and link.caught_up.is_set()
                link.answered(await self.take(list(map(Piece.of, messages)), live=live))
                for message in messages:
                    await ack(message)
                if last:
                    await link.read()

    def _is_others(self, message: Msg) -> bool:
        return not message.subject.endswith(self._endpoint)

    async def take(self, pieces: Sequence[Piece], *, live: bool) -> list[Answer]:
        """Decide, commit and take in one batch. Returns the hub's answers that were in it. `live`: nothing
        waits behind it, so each frame is held against its own signature.
        """
        async with self._turn:
            await self._look_again()
            return await self._take(pieces, live=live)

    async def follow(self) -> None:
        """Read again what is ahead of the directory, whenever that has grown; until cancelled."""
        while True:
            known = self._known()
            try:
                await self.look_again()
                await self.on_looked()
            except OperationError as error:  # a full disk, say: it is tried again with whatever comes next
                log.warning("what is ahead of the directory waits", reason=str(error.code))
            await self._directory.brings(partial(self._has_grown, known))

    async def look_again(self) -> None:
        """Read what is ahead of the directory, if that has grown."""
        async with self._turn:
            await self._look_again()

    async def _look_again(self) -> None:
        if not self._has_grown(self._seen):
            return
        before, self._seen = self._seen, self._known()
        try:
            await self._read_held([name for name, code in self._ledger.held.items() if code in AHEAD])
        except BaseException:
            self._seen = before
            raise

    async def _read_held(self, names: Sequence[str]) -> None:
        held = self._ledger.held
        for start in range(0, len(names), ANCESTORS_MAX):
            these = names[start : start + ANCESTORS_MAX]
            found = await fetch(self._store, these, held)
            for each in set(these) - {each.name for each in found}:
                held.pop(each, None)  # pushed out of the quarantine: nothing stands on it
            await self._take([Piece(each.subject, each.data, 0, each.name) for each in found], live=True)

    def _known(self) -> tuple[object, object]:
        """The directory and its newest head: others once it has grown, or been confirmed anew."""
        return self._ledger.directory, self._ledger.vouched.kept

    def _has_grown(self, known: tuple[object, object]) -> bool:
        return any(now is not before for now, before in zip(self._known(), known, strict=True))

    async def _take(self, pieces: Sequence[Piece], *, live: bool) -> list[Answer]:
        pieces, reading = await self._read(pieces, each=live)
        batch = Batch.begin(self._ledger, reading)
        frames = 0
        for piece in pieces:
            try:
                if self._is_frame(piece):
                    frames += 1
                    await self._frame(batch, piece, frames - 1)
                else:
                    await self._other(batch, piece)
            except OperationError:
                raise
            except LiaisonError as error:
                self._refuse(batch, error, piece)
            batch.changes.sequence = max(batch.changes.sequence, piece.sequence)
            await asyncio.sleep(0)  # a long batch holds up nobody else
        batch.end_alarms()
        await unbroken(self._commit(batch, brief=sum(len(each.data) for each in pieces) <= _BRIEF))
        return batch.answers

    async def _read(self, pieces: Sequence[Piece], *, each: bool) -> tuple[Sequence[Piece], Reading]:
        """The batch, with what was held back for it: frames of revoked keys come before the frame that
        stands on them.
        """
        frames = [piece for piece in pieces if self._is_frame(piece)]
        reading = Reading([piece[:2] for piece in frames], each=each)
        held, room = self._ledger.held, ANCESTORS_MAX
        if not held:
            return pieces, reading
        before: dict[Piece, list[Piece]] = {}
        for index, last in reading.cited(self._ledger.known()):
            # What is ahead of the directory has just been looked at: what stands on it waits with it.
            if held.get(last, Code.LOG_BEHIND) not in AHEAD and frames[index] not in before:
                found = await ancestors(self._store, held, last, room)
                before[frames[index]] = [Piece(each.subject, each.data, 0, each.name) for each in found]
                room -= len(found)
        if not before:
            return pieces, reading
        whole = [each for piece in pieces for each in (*before.pop(piece, ()), piece)]
        return whole, Reading([piece[:2] for piece in whole if self._is_frame(piece)], each=each)

    def _is_frame(self, piece: Piece) -> bool:
        mine = self._endpoint
        ours = {receipts_for(mine), wraps_for(mine), history_for(mine), operations_for(mine)}
        return piece.subject not in ours

    async def _commit(self, batch: Batch, *, brief: bool) -> None:
        def write(connection: apsw.Connection) -> tuple[Settlement, int | None, Rows]:
            # By the time of the commit: a digest that was made before it has not seen them.
            now = self._clock()
            outcomes = put_all(connection, [replace(record, received=now) for record, _ in batch.records])
            for outcome, (_, piece) in zip(outcomes, batch.records, strict=True):
                if isinstance(outcome, LiaisonError):
                    self._refuse(batch, outcome, piece)
            for reported, piece in batch.reports:
                try:
                    confirm(connection, reported, self._agency)
                except LiaisonError as error:
                    self._refuse(batch, error, piece)
            batch.changes.save(connection)
            batch.keeping.save(connection, batch.changes.numbers)
            claim(connection, batch.own, self._clock())
            note_asked(connection, batch.asked, self._clock())
            settlement, level = settle(connection, batch.answers, signing), self.fresh.level
            if level is None or not batch.records:
                return settlement, level, []
            known = {record.payload: record.bulletin for record, _ in batch.records}
            return settlement, level, unpublished(connection, level, known=known)

        signing = Signing(self._keys.kid, rotating=self._keys.staged is not None)
        settlement, level, rows = await self._store.transact(write, brief=brief)
        self._ledger.merge(batch.changes)
        if batch.records:
            self.fresh.offer(level, rows)
        tracing.committed(batch.records, batch.begun)
        await self._outbox.merge(settlement)
        if batch.unlocked:
            self.unlocked.set()
        if batch.asked:
            self.asked.set()

    def _refuse(self, batch: Batch, error: LiaisonError, piece: Piece) -> None:
        # What was read before and comes again is no replay by anybody.
        if error.code is Code.REPLAYED and self._came_before(batch, piece):
            return
        refused = Refused.of(error, self._clock(), piece.subject, piece.data)
        name = batch.waits.name_of(refused, wrap=piece.subject == wraps_for(self._endpoint))
        if name and batch.waits.why(name):
            if batch.waits.why(name) is Code.LOG_BEHIND and self._is_frame(piece):
                batch.still.add(piece.subject)
            return
        batch.waits.release(piece.held)  # refused for another reason than before
        log.warning("refused", code=str(error.code), subject=piece.subject)
        if name:
            batch.changes.held[name] = refused
        else:
            batch.changes.refused.append(refused)

    def _came_before(self, batch: Batch, piece: Piece) -> bool:
        # In another batch, or in this one: the hub may have set the feed back while it was on the way.
        return piece.sequence <= max(self._ledger.sequence, batch.changes.sequence)

    async def _other(self, batch: Batch, piece: Piece) -> None:
        if piece.subject == receipts_for(self._endpoint):
            answers = read(piece.data, self._endpoint, await self._hub_key())
            batch.answers += answers
            batch.keeping.receipts.append((piece.data, answers))
        elif piece.subject == history_for(self._endpoint):
            known, epochs = self._ledger.known(), batch.changes.announced()
            accept_request(piece.data, known, epochs, self._endpoint, self._clock())
            batch.asked.append(piece.data)
        elif piece.subject == operations_for(self._endpoint):
            record = read_operation(piece.data, await self._hub_key())
            if not self._came_before(batch, piece):
                operational.take(record, batch.changes.alarms, batch.changes.ended, self._clock())
        else:
            epochs = batch.changes.announced()
            announcement, key = accept_wrap(piece.data, epochs, self._keys.kems, self._endpoint)
            given(epochs[announcement].hist, due=epochs[announcement].due)  # FORMAT.md, History
            batch.changes.unlock(announcement, key)
            batch.unlocked = True
        batch.waits.release(piece.held)

    async def _hub_key(self) -> bytes:
        directory = await self._directory.until(lambda known: known.hub is not None)
        return from_base64(directory.hub.key, KEY_SIZE) if directory.hub else b""

    async def _frame(self, batch: Batch, piece: Piece, place: int) -> None:
        changes, verdict = batch.changes, await self._verdict(batch, piece, place)
        if isinstance(verdict, Refusal) and verdict.error.code is Code.FORK and verdict.frame is not None:
            batch.keeping.fork(len(changes.refused), verdict.frame)
        if verdict.chain is not None and verdict.frame is not None:
            self._move(batch, verdict, verdict.frame, verdict.chain)
        elif piece.held and batch.waits.why(piece.held) not in AHEAD:
            return  # it stays in the quarantine, where it is
        batch.release(piece.held, verdict.frame, self._clock())
        match verdict:
            case Refusal(error=error):
                raise error
            case Opened():
                batch.records.append((record_of_opened(verdict, self._endpoint, self._clock()), piece))
            case Sealed():
                made = record_of(verdict, self._keys.kems, self._endpoint, self._agency, self._clock())
                if isinstance(made, Reported):
                    batch.reports.append((made, piece))
                elif made:
                    batch.records.append((made, piece))
            case Announced():
                changes.learn(verdict.id, verdict.epoch)
                batch.keeping.announced.append(verdict.frame)
            case Carded(frame=frame):
                changes.name(frame.header.com, verdict.card)
            case Skipped() | Beat():
                miss(changes, verdict, Us(self._agency, self._endpoint), self._clock())

    def _move(self, batch: Batch, verdict: Verdict, frame: Frame, chain: Chain) -> None:
        """A chain goes on to a frame, whatever becomes of what it says."""
        suspect(batch.changes, verdict, frame, self._agency, now := self._clock())
        batch.changes.move(frame, chain, now)
        batch.keeping.tails[ChainKey.of(frame)] = frame.raw
        if frame.header.pub == self._endpoint:
            batch.own.append(frame)
        batch.release(frame.hash, frame, now)

    async def _verdict(self, batch: Batch, piece: Piece, place: int) -> Settled:
        if not piece.held and batch.waits.has(piece.data):
            raise behind()  # else its wrap, which may not come once more, would stay there alone
        waited = False
        while True:
            verdict = batch.reading.judge(self._reader(batch), place, self._clock())
            # What is ahead of the directory may hold up the feed for a moment, once in a batch: then it waits
            # by itself.
            if isinstance(verdict, LogBehind):
                if piece.held or batch.late:
                    raise behind()
                batch.late = True
                await self._directory.reach(verdict, parse_frame_subject(piece.subject).community)
                batch.late = False
            elif isinstance(verdict, Refusal) and verdict.error.code is Code.STALE_HEAD:
                if piece.held:
                    raise verdict.error  # it stays where it is, in its order
                if batch.late or waited:
                    return verdict
                waited = True
                batch.late = not await self._directory.comes(partial(self._is_free, batch, verdict.frame))
            elif batch.waits.why(stands_on(verdict, looked=not self._has_grown(self._seen))) in AHEAD:
                raise behind()
            else:
                return verdict

    def _is_free(self, batch: Batch, frame: Frame | None) -> bool:
        return frame is None or frame.header.kid not in self._reader(batch).withheld

    def _reader(self, batch: Batch) -> Reader:
        return batch.changes.reader(self._agency, self._clock())

    @property
    def _agency(self) -> str:
        return self._keys.ring.profile.id


async def _nothing() -> None:
    return
