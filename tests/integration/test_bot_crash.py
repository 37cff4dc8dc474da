"""The bot is killed with requests in flight: nothing is lost, and only what was in flight comes twice, marked
as a possible repeat.
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from bots.sandbox.client import SandboxClient, SandboxUser
from bots.sandbox.server import Sandbox
from bots.state import State
from bots.state.jobs import alert
from bots.state.outbox import enqueue, remember
from schemas.vocabulary import Language
from tests.support.forked import ROOT, Forked, spawn
from tests.support.node_api import make_record
from tests.support.officers_bot import invite, running_sandbox

ALERTS = 6
IN_FLIGHT = 4
"""The concurrency that tests/support/bot_process.py sets."""


async def started(sandbox: Sandbox, folder: Path) -> Forked:
    return await spawn(
        sys.executable,
        "-m",
        "tests.support.bot_process",
        folder,
        sandbox.base_url,
        sandbox.bots[0].token,
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
    )


async def people_with_jobs(client: SandboxClient, folder: Path, number: int) -> list[SandboxUser]:
    """Enrolled officers, each with `ALERTS` alerts waiting in the outbox."""
    people = [await client.add_user(f"Officer {index}") for index in range(number)]
    records = [make_record(index) for index in range(1, ALERTS + 1)]
    now = time.time()
    async with await State.open(folder) as state:
        for person in people:
            await person.send("/start")
            code = await invite(state, person.name)
            await state.officers.enrol(
                code, chat=person.chat_id, person=person.id, language=Language.ENGLISH, now=now
            )
        officers = await state.officers.all()
        async with state.store.write() as tx:
            for record in records:
                await tx.run(lambda connection, record=record: remember(connection, record, now))  # type: ignore[misc]
            waiting = [alert(record, officer.id) for record in records for officer in officers]
            assert await tx.run(lambda connection: enqueue(connection, waiting, now)) == len(waiting)
    return people


def told(person: SandboxUser) -> list[str]:
    said = (str(each["text"]) for each in person.messages.values() if each["from_bot"])
    return [text for text in said if "FRA-2026" in text]


@pytest.mark.slow
async def test_a_kill_in_the_middle_loses_nothing_and_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    async with running_sandbox() as (sandbox, client):
        people = await people_with_jobs(client, tmp_path, 8)
        sandbox.world.updates.clear()  # the bot shall have nothing to answer, only to deliver
        held = people[:IN_FLIGHT]
        for person in held:
            await client.fault("sendMessage", "hold", chat_id=person.chat_id)
        bot = await started(sandbox, tmp_path)

        def all_held() -> dict[str, object] | None:
            return {} if all(len(told(person)) == 1 for person in held) else None

        await client.until(all_held, "requests in flight", 120.0)
        os.kill(bot.pid, signal.SIGKILL)
        await bot.wait()
        bot = await started(sandbox, tmp_path)
        total = len(people) * ALERTS + IN_FLIGHT

        def all_told() -> dict[str, object] | None:
            return {} if sum(len(told(person)) for person in people) >= total else None

        await client.until(all_told, "deliveries", 120.0)
        bot.terminate()
        assert await asyncio.wait_for(bot.wait(), 90) == 0
        for index, person in enumerate(people):
            for number in range(1, ALERTS + 1):
                texts = [text for text in told(person) if f"FRA-2026-{number:04d}" in text]
                marked = [text for text in texts if text.startswith("♻️")]
                in_flight = index < IN_FLIGHT and number == 1
                assert len(texts) == (2 if in_flight else 1), (index, number)
                assert len(marked) == (1 if in_flight else 0), (index, number)
        async with await State.open(tmp_path) as state:
            assert await state.outbox.counts() == {"done": len(people) * ALERTS}
