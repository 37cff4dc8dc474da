"""Words spotted in one bulletin in memory are those that the archive's search finds."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Code, OperationError
from subscribers.spotting import Spotter
from tests.support.node_api import make_record

CHINESE = {"language": "zh", "official": False, "title": "无人机", "body": "无人机飞过体育场上空"}
ARABIC = {"language": "ar", "official": True, "title": "طائرة مسيرة", "body": "شوهدت الطائرات فوق الملعب"}
RUSSIAN = {"language": "ru", "official": False, "title": "Дроны над стадионом"}
RECORD = make_record(
    42,
    title="Drones over the stadium",
    summary="Two quadcopters were seen.",
    translations=[CHINESE, ARABIC, RUSSIAN],
    subjects=[{"type": "organisation", "name": "Harbour Front", "reference": "QDe.001"}],
    event={"name": "Great Games", "venue": "North Arena"},
    tactics=[{"taxonomy": "mitre-attack", "id": "T1566", "name": "Phishing"}],
    indicators=[{"pattern": "[domain-name:value = 'bad.example']"}],
)
SPOTTER = Spotter(RECORD.bulletin)


@pytest.mark.parametrize(
    "words,found",
    [
        ("drone", True),
        ("stadiums drones", True),
        ("drone harbour", True),
        ("drone airport", False),
        ("“over the stadium”", True),
        ("“stadium over”", False),
        ("FRA-2026-0042", True),
        ("games arena", True),
        ("T1566", True),
        ("bad.example", True),
        ("无人机", True),
        ("体育场", True),
        ("机场", False),
        ("الطائرة", True),
        ("المطار", False),
        ("дрон стадион", True),
        ("вокзал", False),
    ],
)
def test_words_are_found_in_every_script(words: str, found: bool) -> None:
    assert SPOTTER.holds(words) is found


@pytest.mark.parametrize("words", ["", "  ", "???", "a" * 401])
def test_what_is_no_question_is_refused(words: str) -> None:
    with pytest.raises(OperationError) as refused:
        SPOTTER.holds(words)
    assert refused.value.code is Code.BAD_REQUEST


@given(st.text(max_size=60))
def test_no_words_are_ever_syntax(words: str) -> None:
    with contextlib.suppress(OperationError):
        assert SPOTTER.holds(words) in {True, False}


def test_a_question_is_answered_the_same_again() -> None:
    spotter = Spotter(RECORD.bulletin)
    assert [spotter.holds("drone"), spotter.holds("port"), spotter.holds("drone")] == [True, False, True]
