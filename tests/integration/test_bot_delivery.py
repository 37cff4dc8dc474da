"""The outbox against the service's refusals, over real HTTP: nothing lost, nothing twice without a word."""

import asyncio
import contextlib
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiogram.exceptions import AiogramError

from bots.events import Events
from bots.house import Edges
from bots.logs import known
from bots.sandbox.client import SandboxUser
from bots.sandbox.limits import Limits, Rate
from bots.sandbox.model import Standing
from bots.state import State
from bots.times import Quiet
from schemas.vocabulary import Tlp
from subscribers.records import Filters
from tests.support.node import DirectNode
from tests.support.node_api import make_record
from tests.support.officers_bot import (
    BotStage,
    Lines,
    bot_settings,
    buttons,
    running_bot,
    running_sandbox,
    says,
    text_of,
)
from tests.support.sandbox import new_bot
from tests.support.world import eventually

REPEAT = "Possibly a repeat"


async def ready(stage: BotStage, *names: str) -> list[SandboxUser]:
    """Enrolled officers who are told of everything."""
    people = [await stage.enrol(name) for name in names]
    for person in people:
        officer = await stage.state.officers.by_person(person.id)
        assert officer is not None
        await stage.state.officers.subscribe(officer.id, Filters())
    return people


def alerts(person: SandboxUser, ref: str) -> list[str]:
    found = (each for each in person.messages.values() if each["from_bot"] and not each.get("deleted"))
    return [str(each["text"]) for each in found if ref in each["text"]]


async def seen(stage: BotStage, person: SandboxUser, ref: str, count: int = 1) -> list[str]:
    """Those alerts, once the person sees so many: the bot may know of its answer before that."""
    await stage.client.until(lambda: {} if len(alerts(person, ref)) >= count else None, ref, 60.0)
    return alerts(person, ref)


async def test_too_fast_is_waited_out_and_nothing_is_lost(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        await stage.client.fault("sendMessage", "too_many", times=3, retry_after=1)
        record = make_record(1)
        await node.arrive(record)
        await stage.lines.until(event="alert", id=record.bulletin.id)
        (text,) = await seen(stage, ed, "FRA-2026-0001")
        assert REPEAT not in text
        assert (await stage.client.calls())["sendMessage"]["429"] == 3


async def test_the_services_own_limits_are_kept(tmp_path: Path) -> None:
    node = DirectNode()
    limits = Limits(overall=Rate(1_000.0, 1_000), chat=Rate(20.0, 5), group=None)
    async with running_bot(tmp_path, node, limits=limits, chat_rate=15.0, chat_burst=4) as stage:
        (ed,) = await ready(stage, "Ed")
        await node.arrive(*(make_record(number) for number in range(1, 13)))
        for number in range(1, 13):
            await stage.lines.until(event="alert", id=node.api.records[number - 1].bulletin.id)
            assert len(await seen(stage, ed, f"FRA-2026-{number:04d}")) == 1
        assert "429" not in (await stage.client.calls())["sendMessage"]


async def test_a_blocked_officer_gets_what_waited_when_they_are_back(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        ed, claire = await ready(stage, "Ed", "Claire")
        await ed.block()
        first, second = make_record(1), make_record(2)
        await node.arrive(first)
        await claire.next_message(says("FRA-2026-0001"))
        officer = await stage.state.officers.by_person(ed.id)
        assert officer is not None
        await node.arrive(second)
        await claire.next_message(says("FRA-2026-0002"))
        assert alerts(ed, "FRA-2026-000") == []
        await ed.unblock()
        await ed.next_message(says("FRA-2026-0002"))
        assert len(alerts(ed, "FRA-2026-000")) == 2


async def test_a_refusal_that_comes_late_does_not_shut_out_who_is_back(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        world = stage.sandbox.api.service_for(stage.sandbox.bots[0].token).world
        world.chat_for_people(ed.chat_id).standing = Standing.BLOCKED  # and the update is still on its way
        await stage.client.fault("sendMessage", "hold", chat_id=ed.chat_id)
        await node.arrive(make_record(1))
        returns = stage.state.officers.returns(ed.id)

        async def is_refused() -> bool:
            return not world.faults.planned

        async def is_known_to_be_back() -> bool:
            return stage.state.officers.returns(ed.id) > returns

        await eventually(is_refused)
        await ed.unblock()
        await eventually(is_known_to_be_back)
        await stage.client.act("release")
        await ed.next_message(says("FRA-2026-0001"))
        officer = await stage.state.officers.by_person(ed.id)
        assert officer is not None
        assert officer.reachable


@pytest.mark.parametrize("presses", [False, True], ids=["types", "presses"])
async def test_who_asks_can_be_reached_again(tmp_path: Path, *, presses: bool) -> None:
    """The chat service keeps it for a day that somebody is back."""
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        shown = await ed.ask("/subscribe")
        await stage.state.officers.set_reachable(ed.id, reachable=False)
        await node.arrive(make_record(1))
        if presses:
            await ed.press(buttons(shown)[0], shown)
        else:
            await ed.send("/help")
        await ed.next_message(says("FRA-2026-0001"))


async def test_403_marks_an_officer_unreachable(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        await stage.client.fault("sendMessage", "deactivated", chat_id=ed.chat_id)
        await node.arrive(make_record(1))
        await stage.lines.until(event="unreachable")
        officer = await stage.state.officers.by_person(ed.id)
        assert officer is not None
        assert not officer.reachable


async def test_a_moved_chat_is_followed(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        ed, claire = await ready(stage, "Ed", "Claire")
        group = await stage.client.add_group("Duty", [ed])
        old = await stage.state.officers.by_person(ed.id)
        assert old is not None
        await stage.client.fault("sendMessage", "migrate", chat_id=ed.chat_id, migrate_to=group.chat_id)
        await node.arrive(make_record(1))
        await group.next_message(says("FRA-2026-0001"))
        await claire.next_message(says("FRA-2026-0001"))
        moved = await stage.state.officers.get(old.id)
        assert moved is not None
        assert moved.chat == group.chat_id


async def test_markup_that_the_service_cannot_read_goes_as_plain_text(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        await stage.client.fault("sendMessage", "parse_error")
        await node.arrive(make_record(1, title="<b>&"))
        message = await ed.next_message(says("FRA-2026-0001"))
        assert "<b>&" in text_of(message)
        assert [each["type"] for each in message.get("entities", [])] == []


async def test_other_refusals_are_final_and_hold_nobody_up(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        await stage.client.fault("sendMessage", "bad_request")
        await node.arrive(make_record(1))
        await stage.lines.until(event="refused")
        await node.arrive(make_record(2))
        await ed.next_message(says("FRA-2026-0002"))
        assert alerts(ed, "FRA-2026-0001") == []


async def test_an_answer_that_never_came_makes_a_marked_repeat(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        await stage.client.fault("sendMessage", "close_after", chat_id=ed.chat_id)
        await node.arrive(make_record(1))
        await stage.lines.until(event="alert", repeat=True)
        first, second = await seen(stage, ed, "FRA-2026-0001", 2)
        assert REPEAT not in first
        assert REPEAT in second


async def test_flash_goes_ahead_of_what_waits(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node, chat_rate=4.0, chat_burst=1) as stage:
        (ed,) = await ready(stage, "Ed")
        ordinary = [make_record(number) for number in range(1, 6)]
        flash = make_record(9, severity="flash")
        await node.arrive(*ordinary)
        await ed.next_message(says("FRA-2026-0001"))
        await node.arrive(flash)
        await ed.next_message(says("FRA-2026-0009"))
        assert alerts(ed, "FRA-2026-0005") == []
        await ed.next_message(says("FRA-2026-0005"))


async def test_quiet_hours_hold_alerts_and_let_flash_through(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        officer = await stage.state.officers.by_person(ed.id)
        assert officer is not None
        local = datetime.now(ZoneInfo("Europe/Paris"))
        minute = local.hour * 60 + local.minute
        await stage.state.officers.set_quiet(officer.id, Quiet((minute - 60) % 1440, (minute + 120) % 1440))
        await node.arrive(make_record(1), make_record(2, severity="flash"))
        await ed.next_message(says("FRA-2026-0002"))
        assert alerts(ed, "FRA-2026-0001") == []
        due = await stage.state.outbox.next_due(time.time())
        assert due is not None
        assert timedelta(minutes=118) < timedelta(seconds=due - time.time()) < timedelta(minutes=121)
        await ed.ask("/digest quiet off")
        await ed.next_message(says("FRA-2026-0001"))


async def test_above_the_ceiling_only_what_it_allows_reaches_the_service(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node, ceiling=Tlp.CLEAR) as stage:
        (ed,) = await ready(stage, "Ed")
        for number, tlp in enumerate(Tlp, 1):
            await node.arrive(make_record(number, tlp=tlp, title=f"Planted {tlp.slug}", body="Planted body"))
            await ed.next_message(says(f"FRA-2026-000{number}"))
        said = [each for each in await ed.transcript() if "Planted" in str(each)]
        assert ["Planted clear" in each["text"] for each in said] == [True]
        assert [bool(each.get("has_protected_content")) for each in said] == [False]


async def test_a_bulletin_that_comes_again_is_told_once(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        record, other = make_record(1), make_record(2)
        await node.arrive(record)
        await ed.next_message(says("FRA-2026-0001"))
    node.acknowledged.clear()
    async with running_bot(tmp_path, node) as stage:
        await node.handled(record)
        await node.arrive(other)
        await node.handled(other)
        keys = [row[0] for row in await stage.state.store.query("SELECT key FROM jobs WHERE verb = 'alert'")]
        assert len(keys) == len(set(keys)) == 2


@pytest.mark.parametrize("severity,silent", [("low", True), ("high", False)])
async def test_low_severity_comes_without_a_sound(tmp_path: Path, severity: str, silent: bool) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        (ed,) = await ready(stage, "Ed")
        await node.arrive(make_record(1, severity=severity))
        message = await ed.next_message(says("FRA-2026-0001"))
        assert message["silent"] is silent
        assert message["link_preview_options"] == {"is_disabled": True}


async def test_two_pollers_are_one_too_many(tmp_path: Path) -> None:
    from bots.doors.telegram.app import serve  # noqa: PLC0415 - it takes seconds

    async with running_sandbox() as (sandbox, _):
        settings, lines = bot_settings(sandbox, tmp_path), Lines()
        async with await State.open(tmp_path) as state:
            edges = Edges(DirectNode(), events=Events(lines))
            running = asyncio.create_task(serve(settings, state, edges, asyncio.Event()))
            await lines.until(event="ready")
            other = new_bot(sandbox)
            while not running.done():
                with contextlib.suppress(AiogramError):
                    await other.get_updates(timeout=0)
            await other.session.close()
            error = known(running.exception() or Exception())
            assert error is not None
            assert error.code == "already_running"
