"""Who answered a bulletin, and which requests press."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bots.officers.roles import Role
from bots.state.officers import Officer
from bots.telling.tally import ANSWERS_MAX, REMIND, pressing, tally
from schemas.vocabulary import Language
from subscribers.records import Record
from tests.support.node_api import make_record

ED = Officer(1, "Ed", Role.READER, Language.ENGLISH, ZoneInfo("UTC"), None, 7, 7, reachable=True)
UNTIL = "2026-03-02T18:00:00Z"
END = datetime(2026, 3, 2, 18, tzinfo=UTC).timestamp()
REQUEST = make_record(1, kind="request", valid_until=UNTIL)


def answer(kind: str, relation: str, agency: str) -> Record:
    link = {"relation": relation, "id": REQUEST.bulletin.id}
    return make_record(2, kind=kind, links=[link]).model_copy(update={"agency_name": agency})


def test_each_agency_counts_once_for_each_kind_of_answer() -> None:
    answers = [
        answer("acknowledgement", "acknowledges", "France"),
        answer("acknowledgement", "acknowledges", "France"),
        answer("acknowledgement", "acknowledges", "Japan"),
        answer("response", "responds-to", "Japan"),
    ]
    text = tally(ED, REQUEST, answers).parts[0].plain
    assert "Acknowledgement: 2 agencies\nFrance, Japan" in text
    assert "Sighting: 0 agencies" in text
    assert "Response: 1 agency\nJapan" in text
    assert "latest" not in text
    assert "Only the latest" in tally(ED, REQUEST, answers * ANSWERS_MAX).parts[0].plain


def test_a_request_presses_when_its_deadline_is_near_and_nobody_here_has_answered() -> None:
    soon = END - REMIND
    assert pressing([REQUEST], soon - 1) == []
    assert pressing([REQUEST], soon) == [REQUEST]
    assert pressing([REQUEST], END) == []
    theirs = answer("response", "responds-to", "Japan")
    ours = theirs.model_copy(update={"own": True})
    assert pressing([REQUEST, theirs], soon) == [REQUEST]
    assert pressing([REQUEST, ours], soon) == []
    own = REQUEST.model_copy(update={"own": True})
    gone = REQUEST.model_copy(update={"state": "retracted"})
    assert (
        pressing([own, gone, make_record(3, kind="request"), make_record(4, valid_until=UNTIL)], soon) == []
    )
