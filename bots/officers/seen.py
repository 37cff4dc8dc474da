"""What one officer has seen, in a few numbers: for whoever must know what a lost phone had shown. Pure.

Kinds are told only of what may be shown in full now, markings only of what may be shown as a stub.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bots.clock import moment
from bots.officers.audited import OUTCOMES
from bots.parsing.commands import reference
from bots.showing.release import Ceiling, Release, Sight
from bots.state.audit import Glimpse
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.vocabulary import Kind, Tlp
from subscribers.records import Record

_ORDER: Final = tuple(Sight)
"""Most is shown first."""
_DRAFT: Final = "DRAFT-"
"""A draft has the form of a reference without being a bulletin."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Bulletins by how far they were shown. Of those in full: by marking and kind; `above` what chat may show
    by now, of which those that may be a stub by their marking; `gone` are kept no longer, and for `unsought`
    nobody has looked.
    """

    shown: Counter[Sight] = field(default_factory=Counter)
    markings: Counter[Tlp] = field(default_factory=Counter)
    kinds: Counter[Kind] = field(default_factory=Counter)
    above: int = 0
    stubs: Counter[Tlp] = field(default_factory=Counter)
    gone: int = 0
    unsought: int = 0
    first: float = 0.0
    last: float = 0.0


def bulletins(glimpses: Iterable[Glimpse]) -> list[Glimpse]:
    """Those of bulletins: no officer's name, and no draft."""
    return [each for each in glimpses if reference(each.ref) and not each.ref.startswith(_DRAFT)]


def summed(
    glimpses: Iterable[Glimpse], sought: Collection[str], records: Mapping[str, Record], ceiling: Ceiling
) -> Summary | None:
    """Each bulletin once, as far as it was ever shown; None for nothing. `records` are those that were found
    of the references `sought`, under the marking that each has by now.
    """
    seen = list(glimpses)
    if not seen:
        return None
    rising = sorted(seen, key=lambda each: -_ORDER.index(each.sight))
    most = {each.ref: each.sight for each in rising}
    full = [ref for ref, sight in most.items() if sight is Sight.FULL]
    found = [records[ref].bulletin for ref in full if ref in records]
    told = [each for each in found if ceiling.allows(each.tlp) is Release.FULL]
    return Summary(
        Counter(most.values()),
        Counter(each.tlp for each in told),
        Counter(each.kind for each in told),
        len(found) - len(told),
        Counter(each.tlp for each in found if ceiling.allows(each.tlp) is Release.STUB),
        sum(ref in sought and ref not in records for ref in full),
        sum(ref not in sought for ref in full),
        min(each.first for each in seen),
        max(each.last for each in seen),
    )


def numbers_of(shown: Iterable[Glimpse]) -> tuple[int, int]:
    """How many bulletins were shown, each once, and how many of them in the reading room alone."""
    found = bulletins(shown)
    refs, in_chat = {each.ref for each in found}, {each.ref for each in found if not each.room}
    return len(refs), len(refs - in_chat)


def since_then(asking: Officer, name: str, since: float) -> list[Span]:
    """That only what was shown since a phone was enrolled, at that moment (Unix seconds), is told of."""
    say = words(asking.language)
    time = say.embed(say.when(moment(since), asking.zone))
    text = say.text("Since that phone was enrolled, from {time} on. What was shown earlier too:", time=time)
    return [Span("📵 " + text + "\n"), *say.code(f"/audit {name}"), Span("\n\n")]


def summary(asking: Officer, name: str, found: Summary) -> list[Span]:
    """In a few lines, before the entries."""
    say = words(asking.language)
    first, last = (say.embed(say.when(moment(at), asking.zone)) for at in (found.first, found.last))
    shown = (_sum(say.text(OUTCOMES[each]), found.shown[each], say) for each in Sight if found.shown[each])
    title = say.count(
        "What {name} has seen: {number} bulletin",
        "What {name} has seen: {number} bulletins",
        found.shown.total(),
        name=say.embed(name),
    )
    spans = [Span("🧾 " + title, "b"), Span("\n👁 " + " · ".join(shown))]
    if found.shown[Sight.FULL]:
        spans.append(say.aside("\n" + say.text("Of those seen in full:")))
    spans += [Span("\n" + line) for line in _in_full(found, say)]
    spans.append(Span("\n🕒 " + say.text("first {first}, last {last}", first=first, last=last) + "\n\n"))
    return spans


def _in_full(found: Summary, say: Words) -> Iterable[str]:
    """Lines about what was seen in full."""
    if found.markings:
        yield "🔈 " + _marked(found.markings, say)
        yield "🏷 " + " · ".join(_sum(labels.kind(each, say), n, say) for each, n in found.kinds.most_common())
    if found.above:
        marked = f" ({_marked(found.stubs, say)})" if found.stubs else ""
        yield "🔒 " + _sum(say.text("above what chat may show by now"), found.above, say) + marked
    if found.gone:
        yield "🕳 " + _sum(say.text("no longer here"), found.gone, say)
    if found.unsought:
        yield "⏳ " + _sum(say.text("earlier ones, not looked up"), found.unsought, say)


def _marked(markings: Counter[Tlp], say: Words) -> str:
    return " · ".join(_sum(say.embed(each.value), n, say) for each, n in markings.most_common())


def _sum(what: str, number: int, say: Words) -> str:
    return say.text("{what}: {number}", what=what, number=say.number(number))
