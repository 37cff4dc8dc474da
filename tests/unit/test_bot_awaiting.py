"""What waits for an officer is one thing, whether a hand-over, a digest or `/asked` tells of it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bots.digests.contents import gather, to_agency
from bots.duty.duties import seen
from bots.duty.roster import Shift
from bots.showing.release import Ceiling
from bots.telling.awaiting import Awaits, Eyes, answered_here, awaits, not_answered
from bots.wording.words import words
from schemas.vocabulary import Language, Severity, Tlp
from subscribers.records import Record
from tests.support.node_api import make_record

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
CEILING = Ceiling(Tlp.GREEN, Tlp.AMBER)
LATER, EARLIER = "2026-03-02T18:00:00Z", "2026-03-02T11:00:00Z"


def eyes(*, acknowledged: frozenset[str] = frozenset(), answered: frozenset[str] = frozenset()) -> Eyes:
    return Eyes(CEILING, NOW, acknowledged, answered)


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Bulletins of all markings, some of them questions, some amended, some of them our own."""
    made = []
    for number in range(1, draw(st.integers(0, 8)) + 1):
        one = make_record(
            number,
            kind=draw(st.sampled_from(["request", "threat"])),
            severity=draw(st.sampled_from([each.value for each in Severity])),
            tlp=draw(st.sampled_from([each.value for each in Tlp])),
            valid_until=draw(st.sampled_from([None, LATER, EARLIER])),
        )
        state = draw(st.sampled_from(["current", "amended", "retracted"]))
        made.append(one.model_copy(update={"state": state, "own": draw(st.booleans())}))
    return made


@given(records(), st.data())
def test_a_hand_over_marks_what_asked_calls_open(kept: list[Record], data: st.DataObject) -> None:
    ids = [each.bulletin.id for each in kept]
    chosen = data.draw(st.sets(st.sampled_from(ids)) if ids else st.just(set()))
    replies = [
        make_record(50 + at, kind="response", links=[{"relation": "responds-to", "id": key}]).model_copy(
            update={"own": True}
        )
        for at, key in enumerate(sorted(chosen))
    ]
    answered = answered_here(replies)
    assert answered == chosen
    read = frozenset(data.draw(st.sets(st.sampled_from(ids)) if ids else st.just(set())))
    told = gather([], [*to_agency(kept, CEILING), *replies], read, CEILING, NOW)
    # `/asked` looks at nothing that is marked above a stub, and knows of no acknowledgement.
    asked = {
        each.bulletin.id
        for each in kept
        if each.bulletin.tlp.rank <= CEILING.stub.rank
        and awaits(each, eyes(answered=answered)) is Awaits.ANSWER
    }
    assert {each.bulletin.id for each in told.unanswered} == asked
    assert told.waiting == ()


def test_whether_what_is_withheld_waits_tells_nothing_of_it() -> None:
    for kind in ("request", "threat"):
        for severity in Severity:
            one = make_record(1, kind=kind, severity=severity.value, tlp="TLP:RED", valid_until=LATER)
            assert awaits(one, eyes()) is Awaits.ACKNOWLEDGEMENT
            assert awaits(one, eyes(acknowledged=frozenset({one.bulletin.id}))) is None
            assert awaits(one, eyes(answered=frozenset({one.bulletin.id}))) is Awaits.ACKNOWLEDGEMENT


def test_an_answer_that_was_taken_back_answers_nothing() -> None:
    asked = make_record(1, kind="request")
    links = [{"relation": "responds-to", "id": asked.bulletin.id}]
    ours = make_record(2, kind="response", links=links).model_copy(update={"own": True})
    assert answered_here([ours]) == {asked.bulletin.id}
    assert answered_here([ours.model_copy(update={"state": "retracted"})]) == set()
    assert answered_here([make_record(3, kind="response", links=links)]) == set()


def test_where_not_all_questions_are_named_their_number_is() -> None:
    say = words(Language.ENGLISH)
    assert not_answered(2, 0, say) == "⏳ 💬 Your agency has not answered"
    told = "⏳ 💬 Your agency has not answered 12 questions. Here are the 10 most urgent."
    assert not_answered(10, 2, say) == told


def test_a_roster_is_shown_by_the_clocks_of_whoever_reads_it() -> None:
    """Also where its day is another there, and where clocks stand otherwise on its day."""
    utc, kabul, paris = (ZoneInfo(each) for each in ("UTC", "Asia/Kabul", "Europe/Paris"))
    today = date(2026, 3, 2)
    night = Shift(1, 1, 22 * 60, 6 * 60, frozenset({0, 6}))
    assert seen(night, today, utc, utc) == night
    there = Shift(1, 1, 2 * 60 + 30, 10 * 60 + 30, frozenset({1, 0}))
    assert seen(night, today, utc, kabul) == there
    summer = Shift(1, 1, 23 * 60, 5 * 60, day=date(2026, 7, 1))
    assert seen(summer, today, utc, paris) == Shift(1, 1, 60, 7 * 60, day=date(2026, 7, 2))
