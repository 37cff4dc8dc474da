"""Reads a community's past into the store: old frames are staged as they come, checked chain by chain, and
opened when their keys are here. FORMAT.md, "History".

Each step is one transaction or many that may be killed and repeated at any point; none of them asks anybody.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from typing import Final, TypeVar

import apsw

from schemas.chain import ChainHead, ChainKey
from schemas.directory import Directory
from schemas.errors import LiaisonError
from schemas.frame import Frame, parse_frame
from schemas.pages import OldFrame, Page
from subscribers.directory.feed import DirectoryFeed
from subscribers.directory.heads import stale
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName
from subscribers.judging.authenticity import Pending
from subscribers.judging.kept import Keeping, Proof
from subscribers.judging.past import Join, Outcome, PastChain, stage, vouchers
from subscribers.judging.refused import Refused
from subscribers.judging.trust import open_bulletin
from subscribers.judging.verdicts import Epoch, EpochId, LogBehind
from subscribers.judging.verdicts import Refused as Refusal
from subscribers.sharing.asking import Joiner
from subscribers.storage import history_rows as rows
from subscribers.storage.archive import Flag, NewRecord, put_all
from subscribers.storage.ledger import Changes, Ledger
from subscribers.storage.store import Store
from subscribers.telling.republish import Fresh

_AT_ONCE: Final = 128

T = TypeVar("T")


class Chronicle:
    """What a node does with old frames. `fresh` is told of bulletins as they are committed."""

    def __init__(
        self, store: Store, ledger: Ledger, directory: DirectoryFeed, fresh: Fresh, joiner: Joiner
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._directory = directory
        self._fresh = fresh
        self._joiner = joiner
        self._clock = joiner.clock
        self._endpoint = joiner.endpoint

    async def load(self) -> None:
        """Read back how far chains were read."""
        self._ledger.past = {key: chain.head for key, chain in (await rows.heads(self._store)).items()}

    async def stage(self, community: str, page: Page, through: int) -> int:
        """Keep what is old in a page, up to the sequence `through`; how far it was taken. LiaisonError
        `log_behind` while the directory is not there that a frame cites; nothing was kept then.
        """
        kept, refused = list[Frame](), list[Refused]()
        for each in page.frames:
            if each.sequence > through:
                break
            found = await self._known(community, partial(self._look, each))
            if isinstance(found, Refusal):
                refused.append(Refused.of(found.error, self._clock(), each.subject, each.raw))
            elif isinstance(found, Pending) and self._is_old(found, community):
                kept.append(found.frame)
        last = page.frames[-1].sequence if page.frames else through
        end = min(last, through) if page.more else through

        def write(connection: apsw.Connection) -> None:
            rows.fetched(connection, kept, community, end)
            Changes(self._ledger, refused=refused).save(connection)

        await self._store.transact(write)
        return end

    def _look(self, old: OldFrame) -> Pending | LogBehind | Refusal:
        return stage(self._ledger.known(), old.subject, old.raw)

    async def _known(self, community: str, judge: Callable[[], T | LogBehind]) -> T:
        """A verdict, once the logs that the frame cites are here. LiaisonError `log_behind` when they do not
        come: then nothing was decided, and it is tried again.
        """
        while isinstance(verdict := judge(), LogBehind):
            await self._directory.reach(verdict, community)
        return verdict

    def _is_old(self, found: Pending, community: str) -> bool:
        header = found.frame.header
        if header.com != community or header.pub == self._endpoint:
            return False  # what we wrote ourselves we have
        read = self._ledger.past.get(ChainKey.of(found.frame), ChainHead())
        # Another frame in the place of the last one is a fork, and told.
        return header.seq >= read.seq and found.frame.hash != read.hash

    # -- checking -----------------------------------------------------------------------------------------

    async def check(self, community: str) -> None:
        """Read every chain that was staged. LiaisonError `log_behind` as `stage`; TrustError `stale_head`
        while no new key is believed.
        """
        if self._ledger.vouched.withheld(self._ledger.known(), self._clock()):
            raise stale("history waits for it")
        known, joins = await rows.heads(self._store), _Joins(self._store, self._ledger)
        for key in await self._unread(community, known, joins):
            live = self._ledger.chains.get(key)
            past = PastChain.of(
                key,
                self._joiner.agency,
                await joins.of(key),
                self._ledger.epochs.items(),
                live and live.head,
            )
            past.chain = known.get(key)
            await self._commit(past, await self._read(past))
        await self._store.transact(partial(rows.is_checked, community=community))

    async def _unread(
        self, community: str, known: Container[ChainKey], joins: "_Joins"
    ) -> Iterable[ChainKey]:
        """Chains with staged frames, and those of which nothing has come although something lies before
        their anchor.
        """
        found = dict.fromkeys(await rows.chains(self._store, community))
        for key in list(self._ledger.chains):
            others = key.community == community and key.publisher != self._endpoint
            if others and key not in known and (join := await joins.of(key)) and join.seq > 0:
                found[key] = None
        return found

    async def _read(self, past: PastChain) -> list[Outcome]:
        steps = await rows.steps(self._store, past.key)
        directory = self._ledger.known()
        proofs = vouchers(directory, steps, past.join)
        outcomes = []
        for step, by in zip(steps, proofs, strict=True):
            raw = await rows.raw(self._store, past.key, step)
            outcomes.append(await self._known(past.key.community, partial(self._judge, past, raw, by)))
        past.close()
        return outcomes

    def _judge(self, past: PastChain, raw: bytes, by: str | None) -> Outcome | LogBehind:
        directory, now = self._ledger.known(), self._clock()
        withheld = self._ledger.vouched.withheld(directory, now)
        return past.read(directory, raw, by, withheld, now)

    async def _commit(self, past: PastChain, outcomes: Sequence[Outcome]) -> None:
        changes, now = self._ledger.changes(), self._clock()
        for key, epoch in past.learned.items():
            changes.learn(key, epoch)
        for each in outcomes:
            if each.state == "refused" and each.error is not None and each.frame is not None:
                changes.refused.append(self._refused(each.error, each.frame))
        missing = sum(map(len, past.missing))
        if missing:
            words = f"{missing} {past.key.precedence} frames of the history have not come"
            alarm = AlarmKey(AlarmName.GAP, past.key.community, past.key.publisher)
            changes.alarms.append(Alarm(alarm, now, words))
        keeping = Keeping(announced=past.announced)

        def write(connection: apsw.Connection) -> None:
            changes.save(connection)
            keeping.save(connection, changes.numbers)
            rows.checked(connection, past.key, past.chain, outcomes, missing)

        await self._store.transact(write)
        self._ledger.merge(changes)
        if past.head is not None:
            self._ledger.past[past.key] = past.head

    # -- opening ------------------------------------------------------------------------------------------

    async def open(self, community: str) -> None:
        """Put into the archive what can be opened by now."""
        while found := await self._unlocked(community):
            records, refused, now = list[tuple[NewRecord, Frame]](), list[Refused](), self._clock()
            for _, frame, epoch in found:
                try:
                    records.append((self._record(frame, epoch, now), frame))
                except LiaisonError as error:
                    refused.append(self._refused(error, frame))
            await self._store.transact(partial(self._keep, community, found, records, refused))
            self._ledger.alarmed.set()
            self._fresh.forget()
            self._fresh.stored.set()

    async def _unlocked(self, community: str) -> list[tuple[int, Frame, Epoch]]:
        found = []
        for rowid, raw in await rows.unlocked(self._store, community, _AT_ONCE):
            frame = parse_frame(raw)
            epoch = self._ledger.epochs[EpochId(frame.header.pub, frame.header.com, frame.header.ep)]
            if epoch.key is not None:  # else its commit is being taken in this moment
                found.append((rowid, frame, epoch))
        return found

    def _keep(
        self,
        community: str,
        found: Sequence[tuple[int, Frame, Epoch]],
        records: Sequence[tuple[NewRecord, Frame]],
        refused: Sequence[Refused],
        connection: apsw.Connection,
    ) -> None:
        outcomes = put_all(connection, [record for record, _ in records])
        again = [
            self._refused(outcome, frame)
            for outcome, (_, frame) in zip(outcomes, records, strict=True)
            if isinstance(outcome, LiaisonError)
        ]
        new = sum(outcome is True for outcome in outcomes)
        rows.opened(connection, community, [rowid for rowid, _, _ in found], new)
        Changes(self._ledger, refused=[*refused, *again]).save(connection)

    def _record(self, frame: Frame, epoch: Epoch, now: int) -> NewRecord:
        directory, header = self._ledger.known(), frame.header
        agency = directory.signers[header.kid].agency
        salt, payload, bulletin = open_bulletin(directory, frame, epoch, agency)
        flags: frozenset[Flag] = frozenset({"history"})
        proof = Proof.of(frame, salt, own=False)
        return NewRecord(bulletin, payload, header.com, agency, now, flags=flags, proof=proof)

    def _refused(self, error: LiaisonError, frame: Frame) -> Refused:
        return Refused.of(error, self._clock(), _subject(self._ledger.known(), frame), frame.raw)


class _Joins:
    """Where live chains begin, looked up once each."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self._known: dict[ChainKey, Join] = {}

    async def of(self, key: ChainKey) -> Join | None:
        chain = self._ledger.chains.get(key)
        if chain is None:
            return None
        if key not in self._known and (header := await rows.anchor(self._store, key, chain.since)):
            self._known[key] = Join.at(header)
        return self._known.get(key)


def _subject(directory: Directory, frame: Frame) -> str:
    header = frame.header
    realm = directory.communities[header.com].community.realm.value
    return f"f.{realm}.{header.com}.{header.pr}.{header.pub}"
