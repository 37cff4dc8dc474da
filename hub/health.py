"""How the hub is: what the streams hold, who waits for what, what was answered. Facts for `status`, and
as Prometheus text.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from hub.grants import DIRECTORY, TRAFFIC
from hub.jetstream import ABSENT, JetStreamRefused, api
from hub.office import Office
from hub.records import Endpoint
from hub.replacements import waiting as replacements_waiting
from hub.state import digest
from hub.streams import ADMISSION, INTAKE, QUARANTINE
from schemas.receipts import ADMITTED
from schemas.subjects import CHUNKS

_STREAMS: Final = (INTAKE, TRAFFIC, DIRECTORY, QUARANTINE, CHUNKS)
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Uptime:
    """When this process began, Unix ms, and the URL at which it serves."""

    since: int
    url: str


async def status(office: Office, uptime: Uptime) -> dict[str, Any]:
    """Everything that an operator sees at a glance; the shape is in `liaison-hub status --help`."""
    directory = office.directory
    now = office.clock()
    admission = await api(office.nc, f"CONSUMER.INFO.{INTAKE}.{ADMISSION}")
    waiting = int(admission["num_pending"]) + int(admission["num_ack_pending"])
    streams = {name: _stream(await api(office.nc, f"STREAM.INFO.{name}")) for name in _STREAMS}
    endpoints = await _endpoints(office)
    return {
        "ok": True,
        "hub": directory.hub.name if directory.hub else "",
        "nats": uptime.url,
        "fingerprint": digest(office.root),
        "uptime_s": (now - uptime.since) // 1000,
        "admitted": office.answered[ADMITTED],
        "refused": {code: count for code, count in sorted(office.answered.items()) if code != ADMITTED},
        "intake_waiting": waiting,
        "streams": streams,
        "directory": {"size": directory.head.size, "root": directory.head.root.hex()},
        "agencies": [
            {"id": each.id, "name": each.name, "code": each.code, "endpoints": endpoints.get(each.id, [])}
            for each in directory.agencies.values()
        ],
        "replacements": replacements_waiting(directory),
        "communities": [
            {
                "id": community,
                "realm": log.community.realm.value,
                "owners": list(log.community.owners),
                "members": log.members(now),
            }
            for community, log in directory.communities.items()
        ],
    }


def prometheus(facts: dict[str, Any]) -> str:
    """The same as Prometheus text (exposition format 0.0.4)."""
    lines = ["# TYPE liaison_answers_total counter"]
    for code, count in {ADMITTED: facts["admitted"], **facts["refused"]}.items():
        lines.append(f'liaison_answers_total{{code="{code}"}} {count}')
    lines += ["# TYPE liaison_intake_waiting gauge", f"liaison_intake_waiting {facts['intake_waiting']}"]
    lines += ["# TYPE liaison_uptime_seconds gauge", f"liaison_uptime_seconds {facts['uptime_s']}"]
    for measure in ("messages", "bytes"):
        lines.append(f"# TYPE liaison_stream_{measure} gauge")
        lines += [
            f'liaison_stream_{measure}{{stream="{name}"}} {stream[measure]}'
            for name, stream in facts["streams"].items()
        ]
    lines.append("# TYPE liaison_endpoint_waiting gauge")
    lines += [
        f'liaison_endpoint_waiting{{agency="{agency["id"]}",endpoint="{endpoint["public"]}"}} '
        f"{endpoint['traffic_waiting']}"
        for agency in facts["agencies"]
        for endpoint in agency["endpoints"]
    ]
    return "\n".join(lines) + "\n"


def _stream(info: dict[str, Any]) -> dict[str, int]:
    state = info["state"]
    return {"messages": state["messages"], "bytes": state["bytes"], "last": state["last_seq"]}


async def _endpoints(office: Office) -> dict[str, list[dict[str, Any]]]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(endpoint: Endpoint) -> dict[str, Any]:
        async with gate:
            return {
                "public": endpoint.public,
                "suspended": endpoint.suspended,
                "registered": endpoint.public in office.directory.endpoints,
                "traffic_waiting": await _waiting(office, TRAFFIC, endpoint.public),
                "directory_waiting": await _waiting(office, DIRECTORY, endpoint.public),
            }

    known: Iterable[Endpoint] = office.accounts.endpoints()
    found: dict[str, list[dict[str, Any]]] = {}
    for endpoint, facts in zip(known, await asyncio.gather(*map(one, known)), strict=True):
        found.setdefault(endpoint.name, []).append(facts)
    return found


async def _waiting(office: Office, stream: str, public: str) -> int:
    try:
        info = await api(office.nc, f"CONSUMER.INFO.{stream}.{public}")
    except JetStreamRefused as refused:
        if refused.reason not in ABSENT:
            raise
        return 0
    return int(info["num_pending"]) + int(info["num_ack_pending"])
