"""A publisher, its epochs and their keys, readers that come and go, and wraps that are late, wrong or
repeated: against a model that knows only who was in, when, and which key was handed to whom.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from schemas.encoding import to_base64
from schemas.errors import Code
from schemas.frame import BULLETIN, EPOCH, parse_frame
from schemas.vocabulary import History
from schemas.wraps import Wrap, parse_bundle
from subscribers.exchange.composer import WRAPS, Context, Item, Limits, OwnChain, compose
from subscribers.judging.trust import Announced, Opened, Refused, accept_wrap
from subscribers.keys import KemKey, SigningKey
from subscribers.sealing import EpochKey, wrap
from tests.support.federation import (
    AT,
    BRA,
    COM,
    DAY,
    FRA,
    JPN,
    UNX,
    Station,
    bulletin,
    by_owners,
    code_of,
    directory,
    entry,
    envelope,
    memberships,
    place,
    seed,
    uuid,
)

READERS: Final = {party.id: party for party in (JPN, UNX, BRA)}
NAMES: Final = sorted(READERS)
MINUTE: Final = 60_000
LIMITS: Final = Limits(epoch_age=10 * MINUTE, epoch_uses=3)


@dataclass
class Held:
    """A reader, and what the model says of it."""

    station: Station
    kems: list[KemKey]
    anchored: int | None = None
    heard: dict[int, bool] = field(default_factory=dict)
    """The epochs that were announced to it, and whether their keys are due."""
    keys: set[int] = field(default_factory=set)
    late: list[tuple[int, bytes]] = field(default_factory=list)
    """Wraps that the hub has, and has not delivered."""


@dataclass
class InUse:
    """An epoch as the model sees it: whom it was for, and how far it is spent."""

    size: int
    readers: list[tuple[str, int]]
    since: int
    uses: int = 0


class EpochMachine(RuleBasedStateMachine):
    """`fra` publishes in `COM`. Everybody reads one directory; the hub serves who has a role, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = AT
        self.known = directory()
        self.log = list(memberships()[COM])
        self.agreed = [("fra", "member", AT - DAY), ("jpn", "member", AT - DAY), ("unx", "reader", AT - DAY)]
        self.versions = dict.fromkeys(NAMES, 1)
        self.readers = {
            name: Held(Station(party, self.known), [party.kem]) for name, party in READERS.items()
        }
        self.chain, self.next_epoch = OwnChain(), 0
        self.in_use: dict[History, InUse] = {}
        self.sent: dict[int, tuple[bytes, EpochKey]] = {}
        """Each epoch's announcement (its hash) and key."""
        self.numbers, self.ids = count(1), count(0xE000)

    def role(self, name: str, at: int, size: int | None = None) -> str:
        """By the model."""
        found = ""
        for who, role, nbf in self.agreed[:size]:
            found = role if who == name and nbf <= at else found
        return found

    def learn(self) -> None:
        for each in self.readers.values():
            each.station.directory = self.known

    @rule(minutes=st.integers(1, 12))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(
        name=st.sampled_from(NAMES),
        role=st.sampled_from(["member", "reader", ""]),
        later=st.sampled_from([0, 0, 5 * MINUTE]),
    )
    def change_members(self, name: str, role: str, later: int) -> None:
        nbf = self.now + later
        document = entry(self.log, id=name, op="add" if role else "remove", role=role or "reader", nbf=nbf)
        self.log.append(by_owners(document))
        self.known = self.known.apply_membership(self.log[-1])
        self.agreed.append((name, role, nbf))
        self.learn()

    @rule(name=st.sampled_from(NAMES))
    def rotate_keys(self, name: str) -> None:
        """A reader gets new keys; its old one still opens what was on its way."""
        party, version = READERS[name], self.versions[name] + 1
        kem, signing = KemKey(seed(f"{name} kem {version}")), SigningKey(seed(f"{name} signing {version}"))
        public = {"kem": to_base64(kem.public), "signing": to_base64(signing.public)}
        self.known = self.known.apply(envelope(party.keys(version=version, **public), party.identity))
        self.versions[name] = version
        self.readers[name].kems.insert(0, kem)
        self.learn()

    @rule(history=st.sampled_from(History), late=st.sets(st.sampled_from(NAMES)))
    def publish(self, history: History, late: set[str]) -> None:
        """One bulletin. The wraps for `late` stay with the hub."""
        readers = [(name, self.versions[name]) for name in NAMES if self.role(name, self.now)]
        expected = self.begins(history, readers)
        number = next(self.numbers)
        item = Item(BULLETIN, uuid(number), bulletin(number, history=history).to_bytes(), history)
        context = Context(
            self.known, FRA.kid, FRA.signing, self.now, self.next_epoch, lambda: uuid(next(self.ids)), LIMITS
        )
        composed = compose(item, place(), self.chain, context)
        self.chain = composed.chain
        kinds = [each.kind for each in composed.submissions]
        assert (EPOCH in kinds) == expected
        if expected:
            self.next_epoch += 1
            self.in_use[history] = InUse(len(self.log), readers, self.now)
        self.in_use[history].uses += 1
        for each in composed.submissions:
            if each.kind == WRAPS:
                self.hand_out(parse_bundle(each.raw), readers, late)
            elif each.kind == EPOCH:
                self.announce(each.raw)
            else:
                self.read(each.raw)

    def begins(self, history: History, readers: list[tuple[str, int]]) -> bool:
        """Whether the next bulletin has to begin an epoch."""
        epoch = self.in_use.get(history)
        return (
            epoch is None
            or epoch.size != len(self.log)
            or epoch.readers != readers
            or self.now - epoch.since >= LIMITS.epoch_age
            or epoch.uses >= LIMITS.epoch_uses
        )

    def announce(self, raw: bytes) -> None:
        frame = parse_frame(raw)
        ep = frame.header.ep
        key = next(each.key for each in self.chain.epochs.values() if each.ep == ep)
        assert ep not in self.sent
        self.sent[ep] = sha256(raw).digest(), key
        for name, held in self.readers.items():
            if self.role(name, self.now):
                verdict = held.station.take(place().traffic(), raw, self.now)
                assert isinstance(verdict, Announced)
                assert verdict.epoch.due
                held.heard[ep] = verdict.epoch.due
                held.anchored = ep if held.anchored is None else held.anchored

    def hand_out(self, wraps: list[Wrap], readers: list[tuple[str, int]], late: set[str]) -> None:
        """Every reader has one, the publisher too, nobody else, and it opens with the newest of its keys."""
        due = {self.readers[name].kems[0].kid for name, _ in readers}
        assert {each.kid for each in wraps} == {FRA.kem.kid, *due}
        ep = self.next_epoch - 1
        for each in wraps:
            if each.kid == FRA.kem.kid:
                continue
            (name,) = (name for name, held in self.readers.items() if held.kems[0].kid == each.kid)
            held = self.readers[name]
            if name in late:
                held.late.append((ep, each.to_bytes()))
            else:
                self.take(held, ep, each.to_bytes())

    def take(self, held: Held, ep: int, raw: bytes) -> None:
        announcement, key = self.accepted(held, raw)
        assert (announcement, bytes(key)) == (self.sent[ep][0], bytes(self.sent[ep][1]))
        for id, epoch in held.station.epochs.items():
            if epoch.announcement == announcement:
                held.station.epochs[id] = epoch._replace(key=key)
        held.keys.add(ep)

    def accepted(self, held: Held, raw: bytes) -> tuple[bytes, EpochKey]:
        announced = {each.announcement: each for each in held.station.epochs.values()}
        return accept_wrap(raw, announced, held.kems, held.station.party.endpoint)

    def read(self, raw: bytes) -> None:
        ep = parse_frame(raw).header.ep
        for name, held in self.readers.items():
            if not self.role(name, self.now):
                continue  # the hub does not serve it
            verdict = held.station.take(place().traffic(), raw, self.now)
            assert ep in held.heard  # an epoch began after it came back
            if ep in held.keys:
                assert isinstance(verdict, Opened)
            else:
                assert isinstance(verdict, Refused)
                assert verdict.error.code is Code.MISSING_WRAP
                assert verdict.chain is not None

    @precondition(lambda self: any(held.late for held in self.readers.values()))
    @rule(data=st.data())
    def wrap_comes_late(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name in NAMES if self.readers[name].late]))
        held = self.readers[name]
        ep, raw = held.late.pop(data.draw(st.integers(0, len(held.late) - 1)))
        self.take(held, ep, raw)
        self.take(held, ep, raw)  # a repeat changes nothing

    @precondition(lambda self: any(held.heard for held in self.readers.values()))
    @rule(data=st.data(), forged=st.sampled_from(["other key", "other reader", "other epoch", "unannounced"]))
    def wrong_wrap(self, data: st.DataObject, forged: str) -> None:
        """Whoever makes it: it is refused, and no key is lost or won by it."""
        name = data.draw(st.sampled_from([name for name in NAMES if self.readers[name].heard]))
        held = self.readers[name]
        ep = data.draw(st.sampled_from(sorted(held.heard)))
        announcement, key = self.sent[ep]
        mine = self.known.endpoints[held.station.party.endpoint]
        match forged:
            case "other key":
                raw, code = wrap(EpochKey(seed("false")), announcement, mine), Code.KEY_MISMATCH
            case "other reader":
                other = next(each for each in READERS.values() if each.id != name)
                raw, code = wrap(key, announcement, self.known.endpoints[other.endpoint]), Code.BAD_WRAP
            case "other epoch":
                raw = wrap(key, sha256(announcement).digest(), mine)._replace(announcement=announcement)
                code = Code.BAD_WRAP
            case _:
                raw, code = wrap(key, sha256(announcement).digest(), mine), Code.UNKNOWN_EPOCH
        assert code_of(self.accepted, held, raw.to_bytes()) is code

    @invariant()
    def nobody_reads_what_was_not_for_them(self) -> None:
        for held in self.readers.values():
            with_keys = {id.ep for id, epoch in held.station.epochs.items() if epoch.key is not None}
            assert with_keys == held.keys <= held.heard.keys()

    @invariant()
    def numbers_are_never_used_twice(self) -> None:
        assert sorted(self.sent) == list(range(self.next_epoch))


TestEpochs = EpochMachine.TestCase
TestEpochs.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
