"""What is typed without a command: shown, looked for or, after something was turned away, neither; and
nothing of it is kept.
"""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.dialogue.pause import PAUSE_SECONDS
from bots.parsing.actions import DATA_MAX, decode
from bots.parsing.carried import carried, carry
from bots.parsing.commands import clean
from bots.state.outbox import remember
from schemas.errors import Code, FormatError
from tests.support.node_api import make_record
from tests.support.quiet_house import Stage, staged

SECRET = "The courier is called Malachite"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as here:
        here.node.api.records += [make_record(1, title="False seals at the harbour", tlp="TLP:GREEN")]
        yield here


async def test_words_are_looked_for_and_a_reference_is_shown(stage: Stage) -> None:
    found = await stage.asks("seals at the harbour")
    assert "1 bulletin found" in found
    assert "False seals at the harbour" in found
    assert "FRA-2026-0001" in await stage.presses(stage.button("FRA-2026-0001"))
    assert "False seals at the harbour" in await stage.asks("fra 2026 1")
    nothing = await stage.asks("hello")
    assert "Nothing found." in nothing
    assert "/help" in nothing
    for text in ("/nonsense", "", "x" * 300, "…"):
        assert await stage.asks(text) == "That is not a command. /help lists them; /search looks for words."


async def test_what_is_withheld_is_not_found(stage: Stage) -> None:
    stage.node.api.records += [make_record(2, title="Seals of amber", tlp="TLP:AMBER")]
    assert "Nothing found." in await stage.asks("amber")
    assert "amber" not in await stage.asks("seals")


async def test_pages_are_turned_by_the_words_in_the_button_and_nothing_is_kept(stage: Stage) -> None:
    stage.node.api.records += [make_record(each, title=f"Zanzibar {each}") for each in range(10, 22)]
    shown = await stage.asks("zanzibar")
    assert "12 bulletins found" in shown
    for _ in range(2):
        shown += await stage.presses(stage.button("More"))
    assert stage.button("More") == ""
    assert all(shown.count(f"Zanzibar {each}\n") == 1 for each in range(10, 22))
    kept = await stage.kept()
    assert "zanzibar" not in kept
    assert str(carry("plain", 1, "zanzibar")) not in kept
    await stage.presses(carry("plain", 19, "zanzibar") or "")
    assert stage.door.toasts[-1] == "That was the last of them."
    assert await stage.presses(carry("plain", 20, "zanzibar") or "") == ""


async def test_words_too_long_for_a_button_are_for_the_search_command(stage: Stage) -> None:
    words = "harbour customs officers containers inspected"
    stage.node.api.records += [make_record(each, title=f"{words} {each}") for each in range(10, 22)]
    shown = await stage.asks(words)
    assert "12 bulletins found" in shown
    assert "There are more: /search" in shown
    assert stage.button("More") == ""


async def test_what_is_listed_opens_by_button_through_the_gate(stage: Stage) -> None:
    stage.node.api.records += [make_record(6, title="Malachite", body="Green stone.", tlp="TLP:AMBER")]
    for question in ("/latest", "/search seals"):
        assert "Open one with its button" in await stage.asks(question)
        assert "False seals" in await stage.presses(stage.button("FRA-2026-0001"))
    await stage.asks("/latest")
    withheld = await stage.presses(stage.button("FRA-2026-0006"))
    assert "Its marking keeps the text out of chat." in withheld
    assert "Malachite" not in withheld


async def test_what_was_meant_is_offered_and_carried_by_its_button(stage: Stage) -> None:
    record = make_record(3, title="Zanzibar ferry")
    stage.node.api.records += [record]
    async with stage.state.store.write() as tx:
        await tx.run(lambda connection: remember(connection, record, time.time()))
    assert "Did you mean: zanzibar" in await stage.asks("zanzibra")
    assert "Zanzibar ferry" in await stage.presses(stage.button("🔎 zanzibar"))
    assert "zanzibra" not in await stage.kept()
    assert "Did you mean" not in await stage.asks("zanzibra harbour"), "that would find nothing either"
    assert "Did you mean: zanzibar" in await stage.asks("/search zanzibra")
    data = stage.button("🔎 zanzibar")
    await stage.asks("/search harbour")
    assert "Zanzibar ferry" in await stage.presses(data), "whatever was searched since"


async def test_after_a_refused_draft_nothing_is_looked_for_for_ten_minutes(stage: Stage) -> None:
    stage.node.api.records += [make_record(4, title="Malachite mine")]
    await stage.asks("/draft")
    assert "may not be written in this chat" in await stage.presses(stage.button("TLP:AMBER"))
    told = await stage.asks(SECRET)
    assert "neither looked for nor kept. Delete it here" in told
    await stage.asks("/latest")
    assert "Delete it here" in await stage.asks("malachite")
    assert "Malachite mine" in await stage.asks("/search malachite")
    assert "Malachite mine" in await stage.asks("FRA-2026-0004")
    stage.clock.ahead = PAUSE_SECONDS - 5
    assert "Delete it here" in await stage.asks("malachite")
    stage.clock.ahead = PAUSE_SECONDS + 5
    assert "Malachite mine" in await stage.asks("malachite")
    assert "courier" not in await stage.kept()


async def test_a_change_of_what_is_above_the_ceiling_is_such_a_draft_too(stage: Stage) -> None:
    own = make_record(5, title="Own", tlp="TLP:AMBER").model_copy(update={"own": True})
    stage.node.api.records += [own]
    await stage.asks("/amend FRA-2026-0005")
    assert "Delete it here" in await stage.asks(SECRET)


async def test_a_clock_that_is_turned_back_makes_no_pause_longer(stage: Stage) -> None:
    stage.clock.ahead = 86_400.0
    await stage.asks("/draft")
    await stage.presses(stage.button("TLP:RED"))
    stage.clock.ahead = 0.0
    assert "Nothing found." in await stage.asks("hello")


@given(st.integers(0, 19), st.text(max_size=60))
def test_a_button_carries_all_of_its_words_or_none(page: int, text: str) -> None:
    data = carry("plain", page, text)
    if data is None:
        assert not clean(text) or len(clean(text).encode()) > 40
        return
    assert len(data) <= DATA_MAX
    action = decode(data)
    assert (action.number(0), carried(action.arguments[1:])) == (page, clean(text))


@pytest.mark.parametrize("arguments", [(), ("",), ("_w",), ("A",), ("IGE",), ("a.b",), ("YQo",)])
def test_a_forged_button_is_not_read(arguments: tuple[str, ...]) -> None:
    with pytest.raises(FormatError) as refused:
        carried(arguments)
    assert refused.value.code is Code.BAD_REQUEST
