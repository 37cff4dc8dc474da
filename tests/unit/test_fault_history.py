"""The checker of the fault suite, on good histories and on the same with one fault planted in each."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.support.history import (
    Acknowledged,
    Admitted,
    Arrived,
    Asked,
    Breach,
    Chain,
    Entitled,
    Finding,
    History,
    Place,
    Revoked,
    check,
)

ENDPOINTS = ("fr", "kz", "gb", "jp")
STRANGER = "zz"
COMMUNITIES = ("drones", "ports")
SURFACES = ("archive", "sink", "stream", "chat")
REPEATING = frozenset({"chat"})
UNORDERED = frozenset({"archive"})

Event = Entitled | Revoked | Admitted


class Planted(NamedTuple):
    history: History
    finding: Finding


@st.composite
def histories(draw: st.DrawFn) -> History:
    """What could have happened with nothing amiss: members come and go, some bulletins were never
    acknowledged, a chat has repetitions that say so.
    """
    hub: list[Event] = [Entitled(ENDPOINTS[0], COMMUNITIES[0]), Entitled(ENDPOINTS[1], COMMUNITIES[0])]
    clients: list[Asked | Acknowledged] = []
    members = {community: set[str]() for community in COMMUNITIES}
    members[COMMUNITIES[0]] |= set(ENDPOINTS[:2])
    arrived: dict[Place, list[Arrived]] = {
        Place(endpoint, surface): [] for endpoint in (*ENDPOINTS, STRANGER) for surface in SURFACES
    }
    seqs: dict[Chain, int] = {}
    for number, step in enumerate(draw(st.lists(st.integers(0, 9), min_size=4, max_size=30))):
        community = draw(st.sampled_from(COMMUNITIES))
        endpoint = draw(st.sampled_from(ENDPOINTS))
        inside = members[community]
        if step == 0 and endpoint in inside and (len(inside) > 2 or community != COMMUNITIES[0]):
            inside.discard(endpoint)
            hub.append(Revoked(endpoint, community))
        elif step == 1 and endpoint not in inside:
            inside.add(endpoint)
            hub.append(Entitled(endpoint, community))
        elif inside:
            _travel(draw, number, Chain(min(inside), community), (clients, hub, arrived), seqs, inside)
    return History(clients, hub, arrived, REPEATING, UNORDERED)


def _travel(
    draw: st.DrawFn,
    number: int,
    chain: Chain,
    witnesses: tuple[list[Asked | Acknowledged], list[Event], dict[Place, list[Arrived]]],
    seqs: dict[Chain, int],
    members: set[str],
) -> None:
    clients, hub, arrived = witnesses
    bulletin = f"b{number}"
    clients.append(Asked(bulletin, chain))
    fate = draw(st.sampled_from(["answered", "answered", "answered", "unanswered", "dropped"]))
    if fate == "dropped":  # the node died before it was on its disk
        return
    seqs[chain] = seqs.get(chain, -1) + draw(st.integers(1, 3))
    hub.append(Admitted(bulletin, chain, seqs[chain]))
    if fate == "answered":
        clients.append(Acknowledged(bulletin))
    for member in members:
        for surface in SURFACES:
            arrived[Place(member, surface)].append(Arrived(bulletin))
        if draw(st.booleans()):
            arrived[Place(member, "chat")].append(Arrived(bulletin, marked=True))


@given(histories())
def test_nothing_is_found_where_nothing_is_amiss(history: History) -> None:
    assert check(history) == []


def test_nothing_is_found_where_nothing_happened() -> None:
    assert check(History()) == []


def a_place(draw: st.DrawFn, history: History, least: int = 1) -> tuple[Place, list[Arrived]]:
    """A place that at least so many bulletins have reached."""
    full = [
        place
        for place, arrived in history.places.items()
        if place.surface != "chat" and len(arrived) >= least
    ]
    assume(full)
    place = draw(st.sampled_from(full))
    return place, list(history.places[place])


def at(history: History, place: Place, arrived: list[Arrived]) -> History:
    return replace(history, places={**history.places, place: arrived})


def named(place: Place) -> str:
    return f"{place.endpoint}/{place.surface}"


def lose(draw: st.DrawFn, history: History) -> Planted:
    place, arrived = a_place(draw, history)
    gone = arrived.pop(draw(st.integers(0, len(arrived) - 1)))
    return Planted(at(history, place, arrived), Finding(Breach.LOST, gone.bulletin, named(place)))


def double(draw: st.DrawFn, history: History) -> Planted:
    place, arrived = a_place(draw, history)
    again = draw(st.sampled_from(arrived))
    arrived.insert(draw(st.integers(arrived.index(again) + 1, len(arrived))), again)
    return Planted(at(history, place, arrived), Finding(Breach.DOUBLED, again.bulletin, named(place)))


def repeat_in_chat_without_a_mark(draw: st.DrawFn, history: History) -> Planted:
    chats = [place for place, arrived in history.places.items() if place.surface == "chat" and arrived]
    assume(chats)
    place = draw(st.sampled_from(chats))
    arrived = list(history.places[place])
    again = Arrived(draw(st.sampled_from(arrived)).bulletin)
    arrived.append(again)
    return Planted(at(history, place, arrived), Finding(Breach.DOUBLED, again.bulletin, named(place)))


def repeat_with_a_mark_where_none_is_allowed(draw: st.DrawFn, history: History) -> Planted:
    place, arrived = a_place(draw, history)
    again = Arrived(draw(st.sampled_from(arrived)).bulletin, marked=True)
    return Planted(
        at(history, place, [*arrived, again]), Finding(Breach.DOUBLED, again.bulletin, named(place))
    )


def reorder(draw: st.DrawFn, history: History) -> Planted:
    place, swapped, late = swap(draw, history, of=lambda place: place.surface not in UNORDERED)
    return Planted(swapped, Finding(Breach.REORDERED, late, named(place)))


def swap(draw: st.DrawFn, history: History, of: Callable[[Place], bool]) -> tuple[Place, History, str]:
    """Two neighbours of one chain have changed their places; the one that comes late."""
    chains = {each.bulletin: each.chain for each in history.hub if isinstance(each, Admitted)}
    places = [
        (place, index)
        for place, arrived in history.places.items()
        if of(place) and place.surface != "chat"
        for index, (one, two) in enumerate(pairwise(arrived))
        if chains[one.bulletin] == chains[two.bulletin]
    ]
    assume(places)
    place, index = draw(st.sampled_from(places))
    arrived = list(history.places[place])
    arrived[index : index + 2] = arrived[index + 1], arrived[index]
    return place, at(history, place, arrived), arrived[index + 1].bulletin


@settings(max_examples=30, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data())
def test_no_order_is_demanded_of_what_tells_none(data: st.DataObject) -> None:
    history = data.draw(histories())
    _, swapped, _ = data.draw(st.composite(swap)(history, of=lambda place: place.surface in UNORDERED))
    assert check(swapped) == []


def leak(draw: st.DrawFn, history: History) -> Planted:
    _, arrived = a_place(draw, history)
    known = draw(st.sampled_from(arrived))
    place = Place(STRANGER, draw(st.sampled_from(SURFACES)))
    return Planted(at(history, place, [known]), Finding(Breach.LEAKED, known.bulletin, named(place)))


def an_admission(draw: st.DrawFn, history: History) -> tuple[int, Admitted]:
    found = [(index, each) for index, each in enumerate(history.hub) if isinstance(each, Admitted)]
    assume(found)
    return draw(st.sampled_from(found))


def arrive_after_revocation(draw: st.DrawFn, history: History) -> Planted:
    index, known = an_admission(draw, history)
    before: list[Event] = [
        Entitled(STRANGER, known.chain.community),
        Revoked(STRANGER, known.chain.community),
    ]
    hub = [*history.hub[:index], *before, *history.hub[index:]]
    place = Place(STRANGER, "archive")
    planted = at(replace(history, hub=hub), place, [Arrived(known.bulletin)])
    return Planted(planted, Finding(Breach.AFTER_REVOCATION, known.bulletin, named(place)))


def arrive_before_joining(draw: st.DrawFn, history: History) -> Planted:
    _, known = an_admission(draw, history)
    hub = [*history.hub, Entitled(STRANGER, known.chain.community)]
    place = Place(STRANGER, "archive")
    planted = at(replace(history, hub=hub), place, [Arrived(known.bulletin)])
    return Planted(planted, Finding(Breach.BEFORE_JOINING, known.bulletin, named(place)))


def never_admit(draw: st.DrawFn, history: History) -> Planted:
    acknowledged = [each.bulletin for each in history.clients if isinstance(each, Acknowledged)]
    assume(acknowledged)
    gone = draw(st.sampled_from(acknowledged))
    hub = [each for each in history.hub if not (isinstance(each, Admitted) and each.bulletin == gone)]
    places = {
        place: [each for each in arrived if each.bulletin != gone]
        for place, arrived in history.places.items()
    }
    planted = replace(history, hub=hub, places=places)
    return Planted(planted, Finding(Breach.UNADMITTED, gone, "hub"))


def never_ask(draw: st.DrawFn, history: History) -> Planted:
    _, known = an_admission(draw, history)
    clients = [each for each in history.clients if each.bulletin != known.bulletin]
    return Planted(replace(history, clients=clients), Finding(Breach.UNASKED, known.bulletin, "hub"))


def invent(draw: st.DrawFn, history: History) -> Planted:
    place, arrived = a_place(draw, history)
    arrived.insert(draw(st.integers(0, len(arrived))), Arrived("nobody's"))
    return Planted(at(history, place, arrived), Finding(Breach.INVENTED, "nobody's", named(place)))


def admit_twice(draw: st.DrawFn, history: History) -> Planted:
    index, known = an_admission(draw, history)
    hub = [*history.hub[: index + 1], known, *history.hub[index + 1 :]]
    return Planted(replace(history, hub=hub), Finding(Breach.DOUBLED, known.bulletin, "hub"))


def two_of_a_chain(draw: st.DrawFn, history: History) -> tuple[int, int]:
    admitted = [(index, each) for index, each in enumerate(history.hub) if isinstance(each, Admitted)]
    last: dict[Chain, int] = {}
    pairs = []
    for index, each in admitted:
        if each.chain in last:
            pairs.append((last[each.chain], index))
        last[each.chain] = index
    assume(pairs)
    return draw(st.sampled_from(pairs))


def fork(draw: st.DrawFn, history: History) -> Planted:
    first, second = two_of_a_chain(draw, history)
    hub = list(history.hub)
    one, two = hub[first], hub[second]
    assert isinstance(one, Admitted)
    assert isinstance(two, Admitted)
    hub[second] = two._replace(seq=one.seq)
    return Planted(replace(history, hub=hub), Finding(Breach.FORKED, two.bulletin, "hub"))


def overtake(draw: st.DrawFn, history: History) -> Planted:
    """The later one was asked for, and acknowledged, before anybody asked for the earlier one."""
    first, second = two_of_a_chain(draw, history)
    one, two = history.hub[first], history.hub[second]
    assert isinstance(one, Admitted)
    assert isinstance(two, Admitted)
    others = [each for each in history.clients if each.bulletin not in {one.bulletin, two.bulletin}]
    place = next(i for i, each in enumerate(history.clients) if each.bulletin == one.bulletin)
    # Those in between follow: only the two are to have changed their places.
    clients = [
        *others[:place],
        Asked(two.bulletin, two.chain),
        Acknowledged(two.bulletin),
        Asked(one.bulletin, one.chain),
        *others[place:],
    ]
    return Planted(replace(history, clients=clients), Finding(Breach.OVERTAKEN, one.bulletin, "hub"))


FAULTS: list[Callable[[st.DrawFn, History], Planted]] = [
    lose,
    double,
    repeat_in_chat_without_a_mark,
    repeat_with_a_mark_where_none_is_allowed,
    reorder,
    leak,
    arrive_after_revocation,
    arrive_before_joining,
    never_admit,
    never_ask,
    invent,
    admit_twice,
    fork,
    overtake,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.__name__)
@settings(max_examples=30, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data())
def test_a_planted_fault_is_found_and_nothing_else(
    fault: Callable[[st.DrawFn, History], Planted], data: st.DataObject
) -> None:
    history = data.draw(histories())
    planted = data.draw(st.composite(fault)(history))
    assert check(planted.history) == [planted.finding]


def test_an_admission_out_of_its_chains_order() -> None:
    chain = Chain("fr", "drones")
    history = History(
        [Asked("a", chain), Asked("b", chain)],
        [Entitled("kz", "drones"), Admitted("b", chain, 5), Admitted("a", chain, 3)],
        {Place("kz", "archive"): [Arrived("a"), Arrived("b")]},
    )
    assert check(history) == [Finding(Breach.REORDERED, "a", "hub")]


def test_an_admission_under_anothers_name() -> None:
    history = History([Asked("a", Chain("fr", "drones"))], [Admitted("a", Chain("kz", "drones"), 0)])
    assert check(history) == [Finding(Breach.UNASKED, "a", "hub")]


def test_there_is_a_planted_fault_for_each_breach() -> None:
    told = {name for fault in FAULTS for name in fault.__code__.co_names}
    assert {each.name for each in Breach} <= told
