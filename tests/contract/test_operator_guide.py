"""The operator guide's tables say what the program is: no socket and no setting is missing, or another."""

import re
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from bots.settings import BotSettings
from hub.heads import HEAD_TTL
from hub.operating.teller import OPERATION_TTL
from hub.settings import HubSettings
from hub.streams import HISTORY_TTL, RECEIPT_TTL, WRAP_TTL
from schemas.limits import INTAKE_AGE_MAX
from subscribers.settings import NodeSettings

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/operator-guide.md").read_text(encoding="utf-8")
AGENCY_GUIDE = (ROOT / "docs/agency-guide.md").read_text(encoding="utf-8")

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


def section(title: str, guide: str = GUIDE) -> str:
    return guide.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


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


UNITS = {"BYTES": ((1024**3, "GiB"), (1024**2, "MiB"))}
IN_WORDS = {("LIAISON_AGENCY_", "PORT"): "chosen once", ("LIAISON_HUB_", "PORT"): "4222"}


def written(prefix: str, name: str, default: Any) -> str:
    """A default as the tables write it."""
    if (prefix, name) in IN_WORDS:
        return IN_WORDS[prefix, name]
    if default in (None, []):
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    for size, unit in UNITS.get(name.rpartition("_")[2], ()):
        if default >= size:
            return f"{default // size} {unit}"
    return f"{default:,}" if isinstance(default, int | float) else f"`{default}`"


@pytest.mark.parametrize("kind, guide", [(HubSettings, GUIDE), (NodeSettings, AGENCY_GUIDE)])
def test_the_table_of_settings_has_each_with_its_default(kind: type[BaseSettings], guide: str) -> None:
    told: dict[str, str] = {}
    for row in table(section("Settings", guide)):
        names, defaults = (cell.strip() for cell in row.split("|")[1:3])
        told |= dict(zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=True))
    prefix = kind.model_config.get("env_prefix", "")
    assert told == {
        name.upper(): written(prefix, name.upper(), field.default)
        for name, field in kind.model_fields.items()
    }


def test_what_the_hub_keeps_is_told_with_its_time() -> None:
    kept = dict(row.split(" | ", 1) for row in table(section("Settings").partition("### What")[2]))
    for what, days in {
        "wraps of keys, receipts": {in_days(WRAP_TTL), in_days(RECEIPT_TTL)},
        "history": {in_days(HISTORY_TTL), in_days(HEAD_TTL), in_days(OPERATION_TTL)},
        "what was sent in": {INTAKE_AGE_MAX // (24 * 3600 * 1000)},
    }.items():
        (told,) = [how_long for name, how_long in kept.items() if name.startswith(f"| {what}")]
        assert days == {int(told.split(" days")[0])}


def in_days(ttl: str) -> int:
    """Of a lifetime as NATS takes it, in hours."""
    return int(ttl.removesuffix("h")) // 24
