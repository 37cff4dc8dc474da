"""Replacements of identity keys as a node sees them: what people must be alarmed of, and from when on one has
had its time. FORMAT.md, "Directory".

`judge` is pure. What it finds is written by the transaction that takes the document into the directory.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import apsw

from schemas.directory import Directory
from schemas.documents import Identity, Object, Replace, SignedDocument, parse_document
from schemas.encoding import instant
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName, end_alarms, raise_alarms
from subscribers.judging.cooling import early_until, ready_at
from subscribers.storage.store import Store

MIGRATIONS: Final = (
    """
    CREATE TABLE new_identities(identity TEXT PRIMARY KEY, ready INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """,
)
_LATEST: Final = 9_000_000_000_000
"""A time that an instant of four digits of year can tell (Unix milliseconds)."""


class Seen(NamedTuple):
    """What comes of a document: alarms, those that end before them, and when a replacement is `ready`, by its
    new key.
    """

    alarms: tuple[Alarm, ...] = ()
    ended: tuple[AlarmKey, ...] = ()
    ready: tuple[str, int] | None = None

    def save(self, connection: apsw.Connection, now: int) -> None:
        """Write it into the transaction that is open on `connection`."""
        end_alarms(connection, self.ended, now)
        raise_alarms(connection, self.alarms)
        if self.ready:
            connection.execute("INSERT OR REPLACE INTO new_identities VALUES (?, ?)", self.ready)


NOTHING: Final = Seen()


async def load(store: Store) -> dict[str, int]:
    """From when on each replacement has had its time, by its new key."""
    return dict(await store.query("SELECT identity, ready FROM new_identities"))


def judge(
    before: Directory | None,
    after: Directory,
    data: bytes,
    agency: str,
    now: int,
    ready: Mapping[str, int],
    *,
    history: bool,
) -> Seen:
    """What a document that came at `now` (Unix ms) means for the node of `agency`. `history`: the node has
    accepted no head yet, and reads what was there before it.
    """
    if before is None or before.identities is after.identities:
        return NOTHING
    signed = parse_document(data)
    match signed.document:
        case Replace():
            return _begun(before, signed.document, agency, now, history=history)
        case Object():
            return _ended(before, after, signed.document, now, history=history)
        case Identity():
            return _taken_up(before, after, signed, signed.document, now, ready, history=history)
        case _:
            return NOTHING


def _begun(before: Directory, document: Replace, agency: str, now: int, *, history: bool) -> Seen:
    ready = (document.identity, ready_at(before, document, now, history=history))
    when = instant(min(document.nbf, _LATEST))
    if history:
        return Seen(ready=ready)
    if document.agency in before.identities.disputed:
        words = (
            f"against the objection of {document.agency}, its identity key is to be replaced from {when} on"
        )
    elif document.agency == agency:
        words = f"our identity key is to be replaced from {when} on; until then we can object"
    else:
        return Seen(ready=ready)
    return Seen((Alarm(_key(before, document.agency), now, words),), ready=ready)


def _ended(before: Directory, after: Directory, document: Object, now: int, *, history: bool) -> Seen:
    key = _key(before, document.agency)
    objected = document.agency in after.identities.disputed - before.identities.disputed
    words = f"{document.agency} objects to the replacement of its identity key"
    return Seen((Alarm(key, now, words),) if objected and not history else (), (key,))


def _taken_up(
    before: Directory,
    after: Directory,
    signed: SignedDocument,
    document: Identity,
    now: int,
    ready: Mapping[str, int],
    *,
    history: bool,
) -> Seen:
    key = _key(before, document.agency)
    until = early_until(before, signed, ready)
    if before.root.quorum:
        # Witnesses that were there all the time hold the cool-down; a node may have been away.
        until = min(until, before.identities.pending[document.agency].nbf)
    alarms = list(_longer(after, document, now))
    if now < until and not history:
        words = f"the identity key of {document.agency} was replaced before its time to object was over"
        alarms.append(Alarm(key, now, words))
    return Seen(tuple(alarms), (key,))


def _longer(after: Directory, document: Identity, now: int) -> Iterator[Alarm]:
    """Logs that were longer here than the new key says: whoever reads them later refuses what is too much."""
    sizes = {each.com: each.size for each in document.logs}
    for com, log in after.communities.items():
        told = sizes.get(com, 0)
        if document.agency in log.community.owners and log.head.size > told:
            words = f"its log had {log.head.size} entries here, and {document.agency} says {told}"
            yield Alarm(AlarmKey(AlarmName.SPLIT_VIEW, com), now, words)


def _key(directory: Directory, agency: str) -> AlarmKey:
    endpoint = next((keys.endpoint for keys in directory.endpoints.values() if keys.agency == agency), "")
    return AlarmKey(AlarmName.IDENTITY, publisher=endpoint)
