"""A search of several words that finds nothing: which of them to drop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.node_api import make_record
from tests.support.quiet_house import Stage, staged

HINT = "Or send fewer words"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as here:
        here.node.api.records += [
            make_record(1, title="Seals at the harbour"),
            make_record(2, title="A gate of amber", tlp="TLP:AMBER"),
        ]
        yield here


@pytest.mark.parametrize("filters", ["", " since:2026-01-01", " kind:tactic"])
async def test_the_word_without_which_something_is_found_has_a_button(stage: Stage, filters: str) -> None:
    shown = await stage.asks("/search harbour gate" + filters)
    assert "Nothing found." in shown
    assert HINT in shown
    assert not stage.button("✖️ “harbour”"), "what is withheld is not found"
    drop = stage.button("✖️ “gate”")
    assert "Seals at the harbour" in await stage.presses(drop)


async def test_at_most_three_words_have_one_and_one_word_alone_has_none(stage: Stage) -> None:
    named = ("harbour", "seals", "quay", "crane")
    for number, each in enumerate(named, 10):
        stage.node.api.records += [
            make_record(number, title=" ".join(word for word in named if word != each))
        ]
    await stage.asks("/search harbour seals quay crane")
    assert [bool(stage.button(f"✖️ “{each}”")) for each in named] == [True, True, True, False]
    assert "✖️ “gates”" not in await stage.asks("/search gates since:2026-01-01")
    assert not stage.button("✖️ “gates”")
    assert HINT not in await stage.asks("/search gates since:2026-01-01")


async def test_a_button_of_an_older_search_drops_nothing(stage: Stage) -> None:
    await stage.asks("/search harbour gate")
    drop = stage.button("✖️ “gate”")
    await stage.asks("/search gates")
    assert await stage.presses(drop) == ""
    assert stage.door.toasts[-1].startswith("Another search came after this one.")


async def test_acknowledging_what_is_not_shown_here_says_what_that_says(stage: Stage) -> None:
    unread = "That says that your agency has read it. Its text is not shown here"
    assert unread in await stage.asks("/ack FRA-2026-0002")
    assert unread not in await stage.asks("/ack FRA-2026-0001")
