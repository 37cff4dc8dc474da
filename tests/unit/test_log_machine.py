"""A log that forks and is cut, three honest witnesses, and a reader who keeps one head."""

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from schemas.checkpoint import Checkpoint, Note, check_note, cosign, parse_note, sign_log
from schemas.errors import TrustError
from schemas.merkle import EMPTY_ROOT, Head, Log, check_consistency, root_from_path
from tests.support.federation import AT, HUB, WITNESSES, witness

ORIGIN = "liaison/directory/" + "0" * 64
NAMED = [witness(number) for number in range(3)]
QUORUM = 2


class LogMachine(RuleBasedStateMachine):
    """Branches of one log. The model of a branch is its list of entries."""

    branches = Bundle("branches")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.held: list[bytes] = []
        self.head = Head(0, EMPTY_ROOT)
        self.vouched: list[list[bytes]] = []
        self.signed: dict[int, list[bytes]] = {number: [] for number in range(3)}

    def fresh(self) -> bytes:
        """An entry that was never there."""
        self.count += 1
        return b"entry %d" % self.count

    @rule(target=branches)
    def begin(self) -> list[bytes]:
        return []

    @rule(target=branches, entries=consumes(branches), more=st.integers(1, 9))
    def grow(self, entries: list[bytes], more: int) -> list[bytes]:
        return [*entries, *(self.fresh() for _ in range(more))]

    @rule(target=branches, entries=branches, data=st.data())
    def fork(self, entries: list[bytes], data: st.DataObject) -> list[bytes]:
        return [*entries[: data.draw(st.integers(0, len(entries)))], self.fresh()]

    @rule(target=branches, entries=branches, data=st.data())
    def cut(self, entries: list[bytes], data: st.DataObject) -> list[bytes]:
        return entries[: data.draw(st.integers(0, len(entries)))]

    @rule(entries=branches, asked=st.sets(st.integers(0, 2)), data=st.data())
    def offer(self, entries: list[bytes], asked: set[int], data: st.DataObject) -> None:
        """The hub shows a head to the witnesses and the reader, each with the proof that it can make."""
        log = Log(entries)
        point = Checkpoint(ORIGIN, log.head)
        lines = [sign_log(point, ORIGIN, HUB)]
        for number in sorted(asked):
            mine = self.signed[number]
            known = Head(len(mine), Log(mine).head.root)
            follows = len(mine) <= len(entries) and check_consistency(
                known, log.head, log.consistency(len(mine), len(entries))
            )
            assert follows == (entries[: len(mine)] == mine)
            if follows:
                self.signed[number] = entries
                lines.append(cosign(point, NAMED[number].name, AT // 1000, WITNESSES[number]))
        shown = data.draw(st.permutations(lines))
        note = parse_note(Note(point, tuple(shown)).to_bytes())
        if len(lines) - 1 < QUORUM:
            with pytest.raises(TrustError, match="witness_shortfall"):
                check_note(note, ORIGIN, HUB.public, NAMED, QUORUM)
            return
        cosigned = check_note(note, ORIGIN, HUB.public, NAMED, QUORUM)
        self.vouched.append(entries)
        assert len(lines) - 1 == len(cosigned.times) >= QUORUM
        if self.head.size <= len(entries):
            proof = log.consistency(self.head.size, len(entries))
            accepted = check_consistency(self.head, cosigned.head, proof)
            assert accepted == (entries[: len(self.held)] == self.held)
            if accepted:
                self.held, self.head = entries, cosigned.head

    @rule(target=branches, entries=branches, data=st.data())
    def prove(self, entries: list[bytes], data: st.DataObject) -> object:
        """What is proved to be in the reader's log is there, and in that place."""
        if not self.held or not entries:
            return multiple()
        index = data.draw(st.integers(0, len(entries) - 1))
        path = Log(entries).inclusion(index, len(entries))
        found = root_from_path(entries[index], index, len(entries), path)
        assert (found == self.head.root) == (entries == self.held)
        return multiple()

    @invariant()
    def a_quorum_of_honest_witnesses_never_vouches_for_two_pasts(self) -> None:
        """Two quorums of two among three share a witness, so even a reader without memory sees one log."""
        for shorter, longer in pairwise(sorted(self.vouched, key=len)):
            assert longer[: len(shorter)] == shorter


TestLog = LogMachine.TestCase
TestLog.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
