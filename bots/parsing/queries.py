"""What is looked for: words and restrictions, as they are typed (`kind:cyber region:FR since:7d drone`) and
as they are taken away again one by one. Pure: the present is an argument.

Refusals are OperationError `bad_request`; the handler shows how it is done instead of the words of the error.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from bots.parsing.commands import clean
from schemas.encoding import from_instant, instant
from schemas.errors import Code, OperationError
from schemas.vocabulary import Kind, Language, Severity
from subscribers.records import Community, Filters
from subscribers.storage.normalise import query_expression

WORDS_MAX: Final = 200
NAME_MAX: Final = 200
_PART: Final = re.compile(r'(?P<key>[A-Za-z]+):(?:["“«](?P<quoted>[^"”»]*)["”»]|(?P<bare>[^\s"“«]+))')
_AGO: Final = re.compile(r"([1-9][0-9]{0,2})([hdw])\Z")
_HOURS: Final = {"h": 1, "d": 24, "w": 7 * 24}
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_REGION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")
_TACTIC: Final = re.compile(r"(TA?[0-9]{2,4}(\.[0-9]{3})?|LT-[0-9]{4})\Z")
_SUBJECT: Final = re.compile(r"([A-Za-z]{2})([ieIE])\.([0-9]{3})\Z")
_HOUR: Final = 3_600_000


class Query(BaseModel):
    """Words, which may be none, within restrictions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: str = ""
    filters: Filters = Filters()


class Facet(BaseModel):
    """One restriction of a query, such as one of its kinds: `field` as `Filters` has it, `words` too."""

    model_config = ConfigDict(frozen=True)

    field: str
    value: str


def parse(text: str, now: float, communities: Sequence[Community]) -> Query:
    """A query as it is typed at `now` (Unix seconds); an unknown `key:value` is words. Raises
    OperationError.
    """
    text = clean(text)
    filters = Filters()

    def take(found: re.Match[str]) -> str:
        nonlocal filters
        read = _FIELDS.get(found["key"].lower())
        if read is None:
            return found[0]
        field, each = read
        quoted = found["quoted"]
        values = [quoted] if quoted is not None else found["bare"].split(",")
        made = [each(value.strip(), now, communities) for value in values]
        filters = filters.model_copy(update={field: _joined(filters, field, made)})
        return " "

    words = " ".join(_PART.sub(take, text).split())
    return Query(words=checked(words) if words else "", filters=filters)


def checked(words: str) -> str:
    """Words fit to look for, cleaned. Raises OperationError when they are none, or too many."""
    words = clean(words)
    if len(words) > WORDS_MAX:
        raise OperationError(Code.BAD_REQUEST, f"at most {WORDS_MAX} characters", "give fewer words")
    query_expression(words)
    return words


def facets(query: Query) -> list[Facet]:
    """Its restrictions in a fixed order, words last."""
    return [Facet(field=field, value=value) for field, value in _facets(query)]


def without(query: Query, facet: Facet) -> Query:
    """The query with one restriction less."""
    if facet.field == "words":
        return query.model_copy(update={"words": ""})
    default = Filters.model_fields[facet.field].default
    value = getattr(query.filters, facet.field)
    left = frozenset(value - {facet.value}) if isinstance(value, frozenset) else default
    return query.model_copy(update={"filters": query.filters.model_copy(update={facet.field: left})})


def _facets(query: Query) -> Iterator[tuple[str, str]]:
    filters = query.filters
    yield from (("kinds", each) for each in sorted(filters.kinds))
    if filters.severity_at_least is not Severity.INFO:
        yield "severity_at_least", filters.severity_at_least.value
    for field in ("communities", "regions", "events", "tactics", "subjects", "languages"):
        yield from ((field, each) for each in sorted(getattr(filters, field)))
    if filters.since:
        yield "since", filters.since
    if filters.until:
        yield "until", filters.until
    if query.words:
        yield "words", query.words


def _joined(filters: Filters, field: str, made: Sequence[object]) -> object:
    held = getattr(filters, field)
    return held | set(made) if isinstance(held, frozenset) else made[-1]


def kind(text: str, *_: object) -> Kind:
    """A kind by its name or the beginning of it."""
    return Kind(_one_of(text, list(Kind)))


def severity(text: str, *_: object) -> Severity:
    """A severity by its name."""
    return Severity(_one_of(text, list(Severity)))


def language(text: str, *_: object) -> Language:
    """A language by its code."""
    return Language(_one_of(text, list(Language)))


def region(text: str, *_: object) -> str:
    """An ISO 3166 code."""
    return _matching(_REGION, text.upper())


def tactic(text: str, *_: object) -> str:
    """A technique's identifier, such as `T1566.001`."""
    return _matching(_TACTIC, text.upper())


def subject(text: str, *_: object) -> str:
    """A reference of the UN list, such as `QDi.001`. Names are not for typing in chat."""
    found = _SUBJECT.match(text)
    if not found:
        raise _unread()
    return f"{found[1].upper()}{found[2].lower()}.{found[3]}"


def event(text: str, *_: object) -> str:
    """An event's name."""
    if not text or len(text) > NAME_MAX:
        raise _unread()
    return text


def community(text: str, _: float, communities: Sequence[Community]) -> str:
    """A community's id, from its short name or its title."""
    for each in communities:
        if text.casefold() in {each.slug.casefold(), each.title.casefold(), each.id}:
            return each.id
    raise _unread()


def since(text: str, now: float, *_: object) -> str:
    """A time: `12h`, `7d` or `2w` ago, or the beginning of a day of UTC such as `2026-11-01`."""
    if found := _AGO.match(text.lower()):
        return instant(int(now * 1000) // 1000 * 1000 - int(found[1]) * _HOURS[found[2]] * _HOUR)
    return _midnight(text)


def until(text: str, now: float, *_: object) -> str:
    """The same, or the end of a day."""
    if not _DAY.match(text):
        return since(text, now)
    try:
        return instant(from_instant(_midnight(text)) + _HOURS["d"] * _HOUR)
    except ValueError:  # the calendar ends with the year 9999
        raise _unread() from None


def _midnight(text: str) -> str:
    try:
        date.fromisoformat(_matching(_DAY, text))
    except ValueError:
        raise _unread() from None
    return f"{text}T00:00:00Z"


def _one_of(text: str, values: Iterable[str]) -> str:
    said = text.casefold()
    found = [each for each in values if each == said] or [each for each in values if each.startswith(said)]
    if not said or len(found) != 1:
        raise _unread()
    return found[0]


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.match(text):
        raise _unread()
    return text


_FIELDS: Final[dict[str, tuple[str, Callable[[str, float, Sequence[Community]], object]]]] = {
    "kind": ("kinds", kind),
    "severity": ("severity_at_least", severity),
    "region": ("regions", region),
    "community": ("communities", community),
    "event": ("events", event),
    "tactic": ("tactics", tactic),
    "subject": ("subjects", subject),
    "lang": ("languages", language),
    "since": ("since", since),
    "until": ("until", until),
}
KEYS: Final = tuple(_FIELDS)
"""What may stand before the colon."""


def _unread() -> OperationError:
    return OperationError(Code.BAD_REQUEST, "that could not be read", "see /help")
