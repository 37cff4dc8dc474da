"""The terminal as a front door: its numbers, its marks, what it never obeys, and who may sit before it."""

import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.clock import SystemClock
from bots.dialogue.asking import Handed
from bots.doors.terminal.lines import handed, joined, piped
from bots.doors.terminal.paper import Plain, harmless
from bots.doors.terminal.screen import Screen
from bots.officers.roles import Role
from bots.showing.rendered import Button, Part, Rows
from bots.state import State
from bots.state.seat import seat
from bots.wording.markup import Span, Spans, plain
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language

SAVE, BACK = Button("Save", "sub:save"), Button("Back", "sub:home")


class Sheet:
    """Paper that keeps what was written."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.rung = 0

    def write(self, spans: Spans) -> None:
        self.said.append(plain(spans))

    def ring(self) -> None:
        self.rung += 1


class Still(SystemClock):
    """A clock that stands."""

    def now(self) -> float:
        return 1.0


async def shown(screen: Screen, text: str, rows: Rows = (), *, silent: bool = True) -> int:
    part = Part.of((Span(text),))
    return await screen.send(7, part, rows=rows, protect=True, silent=silent, reply_to=None)


async def test_a_number_is_its_buttons_for_good() -> None:
    sheet = Sheet()
    screen = Screen(sheet, Still())
    menu = await shown(screen, "Menu", ((SAVE, BACK),))
    alert = await shown(screen, "Alert", ((SAVE,),), silent=False)
    assert alert > menu
    assert sheet.said == ["Menu\n[1] Save   [2] Back", "Alert\n[3] Save"]
    assert sheet.rung == 1
    await screen.edit(7, menu, Part.of((Span("Saved"),)), rows=((BACK,),))
    assert sheet.said[-1] == "✎ Saved\n[2] Back"
    assert screen.was_shown(1)
    assert screen.place(1) is None
    place = screen.place(2)
    assert place is not None
    assert (place.data, place.message, place.rows) == ("sub:home", menu, ((BACK,),))
    assert not screen.was_shown(4)
    assert not screen.was_shown(0)


async def test_what_is_the_same_is_not_shown_again_and_what_is_gone_is_named() -> None:
    sheet = Sheet()
    screen = Screen(sheet, Still())
    message = await shown(screen, "First line\nSecond line", ((SAVE,),))
    await screen.edit(7, message, Part.of((Span("First line\nSecond line"),)), rows=((SAVE,),))
    await screen.label(7, message, ((BACK,),))
    await screen.toast("1")
    assert len(sheet.said) == 1
    assert screen.place(1) is None
    await screen.toast("1", "Done.")
    await screen.delete(7, message)
    await screen.delete(7, message)
    await screen.label(7, message, ((SAVE,),))
    assert sheet.said[1:] == ["» Done.", "🗑 First line"]
    assert screen.place(1) is None


async def test_a_button_that_opens_an_address_names_it() -> None:
    sheet = Sheet()
    screen = Screen(sheet, Still())
    await shown(screen, "Menu", ((Button("Read", url="https://room.example/a"), SAVE),))
    assert sheet.said == ["Menu\nRead: https://room.example/a   [1] Save"]


def test_a_line_that_names_a_file(tmp_path: Path) -> None:
    named = tmp_path / "a map.pdf"
    named.write_bytes(b"12")
    assert handed(f"@{named}") == Handed(str(named), "a map.pdf", 2)
    for line in (f" @{named}", f"@{tmp_path}", "@", "@~nobody-of-this-name/x", "~x", "@" + "x" * 5000, "@\0"):
        assert handed(line) is None, line[:40]


def test_a_terminal_obeys_no_text() -> None:
    assert harmless("a\x1b[2Jb\x07\x9b31m\tc\r\nd") == "a\ufffd[2Jb\ufffd\ufffd31m\tc\ufffd\nd"
    arabic = "\u200f\u2068طائرة\u2069"
    assert harmless(arabic) == arabic


def test_nobody_reads_any_more() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    gone: list[bool] = []
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        paper = Plain(out, lambda: gone.append(True))
        paper.ring()
        paper.write((Span("Somebody?"),))
        paper.write((Span("Nobody."),))
    assert gone == [True]


async def test_lines_of_a_pipe_to_its_end() -> None:
    reading, writing = os.pipe()
    typed = "/latest\nна\n\nlast".encode()
    os.write(writing, typed[:9])  # in the middle of a letter
    lines = piped(reading)
    assert await anext(lines) == "/latest"
    os.write(writing, typed[9:])
    os.close(writing)
    assert [line async for line in lines] == ["на", "", "last"]
    os.close(reading)


async def test_a_backslash_goes_on_with_the_next_line() -> None:
    async def typed() -> AsyncIterator[str]:
        for line in ("one", "two\\", "\\", "three", "four\\"):
            yield line

    assert [line async for line in joined(typed())] == ["one", "two\n\nthree", "four"]


async def test_one_officer_sits_before_a_terminal(tmp_path: Path) -> None:
    async with await State.open(tmp_path) as state:

        async def sits(name: str, *, administrator: bool = False) -> tuple[int, str, str]:
            officer = await seat(
                state,
                name,
                Role.ADMINISTRATOR if administrator else Role.READER,
                number=secrets.choice(range(100_000, 1_000_000)),
                language=Language.FRENCH,
                zone="UTC",
                now=1.0,
            )
            assert officer.chat == officer.person == officer.id
            return officer.id, officer.name, officer.role

        first = await sits("Amina  K.")
        assert first[1:] == ("Amina K.", Role.READER)
        assert await sits("amina k.", administrator=True) == (first[0], "Amina K.", "administrator")
        with pytest.raises(OperationError) as refused:
            await sits("Ed")
        assert refused.value.code is Code.FORBIDDEN
        with pytest.raises(OperationError):
            await sits(" ")
