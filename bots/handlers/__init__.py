"""The bot's conversations, one module for each subject.

They know no chat service: see `bots.dialogue.book`.
"""

from bots.dialogue.book import Book
from bots.handlers import (
    acknowledging,
    alarming,
    answering,
    asked,
    auditing,
    ceiling,
    digests,
    drafting,
    duty,
    enquiries,
    enrolment,
    event_menu,
    events,
    finding,
    insight,
    language,
    plain,
    referring,
    room,
    saved,
    staff,
    subscribing,
    tally,
    unknown,
    zones,
)


def written() -> Book:
    """The book with every handler's entries."""
    book = Book(newcomer=enrolment.enrol, else_said=unknown.typed, else_touched=unknown.button)
    for module in (
        enrolment,
        staff,
        auditing,
        ceiling,
        alarming,
        enquiries,
        finding,
        plain,
        insight,
        referring,
        acknowledging,
        subscribing,
        saved,
        drafting,
        answering,
        asked,
        digests,
        zones,
        duty,
        event_menu,
        events,
        tally,
        language,
        room,
    ):
        module.register(book)
    return book
