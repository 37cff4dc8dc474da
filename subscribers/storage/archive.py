"""The agency's bulletins: kept, amended, found again.

Writing happens in the caller's transaction; reading never waits for it. Newest first, by the time a bulletin
is dated (issued, but never later than it came), which is the order of the table and of the index; ranked on
request, within a window of the newest matches.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import apsw

from schemas.bulletin import Bulletin, parse_bulletin
from schemas.encoding import instant
from schemas.errors import Code, OperationError, TrustError
from schemas.vocabulary import Kind, Realm, Relation, Severity, Tlp
from subscribers.records import Change, Filters, Page, Record
from subscribers.storage.archive_query import (
    RANK_WINDOW,
    Binding,
    Cursor,
    check_limit,
    conditions,
    question,
    span,
)
from subscribers.storage.archive_rows import MIGRATIONS, Flag, NewRecord, put
from subscribers.storage.normalise import query_expression
from subscribers.storage.store import Row, Store, Tx

__all__ = [
    "DIGEST_MAX",
    "MIGRATIONS",
    "Archive",
    "Flag",
    "NewRecord",
    "put",
    "put_all",
    "unpublished",
]

_CHANGED: Final = (
    "bulletin", "ref", "state", "change", "change_ref", "community", "community_slug", "agency",
)  # fmt: skip
_NOBODY: Final[Mapping[bytes, Bulletin]] = MappingProxyType({})
DIGEST_MAX: Final = 512
"""As many as a digest bulletin may link to."""
EVERYTHING: Final = Filters()
TITLE_WEIGHT: Final = 4.0
"""How much more a word counts in the title and among the names than in the text."""

_RECORD: Final = """
    SELECT p.payload, b.community, coalesce(c.slug, b.community), coalesce(c.title, b.community), b.agency,
        coalesce(a.name, b.agency), b.received, b.own, b.flags, b.state, b.replaced_by, b.tlp
    FROM bulletins b JOIN payloads p USING (position)
        LEFT JOIN communities c ON c.id = b.community LEFT JOIN agencies a ON a.id = b.agency
    WHERE b.position = ?
"""


class _Ask(NamedTuple):
    """One question: `expression` None means everything; `digest` ties cursors to it."""

    expression: str | None
    filters: Filters
    limit: int
    digest: bytes
    start: Cursor
    ranked: bool = False


class Archive:
    """The bulletins in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def insert(self, tx: Tx, new: NewRecord) -> bool:
        """`put` in `tx`: whether it is new. Raises TrustError `already_known`; `tx` stays usable."""
        return await tx.run(lambda connection: put(connection, new))

    async def insert_all(self, tx: Tx, new: Sequence[NewRecord]) -> list[bool | TrustError]:
        """`put_all` in `tx`."""
        return await tx.run(lambda connection: put_all(connection, new))

    async def get(self, ref_or_id: str) -> Record:
        """The bulletin with this id, or the first with this reference. Raises OperationError `not_found`."""
        by_id = "SELECT position FROM bulletins WHERE id = ?"
        by_ref = "SELECT position FROM bulletins WHERE ref = ? ORDER BY number LIMIT 1"

        def find(connection: apsw.Connection) -> list[Record]:
            rows = connection.execute(by_id, (ref_or_id.lower(),)).fetchall()
            return records_at(connection, rows or connection.execute(by_ref, (ref_or_id.upper(),)).fetchall())

        if not (found := await self._store.read(find)):
            raise OperationError(
                Code.NOT_FOUND, "no such bulletin here", "check the reference, or search for it"
            )
        return found[0]

    async def latest(self, filters: Filters = EVERYTHING, limit: int = 10, cursor: str | None = None) -> Page:
        """Newest first. OperationError `bad_request`: limit outside 1..100, cursor of another question."""
        check_limit(limit)
        digest = question(None, filters)
        ask = _Ask(None, filters, limit, digest, Cursor.decode(cursor, digest, ranked=False))
        return await self._store.read(lambda connection: _newest(connection, ask))

    async def search(
        self,
        words: str,
        filters: Filters = EVERYTHING,
        limit: int = 10,
        cursor: str | None = None,
        *,
        ranked: bool = False,
    ) -> Page:
        """Bulletins with all of `words`, newest first; or the best of the newest matches when `ranked`.

        Pages of a ranked answer may overlap when bulletins come in between them; newest first never does.
        Raises OperationError `bad_request` for words that hold nothing to look for, a limit outside 1..100,
        or a cursor of another question.
        """
        check_limit(limit)
        digest = question(words, filters)
        start = Cursor.decode(cursor, digest, ranked=ranked)
        ask = _Ask(query_expression(words), filters, limit, digest, start, ranked=ranked)
        return await self._store.read(lambda connection: (_best if ranked else _newest)(connection, ask))

    async def for_digest(self, community: str, since: int, until: int) -> list[Record]:
        """What came to a community, `since` <= received < `until` (Unix ms): at most 512, severest first.

        By the time it was received, so that what was late still stands in exactly one digest. What came as
        history stood in the digests of its own time.
        """
        sql = """
            SELECT position FROM bulletins WHERE community = ? AND received >= ? AND received < ?
                AND flags NOT LIKE '%history%'
            ORDER BY severity DESC, position DESC LIMIT ?
        """

        def find(connection: apsw.Connection) -> list[Record]:
            return records_at(
                connection, connection.execute(sql, (community, since, until, DIGEST_MAX)).fetchall()
            )

        return await self._store.read(find)

    async def replies(self, target: str, limit: int = 50, tlp_at_most: Tlp = Tlp.RED) -> list[Record]:
        """Acknowledgements, sightings and responses to the bulletin with this id, newest first."""
        answers = (Relation.ACKNOWLEDGES, Relation.SIGHTS, Relation.RESPONDS_TO)
        return await self.linking(target, answers, limit, tlp_at_most)

    async def linking(
        self, target: str, relations: Sequence[Relation], limit: int, tlp_at_most: Tlp = Tlp.RED
    ) -> list[Record]:
        """Bulletins that link to the one with this id in one of these relations, newest first."""
        sql = """
            SELECT DISTINCT position FROM links JOIN bulletins USING (position)
            WHERE target = ? AND relation IN (SELECT value FROM json_each(?)) AND tlp <= ?
            ORDER BY position DESC LIMIT ?
        """

        def find(connection: apsw.Connection) -> list[Record]:
            bindings = (target, json.dumps(relations), tlp_at_most.rank, limit)
            return records_at(connection, connection.execute(sql, bindings).fetchall())

        return await self._store.read(find)

    async def changes(self, id: str) -> list[Change]:
        """What the amendment or retraction with this id did to bulletins that are here, if it holds."""
        sql = """
            SELECT t.id, t.ref, t.state, s.id, s.ref, t.community, coalesce(c.slug, t.community), t.agency,
                t.kind, t.severity, s.received, p.payload
            FROM bulletins s CROSS JOIN replacements r ON r.position = s.position
                CROSS JOIN bulletins t ON t.id = r.target JOIN payloads p ON p.position = t.position
                LEFT JOIN communities c ON c.id = t.community
            WHERE s.id = ? AND t.replaced_by = s.id ORDER BY t.number
        """
        return [_change(row) for row in await self._store.query(sql, (id,))]

    async def unpublished(self, limit: int = 256, *, after: int = 0) -> list[tuple[int, Record]]:
        """Local numbers and bulletins not yet marked as republished, in the order in which they came; only
        those that came later than number `after`.
        """
        return await self._store.read(lambda connection: unpublished(connection, after, limit))

    async def mark_republished(self, number: int) -> None:
        """Everything up to local `number` is on the agency's own NATS. Never goes back."""
        sql = "UPDATE republished SET number = max(number, ?)"
        await self._store.transact(lambda connection: connection.execute(sql, (number,)), brief=True)

    async def republish_behind(self, id: str) -> None:
        """What came later than the bulletin `id` is not on the agency's own NATS, whatever was marked. The
        mark stays where the bulletin that it names is held no more: its number would be given again.
        """
        sql = """
            WITH last AS (SELECT number FROM bulletins WHERE id = ?)
            UPDATE republished SET number = (SELECT number FROM last)
            WHERE number > (SELECT number FROM last) AND number IN (SELECT number FROM bulletins)
        """
        await self._store.transact(lambda connection: connection.execute(sql, (id,)).fetchall())

    async def count(self) -> int:
        """How many bulletins are held."""
        return int((await self._store.query("SELECT count(*) FROM bulletins"))[0][0])


def put_all(connection: apsw.Connection, new: Sequence[NewRecord]) -> list[bool | TrustError]:
    """What became of each: new, there already, or refused. Written in the order of their time."""
    outcomes: list[bool | TrustError] = [False] * len(new)
    for place in sorted(range(len(new)), key=lambda place: new[place].bulletin.issued):
        try:
            outcomes[place] = put(connection, new[place])
        except TrustError as refused:
            outcomes[place] = refused
    return outcomes


def unpublished(
    connection: apsw.Connection, after: int, limit: int = -1, known: Mapping[bytes, Bulletin] = _NOBODY
) -> list[tuple[int, Record]]:
    """As `Archive.unpublished`, on an open connection; no limit when it is negative. `known` bulletins, by
    their payload, are not parsed again.
    """
    sql = """
        SELECT position, number FROM bulletins WHERE number > max(?, (SELECT number FROM republished))
        ORDER BY number LIMIT ?
    """
    rows: list[Row] = connection.execute(sql, (after, limit)).fetchall()
    return [(row[1], record) for row, record in zip(rows, records_at(connection, rows, known), strict=True)]


def records_at(
    connection: apsw.Connection, rows: Sequence[Row], known: Mapping[bytes, Bulletin] = _NOBODY
) -> list[Record]:
    """The bulletins at the positions that `rows` begin with, in that order."""
    return [_record(connection.execute(_RECORD, row[:1]).fetchall()[0], known) for row in rows]


def _record(row: Row, known: Mapping[bytes, Bulletin]) -> Record:
    payload, community, slug, title, agency, name, received, own, flags, state, replaced_by, tlp = row
    bulletin = (known.get(payload) or parse_bulletin(payload)).shown()
    if tlp > bulletin.tlp.rank:  # its originator has marked it higher since
        bulletin = bulletin.model_copy(update={"tlp": list(Tlp)[tlp]})
    return Record(
        bulletin=bulletin,
        community=community,
        community_slug=slug,
        community_title=title,
        agency=agency,
        agency_name=name,
        received=instant(received),
        own=bool(own),
        flags=frozenset(flags.split()),
        state=state,
        replaced_by=replaced_by,
    )


def _change(row: Row) -> Change:
    *texts, kind, severity, received, payload = row
    named, changed = dict(zip(_CHANGED, texts, strict=True)), parse_bulletin(payload)
    return Change(
        **named,
        kind=Kind(kind),
        severity=list(Severity)[severity],
        tlp=changed.tlp,  # who might read it before is told, whatever it is marked now
        exercise=changed.exercise,
        received=instant(received),
    )


def within(
    connection: apsw.Connection, filters: Filters, *, exercise: bool = False
) -> tuple[str, list[Binding]]:
    """`conditions` with the communities looked up that are named by id or slug. Where none is named, those of
    one realm: an exercise is found by whoever asks for its community, and never among what is real.
    """
    known: list[Row] = connection.execute("SELECT id, slug, realm FROM communities").fetchall()
    if filters.communities:
        named = {str(id) for id, slug, _ in known if slug in filters.communities}
        return conditions(filters, sorted(named | filters.communities))
    drills = [str(id) for id, _, realm in known if realm == Realm.EXERCISE]
    where, bindings = conditions(filters, drills if exercise else None)
    if exercise or not drills:
        return where, bindings
    return f"{where} AND b.community NOT IN ({', '.join('?' * len(drills))})", [*bindings, *drills]


def _newest(connection: apsw.Connection, ask: _Ask) -> Page:
    sql, bindings = _matching(connection, ask, ask.start.position - 1)
    rows: list[Row] = connection.execute(
        f"{sql} ORDER BY 1 DESC LIMIT ?", (*bindings, ask.limit + 1)
    ).fetchall()
    following = Cursor(rows[ask.limit - 1][0]) if len(rows) > ask.limit else None
    return _page(connection, ask, rows, following)


def _best(connection: apsw.Connection, ask: _Ask) -> Page:
    highest = ask.start.position
    if ask.start == Cursor():  # later pages rank what the first one saw
        newest: list[Row] = connection.execute("SELECT coalesce(max(position), 0) FROM bulletins").fetchall()
        highest = newest[0][0]
    sql, bindings = _matching(connection, ask, highest)
    window = f"({sql} ORDER BY 1 DESC LIMIT {RANK_WINDOW})"
    ranked = f"SELECT position FROM {window} ORDER BY score, position DESC LIMIT ? OFFSET ?"  # noqa: S608
    rows = connection.execute(ranked, (*bindings, ask.limit + 1, ask.start.offset)).fetchall()
    following = Cursor(highest, ask.start.offset + ask.limit) if len(rows) > ask.limit else None
    return _page(connection, ask, rows, following)


def _page(connection: apsw.Connection, ask: _Ask, rows: Sequence[Row], following: Cursor | None) -> Page:
    """The first `ask.limit` of `rows`. The total is known where everything fits in one page."""
    return Page(
        items=records_at(connection, rows[: ask.limit]),
        cursor=None if following is None else following.encode(ask.digest, ranked=ask.ranked),
        total=len(rows) if following is None and ask.start == Cursor() else None,
    )


def _matching(connection: apsw.Connection, ask: _Ask, highest: int) -> tuple[str, list[Binding]]:
    """A SELECT of the positions up to `highest` that answer `ask` (ranked: and scores), and its bindings.

    The index is walked backwards and each match looked up, never the other way round (CROSS JOIN keeps that
    order): the walk ends when the page is full, so a common word costs no more than a rare one.
    """
    lowest, latest = span(ask.filters)
    where, bindings = within(connection, ask.filters)
    among: list[Binding] = [lowest, min(highest, latest)]
    if ask.expression is None:
        everything = "SELECT b.position FROM bulletins b WHERE b.position BETWEEN ? AND ?"
        return everything + where, among + bindings
    score = f", bm25(terms, {TITLE_WEIGHT}, 1.0) AS score" if ask.ranked else ""
    join = " CROSS JOIN bulletins b ON b.position = terms.rowid" if where else ""
    # Fixed pieces only: every value is bound.
    found = f"SELECT terms.rowid AS position{score} FROM terms{join}"  # noqa: S608
    which = f"WHERE terms MATCH ? AND terms.rowid BETWEEN ? AND ?{where}"
    return f"{found} {which}", [ask.expression, *among, *bindings]
