"""How what is looked for is said: one restriction on a button, a whole search on one line, a name for it.
Pure.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from babel.dates import format_date

from bots.clock import moment
from bots.parsing.queries import Facet, Query, facets
from bots.searches.alternatives import quoted, shortened, spoken
from bots.searches.watching import Search
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.places import place
from bots.wording.words import NAMES, Words, words
from schemas.encoding import from_instant
from schemas.vocabulary import Kind, Language, Severity
from subscribers.records import Community

NAME_MAX: Final = 40
BUTTON_MAX: Final = 30
_NAMED: Final = (
    ("words", 1), ("events", 1), ("subjects", 1), ("tactics", 2), ("kinds", 2), ("regions", 3),
    ("communities", 1), ("severity_at_least", 1),
)  # fmt: skip
"""What names a search, the most telling first, and how many of each."""
_PARTS_MAX: Final = 3
_SAID_MAX: Final = 6
"""How many values of one kind a line says: it must stay a line."""


def facet_label(facet: Facet, known: Iterable[Community], officer: Officer) -> str:
    """A restriction as a button says it."""
    say = words(officer.language)
    if facet.field in {"since", "until"}:
        at = moment(from_instant(facet.value) / 1_000).astimezone(officer.zone)
        day = format_date(at, "medium", locale=say.locale)
        return say.text("from {day}", day=day) if facet.field == "since" else say.text("until {day}", day=day)
    return _label(facet, known, say)


def facet_button(facet: Facet, known: Iterable[Community], officer: Officer) -> str:
    """The same, short enough for a button: words are cut within their quotation marks."""
    label = facet_label(facet, known, officer)
    if len(label) <= BUTTON_MAX:
        return label
    if facet.field != "words":
        return label[: BUTTON_MAX - 1].rstrip() + "…"
    say = words(officer.language)
    room = BUTTON_MAX - len(say.text("the words {words}", words=""))
    return say.text("the words {words}", words=shortened(facet.value, say, lambda said: len(said) <= room))


def describe(search: Search, known: Sequence[Community], say: Words) -> str:
    """A saved search in words, on one line."""
    query = Query(words=search.words, filters=search.filters)
    said: dict[str, list[str]] = {} if query.filters.kinds else {"kinds": [say.text("all kinds")]}
    for each in facets(query):
        said.setdefault(each.field, []).append(say.embed(_label(each, known, say)))
    return " · ".join(_some(each, say) for each in said.values())


def suggested_name(search: Search, known: Sequence[Community], say: Words) -> str:
    """A short name for a search, from what it looks for."""
    found = facets(Query(words=search.words, filters=search.filters))
    parts: list[str] = []
    for field, most in _NAMED:
        some = [_plain(each, known, say) for each in found if each.field == field]
        if some and len(parts) < _PARTS_MAX:
            parts.append(say.listed(some[:most]))
    while len(parts) > 1 and len(" · ".join(parts)) > NAME_MAX:
        parts.pop()
    return fit_name(" · ".join(parts)) or say.text("Everything")


def fit_name(text: str) -> str:
    """A name cleaned and cut to its room; '' when nothing is left."""
    kept = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return kept if len(kept) <= NAME_MAX else kept[: NAME_MAX - 1].rstrip() + "…"


def _some(said: Sequence[str], say: Words) -> str:
    left = len(said) - _SAID_MAX
    more = [say.count("and {number} more", "and {number} more", left)] if left > 0 else []
    return say.listed([*said[:_SAID_MAX], *more])


def _label(facet: Facet, known: Iterable[Community], say: Words) -> str:
    if facet.field == "severity_at_least":
        return say.text("from “{severity}” up", severity=labels.severity(Severity(facet.value), say))
    if facet.field == "words":
        return say.text("the words {words}", words=quoted(facet.value, say))
    if facet.field == "languages":
        return say.text("with a text in {language}", language=say.embed(NAMES[Language(facet.value)]))
    return fit_name(_plain(facet, known, say))


def _plain(facet: Facet, known: Iterable[Community], say: Words) -> str:
    if facet.field == "communities":
        return next((each.title for each in known if each.id == facet.value), facet.value)
    if facet.field == "words":
        return spoken(facet.value, say)
    read = _SAID.get(facet.field)
    return read(facet.value, say) if read else facet.value


_SAID: Final[dict[str, Callable[[str, Words], str]]] = {
    "kinds": lambda value, say: labels.kind(Kind(value), say),
    "regions": place,
    "severity_at_least": lambda value, say: labels.severity(Severity(value), say),
}
