"""The titles of what came lately, under the markings that it has by now. One statement: to read thousands of
bulletins whole takes longer than an answer may.
"""

import json
from dataclasses import dataclass

from schemas.vocabulary import Tlp
from subscribers.storage.store import Store

_SQL = """
    SELECT r.record ->> '$.bulletin.title', r.record -> '$.bulletin.translations',
        r.record ->> '$.bulletin.tlp', a.record ->> '$.bulletin.tlp'
    FROM records r
    LEFT JOIN records a ON r.record ->> '$.state' = 'amended' AND a.id = r.record ->> '$.replaced_by'
    WHERE r.seen >= ? AND r.record ->> '$.state' <> 'retracted'
"""


@dataclass(frozen=True, slots=True)
class Titled:
    """One bulletin's titles in all its languages, and its marking: its own or its amendment's, whichever is
    higher.
    """

    titles: tuple[str, ...]
    tlp: Tlp


async def titled(store: Store, since: float) -> list[Titled]:
    """Those of the bulletins that arrived from `since` on (Unix seconds); none that was retracted."""
    found = []
    for title, translations, own, after in await store.query(_SQL, (since,)):
        others = (each["title"] for each in json.loads(translations))
        markings = (Tlp(each) for each in (own, after) if each)
        found.append(Titled((title, *others), max(markings, key=lambda tlp: tlp.rank)))
    return found
