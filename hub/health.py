"""How the hub is: what the streams hold, who waits for what, what was answered. The facts of `status`, from
which the terminal's view, the metrics, the operational records and `doctor` are made.

They name agencies, endpoints and communities' opaque ids, count and measure; there is nothing of any
bulletin in them, for the hub knows nothing.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nats.aio.client import Client

from hub.grants import DIRECTORY, TRAFFIC
from hub.jetstream import api
from hub.office import Office
from hub.operating.audit import AUDIT
from hub.operating.certificates import ends
from hub.operating.heard import last_answered
from hub.operating.meter import Tally
from hub.records import Endpoint
from hub.replacements import waiting as replacements_waiting
from hub.state import digest
from hub.streams import INTAKE, QUARANTINE
from schemas.encoding import instant
from schemas.receipts import ADMITTED
from schemas.subjects import CHUNKS

_STREAMS: Final = (INTAKE, TRAFFIC, DIRECTORY, QUARANTINE, CHUNKS, AUDIT)


@dataclass(frozen=True, slots=True)
class Site:
    """What surrounds the office: since when this process runs (Unix ms), its URL and its directory, how
    many bytes an endpoint has uploaded today and may upload, and which certificates are watched.
    """

    since: int
    url: str
    state: Path
    uploaded: Callable[[str], int]
    upload_limit: int
    certificates: tuple[Path, ...] = ()


async def status(office: Office, site: Site) -> dict[str, Any]:
    """Everything that an operator sees at a glance; the shape is in the operator guide, "What is
    measured".
    """
    directory = office.directory
    now = office.clock()
    leases = office.among.leases
    admission = await durables(office.nc, INTAKE)
    streams = {name: _stream(await api(office.nc, f"STREAM.INFO.{name}")) for name in _STREAMS}
    endpoints = await _endpoints(office, site)
    return {
        "ok": True,
        "at": instant(now),
        "hub": directory.hub.name if directory.hub else "",
        "nats": site.url,
        "server": server_version(office.nc),
        "fingerprint": digest(office.root),
        "uptime_s": (now - site.since) // 1000,
        "admitted": office.answered[ADMITTED],
        "refused": {code: count for code, count in sorted(office.answered.items()) if code != ADMITTED},
        "latency": office.meter.latency.facts(),
        "intake_waiting": sum(waiting(admission[each]) for each in leases.durables if each in admission),
        "streams": streams,
        "leases": leases.holders(),
        "cluster": leases.facts(),
        "disk": _disk(site.state),
        "certificates": ends(site.certificates),
        "upload_limit": site.upload_limit,
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


def server_version(nc: Client) -> str:
    """The version of the NATS server at the other end, `2.15.1`."""
    said = nc.connected_server_version
    return f"{said.major}.{said.minor}.{said.patch}"


def waiting(consumer: dict[str, Any]) -> int:
    """How many messages a durable has not acknowledged, from its `CONSUMER.INFO`."""
    return int(consumer["num_pending"]) + int(consumer["num_ack_pending"])


async def durables(nc: Client, stream: str) -> dict[str, dict[str, Any]]:
    """Every durable of a stream by its name, as `CONSUMER.INFO` would tell of each: in a few questions. In a
    cluster, one whose server is away is left out.
    """
    found: dict[str, dict[str, Any]] = {}
    asked, total = 0, 1
    while asked < total:
        page = await api(nc, f"CONSUMER.LIST.{stream}", {"offset": asked})
        found |= {info["name"]: info for info in page["consumers"] or ()}
        asked, total = asked + int(page["limit"]), int(page["total"])
    return found


def _stream(info: dict[str, Any]) -> dict[str, Any]:
    """`leader` and `behind` (replicas that are not current) are of a cluster; `limit` is 0 where there is
    none.
    """
    state, cluster = info["state"], info.get("cluster") or {}
    return {
        "messages": state["messages"],
        "bytes": state["bytes"],
        "last": state["last_seq"],
        "limit": max(info["config"].get("max_bytes", 0), 0),
        "leader": cluster.get("leader"),
        "behind": [each["name"] for each in cluster.get("replicas") or () if not each["current"]],
    }


def _disk(path: Path) -> dict[str, int]:
    usage = shutil.disk_usage(path)
    return {"free": usage.free, "total": usage.total}


async def _endpoints(office: Office, site: Site) -> dict[str, list[dict[str, Any]]]:
    traffic, directory = await durables(office.nc, TRAFFIC), await durables(office.nc, DIRECTORY)
    known, answered = office.accounts.endpoints(), dict[str, int]()
    if office.among.leases.shared:  # others have answered, too
        answered = await last_answered(office.nc, [each.public for each in known])

    def one(endpoint: Endpoint) -> dict[str, Any]:
        public = endpoint.public
        tally = office.meter.endpoints.get(public) or Tally()
        heard = max(tally.heard, office.state.heard.get(public, 0), answered.get(public, 0))
        keys = office.directory.endpoints.get(public)
        return {
            "public": public,
            "suspended": endpoint.suspended,
            "registered": keys is not None,
            "keys_issued": instant(keys.issued) if keys else None,
            "traffic_waiting": waiting(traffic[public]) if public in traffic else 0,
            "directory_waiting": waiting(directory[public]) if public in directory else 0,
            "last_heard": instant(heard) if heard else None,
            "admitted": tally.admitted,
            "refused": dict(sorted(tally.refused.items())),
            "bytes": tally.bytes,
            "uploaded": site.uploaded(public),
        }

    found: dict[str, list[dict[str, Any]]] = {}
    for endpoint in office.accounts.endpoints():
        found.setdefault(endpoint.name, []).append(one(endpoint))
    return found
