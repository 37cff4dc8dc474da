"""The operator guide's tables say what the program is: no socket and no setting is missing, or another."""

import re
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from bots.settings import BotSettings
from hub.settings import HubSettings
from subscribers.settings import NodeSettings

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/operator-guide.md").read_text(encoding="utf-8")

LISTENS = re.compile(r"(?:^|_)(?:host|port|listen)$")
OPENS = re.compile(r"TCPSite\(|\bstart_server\(|\bstart_unix_server\(|\.listen\(\w")
OPENED_BY = {
    "bots/doors/telegram/webhook.py": "LIAISON_BOT_WEBHOOK_LISTEN",
    "bots/room/process.py": "LIAISON_BOT_ROOM_LISTEN",
    "bots/sandbox/server.py": "the demo and the sandbox chat",
    "hub/demo/site.py": "the demo and the sandbox chat",
    "hub/operating/web.py": "LIAISON_HUB_METRICS_PORT",
    "subscribers/js/serve.ts": "make js-page",
    "subscribers/watching/web.py": "LIAISON_AGENCY_METRICS_PORT",
}
"""Each module that opens a socket to listen on, and what its row has."""


def section(title: str) -> str:
    return GUIDE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def table(text: str) -> list[str]:
    """The rows of the first table."""
    lines = text[text.index("\n|") :].strip().splitlines()
    return list(takewhile(lambda line: line.startswith("|"), lines))[2:]


SOCKETS = table(section("Sockets"))


def listening_settings() -> list[tuple[str, Any]]:
    """Environment variable and default of each setting that says where something listens."""
    kinds: tuple[type[BaseSettings], ...] = (HubSettings, NodeSettings, BotSettings)
    return [
        (f"{kind.model_config.get('env_prefix', '')}{name}".upper(), field.default)
        for kind in kinds
        for name, field in kind.model_fields.items()
        if LISTENS.search(name)
    ]


@pytest.mark.parametrize("name, default", listening_settings())
def test_each_setting_of_a_listener_is_in_the_table_of_sockets(name: str, default: str | int | None) -> None:
    (row,) = [each for each in SOCKETS if f"`{name}`" in each]
    if default is None:
        assert "if given" in row
    elif default:
        assert str(default) in row


def test_each_module_that_listens_is_in_the_table_of_sockets() -> None:
    """Beside these there is nats-server alone: `tests/integration/test_running_surface.py`."""
    paths = [
        path
        for package in ("schemas", "hub", "subscribers", "bots")
        for kind in ("*.py", "*.ts")
        for path in (ROOT / package).rglob(kind)
        if not {"node_modules", "build"} & set(path.parts)
    ]
    opening = {
        path.relative_to(ROOT).as_posix() for path in paths if OPENS.search(path.read_text(encoding="utf-8"))
    }
    assert opening == set(OPENED_BY)
    for what in OPENED_BY.values():
        assert [row for row in SOCKETS if what in row], f"no row of the table has {what}"
