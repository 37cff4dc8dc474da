"""What every handler is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bots.cells.caretaker import Caretaker
from bots.clock import Clock
from bots.dialogue.asking import Typed
from bots.dialogue.steps import Steps
from bots.digests.schedule import Schedule
from bots.drafting.answering import Answering
from bots.drafting.releasing import Releasing
from bots.drafting.writing import Writing
from bots.enquiries.desk import Answer, Desk
from bots.enquiries.finding import Finder
from bots.enquiries.lookout import Lookout
from bots.enquiries.reference_desk import ReferenceDesk
from bots.officers.audit import Act
from bots.officers.limit import Limit
from bots.outcomes import Blocked
from bots.ports import Chat, NodeClient
from bots.settings import BotSettings
from bots.showing.naming import named
from bots.showing.rendered import Part, Rendered, Rows
from bots.state import State
from bots.state.officers import Officer
from bots.state.outbox import Shown
from bots.telling.aftermath import catch_up, ends_at


@dataclass(slots=True)
class Turn:
    """One question, as the audit names it, and whether the audit has heard of it."""

    verb: str
    written: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of the running bot that handlers use. `new_code` makes a code of invitation."""

    desk: Desk
    reference: ReferenceDesk
    writing: Writing
    releasing: Releasing
    answering: Answering
    finder: Finder
    node: NodeClient
    state: State
    schedule: Schedule
    settings: BotSettings
    clock: Clock
    chat: Chat
    username: str
    new_code: Callable[[], str]
    lookout: Lookout
    wake: Callable[[], None]
    """There may be something to deliver."""
    caretaker: Caretaker
    announce: Callable[[Officer], Awaitable[bool]]
    """Give an officer's chat its menu of commands."""
    limit: Limit
    """The ceiling, to be lowered."""
    take_back: Callable[[], None]
    """There are messages to be taken back from somebody who was shut out."""
    door: str
    """The front door's name in the audit."""
    within: bool = False
    """No chat service reads along."""
    turn: Turn | None = None

    def on(self, verb: str) -> "Context":
        """The same, for one question: what is shown and done from now on is written down under `verb`."""
        return replace(self, turn=Turn(verb))

    async def did(self, officer: Officer, *objects: str, outcome: str = "done") -> None:
        """Write down that the officer did this, or saw it: references, or names of officers; never text."""
        verb = self.turn.verb if self.turn else "message"
        acts = [Act(officer.id, officer.name, self.door, verb, each, outcome) for each in objects]
        await self.state.audit.write(acts, self.clock.now())
        if self.turn:
            self.turn.written = True

    async def close(self, officer: Officer, outcome: str) -> None:
        """The question is answered; unless something was written down about it, this is."""
        if self.turn and (outcome != "answered" or not self.turn.written):
            await self.did(officer, "", outcome=outcome)

    async def _seen(self, officer: Officer, rendered: Rendered) -> None:
        """Before it leaves, so that nothing is shown that the audit does not know."""
        found = named(rendered)
        for sight in dict.fromkeys(each.sight for each in found):
            refs = (each.ref for each in found if each.sight is sight)
            await self.did(officer, *refs, outcome=sight)

    def steps(self, officer: Officer) -> Steps:
        """Where the officer's conversation stands."""
        return Steps(self.state.memory, officer)

    async def say(self, officer: Officer, chat: int, rendered: Rendered) -> None:
        """Send an answer that shows no single bulletin."""
        await self.answer(officer, chat, Answer(rendered))

    async def answer(self, officer: Officer, chat: int, answer: Answer) -> None:
        """Send an answer, and remember what it shows for the audit, for edits and for deletion."""
        rendered = answer.rendered
        await self._seen(officer, rendered)
        returns = self.state.officers.returns(officer.person)
        for index, part in enumerate(rendered.parts):
            last = index + 1 == len(rendered.parts)
            try:
                message = await self._sent(chat, rendered, part, rendered.rows if last else ())
            except Blocked:
                await self.state.officers.shut_out(officer.person, returns)
                return
            await self._note(officer, chat, message, answer, index)

    async def heard(self, officer: Officer, asked: Typed) -> None:
        """Remember what the officer wrote: it goes with a lost phone."""
        await self.state.staff.heard(officer.id, asked.chat, asked.message, self.clock.now())

    async def _sent(self, chat: int, rendered: Rendered, part: Part, rows: Rows) -> int:
        if rendered.picture and part is rendered.parts[0]:
            return await self.chat.picture(
                chat, rendered.picture, part, rows=rows, protect=rendered.protect, silent=True
            )
        return await self.chat.send(
            chat, part, rows=rows, protect=rendered.protect, silent=True, reply_to=None
        )

    async def replace(self, officer: Officer, chat: int, message: int, answer: Answer) -> None:
        """Show an answer in the place of a message; what does not fit follows as new messages."""
        rendered = answer.rendered
        await self._seen(officer, rendered)
        single = len(rendered.parts) == 1
        await self.chat.edit(chat, message, rendered.parts[0], rows=rendered.rows if single else ())
        await self._note(officer, chat, message, answer, 0)
        if not single:
            rest = replace(rendered, parts=rendered.parts[1:], shows=(), quotes=True)
            await self.answer(officer, chat, Answer(rest, answer.record, answer.language))

    async def _note(self, officer: Officer, chat: int, message: int, answer: Answer, part: int) -> None:
        """Every message, whatever it says: all goes with a lost phone."""
        now = self.clock.now()
        ends = ends_at(answer.record, answer.rendered, now)
        record = answer.record.bulletin.id if answer.record else None
        language = answer.language.value if answer.language else None
        shown = Shown(chat, message, record, language, part, ends, answer.listed)
        await self.state.outbox.note(officer.id, shown, now)
        if answer.record and await catch_up(self.state.outbox, officer.id, shown, answer.record, now):
            self.wake()
