"""The archive's tables, and how a bulletin is written into them.

`put` works inside the caller's transaction (`Store.write`), so a bulletin and the state that its frame
changed are on disk together or not at all. The bulletin is kept as the bytes that were signed for; its terms
go into a full-text index that holds no text.
"""

from dataclasses import dataclass
from typing import Final, Literal

import apsw

from schemas.bulletin import Bulletin
from schemas.encoding import from_instant
from schemas.errors import Code, TrustError
from schemas.vocabulary import Kind, Relation
from subscribers.judging.kept import Proof, SealedProof, keep_proof, keep_sealed
from subscribers.storage import facets, retention, reviews
from subscribers.storage.archive_query import POSITION_BITS, first_position, language_bits
from subscribers.storage.facets import file_facets
from subscribers.storage.normalise import document_terms
from subscribers.storage.reviews import file_review

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE communities (
        id TEXT PRIMARY KEY, slug TEXT NOT NULL, title TEXT NOT NULL, realm TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE agencies (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TABLE bulletins (
        position INTEGER PRIMARY KEY,
        number INTEGER NOT NULL UNIQUE,
        id TEXT NOT NULL UNIQUE,
        ref TEXT NOT NULL,
        agency TEXT NOT NULL,
        community TEXT NOT NULL,
        kind TEXT NOT NULL,
        severity INTEGER NOT NULL,
        tlp INTEGER NOT NULL,
        languages INTEGER NOT NULL,
        history TEXT NOT NULL,
        issued INTEGER NOT NULL,
        received INTEGER NOT NULL,
        valid_until INTEGER,
        own INTEGER NOT NULL,
        flags TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'current',
        replaced_by TEXT
    ) STRICT;
    CREATE INDEX bulletins_ref ON bulletins (ref, number);
    CREATE INDEX bulletins_received ON bulletins (community, received);
    CREATE TABLE payloads (position INTEGER PRIMARY KEY REFERENCES bulletins, payload BLOB NOT NULL) STRICT;
    CREATE TABLE bulletin_regions (
        position INTEGER NOT NULL REFERENCES bulletins, region TEXT NOT NULL, PRIMARY KEY (position, region)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE replacements (
        target TEXT NOT NULL, position INTEGER NOT NULL REFERENCES bulletins, PRIMARY KEY (target, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE republished (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
    INSERT INTO republished VALUES (1, 0);
    CREATE VIRTUAL TABLE terms USING fts5 (
        title, body, content = '', contentless_delete = 1, tokenize = 'ascii'
    );
    """,
    """
    CREATE TABLE links (
        target TEXT NOT NULL, relation TEXT NOT NULL, position INTEGER NOT NULL REFERENCES bulletins,
        PRIMARY KEY (target, relation, position)
    ) STRICT, WITHOUT ROWID;
    INSERT OR IGNORE INTO links
        SELECT l.value ->> 'id', l.value ->> 'relation', p.position
        FROM payloads p, json_each(CAST(p.payload AS TEXT), '$.links') l;
    """,
    """
    CREATE TABLE changes (
        id TEXT PRIMARY KEY, community TEXT NOT NULL, originator TEXT NOT NULL, number INTEGER NOT NULL,
        received INTEGER NOT NULL, archive TEXT NOT NULL, applied INTEGER, report TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX changes_open ON changes (number) WHERE report IS NULL;
    DELETE FROM terms WHERE rowid IN (SELECT position FROM bulletins WHERE state = 'retracted');
    """,
    facets.MIGRATION,
    reviews.MIGRATION,
    # What all bulletins are counted by, and no more: after each write it is read and decrypted anew.
    """
    CREATE INDEX bulletins_counted ON bulletins (kind, severity, tlp, languages) WHERE state <> 'retracted';
    """,
    "CREATE VIRTUAL TABLE terms_held USING fts5vocab ('terms', 'row');",
    """
    UPDATE bulletins AS t SET tlp = max(t.tlp, coalesce((
        SELECT max(s.tlp) FROM replacements r JOIN bulletins s ON s.position = r.position
        WHERE r.target = t.id AND s.kind = 'amendment' AND s.agency = t.agency AND s.community = t.community
    ), 0));
    """,
    retention.MIGRATION,
)

Flag = Literal["expired", "gap_before", "late", "history", "private", "review_due"]

_REPLACES: Final = {Kind.AMENDMENT: Relation.AMENDS, Kind.RETRACTION: Relation.RETRACTS}
_FIELD_BREAK: Final = " ¶ "  # a term that no text has: phrases do not reach from one field into the next

_INSERT: Final = """
    INSERT INTO bulletins (position, number, id, ref, agency, community, kind, severity, tlp, languages,
        history, issued, received, valid_until, own, flags)
    VALUES (?, (SELECT max((SELECT coalesce(max(number), 0) FROM bulletins), number) + 1 FROM republished),
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
# What replaces a bulletin: same agency, same community (and so same realm), whichever came first. A
# retraction is the last word; of several amendments the latest holds.
_REPLACE: Final = """
    UPDATE bulletins AS t SET (state, replaced_by) = (s.state, s.id) FROM (
        SELECT iif(s.kind = 'retraction', 'retracted', 'amended') AS state, s.id
        FROM bulletins o
            CROSS JOIN replacements r ON r.target = o.id
            CROSS JOIN bulletins s ON s.position = r.position
        WHERE o.id = ?1 AND s.agency = o.agency AND s.community = o.community AND s.id <> o.id
        ORDER BY s.kind = 'retraction' DESC, s.issued DESC, s.id DESC LIMIT 1
    ) AS s WHERE t.id = ?1
"""

# Of the marking the highest counts that its originator has given it here, by itself or by an amendment
# (FORMAT.md, "Bulletin"): `tlp` is that one, whichever came first.
_MARK: Final = """
    UPDATE bulletins AS t SET tlp = max(t.tlp, (
        SELECT coalesce(max(s.tlp), 0) FROM replacements r CROSS JOIN bulletins s ON s.position = r.position
        WHERE r.target = t.id AND s.kind = 'amendment' AND s.agency = t.agency AND s.community = t.community
    )) WHERE t.id = ?1
"""
_AMENDED: Final = """
    SELECT r.target FROM bulletins s CROSS JOIN replacements r ON r.position = s.position
    WHERE s.id = ? AND s.kind = 'amendment'
"""

# What was retracted is kept for those who must account for it, and no longer found by its words. So is a
# digest that was amended: it may list what was retracted, and its amendment has all of it.
_FORGET: Final = """
    DELETE FROM terms WHERE rowid IN (
        SELECT position FROM bulletins
        WHERE id = ? AND (state = 'retracted' OR (state = 'amended' AND kind = 'digest'))
    )
"""
_FORGET_FACETS: Final = """
    DELETE FROM facets
    WHERE position IN (SELECT position FROM bulletins WHERE id = ? AND state = 'retracted')
"""
_CHANGE: Final = """
    INSERT OR IGNORE INTO changes (id, community, originator, number, received, archive)
    SELECT s.id, ?2, ?3, s.number, ?5, iif(EXISTS (
        SELECT 1 FROM replacements r CROSS JOIN bulletins t ON t.id = r.target
        WHERE r.position = ?4 AND t.agency = ?3 AND t.community = ?2
    ), 'applied', 'absent') FROM bulletins s WHERE s.id = ?1
"""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A bulletin that was opened and checked, about to be kept."""

    bulletin: Bulletin
    payload: bytes
    """The opened payload that `bulletin` was parsed from."""
    community: str
    agency: str
    """The originator's id in the directory."""
    received: int
    """Unix milliseconds."""
    own: bool = False
    flags: frozenset[Flag] = frozenset()
    proof: Proof | None = None
    """What shows others that it was signed; None where the frame is not at hand."""
    sealed: SealedProof | None = None
    """The same of a private reply; None of what the community reads."""
    to: str | None = None
    """The agency to which a private reply is: the bulletin that it answers must be of that agency."""


def put(connection: apsw.Connection, new: NewRecord) -> bool:
    """Keep `new` in the transaction that is open on `connection` (see `Tx.run`); False when it is there.

    Raises TrustError `already_known` when another bulletin is held under its id, `not_a_reply` for a private
    reply to something else than a bulletin of its reader's; nothing was written then.
    """
    if _is_held(connection, new):
        return False
    _check_reply(connection, new)
    bulletin = new.bulletin
    issued = from_instant(bulletin.issued)
    position = _free_position(connection, min(issued, new.received))
    languages = (bulletin.language, *(each.language for each in bulletin.translations))
    connection.execute(
        _INSERT,
        (
            position,
            bulletin.id,
            bulletin.ref,
            new.agency,
            new.community,
            bulletin.kind.value,
            bulletin.severity.rank,
            bulletin.tlp.rank,
            language_bits(languages),
            bulletin.history.value,
            issued,
            new.received,
            None if bulletin.valid_until is None else from_instant(bulletin.valid_until),
            new.own,
            " ".join(sorted(new.flags)),
        ),
    )
    connection.execute("INSERT INTO payloads VALUES (?, ?)", (position, new.payload))
    if new.proof is not None:
        keep_proof(connection, position, new.proof)
    if new.sealed is not None:
        keep_sealed(connection, position, new.sealed)
    # A region is also found by its country.
    regions = {name for region in bulletin.regions for name in (region, region[:2])}
    connection.executemany(
        "INSERT INTO bulletin_regions VALUES (?, ?)", [(position, each) for each in regions]
    )
    file_facets(connection, position, bulletin)
    file_review(connection, position, bulletin)
    title, body = terms_of(bulletin)
    connection.execute("INSERT INTO terms (rowid, title, body) VALUES (?, ?, ?)", (position, title, body))
    connection.executemany(
        "INSERT OR IGNORE INTO links VALUES (?, ?, ?)",
        [(link.id, link.relation.value, position) for link in bulletin.links],
    )
    targets = {link.id for link in bulletin.links if link.relation is _REPLACES.get(bulletin.kind)}
    connection.executemany("INSERT INTO replacements VALUES (?, ?)", [(each, position) for each in targets])
    if targets or _is_replaced(connection, bulletin.id):  # most are not, and what follows is no small part
        for target in (*targets, bulletin.id):
            connection.execute(_REPLACE, (target,))
            connection.execute(_FORGET, (target,))
            connection.execute(_FORGET_FACETS, (target,))
        _mark(connection, bulletin.id)
    if bulletin.kind in _REPLACES and "history" not in new.flags:
        # What was changed before we came is nobody's to ask us about.
        connection.execute(_CHANGE, (bulletin.id, new.community, new.agency, position, new.received))
    return True


def _is_replaced(connection: apsw.Connection, id: str) -> bool:
    """Whether what replaces it came first."""
    return bool(connection.execute("SELECT 1 FROM replacements WHERE target = ? LIMIT 1", (id,)).fetchall())


def _mark(connection: apsw.Connection, id: str) -> None:
    """Give a bulletin, what it amends, what that amends, and so on, the markings that they have by now."""
    waiting, seen = [id], set[str]()
    while waiting:
        each = waiting.pop()
        connection.execute(_MARK, (each,))
        seen.add(each)
        waiting += [target for (target,) in connection.execute(_AMENDED, (each,)) if target not in seen]


def _is_held(connection: apsw.Connection, new: NewRecord) -> bool:
    held = connection.execute(
        "SELECT agency, community, payload FROM bulletins JOIN payloads USING (position) WHERE id = ?",
        (new.bulletin.id,),
    ).fetchall()
    if not held:
        return retention.is_purged(connection, new.bulletin.id)
    if held != [(new.agency, new.community, new.payload)]:
        raise TrustError(Code.ALREADY_KNOWN, "another bulletin is held under this id", "have it reissued")
    return True


def _check_reply(connection: apsw.Connection, new: NewRecord) -> None:
    # FORMAT.md, Replies: nobody answers in private what the reader has not said here.
    if new.to is None:
        return
    sql = "SELECT 1 FROM bulletins WHERE id = ? AND community = ? AND agency = ?"
    if not connection.execute(sql, (new.bulletin.links[0].id, new.community, new.to)).fetchall():
        raise TrustError(Code.NOT_A_REPLY, "a private reply to something else than a bulletin of ours here")


def _free_position(connection: apsw.Connection, dated: int) -> int:
    """The next free place in the second that `dated` lies in, or in the first later one that has room."""
    first = first_position(dated)
    while True:
        room = first + (1 << POSITION_BITS)
        found = connection.execute(
            "SELECT max(position) FROM bulletins WHERE position >= ? AND position < ?", (first, room)
        ).fetchall()[0][0]
        if found is None:
            return first
        if int(found) + 1 < room:
            return int(found) + 1
        first = room


def terms_of(bulletin: Bulletin) -> tuple[str, str]:
    """The search terms of what names a bulletin, and of the rest."""
    names = [bulletin.title, bulletin.ref]
    for subject in bulletin.subjects:
        names += [subject.name, *subject.aliases, subject.reference or ""]
    if bulletin.channel is not None:
        names += [bulletin.channel.address, bulletin.channel.platform or ""]
    if bulletin.event is not None:
        names += [bulletin.event.name, bulletin.event.venue or ""]
    texts = [bulletin.summary, bulletin.body]
    for tactic in bulletin.tactics:
        texts += [tactic.id, tactic.name or ""]
    names += [attachment.name for attachment in bulletin.attachments]
    for indicator in bulletin.indicators:
        texts += [indicator.pattern, indicator.description or ""]
    title = [document_terms(each, bulletin.language) for each in names]
    body = [document_terms(each, bulletin.language) for each in texts]
    for translation in bulletin.translations:
        title.append(document_terms(translation.title, translation.language))
        body += [
            document_terms(each, translation.language) for each in (translation.summary, translation.body)
        ]
    return _FIELD_BREAK.join(filter(None, title)), _FIELD_BREAK.join(filter(None, body))
