"""More like this: the words that tell a bulletin from others, and the bulletins that have most of them.

The full-text index holds no text, so a bulletin's terms are made anew from its payload; how many bulletins
hold each is read from the index. A term that many have tells nothing, one that nobody else has finds nothing.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import apsw

from schemas.bulletin import Bulletin
from subscribers.records import Filters, Record
from subscribers.storage.archive import TITLE_WEIGHT, records_at, within
from subscribers.storage.archive_query import RANK_WINDOW, span
from subscribers.storage.archive_rows import terms_of
from subscribers.storage.store import Row, Store

LOOKED_UP_MAX: Final = 48
"""Terms whose number is read: each costs a walk over the bulletins that hold it."""
TELLING_MAX: Final = 10
"""Terms that are asked for."""
_COMMON: Final = 0.2
"""Part of the archive in which a term tells nothing any more; not while there are few bulletins."""
_FEW: Final = 50


def weights(bulletin: Bulletin) -> dict[str, float]:
    """The terms that are worth looking up, and how much each says of the bulletin. Pure."""
    title, body = terms_of(bulletin.model_copy(update={"ref": ""}))  # references are alike in their year
    found: dict[str, float] = {}
    for text, weight in ((title, TITLE_WEIGHT), (body, 1.0)):
        for term, times in Counter(text.split()).items():
            if len(term.encode()) > 2 and not term.isdecimal():  # noqa: PLR2004 - letters: one Chinese, three Latin
                found[term] = found.get(term, 0.0) + weight * (1 + math.log(times))
    best = sorted(found, key=lambda term: (-found[term], -len(term), term))[:LOOKED_UP_MAX]
    return {term: found[term] for term in best}


def telling(weighed: Mapping[str, float], held: Mapping[str, int], number: int) -> list[str]:
    """The terms that tell most, best first: `held` says how many of `number` bulletins have each. Pure."""
    most = max(_COMMON * number, _FEW)
    useful = {
        term: weight * math.log(1 + number / held[term])
        for term, weight in weighed.items()
        if 1 < held.get(term, 0) <= most
    }
    return sorted(useful, key=lambda term: (-useful[term], term))[:TELLING_MAX]


async def like(store: Store, record: Record, filters: Filters, limit: int) -> list[Record]:
    """The bulletins most like one, best first, within `filters`; without itself, what links to it, and what
    it links to. None for one that was retracted: its words are looked for no more.
    """
    if record.state == "retracted":
        return []
    weighed = weights(record.bulletin)
    return await store.read(lambda connection: _like(connection, record, weighed, filters, limit))


def _like(
    connection: apsw.Connection, record: Record, weighed: Mapping[str, float], filters: Filters, limit: int
) -> list[Record]:
    counted: list[Row] = connection.execute("SELECT count(*) FROM bulletins").fetchall()
    number = int(counted[0][0])
    terms = telling(weighed, _held(connection, weighed), number)
    if not terms:
        return []
    lowest, highest = span(filters)
    where, bindings = within(connection, filters, exercise=record.bulletin.exercise)
    sql = f"""
        SELECT position FROM (
            SELECT terms.rowid AS position, bm25(terms, {TITLE_WEIGHT}, 1.0) AS score
            FROM terms CROSS JOIN bulletins b ON b.position = terms.rowid
            WHERE terms MATCH ? AND terms.rowid BETWEEN ? AND ? AND b.id <> ?
                AND b.id NOT IN (SELECT target FROM links WHERE position =
                    (SELECT position FROM bulletins WHERE id = ?))
                AND b.position NOT IN (SELECT position FROM links WHERE target = ?){where}
            ORDER BY 1 DESC LIMIT {RANK_WINDOW}
        ) ORDER BY score, position DESC LIMIT ?
    """  # noqa: S608 - fixed pieces only: every value is bound
    id = record.bulletin.id
    expression = " OR ".join(f'"{term}"' for term in terms)
    rows = connection.execute(sql, (expression, lowest, highest, id, id, id, *bindings, limit)).fetchall()
    return records_at(connection, rows)


def _held(connection: apsw.Connection, terms: Iterable[str]) -> dict[str, int]:
    """How many bulletins have each term."""
    held: dict[str, int] = {}
    for term in terms:
        rows: list[Row] = connection.execute("SELECT doc FROM terms_held WHERE term = ?", (term,)).fetchall()
        held[term] = int(rows[0][0]) if rows else 0
    return held
