"""What a list in a chat shows, so that it can be made again: its bulletins, its title, its last line."""

import json
from dataclasses import asdict, dataclass
from typing import Final, Self

import apsw

from subscribers.storage.store import Row

_IDS: Final = ("records", "waiting", "unanswered", "also", "drafts")


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of bulletins (by their ids). Without a title it was an answer, which is not made again."""

    records: tuple[str, ...]
    title: str = ""
    note: str = ""
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The bulletins by their headings, '' for none; empty for a list without any."""
    waiting: tuple[str, ...] = ()
    """Those of them that wait until the officer acknowledges them."""
    unanswered: tuple[str, ...] = ()
    """Those of them that wait until the agency answers."""
    also: tuple[str, ...] = ()
    """Those of the others that wait, too."""
    left: int = 0
    """So many wait behind `waiting`."""
    unnamed: int = 0
    """So many questions wait behind `unanswered`."""
    cell: int = 0
    """Of which event they are, if of one."""
    whole: bool = False
    """It is a hand-over, which has more than the subscriptions match, or goes on with one."""
    drafts: tuple[int, ...] = ()
    """The numbers of the drafts that wait for release and are named with them."""

    def dump(self) -> str:
        """For the database."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Self:
        """As it was dumped."""
        fields = json.loads(text)
        sections = tuple((head, tuple(ids)) for head, ids in fields.pop("sections", ()))
        ids = {name: tuple(fields.get(name, ())) for name in _IDS}
        return cls(**{**fields, **ids}, sections=sections)


def note_list(connection: apsw.Connection, chat: int, message: int, listed: Listed | None) -> None:
    """Within a transaction, after the message was noted: what it lists now; None for nothing."""
    rows = connection.execute("SELECT id FROM messages WHERE chat = ? AND message = ?", (chat, message))
    for (id,) in rows.fetchall():
        connection.execute("DELETE FROM listed WHERE message = ?", (id,))
        connection.execute("DELETE FROM lists WHERE message = ?", (id,))
        if listed is not None:
            connection.execute("INSERT INTO lists VALUES (?, ?)", (id, listed.dump()))
            pairs = [(each, id) for each in dict.fromkeys(listed.records)]
            connection.executemany("INSERT INTO listed VALUES (?, ?)", pairs)


def listing_of(connection: apsw.Connection, record: str) -> list[tuple[int, int]]:
    """Row and officer of the messages that list a bulletin, oldest first."""
    sql = """SELECT m.id, m.officer FROM messages m JOIN listed l ON m.id = l.message
        WHERE l.record = ? ORDER BY m.id"""
    rows: list[Row] = connection.execute(sql, (record,)).fetchall()
    return [(message, officer) for message, officer in rows]
