"""Queries of a large archive, against the same statements on the same connection."""

import json
import random
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import apsw

from schemas.bulletin import Bulletin
from schemas.encoding import instant
from subscribers.storage import tables
from subscribers.storage.archive import Archive, NewRecord, put_all
from subscribers.storage.normalise import query_expression
from subscribers.storage.store import Row, Store
from tests.bench.measure import Result, latency, percentile
from tests.support import archive as made
from tests.support.federation import seed

PAGE: Final = 10
_TOGETHER: Final = 2_000
_SIGHTS: Final = (
    "drone", "vehicle", "northern", "gate", "harbour", "phishing", "account", "stadium", "convoy", "border",
    "explosive", "passport", "antenna", "crowd", "bridge", "tunnel", "airport", "market", "embassy", "cargo",
)  # fmt: skip
_FIND: Final = "SELECT rowid FROM terms WHERE terms MATCH ? ORDER BY rowid DESC LIMIT ?"
_READ: Final = """
    SELECT p.payload, b.community, b.agency, b.received, b.state FROM bulletins b
    JOIN payloads p USING (position) WHERE b.position = ?
"""
_NOTE: Final = "MATCH, ten rows, json.loads, through the same connection"


async def measure(directory: Path, *, bulletins: int, queries: int) -> list[Result]:
    """`archive_query_p95` of so many queries, each one asked of the archive and then bare."""
    async with await Store.open(directory / "archive.db", seed("archive"), tables.NODE) as store:
        await _fill(store, bulletins)
        archive, asked = Archive(store), _questions(queries)
        taken: tuple[list[float], list[float]] = ([], [])
        for words in asked:
            start = time.perf_counter()
            page = await archive.search(words, limit=PAGE)
            between = time.perf_counter()
            found = await _bare(store, words)
            end = time.perf_counter()
            if len(page.items) != found:
                raise ValueError("the archive and the bare query disagree")
            taken[0].append(1000 * (between - start))
            taken[1].append(1000 * (end - between))
        ours, bare = (percentile(each, 0.95) for each in taken)
    return [latency("archive_query_p95", ours, bare, _NOTE)]


async def _bare(store: Store, words: str) -> int:
    expression = query_expression(words)

    def find(connection: apsw.Connection) -> int:
        rows: list[Row] = connection.execute(_FIND, (expression, PAGE + 1)).fetchall()
        for row in rows[:PAGE]:
            read: list[Row] = connection.execute(_READ, row).fetchall()
            json.loads(read[0][0])
        return len(rows[:PAGE])

    return await store.read(find)


async def _fill(store: Store, bulletins: int) -> None:
    words = random.Random(1)
    for start in range(0, bulletins, _TOGETHER):
        some = [_bulletin(number, words) for number in range(start, min(start + _TOGETHER, bulletins))]
        await store.transact(partial(put_all, new=some))


def _bulletin(number: int, words: random.Random) -> NewRecord:
    """One that speaks of a few of the sights, a thousand places, and a name of its own."""
    text = " ".join(words.choices(_SIGHTS, k=30) + [f"place{words.randrange(1_000)}" for _ in range(30)])
    bulletin = Bulletin.model_construct(
        **dict(made.bulletin(0)),
    ).model_copy(
        update={
            "id": made.bulletin_id(number),
            "ref": f"FRA-2026-{number:06}",
            "issued": instant(made.START + number * 60_000),
            "title": f"{words.choice(_SIGHTS).title()} near place{words.randrange(1_000)} case{number}",
            "body": text,
        }
    )
    received = made.START + number * 60_000 + 1_000
    return NewRecord(bulletin, bulletin.to_bytes(), made.COMMUNITY, "fr-dgx", received)


def _questions(count: int) -> Sequence[str]:
    """Common words, rare ones, and both together."""
    words = random.Random(2)
    kinds = (
        lambda: words.choice(_SIGHTS),
        lambda: f"place{words.randrange(1_000)}",
        lambda: f"{words.choice(_SIGHTS)} place{words.randrange(1_000)}",
        lambda: " ".join(words.sample(_SIGHTS, 3)),
    )
    return [kinds[number % len(kinds)]() for number in range(count)]
