"""The outbox's tables: submissions on their way to the hub, the chains they stand in, and what a receipt
does to them. Synchronous, for the writer's thread.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import apsw

from schemas.chain import ChainHead
from schemas.errors import Code
from schemas.frame import EPOCH, HEARTBEAT, parse_frame
from schemas.receipts import ADMITTED, Answer
from schemas.subjects import parse_frame_subject
from subscribers.exchange.composer import Composed, OwnChain
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName, alarm_of, raise_alarms
from subscribers.judging.own_frames import has_strangers, is_under_way, note
from subscribers.storage.store import Row

MIGRATIONS: Final = (
    """
    CREATE TABLE outgoing(
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ref TEXT NOT NULL, kind TEXT NOT NULL,
        community TEXT NOT NULL, subject TEXT NOT NULL, history TEXT NOT NULL, payload BLOB,
        state TEXT NOT NULL DEFAULT 'queued', code TEXT
    ) STRICT;
    CREATE INDEX outgoing_queued ON outgoing(number) WHERE state = 'queued';
    CREATE TABLE submissions(
        number INTEGER PRIMARY KEY AUTOINCREMENT, item INTEGER NOT NULL REFERENCES outgoing(number),
        kind TEXT NOT NULL, subject TEXT NOT NULL, seq INTEGER, sha256 TEXT NOT NULL, raw BLOB NOT NULL
    ) STRICT;
    CREATE INDEX submissions_by_hash ON submissions(sha256);
    CREATE INDEX submissions_by_item ON submissions(item);
    CREATE TABLE own_chains(
        community TEXT, precedence TEXT, seq INTEGER NOT NULL, hash TEXT NOT NULL,
        admitted_seq INTEGER NOT NULL, admitted_hash TEXT NOT NULL, PRIMARY KEY (community, precedence)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE own_epochs(
        community TEXT, precedence TEXT, hist TEXT, ep INTEGER NOT NULL, key BLOB NOT NULL,
        mem_size INTEGER NOT NULL, mem_root BLOB NOT NULL, readers BLOB NOT NULL, kid TEXT NOT NULL,
        since INTEGER NOT NULL, uses INTEGER NOT NULL, PRIMARY KEY (community, precedence, hist)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """,
)
_FIND_SUBMISSION: Final = """SELECT s.number, s.item, s.seq, s.subject, o.id
    FROM submissions s JOIN outgoing o ON o.number = s.item WHERE s.sha256 = ?"""
_ADMIT_HEAD: Final = """UPDATE own_chains SET admitted_seq = ?, admitted_hash = ?
    WHERE community = ? AND precedence = ?"""
_RETRY: Final = frozenset({Code.GAP, Code.FORK})
"""Refusals that follow from an earlier loss on the way to the hub: the chain is sent again, nothing is
parked.
"""

_OUT_OF_PLACE: Final = _RETRY | {Code.REPLAYED}

_BY_KEY: Final = frozenset({Code.UNKNOWN_KEY, Code.REVOKED_KEY})

ChainName = tuple[str, str]
"""Community and precedence."""
Submitted = tuple[int, int, int | None, str, str]
"""A submission's number, its item, its place in the chain (None for wraps), its subject, the item's id."""


class Waiting(NamedTuple):
    """A submission that has no receipt yet."""

    number: int
    subject: str
    raw: bytes
    sha256: str


class Settled(NamedTuple):
    """What became of an item: `code` is `admitted` or the hub's refusal."""

    id: str
    code: str


class Signing(NamedTuple):
    """The key that signs our frames: its id in hex, and whether it is just being replaced."""

    kid: str
    rotating: bool


@dataclass
class Settlement:
    """What one batch of receipts changes; `Outbox.merge` takes it in after the commit."""

    admitted: dict[ChainName, ChainHead] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    reseal: set[ChainName] = field(default_factory=set)
    resend: bool = False
    held: bool = False
    """The hub takes no more of ours for now: what is open is sent again later."""


def settle(
    connection: apsw.Connection, answers: Sequence[Answer], signing: Signing | None = None
) -> Settlement:
    """Close what the hub has answered, in the transaction that is open on `connection`. Answers to what
    is not ours or closed are ignored. `signing` is the key that signs now.
    """
    settlement = Settlement()
    for answer in answers:
        rows: list[Any] = connection.execute(_FIND_SUBMISSION, (answer.sha256,)).fetchall()
        if rows and (answer.code == ADMITTED or _is_needless(answer, rows[0])):
            _admit(connection, settlement, answer, rows[0])
        elif rows and answer.code == Code.OVER_QUOTA:
            settlement.held = True
        elif rows and _goes_again(connection, answer, rows[0]):
            settlement.resend = True
        elif rows and _is_signed_anew(connection, settlement, answer, rows[0], signing):
            continue
        elif rows and _is_behind_a_stranger(connection, answer):
            _park(connection, settlement, answer._replace(code=Code.STOLEN_KEY), rows[0])
        elif rows and not _is_recovered(connection, settlement, answer, rows[0]):
            _park(connection, settlement, answer, rows[0])
    return settlement


def _is_needless(answer: Answer, row: Submitted) -> bool:
    """Wraps for nobody who is still a member: their epoch is announced all the same, its frames go on."""
    return row[2] is None and answer.code == Code.NOT_MEMBER


def _goes_again(connection: apsw.Connection, answer: Answer, row: Submitted) -> bool:
    """Whether this refusal follows from an earlier loss on the way: then all that is open is sent again."""
    _, item, seq, subject, _ = row
    if seq is None:
        # Wraps that came without their announcement, while that one is still to go.
        open_frames = "SELECT 1 FROM submissions WHERE item = ? AND seq IS NOT NULL AND kind = ?"
        return answer.code == Code.UNKNOWN_EPOCH and bool(
            connection.execute(open_frames, (item, EPOCH)).fetchall()
        )
    # Next after what the hub has admitted nothing can have been lost: sent again it would be refused again.
    return answer.code in _RETRY and seq > admitted_head(connection, _chain_of(subject)).seq + 1


def _is_signed_anew(
    connection: apsw.Connection,
    settlement: Settlement,
    answer: Answer,
    row: Submitted,
    signing: Signing | None,
) -> bool:
    """Whether the hub refused a frame because its key has been replaced: the frame is made again under the
    new one, and nothing is parked. While the keys are being replaced it stays open until they are.
    """
    number, _, seq, subject, _ = row
    if signing is None or seq is None or answer.code not in _BY_KEY:
        return False
    raw: list[Row] = connection.execute("SELECT raw FROM submissions WHERE number = ?", (number,)).fetchall()
    if parse_frame(raw[0][0]).header.kid == signing.kid:
        return signing.rotating
    settlement.reseal.add(_chain_of(subject))
    return True


def _is_behind_a_stranger(connection: apsw.Connection, answer: Answer) -> bool:
    """Whether a frame has lost its place to one that was not made here: nothing is set on that."""
    return answer.code in _OUT_OF_PLACE and has_strangers(connection)


def _is_recovered(
    connection: apsw.Connection, settlement: Settlement, answer: Answer, row: Submitted
) -> bool:
    """Whether the hub has passed more frames of this chain on than we have receipts for: the feed has brought
    them to us as to everybody. Then composing goes on from there; a bulletin among them is known by its id.
    The same where it has taken a frame that stands in this one's place or behind it.
    """
    _, _, seq, subject, _ = row
    if seq is None or answer.code not in _OUT_OF_PLACE:
        return False
    name, publisher = _chain_of(subject), parse_frame_subject(subject).publisher
    admitted = admitted_head(connection, name)
    if seq <= admitted.seq:
        settlement.reseal.add(name)
        return True
    heads: list[Row] = connection.execute(
        "SELECT seq, hash FROM chains WHERE publisher = ? AND community = ? AND precedence = ?",
        (publisher, *name),
    ).fetchall()
    if not heads or heads[0][0] <= admitted.seq:
        return False
    head = ChainHead(*heads[0])
    settlement.admitted[name] = head
    settlement.reseal.add(name)
    connection.execute(_ADMIT_HEAD, (*head, *name))
    return True


def _chain_of(subject: str) -> ChainName:
    place = parse_frame_subject(subject)
    return place.community, str(place.precedence)


def admitted_head(connection: apsw.Connection, name: ChainName) -> ChainHead:
    """The last frame of one of our chains that the hub has taken, as the receipts have it that are committed:
    the image of it in memory may be one batch behind.
    """
    sql = "SELECT admitted_seq, admitted_hash FROM own_chains WHERE community = ? AND precedence = ?"
    rows: list[Row] = connection.execute(sql, name).fetchall()
    return ChainHead(*rows[0]) if rows else ChainHead()


def _admit(
    connection: apsw.Connection,
    settlement: Settlement,
    answer: Answer,
    row: Submitted,
) -> None:
    number, item, seq, subject, item_id = row
    connection.execute("DELETE FROM submissions WHERE number = ?", (number,))
    if seq is not None and is_under_way(connection, answer.sha256):
        raise_alarms(connection, [_withheld(answer, subject)])
    # Never back: a hub that answers out of order would have numbers used twice that it has admitted.
    if seq is not None and seq > admitted_head(connection, key := _chain_of(subject)).seq:
        settlement.admitted[key] = ChainHead(seq, answer.sha256)
        connection.execute(_ADMIT_HEAD, (seq, answer.sha256, *key))
    if not connection.execute("SELECT 1 FROM submissions WHERE item = ? LIMIT 1", (item,)).fetchall():
        connection.execute("UPDATE outgoing SET state = 'admitted', payload = NULL WHERE number = ?", (item,))
        _forget_heartbeat(connection, item)
        settlement.settled.append(Settled(item_id, ADMITTED))


def _withheld(answer: Answer, subject: str) -> Alarm:
    """A hub passes a frame on before it says so: to us as well, who read our own chain like everybody."""
    place = parse_frame_subject(subject)
    key = AlarmKey(AlarmName.SUPPRESSED_TAIL, place.community, place.publisher)
    words = "the hub gave us a receipt for a frame of ours, and has passed it on to nobody"
    return Alarm(key, answer.at, words, answer.sha256)


def _park(
    connection: apsw.Connection,
    settlement: Settlement,
    answer: Answer,
    row: Submitted,
) -> None:
    _, item, _, _, item_id = row
    subjects: list[Row] = connection.execute(
        "UPDATE outgoing SET state = 'refused', code = ? WHERE number = ? RETURNING subject",
        (answer.code, item),
    ).fetchall()
    connection.execute("DELETE FROM submissions WHERE item = ?", (item,))
    _forget_heartbeat(connection, item)
    if alarm := _accusation(answer, subjects[0][0]):
        raise_alarms(connection, [alarm])
    settlement.settled.append(Settled(item_id, answer.code))
    settlement.reseal.add(_chain_of(subjects[0][0]))


def _accusation(answer: Answer, subject: str) -> Alarm | None:
    """What a refusal by the hub shows: that it holds other logs than it gave to us, or another frame in the
    place of ours.
    """
    if answer.code in {Code.SPLIT_VIEW, Code.LOG_BEHIND}:
        words = "the hub refused a frame of ours: it holds another log than the one that it gave to us"
        return alarm_of(Code(answer.code), answer.at, subject, words, b"")
    if answer.code in {Code.FORK, Code.REPLAYED}:
        words = "the hub refused a frame of ours: it has another in its place, signed with our keys"
        return alarm_of(Code.FORK, answer.at, subject, words, b"")
    return None


def _forget_heartbeat(connection: apsw.Connection, item: int) -> None:
    connection.execute("DELETE FROM outgoing WHERE number = ? AND kind = ?", (item, HEARTBEAT))


def keep(connection: apsw.Connection, item: int, composed: Composed) -> list[Waiting]:
    """Put the submissions of an item on disk; they come back as the sender wants them."""
    sql = "INSERT INTO submissions(item, kind, subject, seq, sha256, raw) VALUES (?, ?, ?, ?, ?, ?)"
    sent = []
    for each in composed.submissions:
        digest = each.sha256
        row = (item, each.kind, each.subject, each.seq, digest, each.raw)
        connection.execute(sql, row)
        sent.append(Waiting(connection.last_insert_rowid(), each.subject, each.raw, digest))
        if each.seq is not None:
            note(connection, digest)
    return sent


def park(connection: apsw.Connection, item: int, item_id: str, code: str) -> Settled:
    """Give an item up for a reason of our own: nothing of it is sent."""
    connection.execute("UPDATE outgoing SET state = 'refused', code = ? WHERE number = ?", (code, item))
    connection.execute("DELETE FROM submissions WHERE item = ?", (item,))
    return Settled(item_id, code)


def is_broken(connection: apsw.Connection, name: ChainName, chain: OwnChain) -> bool:
    """Whether the process ended before what waits in a chain was composed anew: behind a frame that was
    parked, or because it goes again.
    """
    waits = "o.state = 'queued' AND o.community = ? AND o.subject LIKE ?"
    bindings = (name[0], f"in.%.{name[1]}.%")
    sql = f"""SELECT 1 FROM outgoing o WHERE {waits}
        AND NOT EXISTS (SELECT 1 FROM submissions s WHERE s.item = o.number) LIMIT 1"""  # noqa: S608 - constants
    if connection.execute(sql, bindings).fetchall():
        return True
    sql = f"""SELECT min(s.seq) FROM submissions s JOIN outgoing o ON o.number = s.item
        WHERE s.seq IS NOT NULL AND {waits}"""  # noqa: S608 - the same
    rows: list[Row] = connection.execute(sql, bindings).fetchall()
    first = rows[0][0]
    return chain.head != chain.admitted if first is None else first != chain.admitted.seq + 1


def save_chain(connection: apsw.Connection, name: ChainName, chain: OwnChain) -> None:
    """Put a chain and its epochs on disk."""
    # `admitted` belongs to settle(): a receipt may have been committed that this chain's image has not taken
    # in yet.
    connection.execute(
        "INSERT INTO own_chains VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
        (*name, *chain.head, *chain.admitted),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO own_epochs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _epoch_rows(name, chain)
    )


def _epoch_rows(name: ChainName, chain: OwnChain) -> Iterable[Row]:
    for hist, each in chain.epochs.items():
        secret, mem = bytes(each.key), each.mem
        yield (
            *name,
            str(hist),
            each.ep,
            secret,
            mem.size,
            mem.root,
            each.readers,
            each.kid,
            each.since,
            each.uses,
        )
