"""What a running hub and node show to the machine they run on: sockets, command lines, cores."""

import contextlib
import ipaddress
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.demo.ports import free_ports
from hub.serve import running
from tests.support.hub_world import prepare_hub
from tests.support.node import DirectNode
from tests.support.officers_bot import bot_on, running_sandbox
from tests.support.room import running_room
from tests.support.world import World

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="asks /proc, which Linux has"),
]

SEED = re.compile(r"\bS[UAOX][A-Z2-7]{50,}|PRIVATE KEY|[0-9]{6,}:[A-Za-z0-9_-]{30,}")
LISTENING = "0A"


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    found: list[int] = []
    for each in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):  # the thread has ended meanwhile
            found += map(int, each.read_text().split())
    return [pid, *(each for child in found for each in family(child))]


def listening(pid: int) -> set[tuple[str, int]]:
    """Address and port of every TCP socket on which the process listens."""
    held = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has been closed meanwhile: a server writes files
            held.add(each.readlink().name)
    lines = _told(pid, "net/tcp").splitlines()[1:]
    rows = [each.split() for each in lines + _told(pid, "net/tcp6").splitlines()[1:]]
    return {_address(row[1]) for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in held}


def _address(written: str) -> tuple[str, int]:
    host, port = written.split(":")
    words = [bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8)]
    return str(ipaddress.ip_address(b"".join(words))), int(port, 16)


async def test_nothing_listens_but_what_the_guide_names(world: World) -> None:
    """`docs/operator-guide.md`, Sockets: without metrics servers of NATS alone, on loopback unless told
    otherwise.
    """
    agency = await world.agency("fr")
    for program, ports in ((world.hub, 3), (agency.node, 1)):
        python, *children = family(program.pid)
        assert listening(python) == set()
        opened = {each for child in children for each in listening(child)}
        assert len(opened) == ports, (
            "NATS; and at the hub its monitor, and WebSocket, which this one was told to open"
        )
        assert {host for host, _ in opened} == {"127.0.0.1"}


async def test_a_python_process_listens_only_where_it_was_told_to(tmp_path: Path) -> None:
    """The hub with its metrics, the reading room, the bot by webhook: one socket each, on loopback."""
    async with running_sandbox() as (sandbox, client):
        already = listening(os.getpid())
        settings = prepare_hub(tmp_path).settings.model_copy(update={"metrics_port": 0})
        async with running(settings) as hub:
            assert listening(os.getpid()) - already == {("127.0.0.1", port(hub.metrics or ""))}
        async with running_room(tmp_path / "room", DirectNode()) as room:
            assert listening(os.getpid()) - already == {("127.0.0.1", port(room.origin))}
        where = f"127.0.0.1:{free_ports(1)[0]}"
        told: dict[str, Any] = {"webhook_url": f"http://{where}/updates", "webhook_listen": where}
        async with bot_on(sandbox, client, tmp_path / "bot", DirectNode(), **told):
            assert listening(os.getpid()) - already == {("127.0.0.1", port(f"//{where}"))}
        assert listening(os.getpid()) == already


def port(url: str) -> int:
    return urlsplit(url).port or 0


async def test_no_secret_is_on_a_command_line_or_in_a_core(world: World) -> None:
    agency = await world.agency("fr")
    for program in (world.hub, agency.node):
        for pid in family(program.pid):
            assert not SEED.search(_told(pid, "cmdline"))
            assert re.search(r"Max core file size +0 +0 ", _told(pid, "limits"))


def _told(pid: int, about: str) -> str:
    return Path(f"/proc/{pid}/{about}").read_text()
