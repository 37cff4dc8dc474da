"""Gives a restored hub the documents that it lost, from what agencies have kept: each node holds the whole
directory, and the membership logs of its own communities.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nats.aio.client import Client

from hub.client import connected, request
from hub.settings import HubSettings
from schemas.encoding import to_base64
from schemas.errors import Code, OperationError, about
from schemas.exports import Export, parse_file


class Refilled(NamedTuple):
    """How many documents were handed in, the directory's size before and after, and what the hub refused."""

    offered: int
    before: int
    after: int
    refused: list[str]


def refill(settings: HubSettings, files: Mapping[Path, bytes]) -> Refilled:
    """Submit everything in these exports, directories first. FormatError for a file that is none;
    OperationError BAD_REQUEST for one agency's proof, HUB_UNREACHABLE.
    """
    whole = list[Export]()
    for path, data in files.items():
        with about(path):
            found = parse_file(data)
            if not isinstance(found, Export):
                fix = "ask for `liaison-agency directory export FILE` without --agency"
                raise OperationError(
                    Code.BAD_REQUEST, "this is the proof of one agency, not the directory", fix
                )
            whole.append(found)
    return asyncio.run(_refill(settings, whole))


async def _refill(settings: HubSettings, exports: list[Export]) -> Refilled:
    documents = max((each.documents for each in exports), key=len)
    entries = [entry for each in exports for entry in each.memberships]
    offered, refused = list(dict.fromkeys([*documents, *entries])), list[str]()
    async with connected(settings) as nc:
        before = await _size(nc)
        for envelope in offered:
            try:
                await request(nc, "submit", {"document": to_base64(envelope.encode())})
            except OperationError as error:
                if error.code is Code.HUB_UNREACHABLE:
                    raise
                refused.append(f"{error.code}: {error.message}")
        return Refilled(len(offered), before, await _size(nc), refused)


async def _size(nc: Client) -> int:
    return int((await request(nc, "status", {}))["directory"]["size"])
