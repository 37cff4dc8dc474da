"""An officer's role is another one: they are told, and their menu follows, whoever gave it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.clock import SystemClock
from bots.officers.appointing import appoint, told
from bots.officers.roles import Role
from bots.parsing.actions import encode
from bots.state import State
from bots.state.officers import Officer
from bots.telling.menus import Menus
from schemas.vocabulary import Language
from subscribers.storage.store import Row
from tests.support.officers_bot import invite
from tests.support.quiet_house import staged

NOW = 1_772_353_800.0


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    async with await State.open(tmp_path / "bot") as opened:
        yield opened


async def enrolled(state: State, name: str, chat: int, role: Role = Role.READER) -> Officer:
    code = await invite(state, name, role=role)
    officer = await state.officers.enrol(
        code, chat=chat, person=chat, language=Language.ENGLISH, now=time.time()
    )
    assert officer is not None
    return officer


async def ordered(state: State) -> list[Row]:
    return await state.store.query("SELECT officer, body FROM jobs WHERE verb = 'appointed'")


async def test_a_menu_follows_role_and_language_however_they_were_given(state: State) -> None:
    ed, claire = await enrolled(state, "Ed", 9, Role.ADMINISTRATOR), await enrolled(state, "Claire", 11)
    await invite(state, "Marc")
    given: list[tuple[str, Role, Language]] = []
    arrives = True

    async def announce(officer: Officer) -> bool:
        given.append((officer.name, officer.role, officer.language))
        return arrives

    menus = Menus(state, SystemClock(), announce, room=False)
    await menus.look()
    assert given == [
        ("Ed", Role.ADMINISTRATOR, Language.ENGLISH),
        ("Claire", Role.READER, Language.ENGLISH),
    ]
    given.clear()
    await menus.look()
    assert given == []
    await state.staff.change_role(claire.id, Role.DRAFTER)  # as a command of another process does
    arrives = False
    await menus.look()
    arrives = True
    await menus.look()
    await menus.look()
    assert given == [("Claire", Role.DRAFTER, Language.ENGLISH)] * 2
    given.clear()
    await state.officers.set_language(ed.id, Language.RUSSIAN)
    await menus.look()
    assert given == [("Ed", Role.ADMINISTRATOR, Language.RUSSIAN)]
    given.clear()
    await Menus(state, SystemClock(), announce, room=False).look()
    assert given == [], "a restart gives nobody what they have"
    await Menus(state, SystemClock(), announce, room=True).look()
    assert {name for name, *_ in given} == {"Ed", "Claire"}, "there is a command more"
    given.clear()
    assert claire.person is not None
    await state.officers.set_reachable(claire.person, reachable=False)
    await state.staff.change_role(claire.id, Role.RELEASER)
    await menus.look()
    assert given == []


async def test_whoever_has_another_role_is_told_once(state: State) -> None:
    ed, claire = await enrolled(state, "Ed", 9, Role.ADMINISTRATOR), await enrolled(state, "Claire", 11)
    await invite(state, "Marc")
    marc = await state.officers.by_name("Marc")
    assert marc is not None
    await appoint(state, claire.id, Role.READER, NOW, by=ed.id)
    await appoint(state, marc.id, Role.DRAFTER, NOW, by=ed.id)
    assert await ordered(state) == [], "no change, and nobody who could read it"
    after = await appoint(state, claire.id, Role.DRAFTER, NOW)
    ((officer, body),) = await ordered(state)
    assert officer == claire.id
    shown = told(after, str(body))
    assert shown is not None
    assert shown.parts[0].plain == (
        "👤 Your role here has changed.\nDrafter: Reads, and writes drafts.\n/help lists what you may do now."
    )
    again = await appoint(state, claire.id, Role.ADMINISTRATOR, NOW + 1, by=ed.id)
    assert told(again, str(body)) is None, "the second message says so"
    await appoint(state, ed.id, Role.RELEASER, NOW + 2, by=ed.id)
    assert len(await ordered(state)) == 2, "who did it themselves knows"


async def test_a_role_given_in_chat_is_told_too(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        claire = await enrolled(stage.state, "Claire", 11)
        assert "Drafter: Reads, and writes drafts." in await stage.presses(
            encode("staff", "role", claire.id, "drafter")
        )
        assert [officer for officer, _ in await ordered(stage.state)] == [claire.id]
