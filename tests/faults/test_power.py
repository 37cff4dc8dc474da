"""The power of a disk is cut under a node's store and its sink: a loop device that is shut down. Short enough
for every test run; `make faults` does the same to everything at once (test_disks.py).
"""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from subscribers.storage.store import Store
from tests.support import disks
from tests.support.power_writer import KEY, NOTES

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = 20
MEBIBYTES = 32


async def test_what_was_committed_outlives_a_power_cut(tmp_path: Path) -> None:
    try:
        with disks.powered(tmp_path / "disk", MEBIBYTES) as disk:
            told = await cut_while_writing(disk)
            disk.restore()
            async with await Store.open(disk.path / "node.db", KEY, [NOTES]) as store:
                kept = [row[0] for row in await store.query("SELECT n FROM notes ORDER BY n")]
            lines = [json.loads(each) for each in whole_lines(disk.path / "bulletins.jsonl")]
    except disks.Unavailable as reason:
        pytest.skip(f"no disk whose power can be cut: {reason}")
    # One more may have been written and not told.
    assert kept in (told, [*told, len(told)])
    assert len(lines) - len(told) in {0, 1}
    assert len({each["bulletin"]["id"] for each in lines}) == len(lines)


async def cut_while_writing(disk: disks.Powered) -> list[int]:
    """What a writer had said to be there when the power went."""
    words = ("-m", "tests.support.power_writer", str(disk.path))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout
    told: list[int] = []
    try:
        async for line in process.stdout:
            if not line.strip().isdigit():
                break  # it says why it goes no further
            told.append(int(line))
            if len(told) == WRITTEN:
                disk.cut()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
    assert len(told) >= WRITTEN
    return told


def whole_lines(file: Path) -> list[bytes]:
    """Without one that the cut tore off."""
    return [each for each in file.read_bytes().splitlines(keepends=True) if each.endswith(b"\n")]
