"""Receipts that a hostile hub signs in an order of its liking: no number of a chain is used twice for it."""

from hashlib import sha256

import apsw

from schemas.chain import ChainHead
from schemas.receipts import ADMITTED, Answer
from subscribers.judging import own_frames
from subscribers.storage.journal import MIGRATIONS, settle

PK = "A" + "B" * 55
COM = "5f1d7a84c3e94b0e9d2a6c7b18f0e35a"
SUBJECT = f"in.live.{COM}.routine.{PK}"


def digest(seq: int) -> str:
    return sha256(bytes([seq])).hexdigest()


def journal(frames: int) -> apsw.Connection:
    """Frames 0, 1, ... sent, and none answered."""
    connection = apsw.Connection(":memory:")
    connection.execute(MIGRATIONS[0])
    connection.execute(own_frames.MIGRATIONS[0])
    connection.execute(
        "INSERT INTO own_chains VALUES (?, 'routine', ?, ?, -1, ?)",
        (COM, frames - 1, digest(frames - 1), "0" * 64),
    )
    for seq in range(frames):
        connection.execute(
            "INSERT INTO outgoing(number, id, ref, kind, community, subject, history) "
            "VALUES (?, ?, '', 'b', ?, ?, 'none')",
            (seq + 1, f"id-{seq}", COM, SUBJECT),
        )
        connection.execute(
            "INSERT INTO submissions(item, kind, subject, seq, sha256, raw) VALUES (?, 'b', ?, ?, ?, x'')",
            (seq + 1, SUBJECT, seq, digest(seq)),
        )
    return connection


def test_what_was_admitted_stays_admitted() -> None:
    connection = journal(4)
    answers = [Answer(PK, digest(seq), ADMITTED, 0) for seq in (2, 0, 1)]

    settlement = settle(connection, answers)
    later = settle(connection, [Answer(PK, digest(0), ADMITTED, 0)])

    assert settlement.admitted == {(COM, "routine"): ChainHead(2, digest(2))}
    assert not later.admitted
    assert connection.execute("SELECT admitted_seq, admitted_hash FROM own_chains").fetchall() == [
        (2, digest(2))
    ]
    assert [each.code for each in settlement.settled] == [ADMITTED] * 3
