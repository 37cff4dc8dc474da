"""From the node's feed into the outbox: who is told of a bulletin, and what of the messages already sent
must change.

`plan` decides and is pure. `Intake.run` does: the bulletin and its jobs commit in one transaction, and only
then is the bulletin acknowledged. The feed repeats what was not; the keys of the jobs make a repeat harmless.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

import apsw
import structlog

from bots.cells.cells import cell_of
from bots.clock import Clock
from bots.duty.ringing import rings
from bots.ports import Incoming, NodeClient
from bots.searches.watching import Mode, Sight, Subscription, Telling, decide
from bots.showing.answerable import answered_id
from bots.showing.release import Ceiling, Release
from bots.state import State, jobs
from bots.state.audit import saw
from bots.state.bells import answered, ring
from bots.state.jobs import Fate, Job, Told
from bots.state.lists import listing_of
from bots.state.officers import officer_of
from bots.state.outbox import Sent, enqueue, remember, shown_of, told_of
from bots.state.questions import ask, change
from bots.telling.aftermath import of_people
from schemas.errors import Code, LiaisonError
from schemas.traces import Stage
from schemas.vocabulary import Kind, Relation, Severity
from subscribers import tracing
from subscribers.records import Record

_AMENDED_MAX: Final = 50
"""So many words of one bulletin are followed back."""

_log = structlog.get_logger()

CHANGES: Final[Mapping[Kind, tuple[Relation, Fate]]] = {
    Kind.AMENDMENT: (Relation.AMENDS, "amended"),
    Kind.RETRACTION: (Relation.RETRACTS, "retracted"),
}


def changed_id(record: Record) -> str | None:
    """The bulletin that `record` amends or retracts."""
    relation, _ = CHANGES.get(record.bulletin.kind, (None, None))
    return next((link.id for link in record.bulletin.links if link.relation is relation), None)


def changed(record: Record, original: Record) -> Record | None:
    """`original` as `record` leaves it. None when it is not the originator's, or of another community: no
    say in it.
    """
    if (record.agency, record.community) != (original.agency, original.community):
        return None
    _, fate = CHANGES[record.bulletin.kind]
    state = "retracted" if "retracted" in (fate, original.state) else "amended"
    return original.model_copy(update={"state": state, "replaced_by": record.bulletin.id})


def is_history(record: Record) -> bool:
    """Whether it was written before the agency joined the community."""
    return "history" in record.flags


def wanted(record: Record, subscriptions: Iterable[Subscription], ceiling: Ceiling) -> dict[int, Telling]:
    """The officers to be alerted to `record`, by everybody's subscriptions. What came as history is no news:
    it wakes nobody.
    """
    if is_history(record):
        return {}
    held: dict[int, list[Subscription]] = {}
    for each in subscriptions:
        held.setdefault(each.officer, []).append(each)
    sight = Sight(record, ceiling)
    found = ((officer, decide(sight, some)) for officer, some in held.items())
    return {officer: told for officer, told in found if told and told.mode is Mode.ALERT}


def plan(
    record: Record,
    wanted: Mapping[int, Telling],
    shown: Iterable[Sent] = (),
    told: Collection[int] = (),
    lists: Iterable[tuple[int, int]] = (),
    concerned: Collection[int] = (),
) -> list[Job]:
    """The jobs that `record` makes.

    `wanted`: the officers whose subscriptions want it. Of the bulletin that `record` changes, if it changes
    one: `shown` are the messages that show it, `told` the officers to whom it was sent, `lists` the messages
    (row and officer) that list it among others. Whoever knows of it is told of the change, whatever they
    subscribe to. `concerned` are those whose question it answers, or who saw, anywhere, what it corrects of
    people: for them it sounds.
    """
    sent = list(shown)
    first = {each.officer: each.message for each in reversed(sent)}
    found = []
    for officer in sorted({*wanted, *first, *told, *concerned}):
        telling = wanted.get(officer)
        # Whoever was told of the first word hears of the next as well.
        loud = officer in concerned
        hushed = telling is not None and telling.hushed and officer not in first and not loud
        # A subscription may be snoozed, which this does not wait for.
        ids = telling.subscriptions if telling and not loud else ()
        found.append(jobs.alert(record, officer, Told(first.get(officer), ids, hushed, loud)))
    if sent:
        _, fate = CHANGES[record.bulletin.kind]
        cause, target = record.bulletin.id, changed_id(record)
        found += [jobs.edit(each.id, each.officer, target, cause, fate=fate) for each in sent]
    cause = record.bulletin.id
    found += [jobs.edit(message, officer, None, cause, fate="listed") for message, officer in lists]
    return found


def sound(connection: apsw.Connection, record: Record, now: float, least: Severity = Severity.FLASH) -> int:
    """Within a transaction: a flash, or whatever is at least `least`, begins to ring; the agency's own
    acknowledgement is an answer, in whichever way it was given. How much that changes.
    """
    before = connection.total_changes()
    if rings(record, least):
        ring(connection, record.bulletin.id, now)
    elif record.own and record.bulletin.kind is Kind.ACKNOWLEDGEMENT:
        officer = officer_of(record.bulletin.drafter)
        for link in record.bulletin.links:
            if link.relation is Relation.ACKNOWLEDGES:
                answered(connection, link.id, officer, now)
    return connection.total_changes() - before


class Intake:
    """The feed's reader."""

    def __init__(
        self,
        node: NodeClient,
        state: State,
        clock: Clock,
        wake: Callable[[], None],
        ceiling: Ceiling,
        *,
        within: bool = False,
    ) -> None:
        """`within`: the door is within the agency, where officers have other numbers than in chat."""
        self._node = node
        self._state = state
        self._clock = clock
        self._wake = wake
        self._ceiling = ceiling
        self._within = within

    async def run(self) -> None:
        """Read for ever."""
        async for incoming in self._node.bulletins():
            try:
                await self.take(incoming)
            except LiaisonError as error:
                if error.code is not Code.NODE_UNREACHABLE:
                    raise
                _log.warning("the node went away; the bulletin comes again", code=error.code)

    async def take(self, incoming: Incoming) -> None:
        """One bulletin: decided, committed, acknowledged."""
        record, begun = incoming.record, tracing.begin()
        original = await self._original(record)
        after = changed(record, original) if original else None
        if original and not after:
            _log.warning("a change by somebody else than the originator is not applied", agency=record.agency)
        words = await self._words(original) if original and after else []
        asker = await self._asker(record)
        told = wanted(record, await self._state.officers.subscriptions(), self._ceiling)
        if self._ceiling.allows(record.bulletin.tlp) is not Release.FULL and (writer := self._writer(record)):
            told.pop(writer, None)  # that there is something to be read is no news to who wrote it
        cell = cell_of(record, await self._state.cells.open())
        now = self._clock.now()

        def commit(connection: apsw.Connection) -> int:
            # Read within the transaction: a message noted later sees the changed bulletin and edits itself.
            if not is_history(record):  # else it would stand in the next digest
                remember(connection, record, now)
            ask(connection, record, self._writer(record), now)
            news = sound(connection, record, now, cell.least if cell else Severity.FLASH)
            if after is None:
                return news + enqueue(connection, plan(record, told, concerned=asker), now)
            remember(connection, after, now)
            change(connection, record, after)
            shown = shown_of(connection, after.bulletin.id)
            knowing = told_of(connection, after.bulletin.id, waiting=after.state == "amended")
            lists = listing_of(connection, after.bulletin.id)
            mistaken = saw(connection, words)
            return news + enqueue(connection, plan(record, told, shown, knowing, lists, mistaken), now)

        async with self._state.store.write() as tx:
            new = await tx.run(commit)
        tracing.note(Stage.DECIDED, record.bulletin.id, begun, jobs=new)
        await incoming.ack()
        tracing.note(Stage.READ, record.bulletin.id, begun)
        if new:
            self._wake()

    async def _asker(self, record: Record) -> set[int]:
        """The officer of this agency whose bulletin `record` answers, to be told with a sound. What came as
        history is no news.
        """
        key = answered_id(record)
        if key is None or record.own or is_history(record):
            return set()
        target = await self._held(key)
        officer = self._writer(target) if target else None
        return {officer} if officer is not None else set()

    def _writer(self, record: Record) -> int | None:
        """The officer of this agency and door who wrote it."""
        return officer_of(record.bulletin.drafter, within=self._within) if record.own else None

    async def _words(self, record: Record) -> list[str]:
        """The references of a bulletin that is about people, and of what it has amended: whoever saw any of
        them is concerned by a change. None for other bulletins.
        """
        held = [record]
        while len(held) < _AMENDED_MAX and (earlier := await self._original(held[-1])):
            held.append(earlier)
        return [each.bulletin.ref for each in held] if any(map(of_people, held)) else []

    async def _original(self, record: Record) -> Record | None:
        key = changed_id(record)
        return await self._held(key) if key else None

    async def _held(self, key: str) -> Record | None:
        if kept := await self._state.outbox.record(key):
            return kept
        try:
            return await self._node.show(key)
        except LiaisonError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return None
