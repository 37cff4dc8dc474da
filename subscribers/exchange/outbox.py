"""The durable outbox: the only writer of this endpoint's chains. A submission is on disk before it is sent,
and stays until the hub's signed receipt settles it.

Refused: the bulletin is parked with the refusal, and what was queued behind it in the chain is composed anew
on the last admitted head (FORMAT.md, "Chains"). Composition and its commit happen under one lock, so a chain
never branches. What is asked for while a commit is under way goes into the next one together: many bulletins,
one fsync.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, NamedTuple

import apsw
import structlog

from schemas.chain import ChainHead
from schemas.errors import LiaisonError, TrustError
from schemas.frame import HEARTBEAT
from schemas.merkle import Head
from schemas.subjects import FrameSubject, parse_frame_subject
from schemas.vocabulary import History, Precedence
from subscribers.exchange.composer import Context, Item, ManyWraps, OwnChain, OwnEpoch, beat, compose
from subscribers.exchange.holding import Holding
from subscribers.judging.own_frames import WentOn, check, go_on, go_on_from_copy
from subscribers.judging.returned import is_open
from subscribers.sealing import EpochKey
from subscribers.storage.journal import (
    ChainName,
    Settled,
    Settlement,
    Waiting,
    admitted_head,
    is_broken,
    keep,
    park,
    save_chain,
)
from subscribers.storage.ledger import Changes, Ledger
from subscribers.storage.store import Row, Store, unbroken

log = structlog.get_logger(__name__)

_TOGETHER: Final = 64
"""Items that go into one commit: the first of them waits for the last."""
_BRIEF: Final = 8
"""Up to so many are composed and written on the event loop, which holds it up for some milliseconds."""
_TAIL_MAX: Final = 1024
"""Submissions kept at hand for the sender; beyond that it reads them from the disk."""

_INSERT: Final = """INSERT INTO outgoing(id, ref, kind, community, subject, history, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_Outcomes = list[LiaisonError | None]
Make = Callable[[apsw.Connection], tuple[Item, str]]
"""Gives an item and its reference, and may write more, in its transaction; perhaps more than once."""


class _Wanted(NamedTuple):
    """An item that somebody waits to see journaled."""

    place: FrameSubject
    make: Make
    done: "asyncio.Future[None]"


@dataclass
class _Draw:
    """What one commit composes: the chains as they stand in it, and what is taken in when it is through."""

    chains: dict[ChainName, OwnChain]
    next_epoch: int
    changes: Changes
    wraps_max: int | None
    sent: list[Waiting] = field(default_factory=list)


class Outbox:
    """Composes, journals, and settles. Sending is the link's: it takes `waiting()` and listens to `ready`."""

    def __init__(self, store: Store, ledger: Ledger, context: Callable[[int], Context]) -> None:
        """`context(next_epoch)` gives what composing needs now; it is called in the writer's thread."""
        self._store = store
        self._ledger = ledger
        self._context = context
        self._chains: dict[ChainName, OwnChain] = {}
        self._next_epoch = 0
        self._compose = asyncio.Lock()
        self._broken: set[ChainName] = set()
        """Chains to be made anew: also when the disk had no room for it the last time."""
        self._wanted: list[_Wanted] = []
        self._journal: asyncio.Task[None] | None = None
        self._tail: deque[Waiting] = deque()
        self._tail_from = 0
        self.ready = asyncio.Event()
        self.resend = False
        """Set when the hub saw a gap: what is open must be sent again from its beginning."""
        self._holding = Holding()
        self.on_settled: Callable[[Settled], None] = lambda _: None
        self.wraps_here = 16  # the readers that an epoch may have which is begun on the event loop

    async def load(self) -> None:
        """Read the chains back."""
        for community, precedence, *row in await self._store.query("SELECT * FROM own_chains"):
            seq, digest, admitted_seq, admitted_hash = row
            chain = OwnChain(ChainHead(seq, digest), ChainHead(admitted_seq, admitted_hash))
            self._chains[community, precedence] = chain
        for community, precedence, hist, ep, key, size, root, readers, *rest in await self._store.query(
            "SELECT * FROM own_epochs"
        ):
            epoch = OwnEpoch(ep, EpochKey(key), Head(size, root), readers, *rest)
            chain = self._chains[community, precedence]
            self._chains[community, precedence] = replace(
                chain, epochs={**chain.epochs, History(hist): epoch}
            )
        rows = await self._store.query("SELECT value FROM counters WHERE name = 'epoch'")
        self._next_epoch = rows[0][0] if rows else 0
        last = (await self._store.query("SELECT coalesce(max(number), 0) FROM submissions"))[0][0]
        self._forget_tail(last)
        for key, chain in list(self._chains.items()):
            if await self._store.read(partial(is_broken, name=key, chain=chain)):
                await self._reseal(*key)
        self.ready.set()

    async def close(self) -> None:
        """Wait until what was asked for is journaled."""
        if self._journal:
            await asyncio.wait([self._journal])

    async def put(self, place: FrameSubject, make: Make) -> None:
        """Seal and journal one item. It is on disk when this returns."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wanted.append(_Wanted(place, make, done))
        if self._journal is None:
            self._journal = asyncio.create_task(self._keep_journal(), name="journal")
        await done

    async def waiting(self, after: int = 0, limit: int = 256) -> list[Waiting]:
        """Submissions without a receipt, in the order in which they must be sent. While the hub takes no
        more, those of flash bulletins alone, and none after a wait.
        """
        if self.held_for():
            return await self._urgent(after, limit)
        if after >= self._tail_from:
            while self._tail and self._tail[0].number <= after:
                self._tail_from = self._tail.popleft().number
            return [each for each, _ in zip(self._tail, range(limit), strict=False)]
        sql = "SELECT number, subject, raw, sha256 FROM submissions WHERE number > ? ORDER BY number LIMIT ?"
        return [Waiting(*row) for row in await self._store.query(sql, (after, limit))]

    def held_for(self) -> float:
        """Seconds for which routine frames are held back, because the hub takes no more; 0 when they go."""
        return self._holding.left(asyncio.get_running_loop().time())

    async def _urgent(self, after: int, limit: int) -> list[Waiting]:
        sql = """SELECT s.number, s.subject, s.raw, s.sha256 FROM submissions s
            JOIN outgoing o ON o.number = s.item
            WHERE s.number > ? AND o.subject LIKE 'in.%.flash.%' ORDER BY s.number LIMIT ?"""
        if rows := await self._store.query(sql, (after, limit)):
            return [Waiting(*row) for row in rows]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.held_for()):
                await self.ready.wait()
        self.resend |= not self.held_for()
        self.ready.set()  # look again: for what is new, or from the beginning
        return []

    async def size(self) -> int:
        """How many items wait for the hub; heartbeats are none."""
        sql = "SELECT count(*) FROM outgoing WHERE state = 'queued' AND kind != ?"
        return int((await self._store.query(sql, (HEARTBEAT,)))[0][0])

    async def oldest(self) -> int | None:
        """The number of the submission that has waited longest for its receipt."""
        number: int | None = (await self._store.query("SELECT min(number) FROM submissions"))[0][0]
        return number

    def begun(self) -> list[ChainName]:
        """Our chains that have frames which the hub has admitted."""
        return [name for name, chain in self._chains.items() if chain.admitted.seq >= 0]

    def chain(self, community: str, precedence: str) -> OwnChain:
        """One of our chains as it stands now."""
        return self._chains.get((community, precedence), OwnChain())

    async def state_of(self, item: str) -> tuple[str, str | None]:
        """`queued`, `admitted` or `refused`, with the code of a refusal."""
        rows = await self._store.query("SELECT state, code FROM outgoing WHERE id = ?", (item,))
        return rows[0] if rows else ("admitted", None)

    async def merge(self, settlement: Settlement) -> None:
        """Take in a committed settlement: tell who waits, and compose anew what stood behind a refusal."""
        for key, head in settlement.admitted.items():
            self._chains[key] = replace(self._chains.get(key, OwnChain()), admitted=head)
        for each in settlement.settled:
            self.on_settled(each)
        self._broken |= settlement.reseal
        await self.mend()
        if settlement.held:
            self._holding.refused(asyncio.get_running_loop().time())
            log.warning("the hub takes no more for now", seconds=round(self.held_for(), 1))
            self.ready.set()
        if settlement.resend:
            self.resend = True
            self.ready.set()

    async def renew(self) -> None:
        """Compose anew everything that the hub has not admitted: our signing key has changed."""
        sql = """SELECT DISTINCT o.subject FROM submissions s JOIN outgoing o ON o.number = s.item
            WHERE s.seq IS NOT NULL"""
        for (subject,) in await self._store.query(sql):
            place = parse_frame_subject(subject)
            self._broken.add((place.community, str(place.precedence)))
        await self.mend()

    async def mend(self) -> None:
        """Make anew what is to be, also what could not be before."""
        while self._broken:
            name = self._broken.pop()
            try:
                await self._reseal(*name)
            except BaseException:
                self._broken.add(name)
                raise

    async def go_on(self, alarm: int, publisher: str, now: int) -> None:
        """The operator has seen to an alarm: where it was about frames that are not ours, we may set our own
        on them.
        """
        await unbroken(self._follow(partial(go_on, number=alarm, publisher=publisher, now=now)))

    async def come_back(self, publisher: str, now: int) -> bool:
        """A node restored from a copy has read what came after it: its chains go on behind that, and what
        waits is made again there. Whether it was one.
        """
        return await unbroken(
            self._follow(partial(go_on_from_copy, publisher=publisher, now=now), *self._chains)
        )

    async def begin_anew(self) -> None:
        """Make again all that waits, and begin new epochs: the hub may have lost the old ones."""
        await self.merge(Settlement(reseal=set(self._chains)))

    async def _follow(self, decide: Callable[[apsw.Connection], WentOn | None], *again: ChainName) -> bool:
        """Go on from where the hub stands, if that is decided; whether it is."""
        async with self._compose:  # what is composed meanwhile would begin where we stood before
            went_on = await self._store.transact(decide)
            if went_on is None:
                return False
            self._next_epoch = max(self._next_epoch, went_on.next_epoch)
            self._chains.update({name: OwnChain(head, head) for name, head in went_on.heads.items()})
        await self.merge(Settlement(reseal={*again, *went_on.heads}))
        return True

    async def _keep_journal(self) -> None:
        try:
            while self._wanted:
                async with self._compose:
                    together, self._wanted = self._wanted[:_TOGETHER], self._wanted[_TOGETHER:]
                    await self._journal_all(together)
        finally:
            self._journal = None

    async def _journal_all(self, wanted: Sequence[_Wanted]) -> None:
        try:
            try:
                draw, outcomes = await self._journaled(wanted, brief=len(wanted) <= _BRIEF)
            except ManyWraps:
                draw, outcomes = await self._journaled(wanted, brief=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised to everybody who waits
            for each in wanted:
                _tell(each.done, error)
            return
        self._take(draw)
        for each, outcome in zip(wanted, outcomes, strict=True):
            _tell(each.done, outcome)

    async def _journaled(self, wanted: Sequence[_Wanted], *, brief: bool) -> tuple[_Draw, _Outcomes]:
        draw = self._draw(self.wraps_here if brief else None)

        def write(connection: apsw.Connection) -> _Outcomes:
            return [self._write(connection, draw, each) for each in wanted]

        return draw, await self._store.transact(write, brief=brief)

    def _write(self, connection: apsw.Connection, draw: _Draw, wanted: _Wanted) -> LiaisonError | None:
        place = wanted.place
        try:
            with connection:  # a savepoint: one that is refused leaves nothing behind
                item, ref = wanted.make(connection)
                where = (place.community, place.intake())
                row = (item.id, ref, item.kind, *where, str(item.history), item.payload)
                connection.execute(_INSERT, row)
                self._compose_one(connection, draw, connection.last_insert_rowid(), item, place)
        except LiaisonError as error:
            return error
        return None

    async def _reseal(self, community: str, precedence: str) -> None:
        name = (community, precedence)
        async with self._compose:
            if await self._store.read(is_open):
                return  # a restored node first reads what it said after the copy; then all is made again
            draw = self._draw()
            parked: list[Settled] = []

            def write(connection: apsw.Connection) -> None:
                sql = "DELETE FROM own_epochs WHERE community = ? AND precedence = ?"
                connection.execute(sql, name)
                # From the disk: an answer that is committed may not have been taken in here yet.
                admitted = admitted_head(connection, name)
                draw.chains[name] = OwnChain(admitted, admitted)
                save_chain(connection, name, draw.chains[name])
                items: list[Row] = connection.execute(
                    "SELECT number, kind, id, payload, history, subject FROM outgoing "
                    "WHERE state = 'queued' AND community = ? ORDER BY number",
                    (community,),
                ).fetchall()
                for number, kind, item_id, payload, history, subject in items:
                    place = parse_frame_subject(subject)
                    if str(place.precedence) == precedence:
                        connection.execute("DELETE FROM submissions WHERE item = ?", (number,))
                        if kind == HEARTBEAT:  # another is made when it is due
                            connection.execute("DELETE FROM outgoing WHERE number = ?", (number,))
                            continue
                        item = Item(kind, item_id, payload, History(history))
                        try:
                            with connection:
                                self._compose_one(connection, draw, number, item, place)
                        except TrustError as error:  # what it needs cannot be begun now, or not by us alone
                            parked.append(park(connection, number, item_id, error.code))

            await self._store.transact(write)
            self._forget_tail(max([self._tail_from, *(each.number for each in (*self._tail, *draw.sent))]))
            draw.sent.clear()  # numbers before these have gone: the sender reads the disk
            self._take(draw)
            for each in parked:
                self.on_settled(each)

    def _draw(self, wraps_max: int | None = None) -> _Draw:
        return _Draw(dict(self._chains), self._next_epoch, self._ledger.changes(), wraps_max)

    def _compose_one(
        self, connection: apsw.Connection, draw: _Draw, number: int, item: Item, place: FrameSubject
    ) -> None:
        """Compose and journal one item in the writer's thread; `draw` changes when all of it is written.
        TrustError `stolen_key` or `stale_head`.
        """
        check(connection)
        name = (place.community, str(place.precedence))
        context = replace(self._context(draw.next_epoch), wraps_max=draw.wraps_max)
        chain = draw.chains.get(name, OwnChain())
        if item.kind == HEARTBEAT:
            composed = beat(item.id, place, chain, self.chain(*_other(name)).admitted, context)
        else:
            composed = compose(item, place, chain, context)
        sent = keep(connection, number, composed)
        save_chain(connection, name, composed.chain)
        if composed.announced:
            connection.execute("INSERT OR REPLACE INTO counters VALUES ('epoch', ?)", (draw.next_epoch + 1,))
            changes = self._ledger.changes()
            changes.learn(*composed.announced)
            changes.save(connection)
            draw.changes.learn(*composed.announced)
            draw.next_epoch += 1
        draw.chains[name] = composed.chain
        draw.sent += sent

    def _take(self, draw: _Draw) -> None:
        """Take in what was committed. `admitted` belongs to `merge`, which may have moved it meanwhile."""
        for name, chain in draw.chains.items():
            known = self._chains.get(name, chain)
            self._chains[name] = replace(chain, admitted=known.admitted)
        self._next_epoch = draw.next_epoch
        self._ledger.merge(draw.changes)
        self._tail.extend(draw.sent)
        if len(self._tail) > _TAIL_MAX:
            self._forget_tail(self._tail[-1].number)
        self.ready.set()

    def _forget_tail(self, last: int) -> None:
        """Have everything up to `last` read from the disk."""
        self._tail.clear()
        self._tail_from = last


def _other(name: ChainName) -> ChainName:
    return name[0], next(str(each) for each in Precedence if str(each) != name[1])


def _tell(done: "asyncio.Future[None]", error: Exception | None) -> None:
    if done.done():
        return  # who asked was cancelled
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
