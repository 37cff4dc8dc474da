"""A lost phone that is shut out twice, that belongs to whoever is on duty, or to the only administrator."""

import json
import time
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bots.clock import SystemClock
from bots.duty import absent, duties
from bots.duty.duties import Board
from bots.duty.ringing import Pace, Ways
from bots.duty.roster import Duty, Shift, Takeover, Turn
from bots.officers import shut_already
from bots.officers.roles import Role
from bots.showing.release import Ceiling
from bots.state import jobs
from bots.state.lost import ShutOut
from bots.state.officers import Officer
from bots.state.outbox import Work
from bots.state.rosters import AGENCY
from bots.telling.calling import Caller
from bots.wording.words import words
from schemas.vocabulary import Language
from tests.support.node_api import make_record
from tests.support.officers_bot import invite
from tests.support.quiet_house import Stage, staged

UTC = ZoneInfo("UTC")
NOW = 1_800_000_000.0
HOUR = 3600.0
ED = Officer(1, "Ed", Role.ADMINISTRATOR, Language.ENGLISH, UTC, None, 1, 1, reachable=True)
PETRA = replace(ED, id=2, name="Petra M.", role=Role.READER, chat=None, person=None)
NAMES = {1: "Ed", 2: "Petra M.", 3: "Bo"}
SAY = words(Language.ENGLISH)


async def enrolled(stage: Stage, name: str, number: int, *, administrator: bool = False) -> Officer:
    code = await invite(stage.state, name, administrator=administrator)
    made = await stage.state.officers.enrol(
        code, chat=number, person=number, language=Language.ENGLISH, now=stage.clock.now()
    )
    assert made is not None
    return made


async def test_shut_out_twice_is_told_and_keeps_the_code(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await enrolled(stage, "Petra M.", 7)
        code = (await stage.asks("/lost petra now")).split("/start ")[1].split()[0]
        assert "The phone of Petra M. is shut out." not in await stage.asks("/lost Petra M.")
        for typed in ("/lost Petra M.", "/lost Petra M. now", "/lost petra now"):
            told = await stage.asks(typed)
            assert "The phone of Petra M. was shut out already, " in told
            assert ", by Ed. Nothing more was done." in told
            assert "The code for the new phone is good until " in told
            assert "/start" not in told
        fresh = stage.button("New code; the one before ends")
        outcomes = [each.act.outcome for each in await stage.state.audit.all()]
        assert outcomes.count("shut_out") == 1
        pressed = await stage.presses("staff:shut:2")
        assert "was shut out already" in pressed
        assert await stage.state.officers.enrol(
            code, chat=8, person=8, language=Language.ENGLISH, now=stage.clock.now()
        ), "the code is good still"
        await stage.state.lost.end(8)
        await stage.asks("/lost Petra M. now")
        assert "/start " in await stage.presses(fresh)
        stage.clock.ahead = 40 * 86_400.0
        assert "The code for the new phone is no longer good." in await stage.asks("/lost Petra M.")
        assert stage.button("New code") == fresh


async def test_who_never_had_a_phone_is_not_shut_out(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        code = await invite(stage.state, "Bo")
        assert "invited, not enrolled" in await stage.asks("/lost Bo now")
        assert await stage.state.officers.enrol(
            code, chat=8, person=8, language=Language.ENGLISH, now=time.time()
        )


async def test_a_part_of_a_name_asks_back_where_several_have_it(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await enrolled(stage, "Petra M.", 7)
        await enrolled(stage, "Petra Klein", 8)
        told = await stage.asks("/lost petra now")
        assert "Whom do you mean?" in told
        assert stage.button("Petra Klein") == "staff:lost:3"
        assert "shut out" not in [each.act.outcome for each in await stage.state.audit.all()]
        assert "The phone of Petra Klein is shut out." in await stage.asks("/lost klein now")
        assert "There is no officer of that name." in await stage.asks("/lost etra now")


def test_by_whom_it_was_shut_out_is_said_as_far_as_it_is_known() -> None:
    def said(shut: ShutOut) -> str:
        return shut_already.already(ED, PETRA, shut).parts[0].plain

    assert ", on your agency's machine. Nothing more was done." in said(ShutOut(NOW))
    assert "The phone of Petra M. is shut out already." in said(ShutOut())


async def test_the_only_administrators_phone_is_shut_out_on_the_machine(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await enrolled(stage, "Petra M.", 7)
        for told in (
            await stage.asks("/lost Ed"),
            await stage.asks("/lost Ed now"),
            await stage.presses("staff:lost:1"),
        ):
            assert "Ed is the only administrator with a phone here." in told
            assert "liaison-bot officer lost Ed\n" in told
            assert "forbidden" not in told
        assert (await stage.state.audit.all())[-1].act.outcome == "forbidden"


def board(*turns: Turn, taken: int = 0, mute: frozenset[int] = frozenset({2})) -> Board:
    shifts = [Shift(number, each.officer, 0, 60, frozenset(range(7))) for number, each in enumerate(turns)]
    held = Takeover(taken, NOW + HOUR) if taken else None
    return Board(AGENCY, "", shifts, Duty(NOW, turns, held), NAMES, mute)


def test_a_roster_says_who_cannot_be_called_and_who_is_instead() -> None:
    petras, later = Turn(2, NOW - HOUR, NOW + HOUR), Turn(3, NOW + HOUR, NOW + 2 * HOUR)

    def told(shown: Board) -> str:
        return duties.shown(ED, shown, Ways(Pace(), UTC)).parts[0].plain

    text = told(board(petras, later))
    assert "🔕 Petra M.: cannot be called, as no phone is enrolled or it is not reached." in text
    assert "A flash calls the others on the roster." in text
    assert text.count("🔕") == 2, "in the line of the shift, too"
    alone = told(board(petras))
    assert "Nobody on the roster can be called: of a flash administrators are told." in alone
    assert "🔕" not in told(board(petras, later, mute=frozenset()))
    next_one = told(board(replace(petras, since=NOW + 60), later))
    assert "A flash calls Bo, whose shift begins next" in next_one
    assert "Nobody is on duty now.\n" in told(board(replace(petras, since=NOW + 60)))


def test_whose_duty_it_is_is_known_from_shifts_and_takeovers() -> None:
    petras = Turn(2, NOW - HOUR, NOW + 2 * HOUR)
    boards = [board(petras), replace(board(taken=2), roster=4, title="Games"), board(petras, taken=3)]
    held = absent.held(2, boards)
    assert [(each.roster, each.until) for each in held] == [(AGENCY, NOW + 2 * HOUR), (4, NOW + HOUR)]
    assert [line[:14] for line in absent.lines(ED, "Petra M.", held, SAY)] == [
        "📟 Petra M. is ",
        "📟 Games · Petr",
    ]


async def test_a_lost_phone_of_whoever_is_on_duty_offers_the_duty(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        petra = await enrolled(stage, "Petra M.", 7)
        await stage.state.rosters.take_over(AGENCY, Takeover(petra.id, stage.clock.now() + HOUR))
        before = await stage.asks("/lost Petra M.")
        after = await stage.asks("/lost Petra M. now")
        again = await stage.asks("/lost Petra M.")
        for told in (before, after, again):
            assert "Petra M. is on duty until " in told
            assert "Take over, or put somebody else on the roster." in told
        assert "🔕 Petra M.: cannot be called" in await stage.asks("/duty")
        await stage.asks("/lost Petra M.")
        assert stage.button("Duty roster") == "duty:open:0"
        assert "On duty now: Ed, until " in await stage.presses(stage.button("I take over"))
        assert "on duty" not in await stage.asks("/lost Petra M.")


@pytest.mark.parametrize("called", [True, False])
async def test_administrators_are_told_who_was_not_called(tmp_path: Path, *, called: bool) -> None:
    async with staged(tmp_path) as stage:
        flash = make_record(1, severity="flash")
        petra = await enrolled(stage, "Petra M.", 7)
        ed = await stage.state.officers.by_name("Ed")
        assert ed is not None
        await stage.state.store.transact(
            lambda connection: connection.execute(
                "INSERT INTO bells (record, began) VALUES (?, 0)", (flash.bulletin.id,)
            ).fetchall()
        )
        if called:
            (bell,) = await stage.state.bells.open()
            await stage.state.bells.call(bell, [(ed.id, 1)], (), 1.0)
        caller = Caller(stage.state, SystemClock(), Ceiling())

        async def said(job: jobs.Job) -> str:
            work = Work(
                id=1,
                key=job.key,
                verb=job.verb,
                priority=0,
                record=flash.bulletin.id,
                target=None,
                body=job.body,
                attempts=0,
                repeated=False,
                sent_parts=0,
                officer=ed,
                chat=9,
            )
            made = await caller.call(work, flash)
            assert made is not None
            return made.parts[0].plain

        told = await said(jobs.unheard(flash.bulletin.id, ed.id, (petra.id,)))
        assert ("Everybody on the roster who can be called was called" in told) is called
        assert ("Nobody on the roster can be called, so nobody was." in told) is not called
        assert "Petra M.: cannot be called" in told
        assert "Everybody on the roster was called" in await said(jobs.unheard(flash.bulletin.id, ed.id))
        call = await said(jobs.call(flash.bulletin.id, ed.id, 2, (petra.id,)))
        assert "Call 2." in call
        assert "Petra M.: cannot be called" in call
        assert json.loads(jobs.call(flash.bulletin.id, ed.id, 3).body) == 3
