"""What changed in the directory, told to those whom it concerns: every membership entry of this agency's
communities, new keys of fellow members, new roots, communities that name it an owner; and to everybody what
becomes of an agency's identity key.

`derive` is pure. What it finds is written by the transaction that takes the change into the directory, so
that no change goes by untold and none is told twice.
"""

import json
from collections.abc import Iterable
from typing import Final, NamedTuple

import apsw

from schemas.card import Card
from schemas.directory import Directory
from schemas.documents import (
    Agency,
    Community,
    Identity,
    Keys,
    Membership,
    Object,
    Replace,
    Revoke,
    Root,
    parse_document,
    parse_membership,
)
from schemas.encoding import from_base64, instant
from schemas.errors import Code, OperationError
from schemas.limits import INTEGER_MAX
from schemas.membership import MembershipLog
from schemas.signing import KEY_SIZE, fingerprint
from subscribers.owning.communities import card_of
from subscribers.records import MembershipChange, Notice, NoticeKind
from subscribers.storage.store import Row, Store

MIGRATIONS: Final = (
    """
    CREATE TABLE notices(
        number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, community TEXT, kind TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE TABLE founded(community TEXT PRIMARY KEY, card BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE cards_due(community TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """,
)
NOTICES_MAX: Final = 100_000
"""Kept at a node; older ones go, the logs themselves stay."""
_COLUMNS: Final = "SELECT number, at, community, kind, body FROM notices"
_LATEST: Final = 9_000_000_000_000
"""A time that an instant of four digits of year can tell (Unix milliseconds)."""


class Told(NamedTuple):
    """A notice to be written: `body` holds the fields of `Notice` that are its own."""

    kind: NoticeKind
    community: str | None
    body: dict[str, object]


class Due(NamedTuple):
    """A card to be sealed again at `at`, when somebody joins who has not got it."""

    community: str
    at: int


def derive(
    before: Directory | None, after: Directory, data: bytes, agency: str, *, membership: bool
) -> list[Told]:
    """What `agency` must be told of a document or entry that led from `before` to `after`."""
    if before is None:
        return []
    if membership:
        entry = parse_membership(data).entry
        log = after.communities[entry.com]
        if not _concerned(log, agency):
            return []
        body = {
            "agency": entry.id,
            "op": entry.op,
            "role": entry.role,
            "by": list(log.signers[entry.index]),
            "effective": instant(min(entry.nbf, _LATEST)),
            "index": entry.index,
        }
        return [Told("membership", entry.com, body)]
    return _of_document(before, after, data, agency)


def due(
    before: Directory | None, after: Directory, data: bytes, agency: str, *, membership: bool
) -> list[Due]:
    """The cards that this agency must seal again because of an entry or a document, for a joiner reads no
    older card (FORMAT.md, Content): where it added somebody, or was added itself, and where somebody whom it
    added has a new endpoint.
    """
    if membership:
        entry = parse_membership(data).entry
        found = _sealed_for(after.communities[entry.com], entry, agency)
        return [found] if found else []
    document = parse_document(data).document
    if before is None or not isinstance(document, Keys) or document.endpoint in before.endpoints:
        return []
    added = ((log, log.by_agency.get(document.agency, ())) for log in after.communities.values())
    dues = (_sealed_for(log, entries[-1], agency) for log, entries in added if entries)
    return [each for each in dues if each]


def _sealed_for(log: MembershipLog, entry: Membership, agency: str) -> Due | None:
    """Whoever proposed an addition seals for it: its signature is the first."""
    seals = agency in {entry.id, log.signers[entry.index][0]} and agency in log.community.owners
    return Due(entry.com, entry.nbf) if entry.op == "add" and seals else None


def write(connection: apsw.Connection, told: Iterable[Told], sealing: Iterable[Due], at: int) -> None:
    """Into the transaction that is open on `connection`; `at` is now, in Unix milliseconds."""
    rows = [(at, each.community, each.kind, json.dumps(each.body)) for each in told]
    connection.executemany("INSERT INTO notices(at, community, kind, body) VALUES (?, ?, ?, ?)", rows)
    if rows:
        connection.execute(
            "DELETE FROM notices WHERE number <= (SELECT max(number) FROM notices) - ?", (NOTICES_MAX,)
        )
    # Of two joiners the later one: a card that both can read.
    connection.executemany(
        "INSERT INTO cards_due VALUES (?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)", sealing
    )


def sealed(connection: apsw.Connection, community: str, at: int) -> None:
    """The card that was due at `at` is done with, in the transaction that seals it: for who joins after that
    it is due again.
    """
    connection.execute("DELETE FROM cards_due WHERE community = ? AND at = ?", (community, at))
    connection.execute("DELETE FROM founded WHERE community = ?", (community,))


async def read(
    store: Store, directory: Directory, cards: dict[str, Card], after: int, limit: int
) -> list[Notice]:
    """The notices with a number above `after`, oldest first, under the names that things have here."""
    rows = await store.query(f"{_COLUMNS} WHERE number > ? ORDER BY number LIMIT ?", (after, limit))
    return [_notice(row, directory, cards) for row in rows]


async def newest(store: Store, directory: Directory, cards: dict[str, Card], limit: int) -> list[Notice]:
    """The last notices, newest first."""
    rows = await store.query(f"{_COLUMNS} ORDER BY number DESC LIMIT ?", (limit,))
    return [_notice(row, directory, cards) for row in rows]


async def last_number(store: Store) -> int:
    """The number of the last notice; 0 before the first."""
    return int((await store.query("SELECT coalesce(max(number), 0) FROM notices"))[0][0])


def history(log: MembershipLog, directory: Directory) -> list[MembershipChange]:
    """A community's whole log, in its order, as far as this agency holds it. OperationError `not_found`
    while there is none.
    """
    if not log.entries:
        raise OperationError(Code.NOT_FOUND, "its log has not come yet, or is empty", "try again in a moment")
    return [
        MembershipChange(
            index=entry.index,
            op=entry.op,
            agency=entry.id,
            agency_name=directory.agencies[entry.id].name,
            role=entry.role,
            effective=instant(min(entry.nbf, _LATEST)),
            issued=instant(min(entry.issued, _LATEST)),
            by=list(signers),
        )
        for entry, signers in zip(log.entries, log.signers, strict=True)
    ]


def _concerned(log: MembershipLog, agency: str) -> bool:
    # From the entry that lets us in; what came before is history, and the log tells it.
    return agency in log.community.owners or agency in log.by_agency


def _of_document(before: Directory, after: Directory, data: bytes, agency: str) -> list[Told]:
    document = parse_document(data).document
    match document:
        case Root():
            return [Told("root", None, {"version": document.version})]
        case Community() if agency in document.owners:
            body = {"by": document.owners, "threshold": document.threshold}
            return [Told("community", document.id, body)]
        case Keys() if _fellow(before, document.agency, agency):
            return [Told("keys", None, {"agency": document.agency, "version": document.version})]
        case Revoke() if _fellow(before, document.agency, agency):
            return [Told("revoked", None, {"agency": document.agency})]
        case Agency() if document.id in before.agencies and _fellow(before, document.id, agency):
            return [Told("agency", None, {"agency": document.id, "version": document.version})]
        case Replace() | Object() | Identity():
            return [_of_identity(before, after, document)]
        case _:
            return []


def _of_identity(before: Directory, after: Directory, document: Replace | Object | Identity) -> Told:
    """Everybody is told: what is replaced unseen is replaced silently."""
    agency = document.agency
    body: dict[str, object] = {
        "agency": agency,
        "fingerprint": fingerprint(from_base64(document.identity, KEY_SIZE)),
        "disputed": agency in before.identities.disputed,
    }
    match document:
        case Replace():
            return Told("replacing", None, {**body, "effective": instant(min(document.nbf, _LATEST))})
        case Object():
            objected = agency in after.identities.disputed - before.identities.disputed
            return Told("objected" if objected else "withdrawn", None, body)
        case Identity():
            return Told("identity", None, body)


def _fellow(directory: Directory, one: str, other: str) -> bool:
    """Whether the two are in one community, or will be; an agency is its own fellow."""
    return one == other or any(
        _takes_part(log, one) and _takes_part(log, other) for log in directory.communities.values()
    )


def _takes_part(log: MembershipLog, agency: str) -> bool:
    return agency in log.community.owners or log.role(agency, INTEGER_MAX) is not None


def _notice(row: Row, directory: Directory, cards: dict[str, Card]) -> Notice:
    number, at, community, kind, body = row
    fields = json.loads(body)
    named = directory.agencies.get(fields.get("agency", ""))
    card = card_of(community, cards) if community else None
    return Notice(
        number=number,
        at=instant(at),
        kind=kind,
        community=community,
        slug=card.slug if card else "",
        title=card.title if card else "",
        agency_name=named.name if named else "",
        **fields,
    )
