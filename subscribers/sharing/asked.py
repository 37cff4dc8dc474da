"""Requests for old keys that this node may answer: judged, kept until they are answered, and what is passed
on for them. FORMAT.md, "History".
"""

from collections.abc import Mapping
from typing import Final

import apsw

from schemas.directory import Directory
from schemas.documents import Keys
from schemas.errors import Code, TrustError
from schemas.history import SignedRequest, check_request, parse_request
from schemas.vocabulary import History
from schemas.wraps import Wrap
from subscribers.judging.verdicts import Epoch
from subscribers.sealing import EpochKey, wrap
from subscribers.storage.ledger import Ledger

MIGRATIONS: Final = (
    """
    CREATE TABLE asked(number INTEGER PRIMARY KEY, at INTEGER NOT NULL, request BLOB NOT NULL UNIQUE) STRICT;
    CREATE TABLE handed(
        announcement BLOB, kid BLOB, at INTEGER NOT NULL, agency TEXT NOT NULL, community TEXT NOT NULL,
        code TEXT NOT NULL, PRIMARY KEY (announcement, kid)
    ) STRICT, WITHOUT ROWID;
    """,
)
_WAITING_MAX: Final = 256
"""Requests that wait to be answered; who asks beyond that asks again."""


def accept_request(
    data: bytes, directory: Directory, epochs: Mapping[bytes, Epoch], endpoint: str, now: int
) -> SignedRequest:
    """A request that this endpoint may answer, from untrusted bytes. `epochs` are by announcement.

    Raises FormatError, or TrustError: `not_member` for who is not in the community, `history_none` where an
    epoch is asked for that its originator keeps from later joiners, `bad_request` where another is asked.
    """
    signed = parse_request(data)
    if signed.request.holder != endpoint:
        raise TrustError(Code.SUBJECT_MISMATCH, "another endpoint is asked for these keys")
    check_request(directory, signed, now)
    for each in signed.request.epochs:
        epoch = epochs.get(bytes.fromhex(each))
        if epoch is not None and epoch.hist != History.MEMBERS:
            raise TrustError(Code.HISTORY_NONE, "an epoch is asked for that is kept from later joiners")
    return signed


def passed_on(signed: SignedRequest, reader: Keys, ledger: Ledger) -> list[Wrap]:
    """Wraps of those keys that are asked for and held here. TrustError `bad_key` for a reader whose key
    nobody can encrypt to.
    """
    request, wraps = signed.request, list[Wrap]()
    for each in request.epochs:
        announcement = bytes.fromhex(each)
        id = ledger.announcements.get(announcement)
        epoch = ledger.epochs.get(id) if id else None
        if id is None or epoch is None or (id.publisher, id.community) != (request.publisher, request.com):
            continue
        if epoch.hist == History.MEMBERS and isinstance(epoch.key, EpochKey):
            wraps.append(wrap(epoch.key, announcement, reader))
    return wraps


def note_asked(connection: apsw.Connection, requests: list[bytes], now: int) -> None:
    """Keep what is to be answered, in the transaction that is open on `connection`."""
    sql = "INSERT OR IGNORE INTO asked(at, request) SELECT ?, ? WHERE (SELECT count(*) FROM asked) < ?"
    connection.executemany(sql, [(now, each, _WAITING_MAX) for each in requests])


def forget(connection: apsw.Connection, number: int) -> None:
    """A request has been answered."""
    connection.execute("DELETE FROM asked WHERE number = ?", (number,))
