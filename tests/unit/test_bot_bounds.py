"""Forged buttons fill no database."""

from pathlib import Path

import pytest

from bots.duty.roster import Takeover
from bots.parsing.actions import Action
from bots.searches.drafts import VALUES_MAX, pressed, typed
from bots.searches.watching import Search
from bots.state import State
from bots.state.rosters import AGENCY
from bots.wording.words import words
from schemas.errors import FormatError, OperationError
from schemas.vocabulary import Language
from tests.support.officers_bot import invite

UNTIL = 10**10


async def test_nobody_takes_over_a_roster_that_there_is_not(tmp_path: Path) -> None:
    async with await State.open(tmp_path / "state") as state:
        await invite(state, "Ed")
        (ed,) = await state.officers.all()
        await state.cells.begin("games", "Great Games", 0.0)
        cell = await state.cells.named("games")
        assert cell is not None
        for roster in (AGENCY, cell.id, cell.id + 1, 999_999_999):
            await state.rosters.take_over(roster, Takeover(ed.id, UNTIL))
        rows = await state.store.query("SELECT roster FROM takeovers ORDER BY roster")
        assert [each for (each,) in rows] == [AGENCY, cell.id]


def test_a_search_asks_for_so_many_of_a_kind_and_no_more() -> None:
    draft = Search()
    for number in range(VALUES_MAX):
        draft = pressed(Action("sub", ("tc", f"c{number}")), draft, ())
        draft = typed("tactics", f"T{1000 + number}", draft, 0.0, words(Language.ENGLISH))
    with pytest.raises(FormatError):
        pressed(Action("sub", ("tc", "one-more")), draft, ())
    with pytest.raises(OperationError):
        typed("tactics", "T9999", draft, 0.0, words(Language.ENGLISH))
    assert len(pressed(Action("sub", ("tc", "c0")), draft, ()).filters.communities) == VALUES_MAX - 1
