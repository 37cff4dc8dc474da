"""What a running hub finds when it looks at its NATS server, streams and accounts, for `doctor`: facts,
and no judgement (`hub.operating.doctor`).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from nats.aio.client import Client

from hub.claims import known_accounts
from hub.grants import DIRECTORY, TRAFFIC
from hub.health import durables
from hub.jetstream import ABSENT, JetStreamRefused, api
from hub.office import Office
from hub.operating.audit import CONFIG
from hub.stream_limits import StreamLimits
from hub.streams import drift, stream_configs
from schemas.encoding import from_instant

_SECONDS = len("2026-01-31T08:30:00")


async def examine(
    office: Office,
    system: Client,
    limits: StreamLimits,
    facts: Callable[[], Awaitable[dict[str, Any]]],
    head: Mapping[str, object],
) -> dict[str, Any]:
    """The facts of `status`, and beside them: `clock` and `server_clock` (Unix ms), `newest` (when the newest
    message was stored, by the server's clock of then), `drift` of streams, what is amiss with `accounts`.

    `system` is a connection of the system account, `head` what `status` tells of the directory's head.
    """
    configs = [*stream_configs(limits), {**CONFIG, **limits.spread}]
    drifted, newest, server = [], 0, 0
    for config in configs:
        try:
            info = await api(office.nc, f"STREAM.INFO.{config['name']}")
        except JetStreamRefused as refused:
            if refused.reason not in ABSENT:
                raise
            drifted.append(f"{config['name']} is not there")
            continue
        drifted += [f"{config['name']}: {each}" for each in drift(config, info["config"])]
        server = max(server, _moment(info["ts"]))
        if info["state"]["messages"]:
            newest = max(newest, _moment(info["state"]["last_ts"]))
    return {
        "status": await facts(),
        "head": dict(head),
        "clock": office.clock(),
        "server_clock": server,
        "newest": newest,
        "drift": drifted,
        "accounts": await _accounts(office, system),
    }


async def _accounts(office: Office, system: Client) -> dict[str, list[str]]:
    """Endpoints that are not everywhere where they should be, each as `agency key`."""
    known = {each.public: each for each in office.accounts.endpoints()}
    at_server = await known_accounts(system)
    read = {stream: await durables(office.nc, stream) for stream in (TRAFFIC, DIRECTORY)}
    agencies = [each for each in known.values() if each.kind == "agency"]

    def named(publics: Iterable[str]) -> list[str]:
        return [f"{known[each].name} {each}" for each in publics]

    strangers = sorted(office.directory.endpoints.keys() - known.keys())
    return {
        "missing_at_server": named(known.keys() - at_server),
        "without_keys": named(
            each.public for each in agencies if each.public not in office.directory.endpoints
        ),
        "without_agency": named(
            each.public for each in agencies if each.name not in office.directory.agencies
        ),
        "without_durable": named(
            public
            for public, each in known.items()
            if any(public not in read[stream] for stream in each.reads)
        ),
        "without_account": [f"{office.directory.endpoints[each].agency} {each}" for each in strangers],
    }


def _moment(text: str) -> int:
    """Unix ms, to the second, of a time as nats-server writes it."""
    return from_instant(text[:_SECONDS] + "Z")
