"""Headers made to stop who reads them: NATS carries whatever bytes stand there, and a client library that
fails at them reads nothing more, for ever, for the message stays in the stream.
"""

from pathlib import Path

import pytest
from nats.aio.client import Client

from tests.support.frames import Chain
from tests.support.hub_world import hub_world
from tests.support.local_nats import connected, running_node

HEADERS = {
    "no line end": b"NATS/1.0",
    "a space": b"NATS/1.0 ",
    "a status that is not UTF-8": b"NATS/1.0 \xff\xfe\xfd\r\n\r\n",
    "a description that is not UTF-8": b"NATS/1.0 409 \xff\xfe\r\n\r\n",
    "a described status that is not UTF-8": b"NATS/1.0 100 \xff\r\n\xfe: \xff\r\n\r\n",
    "a status that is no number": b"NATS/1.0 \xc2\xb2\r\n\r\n",
    "names that are not UTF-8": b"NATS/1.0\r\n\xff\xfe: \xfd\r\n\r\n",
    "no colon": b"NATS/1.0\r\nnothing at all\r\n\r\n",
    "no header": b"\x00\x01\x02\x03",
    "the server's own status": b"NATS/1.0 409 Consumer Deleted\r\n\r\n",
}


async def publish_raw(nc: Client, subject: str, header: bytes, payload: bytes, reply: str = "") -> None:
    """One HPUB as an attacker writes it, past every check of the client library."""
    line = f"HPUB {subject} {reply} {len(header)} {len(header) + len(payload)}\r\n".encode()
    await nc._send_command(line + header + payload + b"\r\n")  # noqa: SLF001 - no library sends such a thing
    await nc.flush()


@pytest.mark.parametrize("name", HEADERS)
async def test_no_header_stops_the_hub(tmp_path: Path, name: str) -> None:
    async with hub_world(tmp_path) as (hub, _):
        france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
        circle = await hub.community(france, kenya)

        for payload in (b"", b"junk"):
            await publish_raw(kenya.nc, f"s.doc.{kenya.kit.endpoint}", HEADERS[name], payload)

        chain = Chain(france.kit, circle)
        assert await france.send(chain, chain.make(hub.now)) == "admitted"


@pytest.mark.parametrize("name", HEADERS)
async def test_no_header_stops_a_node(tmp_path: Path, name: str) -> None:
    async with running_node(tmp_path) as node, node.client("bot") as bot:
        await node.local.add_client("evil")
        async with connected(node.local, tmp_path, "evil") as evil:
            before = await node.local.connection()
            for payload in (b"", b"junk"):
                await publish_raw(evil.nc, "node.whoami", HEADERS[name], payload, reply="_INBOX.evil.1")

            assert await bot.communities() is not None
            assert await node.local.connection() is before
