"""The bot as a process of its own, with a node in memory that has no news: to be killed."""

import json
import sys
from pathlib import Path
from typing import Any

import uvloop
from pydantic import SecretStr

from bots.events import Events
from bots.logs import configure
from bots.process import run_on
from bots.settings import BotSettings
from bots.state import State
from tests.support.node import DirectNode
from tests.support.officers_bot import FAST


async def _run(folder: Path, api_url: str, token: str, given: dict[str, Any]) -> None:
    settings = BotSettings.model_validate(
        {**FAST, "state": folder, "api_url": api_url, "token": SecretStr(token), "concurrency": 4, **given}
    )
    async with await State.open(folder) as state:
        await run_on(settings, state, DirectNode(), Events(sys.stdout))


if __name__ == "__main__":
    configure("json", "warning")
    uvloop.run(_run(Path(sys.argv[1]), sys.argv[2], sys.argv[3], json.loads("".join(sys.argv[4:]) or "{}")))
