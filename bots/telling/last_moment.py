"""What delivery says of a bulletin, at the last moment: alerts, and messages whose bulletin was amended or
acknowledged.
"""

from collections.abc import Sequence

from bots.showing.answerable import answered_id
from bots.showing.overtaken import as_marked_now
from bots.showing.release import Ceiling, Release
from bots.showing.render import Marks, View, render
from bots.showing.rendered import Rendered, Rows
from bots.state import State
from bots.state.jobs import Priority, Told
from bots.state.outbox import Sent, Work
from bots.telling.aftermath import quiet, reader
from bots.telling.calling import Caller, answered
from bots.telling.intake import changed_id
from schemas.vocabulary import Kind, Language
from subscribers.records import Record


class Teller:
    """Makes the texts, and says which of them wait."""

    def __init__(self, state: State, ceiling: Ceiling, caller: Caller) -> None:
        self._state = state
        self._ceiling = ceiling
        self._caller = caller

    async def alert(self, work: Work, record: Record | None) -> Rendered | None:
        """The alert to a bulletin; None when it was retracted before it was told."""
        if record is None or record.state == "retracted":
            return None
        told = Told.load(work.body)
        held = await self._state.officers.subscriptions_by_id(told.subscriptions)
        names = (held[each].search.name for each in told.subscriptions if each in held)
        marks = Marks(
            repeat=work.repeated,
            acknowledged=await self._state.outbox.acknowledged(record.bulletin.id, work.officer.id),
            answers=tuple(each for each in names if each),
            before=await self._amended_by(record),
            heard=await self._caller.heard(record.bulletin.id),
            to=await self._answers_to(record),
        )
        return render(record, self._ceiling, reader(work.officer), marks=marks)

    async def amended(self, work: Work, sent: Sent, record: Record) -> Rendered:
        """A message as it reads after its bulletin was amended."""
        after = await self._state.outbox.record(record.replaced_by) if record.replaced_by else None
        done = await self._state.outbox.acknowledged(record.bulletin.id, work.officer.id)
        heard = await self._caller.heard(record.bulletin.id)
        return render(
            record,
            self._ceiling,
            reader(work.officer),
            language=Language(sent.language) if sent.language else None,
            marks=Marks(acknowledged=done, after=after, heard=heard),
        )

    async def buttons(self, work: Work, sent: Sent, record: Record) -> Rows:
        """The buttons under a message whose bulletin this officer has acknowledged elsewhere. None for what
        is shown no longer; nor where a bulletin may take several messages, as which of them has the buttons
        is not kept.
        """
        if record.state == "retracted" or "expired" in record.flags:
            return ()
        language = Language(sent.language) if sent.language else None
        to = reader(work.officer)
        shown = [render(record, self._ceiling, to, view=each, language=language) for each in View]
        if any(len(each.parts) > 1 for each in shown):
            return ()
        return (await self.amended(work, sent, record)).rows

    async def answered(self, work: Work, sent: Sent, record: Record) -> Rendered:
        """A message of a bulletin that was acknowledged: a call says by whom, an alert that too."""
        if sent.record is not None:
            return await self.amended(work, sent, record)
        return answered(work.officer, record, await self._caller.heard(record.bulletin.id))

    async def resting(self, found: Sequence[Work], now: float) -> dict[int, float]:
        """Which of these jobs must wait, and until when (Unix seconds): quiet hours and snoozes."""
        told = {work.id: _answers(work) for work in found if work.verb == "alert"}
        ids = {each for some in told.values() for each in some}
        held = await self._state.officers.subscriptions_by_id(ids) if ids else {}
        resting: dict[int, float] = {}
        for work in found:
            answered = [held[each] for each in told.get(work.id, ()) if each in held]
            if (until := quiet(work, now, answered)) is not None:
                resting[work.id] = until
        return resting

    async def _answers_to(self, record: Record) -> str:
        """The reference of what it answers, if that is kept and may be shown; else empty."""
        key = answered_id(record)
        kept = await self._state.outbox.record(key) if key else None
        if kept is None:
            return ""
        (kept,) = await as_marked_now([kept], self._state.outbox.record)
        return kept.bulletin.ref if self._ceiling.allows(kept.bulletin.tlp) is Release.FULL else ""

    async def _amended_by(self, record: Record) -> Record | None:
        """What this bulletin amends, if it is the originator's word."""
        if record.bulletin.kind is not Kind.AMENDMENT or (key := changed_id(record)) is None:
            return None
        kept = await self._state.outbox.record(key)
        return kept if kept and kept.state != "current" else None


def _answers(work: Work) -> tuple[int, ...]:
    """The subscriptions that an alert answers to; none for a flash, which never waits, or for one that cannot
    be read, which fails when it is sent and holds up nothing else.
    """
    if work.priority == Priority.FLASH:
        return ()
    try:
        return Told.load(work.body).subscriptions
    except ValueError:
        return ()
