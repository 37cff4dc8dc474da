"""What a bulletin is about, to look for it by that: techniques, subjects, events. Rows beside the archive's.

Names are compared however they are cased, in every script; a technique (`T1566.001`) is also found by the one
that it is a part of (`T1566`).
"""

from collections.abc import Iterable, Iterator
from typing import Final

import apsw

from schemas.bulletin import Bulletin
from subscribers.records import Filters

MIGRATION: Final = """
    CREATE TABLE facets (
        facet TEXT NOT NULL, value TEXT NOT NULL, position INTEGER NOT NULL REFERENCES bulletins,
        PRIMARY KEY (facet, value, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX facets_of ON facets (position);
    INSERT OR IGNORE INTO facets
        SELECT 'tactic', casefold(t.value ->> 'id'), p.position
            FROM payloads p, json_each(CAST(p.payload AS TEXT), '$.tactics') t;
    INSERT OR IGNORE INTO facets
        SELECT 'tactic', substr(value, 1, instr(value, '.') - 1), position FROM facets WHERE value LIKE '%.%';
    INSERT OR IGNORE INTO facets
        SELECT 'subject', casefold(s.value ->> 'name'), p.position
            FROM payloads p, json_each(CAST(p.payload AS TEXT), '$.subjects') s;
    INSERT OR IGNORE INTO facets
        SELECT 'subject', casefold(s.value ->> 'reference'), p.position
            FROM payloads p, json_each(CAST(p.payload AS TEXT), '$.subjects') s
            WHERE s.value ->> 'reference' IS NOT NULL;
    INSERT OR IGNORE INTO facets
        SELECT 'subject', casefold(a.value), p.position
            FROM payloads p, json_each(CAST(p.payload AS TEXT), '$.subjects') s,
                json_each(s.value, '$.aliases') a;
    INSERT OR IGNORE INTO facets
        SELECT 'event', casefold(CAST(payload AS TEXT) ->> '$.event.name'), position FROM payloads
            WHERE CAST(payload AS TEXT) ->> '$.event.name' IS NOT NULL;
    DELETE FROM facets WHERE position IN (SELECT position FROM bulletins WHERE state = 'retracted');
    """
"""The last of the archive's own. `casefold` is there while a store is opened (`Store.open`)."""


def file_facets(connection: apsw.Connection, position: int, bulletin: Bulletin) -> None:
    """Write the rows of the bulletin at `position`."""
    rows = [(facet, value, position) for facet, value in facets_of(bulletin)]
    connection.executemany("INSERT OR IGNORE INTO facets VALUES (?, ?, ?)", rows)


def facets_of(bulletin: Bulletin) -> set[tuple[str, str]]:
    """What it is about, as the rows say it."""
    return {(facet, value.casefold()) for facet, value in _about(bulletin)}


def facet_conditions(filters: Filters) -> Iterator[tuple[str, list[str]]]:
    """Conditions on `bulletins AS b`, each with its bindings: what is rare is found without a walk."""
    for facet, wanted in (
        ("tactic", filters.tactics),
        ("subject", filters.subjects),
        ("event", filters.events),
    ):
        if wanted:
            values = sorted(each.casefold() for each in wanted)
            among = ", ".join("?" * len(values))
            # Fixed pieces only: every value is bound.
            found = f"SELECT position FROM facets WHERE facet = ? AND value IN ({among})"  # noqa: S608
            yield f"b.position IN ({found})", [facet, *values]


def _about(bulletin: Bulletin) -> Iterable[tuple[str, str]]:
    for tactic in bulletin.tactics:
        yield "tactic", tactic.id
        yield "tactic", tactic.id.partition(".")[0]
    for subject in bulletin.subjects:
        for name in (subject.name, subject.reference, *subject.aliases):
            if name is not None:
                yield "subject", name
    if bulletin.event is not None:
        yield "event", bulletin.event.name
