"""Any history of a directory, and any mischief on a chain, against a model of what must come of it."""

from hashlib import sha256
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from schemas.checkpoint import Checkpoint, Note, cosign, origin_of, sign_log
from schemas.directory import Directory
from schemas.documents import Hub, Identity, Object, Replace, Witness
from schemas.encoding import to_base64
from schemas.errors import Code
from schemas.exports import Export, prove, verify_export, verify_proof
from schemas.limits import COOL_DOWN
from schemas.merkle import Tree
from schemas.signing import MEMBERSHIP_TYPE, key_id
from schemas.vocabulary import Precedence
from subscribers.judging.trust import Announced, Opened, Refused, Skipped
from subscribers.keys import SigningKey
from tests.support.federation import (
    AT,
    REGISTRAR,
    ROOTS,
    WITNESSES,
    Party,
    Publisher,
    Station,
    code_of,
    entry,
    envelope,
    root,
    seed,
    witness,
)
from tests.support.federation import community as community_of

NAMES = ("aaa", "bbb", "ccc", "ddd")


class DirectoryMachine(RuleBasedStateMachine):
    """Documents and entries, right and wrong, and a model of who is who and who is in what."""

    def __init__(self) -> None:
        super().__init__()
        first = envelope(root(), ROOTS[0], ROOTS[1])
        self.log, self.entries = [first], dict[str, list[bytes]]()
        self.known = Directory.pinned(first)
        self.parties = {name: Party(name, name.upper()) for name in NAMES}
        self.versions: dict[str, int] = {}
        self.kids: dict[str, list[str]] = {}
        self.revoked: set[str] = set()
        self.owners: dict[str, set[str]] = {}
        self.roles: dict[str, dict[str, str]] = {}
        self.hubs: list[SigningKey] = []
        self.secretariat = root()
        self.proposed = 0
        self.waiting: dict[str, SigningKey] = {}
        self.disputed: set[str] = set()

    def put(self, document: bytes) -> None:
        self.known = self.known.apply(document)
        self.log.append(document)

    def refused(self, document: bytes) -> None:
        before = self.known
        assert code_of(self.known.apply, document) is not None
        assert self.known is before

    @rule(name=st.sampled_from(NAMES))
    def admit(self, name: str) -> None:
        version = self.known.agencies[name].version + 1 if name in self.known.agencies else 1
        document = self.parties[name].agency(version=version)
        self.refused(envelope(document, self.parties[name].identity))
        self.refused(envelope(self.parties[name].agency(version=version + 1), REGISTRAR))
        self.put(envelope(document, REGISTRAR))

    @rule()
    def name_the_hub(self) -> None:
        version = len(self.hubs) + 1
        key = SigningKey(seed(f"hub {version}"))
        document = Hub(version=version, issued=AT, name="Hub", key=to_base64(key.public))
        self.refused(envelope(document, *ROOTS, key))
        if self.secretariat.witnesses:
            theirs = to_base64(WITNESSES[0].public)
            self.refused(envelope(document.model_copy(update={"key": theirs}), REGISTRAR))
        self.put(envelope(document, REGISTRAR))
        self.hubs.append(key)

    @rule(count=st.integers(0, 3), data=st.data())
    def change_witnesses(self, count: int, data: st.DataObject) -> None:
        quorum = data.draw(st.integers(0, count))
        version = self.secretariat.version + 1
        document = root(version=version, witnesses=[witness(n) for n in range(count)], quorum=quorum)
        self.refused(envelope(document, ROOTS[0], REGISTRAR))
        self.refused(envelope(document.model_copy(update={"quorum": count + 1}), *ROOTS[:2]))
        self.put(envelope(document, *ROOTS[:2]))
        self.secretariat = document

    @rule(name=st.sampled_from(NAMES), other=st.sampled_from(NAMES))
    def bind_keys(self, name: str, other: str) -> None:
        version = self.versions.get(name, 0) + 1
        signing = SigningKey(seed(f"{name} signing {version}")).public
        document = self.parties[name].keys(version=version, signing=to_base64(signing))
        if name not in self.known.agencies:
            self.refused(envelope(document, self.parties[name].identity))
            return
        if other != name:
            self.refused(envelope(document, self.parties[other].identity))
        self.put(envelope(document, self.parties[name].identity))
        self.versions[name] = version
        self.kids.setdefault(name, []).append(key_id(signing).hex())
        self.refused(self.log[-1])

    @rule(name=st.sampled_from(NAMES), sooner=st.booleans())
    def propose(self, name: str, sooner: bool) -> None:
        self.proposed += 1
        key = SigningKey(seed(f"{name} identity {self.proposed}"))
        both = [REGISTRAR, *ROOTS[:2]] if name in self.disputed else [REGISTRAR]
        nbf = AT + COOL_DOWN * (3 if name in self.disputed else 1) - sooner
        public = to_base64(key.public)
        document = Replace(issued=AT, agency=name, identity=public, nbf=nbf)
        self.refused(envelope(document, *both[1:], key, self.parties[name].identity))
        if name not in self.known.agencies or name in self.waiting or sooner:
            self.refused(envelope(document, *both))
            return
        self.refused(envelope(document, *both[:-1]))
        self.put(envelope(document, *both))
        self.waiting[name] = key

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), back=st.booleans())
    def object_to_it(self, data: st.DataObject, back: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.waiting)))
        key, present = self.waiting[name], self.parties[name].identity
        document = Object(issued=AT, agency=name, identity=to_base64(key.public))
        self.refused(envelope(document, key, *ROOTS))
        if back:
            self.put(envelope(document, REGISTRAR))
        elif name in self.disputed:
            self.refused(envelope(document, present))
            return
        else:
            self.put(envelope(document, present))
            self.disputed.add(name)
        del self.waiting[name]

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), agreed=st.booleans())
    def take_up(self, data: st.DataObject, agreed: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.waiting)))
        key, present = self.waiting[name], self.parties[name].identity
        issued = AT if agreed else self.known.identities.pending[name].nbf
        logs = self.known.owned_logs(name)
        document = Identity(issued=issued, agency=name, identity=to_base64(key.public), logs=logs)
        self.refused(envelope(document, present, REGISTRAR, *ROOTS))
        self.refused(envelope(document.model_copy(update={"issued": AT}), key))
        self.put(envelope(document, key, *([present] if agreed else [])))
        self.parties[name].identity = key
        self.disputed.discard(name)
        del self.waiting[name]

    @precondition(lambda self: self.kids)
    @rule(data=st.data(), other=st.sampled_from(NAMES))
    def revoke(self, data: st.DataObject, other: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.kids)))
        kid = data.draw(st.sampled_from(self.kids[name]))
        document = self.parties[name].revoke(kid=kid, issued=AT + len(self.log))
        if other != name:
            self.refused(envelope(document, self.parties[other].identity))
        if kid in self.revoked:
            self.refused(envelope(document, self.parties[name].identity))
            return
        self.put(envelope(document, self.parties[name].identity))
        self.revoked.add(kid)

    @rule(owners=st.sets(st.sampled_from(NAMES), min_size=1, max_size=3), number=st.integers(0, 3))
    def found(self, owners: set[str], number: int) -> None:
        com = sha256(bytes((number,))).hexdigest()[:32]
        named = sorted(owners)
        document = community_of(id=com, owners=named, threshold=len(named))
        signers = [self.parties[name].identity for name in named]
        if com in self.owners or not owners <= self.known.agencies.keys():
            self.refused(envelope(document, *signers))
            return
        self.refused(envelope(document, *signers[1:], REGISTRAR))
        self.put(envelope(document, *signers))
        self.owners[com], self.roles[com], self.entries[com] = owners, {}, []

    @precondition(lambda self: self.owners)
    @rule(
        data=st.data(),
        name=st.sampled_from(NAMES),
        op=st.sampled_from(["add", "remove"]),
        role=st.sampled_from(["member", "reader"]),
    )
    def change_members(self, data: st.DataObject, name: str, op: str, role: str) -> None:
        com = data.draw(st.sampled_from(sorted(self.owners)))
        document = entry(self.entries[com], com=com, id=name, op=op, role=role)
        signers = [self.parties[each].identity for each in sorted(self.owners[com])]
        signed = envelope(document, *signers, type=MEMBERSHIP_TYPE)
        lacking = envelope(document, *signers[1:], REGISTRAR, type=MEMBERSHIP_TYPE)
        assert code_of(self.known.apply_membership, lacking) in {Code.BELOW_THRESHOLD, Code.UNKNOWN_AGENCY}
        if name not in self.known.agencies:
            assert code_of(self.known.apply_membership, signed) is Code.UNKNOWN_AGENCY
            return
        self.known = self.known.apply_membership(signed)
        self.entries[com].append(signed)
        self.roles[com].pop(name, None)
        if op == "add":
            self.roles[com][name] = role
        assert code_of(self.known.apply_membership, signed) is Code.NOT_NEXT

    @invariant()
    def everybody_is_who_the_model_says(self) -> None:
        assert set(self.known.revoked) == self.revoked
        for name in self.known.agencies:
            assert self.known.identity(name) == self.parties[name].identity.public
        assert self.known.identities.pending.keys() == self.waiting.keys()
        assert self.known.identities.disputed == self.disputed
        assert {self.known.signers[kid].agency for kids in self.kids.values() for kid in kids} == set(
            self.kids
        )
        for com, roles in self.roles.items():
            log = self.known.communities[com]
            assert log.members(AT) == roles
            assert {name: log.role(name, AT) for name in NAMES} == {name: roles.get(name) for name in NAMES}
        for name in self.kids:
            current = [keys.version for keys in self.known.endpoints_of(name)]
            expected = [] if self.kids[name][-1] in self.revoked else [self.versions[name]]
            assert current == expected

    def teardown(self) -> None:
        """Whoever reads the log from its beginning comes to the same directory."""
        tree, again = Tree().append(self.log[0]), Directory.pinned(self.log[0])
        for document in self.log[1:]:
            tree, again = tree.append(document), again.apply(document)
        for entries in self.entries.values():
            for each in entries:
                again = again.apply_membership(each)
        assert again == self.known
        assert again.head == tree.head
        if self.hubs:
            self.anybody_verifies_it_from_a_file()

    def anybody_verifies_it_from_a_file(self) -> None:
        """With the fingerprint alone: the whole log, and each agency by proofs."""
        told = sha256(self.log[0]).digest()
        point = Checkpoint(origin_of(told), self.known.head)
        seen = [cosign(point, each.name, AT // 1000, WITNESSES[n]) for n, each in enumerate(self.named)]
        signed = (sign_log(point, point.origin, self.hubs[-1]), *seen[: self.secretariat.quorum])
        whole = Export(
            documents=[each.decode() for each in self.log],
            memberships=[each.decode() for entries in self.entries.values() for each in entries],
            note=Note(point, signed).to_bytes().decode(),
        )
        assert verify_export(whole, told).directory == self.known
        for name in self.known.agencies:
            known, checked = verify_proof(prove(whole, name, since=1), told)
            assert checked is not None
            assert checked.head == self.known.head
            assert known.agencies[name] == self.known.agencies[name]
            assert known.endpoints_of(name) == self.known.endpoints_of(name)
        if self.secretariat.quorum:
            short = Note(point, signed[:-1]).to_bytes().decode()
            lacking = whole.model_copy(update={"note": short})
            assert code_of(verify_export, lacking, told) is Code.WITNESS_SHORTFALL

    @property
    def named(self) -> list[Witness]:
        """The witnesses that the root names now."""
        return self.known.root.witnesses


class ChainMachine(RuleBasedStateMachine):
    """A publisher with two chains, a relay that drops, repeats and swaps, and a reader."""

    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.station = Station()
        self.ep = 0
        self.publishers = {each: Publisher(precedence=each) for each in Precedence}
        self.began: set[Precedence] = set()
        self.seen: dict[Precedence, int] = {}
        self.announced: dict[Precedence, set[int]] = {each: set() for each in Precedence}
        self.anchor: dict[Precedence, int] = {}
        self.read: list[str] = []

    def send(self, precedence: Precedence, raw: bytes, **facts: Any) -> Any:  # facts of the model
        publisher = self.publishers[precedence]
        publisher.send(raw)
        return precedence, raw, {"seq": publisher.head.seq, "ep": publisher.ep, **facts}

    @rule(target=messages, precedence=st.sampled_from(Precedence))
    def announce(self, precedence: Precedence) -> Any:  # facts of the model
        publisher = self.publishers[precedence]
        publisher.ep, self.ep = self.ep, self.ep + 1
        self.station.keys |= {publisher.key.commitment: publisher.key}
        self.began.add(precedence)
        return self.send(precedence, publisher.announcement(), kind="e")

    @precondition(lambda self: self.began)
    @rule(target=messages, data=st.data())
    def publish(self, data: st.DataObject) -> Any:  # facts of the model
        precedence = data.draw(st.sampled_from(sorted(self.began)))
        publisher, severity = (
            self.publishers[precedence],
            "flash" if precedence is Precedence.FLASH else "low",
        )
        number = 100 * (publisher.head.seq + 1) + (precedence is Precedence.FLASH)
        return self.send(precedence, publisher.bulletin(number, severity=severity), kind="b")

    @rule(message=messages)
    def deliver(self, message: tuple[Precedence, bytes, dict[str, Any]]) -> None:
        """In any order, any number of times; what is never delivered was dropped."""
        precedence, raw, facts = message
        verdict = self.station.take(self.publishers[precedence].subject, raw)
        head, seq, ep = self.seen.get(precedence), facts["seq"], facts["ep"]
        if head is None and facts["kind"] == "b":
            assert isinstance(verdict, Skipped)
            assert verdict.chain is None
            return
        if head is not None and seq <= head:
            assert isinstance(verdict, Refused)
            assert verdict.error.code in {Code.REPLAYED, Code.FORK}
            return
        self.seen[precedence] = seq
        missing = [] if head is None else list(range(head + 1, seq))
        if facts["kind"] == "e":
            self.anchor.setdefault(precedence, ep)
            self.announced[precedence].add(ep)
            assert isinstance(verdict, Announced)
            assert list(verdict.missing) == missing
        elif ep in self.announced[precedence]:
            assert isinstance(verdict, Opened)
            assert list(verdict.missing) == missing
            self.read.append(verdict.bulletin.id)
        else:  # its announcement was dropped
            assert isinstance(verdict, Refused)
            assert verdict.error.code is Code.UNKNOWN_EPOCH
            assert verdict.chain is not None

    @invariant()
    def nothing_is_read_twice(self) -> None:
        assert len(set(self.read)) == len(self.read)


TestDirectory = DirectoryMachine.TestCase
TestDirectory.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestChain = ChainMachine.TestCase
TestChain.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
