from hypothesis import given
from hypothesis import strategies as st

from schemas.documents import parse_membership
from schemas.errors import Code
from schemas.membership import MembershipLog
from tests.support.federation import (
    AT,
    COM,
    FRA,
    JPN,
    OTHER,
    by_owners,
    code_of,
    community,
    directory,
    entry,
    memberships,
)

OWNERS = {"fra": FRA.identity.public, "jpn": JPN.identity.public}
AGENCIES = ["fra", "jpn", "unx", "bra"]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove"]),
        st.sampled_from(AGENCIES),
        st.sampled_from(["member", "reader"]),
        st.integers(min_value=0, max_value=5),
    ),
    max_size=12,
)


def grown(changes: list[tuple[str, str, str, int]]) -> MembershipLog:
    log, sent = MembershipLog(community()), list[bytes]()
    for op, id, role, nbf in changes:
        sent.append(by_owners(entry(sent, op=op, id=id, role=role, nbf=nbf)))
        signed = parse_membership(sent[-1])
        log.check(signed, OWNERS, AGENCIES)
        log = log.append(signed)
    return log


@given(CHANGES, st.integers(min_value=0, max_value=6))
def test_members_are_what_the_entries_in_effect_say(
    changes: list[tuple[str, str, str, int]], now: int
) -> None:
    log = grown(changes)
    expected: dict[str, str] = {}
    for op, id, role, nbf in changes:
        if nbf <= now:
            expected.pop(id, None)
            if op == "add":
                expected[id] = role
    assert log.members(now) == expected
    assert {id: log.role(id, now) for id in AGENCIES} == {id: expected.get(id) for id in AGENCIES}
    assert log.next_change(now) == min((nbf for *_, nbf in changes if nbf > now), default=None)


@given(CHANGES, st.integers(min_value=0, max_value=12))
def test_a_role_by_a_shorter_log(changes: list[tuple[str, str, str, int]], size: int) -> None:
    log, shorter = grown(changes), grown(changes[:size])
    for id in AGENCIES:
        assert log.role(id, 9, size) == shorter.role(id, 9)
    if size <= len(changes):
        assert log.roots[size] == shorter.head.root


def test_an_entry_of_another_community() -> None:
    stray = parse_membership(by_owners(entry([], com=OTHER)))
    assert (
        code_of(lambda: MembershipLog(community()).check(stray, OWNERS, AGENCIES)) is Code.UNKNOWN_COMMUNITY
    )


def test_an_owner_who_is_not_known_does_not_count() -> None:
    signed = parse_membership(by_owners(entry([])))
    only = {"fra": FRA.identity.public}
    assert code_of(lambda: MembershipLog(community()).check(signed, only, AGENCIES)) is Code.BELOW_THRESHOLD


def test_communities_of_an_agency() -> None:
    known = directory()
    assert known.communities_of("unx", AT) == {COM: "reader"}
    assert known.communities_of("bra", AT) == {}
    assert known.communities_of("unx", 0) == {}
    log = known.communities[COM]
    assert log.head.size == len(memberships()[COM])
