"""A federation whose root names one witness, and that witness as the process that its organisation runs."""

import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nats.aio.client import Client

from hub.accounts import Accounts, Service
from subscribers.witness.keys import ADMISSION, WitnessAdmission
from tests.support.world import PATIENCE, Program, Result, World, command, eventually

NAME: Final = "icpo.example/witness"
FRESHNESS: Final = "2m"
_BIN: Final = Path(sys.executable).parent


@dataclass
class Watched:
    """The world, and its witness."""

    world: World
    witness: Program

    @property
    def state(self) -> Path:
        """The witness's state directory."""
        return self.world.directory / "WITNESS"

    @property
    def endpoint(self) -> str:
        """The witness's account at the hub."""
        return WitnessAdmission.read(self.state / ADMISSION).endpoint

    async def status(self) -> dict[str, Any]:
        """What `liaison-witness status` says."""
        found: dict[str, Any] = (await self.command("status", "--json")).json
        return found

    async def command(self, *words: str) -> Result:
        """A command of the witness on its state."""
        return await self.world.command("liaison-witness", *words, "--state", self.state)

    async def cosigned(self) -> int:
        """Return the size of the directory once its newest head is cosigned."""
        size = 0

        async def complete() -> bool:
            nonlocal size
            status = await self.world.command("liaison-hub", "status", "--json", "--state", self.world.state)
            size = status.json["directory"]["size"]
            head = status.json["head"]
            return (head["size"], head["cosigned"]) == (size, [NAME])

        await eventually(complete)
        return size

    @contextlib.asynccontextmanager
    async def hostile_hub(self) -> AsyncIterator[Client]:
        """A connection with all rights of the hub's own account: what a hub that lies would write with."""
        credentials = Accounts.load(self.world.state / "hub").credentials(Service.HUB)
        nc = Client()
        url = (self.world.state / "url").read_text("ascii").strip()
        await nc.connect(url, **credentials.options(), connect_timeout=PATIENCE)
        try:
            yield nc
        finally:
            await nc.close()


@contextlib.asynccontextmanager
async def watched_world(directory: Path, *options: str) -> AsyncIterator[Watched]:
    """A hub and a running witness, quorum 1; `options` are more of those that make the root."""
    made = await command(directory, "liaison-witness", "init", "--name", NAME, "--state", "WITNESS", "--json")
    watch = ("--witness", f"{NAME}={json.loads(made.out)['key']}", "--quorum", "1")
    async with World.opened(directory, watch=(*watch, "--freshness", FRESHNESS, *options)) as world:
        request = directory / "WITNESS" / "witness.request"
        out = directory / "witness-admission.json"
        await world.done("liaison-hub", "admit-witness", request, "--out", out, "--state", world.state)
        program = Program(
            directory,
            directory / "witness.log",
            _BIN / "liaison-witness",
            "run",
            "--json",
            "--state",
            "WITNESS",
        )
        watched = Watched(world, program)
        enrolled = await watched.command("enrol", str(out), "--root-fingerprint", world.fingerprint)
        assert enrolled.status == 0, enrolled.err
        try:
            await program.start()
            yield watched
        finally:
            await program.kill()
