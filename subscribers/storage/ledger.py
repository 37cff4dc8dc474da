"""What the node knows besides bulletins: the directory, chain heads, epoch keys, cards, and what it refused.

The tables live in the same file as the archive, so a bulletin and the state that it changes commit together.
`Ledger` is the memory image, changed only after a commit; `Changes` collects what one transaction will add
and answers reads meanwhile.
"""

import asyncio
from collections import ChainMap
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

import apsw

from schemas.card import Card, parse_card
from schemas.chain import ChainHead, ChainKey
from schemas.directory import Directory
from schemas.errors import Code, LiaisonError
from schemas.frame import Frame
from schemas.pulse import Pulse
from schemas.subjects import TRAFFIC, is_community
from subscribers.directory import notices
from subscribers.directory.heads import until
from subscribers.directory.vouched import Vouched
from subscribers.judging import held, refused, replaced
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName, alarm_of, end_alarms, raise_alarms
from subscribers.judging.refused import Refused
from subscribers.judging.trust import Chain, Epoch, EpochId, Reader
from subscribers.sealing import EpochKey
from subscribers.storage.store import Row, Store

MIGRATIONS: Final = (
    """
    CREATE TABLE directory(
        number INTEGER PRIMARY KEY, membership INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE chains(
        publisher TEXT, community TEXT, precedence TEXT, seq INTEGER NOT NULL, hash TEXT NOT NULL,
        since INTEGER NOT NULL, PRIMARY KEY (publisher, community, precedence)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE epochs(
        publisher TEXT, community TEXT, ep INTEGER, precedence TEXT NOT NULL, announcement BLOB NOT NULL,
        kc BLOB NOT NULL, hist TEXT NOT NULL, due INTEGER NOT NULL, key BLOB,
        PRIMARY KEY (publisher, community, ep)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE cards(community TEXT PRIMARY KEY, card BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE feeds(stream TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE quarantine(
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
        subject TEXT NOT NULL, data BLOB NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE pulses(
        publisher TEXT, community TEXT, precedence TEXT, content INTEGER NOT NULL, last INTEGER NOT NULL,
        seen INTEGER NOT NULL, PRIMARY KEY (publisher, community, precedence)
    ) STRICT, WITHOUT ROWID;
    """,
)
_QUARANTINE_MAX: Final = 10_000


@dataclass
class Changes:
    """What one transaction adds. Reads see it over the ledger; `Ledger.merge` takes it in after that."""

    base: "Ledger"
    chains: dict[ChainKey, Chain] = field(default_factory=dict)
    pulses: dict[ChainKey, tuple[Pulse, int]] = field(default_factory=dict)
    epochs: dict[EpochId, Epoch] = field(default_factory=dict)
    announcements: dict[bytes, EpochId] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    sealed: dict[str, Card] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Where those stand in the quarantine, once they are saved."""
    alarms: list[Alarm] = field(default_factory=list)
    """Besides those that the refusals raise by themselves."""
    ended: list[tuple[AlarmKey, int]] = field(default_factory=list)
    """Alarms whose cause is over, and when (Unix milliseconds)."""
    held: dict[str, Refused] = field(default_factory=dict)
    """Refused frames that may count yet, and wraps of theirs (`subscribers.judging.held`)."""
    released: list[str] = field(default_factory=list)
    """What was held, and is so no longer."""
    sequence: int = 0
    """The stream sequence of the last message of the traffic feed in this transaction."""

    def reader(self, agency: str, now: int) -> Reader:
        """What the trust rules look things up in: this transaction over what was there."""
        chains = ChainMap(self.chains, self.base.chains)
        return Reader(
            self.base.known(),
            agency,
            chains,
            ChainMap(self.epochs, self.base.epochs),
            self.base.vouched.withheld(self.base.known(), now),
            self.base.past,
        )

    def pulse(self, key: ChainKey) -> Pulse | None:
        """When a chain last moved; None while it has not."""
        known = self.pulses.get(key) or self.base.pulses.get(key)
        return known and known[0]

    def move(self, frame: Frame, chain: Chain, now: int) -> None:
        """A chain goes on to this frame, which came at `now`."""
        self.chains[ChainKey.of(frame)] = chain
        self.glimpse(frame, now)

    def glimpse(self, frame: Frame, now: int) -> None:
        """A frame of a chain that we have no anchor in came at `now`: it is there, and is not silent."""
        key = ChainKey.of(frame)
        self.pulses[key] = (Pulse.of(frame.header, self.pulse(key)), now)

    def heard(self) -> Container[ChainKey]:
        """The chains of which frames have come."""
        return ChainMap(self.pulses, self.base.pulses)

    def announced(self) -> Mapping[bytes, Epoch]:
        """Epochs by the hash of their announcement."""
        return _Announced(self)

    def learn(self, key: EpochId, epoch: Epoch) -> None:
        """Add an announced epoch, or the key of one. A key that is held is never forgotten for an
        announcement without one.
        """
        known = self.epochs.get(key) or self.base.epochs.get(key)
        if known and known.announcement == epoch.announcement and epoch.key is None:
            epoch = epoch._replace(key=known.key)
        self.epochs[key] = epoch
        self.announcements[epoch.announcement] = key

    def name(self, community: str, card: Card) -> None:
        """Take in a community's card. A short name that another community has, or that is written like a
        community's id, is told apart by the beginning of the id, or by all of it: founders choose both, and
        no name may stand for two communities.
        """
        self.sealed[community] = card
        held = ChainMap(self.cards, self.base.cards).items()
        taken = {each.slug for other, each in held if other != community}
        apart = f"{card.slug[:31].rstrip('-')}-{community[:8]}"
        if card.slug != community and (is_community(card.slug) or card.slug in taken):
            card = card.model_copy(update={"slug": community if apart in taken else apart})
        self.cards[community] = card

    def unlock(self, announcement: bytes, secret: EpochKey) -> None:
        """Add the key that came in a wrap."""
        key = self.announcements.get(announcement) or self.base.announcements[announcement]
        self.learn(key, (self.epochs.get(key) or self.base.epochs[key])._replace(key=secret))

    def save(self, connection: apsw.Connection) -> None:
        """Write everything into the transaction that is open on `connection`."""
        chains = [(*key, *chain.head, chain.since) for key, chain in self.chains.items()]
        connection.executemany("INSERT OR REPLACE INTO chains VALUES (?, ?, ?, ?, ?, ?)", chains)
        pulses = [(*key, *pulse, seen) for key, (pulse, seen) in self.pulses.items()]
        connection.executemany("INSERT OR REPLACE INTO pulses VALUES (?, ?, ?, ?, ?, ?)", pulses)
        epochs = [_epoch_row(key, epoch) for key, epoch in self.epochs.items()]
        connection.executemany("INSERT OR REPLACE INTO epochs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", epochs)
        communities = self.base.directory.communities if self.base.directory else {}
        for com, card in self.cards.items():
            connection.execute(
                "INSERT OR REPLACE INTO cards VALUES (?, ?)", (com, self.sealed[com].to_bytes())
            )
            realm = str(communities[com].community.realm)
            connection.execute(
                "INSERT OR REPLACE INTO communities VALUES (?, ?, ?, ?)", (com, card.slug, card.title, realm)
            )
        if self.sequence > self.base.sequence:
            connection.execute("INSERT OR REPLACE INTO feeds VALUES (?, ?)", (TRAFFIC, self.sequence))
        self.numbers = [refused.keep(connection, each) for each in self.refused]
        numbers = [(each, refused.keep(connection, one)) for each, one in self.held.items()]
        held.save(connection, numbers, self.released)
        self._save_alarms(connection)
        if self.refused or numbers:
            held.prune(connection, _QUARANTINE_MAX)

    def _save_alarms(self, connection: apsw.Connection) -> None:
        raised = (
            alarm_of(each.code, each.at, each.subject, each.message, each.data)
            for each in (*self.refused, *self.held.values())
        )
        raise_alarms(connection, [*self.alarms, *(each for each in raised if each)])
        for key, at in self.ended:
            end_alarms(connection, [key], at)


class Ledger:
    """The memory image of the ledger's tables."""

    def __init__(self, store: Store, agency: str = "") -> None:
        self.store = store
        self.agency = agency
        """Whose node this is: changes that concern it become notices."""
        self.grown = asyncio.Event()
        """Set whenever a document or entry has been taken in."""
        self.directory: Directory | None = None
        self.chains: dict[ChainKey, Chain] = {}
        self.pulses: dict[ChainKey, tuple[Pulse, int]] = {}
        """When each chain last moved: by its own times, and when that came here (Unix milliseconds)."""
        self.epochs: dict[EpochId, Epoch] = {}
        self.announcements: dict[bytes, EpochId] = {}
        self.cards: dict[str, Card] = {}
        """Communities' cards under the short names that they have at this node."""
        self.sealed: dict[str, Card] = {}
        """The same cards as their owners sealed them."""
        self.held: dict[str, Code] = {}
        """What waits in the quarantine (`subscribers.judging.held`), oldest first, and why."""
        self.vouched = Vouched()
        self.past: dict[ChainKey, ChainHead] = {}
        """How far chains were read for history that the live feed has not brought yet."""
        self.sequence = 0
        """How far the traffic feed was read: what comes at or before this has been here."""
        self.alarmed = asyncio.Event()
        """Set whenever an alarm may have been raised."""
        self.ready: dict[str, int] = {}
        """From when on (Unix ms) each replacement of an identity has had its time, by the new key."""
        self._entries: set[bytes] = set()

    @classmethod
    async def load(cls, store: Store, agency: str = "") -> Self:
        """Everything that was committed. The directory is verified again from its first document."""
        ledger = cls(store, agency)
        for membership, data in await store.query("SELECT membership, data FROM directory ORDER BY number"):
            ledger._grow(data, membership=bool(membership))
        await ledger.vouched.load(store)
        ledger.ready = await replaced.load(store)
        for publisher, community, precedence, seq, digest, since in await store.query("SELECT * FROM chains"):
            ledger.chains[ChainKey(publisher, community, precedence)] = Chain(ChainHead(seq, digest), since)
        for publisher, community, precedence, *times, seen in await store.query("SELECT * FROM pulses"):
            ledger.pulses[ChainKey(publisher, community, precedence)] = (Pulse(*times), seen)
        for (sequence,) in await store.query("SELECT sequence FROM feeds WHERE stream = ?", (TRAFFIC,)):
            ledger.sequence = sequence
        ledger.held = await held.load(store)
        for row in await store.query("SELECT * FROM epochs"):
            ledger._learn(*_epoch_of(row))
        sql = "SELECT id, slug, card FROM communities JOIN cards ON community = id"
        for community, slug, card in await store.query(sql):
            ledger.sealed[community] = parse_card(card)
            ledger.cards[community] = ledger.sealed[community].model_copy(update={"slug": slug})
        for community, card in await store.query("SELECT community, card FROM founded"):
            ledger.call(community, parse_card(card))
        return ledger

    def known(self) -> Directory:
        """The directory; LiaisonError `not_enrolled` while there is none."""
        if self.directory is None:
            raise LiaisonError(
                Code.NOT_ENROLLED, "this agency is not enrolled yet", "run `liaison-agency enrol`"
            )
        return self.directory

    def is_new(self, data: bytes) -> bool:
        """Whether this membership entry has not been applied: replays of the log are no news."""
        return sha256(data).digest() not in self._entries

    def preview(self, data: bytes, *, membership: bool) -> Directory:
        """The directory with one more document or entry. Raises as the directory does; changes nothing."""
        if self.directory is None:
            return Directory.pinned(data)
        return self.directory.apply_membership(data) if membership else self.directory.apply(data)

    def call(self, community: str, card: Card) -> None:
        """What this agency calls a community that it has founded, until its card comes back sealed."""
        self.cards.setdefault(community, card)
        self.sealed.setdefault(community, card)

    async def append(self, data: bytes, *, membership: bool, now: int = 0) -> None:
        """Check, write and take in one document or membership entry, with the notices that it makes; `now`
        in Unix milliseconds.
        """
        before = self.directory.agencies.values() if self.directory else ()
        after = self.preview(data, membership=membership)
        told = notices.derive(self.directory, after, data, self.agency, membership=membership)
        due = notices.due(self.directory, after, data, self.agency, membership=membership)
        seen = self._judged(after, data, now, membership=membership)
        async with self.store.write() as tx:
            await tx.execute("INSERT INTO directory(membership, data) VALUES (?, ?)", (int(membership), data))
            names = [(agency.id, agency.name) for agency in after.agencies.values() if agency not in before]
            await tx.executemany("INSERT OR REPLACE INTO agencies VALUES (?, ?)", names)
            await tx.run(lambda connection: notices.write(connection, told, due, now))
            await tx.run(lambda connection: seen.save(connection, now))
        self._grow(data, membership=membership)
        if seen.ready:
            self.ready.update([seen.ready])
        self.grown.set()
        if seen.alarms:
            self.alarmed.set()

    def fresh_until(self) -> int:
        """Unix ms from which the directory's head is stale: no key is taken up."""
        return until(self.known(), self.vouched.kept)

    def sealing_until(self) -> int:
        """Unix ms from which no epoch begins and no key is passed on."""
        return self.vouched.sealing_until(self.known())

    async def take_head(self, data: bytes, now: int) -> bool:
        """Check and keep a head of the directory; whether it is news. FormatError or TrustError."""
        return await self.vouched.take(self.store, self.known(), data, now)

    def changes(self) -> Changes:
        """An empty set of changes over this state."""
        return Changes(self)

    def merge(self, changes: Changes) -> None:
        """Take in what has just been committed."""
        self.alarmed.set()
        self.chains.update(changes.chains)
        self.pulses.update(changes.pulses)
        self.sequence = max(self.sequence, changes.sequence)
        self.cards.update(changes.cards)
        self.sealed.update(changes.sealed)
        self._hold(changes)
        for key, epoch in changes.epochs.items():
            self._learn(key, epoch)

    def forget_keys(self, epochs: Iterable[Row]) -> None:
        """Take in that the keys of these epochs (publisher, community, number) have been deleted."""
        for row in epochs:
            key = EpochId(*row)
            self.epochs[key] = self.epochs[key]._replace(key=None)

    async def refuse(self, these: Iterable[Refused]) -> None:
        """Keep refusals that belong to no other transaction."""
        await self.store.transact(Changes(self, refused=list(these)).save)
        self.alarmed.set()

    async def alarm(self, alarms: Iterable[Alarm], ended: Iterable[tuple[AlarmKey, int]] = ()) -> None:
        """Raise and end alarms that belong to no other transaction."""
        await self.store.transact(Changes(self, alarms=list(alarms), ended=list(ended)).save)
        self.alarmed.set()

    async def standing(self, name: AlarmName) -> set[AlarmKey]:
        """For what alarms of this name have been raised and not ended."""
        sql = "SELECT community, publisher FROM alarms WHERE name = ? AND ended IS NULL"
        return {AlarmKey(name, *row) for row in await self.store.query(sql, (name,))}

    async def quarantined(self) -> int:
        """How many refusals are kept."""
        return await refused.count(self.store)

    async def quarantine(self, limit: int) -> list[Refused]:
        """What was refused, newest first."""
        return await refused.latest(self.store, limit)

    def _judged(self, after: Directory, data: bytes, now: int, *, membership: bool) -> replaced.Seen:
        if membership:
            return replaced.NOTHING
        history = self.vouched.kept is None
        return replaced.judge(self.directory, after, data, self.agency, now, self.ready, history=history)

    def _grow(self, data: bytes, *, membership: bool) -> None:
        before, self.directory = self.directory, self.preview(data, membership=membership)
        if membership:
            self._entries.add(sha256(data).digest())
        else:
            self.vouched.grown(before, self.directory, data)

    def _hold(self, changes: Changes) -> None:
        for each in changes.released:
            self.held.pop(each, None)
        self.held |= {name: each.code for name, each in changes.held.items()}
        for each in list(self.held)[: max(0, len(self.held) - _QUARANTINE_MAX)]:
            del self.held[each]

    def _learn(self, key: EpochId, epoch: Epoch) -> None:
        self.epochs[key] = epoch
        self.announcements[epoch.announcement] = key


class _Announced(Mapping[bytes, Epoch]):
    """The announced epochs of a transaction over those of the ledger, by announcement."""

    def __init__(self, changes: Changes) -> None:
        self._ids = ChainMap(changes.announcements, changes.base.announcements)
        self._epochs = ChainMap(changes.epochs, changes.base.epochs)

    def __getitem__(self, announcement: bytes) -> Epoch:
        return self._epochs[self._ids[announcement]]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


def _epoch_row(key: EpochId, epoch: Epoch) -> Row:
    secret = bytes(epoch.key) if epoch.key else None
    return (*key, epoch.precedence, epoch.announcement, epoch.kc, epoch.hist, int(epoch.due), secret)


def _epoch_of(row: Row) -> tuple[EpochId, Epoch]:
    publisher, community, ep, precedence, announcement, kc, hist, due, key = row
    return EpochId(publisher, community, ep), Epoch(
        precedence, announcement, kc, hist, bool(due), EpochKey(key) if key else None
    )
