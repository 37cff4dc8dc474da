"""A flash rings until somebody on the roster acknowledges it: in chat, and over restarts under a clock that
the test moves.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bots.cells.caretaker import Caretaker
from bots.digests.charting import Charter
from bots.digests.digesting import Compiler
from bots.digests.relief import Relief
from bots.digests.schedule import Schedule
from bots.duty.ringing import Pace, Ways
from bots.duty.roster import Shift
from bots.sandbox.client import SandboxUser
from bots.showing.release import Ceiling
from bots.state import State
from bots.state.rosters import AGENCY
from bots.telling.calling import Caller
from bots.telling.intake import Intake
from bots.telling.reminding import Reminder
from bots.telling.ringer import Ringer
from bots.times import Quiet
from bots.times import Schedule as Times
from schemas.vocabulary import Language, Severity, Tlp
from subscribers.records import Filters, Record
from tests.support.node import DirectNode, Handed
from tests.support.node_api import make_record
from tests.support.officers_bot import buttons, invite, pressed, running_bot, says, text_of

FLASH = make_record(42, title="Drone over the stadium", severity="flash")
START = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
ALWAYS = frozenset(range(7))
WAYS = Ways(Pace(every=180.0, calls=2), ZoneInfo("Europe/Paris"))


@dataclass
class Moved:
    """A clock that stands until it is moved."""

    at: float = START

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def test_a_night_on_duty(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node, ring_minutes=0.02, ring_calls=1) as stage:
        claire = await stage.enrol("Claire", administrator=True)
        ed, irina = await stage.enrol("Ed"), await stage.enrol("Irina")
        for officer in await stage.state.officers.all():
            await stage.state.officers.set_language(officer.id, Language.ENGLISH)
            await stage.state.officers.set_quiet(officer.id, Quiet(0, 24 * 60 - 1))
        assert "Nobody is on it" in text_of(await ed.ask("/duty"))
        assert "Only administrators" in text_of(await ed.ask("/duty add Ed daily 00:00-00:00"))
        assert "There is no officer of that name" in text_of(await claire.ask("/duty add Bo mon 08:00-20:00"))
        assert "/duty add" in text_of(await claire.ask("/duty add Ed sometimes"))
        later = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
        await claire.ask(f"/duty add irina {later} 08:00-20:00")
        assert "On duty now: Ed, until" in text_of(await claire.ask("/duty add Ed daily 00:00-00:00"))

        await node.arrive(FLASH)  # nobody subscribes to anything: whoever is on duty is told
        await ed.next_message(says("Drone over the stadium"))
        second = await ed.next_message(says("Call 2."))
        assert buttons(second) == ["✔️ Acknowledge", "📖 Open"]
        next_one = await irina.next_message(says("Drone over the stadium"))
        in_vain = await claire.next_message(says("nobody has acknowledged it"))
        await ed.next_message(says("Call 3."))
        await stage.lines.until(event="delete", message=second["message_id"])
        await claire.press("Open", in_vain)
        await claire.next_message(says("Drone over the stadium"))

        await irina.press("Acknowledge", next_one)
        said = says("Acknowledged by Irina")
        shown = says("Drone over the stadium")
        await ed.next_edit(lambda each: said(each) and shown(each))
        await ed.next_edit(lambda each: said(each) and not shown(each))
        await irina.next_edit(lambda each: said(each) and shown(each))
        await claire.next_edit(says("Acknowledged by Irina"))
        assert await stage.state.bells.open() == []

        duty = await irina.ask("/duty")
        await irina.press("I take over", duty)
        assert "On duty now: Irina" in text_of(await irina.next_edit(says("On duty now: Irina")))
        assert "Irina has taken over until" in text_of(await ed.next_message(says("not on duty any more")))
        assert [each for each in buttons(await ed.ask("/duty")) if "End" in each] == []
        await irina.press("Hand-over", duty)
        await irina.next_message(says("as you took over"))
        await irina.press("End my takeover", duty)
        await irina.next_edit(says("On duty now: Ed"))
        await ed.next_message(says("Irina has ended the takeover. You are on duty again"))
        await its_end_by_an_administrator(claire, irina)
        assert "Acknowledgement: 1 agency" in text_of(await ed.ask("/tally FRA-2026-0042"))
        await its_hand_over(ed)
        await claire.press("Delete 1", await claire.ask("/duty"))
        assert "2 ·" not in text_of(await claire.next_edit())
        await an_event(node, tmp_path, (claire, ed, irina))


async def its_end_by_an_administrator(claire: SandboxUser, irina: SandboxUser) -> None:
    """Asked once, with the name; and whose it was hears of it."""
    assert "On duty now: Irina" in text_of(await irina.ask("/duty take"))
    assert "You are on duty already" in text_of(await irina.ask("/duty take"))
    duty = await claire.ask("/duty")
    asked = await pressed(claire, "End the takeover of Irina", duty)
    assert "On duty after that, by the roster: Ed, until" in text_of(asked)
    assert "On duty now: Ed" in text_of(await pressed(claire, "End it", asked))
    await irina.next_message(says("Claire has ended your takeover. You are not on duty any more."))
    assert "Nobody has taken over" in text_of(await claire.ask("/duty back"))


async def its_hand_over(ed: SandboxUser) -> None:
    """Of the shift, with what waits: opened and acknowledged from there."""
    assert "/handover 8h" in text_of(await ed.ask("/handover yesterday"))
    handed = await ed.ask("/handover")
    told = text_of(handed)
    assert told.startswith("🤝 Hand-over since your shift began, ")
    assert told.index("Still waits for you") < told.index("Drone over the stadium")
    assert "Nothing has changed but what waits" in told
    assert buttons(handed) == ["📖 FRA-2026-0042", "✔️ Acknowledge"]
    await ed.press("FRA-2026-0042", handed)
    await ed.next_message(says("Drone over the stadium"))
    await ed.press("Acknowledge", handed)
    await ed.next_edit(lambda each: buttons(each) == ["📖 FRA-2026-0042", "✅ Acknowledged"])
    opened = says("Drone over the stadium")
    await ed.next_edit(lambda each: opened(each) and "✅ Acknowledged" in buttons(each))
    calm = text_of(await ed.ask("/handover 8h"))
    assert calm.startswith("🤝 Hand-over of the last 8 hours, as you asked (since ")
    assert "Nothing waits for you" in calm


async def an_event(
    node: DirectNode, folder: Path, people: tuple[SandboxUser, SandboxUser, SandboxUser]
) -> None:
    """From its beginning to its bundle."""
    claire, ed, irina = people
    for person in (claire, irina):
        await person.ask("/digest quiet off")
    assert "Only administrators" in text_of(await ed.ask("/event new games Summer Games"))
    assert "Running. No end is set." in text_of(await claire.ask("/event new games Summer Games"))
    await by_its_menu(claire)
    named = {"event": {"name": "Summer Games"}}
    crowd, hidden = make_record(50, title="Crowd", **named), make_record(51, tlp="TLP:AMBER", **named)
    await node.arrive(crowd, hidden)
    await node.handled(hidden)
    cell = await irina.ask("/event summer games")
    assert "the agency's duty roster holds" in text_of(cell)
    last = text_of(await irina.next_message(says("Last bulletins of Summer Games")))
    assert "Crowd" in last
    assert "0051" not in last
    await irina.press("Situation report now", cell)
    report = text_of(await irina.next_message(says("Summer Games: situation report")))
    assert "Crowd" in report
    assert "0051" not in report
    await irina.press("Send me situation reports", cell)
    await irina.next_edit(lambda each: "No situation reports" in str(buttons(each)))
    menu = await pressed(claire, "Change", await claire.ask("/event games"))
    menu = await pressed(claire, "Close the event", menu)
    assert "Close Summer Games?" in text_of(menu)
    await claire.press("Close the event", menu)
    await claire.next_message(says("All its bulletins are kept in the bundle games-"))
    await irina.next_message(says("Summer Games is over"))
    (bundle,) = (folder / "bundles").iterdir()
    assert bundle.name.startswith("games-")
    assert "Closed" in text_of(await ed.ask("/event games"))


async def by_its_menu(claire: SandboxUser) -> None:
    """An administrator changes the event by buttons; what has none is the next line."""
    menu = await pressed(claire, "Change", await claire.ask("/event games"))
    menu = await pressed(claire, "High", menu)
    assert "✅ 🔴 High" in buttons(menu)
    menu = await pressed(claire, "07:00", menu)
    assert "Situation report every day at 07:00" in text_of(menu)
    menu = await pressed(claire, "No situation reports", menu)
    assert "✅ No situation reports" in buttons(menu)
    await pressed(claire, "Dates", menu)
    assert "2026-07-26 2026-08-11" in text_of(await claire.ask("2026-08-11 2026-07-26"))
    assert "It closes by itself after" in text_of(await claire.ask("2026-07-26 2999-08-11"))
    menu = await pressed(claire, "Change", await claire.ask("/event games"))
    await pressed(claire, "Venues", menu)
    assert "Stadium North, Arena" in text_of(await claire.ask("Stadium North, Arena"))


async def officer(state: State, name: str, *, administrator: bool = False) -> int:
    """Enrolled, in a chat of the same number."""
    number = len(await state.officers.all()) + 1
    code = await invite(state, name, administrator=administrator)
    made = await state.officers.enrol(
        code, chat=number, person=number, language=Language.ENGLISH, now=time.time()
    )
    assert made is not None
    return made.id


async def jobs(state: State) -> list[tuple[str, int, str]]:
    """Verb, officer and which call of every job that waits; they count as done then."""
    sql = "SELECT verb, officer, iif(verb = 'call', body, '') FROM jobs WHERE state = 'queued' ORDER BY id"
    rows = await state.store.query(sql)
    async with state.store.write() as tx:
        await tx.execute("UPDATE jobs SET state = 'done' WHERE state = 'queued'")
    return [tuple(row) for row in rows]


@dataclass
class Watch:
    """A ringer and an intake that a test looks through, under its own clock."""

    state: State
    clock: Moved

    @property
    def ringer(self) -> Ringer:
        return Ringer(self.state, self.clock, WAYS, lambda: None)

    async def arrive(self, *records: Record) -> None:
        node = DirectNode()
        for each in records:
            await Intake(node, self.state, self.clock, lambda: None, Ceiling()).take(Handed(each, node))

    async def after(self, minutes: float) -> list[tuple[str, int, str]]:
        """What is to be sent when so many minutes have passed."""
        self.clock.at += minutes * 60
        await self.ringer.look()
        return await jobs(self.state)


async def test_calls_go_on_after_a_restart_where_they_stopped(tmp_path: Path) -> None:
    clock = Moved()
    async with await State.open(tmp_path) as state:
        watch = Watch(state, clock)
        ed, irina = await officer(state, "Ed"), await officer(state, "Irina", administrator=True)
        await state.officers.subscribe(irina, Filters())
        await state.rosters.add(AGENCY, Shift(0, ed, 8 * 60, 20 * 60, ALWAYS))
        await state.rosters.add(AGENCY, Shift(0, irina, 20 * 60, 8 * 60, ALWAYS))
        await watch.arrive(FLASH)
        assert await watch.after(0) == [("alert", irina, ""), ("alert", ed, "")]
        assert await watch.after(2.9) == []
        assert await watch.after(0.1) == [("call", ed, "2")]
    async with await State.open(tmp_path) as state:
        watch = Watch(state, clock)
        assert await watch.after(60) == [("call", irina, "1"), ("call", ed, "3")]
        assert await watch.after(3) == [("call", ed, "4"), ("call", irina, "2")]
        assert await watch.after(3) == [("call", ed, "5"), ("call", irina, "3"), ("unheard", irina, "")]
        assert await watch.after(0) == []


async def test_what_ends_a_bell(tmp_path: Path) -> None:
    clock = Moved()
    async with await State.open(tmp_path) as state:
        watch = Watch(state, clock)
        ed, other = await officer(state, "Ed"), await officer(state, "Other")
        await watch.arrive(make_record(1, severity="flash"))
        assert await watch.after(0) == []  # no roster: nobody is called
        await state.rosters.add(AGENCY, Shift(0, ed, 0, 0, ALWAYS))

        async def rings(record: Record) -> bool:
            await watch.after(0)
            return record.bulletin.id in {each.record for each in await state.bells.open()}

        first = make_record(2, severity="flash")
        await watch.arrive(first)
        await state.outbox.acknowledge(first.bulletin.id, other, clock.at)
        assert await rings(first)  # by somebody who is not on the roster
        await watch.arrive(acknowledgement(first, f"officer-{other}"))
        assert await rings(first)
        await watch.arrive(acknowledgement(first, f"officer-{ed}"))
        assert not await rings(first)

        second, third = make_record(3, severity="flash"), make_record(4, severity="flash")
        await watch.arrive(second, third)
        await watch.arrive(acknowledgement(second, "terminal"))
        amended = make_record(
            5, kind="amendment", severity="flash", links=[{"relation": "amends", "id": third.bulletin.id}]
        )
        await watch.arrive(amended)
        assert [await rings(each) for each in (second, third, amended)] == [False, False, True]
        retraction = make_record(
            6,
            kind="retraction",
            severity="flash",
            links=[{"relation": "retracts", "id": amended.bulletin.id}],
        )
        await watch.arrive(retraction)
        assert [await rings(each) for each in (amended, retraction)] == [False, False]
        await state.staff.remove(ed)
        await watch.arrive(make_record(7, severity="flash"))
        assert await watch.after(0) == []
        assert await state.bells.open() == []


async def test_digests_once_for_each_period_in_whichever_zone(tmp_path: Path) -> None:
    clock = Moved(at("2018-11-03T12:00"))  # that night Brazil went from 00:00 to 01:00
    async with await State.open(tmp_path) as state:
        ed = await officer(state, "Ed")
        schedule = Schedule(state, clock, lambda: None, Ceiling())
        await state.officers.set_zone(ed, ZoneInfo("America/Sao_Paulo"))
        await state.officers.set_digest(ed, Times("daily", 0), now=clock.at)
        for _ in range(12 * 24):
            clock.at += 600
            await schedule.ring()
        assert await periods(state) == ["daily-2018-11-04", "daily-2018-11-05"]
        await state.officers.set_zone(ed, ZoneInfo("Asia/Kathmandu"))  # nearly eight hours ahead
        for _ in range(12):
            clock.at += 3600
            await schedule.ring()
        await state.officers.set_zone(ed, ZoneInfo("America/Sao_Paulo"))  # and back: that date was told
        for _ in range(36):
            clock.at += 3600
            await schedule.ring()
        assert await periods(state) == [f"daily-2018-11-0{day}" for day in (4, 5, 6, 7)]


async def test_an_empty_digest_is_left_out_for_whoever_wants_none(tmp_path: Path) -> None:
    clock = Moved()
    async with await State.open(tmp_path) as state:
        ed = await officer(state, "Ed")
        schedule, compiler = (
            Schedule(state, clock, lambda: None, Ceiling()),
            Compiler(state, Ceiling(), clock),
        )
        await state.officers.subscribe(ed, Filters())
        await state.officers.set_digest(ed, Times("daily", 7 * 60), now=clock.at)
        for skip, wanted in ((False, "Nothing new since"), (True, None)):
            await state.officers.skip_empty(ed, skip=skip)
            clock.at += 86_400
            await schedule.ring()
            (work,) = await state.outbox.candidates(clock.at, (), 10)
            listed = await compiler.listed(work)
            assert (wanted in listed.title) if wanted and listed else listed is None
            await state.outbox.finish(work)
        await Watch(state, clock).arrive(make_record(1, title="Mild"))
        await jobs(state)
        clock.at += 86_400
        await schedule.ring()
        (work,) = await state.outbox.candidates(clock.at, (), 10)
        assert (await compiler.listed(work)) is not None
        (held,) = await state.officers.subscriptions(ed)
        await state.officers.pause(ed, held.id, paused=True)  # what is watched for is asked again
        assert await compiler.listed(work) is None


async def test_a_chart_follows_its_digest_once_of_what_may_be_shown_and_is_wanted(tmp_path: Path) -> None:
    clock = Moved()
    async with await State.open(tmp_path) as state:
        ed = await officer(state, "Ed")
        await state.officers.subscribe(ed, Filters())
        await state.officers.set_digest(ed, Times("daily", 7 * 60), now=clock.at)
        amber = make_record(4, tlp="TLP:AMBER")
        await Watch(state, clock).arrive(*(make_record(number) for number in (1, 2, 3)), amber)
        await jobs(state)
        clock.at += 86_400
        for _ in range(3):
            await Schedule(state, clock, lambda: None, Ceiling()).ring()
        (digest,) = await state.outbox.candidates(clock.at, (), 10)
        await state.outbox.finish(digest)
        (work,) = await state.outbox.candidates(clock.at, (), 10)
        assert (digest.verb, work.verb, work.key) == ("digest", "chart", f"chart:{digest.key}")
        for ceiling, counted in ((Ceiling(), 3), (Ceiling(Tlp.AMBER, Tlp.RED), 4), (Ceiling(Tlp.CLEAR), 0)):
            charter = Charter(state, ceiling, Compiler(state, ceiling, clock))
            made = await charter.made(work)
            assert (len(made[0].records) if made else 0) == counted
            assert made is None or f"{counted} bulletins in all" in made[1].parts[0].plain
        await state.outbox.depart([work])  # and the process is killed
        assert await state.outbox.recover() == 1
        (again,) = await state.outbox.candidates(clock.at, (), 10)
        charter = Charter(state, Ceiling(), Compiler(state, Ceiling(), clock))
        repeated = await charter.made(again)
        assert repeated is not None
        assert "Possibly a repeat" in repeated[1].parts[0].plain
        await state.officers.set_charts(ed, wanted=False)
        assert await charter.made(again) is None
        await state.officers.set_charts(ed, wanted=True)
        assert await charter.made(again) == repeated
        await state.outbox.finish(again)
        assert await state.outbox.candidates(clock.at, (), 10) == []


async def test_whoever_comes_on_duty_is_handed_over_to_once(tmp_path: Path) -> None:
    clock = Moved(at("2026-03-02T18:59"))
    async with await State.open(tmp_path) as state:
        ed, irina = await officer(state, "Ed"), await officer(state, "Irina")
        await state.rosters.add(AGENCY, Shift(0, ed, 8 * 60, 20 * 60, ALWAYS))
        await state.rosters.add(AGENCY, Shift(0, irina, 20 * 60, 8 * 60, ALWAYS))
        schedule = Schedule(state, clock, lambda: None, Ceiling())
        for _ in range(3):
            await Relief(state, clock, ZoneInfo("Europe/Paris"), schedule).look()
            clock.at += 60
        rows = await state.store.query("SELECT officer, key FROM jobs")
        assert rows == [(irina, f"digest:{irina}:shift-0-{int(at('2026-03-02T19:00'))}")]


async def test_a_request_is_brought_to_mind_once_before_its_deadline(tmp_path: Path) -> None:
    clock = Moved(at("2026-03-02T12:00"))
    async with await State.open(tmp_path) as state:
        watch, ed = Watch(state, clock), await officer(state, "Ed")
        await officer(state, "Other")
        await state.officers.subscribe(ed, Filters())
        await watch.arrive(
            make_record(1, kind="request", valid_until="2026-03-02T18:00:00Z"),
            make_record(2, kind="request", tlp="TLP:AMBER", valid_until="2026-03-02T18:00:00Z"),
        )
        await jobs(state)
        seen = []
        for _ in range(8):
            await Reminder(state, clock, lambda: None).look()
            for work in await state.outbox.candidates(clock.at, (), 10):
                record = await state.outbox.record(work.record or "")
                shown = await Caller(state, clock, Ceiling()).reminder(work, record)
                seen.append((work.officer.id, clock.at, shown is not None))
                await state.outbox.finish(work)
            clock.at += 1800
        assert seen == [(ed, at("2026-03-02T15:00"), True), (ed, at("2026-03-02T15:30"), False)]


async def test_an_event_rings_reports_and_ends_by_itself(tmp_path: Path) -> None:
    clock, node = Moved(at("2026-03-27T12:00")), DirectNode()
    zone = ZoneInfo("Europe/Paris")
    async with await State.open(tmp_path) as state:
        watch, ed = Watch(state, clock), await officer(state, "Ed", administrator=True)
        irina = await officer(state, "Irina")
        await state.rosters.add(AGENCY, Shift(0, ed, 0, 0, ALWAYS))
        await state.cells.begin("games", "Summer Games", clock.at)
        (cell,) = await state.cells.open()
        days = {
            "first": date(2026, 3, 28),
            "last": date(2026, 3, 28),
            "report": 8 * 60,
            "least": Severity.HIGH,
        }
        await state.cells.change(replace(cell, covered=clock.at, **days))  # type: ignore[arg-type] # as given
        await state.rosters.add(cell.id, Shift(0, irina, 0, 0, ALWAYS))
        high = make_record(1, severity="high", event={"name": "Summer games"})
        await watch.arrive(high, make_record(2, severity="high"))
        assert await watch.after(0) == [("alert", irina, "")]  # by the event's roster, and no flash is needed
        assert [each.record for each in await state.bells.open()] == [high.bulletin.id]
        caretaker = Caretaker(node, state, clock, zone, tmp_path, lambda: None)
        seen = []
        for _ in range(40):
            clock.at += 3600
            await caretaker.look()
            seen += [(verb, who, clock.at) for verb, who, _ in await jobs(state)]
        assert seen == [
            ("digest", irina, at("2026-03-28T07:00")),
            ("closed", ed, at("2026-03-28T23:00")),
            ("closed", irina, at("2026-03-28T23:00")),
        ]
        assert [each.name for each in (tmp_path / "bundles").iterdir()] == ["games-2026-03-29.zip"]
        assert await state.rosters.shifts(cell.id) == []


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


async def periods(state: State) -> list[str]:
    """Of the digests that were composed, in their order."""
    rows = await state.store.query("SELECT key FROM jobs WHERE verb = 'digest' ORDER BY id")
    return [key.split(":")[2] for (key,) in rows]


def acknowledgement(of: Record, drafter: str) -> Record:
    """The agency's own, as it comes by the feed."""
    link = {"relation": "acknowledges", "id": of.bulletin.id}
    made = make_record(90, kind="acknowledgement", severity="info", drafter=drafter, links=[link])
    return made.model_copy(update={"own": True})
