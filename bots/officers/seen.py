"""What one officer has seen, in a few numbers: for whoever must know what a lost phone had shown. Pure.

Kinds and markings are told only of what may be shown in full now.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bots.clock import moment
from bots.officers.audited import OUTCOMES
from bots.parsing.commands import reference
from bots.showing.release import Ceiling, Release
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.vocabulary import Kind, Tlp
from subscribers.records import Record

_ORDER: Final = tuple(Release)
"""Most is shown first."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A bulletin that was shown so far at most, and when first and last (Unix seconds)."""

    ref: str
    release: Release
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Bulletins by how far they were shown; those in full by marking and kind, and how many are not told
    of.
    """

    shown: Counter[Release] = field(default_factory=Counter)
    markings: Counter[Tlp] = field(default_factory=Counter)
    kinds: Counter[Kind] = field(default_factory=Counter)
    untold: int = 0
    first: float = 0.0
    last: float = 0.0


def summed(glimpses: Iterable[Glimpse], records: Mapping[str, Record], ceiling: Ceiling) -> Summary | None:
    """Each bulletin once, as far as it was ever shown; None for nothing. `records` are the bulletins by
    their references, under the marking that each has by now.
    """
    seen = list(glimpses)
    if not seen:
        return None
    rising = sorted(seen, key=lambda each: -_ORDER.index(each.release))
    most = {each.ref: each.release for each in rising}
    full = [records.get(ref) for ref, release in most.items() if release is Release.FULL]
    told = [each for each in full if each and ceiling.allows(each.bulletin.tlp) is Release.FULL]
    return Summary(
        Counter(most.values()),
        Counter(each.bulletin.tlp for each in told),
        Counter(each.bulletin.kind for each in told),
        len(full) - len(told),
        min(each.first for each in seen),
        max(each.last for each in seen),
    )


def number_of(shown: Iterable[tuple[str, str, float, float]]) -> int:
    """How many bulletins the audit names as shown, each once: rows of a reference, how far, first and
    last.
    """
    return len({ref for ref, *_ in shown if reference(ref)})


def summary(asking: Officer, name: str, found: Summary) -> list[Span]:
    """In a few lines, before the entries."""
    say = words(asking.language)
    first, last = (say.embed(say.when(moment(at), asking.zone)) for at in (found.first, found.last))
    shown = (_sum(say.text(OUTCOMES[each]), found.shown[each], say) for each in Release if found.shown[each])
    markings = (_sum(say.embed(each.value), n, say) for each, n in found.markings.most_common())
    kinds = (_sum(labels.kind(each, say), n, say) for each, n in found.kinds.most_common())
    lines = [("👁 ", " · ".join(shown)), ("🔈 ", " · ".join(markings)), ("🏷 ", " · ".join(kinds))]
    title = say.count(
        "What {name} has seen: {number} bulletin",
        "What {name} has seen: {number} bulletins",
        found.shown.total(),
        name=say.embed(name),
    )
    spans = [Span("🧾 " + title, "b")]
    spans += [Span(f"\n{sign}{line}") for sign, line in lines[:1]]
    if found.markings:
        spans.append(say.aside("\n" + say.text("Of those seen in full:")))
    spans += [Span(f"\n{sign}{line}") for sign, line in lines[1:] if line]
    if found.untold:
        number = say.number(found.untold)
        text = say.text("no longer here, or above what chat may show by now: {number}", number=number)
        spans.append(Span(f"\n🔒 {text}"))
    spans.append(Span("\n🕒 " + say.text("first {first}, last {last}", first=first, last=last) + "\n\n"))
    return spans


def _sum(what: str, number: int, say: Words) -> str:
    return say.text("{what}: {number}", what=what, number=say.number(number))
