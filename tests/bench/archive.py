"""Queries of a large archive, against the same statements on the same connection."""

import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Final

import apsw

from schemas.bulletin import Bulletin
from schemas.encoding import instant
from schemas.frame import parse_frame
from schemas.vocabulary import Kind, Severity
from subscribers.judging.kept import Proof
from subscribers.storage import tables
from subscribers.storage.archive import Archive, NewRecord, put_all
from subscribers.storage.normalise import query_expression
from subscribers.storage.store import Row, Store
from tests.bench.measure import Result, latency, percentile
from tests.support import archive as made
from tests.support.federation import Publisher, seed

PAGE: Final = 10
PROVED: Final = 10
"""Every so manieth bulletin has what shows that it was signed."""
_TOGETHER: Final = 2_000
SIGHTS: Final = (
    "drone", "vehicle", "northern", "gate", "harbour", "phishing", "account", "stadium", "convoy", "border",
    "explosive", "passport", "antenna", "crowd", "bridge", "tunnel", "airport", "market", "embassy", "cargo",
)  # fmt: skip
_KINDS: Final = (Kind.THREAT, Kind.TACTIC, Kind.CYBER, Kind.NARRATIVE, Kind.REQUEST, Kind.NOTICE)
_FIND: Final = "SELECT rowid FROM terms WHERE terms MATCH ? ORDER BY rowid DESC LIMIT ?"
_READ: Final = """
    SELECT p.payload, b.community, b.agency, b.received, b.state FROM bulletins b
    JOIN payloads p USING (position) WHERE b.position = ?
"""
_NOTE: Final = "MATCH, ten rows, json.loads, through the same connection"


@asynccontextmanager
async def filled(directory: Path, bulletins: int) -> AsyncIterator[Store]:
    """A node's store with so many bulletins, a minute apart from `made.START` on."""
    async with await Store.open(directory / "archive.db", seed("archive"), tables.NODE) as store:
        await fill(store, 0, bulletins)
        yield store


async def measure(store: Store, *, queries: int) -> list[Result]:
    """`archive_query_p95` of so many queries, each one asked of the archive and then bare."""
    archive, asked = Archive(store), questions(queries)
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


async def add(store: Store, number: int) -> None:
    """One more."""
    await store.transact(partial(put_all, new=[_bulletin(number, random.Random(number))]))


def reference(number: int) -> str:
    """What the bulletin with this number is called."""
    return f"FRA-2026-{number:04}"


async def _bare(store: Store, words: str) -> int:
    expression = query_expression(words)

    def find(connection: apsw.Connection) -> int:
        rows: list[Row] = connection.execute(_FIND, (expression, PAGE + 1)).fetchall()
        for row in rows[:PAGE]:
            read: list[Row] = connection.execute(_READ, row).fetchall()
            json.loads(read[0][0])
        return len(rows[:PAGE])

    return await store.read(find)


async def fill(store: Store, begin: int, end: int) -> None:
    """Put in those with the numbers from `begin` to before `end`."""
    words = random.Random(1 + begin)
    for start in range(begin, end, _TOGETHER):
        some = [_bulletin(number, words) for number in range(start, min(start + _TOGETHER, end))]
        await store.transact(partial(put_all, new=some))


def _bulletin(number: int, words: random.Random) -> NewRecord:
    """One that speaks of a few of the sights, a thousand places, and a name of its own."""
    text = " ".join(words.choices(SIGHTS, k=30) + [f"place{words.randrange(1_000)}" for _ in range(30)])
    bulletin = Bulletin.model_construct(
        **dict(made.bulletin(0)),
    ).model_copy(
        update={
            "id": made.bulletin_id(number),
            "ref": reference(number),
            "issued": instant(made.START + number * 60_000),
            "kind": words.choice(_KINDS),
            "severity": words.choice(list(Severity)),
            "title": f"{words.choice(SIGHTS).title()} near place{words.randrange(1_000)} case{number}",
            "body": text,
        }
    )
    received = made.START + number * 60_000 + 1_000
    # Frames of their own would take longer to seal than everything else: every tenth has the same one.
    proof = _proof() if number % PROVED == 0 else None
    return NewRecord(bulletin, bulletin.to_bytes(), made.COMMUNITY, "fr-dgx", received, proof=proof)


@cache
def _proof() -> Proof:
    return Proof.of(parse_frame(Publisher().bulletin(1)), bytes(16), own=False)


def questions(count: int) -> Sequence[str]:
    """Common words, rare ones, and both together."""
    words = random.Random(2)
    kinds = (
        lambda: words.choice(SIGHTS),
        lambda: f"place{words.randrange(1_000)}",
        lambda: f"{words.choice(SIGHTS)} place{words.randrange(1_000)}",
        lambda: " ".join(words.sample(SIGHTS, 3)),
    )
    return [kinds[number % len(kinds)]() for number in range(count)]
