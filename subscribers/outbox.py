"""The durable outbox: the only writer of this endpoint's chains. A submission is on disk before it is sent,
and stays until the hub's signed receipt settles it.

Refused: the bulletin is parked with the refusal, and what was queued behind it in the chain is composed anew
on the last admitted head (FORMAT.md, "Chains"). Composition and its commit happen under one lock, so a chain
never branches.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from schemas.chain import ChainHead
from schemas.errors import Code
from schemas.merkle import Head
from schemas.receipts import ADMITTED, Answer
from schemas.subjects import FrameSubject, parse_frame_subject
from schemas.vocabulary import History
from subscribers.composer import Composed, Context, Item, OwnChain, OwnEpoch, compose, needs_epoch
from subscribers.ledger import Ledger
from subscribers.sealing import EpochKey
from subscribers.store import Store, Tx

MIGRATIONS: Final = (
    """
    CREATE TABLE outgoing(
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ref TEXT NOT NULL, kind TEXT NOT NULL,
        community TEXT NOT NULL, subject TEXT NOT NULL, history TEXT NOT NULL, payload BLOB,
        state TEXT NOT NULL DEFAULT 'queued', code TEXT
    ) STRICT;
    CREATE INDEX outgoing_queued ON outgoing(number) WHERE state = 'queued';
    CREATE TABLE submissions(
        number INTEGER PRIMARY KEY AUTOINCREMENT, item INTEGER NOT NULL REFERENCES outgoing(number),
        kind TEXT NOT NULL, subject TEXT NOT NULL, seq INTEGER, sha256 TEXT NOT NULL, raw BLOB NOT NULL
    ) STRICT;
    CREATE INDEX submissions_by_hash ON submissions(sha256);
    CREATE INDEX submissions_by_item ON submissions(item);
    CREATE TABLE own_chains(
        community TEXT, precedence TEXT, seq INTEGER NOT NULL, hash TEXT NOT NULL,
        admitted_seq INTEGER NOT NULL, admitted_hash TEXT NOT NULL, PRIMARY KEY (community, precedence)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE own_epochs(
        community TEXT, precedence TEXT, hist TEXT, ep INTEGER NOT NULL, key BLOB NOT NULL,
        mem_size INTEGER NOT NULL, mem_root BLOB NOT NULL, readers BLOB NOT NULL, kid TEXT NOT NULL,
        since INTEGER NOT NULL, uses INTEGER NOT NULL, PRIMARY KEY (community, precedence, hist)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """,
)
_NEW_ITEM: Final = """INSERT INTO outgoing(id, ref, kind, community, subject, history, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number"""
_FIND_SUBMISSION: Final = """SELECT s.number, s.item, s.seq, s.subject, o.id
    FROM submissions s JOIN outgoing o ON o.number = s.item WHERE s.sha256 = ?"""
_QUEUED_ITEMS: Final = """SELECT number, kind, id, payload, history, subject
    FROM outgoing WHERE state = 'queued' AND community = ? ORDER BY number"""
_ADMIT_HEAD: Final = """UPDATE own_chains SET admitted_seq = ?, admitted_hash = ?
    WHERE community = ? AND precedence = ?"""
_SAVE_HEAD: Final = """INSERT INTO own_chains VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash"""
_RETRY: Final = frozenset({Code.GAP, Code.FORK})
"""Refusals that follow from an earlier loss on the way to the hub: the chain is sent again, nothing is
parked.
"""
_INLINE_READERS: Final = 8


class Waiting(NamedTuple):
    """A submission that has no receipt yet."""

    number: int
    subject: str
    raw: bytes
    sha256: str


class Settled(NamedTuple):
    """What became of an item: `code` is `admitted` or the hub's refusal."""

    id: str
    code: str


@dataclass
class Settlement:
    """What one batch of receipts changes; `Outbox.merge` takes it in after the commit."""

    admitted: dict[tuple[str, str], ChainHead] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    reseal: set[tuple[str, str]] = field(default_factory=set)
    resend: bool = False


class Outbox:
    """Composes, journals, and settles. Sending is the link's: it takes `waiting()` and listens to `ready`."""

    def __init__(self, store: Store, ledger: Ledger, context: Callable[[int], Context]) -> None:
        """`context(next_epoch)` gives what composing needs now."""
        self._store = store
        self._ledger = ledger
        self._context = context
        self._chains: dict[tuple[str, str], OwnChain] = {}
        self._next_epoch = 0
        self._compose = asyncio.Lock()
        self.ready = asyncio.Event()
        self.resend = False
        """Set when the hub saw a gap: what is open must be sent again from its beginning."""
        self.on_settled: Callable[[Settled], None] = lambda _: None

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
        for key, chain in list(self._chains.items()):
            if await self._is_broken(key, chain):
                await self._reseal(*key)
        self.ready.set()

    async def put(self, place: FrameSubject, make: Callable[[Tx], Awaitable[tuple[Item, str]]]) -> None:
        """Seal and journal one item. It is on disk when this returns. `make(tx)` gives the item and its
        reference, and may write more into the same transaction.
        """
        async with self._compose, self._store.write() as tx:
            item, ref = await make(tx)
            inserted = await tx.execute(
                _NEW_ITEM,
                (item.id, ref, item.kind, place.community, place.intake(), str(item.history), item.payload),
            )
            composed = await self._composed(tx, inserted[0][0], item, place, self._chain(place))
        self._take(place, composed)

    async def waiting(self, after: int = 0, limit: int = 256) -> list[Waiting]:
        """Submissions without a receipt, in the order in which they must be sent."""
        sql = "SELECT number, subject, raw, sha256 FROM submissions WHERE number > ? ORDER BY number LIMIT ?"
        return [Waiting(*row) for row in await self._store.query(sql, (after, limit))]

    async def size(self) -> int:
        """How many items wait for the hub."""
        return int((await self._store.query("SELECT count(*) FROM outgoing WHERE state = 'queued'"))[0][0])

    async def state_of(self, item: str) -> tuple[str, str | None]:
        """`queued`, `admitted` or `refused`, with the code of a refusal."""
        rows = await self._store.query("SELECT state, code FROM outgoing WHERE id = ?", (item,))
        return rows[0] if rows else ("admitted", None)

    async def settle(self, tx: Tx, answers: Sequence[Answer]) -> Settlement:
        """Close what the hub has answered, inside the caller's transaction. Answers to what is not ours or
        closed are ignored.
        """
        settlement = Settlement()
        for answer in answers:
            rows = await tx.execute(
                _FIND_SUBMISSION,
                (answer.sha256,),
            )
            if rows and answer.code == ADMITTED:
                await self._admit(tx, settlement, answer, rows[0])
            elif rows and answer.code in _RETRY:
                settlement.resend = True
            elif rows:
                await self._park(tx, settlement, answer, rows[0])
        return settlement

    async def merge(self, settlement: Settlement) -> None:
        """Take in a committed settlement: tell who waits, and compose anew what stood behind a refusal."""
        for key, head in settlement.admitted.items():
            self._chains[key] = replace(self._chains[key], admitted=head)
        for each in settlement.settled:
            self.on_settled(each)
        for key in settlement.reseal:
            await self._reseal(*key)
        if settlement.resend:
            self.resend = True
            self.ready.set()

    async def _admit(
        self, tx: Tx, settlement: Settlement, answer: Answer, row: tuple[int, int, int | None, str, str]
    ) -> None:
        number, item, seq, subject, item_id = row
        await tx.execute("DELETE FROM submissions WHERE number = ?", (number,))
        if seq is not None:
            place = parse_frame_subject(subject)
            key = (place.community, str(place.precedence))
            settlement.admitted[key] = ChainHead(seq, answer.sha256)
            await tx.execute(
                _ADMIT_HEAD,
                (seq, answer.sha256, *key),
            )
        if not await tx.execute("SELECT 1 FROM submissions WHERE item = ? LIMIT 1", (item,)):
            await tx.execute(
                "UPDATE outgoing SET state = 'admitted', payload = NULL WHERE number = ?", (item,)
            )
            settlement.settled.append(Settled(item_id, ADMITTED))

    async def _park(
        self, tx: Tx, settlement: Settlement, answer: Answer, row: tuple[int, int, int | None, str, str]
    ) -> None:
        _, item, _, _, item_id = row
        await tx.execute(
            "UPDATE outgoing SET state = 'refused', code = ? WHERE number = ?", (answer.code, item)
        )
        await tx.execute("DELETE FROM submissions WHERE item = ?", (item,))
        place = parse_frame_subject(
            (await tx.execute("SELECT subject FROM outgoing WHERE number = ?", (item,)))[0][0]
        )
        settlement.settled.append(Settled(item_id, answer.code))
        settlement.reseal.add((place.community, str(place.precedence)))

    async def _is_broken(self, key: tuple[str, str], chain: OwnChain) -> bool:
        # The process ended between parking a refused frame and composing anew what stood behind it.
        sql = """SELECT min(s.seq) FROM submissions s JOIN outgoing o ON o.number = s.item
            WHERE s.seq IS NOT NULL AND o.community = ? AND o.subject LIKE ?"""
        first = (await self._store.query(sql, (key[0], f"in.%.{key[1]}.%")))[0][0]
        return chain.head != chain.admitted if first is None else first != chain.admitted.seq + 1

    async def _reseal(self, community: str, precedence: str) -> None:
        async with self._compose, self._store.write() as tx:
            old = self._chains[community, precedence]
            chain = OwnChain(old.admitted, old.admitted)
            await tx.execute(
                "DELETE FROM own_epochs WHERE community = ? AND precedence = ?", (community, precedence)
            )
            items = await tx.execute(
                _QUEUED_ITEMS,
                (community,),
            )
            composed = Composed([], chain, None)
            results: list[tuple[FrameSubject, Composed]] = []
            for number, kind, item_id, payload, history, subject in items:
                place = parse_frame_subject(subject)
                if str(place.precedence) == precedence:
                    await tx.execute("DELETE FROM submissions WHERE item = ?", (number,))
                    composed = await self._composed(
                        tx, number, Item(kind, item_id, payload, History(history)), place, composed.chain
                    )
                    results.append((place, composed))
            if not results:
                await self._save_chain(tx, community, precedence, chain)
        self._chains[community, precedence] = chain
        for place, each in results:
            self._take(place, each)

    async def _composed(
        self, tx: Tx, number: int, item: Item, place: FrameSubject, chain: OwnChain
    ) -> Composed:
        context = self._context(self._next_epoch)
        if (
            needs_epoch(chain, place, item.history, context)
            and len(context.directory.endpoints) > _INLINE_READERS
        ):
            composed = await asyncio.to_thread(compose, item, place, chain, context)
        else:
            composed = compose(item, place, chain, context)
        await tx.executemany(
            "INSERT INTO submissions(item, kind, subject, seq, sha256, raw) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (number, each.kind, each.subject, each.seq, each.sha256, each.raw)
                for each in composed.submissions
            ],
        )
        await self._save_chain(tx, place.community, str(place.precedence), composed.chain)
        if composed.announced:
            self._next_epoch += 1
            await tx.execute("INSERT OR REPLACE INTO counters VALUES ('epoch', ?)", (self._next_epoch,))
            changes = self._ledger.changes()
            changes.learn(*composed.announced)
            await changes.save(tx)
        return composed

    async def _save_chain(self, tx: Tx, community: str, precedence: str, chain: OwnChain) -> None:
        # `admitted` belongs to settle(): a receipt may have been committed that this chain's image has not
        # taken in yet.
        await tx.execute(
            _SAVE_HEAD,
            (community, precedence, *chain.head, *chain.admitted),
        )
        rows = [
            (
                community,
                precedence,
                str(hist),
                each.ep,
                bytes(each.key),
                each.mem.size,
                each.mem.root,
                each.readers,
                each.kid,
                each.since,
                each.uses,
            )
            for hist, each in chain.epochs.items()
        ]
        await tx.executemany(
            "INSERT OR REPLACE INTO own_epochs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )

    def _take(self, place: FrameSubject, composed: Composed) -> None:
        self._chains[place.community, str(place.precedence)] = composed.chain
        if composed.announced:
            changes = self._ledger.changes()
            changes.learn(*composed.announced)
            self._ledger.merge(changes)
        self.ready.set()

    def _chain(self, place: FrameSubject) -> OwnChain:
        return self._chains.get((place.community, str(place.precedence)), OwnChain())
