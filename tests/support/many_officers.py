"""A flash and a digest for many officers, waiting in the outbox of a bot that does not run yet."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bots.sandbox.model import Standing, User
from bots.sandbox.server import Sandbox
from bots.state import State
from bots.state.jobs import alert, digest
from bots.state.outbox import enqueue, remember
from schemas.vocabulary import Language
from tests.support.forked import ROOT, Forked, spawn
from tests.support.node_api import make_record
from tests.support.officers_bot import invite

_FIRST_PERSON: Final = 1_000_000


async def enrolled(sandbox: Sandbox, folder: Path, number: int) -> dict[int, int]:
    """So many officers with an alert of one flash bulletin and a digest each, the digests put in first; the
    chat of each officer.
    """
    record, now = make_record(1, severity="flash"), time.time()
    chats: dict[int, int] = {}
    async with await State.open(folder) as state:
        for index in range(number):
            person = _FIRST_PERSON + index
            sandbox.world.add_user(User(person, f"Officer {index}")).standing = Standing.OPEN
            code = await invite(state, f"Officer {index}")
            officer = await state.officers.enrol(
                code, chat=person, person=person, language=Language.ENGLISH, now=now
            )
            assert officer
            chats[officer.id] = person
        body = json.dumps({"records": [record.bulletin.id], "since": now - 86_400})
        waiting = [digest(each, "2026-11-26", body) for each in chats]
        waiting += [alert(record, each) for each in chats]
        async with state.store.write() as tx:
            await tx.run(lambda connection: remember(connection, record, now))
            assert await tx.run(lambda connection: enqueue(connection, waiting, now)) == 2 * number
    return chats


@dataclass
class Told:
    """What a bot has said that it delivered, in its order: verb, officer, whether as a possible repeat, and
    when (Unix milliseconds).
    """

    verb: str
    officer: int
    repeat: bool
    at: int


@dataclass
class Carrier:
    """A bot as a process of its own, on the state of `enrolled`."""

    process: Forked

    @classmethod
    async def start(cls, sandbox: Sandbox, folder: Path, **settings: Any) -> "Carrier":  # the bot's
        """Start it, with these settings of the bot beside the usual ones."""
        process = await spawn(
            sys.executable,
            "-m",
            "tests.support.bot_process",
            folder,
            sandbox.base_url,
            sandbox.bots[0].token,
            json.dumps(settings),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        return cls(process)

    async def told(self) -> AsyncIterator[Told]:
        """What it delivers, as it says so, until it ends."""
        assert self.process.stdout
        async for line in self.process.stdout:
            fields = json.loads(line)
            if fields["event"] in {"alert", "digest"}:
                yield Told(fields["event"], fields["officer"], fields["repeat"], fields["at"])

    async def stop(self) -> int:
        """SIGTERM; its exit status."""
        self.process.terminate()
        await self.process.communicate()
        return self.process.returncode or 0
