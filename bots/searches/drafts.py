"""A saved search in the making: what a button or a typed line makes of it. Pure.

Buttons are outside input, and refused with FormatError when they are none of ours; what is typed is refused
with OperationError, and the handler shows how it is done.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bots.parsing import queries
from bots.parsing.actions import Action
from bots.parsing.commands import Hush, clean, digest
from bots.searches.alternatives import with_strokes
from bots.searches.facets import fit_name, suggested_name
from bots.searches.watching import NEVER_QUIET, Mode, Search
from bots.times import MINUTES_A_DAY, Quiet
from bots.wording import places
from bots.wording.words import Words
from schemas.errors import Code, FormatError, OperationError
from schemas.vocabulary import Kind, Language, Severity
from subscribers.records import Community

VALUES_MAX: Final = 100
"""Of regions, say, in one search: every bulletin is held against each."""
TYPED: Final = {
    "regions": "France, DE-BE",
    "events": "Great Games",
    "tactics": "T1566, T1204",
    "subjects": "QDi.001",
    "words": "drone | stadium",
    "hours": "23:00-06:00",
    "name": "Drones in France",
}
"""What may be typed, with an example."""


def pressed(action: Action, draft: Search, offered: Sequence[str]) -> Search:
    """The draft after a button; as it was for a button that changes nothing. `offered`: the values that the
    buttons of the screen stand for by their places.
    """
    match action.argument(0):
        case what if what in _TOGGLES:
            field, read = _TOGGLES[what]
            return _toggled(draft, field, read(action.argument(1)))
        case "to":
            place = action.number(2)
            if place >= len(offered):
                raise FormatError(Code.BAD_REQUEST, "a button for something that is offered no more")
            return _toggled(draft, named(action.argument(1)), offered[place])
        case "nowords":
            return draft.model_copy(update={"words": ""})
        case "tm":
            return draft.model_copy(update={"mode": read_mode(action.argument(1))})
        case "tq":
            return draft.model_copy(update={"quiet": pressed_hours(action, 1)})
        case _:
            return draft


def typed(what: str, text: str, draft: Search, now: float, say: Words) -> Search:
    """The draft after something typed for `what`, one of `TYPED`, at `now` (Unix seconds), in a language."""
    match what:
        case "words":
            return draft.model_copy(update={"words": with_strokes(queries.checked(text), say)})
        case "hours":
            return draft.model_copy(update={"quiet": typed_hours(text)})
        case "events":
            return _added(draft, what, [queries.event(clean(text))])
        case "regions":
            return _added(draft, what, places.read(text))
        case "name" if name := fit_name(clean(text)):
            return draft.model_copy(update={"name": name})
        case _ if what in _READ:
            return _added(
                draft, what, [_READ[what](each, now) for each in clean(text).replace(",", " ").split()]
            )
        case _:
            raise OperationError(Code.BAD_REQUEST, "that could not be read", "see /help")


def reopened(search: Search, known: Sequence[Community], say: Words) -> Search:
    """The draft that changes a saved search. One that is called by what it looks for is named anew."""
    named_by_it = search.name == suggested_name(search, known, say)
    return search.model_copy(update={"name": ""}) if named_by_it else search


def pressed_hours(action: Action, index: int) -> Quiet | None:
    """Quiet hours from a button: `yours` (None), or where they begin and end."""
    if action.argument(index) == "yours":
        return None
    start, end = action.number(index), action.number(index + 1)
    if max(start, end) >= MINUTES_A_DAY:
        raise FormatError(Code.BAD_REQUEST, "a button with a number out of range")
    return Quiet(start, end)


def typed_hours(text: str) -> Quiet:
    """Quiet hours as they are typed: `23:00-06:00`, or `off`."""
    order = digest("quiet " + clean(text).replace(" ", ""))
    if not isinstance(order, Hush):
        raise OperationError(Code.BAD_REQUEST, "that could not be read", "see /help")
    return order.quiet or NEVER_QUIET


def read_mode(text: str) -> Mode:
    """How loud, from a button."""
    return Mode(_one_of(Mode)(text))


def named(field: str) -> str:
    """A field whose values are offered by name."""
    if field not in {"events", "tactics", "subjects"}:
        raise FormatError(Code.BAD_REQUEST, "a button with an unknown field")
    return field


def _added(draft: Search, field: str, values: Iterable[str]) -> Search:
    if not (fresh := frozenset(values)):
        raise OperationError(Code.BAD_REQUEST, "that could not be read", "see /help")
    after = getattr(draft.filters, field) | fresh
    if len(after) > VALUES_MAX:
        raise OperationError(Code.TOO_LARGE, f"at most {VALUES_MAX} of a kind", "take some away first")
    return draft.model_copy(update={"filters": draft.filters.model_copy(update={field: after})})


def _toggled(draft: Search, field: str, value: str) -> Search:
    held = getattr(draft.filters, field)
    after = held ^ {value} if isinstance(held, frozenset) else value
    if isinstance(after, frozenset) and len(after) > max(VALUES_MAX, len(held)):
        raise FormatError(Code.BAD_REQUEST, "a button for one more of too many")
    return draft.model_copy(update={"filters": draft.filters.model_copy(update={field: after})})


def _one_of(values: type[Kind] | type[Language] | type[Severity] | type[Mode]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in set(values):
            raise FormatError(Code.BAD_REQUEST, "a button with an unknown value")
        return values(text)

    return read


def _region(text: str) -> str:
    try:
        return queries.region(text)
    except OperationError:
        raise FormatError(Code.BAD_REQUEST, "a button with an unknown region") from None


_TOGGLES: Final[dict[str, tuple[str, Callable[[str], str]]]] = {
    "tc": ("communities", str),
    "tk": ("kinds", _one_of(Kind)),
    "ts": ("severity_at_least", _one_of(Severity)),
    "tr": ("regions", _region),
    "tl": ("languages", _one_of(Language)),
}
_READ: Final[dict[str, Callable[..., str]]] = {
    "tactics": queries.tactic,
    "subjects": queries.subject,
}
