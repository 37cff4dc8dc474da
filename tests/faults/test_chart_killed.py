"""The bot is killed with charts in flight: each digest and each chart comes once, and only what was in flight
comes again, marked as a possible repeat.
"""

import signal
import time
from pathlib import Path

import pytest

from bots.digests.charting import with_chart
from bots.digests.digesting import composed
from bots.sandbox.faults import Fault, FaultKind
from bots.sandbox.model import Standing, User
from bots.sandbox.server import Sandbox
from bots.state import State, jobs
from bots.state.outbox import enqueue, remember
from schemas.vocabulary import Language
from subscribers.records import Filters
from tests.support.many_officers import Carrier
from tests.support.node_api import make_record
from tests.support.officers_bot import invite, running_sandbox

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
CHATS = tuple(range(1_000_000, 1_000_008))
HELD = CHATS[:4]
"""As many as tests/support/bot_process.py has in flight at once."""


async def with_digests(sandbox: Sandbox, folder: Path) -> None:
    """Officers with a digest of three bulletins and its chart each, waiting in the outbox."""
    records, now = [make_record(number) for number in (1, 2, 3)], time.time()
    async with await State.open(folder) as state:
        waiting: list[jobs.Job] = []
        for chat in CHATS:
            sandbox.world.add_user(User(chat, f"Officer {chat}")).standing = Standing.OPEN
            code = await invite(state, f"Officer {chat}")
            officer = await state.officers.enrol(
                code, chat=chat, person=chat, language=Language.ENGLISH, now=now
            )
            assert officer
            await state.officers.subscribe(officer.id, Filters())
            body = composed("digest", records, now - 86_400, now)
            waiting += with_chart(jobs.digest(officer.id, "daily-2026-11-26", body), len(records))
        async with state.store.write() as tx:
            for record in records:
                await tx.run(lambda connection, record=record: remember(connection, record, now))  # type: ignore[misc]
            assert await tx.run(lambda connection: enqueue(connection, waiting, now)) == 2 * len(CHATS)


async def test_a_kill_repeats_only_the_charts_in_flight(tmp_path: Path) -> None:
    async with running_sandbox() as (sandbox, client):
        await with_digests(sandbox, tmp_path)
        world = sandbox.world

        def charts(chat: int) -> list[str]:
            return [each.text for each in world.chats[chat].messages.values() if each.photo]

        def came(repeats: int) -> dict[str, object] | None:
            wanted = {chat: 1 + repeats if chat in HELD else repeats for chat in CHATS}
            return {} if all(len(charts(chat)) >= number for chat, number in wanted.items()) else None

        for chat in HELD:
            world.faults.plan(Fault(FaultKind.HOLD, "sendPhoto", chat_id=chat))
        bot = await Carrier.start(sandbox, tmp_path)
        await client.until(lambda: came(0), "charts in flight", 60.0)
        bot.process.send_signal(signal.SIGKILL)
        await bot.process.communicate()
        bot = await Carrier.start(sandbox, tmp_path)
        await client.until(lambda: came(1), "charts", 60.0)
        assert await bot.stop() == 0
        for chat in CHATS:
            messages = world.chats[chat].messages.values()
            assert sum(each.text.startswith("🗞 3 bulletins") for each in messages) == 1
            marked = ["Possibly a repeat" in each for each in charts(chat)]
            assert marked == ([False, True] if chat in HELD else [False])
        async with await State.open(tmp_path) as state:
            assert await state.outbox.counts() == {"done": 2 * len(CHATS)}
