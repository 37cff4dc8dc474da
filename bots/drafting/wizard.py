"""How an answer is read: a typed line or a pressed button into a draft. Pure.

What cannot be taken is `Unfit`, with a reason that the screens put into words.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import StringConstraints, TypeAdapter, ValidationError

from bots.drafting import deadlines
from bots.drafting.draft import NUMBER_MAX, OFFERED, HalfDraft, Step
from bots.drafting.translations import made_now
from bots.parsing.commands import clean
from bots.showing.release import Ceiling, Release
from bots.wording import places
from schemas.encoding import instant
from schemas.errors import OperationError
from schemas.limits import LIST_MAX, SUMMARY_MAX
from schemas.particulars import Body, Channel, Event, Grading, Line, Tactic, Translation
from schemas.vocabulary import (
    ChannelState,
    GradingSystem,
    Kind,
    Language,
    Likelihood,
    Relation,
    Severity,
    Taxonomy,
    Tlp,
)

TEXTS: Final = frozenset(
    {
        Step.CHANNEL,
        Step.EVENT,
        Step.TITLE,
        Step.BODY,
        Step.SUMMARY,
        Step.REGIONS,
        Step.TACTICS,
        Step.REFERENCES,
        Step.VALID,
        Step.CAVEATS,
        Step.TRANSLATION,
        Step.GRADING,
        Step.SEEN,
        Step.NUMBER,
    }
)
"""Questions that a typed line answers."""
CAVEATS_MAX: Final = 8
HOURS: Final = (24, 72, 168)
"""How long a bulletin may be said to hold, by button."""
SOON: Final = (2, 6, 24, 72)
"""How long answers to a question are awaited, by button."""
DAYTIMES: Final = ((0, 20 * 60), (1, 9 * 60))
"""The same by the officer's clock: days ahead, and minutes after midnight."""
AGO: Final = (0, 1, 3, 12)
"""How long ago something was seen, in hours, by button."""
_HOURS_MAX: Final = 8_784
_STEERING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that make text lie about its direction; they come along with copied text, and no bulletin may hold
them.
"""
_TACTIC: Final = re.compile(r"(TA?[0-9]{2,4}(\.[0-9]{3})?|LT-[0-9]{4})\Z")
_DAYTIME: Final = re.compile(r"([01])\+([0-9]{1,4})\Z")
_UTC: Final = ZoneInfo("UTC")
_GRADE: Final = re.compile(r"([A-F])\s?([1-6])\Z")
_LINE: Final = TypeAdapter[str](Line)
_BODY: Final = TypeAdapter[str](Body)
_SUMMARY: Final = TypeAdapter[str](Annotated[Body, StringConstraints(max_length=SUMMARY_MAX)])


class Why(StrEnum):
    """Why an answer cannot be taken."""

    CEILING = "ceiling"
    """The marking is above what may be in this chat."""
    LINE = "line"
    TEXT = "text"
    GRADING = "grading"
    REGIONS = "regions"
    TACTICS = "tactics"
    TIME = "time"
    CAVEATS = "caveats"
    TRANSLATION = "translation"
    REFERENCES = "references"
    FLOOR = "floor"
    """The marking is below that of what it answers or changes."""
    PAST = "past"
    NUMBER = "number"
    CHOICE = "choice"
    """Nothing that was offered."""


class Unfit(Exception):
    """An answer that cannot be taken."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


def allowed(tlp: Tlp | None, ceiling: Ceiling) -> bool:
    """Whether a draft with this marking may be in the chat. Without one it may: nothing was asked yet."""
    return tlp is None or ceiling.allows(tlp) is Release.FULL


def mark(draft: HalfDraft, slug: str, ceiling: Ceiling) -> HalfDraft:
    """The marking. Unfit `ceiling` above what may be shown in full here."""
    tlp = next((each for each in Tlp if each.slug == slug), None)
    if tlp is None:
        raise Unfit(Why.CHOICE)
    if not allowed(tlp, ceiling):
        raise Unfit(Why.CEILING)
    if tlp.rank < draft.floor.rank:
        raise Unfit(Why.FLOOR)
    return draft.with_(tlp=tlp)


def choose(draft: HalfDraft, step: Step, value: str, now: float, zone: ZoneInfo = _UTC) -> HalfDraft:
    """A button's value for one of the closed questions; `now` in Unix seconds, `zone` the officer's. Raises
    Unfit.
    """
    try:
        match step:
            case Step.KIND if Kind(value) in OFFERED and not draft.follows:
                return _of_kind(draft, Kind(value))
            case Step.SEVERITY:
                return draft.with_(severity=Severity(value))
            case Step.LIKELIHOOD:
                return draft.with_(likelihood=Likelihood(value))
            case Step.LANGUAGE:
                return _in_language(draft, Language(value))
            case Step.GRADING:
                return draft.with_(grading=_grading(value))
            case Step.VALID if value.isascii() and value.isdigit():
                return draft.with_(valid_until=_ahead(int(value), now))
            case Step.VALID if (found := _DAYTIME.match(value)) is not None:
                return draft.with_(valid_until=_by_clock(int(found[1]), int(found[2]), zone, now))
            case Step.SEEN if value in map(str, AGO):
                return draft.with_(valid_from=instant(int(now - int(value) * 3600) * 1000))
            case _:
                raise Unfit(Why.CHOICE)
    except ValueError:
        raise Unfit(Why.CHOICE) from None


def typed(
    draft: HalfDraft, step: Step, text: str, *, zone: ZoneInfo, language: Language, now: float
) -> HalfDraft:
    """A typed answer. `zone` is the officer's, `language` that of a translation. Raises Unfit; a reference
    is for the desk, which must look it up.
    """
    if step is Step.VALID:
        return draft.with_(valid_until=_until(text, zone, now))
    if step is Step.SEEN:
        return draft.with_(valid_from=_behind(text, zone, now))
    if step is Step.TRANSLATION:
        return _translated(draft, text, language)
    if step not in _READERS:
        raise Unfit(Why.CHOICE)
    return _READERS[step](draft, text)


def language_of(value: str) -> Language:
    """A language by its code. Raises Unfit."""
    if value not in set(Language):
        raise Unfit(Why.CHOICE)
    return Language(value)


def leave_out(draft: HalfDraft, step: Step) -> HalfDraft:
    """The same without an answer to an optional question."""
    if step is Step.EVENT and draft.kind is Kind.EVENT:
        return draft
    needed = tuple(each for each in draft.links if each.relation is not Relation.RELATED)
    empty: dict[Step, dict[str, object]] = {
        Step.EVENT: {"event": None},
        Step.REFERENCES: {"links": needed},
        Step.SUMMARY: {"summary": ""},
        Step.GRADING: {"grading": None},
        Step.LIKELIHOOD: {"likelihood": None},
        Step.REGIONS: {"regions": ()},
        Step.TACTICS: {"tactics": ()},
        Step.VALID: {"valid_until": None},
        Step.CAVEATS: {"caveats": ()},
        Step.TRANSLATION: {"translations": ()},
        Step.FILES: {"attachments": ()},
        Step.SEEN: {"valid_from": None},
        Step.NUMBER: {"number": None},
    }
    if draft.quick is not None or draft.kind is Kind.REQUEST:
        empty[Step.BODY] = {"body": ""}
    return draft.with_(**empty.get(step, {}))


def forwarded(draft: HalfDraft, text: str, source: str) -> HalfDraft:
    """A forwarded message as the body, and where it came from as a caveat for the drafter to edit."""
    body = _text(text)
    caveats = draft.caveats
    if source and len(caveats) < CAVEATS_MAX:
        caveats = (*caveats, _line(source[:200]))
    return draft.with_(body=body, caveats=caveats)


def _of_kind(draft: HalfDraft, kind: Kind) -> HalfDraft:
    return draft.with_(kind=kind, channel=draft.channel if kind is Kind.CHANNEL else None)


def _in_language(draft: HalfDraft, language: Language) -> HalfDraft:
    others = tuple(each for each in draft.translations if each.language is not language)
    return draft.with_(language=language, translations=others)


def _line(text: str) -> str:
    try:
        return _LINE.validate_python(" ".join(_STEERING.sub("", text).split()))
    except ValidationError:
        raise Unfit(Why.LINE) from None


def _text(text: str, shape: TypeAdapter[str] = _BODY) -> str:
    tidy = _STEERING.sub("", text).strip()
    try:
        if not tidy:
            raise Unfit(Why.TEXT)
        return shape.validate_python(tidy)
    except ValidationError:
        raise Unfit(Why.TEXT) from None


def _grading(text: str) -> Grading:
    """Admiralty: `B2`. A grading on Europol's scale is kept as given, and given elsewhere."""
    found = _GRADE.match(clean(text).upper())
    if not found:
        raise Unfit(Why.GRADING)
    return Grading.model_validate(
        {"system": GradingSystem.ADMIRALTY.value, "reliability": found[1], "credibility": int(found[2])}
    )


def _read_regions(draft: HalfDraft, text: str) -> HalfDraft:
    try:
        found = sorted(places.read(text))
    except OperationError:
        raise Unfit(Why.REGIONS) from None
    if len(found) > LIST_MAX:
        raise Unfit(Why.REGIONS)
    return draft.with_(regions=tuple(found))


def _read_tactics(draft: HalfDraft, text: str) -> HalfDraft:
    named = clean(text).upper().replace(",", " ").split()
    if not named or len(named) > LIST_MAX or not all(map(_TACTIC.match, named)):
        raise Unfit(Why.TACTICS)
    found = [Tactic(taxonomy=taxonomy(each), id=each) for each in dict.fromkeys(named)]
    return draft.with_(tactics=tuple(found))


def taxonomy(id: str) -> Taxonomy:
    """Whose identifier it is: DISARM numbers its techniques below T0200 and its tactics with two digits,
    ATT&CK above.
    """
    if id.startswith("LT-"):
        return Taxonomy.LIAISON
    digits = id.removeprefix("TA").removeprefix("T").partition(".")[0]
    is_disarm = len(digits) == 2 if id.startswith("TA") else digits < "0200"  # noqa: PLR2004 - TA01
    return Taxonomy.DISARM if is_disarm else Taxonomy.ATTACK


def _read_caveats(draft: HalfDraft, text: str) -> HalfDraft:
    lines = [each for each in text.splitlines() if each.strip()]
    if not 0 < len(lines) <= CAVEATS_MAX:
        raise Unfit(Why.CAVEATS)
    return draft.with_(caveats=tuple(_line(each) for each in lines))


def _read_event(draft: HalfDraft, text: str) -> HalfDraft:
    name, _, venue = text.strip().partition("\n")
    return draft.with_(event=Event(name=_line(name), venue=_line(venue) if venue.strip() else None))


def _read_channel(draft: HalfDraft, text: str) -> HalfDraft:
    address, _, platform = text.strip().partition("\n")
    named = _line(platform) if platform.strip() else None
    return draft.with_(channel=Channel(address=_line(address), platform=named, state=ChannelState.REPORTED))


def _translated(draft: HalfDraft, text: str, language: Language) -> HalfDraft:
    title, _, body = text.strip().partition("\n")
    if language is draft.language or not body.strip():
        raise Unfit(Why.TRANSLATION)
    made = Translation(language=language, official=False, title=_line(title), body=_text(body))
    others = [each for each in draft.translations if each.language is not language]
    return made_now(draft.with_(translations=(*others, made)), language)


def _ahead(hours: int, now: float) -> str:
    if not 0 < hours <= _HOURS_MAX:
        raise Unfit(Why.TIME)
    return instant(int(now + hours * 3600) * 1000)


def _until(text: str, zone: ZoneInfo, now: float) -> str:
    """`tonight 20:00` or `2026-12-24` (to its end) in the officer's zone: see `bots.drafting.deadlines`."""
    seconds = deadlines.read(text, zone, now)
    if seconds is None:
        raise Unfit(Why.TIME)
    return instant(seconds * 1000)


def _by_clock(days: int, minute: int, zone: ZoneInfo, now: float) -> str:
    seconds = deadlines.at(days, minute, zone, now)
    if seconds is None or seconds <= now:
        raise Unfit(Why.TIME)
    return instant(seconds * 1000)


def _behind(text: str, zone: ZoneInfo, now: float) -> str:
    seconds = deadlines.read_past(text, zone, now)
    if seconds is None:
        raise Unfit(Why.PAST)
    return instant(seconds * 1000)


def _read_number(draft: HalfDraft, text: str) -> HalfDraft:
    wanted = clean(text)
    if not wanted.isdecimal() or not 1 <= int(wanted) <= NUMBER_MAX:
        raise Unfit(Why.NUMBER)
    return draft.with_(number=int(wanted))


_READERS: Final[dict[Step, Callable[[HalfDraft, str], HalfDraft]]] = {
    Step.TITLE: lambda draft, text: draft.with_(title=_line(text)),
    Step.BODY: lambda draft, text: draft.with_(body=_text(text)),
    Step.SUMMARY: lambda draft, text: draft.with_(summary=_text(text, _SUMMARY)),
    Step.GRADING: lambda draft, text: draft.with_(grading=_grading(text)),
    Step.REGIONS: _read_regions,
    Step.TACTICS: _read_tactics,
    Step.CAVEATS: _read_caveats,
    Step.EVENT: _read_event,
    Step.CHANNEL: _read_channel,
    Step.NUMBER: _read_number,
}
