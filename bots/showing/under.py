"""The buttons under one bulletin that is shown in full: acknowledge, read on, answer, other texts. Pure."""

from typing import Final

from bots.parsing.actions import encode, short
from bots.showing.answerable import acknowledgeable, answerable
from bots.showing.buttons import button_acknowledge, button_answer, button_tally
from bots.showing.rendered import Button, Rows
from bots.wording.words import NAMES, Words
from schemas.bulletin import Bulletin
from schemas.vocabulary import Kind, Language
from subscribers.records import Record

_IN_A_ROW: Final = 3
"""Of languages."""


def rows_under(
    record: Record, shown: Language, say: Words, *, done: bool, answers: bool, more: bool, beside: bool
) -> Rows:
    """For a text in the language `shown`. `done`: it is acknowledged; `answers`: the officer may; `more`:
    there is more of it than this; `beside`: the original stands under the translation.
    """
    bulletin, key = record.bulletin, short(record.bulletin.id)
    first: list[Button] = []
    if acknowledgeable(record):
        first.append(button_acknowledge(bulletin.id, say, done=done))
    if more:
        first.append(Button("📖 " + say.text("Show more"), encode("more", key, shown.value)))
    replies = [button_answer(record, each, say) for each in answerable(record) if answers]
    if record.own and bulletin.kind is not Kind.ACKNOWLEDGEMENT:
        replies.append(button_tally(bulletin.id, say))
    pair: list[Button] = []
    if beside:
        alone = say.text("{language} alone", language=say.embed(NAMES[shown]))
        pair.append(Button("◀️ " + alone, encode("lang", key, shown.value)))
    elif shown is not bulletin.language:
        pair.append(Button("📑 " + say.text("Original beside it"), encode("beside", key, shown.value)))
    others = _others(bulletin, shown, say)
    rows = (first, replies, pair, others[:_IN_A_ROW], others[_IN_A_ROW:])
    return tuple(tuple(row) for row in rows if row)


def _others(bulletin: Bulletin, shown: Language, say: Words) -> list[Button]:
    """Its other texts, the original and official ones first."""
    translated = sorted(bulletin.translations, key=lambda each: not each.official)
    texts = [bulletin.language, *(each.language for each in translated)]
    return [
        Button(_named(each, bulletin.language, say), encode("lang", short(bulletin.id), each.value))
        for each in texts
        if each is not shown
    ]


def _named(language: Language, original: Language, say: Words) -> str:
    """A text to change to; the original says that it is."""
    return f"{NAMES[language]} · {say.text('original')}" if language is original else NAMES[language]
