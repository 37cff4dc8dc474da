"""A line that was typed where a button is awaited, or that is too long for a title: where it fits, so that
nothing that an officer wrote is lost. Pure.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from bots.drafting import deadlines, wizard
from bots.drafting.draft import HalfDraft, Step
from bots.drafting.wizard import Unfit
from schemas.vocabulary import Kind

_WORDS: Final = re.compile(r"[^\W_]+")


def pressed(text: str, offered: Iterable[tuple[str, str]]) -> str | None:
    """The value of the button that is called so, whatever its signs and its case; None for no such one."""
    said = _said(text)
    return next((value for label, value in offered if said and _said(label) == said), None)


def kept(half: HalfDraft, text: str, *, zone: ZoneInfo, now: float) -> tuple[HalfDraft, Step] | None:
    """The draft with the line in it, and as what: a question's deadline, else the title, else the text; None
    where all of these are there, or it fits nowhere.
    """
    if half.follows and half.body:
        return None
    for step in _places(half, text, zone, now):
        try:
            return wizard.typed(half, step, text, zone=zone, language=half.language, now=now), step
        except Unfit:
            continue
    return None


def _places(half: HalfDraft, text: str, zone: ZoneInfo, now: float) -> Iterable[Step]:
    asks = half.kind is Kind.REQUEST and half.valid_until is None
    if asks and deadlines.read(text, zone, now) is not None:
        yield Step.VALID
    if not half.title:
        yield Step.TITLE
    if not half.body:
        yield Step.BODY


def _said(text: str) -> tuple[str, ...]:
    plain = (each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return tuple(_WORDS.findall("".join(plain).casefold()))
