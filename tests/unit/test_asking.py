"""Whom a late joiner asks for old keys, and in which order. FORMAT.md, "History"."""

import dataclasses

from schemas.directory import Directory
from subscribers.sharing.asking import holders_of
from tests.support.federation import (
    AT,
    BRA,
    COM,
    DAY,
    FRA,
    JPN,
    UNX,
    by_owners,
    directory,
    entry,
    memberships,
)


def asked(publisher: str, own: str, known: Directory | None = None, now: int = AT) -> list[str]:
    return holders_of(known or directory(), COM, publisher, own, now)


def test_the_publisher_is_asked_first_then_owners_then_the_others() -> None:
    assert asked(JPN.endpoint, UNX.endpoint) == [JPN.endpoint, FRA.endpoint]
    assert asked(FRA.endpoint, JPN.endpoint) == [FRA.endpoint, UNX.endpoint]
    assert asked(BRA.endpoint, JPN.endpoint) == [FRA.endpoint, UNX.endpoint]  # it is not in the community
    assert asked("A" * 56, JPN.endpoint) == [FRA.endpoint, UNX.endpoint]  # it has left the directory behind


def test_only_who_is_in_the_community_and_has_a_good_key() -> None:
    gone = by_owners(entry(memberships()[COM], id="fra", op="remove", nbf=AT + DAY))
    known = directory(entries=[gone])
    assert asked(FRA.endpoint, JPN.endpoint, known) == [FRA.endpoint, UNX.endpoint]
    assert asked(FRA.endpoint, JPN.endpoint, known, AT + DAY) == [UNX.endpoint]
    revoked = directory([FRA.revocation()])
    assert asked(FRA.endpoint, JPN.endpoint, revoked) == [UNX.endpoint]


def test_another_endpoint_of_the_publishers_agency_comes_second() -> None:
    known = directory()
    twin = known.endpoints[UNX.endpoint].model_copy(update={"agency": "jpn"})
    known = dataclasses.replace(known, endpoints={**known.endpoints, UNX.endpoint: twin})
    assert asked(JPN.endpoint, BRA.endpoint, known) == [JPN.endpoint, UNX.endpoint, FRA.endpoint]
