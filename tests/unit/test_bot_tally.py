"""Who answered a bulletin."""

from zoneinfo import ZoneInfo

from bots.officers.roles import Role
from bots.state.officers import Officer
from bots.telling.tally import ANSWERS_MAX, tally
from schemas.vocabulary import Language
from subscribers.records import Record
from tests.support.node_api import make_record

ED = Officer(1, "Ed", Role.READER, Language.ENGLISH, ZoneInfo("UTC"), None, 7, 7, reachable=True)
UNTIL = "2026-03-02T18:00:00Z"
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
    assert "The buttons open the answers." in text
    assert [each.text for row in tally(ED, REQUEST, answers).rows for each in row] == ["FRA-2026-0002"]
    assert tally(ED, REQUEST, answers[:3]).rows == ()
    assert "Only the latest" in tally(ED, REQUEST, answers * ANSWERS_MAX).parts[0].plain


def test_of_a_channel_the_last_word_of_each_agency_counts_and_what_was_withdrawn_does_not() -> None:
    address = {"address": "https://example.org/channel"}
    reported = make_record(1, kind="channel", channel={**address, "state": "reported"})

    def said(agency: str, state: str) -> Record:
        links = [{"relation": "responds-to", "id": reported.bulletin.id}]
        made = make_record(2, kind="channel", channel={**address, "state": state}, links=links)
        return made.model_copy(update={"agency": agency, "agency_name": agency})

    gone = answer("sighting", "sights", "Japan").model_copy(update={"state": "retracted"})
    newest_first = [said("France", "blocked"), said("Japan", "confirmed"), said("France", "confirmed"), gone]
    text = tally(ED, reported, newest_first).parts[0].plain
    assert "confirmed: 1 agency\nJapan" in text
    assert "blocked: 1 agency\nFrance" in text
    assert "Sighting: 0 agencies" in text


def test_of_a_question_it_says_how_many_of_those_asked_have_answered() -> None:
    answers = [answer("response", "responds-to", "Japan"), answer("sighting", "sights", "France")]
    assert "1 of 14 other agencies have answered." in tally(ED, REQUEST, answers, 14).parts[0].plain
    assert "have answered" not in tally(ED, REQUEST, answers).parts[0].plain
