"""What follows from a message: until when it stays, when it may sound, and whether it is still true."""

from collections.abc import Sequence
from typing import Final

from bots.officers.roles import Right
from bots.searches.watching import Subscription, rests_until
from bots.showing.render import Reader
from bots.showing.rendered import Rendered
from bots.state import jobs
from bots.state.jobs import Priority, Told
from bots.state.officers import Officer
from bots.state.outbox import Outbox, Shown, Work
from schemas.encoding import from_instant
from schemas.vocabulary import Kind
from subscribers.records import Record

DELETE_WITHIN: Final = 48 * 3600.0
"""A bot may delete a message of a private chat this long, whoever wrote it (Bot API, deleteMessage)."""
DELETE_AT_ONCE: Final = 100
"""So many by one request (Bot API, deleteMessages)."""
PASSING: Final = 47 * 3600.0
"""Stubs go an hour before that."""


def reader(officer: Officer) -> Reader:
    """For whom a text is made."""
    return Reader(officer.language, officer.zone, officer.may(Right.DRAFT))


def ends_at(record: Record | None, rendered: Rendered, now: float) -> float | None:
    """When a message must go (Unix seconds): stubs while they can be deleted, bulletins when they expire."""
    ends = [now + PASSING] if rendered.passing else []
    if record is not None and record.bulletin.valid_until:
        ends.append(from_instant(record.bulletin.valid_until) / 1000)
    return min((each for each in ends if each > now), default=None)


def aged(record: Record, now: float) -> Record:
    """The bulletin with what its dates say now."""
    bulletin, flags = record.bulletin, set(record.flags)
    if bulletin.valid_until and from_instant(bulletin.valid_until) / 1000 <= now:
        flags.add("expired")
    if bulletin.personal and from_instant(bulletin.personal.review) / 1000 <= now:
        flags.add("review_due")
    return record if flags == record.flags else record.model_copy(update={"flags": frozenset(flags)})


def of_people(record: Record) -> bool:
    """Whether it says something of people, so that whoever read it must hear of a mistake in it."""
    return record.bulletin.kind is Kind.SUBJECT or bool(record.bulletin.subjects)


def quiet(work: Work, now: float, answered: Sequence[Subscription] = ()) -> float | None:
    """Until when an alert or notice must wait; flash and what was asked for never do.

    `answered`: the subscriptions that an alert answers to, which may be snoozed or have quiet hours of
    their own.
    """
    if work.verb not in {"alert", "notice", "remind", "due", "closed"} or work.priority == Priority.FLASH:
        return None
    return rests_until(now, answered, work.officer.quiet, work.officer.zone)


async def catch_up(outbox: Outbox, officer: int, shown: Shown, record: Record, now: float) -> bool:
    """Edit a message whose bulletin changed while it was on its way. Whether it had.

    `record` is the bulletin as the message shows it. The change was committed before the message was noted,
    or else its plan saw the message (`bots.telling.intake`).
    """
    kept = await outbox.record(record.bulletin.id)
    if kept is None or kept.state == "current" or kept.replaced_by == record.replaced_by:
        return False
    place = (shown.chat, shown.message)
    noted = (each for each in await outbox.messages(kept.bulletin.id) if (each.chat, each.message) == place)
    sent = next(noted, None)
    if sent is None or kept.replaced_by is None:
        return False
    made = [jobs.edit(sent.id, officer, kept.bulletin.id, kept.replaced_by, fate=kept.state)]
    change = await outbox.record(kept.replaced_by) if of_people(kept) else None
    if change is not None:
        made.append(jobs.alert(change, officer, Told(shown.message, loud=True)))
    return await outbox.add(made, now) > 0
