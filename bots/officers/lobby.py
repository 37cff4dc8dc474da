"""The way from chat into the reading room: a link that works once, soon, and for one officer. Knows no chat
service.

The link stands in a chat, which the chat service reads, so what it opens ends at `room_chat_ceiling`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bots.clock import Clock
from bots.dialogue.screens import plain_answer, screen
from bots.settings import BotSettings
from bots.showing.rendered import Button, Rendered
from bots.state import State
from bots.state.officers import Officer
from bots.wording.markup import Span
from bots.wording.words import words

LINK_SECONDS: Final = 120.0
"""From chat."""
KEY_LINK_SECONDS: Final = 3_600.0
"""From the agency's terminal: time to carry it to an officer."""


@dataclass(frozen=True, slots=True)
class Lobby:
    """Gives links. `new_key` makes 256 bits of chance."""

    settings: BotSettings
    state: State
    clock: Clock
    new_key: Callable[[], str]

    async def link(self, officer: Officer, ref: str) -> Rendered:
        """A message with the button that opens the room, at the bulletin `ref` or, for '', at its list."""
        say, origin = words(officer.language), self.settings.room_origin.rstrip("/")
        if not origin:
            text = say.text("Your agency has no reading room. Use your agency's terminal.")
            return plain_answer(text, officer.language)
        code, now = self.new_key(), self.clock.now()
        await self.state.room.issue(
            officer.id, code, vouched="chat", target=ref, expires=now + LINK_SECONDS, now=now
        )
        spans = [
            Span("🔓 " + say.text("Reading room"), "b"),
            Span("\n" + say.text("The button works once, within two minutes. Do not pass it on.")),
        ]
        url = f"{origin}/in/{code}?in={officer.language.value}"
        button = Button(say.text("Open the reading room"), url=url)
        shown = screen(spans, officer.language, ((button,),))
        return Rendered(shown.parts, shown.rows, protect=True, silent=True, passing=True)

    async def key_link(self, officer: Officer) -> str:
        """An address for an officer who is known by sight: who opens it may make a passkey that shows all
        that the room shows.
        """
        code, now = self.new_key(), self.clock.now()
        await self.state.room.issue(
            officer.id, code, vouched="agency", target="", expires=now + KEY_LINK_SECONDS, now=now
        )
        return f"{self.settings.room_origin.rstrip('/')}/in/{code}?in={officer.language.value}"
