"""The three example programs, run as their readers would run them."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from schemas.vocabulary import Tlp
from subscribers.local import Role
from tests.support.local_nats import DEADLINE, hearing, running_node
from tests.support.node_api import make_record


@asynccontextmanager
async def example(root: Path, name: str, *arguments: str) -> AsyncIterator[Process]:
    """A running example; ended when the block is left."""
    program = root / "subscribers" / "examples" / name
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        *arguments,
        stdout=PIPE,
        stderr=PIPE,
        cwd=root,
        env={"PYTHONPATH": str(root)},
    )
    try:
        async with asyncio.timeout(DEADLINE):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lines(process: Process, count: int) -> list[str]:
    assert process.stdout
    return [(await process.stdout.readline()).decode().strip() for _ in range(count)]


async def test_publish_and_subscribe_with_the_api(root: Path, tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        await node.local.add_client("desk", Role.PUBLISHER)
        await node.local.add_client("siem", Role.READER)
        async with example(root, "subscribe.py", str(tmp_path), "siem", "1") as following:
            assert await lines(following, 1) == ["siem follows bulletins up to TLP:AMBER"]
            async with example(
                root, "publish.py", str(tmp_path), "desk", "alpha", "Seen at the port"
            ) as publishing:
                assert await lines(publishing, 1) == ["FRA-2026-1000 queued"]
                assert await publishing.wait() == 0
            assert await lines(following, 1) == ["FRA-2026-1000 tactic TLP:GREEN Seen at the port"]
            assert await following.wait() == 0


async def test_publish_says_what_is_wrong(root: Path, tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        await node.local.add_client("siem", Role.READER)
        async with example(root, "publish.py", str(tmp_path), "siem", "alpha", "A title") as publishing:
            _, said = await publishing.communicate()
            assert (publishing.returncode, said.decode().split(":")[0]) == (1, "forbidden")


async def test_plain_nats_hears_what_its_wildcard_and_its_ceiling_allow(root: Path, tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        seed = await node.local.add_client("siem", Role.READER, Tlp.GREEN)
        await hearing(node.local, node.directory, "siem")
        subject = "bulletin.live.*.cyber.>"
        async with example(root, "plain_nats.py", node.local.url, str(seed), subject, "2") as listening:
            assert await lines(listening, 1) == [f"listening on {subject}"]
            # Under load the server may take a moment to connect a new subscription: what comes before is not
            # heard, and from then on all that its wildcard and its ceiling allow, in order.
            hearing_two, said = asyncio.create_task(lines(listening, 2)), list[str]()
            while not hearing_two.done():
                number = 10 * len(said)
                await node.local.republish(
                    [
                        make_record(number + 1, kind="cyber"),
                        make_record(number + 2, kind="threat"),
                        make_record(number + 3, kind="cyber", tlp=Tlp.AMBER),
                        make_record(number + 4, kind="cyber", exercise=True),
                        make_record(number + 5, kind="cyber", severity="flash", tlp=Tlp.CLEAR),
                    ]
                )
                said += [
                    f"bulletin.live.alpha.cyber.elevated.green France Bulletin {number + 1}",
                    f"bulletin.live.alpha.cyber.flash.clear France Bulletin {number + 5}",
                ]
                await asyncio.wait({hearing_two}, timeout=1)
            first, second = hearing_two.result()
            assert second == said[said.index(first) + 1]
            assert await listening.wait() == 0
