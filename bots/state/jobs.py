"""What is to be delivered: shapes, order and keys. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import Final, Literal, Self

from bots.state.partings import Parting
from schemas.vocabulary import Severity
from subscribers.records import Notice, Record

Verb = Literal[
    "alert",
    "digest",
    "edit",
    "delete",
    "alarm",
    "notice",
    "draft",
    "call",
    "unheard",
    "closed",
    "remind",
    "chart",
    "due",
    "parted",
    "relieved",
    "appointed",
]
Fate = Literal["amended", "retracted", "expired", "listed", "answered", "acknowledged"]
HURRIED: Final = "min(not_before, 0) - 1"
"""SQL for the moment before which a job does not go, when it is to be looked at anew: another one each time,
so that nobody puts it off who has looked at it before.
"""


class Priority(IntEnum):
    """The order of delivery, most urgent first."""

    FLASH = 0
    CHANGE = 1
    ALERT = 2
    DIGEST = 3
    TIDY = 4


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do for one officer. `key` makes it happen once: the same key again is ignored.

    `record` is a bulletin's id; `target` the row of a message that was sent; `body` the JSON of a digest, an
    alarm, a notice, what is told of a draft or who answered a question, what became of the bulletin of an
    edited message, or `Told` of an alert.
    """

    key: str
    officer: int
    priority: Priority
    verb: Verb
    record: str | None = None
    target: int | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What an alert says beside its bulletin: the message that it replies to, the subscriptions that it
    answers to, and whether it comes without a sound, or with one whatever its severity.
    """

    reply_to: int | None = None
    subscriptions: tuple[int, ...] = ()
    hushed: bool = False
    loud: bool = False

    def dump(self) -> str:
        """For the database."""
        return "" if self == PLAIN else json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Self:
        """As it was dumped, or the bare number of a message, as it stood there before. ValueError for
        anything else.
        """
        fields = json.loads(text) if text else {}
        if isinstance(fields, int):
            return cls(fields)
        try:
            return cls(**{**fields, "subscriptions": tuple(fields.get("subscriptions", ()))})
        except (AttributeError, TypeError):
            raise ValueError("not what an alert says") from None


PLAIN = Told()


def alert(record: Record, officer: int, told: Told = PLAIN) -> Job:
    """Tell an officer of a bulletin: once for each bulletin, officer and state of the bulletin."""
    flash = record.bulletin.severity is Severity.FLASH
    revision = record.replaced_by or record.state
    return Job(
        key=f"alert:{record.bulletin.id}:{officer}:{revision}",
        officer=officer,
        priority=Priority.FLASH if flash else Priority.ALERT,
        verb="alert",
        record=record.bulletin.id,
        body=told.dump(),
    )


def urgent(job: Job) -> Job:
    """The same as a flash: at once, in quiet hours too."""
    return replace(job, priority=Priority.FLASH)


def call(record: str, officer: int, number: int, absent: Sequence[int] = ()) -> Job:
    """Call an officer for the n-th time to a bulletin that nobody has acknowledged: once for each number.
    `absent` are those on duty who cannot be called.
    """
    key = f"call:{record}:{officer}:{number}"
    body = json.dumps([number, *absent]) if absent else str(number)
    return Job(key, officer, Priority.FLASH, "call", record=record, body=body)


def unheard(record: str, officer: int, mute: Sequence[int] = ()) -> Job:
    """Tell an administrator, once, that everybody was called to a bulletin in vain, but for those who cannot
    be called.
    """
    body = json.dumps(list(mute)) if mute else ""
    return Job(f"unheard:{record}:{officer}", officer, Priority.FLASH, "unheard", record=record, body=body)


def remind(record: str, officer: int) -> Job:
    """Bring a request to mind before its deadline, once."""
    return Job(f"remind:{record}:{officer}", officer, Priority.ALERT, "remind", record=record)


def due(record: str, officer: int, stage: str, body: str) -> Job:
    """Tell who asked how a question stands, once when its deadline is near and once when it has passed."""
    return Job(f"due:{record}:{officer}:{stage}", officer, Priority.ALERT, "due", record=record, body=body)


def closed(cell: int, officer: int, body: str) -> Job:
    """Tell an officer that an event was closed, once."""
    return Job(f"closed:{cell}:{officer}", officer, Priority.ALERT, "closed", body=body)


def parted(told: Parting) -> Job:
    """Tell who shut somebody out, once, that all is taken back: at night too."""
    fields = {
        "name": told.name,
        "missed": told.missed,
        "of": told.of,
        "stay": told.stay,
        "enrolled": told.enrolled,
    }
    return Job(
        f"parted:{told.chat}:{told.by}:{told.at}", told.by, Priority.CHANGE, "parted", body=json.dumps(fields)
    )


def relieved(officer: int, roster: int, now: float, body: str) -> Job:
    """Tell an officer that another took their duty, ended it, or that it is theirs again: at night too."""
    key = f"relieved:{roster}:{officer}:{int(now * 1000)}"
    return Job(key, officer, Priority.CHANGE, "relieved", body=body)


def appointed(officer: int, role: str, now: float) -> Job:
    """Tell an officer that their role is another one."""
    body = json.dumps({"role": role})
    return Job(f"appointed:{officer}:{int(now * 1000)}", officer, Priority.ALERT, "appointed", body=body)


def still_writes(officer: int, chat: int, of: int, name: str, at: float) -> Job:
    """Tell an administrator, once, that the phone of the officer `of` writes although it was shut out."""
    body = json.dumps({"name": name, "of": of, "writes": at})
    return Job(f"writes:{chat}:{officer}:{at}", officer, Priority.CHANGE, "parted", body=body)


def digest(officer: int, period: str, body: str) -> Job:
    """A digest: once for each officer and period."""
    return Job(f"digest:{officer}:{period}", officer, Priority.DIGEST, "digest", body=body)


def chart(digest: Job) -> Job:
    """The chart that follows a digest: once for each."""
    return replace(digest, key=f"chart:{digest.key}", verb="chart")


def alarm(number: int, officer: int, body: str) -> Job:
    """Tell an administrator of an alarm, given as JSON: once for each alarm and officer."""
    return Job(f"alarm:{number}:{officer}", officer, Priority.CHANGE, "alarm", body=body)


def notice(told: Notice, officer: int) -> Job:
    """Tell an officer of a change in the directory, once. A node that began anew numbers from 1 again."""
    key = f"notice:{told.at}:{told.number}:{officer}"
    return Job(key, officer, Priority.ALERT, "notice", body=told.model_dump_json())


def edit(message: int, officer: int, record: str | None, cause: str, *, fate: Fate) -> Job:
    """Show in a sent message what became of its bulletin; `cause` names the change, so that it happens
    once.
    """
    key = f"edit:{message}:{cause}"
    return Job(key, officer, Priority.CHANGE, "edit", record=record, target=message, body=fate)


def delete(message: int, officer: int) -> Job:
    """Take a sent message away."""
    return Job(f"delete:{message}", officer, Priority.TIDY, "delete", target=message)
