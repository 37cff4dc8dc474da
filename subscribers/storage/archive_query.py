"""What the archive is asked: filters as SQL, and cursors. Pure.

Every bulletin has a position: the second it is dated, shifted left, plus its place within that second. Newest
first is the order of the table and of the full-text index, read backwards, and times are ranges of positions.
"""

import base64
import hashlib
import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.encoding import canonical_json, from_instant
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language, Severity, Tlp
from subscribers.records import Filters
from subscribers.storage.facets import facet_conditions

POSITION_BITS: Final = 16
LIMIT_MAX: Final = 100
RANK_WINDOW: Final = 1_000
"""How many of the newest matches are ranked: bm25 over all of them slows down as the archive grows."""
_LAST: Final = 2**63 - 1
_CURSOR: Final = struct.Struct(">BqH7s")

Binding = int | str


class Cursor(NamedTuple):
    """Where the next page begins: below `position`; ranked, `offset` into what lies up to `position`."""

    position: int = _LAST
    offset: int = 0

    def encode(self, question: bytes, *, ranked: bool) -> str:
        """24 URL-safe characters that only go with this question."""
        packed = _CURSOR.pack(ranked, self.position, self.offset, question)
        return base64.urlsafe_b64encode(packed).decode("ascii")

    @classmethod
    def decode(cls, text: str | None, question: bytes, *, ranked: bool) -> "Cursor":
        """Strictly what `encode` made for the same question; OperationError `bad_request` otherwise."""
        if text is None:
            return cls()
        try:
            packed = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
            kind, position, offset, asked = _CURSOR.unpack(packed)
        except (ValueError, struct.error):
            kind, position, offset, asked = 2, 0, 0, b""
        cursor = cls(position, offset)
        if (
            kind != ranked
            or asked != question
            or cursor.encode(question, ranked=ranked) != text
            or position < 0
        ):
            fix = "ask again from the beginning"
            raise OperationError(Code.BAD_REQUEST, "the cursor does not belong to this question", fix)
        return cursor


def question(words: str | None, filters: Filters) -> bytes:
    """A digest of what is asked, so that a cursor cannot be carried from one question to another."""
    fields = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in filters}
    return hashlib.blake2b(
        canonical_json([words, fields]), digest_size=7, person=b"liaison/1 cursor"
    ).digest()


def check_limit(limit: int) -> int:
    """`limit` if a page can have that many; OperationError `bad_request` otherwise."""
    if not 1 <= limit <= LIMIT_MAX:
        raise OperationError(
            Code.BAD_REQUEST, f"a page has 1 to {LIMIT_MAX} bulletins", "ask for fewer, then go on"
        )
    return limit


def first_position(milliseconds: int) -> int:
    """The lowest position of the second that `milliseconds` (Unix) lies in."""
    return (milliseconds // 1000) << POSITION_BITS


def language_bits(languages: Iterable[Language]) -> int:
    """One bit for each language."""
    order = list(Language)
    return sum(1 << order.index(language) for language in languages)


def conditions(filters: Filters, communities: Iterable[str] | None) -> tuple[str, list[Binding]]:
    """`AND ...` on `bulletins AS b` for everything that is filtered but time, with its bindings.

    `communities` are the ids that `filters.communities` stands for; None when it is empty.
    """
    clauses: list[str] = []
    bindings: list[Binding] = []

    def among(clause: str, values: Iterable[str]) -> None:
        given = sorted(values)
        clauses.append(clause.format(", ".join("?" * len(given))))
        bindings.extend(given)

    if filters.kinds:
        among("b.kind IN ({})", filters.kinds)
    if filters.severity_at_least is not Severity.INFO:
        clauses.append("b.severity >= ?")
        bindings.append(filters.severity_at_least.rank)
    if communities is not None:
        among("b.community IN ({})", communities)
    if filters.regions:
        among(
            "EXISTS (SELECT 1 FROM bulletin_regions r WHERE r.position = b.position AND r.region IN ({}))",
            filters.regions,
        )
    if filters.languages:
        clauses.append("b.languages & ? <> 0")
        bindings.append(language_bits(filters.languages))
    for clause, values in facet_conditions(filters):
        clauses.append(clause)
        bindings.extend(values)
    if filters.tlp_at_most is not Tlp.RED:
        clauses.append("b.tlp <= ?")
        bindings.append(filters.tlp_at_most.rank)
    return "".join(f" AND {clause}" for clause in clauses), bindings


def span(filters: Filters) -> tuple[int, int]:
    """Lowest and highest position within `filters.since` and `filters.until`, both included."""
    since = 0 if filters.since is None else first_position(from_instant(filters.since))
    until = _LAST if filters.until is None else first_position(from_instant(filters.until)) - 1
    return since, until
