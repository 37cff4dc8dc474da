"""What came and was not accepted: kept in the ledger's `quarantine`, with the reason, for people to see."""

from typing import Final, NamedTuple, Self

import apsw

from schemas.errors import Code, LiaisonError
from schemas.limits import FRAME_MAX
from subscribers.judging.alarms import Alarm, alarm_of
from subscribers.storage.store import Store

_SUBJECT_MAX: Final = 256


class Refused(NamedTuple):
    """Something that came and was not accepted."""

    at: int
    code: Code
    message: str
    subject: str
    data: bytes
    number: int = 0
    """Its place in the quarantine, once it is there."""

    @classmethod
    def of(cls, error: LiaisonError, at: int, subject: str, data: bytes) -> Self:
        """From the refusal that was raised. What is longer than any frame is kept in part: the hub may send
        megabytes, and ten thousand of them.
        """
        return cls(at, error.code, error.message, subject[:_SUBJECT_MAX], data[:FRAME_MAX])

    @property
    def alarm(self) -> Alarm | None:
        """What it raises, by `alarm_of`."""
        return alarm_of(self.code, self.at, self.subject, self.message, self.data)


def keep(connection: apsw.Connection, each: Refused) -> int:
    """Write it into the transaction that is open on `connection`; its number."""
    row = (each.at, str(each.code), each.message, each.subject, each.data)
    connection.execute("INSERT INTO quarantine(at, code, message, subject, data) VALUES (?, ?, ?, ?, ?)", row)
    return connection.last_insert_rowid()


async def count(store: Store) -> int:
    """How many are kept."""
    return int((await store.query("SELECT count(*) FROM quarantine"))[0][0])


async def latest(store: Store, limit: int) -> list[Refused]:
    """The newest first."""
    rows = await store.query(
        "SELECT at, code, message, subject, data, number FROM quarantine ORDER BY number DESC LIMIT ?",
        (limit,),
    )
    return [Refused(at, Code(code), *rest) for at, code, *rest in rows]
