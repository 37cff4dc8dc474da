"""`liaison-hub status` for people: the facts as tables, once or for as long as somebody looks."""

import asyncio
import contextlib
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from hub.client import connected, request
from hub.settings import HubSettings
from hub.tables import listing
from schemas.encoding import from_instant
from schemas.errors import OperationError

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024
_SPANS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_LAG_MUCH: Final = 1_000


def screen(facts: dict[str, Any], now: int | None = None) -> RenderableType:
    """One look; `facts` as in `hub.health.status`. With `now` (Unix ms) times are told as they have
    passed.
    """
    agencies = facts["agencies"]
    parts = [_head(facts), _endpoints(agencies, now), _streams(facts["streams"]), _keys(agencies)]
    return Group(*(each for each in parts if each is not None))


def follow(settings: HubSettings, console: Console, every: float) -> None:
    """Look again every so many seconds until interrupted. OperationError `hub_unreachable` if there is no
    hub; one that goes away is waited for.
    """
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_follow(settings, console, every))


async def _follow(settings: HubSettings, console: Console, every: float) -> None:
    facts = await _look(settings)
    with Live(_dated(facts), console=console, auto_refresh=False, screen=True) as view:
        while True:
            await asyncio.sleep(every)
            try:
                facts = await _look(settings)
                view.update(_dated(facts), refresh=True)
            except OperationError as away:
                view.update(Group(Text(str(away), style="bold red"), _dated(facts)), refresh=True)


async def _look(settings: HubSettings) -> dict[str, Any]:
    async with connected(settings) as nc:
        return await request(nc, "status", {})


def _dated(facts: dict[str, Any]) -> RenderableType:
    return screen(facts, from_instant(facts["at"]))


def _head(facts: dict[str, Any]) -> RenderableType:
    refused = sum(facts["refused"].values())
    codes = ", ".join(f"{code} {count}" for code, count in facts["refused"].items())
    disk = facts["disk"]
    where = f"at {facts['nats']}, nats-server {facts['server']}, up {span(facts['uptime_s'])}"
    counts = f"admitted {facts['admitted']}, refused {refused}{f' ({codes})' if codes else ''}"
    lines = [
        f"[bold]{escape(facts['hub'])}[/bold] {where}",
        f"root {facts['fingerprint']}",
        f"{counts}, waiting {facts['intake_waiting']}, directory {facts['directory']['size']} documents",
        f"disk {amount(disk['free'])} free of {amount(disk['total'])}",
    ]
    lines += [f"lease {escape(lease)}: {escape(who)}" for lease, who in facts["leases"].items()]
    for each in facts["replacements"]:
        dispute = ", against its objection" if each["disputed"] else ""
        lines.append(f"identity of {each['agency']} to be replaced from {each['effective']}{dispute}")
    return Text.from_markup("\n".join(lines))


def _endpoints(agencies: list[dict[str, Any]], now: int | None) -> RenderableType | None:
    columns = ("agency", "name", "state", "lag", "last heard", "admitted", "refused", "uploaded")
    table = listing(*columns, whole=("agency", "state", "lag", "last heard"), title="Endpoints")
    for agency in agencies:
        for each in agency["endpoints"]:
            table.add_row(agency["id"], escape(agency["name"]), *_endpoint(each, now))
    return table if table.row_count else None


def _keys(agencies: list[dict[str, Any]]) -> RenderableType | None:
    """By what orders name an endpoint: apart, since it is wider than all the rest."""
    named = [(agency["id"], each["public"]) for agency in agencies for each in agency["endpoints"]]
    return Text("\n".join(f"{public} {agency}" for agency, public in named)) if named else None


def _endpoint(each: dict[str, Any], now: int | None) -> tuple[str, ...]:
    state = "[red]suspended[/]" if each["suspended"] else "active" if each["registered"] else "no keys yet"
    lag = each["traffic_waiting"] + each["directory_waiting"]
    refused = ", ".join(f"{code} {count}" for code, count in each["refused"].items())
    return (
        state,
        f"[yellow]{lag}[/]" if lag >= _LAG_MUCH else str(lag),
        _heard(each["last_heard"], now),
        str(each["admitted"]),
        f"[yellow]{refused}[/]" if refused else "",
        amount(each["uploaded"]) if each["uploaded"] else "",
    )


def _heard(at: str | None, now: int | None) -> str:
    if at is None:
        return "never"
    return at if now is None else f"{span(max(0, now - from_instant(at)) // 1000)} ago"


def _streams(streams: dict[str, dict[str, Any]]) -> RenderableType:
    """Where NATS is a cluster, who leads each stream and who is behind."""
    clustered = any(each["leader"] for each in streams.values())
    cluster = ("leader", "behind") if clustered else ()
    columns = ("stream", "messages", "bytes", "limit", *cluster)
    table = listing(*columns, whole=("stream",), title="Streams")
    for name, each in streams.items():
        limit = amount(each["limit"]) if each["limit"] else ""
        row = [name, f"{each['messages']:,}", f"{each['bytes']:,}", limit]
        if clustered:
            row += [each["leader"] or "[red]none[/]", ", ".join(each["behind"])]
        table.add_row(*row)
    return table


def amount(size: float) -> str:
    """Bytes in the unit that says them in the fewest digits."""
    unit = 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def span(seconds: int) -> str:
    """A time in its largest unit that is not too coarse."""
    size, unit = next(((size, unit) for size, unit in _SPANS if seconds >= 2 * size), _SPANS[-1])
    return f"{seconds // size} {unit}"
