"""Streams lie on the servers that have the operator's tags, on five real nats-servers; tags that too few have
are refused before anything is made.
"""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from hub.jetstream import api
from hub.operating.audit import AUDIT
from hub.serve import RunningHub, running
from hub.settings import HubSettings
from hub.stream_limits import StreamLimits
from hub.streams import stream_configs
from schemas.errors import Code, OperationError
from tests.support.cluster_world import NAMES, cluster
from tests.support.nats_server import eventually

FIVE = (*NAMES, "west", "centre")
NEAR, FAR = ("east", "west", "centre"), ("north", "south", "west")
STREAMS = [*(each["name"] for each in stream_configs(StreamLimits())), AUDIT]


async def test_streams_lie_where_the_tags_are(tmp_path: Path) -> None:
    tags = [*(f"{each}=region:near" for each in NEAR), *(f"{each}=region:far" for each in FAR)]
    async with cluster(tmp_path, ("a",), names=FIVE, tags=tags) as made:
        hub = made.hubs["a"]
        await is_refused(placed(hub, "region:nowhere"), "region:nowhere")
        async with running(placed(hub, "region:near")) as here:
            await lie_on(here, NEAR)
        await is_refused(placed(hub, "site:east"), "site:east")  # one server, and three replicas
        async with running(placed(hub, "region:far")) as here:
            await lie_on(here, FAR)


def placed(hub: HubSettings, tag: str) -> HubSettings:
    return hub.model_copy(update={"placement_tags": [tag]})


async def is_refused(settings: HubSettings, tag: str) -> None:
    with pytest.raises(OperationError) as refused:
        async with running(settings):
            pass
    assert refused.value.code == Code.BAD_SETTINGS
    assert tag in refused.value.message


async def lie_on(hub: RunningHub, servers: tuple[str, ...]) -> None:
    """Return once every stream lies on these servers."""

    async def is_there() -> bool:
        with contextlib.suppress(OperationError):  # not made yet, or moving
            return [await where(hub.office.nc, each) for each in STREAMS] == [set(servers)] * len(STREAMS)
        return False

    await eventually(is_there)


async def where(nc: Client, stream: str) -> set[str]:
    """The servers on which a stream lies."""
    info: dict[str, Any] = (await api(nc, f"STREAM.INFO.{stream}"))["cluster"]
    return {info.get("leader"), *(each["name"] for each in info["replicas"])}
