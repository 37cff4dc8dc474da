"""What every handler is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bots.aftermath import catch_up, ends_at
from bots.clock import Clock
from bots.desk import Answer, Desk
from bots.drafting.releasing import Releasing
from bots.drafting.writing import Writing
from bots.outcomes import Blocked
from bots.ports import Chat, NodeClient
from bots.rendered import Rendered
from bots.schedule import Schedule
from bots.settings import BotSettings
from bots.state import State
from bots.state.officers import Officer
from bots.state.outbox import Shown
from bots.steps import Steps


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of the running bot that handlers use. `new_code` makes a code of invitation."""

    desk: Desk
    writing: Writing
    releasing: Releasing
    node: NodeClient
    state: State
    schedule: Schedule
    settings: BotSettings
    clock: Clock
    chat: Chat
    username: str
    new_code: Callable[[], str]
    wake: Callable[[], None]
    """There may be something to deliver."""
    announce: Callable[[Officer], Awaitable[None]]
    """Give an officer's chat its menu of commands."""
    within: bool = False
    """No chat service reads along."""

    def steps(self, officer: Officer) -> Steps:
        """Where the officer's conversation stands."""
        return Steps(self.state.memory, officer)

    async def say(self, officer: Officer, chat: int, rendered: Rendered) -> None:
        """Send an answer that shows no single bulletin."""
        await self.answer(officer, chat, Answer(rendered))

    async def answer(self, officer: Officer, chat: int, answer: Answer) -> None:
        """Send an answer, and remember what it shows for edits and deletion."""
        rendered = answer.rendered
        for index, part in enumerate(rendered.parts):
            last = index + 1 == len(rendered.parts)
            try:
                message = await self.chat.send(
                    chat,
                    part,
                    rows=rendered.rows if last else (),
                    protect=rendered.protect,
                    silent=True,
                    reply_to=None,
                )
            except Blocked:
                if officer.person is not None:
                    await self.state.officers.set_reachable(officer.person, reachable=False)
                return
            await self._note(officer, chat, message, answer, index)

    async def replace(self, officer: Officer, chat: int, message: int, answer: Answer) -> None:
        """Show an answer in the place of a message; what does not fit follows as new messages."""
        rendered = answer.rendered
        single = len(rendered.parts) == 1
        await self.chat.edit(chat, message, rendered.parts[0], rows=rendered.rows if single else ())
        await self._note(officer, chat, message, answer, 0)
        if not single:
            rest = Rendered(
                rendered.parts[1:], rendered.rows, rendered.protect, rendered.silent, rendered.passing
            )
            await self.answer(officer, chat, Answer(rest, answer.record, answer.language))

    async def _note(self, officer: Officer, chat: int, message: int, answer: Answer, part: int) -> None:
        now = self.clock.now()
        ends = ends_at(answer.record, answer.rendered, now)
        record = answer.record.bulletin.id if answer.record else None
        if record is None and ends is None and answer.listed is None:
            return
        language = answer.language.value if answer.language else None
        shown = Shown(chat, message, record, language, part, ends, answer.listed)
        await self.state.outbox.note(officer.id, shown, now)
        if answer.record and await catch_up(self.state.outbox, officer.id, shown, answer.record, now):
            self.wake()
