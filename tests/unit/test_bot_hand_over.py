"""A hand-over: which time it tells of and why, what it says of nothing, how what it lists is opened and
acknowledged, and what it says of a change.
"""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import apsw
import pytest

from bots.clock import SystemClock
from bots.digests import limits, stretches
from bots.digests.contents import Gathered
from bots.digests.digesting import Compiler, composed, was_asked
from bots.digests.relief import hand_over, next_waiting
from bots.digests.schedule import Schedule
from bots.digests.stretches import HOUR, Why, Wish, begun, read
from bots.duty.roster import TAKEN_FOR, Shift, Takeover, Turn
from bots.officers.roles import Role
from bots.parsing.actions import decode, encode, short
from bots.searches.watching import Mode, Search, Subscription
from bots.showing.buttons import OTHERS_MAX, WHOLE, Waits, handing, how_to_open
from bots.showing.release import Ceiling
from bots.showing.render import Reader, Section, listing
from bots.showing.rendered import Button, Rendered, Rows
from bots.state import State
from bots.state.lists import Listed
from bots.state.officers import Officer
from bots.state.outbox import Work, remember
from bots.state.rosters import AGENCY
from bots.wording.words import words
from schemas.errors import OperationError
from schemas.vocabulary import Language, Severity, Tlp
from subscribers.records import Filters, Record
from tests.support.node_api import make_record
from tests.support.officers_bot import invite
from tests.support.quiet_house import staged

SAY = words(Language.ENGLISH)
UTC = ZoneInfo("UTC")
ROOM = Ceiling(Tlp.GREEN, Tlp.AMBER, "https://room.example")
NOW = 1_000_000.0


def change(number: int, kind: str, of: Record, **fields: object) -> Record:
    relation = {"amendment": "amends", "retraction": "retracts"}[kind]
    return make_record(number, kind=kind, links=[{"relation": relation, "id": of.bulletin.id}], **fields)


def gone(record: Record, by: Record) -> Record:
    return record.model_copy(update={"state": "retracted", "replaced_by": by.bulletin.id})


@pytest.mark.parametrize(
    "typed, hours",
    [
        *(("8h", 8), ("8", 8), (" 8 H ", 8), ("2d", 48), ("240h", 240), ("10 d", 240), ("30m", 0.5)),
        *(("90 min", 1.5), ("since 13:55", 1.0), ("13:55", 1.0), ("depuis 14:25", 0.5), ("15:55", 23.0)),
        *(("since yesterday 14:55", 24), ("since Sunday", 38 + 55 / 60), ("since today", 14 + 55 / 60)),
    ],
)
def test_hours_and_days_are_read(typed: str, hours: float) -> None:
    now = datetime(2026, 3, 2, 14, 55, tzinfo=UTC).timestamp()
    by_clock = typed.startswith("since") or ":" in typed
    assert read(typed, UTC, now) == (hours * HOUR, Why.SINCE if by_clock else Why.ASKED)


@pytest.mark.parametrize("typed", ["0", "0h", "241h", "11d", "-8h", "8 hours", "last week", "1.5h", "8h 2d"])
def test_other_periods_are_refused_and_nothing_is_none(typed: str) -> None:
    with pytest.raises(OperationError):
        read(typed, UTC, NOW)
    assert read("  ", UTC, NOW) is None


def test_it_begins_with_the_shift_or_twelve_hours_ago_and_says_which() -> None:
    running, last = Turn(1, NOW - 100, NOW + 100), Turn(1, NOW - 900, NOW - 500)
    assert begun([last, None, running], NOW, rostered=True) == (NOW - 100, Why.RUNNING)
    assert begun([last, None], NOW, rostered=True) == (NOW - 900, Why.LAST)
    assert begun([None], NOW, rostered=True) == (NOW - TAKEN_FOR, Why.NOT_LATELY)
    assert begun([], NOW, rostered=False) == (NOW - TAKEN_FOR, Why.NO_ROSTER)
    assert begun([], NOW, rostered=True, taken=True) == (NOW - TAKEN_FOR, Why.TAKEN)
    assert begun([last], NOW, rostered=True, taken=True) == (NOW - 900, Why.LAST)
    assert "Hand-over of the last 30 minutes" in stretches.title(Why.ASKED, "", HOUR / 2, SAY)
    told = {why: stretches.title(why, "20:00", 12 * HOUR + 1, SAY) for why in Why}
    assert told == {
        Why.RUNNING: "Hand-over since your shift began, 20:00",
        Why.LAST: "Hand-over since your last shift began, 20:00",
        Why.NOT_LATELY: "Hand-over of the last 12 hours, as you had no shift in the last two days"
        " (since 20:00)",
        Why.TAKEN: "Hand-over of the last 12 hours, as you took over and had no shift of your own"
        " (since 20:00)",
        Why.NO_ROSTER: "Hand-over of the last 12 hours, as you are on no roster (since 20:00)",
        Why.ASKED: "Hand-over of the last 12 hours, as you asked (since 20:00)",
        Why.SINCE: "Hand-over since 20:00, as you asked",
        Why.RELIEVED: "Hand-over of the shift, since 20:00",
    }
    assert "Hand-over of the last 90 minutes, as" in stretches.title(Why.ASKED, "", 1.5 * HOUR + 1, SAY)
    french = stretches.title(Why.NO_ROSTER, "20:00", HOUR, words(Language.FRENCH))
    assert french.startswith("Passation sur la dernière heure, car")
    assert french.endswith("(depuis le 20:00)")
    assert stretches.title("", "20:00", 0.0, SAY) == told[Why.RELIEVED]  # composed by an older version


def test_without_an_active_subscription_it_says_what_is_listed_and_so_does_a_digest() -> None:
    none = "You have no active subscription"
    paused = [Subscription(1, 1, Search(), paused=True), Subscription(2, 1, Search(mode=Mode.SILENT))]
    for held in ((), paused):
        told = limits.by_subscriptions(held, SAY, whole=True)
        assert told == f"{none}: everything that came is listed. /subscribe"
        assert limits.by_subscriptions(held, SAY, whole=False) == f"{none}, so nothing is listed. /subscribe"
        waits = limits.by_subscriptions(held, SAY, whole=False, waits=True)
        assert waits == (f"{none}, so nothing new is listed: what waits here was told you before. /subscribe")


def test_of_each_question_it_says_that_there_is_nothing() -> None:
    mild = make_record(1)
    assert [head for head, _ in Gathered().headed(SAY, whole=True)] == [
        "⏳ Nothing waits for you",
        "🆕 Nothing new",
        "✏️ Nothing has changed",
    ]
    assert [head for head, _ in Gathered((mild,)).headed(SAY, whole=True)] == [
        "⏳ Still waits for you",
        "🆕 Nothing new but what waits",
        "✏️ Nothing has changed but what waits",
    ]
    headed = Gathered(news=(mild,)).headed(SAY, whole=True)
    assert headed[1] == ("🆕 New", (mild.bulletin.id,))
    assert Gathered().headed(SAY) == ()


def told_of(rows: Rows) -> list[list[str]]:
    return [[each.text for each in row] for row in rows]


def test_what_waits_has_a_button_to_open_and_one_to_acknowledge() -> None:
    high, red, mild = make_record(1), make_record(2, tlp="TLP:RED"), make_record(3)
    rows = handing(Waits([high, red], (), {high.bulletin.id}), [high, red, mild], ROOM, SAY)
    assert told_of(rows) == [
        ["📖 FRA-2026-0001", "✅ Acknowledged"],
        ["🔓 FRA-2026-0002", "✔️ Acknowledge"],
        ["📖 FRA-2026-0003"],
    ]
    assert rows[1][0] == Button(
        "🔓 FRA-2026-0002", url="https://room.example/app/FRA-2026-0002?in=en", app=True
    )
    assert all(row[0].data.startswith("open:") for row in handing(Waits([red]), [red], Ceiling(), SAY))
    many = [make_record(each) for each in range(1, 31)]
    assert sum(map(len, handing(Waits(), many, ROOM, SAY))) == OTHERS_MAX


def test_how_what_is_withheld_is_opened_is_said_where_something_is() -> None:
    green, red = make_record(1), make_record(2, tlp="TLP:RED")
    assert list(how_to_open([], ROOM, SAY)) == []
    assert list(how_to_open([green], ROOM, SAY)) == ["Open one with its button, or send its reference."]
    assert "reading room" in list(how_to_open([green, red], ROOM, SAY))[1]
    told = list(how_to_open([green, red], Ceiling(), SAY))[1]
    assert "liaison-agency chat" in told
    assert "/show FRA-2026-0002" in told


def shown(record: Record, before: Record, ceiling: Ceiling = ROOM) -> str:
    part = Section("Changed", [record], before={record.bulletin.id: before})
    return listing([], ceiling, Reader(Language.ENGLISH, UTC), title="T", sections=[part]).parts[0].plain


def test_a_change_says_from_what_to_what() -> None:
    old = make_record(1, title="Two vans", severity="elevated")
    amended = change(2, "amendment", old, title="Three vans", severity="high")
    raised = "severity raised from “Elevated” to “High” · new title · its title was “Two vans”"
    assert f"Amends FRA-2026-0001: {raised}" in shown(amended, old)
    retracted = change(3, "retraction", old, title="No van")
    assert "FRA-2026-0001 no longer holds: “Two vans”" in shown(retracted, old)
    same = change(4, "amendment", old, title="Two vans", severity="elevated")
    assert "Amends" not in shown(same, old)


def test_nothing_is_said_of_a_change_where_either_word_is_withheld() -> None:
    for before, after in (("TLP:RED", "TLP:GREEN"), ("TLP:AMBER", "TLP:GREEN"), ("TLP:GREEN", "TLP:RED")):
        old = make_record(1, title="Two vans", tlp=before)
        for kind in ("amendment", "retraction"):
            text = shown(change(2, kind, old, title="Three vans", tlp=after), old)
            assert "Two vans" not in text
            assert "0001" not in text


def test_a_list_of_an_older_version_is_read() -> None:
    assert Listed.load('{"records": ["a"], "title": "T", "note": ""}') == Listed(("a",), "T")
    listed = Listed(("a",), "T", "", (("H", ("a",)),), ("a",))
    assert Listed.load(listed.dump()) == listed


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    async with await State.open(tmp_path / "state") as opened:
        yield opened


async def enrolled(state: State) -> Officer:
    ed = await state.officers.enrol(
        await invite(state, "Ed"), chat=7, person=7, language=Language.ENGLISH, now=time.time()
    )
    assert ed is not None
    await state.officers.subscribe(ed.id, Filters())
    return ed


async def handed(state: State, ed: Officer, ceiling: Ceiling, back: Wish | None = None) -> Rendered:
    clock = SystemClock()
    schedule = Schedule(state, clock, lambda: None, ceiling)
    await hand_over(state, schedule, ed, clock.now(), UTC, back=back)
    (work,) = await state.outbox.candidates(clock.now(), (), 9)
    assert was_asked(work)
    assert not was_asked(replace(work, body=composed("shift", [], 0.0, 1.0)))
    compiler = Compiler(state, ceiling, clock)
    listed = await compiler.listed(work)
    assert listed is not None
    made = await compiler.rendered(work, listed)
    for key in listed.records:
        record = await state.outbox.record(key)
        if record is not None and record.bulletin.tlp is Tlp.RED:
            await keep(state, gone(record, record))
    later = await compiler.rendered(work, listed)
    assert not any(row for row in told_of(later.rows) if "0009" in row[0])
    assert "0009" not in later.parts[0].plain
    await state.store.transact(lambda connection: connection.execute("DELETE FROM jobs"))
    return made


async def keep(state: State, *records: Record) -> None:
    def work(connection: apsw.Connection) -> None:
        for each in records:
            remember(connection, each, time.time())

    await state.store.transact(work)


async def compiled(state: State, ceiling: Ceiling) -> tuple[Compiler, Work, Listed]:
    """The only job, taken out of the outbox, and what its message lists."""
    clock = SystemClock()
    (work,) = await state.outbox.candidates(clock.now(), (), 9)
    await state.store.transact(lambda connection: connection.execute("DELETE FROM jobs"))
    compiler = Compiler(state, ceiling, clock)
    listed = await compiler.listed(work)
    assert listed is not None
    assert Listed.load(listed.dump()) == listed
    return compiler, work, listed


async def made_of(
    state: State, ed: Officer, ceiling: Ceiling = ROOM
) -> tuple[Rendered, Callable[[], Awaitable[Rendered]]]:
    """The message of the only job, and how it is made again."""
    compiler, work, listed = await compiled(state, ceiling)
    return await compiler.rendered(work, listed), lambda: compiler.rendered(work, listed)


async def test_the_next_ten_that_wait_are_a_press_away_and_marked_where_they_stand_as_new(
    state: State,
) -> None:
    ed = await enrolled(state)
    kept = [make_record(each, severity="high") for each in range(1, 15)]
    await keep(state, *kept, make_record(20))
    clock = SystemClock()
    await hand_over(state, Schedule(state, clock, lambda: None, ROOM), ed, clock.now(), UTC)
    made, again = await made_of(state, ed)
    text = made.parts[0].plain
    assert "⏳ Still waits for you: 14 bulletins. Here are the worst 10; a button shows the next." in text
    assert "🆕 New\nWith ⏳: waits for you, too" in text
    assert text.count("⏳ 🟠") == 4
    assert "⏳ " not in text[text.index("FRA-2026-0020") - 6 : text.index("FRA-2026-0020")]
    (button,) = [each for row in made.rows for each in row if each.text == "⏭ The next that wait"]
    await state.outbox.acknowledge(kept[12].bulletin.id, ed.id, time.time())
    assert (await again()).parts[0].plain.count("⏳ 🟠") == 3

    action = decode(button.data)
    await next_waiting(state, ed, action.bulletin(), action.number(1), time.time())
    behind, _ = await made_of(state, ed)
    assert behind.parts[0].plain.startswith("⏳ 3 more bulletins wait for you\n")
    assert told_of(behind.rows) == [
        ["📖 FRA-2026-0011", "✔️ Acknowledge"],
        ["📖 FRA-2026-0012", "✔️ Acknowledge"],
        ["📖 FRA-2026-0014", "✔️ Acknowledge"],
    ]
    await next_waiting(state, ed, kept[13].bulletin.id, 0, time.time())
    assert (await made_of(state, ed))[0].parts[0].plain.startswith("⏳ Nothing more waits for you")


async def test_the_button_for_the_next_ten_orders_them(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        record = make_record(1)
        for more in ([], [WHOLE]):
            await stage.presses(encode("waits", short(record.bulletin.id), 3, *more))
            (work,) = await stage.state.outbox.candidates(stage.clock.now(), (), 9)
            told = json.loads(work.body)
            assert (told["kind"], told["after"], told["cell"]) == ("waits", record.bulletin.id, 3)
            assert told["all"] == bool(more)
            await stage.state.store.transact(lambda connection: connection.execute("DELETE FROM jobs"))


async def test_it_is_put_together_from_what_is_kept(state: State) -> None:
    ed = await enrolled(state)
    old, false = make_record(1, title="Two vans"), make_record(2, title="A channel")
    amended, retracted = change(3, "amendment", old, title="Three vans"), change(4, "retraction", false)
    flash = make_record(5, severity="flash", title="A station")
    red = make_record(9, severity="high", tlp="TLP:RED")
    await keep(state, gone(false, retracted), amended, retracted, flash, red)
    await keep(state, old.model_copy(update={"state": "amended", "replaced_by": amended.bulletin.id}))
    made = await handed(state, ed, ROOM)
    text = made.parts[0].plain
    assert text.startswith("🤝 Hand-over of the last 12 hours, as you are on no roster (since ")
    assert "Amends FRA-2026-0001: new title · its title was “Two vans”" in text
    assert "FRA-2026-0002 no longer holds: “A channel”" in text
    assert text.count("A channel") == 1
    assert "Another period: /handover 8h" in text
    assert told_of(made.rows)[:2] == [
        ["📖 FRA-2026-0005", "✔️ Acknowledge"],
        ["🔓 FRA-2026-0009", "✔️ Acknowledge"],
    ]
    await state.outbox.acknowledge(flash.bulletin.id, ed.id, time.time())
    await state.rosters.take_over(AGENCY, Takeover(ed.id, time.time() + HOUR))
    taken = (await handed(state, ed, ROOM)).parts[0].plain
    assert "the last 12 hours, as you took over and had no shift of your own (since " in taken
    await state.rosters.take_over(AGENCY, Takeover(ed.id, time.time() - 1))
    assert "as you are on no roster" in (await handed(state, ed, ROOM)).parts[0].plain
    await state.rosters.add(AGENCY, Shift(0, ed.id, 0, 0, frozenset(range(7))))
    again = await handed(state, ed, ROOM)
    assert again.parts[0].plain.startswith("🤝 Hand-over since your shift began, ")
    asked = (await handed(state, ed, ROOM, Wish(8 * HOUR))).parts[0].plain
    assert asked.startswith("🤝 Hand-over of the last 8 hours, as you asked (since ")
    assert "Nothing waits for you" in asked


async def test_questions_to_the_agency_stand_in_it_whatever_an_officer_subscribes_to(state: State) -> None:
    """And it says by which subscriptions the rest is limited, and what its sign means."""
    ed = await state.officers.enrol(
        await invite(state, "Ed", role=Role.ADMINISTRATOR),
        chat=7,
        person=7,
        language=Language.ENGLISH,
        now=time.time(),
    )
    assert ed is not None
    only = Search(name="High", filters=Filters(severity_at_least=Severity.HIGH))
    await state.officers.subscribe(ed.id, only)
    until = "2099-03-02T18:00:00Z"
    green = make_record(1, kind="request", severity="low", valid_until=until, title="Whose boat?")
    amber = make_record(2, kind="request", severity="low", tlp="TLP:AMBER", valid_until=until)
    secret = make_record(3, kind="request", severity="low", tlp="TLP:RED", valid_until=until)
    await keep(state, green, amber, secret, make_record(4), make_record(5, severity="high"))
    clock = SystemClock()
    schedule = Schedule(state, clock, lambda: None, ROOM)
    await hand_over(state, schedule, ed, clock.now(), UTC)
    made, again = await made_of(state, ed)
    text = made.parts[0].plain
    asked = text[text.index("⏳ 💬 Your agency has not answered") :]
    assert "Whose boat?" in asked
    assert "FRA-2026-0002" in asked
    assert "FRA-2026-0003" not in text
    assert "FRA-2026-0004" not in text
    assert "⏳ waits: what is “High” or graver, and what is named by its reference alone, until you" in text
    assert "Only what your subscription matches: “High”." in text
    assert "Questions to your agency are named whatever you subscribe to: /asked" in text
    assert ["📖 FRA-2026-0001", "💬 Answer"] in told_of(made.rows)
    await state.outbox.acknowledge(green.bulletin.id, ed.id, time.time())
    assert "Whose boat?" in (await again()).parts[0].plain

    await schedule.compose_now(ed)
    digest = (await made_of(state, ed))[0].parts[0].plain
    assert "Whose boat?" not in digest
    assert "Only what your subscription matches: “High”." in digest
    assert "whatever you subscribe to" not in digest


async def test_what_the_agency_issued_does_not_wait_and_is_named_so(state: State) -> None:
    """However grave it is, and where its reference alone is named."""
    ed = await enrolled(state)
    stub, secret, theirs = (
        make_record(number, severity="high", tlp=tlp).model_copy(update={"own": number != 3})
        for number, tlp in ((1, "TLP:AMBER"), (2, "TLP:RED"), (3, "TLP:RED"))
    )
    await keep(state, stub, secret, theirs)
    clock = SystemClock()
    await hand_over(state, Schedule(state, clock, lambda: None, ROOM), ed, clock.now(), UTC)
    made, _ = await made_of(state, ed)
    text = made.parts[0].plain
    waits, news = text[: text.index("🆕 New")], text[text.index("🆕 New") :]
    assert "🔒 FRA-2026-0003 · in the reading room: /room" in waits
    assert " · TLP:AMBER · High · issued by your agency" in news
    assert "🔒 FRA-2026-0002 · issued by your agency · in the reading room: /room" in news
    assert "What your agency issued does not wait." in text


async def test_who_subscribes_to_nothing_is_handed_over_all_that_came(state: State) -> None:
    """Also what waits behind it; a digest has what was told before, and says so."""
    ed = await enrolled(state)
    (only,) = await state.officers.subscriptions(ed.id)
    await state.officers.unsubscribe(ed.id, only.id)
    many = [make_record(each, severity="high") for each in range(1, 13)]
    secret = make_record(30, severity="low", tlp="TLP:RED", title="Malachite")
    mild = make_record(20, title="Two vans")
    ack = make_record(
        40, kind="acknowledgement", links=[{"relation": "acknowledges", "id": mild.bulletin.id}]
    )
    await keep(state, *many, mild, change(21, "amendment", mild, title="Three vans"), secret, ack)
    clock = SystemClock()
    schedule = Schedule(state, clock, lambda: None, ROOM)
    await hand_over(state, schedule, ed, clock.now(), UTC)
    made, _ = await made_of(state, ed)
    text = made.parts[0].plain
    assert "You have no active subscription: everything that came is listed. /subscribe" in text
    assert "Still waits for you: 13 bulletins. Here are the worst 10" in text
    assert "Three vans" in text[text.index("✏️ Changed") :]
    assert "Malachite" not in text
    assert "FRA-2026-0040" not in text
    (button,) = [each for row in made.rows for each in row if each.text == "⏭ The next that wait"]
    action = decode(button.data)
    await next_waiting(state, ed, action.bulletin(), action.number(1), time.time(), whole=True)
    behind, _ = await made_of(state, ed)
    assert behind.parts[0].plain.startswith("⏳ 3 more bulletins wait for you\n")
    assert action.arguments[2:] == (WHOLE,)

    await schedule.compose_now(ed)
    digest = (await made_of(state, ed))[0].parts[0].plain
    assert digest.startswith("🗞 Nothing new since ")
    assert "You have no active subscription, so nothing is listed. /subscribe" in digest
    assert "FRA-2026-" not in digest


async def test_questions_that_it_does_not_name_are_a_press_away(state: State) -> None:
    ed = await enrolled(state)
    until = "2099-03-02T18:00:00Z"
    await keep(state, *[make_record(each, kind="request", valid_until=until) for each in range(1, 13)])
    clock = SystemClock()
    await hand_over(state, Schedule(state, clock, lambda: None, ROOM), ed, clock.now(), UTC)
    made, _ = await made_of(state, ed)
    assert "Your agency has not answered 12 questions. Here are the 10 most urgent." in made.parts[0].plain
    assert made.rows[10] == (Button("💬 All open questions", "asked"),)


async def test_its_chart_counts_the_questions_that_it_lists(state: State) -> None:
    """Also those that no subscription matches, and the agency's own."""
    ed = await enrolled(state)
    (every,) = await state.officers.subscriptions(ed.id)
    await state.officers.unsubscribe(ed.id, every.id)
    await state.officers.subscribe(ed.id, Filters(severity_at_least=Severity.HIGH))
    until = "2099-03-02T18:00:00Z"
    theirs = [make_record(each, kind="request", severity="low", valid_until=until) for each in (1, 2)]
    own = make_record(3, kind="request", severity="high", valid_until=until).model_copy(update={"own": True})
    other, amber = make_record(4), make_record(5, kind="request", tlp="TLP:AMBER", valid_until=until)
    over = make_record(6, kind="request", severity="low", valid_until="2026-01-01T00:00:00Z")
    await keep(state, *theirs, own, other, amber, over, make_record(7, severity="high"))
    clock = SystemClock()
    await hand_over(state, Schedule(state, clock, lambda: None, ROOM), ed, clock.now(), UTC)
    (work,) = await state.outbox.candidates(clock.now(), (), 9)
    compiler = Compiler(state, ROOM, clock)
    counted = [each.bulletin.ref for each in await compiler.counted(work)]
    assert sorted(counted) == [f"FRA-2026-{each:04}" for each in (1, 2, 3, 7)]
    listed = await compiler.listed(work)
    assert listed is not None
    text = (await compiler.rendered(work, listed)).parts[0].plain
    assert all(ref in text for ref in counted)
    assert "FRA-2026-0004" not in text
    assert "FRA-2026-0006" not in text
