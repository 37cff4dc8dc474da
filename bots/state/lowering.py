"""What was sent before the ceiling was lowered, and is above it now."""

import apsw

from bots.state import jobs
from bots.state.lists import Listed
from bots.state.outbox import enqueue
from schemas.vocabulary import Tlp
from subscribers.records import Record
from subscribers.storage.store import Row


def above(connection: apsw.Connection, full: Tlp, now: float) -> int:
    """Within a transaction: have messages that show more than `full` allows made anew or taken back.

    Returns how many. A bulletin that is not kept here any more may have had any marking: its messages go.
    """
    markings: dict[str, Tlp | None] = {}

    def withheld(key: str) -> bool:
        if key not in markings:
            row = connection.execute("SELECT record FROM records WHERE id = ?", (key,)).fetchone()
            markings[key] = Record.model_validate_json(row[0]).bulletin.tlp if row else None
        marking = markings[key]
        return marking is None or marking.rank > full.rank

    cause = f"ceiling-{int(now * 1000)}"
    made: list[jobs.Job] = []
    sql = "SELECT id, officer, record FROM messages WHERE record IS NOT NULL"
    rows: list[Row] = connection.execute(sql).fetchall()
    for message, officer, record in rows:
        if withheld(record):
            fate: jobs.Fate = "amended" if markings[record] else "expired"
            made.append(jobs.edit(message, officer, record, cause, fate=fate))
    sql = "SELECT m.id, m.officer, l.body FROM messages m JOIN lists l ON l.message = m.id"
    lists: list[Row] = connection.execute(sql).fetchall()
    for message, officer, body in lists:
        listed = Listed.load(body)
        if listed.drafts or any(map(withheld, listed.records)):
            again = jobs.edit(message, officer, None, cause, fate="listed")
            made.append(again if listed.title else jobs.delete(message, officer))
    # What shows no bulletin and passes is counted or written under the ceiling of its time: numbers, drafts.
    sql = """SELECT id, officer FROM messages WHERE record IS NULL AND ends IS NOT NULL
        AND id NOT IN (SELECT message FROM lists) AND id NOT IN (SELECT message FROM calls)"""
    passing: list[Row] = connection.execute(sql).fetchall()
    made += [jobs.delete(message, officer) for message, officer in passing]
    return enqueue(connection, made, now)
