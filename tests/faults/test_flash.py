"""A flash to many officers, through everything that a chat service does to its senders, and a kill in the
middle.
"""

import signal
from collections import Counter
from pathlib import Path

import pytest

from bots.sandbox.faults import Fault, FaultKind
from bots.sandbox.limits import Limits, Rate
from bots.sandbox.model import Standing, User
from bots.state import State
from tests.support.many_officers import Carrier, Told, enrolled
from tests.support.officers_bot import running_sandbox

OFFICERS = 120
IN_FLIGHT = 4
"""The concurrency that tests/support/bot_process.py sets."""
BLOCKED = 5
NEW_CHAT = 77


@pytest.mark.timeout(600)
async def test_a_flash_reaches_everybody_through_a_kill_and_a_storm(tmp_path: Path) -> None:
    async with running_sandbox(Limits(overall=Rate(200.0, 20), chat=None, group=None)) as (sandbox, _):
        chats = await enrolled(sandbox, tmp_path, OFFICERS)
        world, officers = sandbox.world, list(chats)
        moved, *gone = officers[:: OFFICERS // (BLOCKED + 1)][: BLOCKED + 1]
        for each in gone:
            world.chats[chats[each]].standing = Standing.BLOCKED
        world.add_user(User(NEW_CHAT, "Elsewhere")).standing = Standing.OPEN
        world.faults.plan(Fault(FaultKind.MIGRATE, "sendMessage", chat_id=chats[moved], migrate_to=NEW_CHAT))

        told: list[Told] = []
        bot = await Carrier.start(sandbox, tmp_path, overall_rate=500.0)
        async for news in bot.told():
            told.append(news)
            if len(told) == OFFICERS // 3:
                world.faults.plan(Fault(FaultKind.TOO_MANY, "sendMessage", times=20))
            if len(told) == OFFICERS // 2:
                bot.process.send_signal(signal.SIGKILL)
        await bot.process.wait()
        flashes = OFFICERS - len(gone)
        before = [each.verb for each in told]
        assert set(before) == {"alert"}, "flash goes ahead of the digests, which waited before it"

        bot = await Carrier.start(sandbox, tmp_path, overall_rate=500.0)
        after: list[Told] = []
        async for news in bot.told():
            after.append(news)
            if sum(one.verb == "digest" for one in after) == flashes:
                break
        assert await bot.stop() == 0

        seen = Counter[int]()
        for chat in world.chats.values():
            for message in chat.messages.values():
                seen[chat.id] += "FRA-2026-0001" in message.text and "since" not in message.text
        chats[moved] = NEW_CHAT
        once = {chat for officer, chat in chats.items() if officer not in gone}
        assert {chat for chat, count in seen.items() if count} == once
        repeated = {each.officer for each in after if each.repeat}
        assert len(repeated) <= IN_FLIGHT
        assert {officer for officer, chat in chats.items() if seen[chat] > 1} <= repeated
        assert all(seen[chats[officer]] <= 2 for officer in repeated)
        last = max(place for place, each in enumerate(after) if each.verb == "alert")
        early = sum(each.verb == "digest" for each in after[:last])
        assert early < IN_FLIGHT, "no digest leaves while a flash waits"
        async with await State.open(tmp_path) as state:
            assert await state.outbox.counts() == {"done": 2 * flashes, "queued": 2 * len(gone)}
