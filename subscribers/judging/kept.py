"""What is kept so that others can be shown: the signed part of each bulletin's frame, announcements, the last
frame of each chain and what contradicts it, and the hub's receipts for our own bulletins.

Written in the transaction that keeps the bulletin itself (synchronous, for the writer's thread), read when
evidence is exported.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple, Self

import apsw

from schemas.chain import ChainKey, contradiction
from schemas.frame import BULLETIN, Frame, parse_frame
from schemas.receipts import ADMITTED, Answer
from schemas.vocabulary import Precedence
from subscribers.storage.store import Row

MIGRATIONS: Final = (
    """
    CREATE TABLE proofs(
        position INTEGER PRIMARY KEY REFERENCES bulletins, header BLOB NOT NULL, signature BLOB NOT NULL,
        digest BLOB NOT NULL, salt BLOB NOT NULL, body BLOB
    ) STRICT;
    CREATE TABLE announcements(
        publisher TEXT, community TEXT, ep INTEGER, header BLOB NOT NULL, signature BLOB NOT NULL,
        PRIMARY KEY (publisher, community, ep)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tails(
        publisher TEXT, community TEXT, precedence TEXT, raw BLOB NOT NULL,
        PRIMARY KEY (publisher, community, precedence)
    ) STRICT;
    CREATE TABLE rivals(number INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT;
    CREATE TABLE receipts(number INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
    CREATE TABLE own_receipts(sha256 TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE sealed(
        position INTEGER PRIMARY KEY REFERENCES bulletins, payload BLOB NOT NULL, salt BLOB NOT NULL
    ) STRICT;
    """,
)
_TAIL: Final = "SELECT raw FROM tails WHERE publisher = ? AND community = ? AND precedence = ?"


class Proof(NamedTuple):
    """What shows a third party that a bulletin was signed: see FORMAT.md, "Evidence".

    `digest` is the SHA-256 of the frame's body. `body` is kept of our own frames, for a receipt is of the
    whole frame; of others the ciphertext would double what is stored and prove nothing more.
    """

    header: bytes
    signature: bytes
    digest: bytes
    salt: bytes
    body: bytes | None

    @classmethod
    def of(cls, frame: Frame, salt: bytes, *, own: bool) -> Self:
        """Of a frame that was opened."""
        digest = sha256(frame.body).digest()
        return cls(frame.header_bytes, frame.signature, digest, salt, frame.body if own else None)


class SealedProof(NamedTuple):
    """What shows that a frame holds a private reply: the sealed payload that the frame's commitment is of,
    and the salt of the reply's own commitment in it.
    """

    payload: bytes
    salt: bytes


@dataclass
class Keeping:
    """What one transaction keeps besides bulletins."""

    announced: list[Frame] = field(default_factory=list)
    tails: dict[ChainKey, bytes] = field(default_factory=dict)
    receipts: list[tuple[bytes, list[Answer]]] = field(default_factory=list)
    forks: dict[int, tuple[Frame, Mapping[ChainKey, bytes]]] = field(default_factory=dict)
    """By place among the transaction's refusals: the refused frame, and its publisher's tails in this
    transaction before it.
    """

    def fork(self, place: int, frame: Frame) -> None:
        """A frame that was refused for another past than its chain's."""
        self.forks[place] = frame, {key: self.tails[key] for key in _chains(frame) if key in self.tails}

    def save(self, connection: apsw.Connection, numbers: Sequence[int]) -> None:
        """Write it into the open transaction, before submissions are settled; `numbers` are those of its
        refusals in the quarantine.
        """
        rows = [
            (each.header.pub, each.header.com, each.header.ep, each.header_bytes, each.signature)
            for each in self.announced
        ]
        connection.executemany("INSERT OR IGNORE INTO announcements VALUES (?, ?, ?, ?, ?)", rows)
        if self.forks:
            self._save_forks(connection, numbers)
        tails = [(*key, raw) for key, raw in self.tails.items()]
        connection.executemany("INSERT OR REPLACE INTO tails VALUES (?, ?, ?, ?)", tails)
        for data, answers in self.receipts:
            _keep_receipt(connection, data, answers)

    def _save_forks(self, connection: apsw.Connection, numbers: Sequence[int]) -> None:
        for place, (frame, tails) in self.forks.items():
            if rival := _rival(connection, frame, tails):
                connection.execute("INSERT OR REPLACE INTO rivals VALUES (?, ?)", (numbers[place], rival))
        connection.execute("DELETE FROM rivals WHERE number NOT IN (SELECT number FROM quarantine)")


def keep_proof(connection: apsw.Connection, position: int, proof: Proof) -> None:
    """Beside the bulletin at `position`, in the same transaction."""
    connection.execute("INSERT INTO proofs VALUES (?, ?, ?, ?, ?, ?)", (position, *proof))


def keep_sealed(connection: apsw.Connection, position: int, proof: SealedProof) -> None:
    """Beside the reply at `position`, in the same transaction."""
    connection.execute("INSERT INTO sealed VALUES (?, ?, ?)", (position, *proof))


def _keep_receipt(connection: apsw.Connection, data: bytes, answers: Sequence[Answer]) -> None:
    """The hub's message as it came, once, where it admits bulletins of ours that are still open."""
    sql = f"SELECT 1 FROM submissions WHERE sha256 = ? AND kind = '{BULLETIN}'"  # noqa: S608 - a constant
    admitted = [each.sha256 for each in answers if each.code == ADMITTED]
    ours = [each for each in admitted if connection.execute(sql, (each,)).fetchall()]
    if ours:
        connection.execute("INSERT INTO receipts(data) VALUES (?)", (data,))
        number = connection.last_insert_rowid()
        rows = [(each, number) for each in ours]
        connection.executemany("INSERT OR IGNORE INTO own_receipts VALUES (?, ?)", rows)


def _rival(connection: apsw.Connection, frame: Frame, tails: Mapping[ChainKey, bytes]) -> bytes | None:
    """The accepted frame that the refused one contradicts."""
    for raw in _candidates(connection, frame, tails):
        if contradiction(parse_frame(raw), frame):
            return raw
    return None


def _candidates(
    connection: apsw.Connection, frame: Frame, tails: Mapping[ChainKey, bytes]
) -> Iterator[bytes]:
    for key in _chains(frame):
        rows: list[Row] = connection.execute(_TAIL, key).fetchall()
        kept = tails.get(key) or (rows[0][0] if rows else None)
        if kept:
            yield kept


def _chains(frame: Frame) -> list[ChainKey]:
    return [ChainKey(frame.header.pub, frame.header.com, each.value) for each in Precedence]
