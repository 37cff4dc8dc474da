"""The book that every front door looks up, and the gate that judges before it. Pure."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bots.dialogue.asking import Pressed, Typed, meant
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.dialogue.gate import CODE_TRIES, REFUSAL_SECONDS, Gate, Verdict
from bots.dialogue.screens import COMMANDS, FOR_ADMINISTRATORS, FOR_DRAFTERS, FOR_THE_ROOM, commands
from bots.handlers import written
from bots.officers.roles import RIGHTS, Role
from bots.state.officers import Officer
from bots.telling.pacing import Rate
from bots.wording.words import words
from schemas.vocabulary import Language

OFFICER = Officer(1, "Ed", Role.READER, Language.ENGLISH, ZoneInfo("UTC"), None, 7, 7, reachable=True)
CODE = "x" * 32


def line(text: str, chat: int = 7) -> Typed:
    return Typed(chat, 7, 1, text)


def press(data: str | None) -> Pressed:
    return Pressed(meant(data), 7, 7, 1, "1")


async def said(asked: Typed, context: Context, officer: Officer) -> None: ...


async def other(asked: Typed, context: Context, officer: Officer) -> None: ...


async def touched(asked: Pressed, context: Context, officer: Officer) -> None: ...


async def lost(asked: Pressed, context: Context, officer: Officer) -> None: ...


async def enrols(asked: Typed, context: Context) -> bool:
    return True


def book() -> Book:
    made = Book(newcomer=enrols, else_said=other, else_touched=lost)
    made.command("show", said)
    made.button("more", touched)
    made.step("asking", said)
    return made


def test_nothing_is_entered_twice() -> None:
    made = book()
    with pytest.raises(ValueError, match="answered already"):
        made.command("show", other)
    with pytest.raises(ValueError, match="answered already"):
        made.button("more", lost)
    with pytest.raises(ValueError, match="answered already"):
        made.step("asking", other)
    with pytest.raises(ValueError, match="answered already"):
        made.command("", other)


def test_every_command_of_the_menu_is_answered() -> None:
    assert {*COMMANDS, *FOR_DRAFTERS, *FOR_ADMINISTRATORS, *FOR_THE_ROOM} <= written().commands


def test_a_menu_has_what_the_role_may_do() -> None:
    say = words(Language.ENGLISH)
    assert set(commands(say)) == set(commands(say, RIGHTS[Role.READER])) == set(COMMANDS)
    for role in (Role.DRAFTER, Role.RELEASER):
        assert set(commands(say, RIGHTS[role])) == {*COMMANDS, *FOR_DRAFTERS}
    chief = commands(say, RIGHTS[Role.ADMINISTRATOR], room=True)
    assert {*COMMANDS, *FOR_DRAFTERS, *FOR_ADMINISTRATORS, *FOR_THE_ROOM} == set(chief)


@pytest.mark.parametrize(
    "text,state,answer",
    [
        ("/show FRA", None, said),
        (" /show\nFRA", "asking", said),
        ("/Show FRA", "asking", other),
        ("/show@another_bot FRA", "asking", other),
        ("/", "asking", other),
        ("FR, DE", "asking", said),
        ("FR, DE", "elsewhere", other),
        ("FR, DE", None, other),
        ("", None, other),
    ],
)
def test_a_command_is_never_a_step_and_a_step_never_a_command(
    text: str, state: str | None, answer: object
) -> None:
    assert book().for_typed(line(text), state) is answer


@pytest.mark.parametrize(
    "data,answer", [("more:x", touched), ("less", lost), ("", lost), (None, lost), ("more;drop", lost)]
)
def test_forged_and_outlived_buttons_are_answered_too(data: str | None, answer: object) -> None:
    assert book().for_pressed(press(data)) is answer


def test_what_stands_after_a_command() -> None:
    assert [(line(text).command, line(text).after) for text in ("/a  b c ", "/a", "a b", "/a\nb\nc")] == [
        ("a", "b c"),
        ("a", ""),
        ("", ""),
        ("a", "b\nc"),
    ]


def test_a_stranger_may_try_codes_and_gets_one_refusal_a_day() -> None:
    gate = Gate(Rate(1.0, 1.0))
    assert gate.judge(line("/latest"), None, 0.0) is Verdict.REFUSE
    assert gate.judge(line(""), None, 0.0) is Verdict.IGNORE
    assert gate.judge(press("next"), None, 0.0) is Verdict.IGNORE
    tries = [gate.judge(line(f"/start {CODE}"), None, 0.0) for _ in range(int(CODE_TRIES.burst) + 1)]
    assert tries == [Verdict.ENROL] * int(CODE_TRIES.burst) + [Verdict.REFUSE]
    told = [gate.refuses(7, at) for at in (1.0, REFUSAL_SECONDS, REFUSAL_SECONDS + 1.0)]
    assert told == [True, False, True]
    gate.untold(7)
    assert gate.refuses(7, REFUSAL_SECONDS + 2.0)


def test_an_officer_is_answered_in_their_own_chat_at_their_pace() -> None:
    gate = Gate(Rate(1.0, 2.0))
    assert gate.judge(line("/latest", chat=8), OFFICER, 0.0) is Verdict.IGNORE
    judged = [gate.judge(press("next"), OFFICER, at) for at in (0.0, 0.0, 0.0, 1.0)]
    assert judged == [Verdict.ANSWER, Verdict.ANSWER, Verdict.SLOW, Verdict.ANSWER]
    assert [gate.warns(7, at) for at in (100.0, 130.0, 161.0)] == [True, False, True]
    elsewhere = replace(OFFICER, chat=None)
    assert gate.judge(line("/latest"), elsewhere, 2.0) is Verdict.IGNORE
