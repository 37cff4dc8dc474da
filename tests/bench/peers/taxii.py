"""A TAXII 2.1 server (medallion) as a peer: the publisher adds a signed object to a collection, every reader
polls for what was added since its last answer, once a second, and verifies. The server reads everything, and
keeps it in memory.
"""

import asyncio
import contextlib
import importlib.util
import json
import random
import socket
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp

from schemas.signing import verify
from tests.bench.arrivals import Arrivals, Send, tasks
from tests.support.frames import Pair

POLL: Final = 1.0
"""Seconds from one question of a reader to its next: platforms in use ask once in some minutes."""
_COLLECTION: Final = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
_KIND: Final = "application/taxii+json;version=2.1"
_STIX: Final = "application/stix+json;version=2.1"
_USER: Final = ("reader", "secret")
_HOST: Final = "127.0.0.1"
_TRIES: Final = 200
_PAUSE: Final = 0.05
_ADDED: Final = "X-TAXII-Date-Added-Last"


def missing() -> str:
    """Why it is not here; empty when it is."""
    return "" if importlib.util.find_spec("medallion") else "no medallion (uv sync --group peers)"


@asynccontextmanager
async def delivery(directory: Path, readers: int, payload: bytes) -> AsyncIterator[tuple[Arrivals, Send]]:
    """A server, a publisher and so many readers, whose questions are spread over the second."""
    arrivals, signer, text = Arrivals(readers), Pair(), payload.hex()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(_server(directory))
        headers = {"Accept": _KIND, "Content-Type": _KIND}
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                auth=aiohttp.BasicAuth(*_USER), headers=headers, connector=aiohttp.TCPConnector(limit=0)
            )
        )
        start = await stack.enter_async_context(tasks())
        for number in range(readers):
            start(_poll(session, url, number, signer.public, arrivals))

        async def send(number: int) -> None:
            body = json.dumps({"objects": [_note(f"{number} {text}", signer)]})
            async with session.post(url, data=body) as answer:
                answer.raise_for_status()

        yield arrivals, send


async def _poll(
    session: aiohttp.ClientSession, url: str, reader: int, key: bytes, arrivals: Arrivals
) -> None:
    since = ""
    await asyncio.sleep(POLL * random.Random(reader).random())
    while True:
        begun = time.monotonic()
        async with session.get(url, params={"added_after": since} if since else {}) as answer:
            answer.raise_for_status()
            found = await answer.json(content_type=None)
            since = answer.headers.get(_ADDED) or since
        for each in found.get("objects", ()):
            if not verify(key, each["content"].encode(), b64decode(each["x_signature"])):
                raise ValueError("a signature does not hold")
            arrivals.arrived(reader, int(each["content"].split(" ")[0]))
        await asyncio.sleep(max(0.0, begun + POLL - time.monotonic()))


def _note(content: str, signer: Pair) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "type": "note",
        "spec_version": "2.1",
        "id": f"note--{uuid4()}",
        "created": now,
        "modified": now,
        "content": content,
        "object_refs": [f"identity--{uuid4()}"],
        "x_signature": b64encode(signer.sign(content.encode())).decode(),
    }


def _data() -> dict[str, Any]:
    collection = {
        "id": _COLLECTION,
        "title": "Bulletins",
        "can_read": True,
        "can_write": True,
        "media_types": [_STIX],
        "objects": [],
        "manifest": [],
    }
    root = {"title": "Bench", "versions": [_KIND], "max_content_length": 9_765_625}
    return {
        "/discovery": {"title": "Bench", "api_roots": ["/bench/"]},
        "bench": {"information": root, "status": [], "collections": [collection]},
    }


@asynccontextmanager
async def _server(directory: Path) -> AsyncIterator[str]:
    with socket.create_server((_HOST, 0)) as free:
        port = int(free.getsockname()[1])
    data, config = directory / "taxii-data.json", directory / "taxii.json"
    data.write_text(json.dumps(_data()))
    backend = {
        "module": "medallion.backends.memory_backend",
        "module_class": "MemoryBackend",
        "filename": str(data),
    }
    taxii = {"max_page_size": 100, "interop_requirements": False}
    config.write_text(json.dumps({"backend": backend, "users": dict([_USER]), "taxii": taxii}))
    command = (sys.executable, "-m", "medallion.scripts.run", "--port", str(port), str(config))
    with (directory / "taxii.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        for _ in range(_TRIES):
            with contextlib.suppress(OSError):
                socket.create_connection((_HOST, port)).close()
                break
            await asyncio.sleep(_PAUSE)
        yield f"http://{_HOST}:{port}/bench/collections/{_COLLECTION}/objects/"
    finally:
        process.kill()
        await process.wait()
