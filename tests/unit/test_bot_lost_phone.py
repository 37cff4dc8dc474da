"""A lost phone: which one is meant, what is asked, what its screens count and where they lead."""

import json
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bots.dialogue.asking import Pressed, Typed, meant
from bots.officers import lost_phone, staffing
from bots.officers.lost_phone import OnPhone, asked_for
from bots.officers.roles import Role
from bots.officers.seen import numbers_of
from bots.room.sessions import Sessions
from bots.searches.watching import Search
from bots.showing.release import Sight
from bots.showing.rendered import Rendered
from bots.state import jobs
from bots.state.audit import Glimpse
from bots.state.officers import Officer
from bots.state.room import Passkey
from bots.wording.words import words
from schemas.vocabulary import Language
from tests.support.officers_bot import invite
from tests.support.quiet_house import Stage, staged

UTC = ZoneInfo("UTC")
DAY = 86_400.0
ED = Officer(1, "Ed", Role.ADMINISTRATOR, Language.ENGLISH, UTC, None, 1, 1, True)  # noqa: FBT003 - a row of the table
CLAIRE = replace(ED, id=2, name="Claire", role=Role.READER, chat=2, person=2)
BO = replace(CLAIRE, id=3, name="Bo", chat=None, person=None)
NAMES = ["Ed", "Claire", "Right Now"]


def data(shown: Rendered) -> list[str]:
    return [each.data for row in shown.rows for each in row]


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("Claire", ("Claire", False)),
        ("Claire now", ("Claire", True)),
        ("Claire NOW", ("Claire", True)),
        ("right now", ("right now", False)),
        ("Right Now now", ("Right Now", True)),
        ("now", ("now", False)),
        ("", ("", False)),
    ],
)
def test_now_behind_a_name_is_an_order_unless_it_is_a_name(typed: str, meant: tuple[str, bool]) -> None:
    assert asked_for(typed, NAMES) == meant


def test_without_a_name_whoever_has_a_phone_can_be_chosen_the_longest_silent_first() -> None:
    shown = lost_phone.choose(ED, [ED, CLAIRE, BO], {1: 50.0, 2: 10.0})
    assert data(shown) == ["staff:lost:2", "staff:lost:1", "staff:home:0"]
    assert "no officer of that name" not in shown.parts[0].plain
    assert "no officer of that name" in lost_phone.choose(ED, [ED], {}, unknown=True).parts[0].plain
    many = [replace(CLAIRE, id=each, name=f"Officer {each}") for each in range(40)]
    assert len(data(lost_phone.choose(ED, many, {}))) == lost_phone.NAMED_MAX + 1


def test_the_question_says_what_will_be_done_and_how_much_can_be_taken_back() -> None:
    shown = lost_phone.ask(ED, CLAIRE, OnPhone(6, 2, 5, 1000.0, 2000.0))
    text = shown.parts[0].plain
    assert text.startswith("📵 Shut out the phone of Claire?\n👤 Reader · enrolled ")
    assert "last seen" in text
    assert "6 messages can still be deleted there." in text
    assert "2 older messages can only be rewritten" in text
    assert "deleted for 48 hours" in text
    assert "5 bulletins had been shown since that phone was enrolled." in text
    assert "/lost Claire now" in text
    assert data(shown) == ["staff:shut:2", "audit:of:2:15", "staff:open:2"]
    apart = lost_phone.ask(ED, CLAIRE, OnPhone(bulletins=5, aside=2)).parts[0].plain
    assert "In messages: 3; only in the reading room: 2." in apart
    empty = lost_phone.ask(ED, CLAIRE, OnPhone()).parts[0].plain
    assert "No message in that chat has to be taken back." in empty
    assert "No bulletin had been shown there." in empty
    assert "enrolled" not in empty
    assert "not seen yet" in empty
    assert "older" not in lost_phone.ask(ED, CLAIRE, OnPhone(1)).parts[0].plain
    assert "can still" not in lost_phone.ask(ED, CLAIRE, OnPhone(0, 1)).parts[0].plain


def test_the_answer_counts_messages_and_bulletins_apart_and_leads_to_the_audit() -> None:
    on = OnPhone(5, 1, 5)
    shut = lost_phone.shut_out(ED, CLAIRE, on, 1.0)
    for each in (shut, lost_phone.removed(ED, CLAIRE, on, 1.0)):
        text = each.parts[0].plain
        assert "6 messages are taken back" in text
        assert "about 2 seconds" in text, "one request for what is deleted, one for what is rewritten"
        assert "5 bulletins had been shown" in text
        assert data(each) == ["audit:of:2", "staff:home:0"]
    assert data(lost_phone.removed(ED, BO, OnPhone(), 1.0)) == ["staff:home:0"]
    say = words(Language.ENGLISH)
    assert "about 2 minutes" in lost_phone.taken_back(OnPhone(0, 120), 1.0, say)
    assert "about 2 seconds" in lost_phone.taken_back(OnPhone(120), 1.0, say)
    stays = "3 messages that the officer wrote are older than 48 hours and stay"
    assert stays in lost_phone.taken_back(OnPhone(stay=3), 1.0, say)
    assert stays in lost_phone.ask(ED, CLAIRE, OnPhone(stay=3)).parts[0].plain
    assert stays in lost_phone.ask(ED, CLAIRE, OnPhone(1, 1, stay=3)).parts[0].plain
    assert "stay" not in lost_phone.taken_back(OnPhone(1, 1), 1.0, say)


def test_it_says_what_becomes_of_the_ways_into_the_reading_room_where_there_are_any() -> None:
    def said(on: OnPhone) -> tuple[str, ...]:
        screens = (
            lost_phone.ask(ED, CLAIRE, on),
            lost_phone.shut_out(ED, CLAIRE, on, 1.0),
            lost_phone.removed(ED, CLAIRE, on, 1.0),
        )
        return tuple(each.parts[0].plain for each in screens)

    asked, shut, removed = said(OnPhone(room=True, keys=2))
    assert "signed out of the reading room, and 2 passkeys are removed: the new phone makes its own." in asked
    assert "Signed out of the reading room; 2 passkeys are removed." in shut
    assert "Signed out of the reading room; 2 passkeys are removed." in removed
    asked, shut, _ = said(OnPhone(room=True))
    assert "signed out of the reading room; there is no passkey to remove." in asked
    assert "Signed out of the reading room; there was no passkey." in shut
    assert "1 passkey is removed" in said(OnPhone(keys=1))[1]  # made before the room was given up
    assert not any("reading room" in each for each in said(OnPhone()))


async def test_a_lost_phone_opens_no_reading_room(tmp_path: Path) -> None:
    """Neither by a session, nor by a link that is not used yet, nor by a passkey."""
    async with staged(tmp_path, room="https://room.example") as stage:
        code, state, now = await invite(stage.state, "Claire"), stage.state, stage.clock.now()
        claire = await state.officers.enrol(code, chat=7, person=7, language=Language.ENGLISH, now=now)
        assert claire is not None
        await state.room.add(Passkey(b"k", claire.id, "chat", b"h", b"p", 0, now, now))
        await state.room.issue(claire.id, "link", vouched="chat", target="", expires=now + 60, now=now)
        sessions = Sessions(lambda: "a" * 43)
        token = sessions.begin(claire, "chat", await state.room.era(claire.id), now)
        assert "and 1 passkey is removed" in await stage.asks("/lost Claire")
        assert "Signed out of the reading room; 1 passkey is removed." in await stage.asks("/lost Claire now")
        assert await state.room.passkey(b"k") is None
        assert await state.room.redeem("link", now) is None
        session, known = sessions.find(token, now), await state.officers.get(claire.id)
        assert session is not None
        assert known is not None
        assert not session.of(known, await state.room.era(claire.id))


def test_the_notice_that_it_is_done_and_the_list_of_officers_lead_there_too() -> None:
    told = {"name": "Claire", "missed": 0, "of": 2}
    assert data(lost_phone.afterwards(ED, json.dumps(told))) == ["audit:of:2"]
    assert data(lost_phone.afterwards(ED, json.dumps({**told, "enrolled": 6000.0}))) == ["audit:of:2:99"]
    stays = lost_phone.afterwards(ED, json.dumps({**told, "stay": 1})).parts[0].plain
    assert "1 message that the officer wrote is older than 48 hours and stays" in stays
    before = {"name": "Claire", "missed": 2}  # as it was kept before it had a number
    assert data(lost_phone.afterwards(ED, json.dumps(before))) == []
    assert "audit:of:2" in data(staffing.one(ED, CLAIRE, {}))
    assert "staff:lost:2" in data(staffing.one(ED, CLAIRE, {}))


def test_a_bulletin_counts_once_and_what_is_no_bulletin_does_not() -> None:
    rows = [
        Glimpse("FRA-2026-0001", Sight.FULL, 0.0, 1.0),
        Glimpse("FRA-2026-0001", Sight.STUB, 0.0, 0.0),
        Glimpse("FRA-2026-0002", Sight.WAITING, 2.0, 2.0),
        Glimpse("DRAFT-2026-0001", Sight.FULL, 2.0, 2.0),
        Glimpse("Claire", Sight.FULL, 2.0, 2.0),
    ]
    assert numbers_of([*rows, Glimpse("FRA-2026-0003", Sight.TITLE, 0.0, 0.0, room=True)]) == (3, 1)


async def refusals(stage: Stage) -> list[tuple[str, int | None]]:
    """What the audit has of phones that were shut out: the name, and the officer's number."""
    entries = await stage.state.audit.all()
    return [(each.act.name, each.act.officer) for each in entries if each.act.verb == "lost phone"]


async def told(stage: Stage) -> list[str]:
    """The notices that such a phone writes, to whom they are to go."""
    return [
        row[0]
        for row in await stage.state.store.query(
            "SELECT o.name FROM jobs j JOIN officers o ON o.id = j.officer WHERE j.key GLOB 'writes:*'"
        )
    ]


async def test_what_a_phone_that_was_shut_out_sends_goes_again_and_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        state, chat = stage.state, 7
        for name, number, admin in (("Claire", chat, False), ("Sara", 8, True)):
            code = await invite(state, name, administrator=admin)
            language = Language.FRENCH
            assert await state.officers.enrol(
                code, chat=number, person=number, language=language, now=stage.clock.now()
            )
        reception = stage.house.reception
        await reception.typed(Typed(99, 99, 1, "/latest"))
        assert await state.staff.farewells(9) == []
        assert await refusals(stage) == []
        await stage.asks("/lost Claire now")
        await state.staff.taken_back(await state.staff.farewells(9))
        stage.door.sent.clear()
        await reception.typed(Typed(chat, chat, 50, "/latest", tongue="fr"))
        await reception.typed(Typed(chat, chat, 51, "/help"))
        await reception.pressed(Pressed(meant("staff:home:0"), chat, chat, 3, "9"))
        assert [text for text, _ in stage.door.sent if "privé" in text]
        assert len(stage.door.sent) == 1, "one refusal"
        left = await state.staff.farewells(9)
        assert sorted((each.chat, each.theirs) for each in left) == [(7, False), (7, True), (7, True)]
        assert {each.message for each in left if each.theirs} == {50, 51}
        assert await refusals(stage) == [("Claire", None)]
        assert sorted(await told(stage)) == ["Ed", "Sara"]
        stage.clock.ahead = DAY + 1.0
        await reception.typed(Typed(chat, chat, 52, "/help"))
        assert len(await refusals(stage)) == 2
        assert len(await told(stage)) == 2, "once"
        assert "from the phone that was shut out · refused" in await stage.asks("/audit Claire")
        assert await state.audit.verify() is None


async def test_who_enrols_there_or_is_removed_is_no_longer_a_lost_phone(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        state, reception = stage.state, stage.house.reception
        for again in (True, False):
            now = stage.clock.now()
            code = await invite(state, "Claire")
            claire = await state.officers.enrol(code, chat=7, person=7, language=Language.FRENCH, now=now)
            assert claire is not None
            await stage.asks("/lost Claire now")
            if again:
                code = await invite(state, "Claire")
                await reception.typed(Typed(7, 7, 2, f"/start {code}"))
                await stage.asks("/lost Claire now")
            await state.staff.remove(claire.id)
            await reception.typed(Typed(7, 7, 3, "/help"))
        assert await refusals(stage) == []
        assert not [row for row in await state.store.query("SELECT key FROM memory") if "shut:" in row[0]]


@pytest.mark.parametrize("invited", [False, True])
async def test_nobody_shuts_out_the_only_administrator_who_is_enrolled(
    tmp_path: Path,
    invited: bool,
) -> None:
    async with staged(tmp_path) as stage:
        if invited:
            await invite(stage.state, "Bo", role=Role.ADMINISTRATOR)
        ed = await stage.state.officers.by_name("Ed")
        assert ed is not None
        for asked in ("/lost Ed", "/lost Ed now"):
            told = await stage.asks(asked)
            assert "Ed is the only administrator with a phone here." in told
            assert "liaison-bot officer lost Ed" in told
        assert "only administrator" in await stage.presses(f"staff:shut:{ed.id}")
        assert "(forbidden)" in await stage.presses(f"staff:gone:{ed.id}")
        assert await stage.state.officers.by_name("Ed") == ed


async def test_of_ones_own_phone_it_says_so_and_shows_the_code_to_another(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        code, now = await invite(stage.state, "Claire", role=Role.ADMINISTRATOR), stage.clock.now()
        await stage.state.officers.enrol(code, chat=7, person=7, language=Language.ENGLISH, now=now)
        for asked in ("/lost Ed", "/lost Ed now"):
            told = await stage.asks(asked)
            assert "This is your own phone" in told
            assert "another administrator gets it with /lost Ed (Claire)." in told
            assert "you get a code" not in told
            assert "Without this question" not in told
        shut = await stage.presses(stage.button("Yes, shut it out"))
        assert "The phone of Ed is shut out." in shut
        assert "/lost Ed (Claire)" in shut
        assert "/start" not in shut, "the code is not for whoever has that phone"
        ed = await stage.state.officers.by_name("Ed")
        assert ed is not None
        assert ed.chat is None
        stage.door.sent.clear()
        await stage.house.reception.typed(Typed(7, 7, 1, "/lost Ed"))
        assert "The code for the new phone is no longer good." in stage.door.sent[0][0]
        assert stage.button("New code") == f"staff:invite:{ed.id}"


async def test_whoever_enrols_again_reads_that_the_subscriptions_stay(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        first = "First choose what you are alerted to"
        assert first in await stage.asks("/start")
        ed = await stage.state.officers.by_name("Ed")
        assert ed is not None
        await stage.state.officers.subscribe(ed.id, Search())
        again = await stage.asks("/start")
        assert first not in again
        assert "Your subscriptions stay: /subscriptions" in again


def test_who_has_the_phone_is_told_apart_from_what_was_taken_back() -> None:
    job = jobs.still_writes(1, 7, 2, "Claire", 0.0)
    shown = lost_phone.afterwards(ED, job.body)
    assert "The phone of Claire, which was shut out, still writes to this bot (" in shown.parts[0].plain
    assert data(shown) == ["audit:of:2"]
