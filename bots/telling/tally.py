"""What was answered to a bulletin, counted for its originator by agency. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from bots.dialogue.screens import screen
from bots.showing.buttons import opening
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.wording.labels import CHANNEL_STATES, KINDS
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.vocabulary import ChannelState, Kind
from subscribers.records import Record

ANSWERS_MAX: Final = 100
"""So many answers are looked at: what the node gives at once."""
_OPENED_MAX: Final = 12
"""So many answers have a button: what a thumb goes through."""
_COUNTED: Final = (Kind.RESPONSE, Kind.SIGHTING, Kind.ACKNOWLEDGEMENT)
_STATES: Final = (ChannelState.CONFIRMED, ChannelState.BLOCKED, ChannelState.RETURNED)


def tally(officer: Officer, record: Record, answers: Sequence[Record], readers: int = 0) -> Rendered:
    """Which agencies acknowledged, sighted and answered a bulletin that may be shown in full, and of a
    channel, how it stands with each. `readers` other agencies could answer (0: not known).
    """
    say, found = words(officer.language), standing(answers)
    spans = [Span("📊 "), *say.code(record.bulletin.ref)]
    if record.bulletin.kind is Kind.REQUEST and readers:
        number = len(answered(found))
        spans.append(Span("\n" + of_others(number, readers, say)))
    for title, names in _groups(record, found, say):
        counted = say.count("{number} agency", "{number} agencies", len(names))
        spans.append(Span(f"\n\n{say.text('{what}: {number}', what=title, number=counted)}", "b"))
        if names:
            spans.append(Span("\n" + say.listed(map(say.embed, names))))
    replies = [each for each in found if each.bulletin.kind is Kind.RESPONSE][:_OPENED_MAX]
    if replies:
        spans.append(Span("\n\n" + say.text("The buttons open the answers.")))
    if len(answers) >= ANSWERS_MAX:
        spans.append(Span("\n\n" + say.text("Only the latest answers are counted.")))
    return screen(spans, officer.language, opening(replies))


def of_others(answered: int, asked: int, say: Words) -> str:
    """How many of the other agencies have answered."""
    others = max(asked, answered)
    if others and not answered:
        return say.count(
            "{number} other agency was asked and has not answered.",
            "None of the {number} other agencies has answered.",
            others,
        )
    return say.count(
        "{answered} of {number} other agency has answered.",
        "{answered} of {number} other agencies have answered.",
        others,
        answered=answered,
    )


def standing(answers: Iterable[Record]) -> list[Record]:
    """Those that were not withdrawn."""
    return [each for each in answers if each.state != "retracted"]


def answered(answers: Iterable[Record]) -> set[str]:
    """The agencies that have answered a question, by their ids."""
    return {each.agency for each in answers if each.bulletin.kind is Kind.RESPONSE}


def _groups(record: Record, answers: Sequence[Record], say: Words) -> Iterable[tuple[str, list[str]]]:
    """Titles and names, newest first; each agency once in each."""
    if record.bulletin.channel is not None:
        last: dict[str, Record] = {}
        for each in answers:
            if each.bulletin.channel is not None:
                last.setdefault(each.agency, each)
        for state in _STATES:
            said = (
                each
                for each in last.values()
                if each.bulletin.channel and each.bulletin.channel.state is state
            )
            yield say.text(CHANNEL_STATES[state]), [each.agency_name for each in said]
    for kind in _COUNTED:
        given = (each.agency_name for each in answers if each.bulletin.kind is kind)
        yield say.text(KINDS[kind]), list(dict.fromkeys(given))


def _state(record: Record) -> ChannelState | None:
    return record.bulletin.channel.state if record.bulletin.channel else None
