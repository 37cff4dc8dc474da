"""What stands on disk: nothing readable, and after a kill everything that was acknowledged, once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from subscribers.storage.archive import MIGRATIONS, Archive
from subscribers.storage.store import Store
from tests.support.archive import bulletin_id, new_record

KEY = bytes(range(32))
ROUNDS = 6
ACKNOWLEDGED = 25

# Keeps bulletins in transactions of one to five, and says so for each only after the commit.
WRITER = """
import asyncio, itertools, sys
from pathlib import Path
from subscribers.storage.archive import MIGRATIONS, Archive
from subscribers.storage.store import Store
from tests.support.archive import new_record

async def main(path, start):
    store = await Store.open(Path(path), bytes(range(32)), MIGRATIONS)
    number = int(start)
    for size in itertools.cycle((1, 2, 3, 4, 5)):
        async with store.write() as tx:
            batch = [new_record(n) for n in range(number, number + size)]
            assert await Archive(store).insert_all(tx, batch) == [True] * size
        number += size
        print(number, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def files_in(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def write_until_killed(path: Path, start: int, root: Path) -> int:
    """The number below which every bulletin was acknowledged when the writer was killed."""
    command = [sys.executable, "-c", WRITER, str(path), str(start)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=root) as writer:
        assert writer.stdout is not None
        acknowledged = start
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged >= start + ACKNOWLEDGED:
                break
        writer.kill()
        rest = writer.stdout.read().split("\n")[:-1]  # whole lines only
    return int(rest[-1]) if rest else acknowledged


async def test_nothing_readable_is_on_disk(tmp_path: Path) -> None:
    words = ("Zanzibarine", "kidnapping-plot", "Крокодилов", "恐怖袭击", "المتفجرات")
    async with await Store.open(tmp_path / "node.db", KEY, MIGRATIONS) as store:
        async with store.write() as tx:
            await Archive(store).insert_all(
                tx, [new_record(n, title=word, body=f"{word} {word}") for n, word in enumerate(words)]
            )
            await tx.execute("INSERT INTO agencies VALUES ('fr-dgx', 'Zanzibarine')")
        open_files = files_in(tmp_path)
        assert set(open_files) == {"node.db", "node.db-wal", "node.db-shm"}
        await store.checkpoint()
        folded = files_in(tmp_path)
    for content in (*open_files.values(), *folded.values(), *files_in(tmp_path).values()):
        for word in (*words, *map(str.lower, words), "fr-dgx", "CREATE TABLE", "SQLite format 3", KEY.hex()):
            for encoding in ("utf-8", "utf-16-le"):
                assert word.encode(encoding) not in content
        assert KEY not in content


@pytest.mark.slow
async def test_a_kill_loses_nothing_acknowledged_and_doubles_nothing(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "node.db"
    start = 0
    for _ in range(ROUNDS):
        acknowledged = write_until_killed(path, start, root)
        assert acknowledged >= start + ACKNOWLEDGED
        async with await Store.open(path, KEY, MIGRATIONS) as store:
            archive = Archive(store)
            ids = {row[0] for row in await store.query("SELECT id FROM bulletins")}
            assert {bulletin_id(n) for n in range(acknowledged)} <= ids
            start = len(ids)
            assert ids == {bulletin_id(n) for n in range(start)}, (
                "a transaction is there as a whole or not at all"
            )
            # The index agrees with the table, and what is sent again is not kept again.
            assert await store.query("SELECT count(*) FROM terms WHERE terms MATCH 'drone'") == [(start,)]
            assert len((await archive.search(f"number{acknowledged - 1}")).items) == 1
            async with store.write() as tx:
                again = await archive.insert_all(tx, [new_record(n) for n in range(start)])
            assert not any(again)
            await store.integrity_check()
