"""Whether one bulletin holds an officer's words, as the archive's search would find them in it.

The same terms and the same expression meet the same full-text engine, in memory: what a saved search told of
is what a search finds later, in every script.
"""

from typing import Final

import apsw

from schemas.bulletin import Bulletin
from subscribers.storage.archive_rows import terms_of
from subscribers.storage.normalise import query_expression

_TABLE: Final = "CREATE VIRTUAL TABLE terms USING fts5 (title, body, content = '', tokenize = 'ascii')"


class Spotter:
    """Looks for words in one bulletin; each question is answered once, and the index made at the first."""

    def __init__(self, bulletin: Bulletin) -> None:
        self._bulletin = bulletin
        self._index: apsw.Connection | None = None
        self._known: dict[str, bool] = {}

    def holds(self, words: str) -> bool:
        """Whether all of `words`, and every "quoted phrase", are in it. OperationError `bad_request` when
        there is nothing to look for, or too much.
        """
        if (known := self._known.get(words)) is None:
            sql = "SELECT 1 FROM terms WHERE terms MATCH ?"
            found = self._made().execute(sql, (query_expression(words),)).fetchall()
            known = self._known[words] = bool(found)
        return known

    def _made(self) -> apsw.Connection:
        if self._index is None:
            self._index = apsw.Connection(":memory:")
            self._index.execute(_TABLE)
            self._index.execute("INSERT INTO terms VALUES (?, ?)", terms_of(self._bulletin))
        return self._index
