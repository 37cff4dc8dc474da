"""Who may end a takeover, what is asked before, who is told of what; and that nothing is told that is not."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bots.duty import duties, takeovers
from bots.duty.duties import Board
from bots.duty.ringing import Pace, Ways
from bots.duty.roster import Duty, Takeover, Turn
from bots.officers.roles import Role
from bots.state import State
from bots.state.jobs import Job, Priority
from bots.state.officers import Officer
from bots.state.rosters import AGENCY
from schemas.vocabulary import Language
from tests.support.officers_bot import invite

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
UNTIL = NOW + 8 * 3600
PARIS = ZoneInfo("Europe/Paris")
WAYS = Ways(Pace(every=180.0, calls=3), PARIS)
NAMES = {1: "Claire", 2: "Bruno", 3: "Ed"}
CLAIRE, BRUNO, ED = (
    Officer(number, name, role, Language.ENGLISH, PARIS, None, number, number, reachable=True)
    for number, name, role in (
        (1, "Claire", Role.ADMINISTRATOR),
        (2, "Bruno", Role.READER),
        (3, "Ed", Role.READER),
    )
)
EDS = Turn(ED.id, NOW - 3600, UNTIL)


def board(*turns: Turn, taken: int = 0, title: str = "") -> Board:
    held = Takeover(taken, UNTIL) if taken else None
    return Board(AGENCY, title, (), Duty(NOW, turns, held), NAMES)


def labels(officer: Officer, shown: Board) -> list[str]:
    return [each.text for row in duties.shown(officer, shown, WAYS).rows for each in row]


def told(made: list[Job], officer: Officer) -> str:
    """What one officer is told, '' for nothing."""
    bodies = [each.body for each in made if each.officer == officer.id]
    assert len(bodies) <= 1
    return takeovers.told(officer, bodies[0]).parts[0].plain if bodies else ""


def test_the_button_is_there_for_who_may_press_it_with_the_name_on_it() -> None:
    taken = board(EDS, taken=BRUNO.id)
    assert labels(BRUNO, taken) == ["🤝 Hand-over", "↩️ End my takeover"]
    assert labels(CLAIRE, taken) == ["🙋 I take over", "↩️ End the takeover of Bruno"]
    assert labels(ED, taken) == ["🙋 I take over"]
    assert labels(ED, board(EDS)) == ["🤝 Hand-over"]


def test_what_changes_nothing_says_why() -> None:
    taken = board(EDS, taken=BRUNO.id)
    assert takeovers.refused(ED, taken) == "Only Bruno or an administrator can end that."
    assert takeovers.refused(CLAIRE, board(EDS)) == "Nobody has taken over the duty."
    assert [takeovers.refused(each, taken) for each in (BRUNO, CLAIRE)] == ["", ""]
    with pytest.raises(ValueError, match="nobody"):
        takeovers.sure(CLAIRE, board(EDS))


def test_an_administrator_is_asked_with_what_is_then() -> None:
    shown = takeovers.sure(CLAIRE, board(EDS, taken=BRUNO.id))
    assert shown.parts[0].plain == (
        "↩️ End the takeover of Bruno?\n"
        "On duty after that, by the roster: Ed, until Mar 2, 2026, 21:00 UTC+1\nBruno is told of it."
    )
    assert [each.data for row in shown.rows for each in row] == ["duty:end:0:2", "duty:show:0"]
    nobody = takeovers.sure(CLAIRE, board(taken=BRUNO.id)).parts[0].plain
    assert "After that nobody is on duty." in nobody


def test_who_had_the_duty_is_told_who_has_it_and_until_when() -> None:
    made = takeovers.told_taken(board(EDS, title="Summer Games"), BRUNO, UNTIL)
    assert told(made, ED) == (
        "📟 Duty roster · Summer Games\n"
        "Bruno has taken over until Mar 2, 2026, 21:00 UTC+1. You are not on duty any more."
    )
    assert [(each.officer, each.priority) for each in made] == [(ED.id, Priority.CHANGE)]
    assert not takeovers.told(ED, made[0].body).silent
    both = board(EDS, Turn(BRUNO.id, NOW, UNTIL))
    assert [each.officer for each in takeovers.told_taken(both, BRUNO, UNTIL)] == [ED.id]
    assert takeovers.told_taken(board(), BRUNO, UNTIL) == []


def test_who_loses_a_takeover_and_who_has_the_duty_again_are_told_but_not_who_did_it() -> None:
    by_claire = takeovers.told_ended(board(EDS, taken=BRUNO.id), CLAIRE)
    assert "Claire has ended your takeover. You are not on duty any more." in told(by_claire, BRUNO)
    assert "You are on duty again, until Mar 2, 2026, 21:00 UTC+1." in told(by_claire, ED)
    assert told(by_claire, CLAIRE) == ""
    by_himself = takeovers.told_ended(board(EDS, taken=BRUNO.id), BRUNO)
    assert [each.officer for each in by_himself] == [ED.id]
    own = takeovers.told_ended(board(EDS, taken=ED.id), CLAIRE)
    assert "By the roster you are on duty until Mar 2, 2026, 21:00 UTC+1." in told(own, ED)
    assert takeovers.told_ended(board(EDS), CLAIRE) == []
    with pytest.raises(ValueError, match="not what is told"):
        takeovers.told(ED, by_claire[0].body.replace("ended", "eaten"))


def test_a_card_says_of_which_moment_it_is() -> None:
    later = replace(board(EDS), duty=Duty(NOW + 60, (EDS,)))
    assert "As of Mar 2, 2026, 13:01 UTC+1" in duties.shown(ED, later, WAYS).parts[0].plain


async def test_what_did_not_happen_is_not_told(tmp_path: Path) -> None:
    async with await State.open(tmp_path / "state") as state:
        await invite(state, "Ed")
        await invite(state, "Bruno")
        ed, bruno = await state.officers.all()
        mine, rosters = Takeover(bruno.id, UNTIL), state.rosters
        made = takeovers.told_taken(board(Turn(ed.id, NOW, UNTIL)), bruno, UNTIL)
        assert not await rosters.take_over(7, mine, made, NOW)  # there is no such event
        assert await state.outbox.counts() == {}
        assert await rosters.take_over(AGENCY, mine, made, NOW)
        assert await state.outbox.counts() == {"queued": 1}
        ended = takeovers.told_ended(board(Turn(ed.id, NOW, UNTIL), taken=bruno.id), bruno)
        assert not await rosters.hand_back(AGENCY, Takeover(ed.id, UNTIL), ended, NOW + 1)
        assert await rosters.takeover(AGENCY) == mine
        assert await rosters.hand_back(AGENCY, mine, [replace(each, key="again") for each in ended], NOW + 1)
        assert await state.outbox.counts() == {"queued": 2}
        assert await rosters.takeover(AGENCY) is None
