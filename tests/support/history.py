"""What became of bulletins, and whether that is what Liaison promises: every acknowledged bulletin at every
entitled endpoint exactly once and in its chain's order, and none anywhere else. Pure.

A history has three parts, each in the order in which its own witness saw it: what was asked of the nodes and
answered, what the hub wrote, and what arrived at each place. No clock is compared with another.
tests/unit/test_fault_history.py shows that each breach is found.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Chain(NamedTuple):
    """One publisher's line in one community."""

    publisher: str
    community: str
    precedence: str = "routine"


class Place(NamedTuple):
    """Where bulletins arrive at an endpoint: its archive, a sink, its local stream, a chat."""

    endpoint: str
    surface: str


class Asked(NamedTuple):
    """A client asked its node to publish."""

    bulletin: str
    chain: Chain


class Acknowledged(NamedTuple):
    """The node answered that it has it: from here on it must not be lost."""

    bulletin: str


class Entitled(NamedTuple):
    """From here on, in the hub's order, the endpoint is to have what the community says."""

    endpoint: str
    community: str


class Revoked(NamedTuple):
    """From here on it is not."""

    endpoint: str
    community: str


class Admitted(NamedTuple):
    """The hub wrote it into its traffic, as this number of its chain. Frames that are no bulletins have
    numbers too.
    """

    bulletin: str
    chain: Chain
    seq: int


class Arrived(NamedTuple):
    """It is at a place. `marked`: said to be, perhaps, a repetition."""

    bulletin: str
    marked: bool = False


class Breach(StrEnum):
    """What can be wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    REORDERED = "reordered"
    OVERTAKEN = "overtaken"
    """Asked for after another was acknowledged, and before it in their chain."""
    FORKED = "forked"
    UNADMITTED = "acknowledged and never admitted"
    UNASKED = "admitted and never asked for"
    INVENTED = "arrived and never admitted"
    LEAKED = "at a stranger"
    AFTER_REVOCATION = "after its revocation"
    BEFORE_JOINING = "from before it joined"


class Finding(NamedTuple):
    """One breach: of which bulletin, and where ("hub", or a place)."""

    breach: Breach
    bulletin: str
    where: str


@dataclass(frozen=True)
class History:
    """The three witnesses.

    `repeating` are surfaces that may repeat what they mark as a repetition: a chat service does not say
    whether it took a message before a process died. `unordered` are those that tell of no order of arrival:
    an archive lists by the time at which a bulletin is dated.
    """

    clients: Sequence[Asked | Acknowledged] = ()
    hub: Sequence[Entitled | Revoked | Admitted] = ()
    places: Mapping[Place, Sequence[Arrived]] = field(default_factory=dict)
    repeating: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()


def check(history: History) -> list[Finding]:
    """Every breach; none when all is as it should be."""
    return [*_admission(history), *_chains(history), *_arrivals(history)]


def _admission(history: History) -> Iterator[Finding]:
    """What was acknowledged is admitted once, and nothing is that nobody asked for."""
    counted = Counter(each.bulletin for each in _admitted(history))
    asked = {each.bulletin: each.chain for each in history.clients if isinstance(each, Asked)}
    for each in history.clients:
        if isinstance(each, Acknowledged) and not counted[each.bulletin]:
            yield Finding(Breach.UNADMITTED, each.bulletin, "hub")
    for bulletin, times in counted.items():
        if times > 1:
            yield Finding(Breach.DOUBLED, bulletin, "hub")
    for one in _admitted(history):
        if asked.get(one.bulletin) != one.chain:
            yield Finding(Breach.UNASKED, one.bulletin, "hub")


def _chains(history: History) -> Iterator[Finding]:
    """A chain has each number once and in order, and follows the order in which it was asked for."""
    heads: dict[Chain, int] = {}
    for each in _first_of_each(_admitted(history)):
        head = heads.get(each.chain, -1)
        if each.seq <= head:
            yield Finding(Breach.FORKED if each.seq == head else Breach.REORDERED, each.bulletin, "hub")
        heads[each.chain] = max(head, each.seq)
    seqs = {each.bulletin: each.seq for each in _admitted(history)}
    latest: dict[Chain, int] = {}
    asked: dict[str, Chain] = {}
    for event in history.clients:
        if event.bulletin not in seqs:
            continue
        if isinstance(event, Asked):
            asked[event.bulletin] = event.chain
            if seqs[event.bulletin] < latest.get(event.chain, -1):
                yield Finding(Breach.OVERTAKEN, event.bulletin, "hub")
        elif event.bulletin in asked:
            chain = asked[event.bulletin]
            latest[chain] = max(latest.get(chain, -1), seqs[event.bulletin])


def _arrivals(history: History) -> Iterator[Finding]:
    """At each place what is due there, once, in order, and nothing else."""
    due = _due(history)
    numbers = {each.bulletin: (each.chain, each.seq) for each in _admitted(history)}
    for place, arrived in history.places.items():
        name = f"{place.endpoint}/{place.surface}"
        seen: set[str] = set()
        heads: dict[Chain, int] = {}
        for each in arrived:
            if each.bulletin not in numbers:
                yield Finding(Breach.INVENTED, each.bulletin, name)
                continue
            chain, seq = numbers[each.bulletin]
            if each.bulletin in seen:
                if not (each.marked and place.surface in history.repeating):
                    yield Finding(Breach.DOUBLED, each.bulletin, name)
                continue
            seen.add(each.bulletin)
            if seq < heads.get(chain, -1) and place.surface not in history.unordered:
                yield Finding(Breach.REORDERED, each.bulletin, name)
            heads[chain] = max(heads.get(chain, -1), seq)
            if each.bulletin not in due.get(place.endpoint, ()):
                yield Finding(_why_not(history, place.endpoint, each.bulletin), each.bulletin, name)
        for bulletin in due.get(place.endpoint, ()):
            if bulletin not in seen:
                yield Finding(Breach.LOST, bulletin, name)


def _due(history: History) -> dict[str, list[str]]:
    """What each endpoint is to have, by the hub's order."""
    entitled: dict[str, set[str]] = {}
    due: dict[str, list[str]] = {}
    for each in history.hub:
        match each:
            case Entitled(endpoint, community):
                entitled.setdefault(community, set()).add(endpoint)
            case Revoked(endpoint, community):
                entitled.setdefault(community, set()).discard(endpoint)
            case Admitted(bulletin, chain, _):
                for endpoint in entitled.get(chain.community, ()):
                    due.setdefault(endpoint, []).append(bulletin)
    return due


def _why_not(history: History, endpoint: str, bulletin: str) -> Breach:
    """An endpoint has what it is not entitled to: was it once, or later, or never?"""
    community = next(each.chain.community for each in _admitted(history) if each.bulletin == bulletin)
    before = True
    later = False
    for each in history.hub:
        if isinstance(each, Admitted):
            before = before and each.bulletin != bulletin
        elif each == Revoked(endpoint, community) and before:
            return Breach.AFTER_REVOCATION
        elif each == Entitled(endpoint, community) and not before:
            later = True
    return Breach.BEFORE_JOINING if later else Breach.LEAKED


def _admitted(history: History) -> Iterator[Admitted]:
    return (each for each in history.hub if isinstance(each, Admitted))


def _first_of_each(admitted: Iterable[Admitted]) -> Iterator[Admitted]:
    seen: set[str] = set()
    for each in admitted:
        if each.bulletin not in seen:
            seen.add(each.bulletin)
            yield each
