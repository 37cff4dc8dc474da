"""Where every front door brings what came in: judged by the gate, answered by whom the book names.

One thing at a time for each person, in the order in which they came. Whatever goes wrong is logged by its
name alone and told the officer in a sentence; a pressed button is always answered.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from weakref import WeakValueDictionary

import structlog

from bots.dialogue import left, screens
from bots.dialogue.asking import Presence, Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.dialogue.gate import Gate, Verdict
from bots.enquiries.desk import node_trouble
from bots.officers.audit import Act
from bots.outcomes import ChatFailure
from bots.parsing.commands import reference
from bots.showing.inline import Inline, Offered
from bots.showing.release import Sight
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.wording.words import closest, words
from schemas.errors import FormatError, LiaisonError

_log = structlog.get_logger()


class Reception:
    """Takes what came in. Raises nothing but what stops the process."""

    def __init__(self, context: Context, book: Book) -> None:
        self._context = context
        self._book = book
        self._gate = Gate(context.settings.asking())
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def typed(self, asked: Typed) -> None:
        """A line."""
        async with self._turn(asked):
            officer = await self._context.state.officers.by_person(asked.person)
            match self._gate.judge(asked, officer, self._context.clock.now()):
                case Verdict.ANSWER | Verdict.SLOW as verdict if officer:
                    await self._is_here(officer)
                    try:
                        await self._heard(asked, officer, verdict)
                    finally:
                        await self._context.heard(officer, asked)
                case Verdict.ENROL:
                    await self._enrol(asked)
                case Verdict.REFUSE:
                    await self._lost(asked, officer)
                    await self._refuse(asked)
                case Verdict.IGNORE:
                    await self._lost(asked, officer)

    async def pressed(self, asked: Pressed) -> None:
        """A button."""
        async with self._turn(asked):
            officer = await self._context.state.officers.by_person(asked.person)
            match self._gate.judge(asked, officer, self._context.clock.now()):
                case Verdict.ANSWER if officer:
                    await self._is_here(officer)
                    await self._answer(asked, officer)
                case Verdict.SLOW if officer:
                    text = words(officer.language).text("One moment, please: too many questions at once.")
                    await self._context.chat.toast(asked.press, text)
                case Verdict.IGNORE:
                    await self._lost(asked, officer)

    async def inline(self, asked: Inline) -> Offered | None:
        """What may be offered in another chat for what was typed there: by reference alone, to an enrolled
        officer, not faster than they may ask. None for everything else, and nobody is told why.
        """
        context, wanted = self._context, reference(asked.text)
        if not wanted or not context.settings.inline:
            return None
        try:
            officer = await context.state.officers.by_person(asked.person)
            if officer is None or officer.chat is None:
                return None
            typed = Typed(officer.chat, asked.person, 0, asked.text)
            if self._gate.judge(typed, officer, context.clock.now()) is not Verdict.ANSWER:
                return None
            found = await context.lookout.inline(officer, wanted)
            if found:
                await context.on("inline").did(officer, wanted, outcome=Sight.FULL)
            return found
        except Exception as error:  # noqa: BLE001 - what is typed elsewhere has no place for an apology
            code = error.code if isinstance(error, LiaisonError) else None
            _log.warning("a question could not be answered", error=type(error).__name__, code=code)
            return None

    async def present(self, seen: Presence) -> None:
        """Somebody went or is back; what waited for an officer is delivered then."""
        async with self._turn(seen):
            if await self._context.state.officers.by_person(seen.person):
                await self._context.state.officers.set_reachable(seen.person, reachable=seen.here)
                self._context.wake()

    async def _is_here(self, officer: Officer) -> None:
        """Who asks can be reached, whatever was known before: that they are back is told once, and kept by
        the chat service for a day.
        """
        if officer.person is not None and not officer.reachable:
            await self._context.state.officers.set_reachable(officer.person, reachable=True)
            self._context.wake()

    async def _heard(self, asked: Typed, officer: Officer, verdict: Verdict) -> None:
        if verdict is Verdict.ANSWER:
            await self._answer(asked, officer)
        elif self._gate.warns(asked.person, self._context.clock.now()):
            await self._context.say(officer, asked.chat, screens.slow_down(officer.language))

    async def _answer(self, asked: Typed | Pressed, officer: Officer) -> None:
        """And say so when a draft's text was awaited and is no longer."""
        context = self._context
        before = await left.awaited(context, officer)
        if isinstance(asked, Pressed):
            pressed = partial(self._book.for_pressed(asked), asked)
            await self._written_down(self._book.name_of(asked), officer, pressed)
        else:
            state = None if asked.is_command else await context.steps(officer).at()
            typed = partial(self._book.for_typed(asked, state), asked)
            await self._written_down(self._book.name_of(asked, state), officer, typed)
        if before and (told := await left.lost(context, officer, asked, before)):
            await context.say(officer, asked.chat, told)

    async def _written_down(
        self, verb: str, officer: Officer, answer: Callable[[Context, Officer], Awaitable[None]]
    ) -> None:
        """Answer, and tell the audit what came of it, whatever came of it."""
        context = self._context.on(verb)
        try:
            await answer(context, officer)
        except Exception as error:
            await context.close(officer, error.code if isinstance(error, LiaisonError) else "failed")
            raise
        await context.close(officer, "answered")

    async def _enrol(self, asked: Typed) -> None:
        good = await self._book.newcomer(asked, self._context)
        officer = await self._context.state.officers.by_person(asked.person) if good else None
        name = officer.name if officer else ""
        outcome = "enrolled" if good else "refused"
        act = Act(officer.id if officer else None, name, self._context.door, "/start", "", outcome)
        await self._context.state.audit.write([act], self._context.clock.now())
        if not good:
            await self._refuse(asked)
        elif officer:
            await self._context.state.lost.end(asked.chat)
            await self._context.heard(officer, asked)

    async def _lost(self, asked: Typed | Pressed, officer: Officer | None) -> None:
        """A stranger may be at a phone that was shut out: what comes from there goes again."""
        context = self._context
        message = asked.message if isinstance(asked, Typed) else None
        if officer is None and await context.state.lost.wrote(
            asked.chat, message, context.door, context.clock.now()
        ):
            context.wake()
            context.take_back()

    async def _refuse(self, asked: Typed) -> None:
        """The one refusal, once a day."""
        if self._gate.refuses(asked.person, self._context.clock.now()):
            try:
                await self._tell(asked.chat, screens.refusal(closest(asked.tongue)))
            except ChatFailure:
                self._gate.untold(asked.person)

    async def _tell(self, chat: int, shown: Rendered) -> None:
        context = self._context
        message = await context.chat.send(
            chat, shown.parts[0], rows=(), protect=True, silent=True, reply_to=None
        )
        await context.state.lost.answered(chat, message, context.clock.now())
        context.take_back()

    @contextlib.asynccontextmanager
    async def _turn(self, asked: Typed | Pressed | Presence) -> AsyncIterator[None]:
        if (lock := self._turns.get(asked.person)) is None:
            lock = self._turns[asked.person] = asyncio.Lock()
        async with lock:
            try:
                yield
            except Exception as error:  # noqa: BLE001 - nobody is left without an answer
                await self._failed(asked, error)

    async def _failed(self, asked: Typed | Pressed | Presence, error: Exception) -> None:
        code = error.code if isinstance(error, LiaisonError) else None
        _log.warning("a question could not be answered", error=type(error).__name__, code=code)
        with contextlib.suppress(ChatFailure):
            if isinstance(asked, Pressed):
                await self._context.chat.toast(asked.press)
            if isinstance(asked, Presence) or isinstance(error, ChatFailure | FormatError):
                return
            officer = await self._context.state.officers.by_person(asked.person)
            if officer is None:
                return
            trouble = node_trouble(error, officer) if isinstance(error, LiaisonError) else None
            await self._context.say(officer, asked.chat, trouble or screens.trouble(officer))
