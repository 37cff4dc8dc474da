"""What a digest lists, in which order, and nothing twice."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bots.digests.contents import WAITING_MAX, Gathered, answers_to, gather, more, with_questions
from bots.duty.roster import Shift, last_turn, reliefs
from bots.showing.release import Ceiling
from bots.showing.render import Reader, Section, listing
from bots.wording.words import words
from schemas.vocabulary import Language, Tlp
from subscribers.records import Record
from tests.support.node_api import make_record

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
LATER, EARLIER = "2026-03-02T18:00:00Z", "2026-03-02T11:00:00Z"
PARIS, KATHMANDU = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Kathmandu")
DAILY = frozenset(range(7))


def refs(gathered: Gathered) -> tuple[list[int], ...]:
    sections = ((*gathered.waiting, *gathered.unanswered), gathered.news, gathered.changes)
    return tuple([int(each.bulletin.ref[-4:]) for each in some] for some in sections)


def found(
    *period: Record, kept: tuple[Record, ...] = (), acknowledged: tuple[Record, ...] = ()
) -> tuple[list[int], ...]:
    ids = {each.bulletin.id for each in acknowledged}
    return refs(gather(period, [*kept, *period], ids, Ceiling(), NOW))


def change(number: int, kind: str, of: Record, **fields: object) -> Record:
    relation = {"amendment": "amends", "retraction": "retracts", "response": "responds-to"}[kind]
    return make_record(number, kind=kind, links=[{"relation": relation, "id": of.bulletin.id}], **fields)


def test_what_waits_comes_first_and_stands_nowhere_else() -> None:
    before = make_record(9, severity="high")
    low, high, flash = (make_record(n, severity=s) for n, s in ((1, "low"), (2, "high"), (3, "flash")))
    assert found(low, high, flash, kept=(before,)) == ([3, 9, 2], [1], [])
    assert found(low, high, flash, kept=(before,), acknowledged=(flash, before)) == ([2], [3, 1], [])
    assert found(high, high) == ([2], [], [])


def test_a_request_waits_until_it_is_answered_or_its_deadline_has_passed() -> None:
    request = make_record(1, kind="request", severity="low", valid_until=LATER)
    over = make_record(2, kind="request", severity="low", valid_until=EARLIER)
    forever = make_record(3, kind="request", severity="low")
    assert found(request, over, forever) == ([1, 3], [2], [])
    assert found(request, acknowledged=(request,)) == ([1], [], [])
    answer = change(4, "response", request).model_copy(update={"own": True})
    assert found(request, kept=(answer,)) == ([], [1], [])
    others = change(4, "response", request)
    assert found(request, kept=(others,)) == ([1], [], [])


def test_a_hand_over_tells_of_the_agencys_own_open_questions() -> None:
    def own(number: int, **fields: object) -> Record:
        return make_record(number, kind="request", **fields).model_copy(update={"own": True})

    soon, forever = own(1, valid_until=LATER), own(2)
    closed, secret = own(3, valid_until=EARLIER), own(4, tlp="TLP:RED", valid_until=LATER)
    gone = own(5).model_copy(update={"state": "retracted"})
    theirs = make_record(6, kind="request", valid_until=LATER)
    kept = [forever, soon, closed, secret, gone, theirs]
    told = with_questions(gather([soon, theirs], kept, (), Ceiling(), NOW), kept, Ceiling(), NOW)
    assert [each.bulletin.ref for each in told.asked] == [soon.bulletin.ref, forever.bulletin.ref]
    assert refs(told) == ([6], [], [])
    heads = [head for head, _ in told.headed(words(Language.ENGLISH))]
    assert heads == ["⏳ 💬 Your agency has not answered", "❓ Open questions of your agency"]


def test_answers_are_counted_by_agency_and_under_the_ceiling() -> None:
    asked = make_record(1, kind="request").model_copy(update={"own": True})
    one, withheld = change(2, "response", asked), change(3, "response", asked, tlp="TLP:RED")
    taken_back = change(4, "response", asked).model_copy(update={"state": "retracted"})
    other = change(5, "response", make_record(9, kind="request"))
    assert answers_to(asked, [asked, withheld, taken_back, other], Ceiling()) == 0
    assert answers_to(asked, [asked, one, change(6, "response", asked)], Ceiling()) == 1
    part = Section("Asked", [asked], {asked.bulletin.id: "1 agency has answered."})
    reader = Reader(Language.ENGLISH, PARIS)
    assert (
        "1 agency has answered." in listing([], Ceiling(), reader, title="", sections=[part]).parts[0].plain
    )
    closed = listing([], Ceiling(Tlp.CLEAR, Tlp.CLEAR, "https://r"), reader, title="", sections=[part])
    assert "has answered" not in closed.parts[0].plain


def test_what_was_changed_is_told_by_the_change() -> None:
    first, gone, held = make_record(1), make_record(2), make_record(3)
    amended, retracted = change(4, "amendment", first), change(5, "retraction", gone)
    first = first.model_copy(update={"state": "amended", "replaced_by": amended.bulletin.id})
    gone = gone.model_copy(update={"state": "retracted", "replaced_by": retracted.bulletin.id})
    assert found(first, gone, held, amended, retracted) == ([], [3], [4, 5])
    expired = make_record(6, severity="high", valid_until=EARLIER)
    own = make_record(7, severity="high").model_copy(update={"own": True})
    assert found(expired, own) == ([], [6, 7], [])


def test_what_waits_is_told_ten_at_a_time_and_nothing_is_passed_over() -> None:
    """Also when what was told is acknowledged between, and when all are of one severity and one moment."""
    kept = [make_record(each, severity="flash" if each > 20 else "high") for each in range(1, 25)]
    say = words(Language.ENGLISH)

    def gone_on(after: Record | None, *acknowledged: Record) -> Gathered:
        ids = {each.bulletin.id for each in acknowledged}
        return gather(kept[:3], kept, ids, Ceiling(), NOW, after)

    first = gone_on(None)
    assert (len(first.waiting), first.left) == (WAITING_MAX, 14)
    assert first.also == {each.bulletin.id for each in kept} - {each.bulletin.id for each in first.waiting}
    second = gone_on(first.waiting[-1], *first.waiting)
    third = gone_on(second.waiting[-1], second.waiting[-1])
    seen = [each.bulletin.ref for page in (first, second, third) for each in page.waiting]
    assert len(seen) == 24
    assert set(seen) == {each.bulletin.ref for each in kept}
    assert more(second, say) == (
        "⏳ 14 more bulletins wait for you. Here are the worst 10; a button shows the next."
    )
    assert (more(third, say), third.left) == ("⏳ 4 more bulletins wait for you", 0)
    assert more(gone_on(third.waiting[-1]), say) == "⏳ Nothing more waits for you"


def test_the_place_of_what_is_withheld_tells_nothing() -> None:
    red = make_record(1, tlp="TLP:RED", severity="flash")
    calm = make_record(2, tlp="TLP:RED", severity="info")
    mild = make_record(3, severity="low")
    assert found(calm, red, mild) == ([1, 2], [3], [])  # as they were issued
    both = (red, calm)
    assert found(calm, red, mild, acknowledged=both) == ([], [3, 1, 2], [])
    amended = change(4, "amendment", red, tlp="TLP:RED", severity="high")
    assert found(amended, acknowledged=(amended,)) == ([], [4], [])


def test_no_heading_where_everything_is_new() -> None:
    say = words(Language.ENGLISH)
    mild, high = make_record(1), make_record(2, severity="high")
    assert Gathered(news=(mild,)).headed(say) == (("", (mild.bulletin.id,)),)
    headed = Gathered((high,), news=(mild,)).headed(say)
    assert [head for head, _ in headed] == ["⏳ Still waits for you", "🆕 New"]
    cut = Gathered((high,), left=2).headed(say)
    assert [head for head, _ in cut] == [
        "⏳ Still waits for you: 3 bulletins. Here are the worst 1; a button shows the next."
    ]
    assert Gathered().headed(say) == ()


def test_whoever_relieves_somebody_is_handed_over_to_once_the_shift_has_begun() -> None:
    day, night = Shift(1, 1, 8 * 60, 20 * 60, DAILY), Shift(2, 2, 20 * 60, 8 * 60, DAILY)

    def at(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()

    # 20:00 in Kathmandu is 14:15 UTC.
    assert reliefs((day, night), at("2026-03-02T14:14"), KATHMANDU) == []
    ((turn, since),) = reliefs((day, night), at("2026-03-02T14:15"), KATHMANDU)
    assert (turn.officer, turn.since, since) == (2, at("2026-03-02T14:15"), at("2026-03-02T02:15"))
    # The night in which the clocks of Paris go forward has eleven hours.
    ((turn, since),) = reliefs((day, night), at("2026-03-29T06:30"), PARIS)
    assert (turn.officer, turn.since - since) == (1, 11 * 3600)
    assert reliefs((day, night), at("2026-03-29T11:00"), PARIS) == []  # long ago
    alone = Shift(1, 1, 0, 0, DAILY)
    assert reliefs((alone,), at("2026-03-02T00:00"), PARIS) == []  # nobody is relieved
    assert reliefs((replace(day, days=frozenset({0})),), at("2026-03-02T07:30"), PARIS) == []


def test_the_shift_that_an_officer_had_last() -> None:
    night = Shift(2, 2, 20 * 60, 8 * 60, frozenset({0}))  # Monday evening
    monday = datetime(2026, 3, 2, 19, tzinfo=UTC).timestamp()
    tuesday = monday + 13 * 3600
    assert last_turn((night,), 2, monday - 1, PARIS) is None
    for now in (monday, tuesday, tuesday + 40 * 3600):
        turn = last_turn((night,), 2, now, PARIS)
        assert turn is not None
        assert turn.since == monday
    assert last_turn((night,), 2, tuesday + 60 * 3600, PARIS) is None
    assert last_turn((night,), 1, tuesday, PARIS) is None
