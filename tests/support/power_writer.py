"""Writes into a node's store and a JSON-lines sink, and says what is there for good, until its disk fails.

Usage: python -m tests.support.power_writer DIRECTORY
"""

import asyncio
import itertools
import sys
from pathlib import Path
from typing import Final

from schemas.errors import OperationError
from subscribers.sinks.jsonl import JsonlSink
from subscribers.storage.store import Store
from tests.support.node_api import make_record

KEY: Final = bytes(range(32))
NOTES: Final = "CREATE TABLE notes (n INTEGER PRIMARY KEY) STRICT"


async def _main(directory: Path) -> None:
    sink = JsonlSink(directory / "bulletins.jsonl")
    async with await Store.open(directory / "node.db", KEY, [NOTES]) as store:
        for number in itertools.count():
            async with store.write() as tx:
                await tx.execute("INSERT INTO notes VALUES (?)", (number,))
            await sink.write([make_record(number)])
            print(number, flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(_main(Path(sys.argv[1])))
    except OperationError as error:
        print(error.code, flush=True)
