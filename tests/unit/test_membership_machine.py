"""Any history of a community's log, right and wrong, against a list of what the owners have agreed upon."""

from hashlib import sha256
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.documents import Membership
from schemas.errors import Code
from schemas.membership import GENESIS
from schemas.merkle import Head
from schemas.signing import MEMBERSHIP_TYPE, Signer
from subscribers.judging.trust import Announced, LogBehind, Refused, receive
from tests.support.federation import (
    AT,
    BRA,
    COM,
    DAY,
    FRA,
    JPN,
    OTHER,
    PARTIES,
    REGISTRAR,
    ROOTS,
    UNX,
    Party,
    Publisher,
    Station,
    code_of,
    directory,
    entry,
    envelope,
    memberships,
)
from tests.vectors.rfc9162 import root

OWNERS: Final = (FRA, JPN)
"""Both must sign."""
HOUR: Final = 3_600_000
TIMES: Final = [AT + n * HOUR for n in range(-1, 5)]
NAMES: Final = tuple(party.id for party in PARTIES)


class MembershipMachine(RuleBasedStateMachine):
    """The log of `COM`. The model of it is its entries; a role is found by going through them."""

    def __init__(self) -> None:
        super().__init__()
        self.known = directory()
        self.log = list(memberships()[COM])
        self.agreed = [("fra", "member", AT - DAY), ("jpn", "member", AT - DAY), ("unx", "reader", AT - DAY)]

    def role(self, name: str, at: int, size: int | None = None) -> str | None:
        """By the model: what the last of the first `size` decisions in effect says."""
        found = None
        for who, role, nbf in self.agreed[:size]:
            if who == name and nbf <= at:
                found = role
        return found or None

    def refused(self, code: Code, raw: bytes) -> None:
        before = self.known
        assert code_of(self.known.apply_membership, raw) is code
        assert self.known is before

    def next(self, name: str, op: str, role: str, nbf: int, **changes: object) -> Membership:
        return entry(self.log, id=name, op=op, role=role, nbf=nbf, **changes)

    @rule(
        name=st.sampled_from(NAMES),
        op=st.sampled_from(["add", "remove"]),
        role=st.sampled_from(["member", "reader"]),
        nbf=st.sampled_from(TIMES),
        more=st.sampled_from([(), (REGISTRAR,), (BRA.identity, ROOTS[0])]),
        turned=st.booleans(),
    )
    def agree(self, name: str, op: str, role: str, nbf: int, more: tuple[Signer, ...], turned: bool) -> None:
        """All owners sign, in any order; who signs besides does not matter."""
        signers = [each.identity for each in (reversed(OWNERS) if turned else OWNERS)]
        raw = envelope(self.next(name, op, role, nbf), *more, *signers, type=MEMBERSHIP_TYPE)
        self.known = self.known.apply_membership(raw)
        self.log.append(raw)
        self.agreed.append((name, role if op == "add" else "", nbf))
        self.refused(Code.NOT_NEXT, raw)

    @rule(name=st.sampled_from(NAMES), alone=st.sampled_from(OWNERS), nbf=st.sampled_from(TIMES))
    def try_without_them(self, name: str, alone: Party, nbf: int) -> None:
        """One owner, the secretariat, a member that owns nothing, the owners' endpoints: none is enough."""
        document = self.next(name, "add", "member", nbf)
        secretariat = (*ROOTS[:3], REGISTRAR)
        for signers in (
            (alone.identity,),
            (alone.identity, *secretariat),
            (alone.identity, UNX.identity, BRA.identity),
            (FRA.signing, JPN.signing),
        ):
            self.refused(Code.BELOW_THRESHOLD, envelope(document, *signers, type=MEMBERSHIP_TYPE))

    @rule(name=st.sampled_from(NAMES), away=st.sampled_from([-1, 1, 2]))
    def try_another_place(self, name: str, away: int) -> None:
        """Another index, another past, or a log that is not this one's."""
        owners = [each.identity for each in OWNERS]
        for changes in (
            {"index": max(0, len(self.log) + away)},
            {"prev": sha256(b"other").hexdigest()},
            {"prev": GENESIS},
            {"com": OTHER},
        ):
            document = self.next(name, "add", "member", AT, **changes)
            self.refused(Code.NOT_NEXT, envelope(document, *owners, type=MEMBERSHIP_TYPE))

    @rule(
        party=st.sampled_from(PARTIES),
        reader=st.sampled_from(PARTIES),
        iat=st.sampled_from(TIMES),
        data=st.data(),
    )
    def speak(self, party: Party, reader: Party, iat: int, data: st.DataObject) -> None:
        """Who may speak is judged at the frame's own time by the whole log, to whom a wrap is due by the log
        that the frame cites. A reader whom the whole log has never named waits where it would refuse.
        """
        size = data.draw(st.integers(0, len(self.log)))
        mem = Head(size, self.known.communities[COM].roots[size])
        publisher = Publisher(party, iat=iat, at=self.known)
        place = Station(reader, self.known)
        verdict = receive(place.reader, publisher.subject, publisher.announcement(mem=mem), iat)
        role = self.role(party.id, iat)
        if role == "member":
            assert isinstance(verdict, Announced)
            assert verdict.epoch.due == (self.role(reader.id, iat, size) is not None)
        elif all(name != reader.id for name, _, _ in self.agreed):
            assert verdict == LogBehind("membership", len(self.log) + 1)
        else:
            assert isinstance(verdict, Refused)
            assert verdict.error.code is (Code.READ_ONLY_MEMBER if role else Code.NOT_MEMBER)

    @invariant()
    def everybody_has_the_role_that_was_agreed_upon(self) -> None:
        log = self.known.communities[COM]
        assert log.head == Head(len(self.log), root(self.log))
        for at in TIMES:
            roles = {name: role for name in NAMES if (role := self.role(name, at))}
            assert log.members(at) == roles
            for size in (0, len(self.log) // 2, len(self.log)):
                assert [log.role(name, at, size) for name in NAMES] == [
                    self.role(name, at, size) for name in NAMES
                ]


TestMembership = MembershipMachine.TestCase
TestMembership.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
