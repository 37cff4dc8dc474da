"""TLS of the embedded nats-server, by a certificate of the operator's: who believes its authority is served,
and nobody else is told a word.
"""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from hub import tls
from hub.dev_ca import UnsafeDevelopmentCa
from hub.serve import running
from tests.support.frames import Chain
from tests.support.hub_world import DEADLINE, prepare_hub, refused_to_a_stranger


async def test_with_a_certificate_everything_goes_by_tls(tmp_path: Path) -> None:
    authority = UnsafeDevelopmentCa()
    pair = authority.issue("hub", ["127.0.0.1"])
    for name, pem in (("ca", authority.certificate), ("cert", pair.certificate), ("key", pair.key)):
        (tmp_path / f"{name}.pem").write_bytes(pem)
    world = prepare_hub(tmp_path)
    given = {"tls_cert": tmp_path / "cert.pem", "tls_key": tmp_path / "key.pem"}
    world.settings = world.settings.model_copy(update=given)
    async with running(world.settings) as hub:
        try:
            sender, reader = await world.enrol("sen", "SEN"), await world.enrol("rea", "REA")
            await reader.close()
            reader.context = tls.client_context(tmp_path / "ca.pem")  # as an agency has it: `hub-ca.pem`
            await reader.connect()
            chain = Chain(sender.kit, await world.community(sender, reader))
            frame = chain.make(world.now)
            assert await sender.send(chain, frame) == "admitted"
            await reader.until(lambda: frame in reader.frames())
            assert sender.url.startswith("tls://")
            await refused_to_a_stranger(hub.url)
            assert await said_in_clear(hub.url) == b""
        finally:
            await world.close()


async def said_in_clear(url: str) -> bytes:
    """All that the server answers to who begins without the handshake, until it hangs up."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        async with asyncio.timeout(DEADLINE):
            writer.write(b"CONNECT {}\r\nPING\r\n")
            said = await reader.read()
            # A TLS alert (RFC 8446, 6) is the end of a handshake that did not begin, and no word of NATS.
            return b"" if said[:1] == b"\x15" else said
    finally:
        writer.close()
