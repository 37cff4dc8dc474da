"""The chain of a bulletin as the node tells it, and how bulletins are counted: pure decisions."""

from hashlib import sha256

import pytest

from schemas.bulletin import Bulletin
from schemas.checkpoint import Checkpoint, Note, cosign, origin_of, sign_log
from schemas.directory import Directory
from schemas.encoding import instant
from schemas.errors import Code, OperationError
from schemas.frame import parse_frame
from schemas.vocabulary import Kind, Severity
from subscribers.directory.heads import KeptHead
from subscribers.insight.counting import DAY, Tally, steps, summed
from subscribers.insight.likeness import LOOKED_UP_MAX, TELLING_MAX, telling, weights
from subscribers.insight.provenance import Known, Shown, key_named, provenance
from subscribers.insight.shapes import STEPS_MAX, Provenance
from subscribers.records import Filters, Record
from tests.support.federation import (
    AT,
    COM,
    FRA,
    FRESHNESS,
    HUB,
    WITNESSES,
    Publisher,
    bulletin,
    changed,
    directory,
    documents,
    witness,
)

ORIGIN = origin_of(sha256(documents()[0]).digest())
NOW = AT + 60_000


def record(**fields: object) -> Record:
    made = Bulletin.model_validate(bulletin(7))
    given = {
        "bulletin": made,
        "community": COM,
        "community_slug": "drones",
        "community_title": "Drones",
        "agency": FRA.id,
        "agency_name": "France",
        "received": instant(AT),
    }
    return Record.model_validate({**given, **fields})


def shown(*, announced: bool = False, mask: int = 0) -> Shown:
    raw = Publisher().bulletin(7)
    frame = parse_frame(changed(raw, 3 + int.from_bytes(raw[1:3], "big"), mask) if mask else raw)
    return Shown(frame.header_bytes, frame.signature, sha256(frame.body).digest(), announced=announced)


def head(known: Directory, *by: int) -> KeptHead:
    """Of the whole directory, vouched for by the witnesses with these numbers."""
    checkpoint = Checkpoint(ORIGIN, known.head)
    signed = (cosign(checkpoint, witness(each).name, AT // 1000, WITNESSES[each]) for each in by)
    times = tuple(AT for _ in by)
    return KeptHead(Note(checkpoint, (sign_log(checkpoint, ORIGIN, HUB), *signed)), times)


def chain(
    known: Directory | None = None,
    kept: Shown | None = None,
    *,
    by: tuple[int, ...] = (0, 1),
    witnessed: bool = True,
    now: int = NOW,
    **fields: object,
) -> Provenance:
    known = known or directory()
    return provenance(record(**fields), kept, Known(known, head(known, *by) if by else None, witnessed, now))


def test_a_whole_chain_names_key_root_witnesses_and_readers() -> None:
    known, kept = directory(), shown()
    told = chain(known, kept)
    assert told.signature == "holds"
    assert told.key is not None
    assert (told.key.kid, told.key.version, told.key.state) == (FRA.kid, 1, "current")
    assert told.key.kid == key_named(kept)
    assert told.identities == 1
    assert len(told.fingerprint.split()) == 8
    vouching = told.vouching
    assert (vouching.root, vouching.witnesses, vouching.cosigned) == (1, len(known.root.witnesses), 2)
    assert (vouching.head, vouching.seen, vouching.stale) == (known.head.size, instant(AT), False)
    assert vouching.threshold <= vouching.registrars
    assert told.audience.owners == [
        known.agencies[each].name for each in known.communities[COM].community.owners
    ]
    assert told.audience.members + told.audience.readers == len(known.communities[COM].members(NOW))
    assert told.evidence
    assert bulletin(7).title not in told.model_dump_json()


def test_a_key_that_was_replaced_or_revoked_is_called_so() -> None:
    replaced = chain(directory([FRA.successor()]), shown())
    assert replaced.key is not None
    assert (replaced.key.state, replaced.key.replaced is not None) == ("replaced", True)
    revoked = chain(directory([FRA.revocation()]), shown())
    assert revoked.key is not None
    assert (revoked.key.state, revoked.key.replaced) == ("revoked", None)


def test_a_signature_that_does_not_hold_by_itself_is_no_evidence() -> None:
    told = chain(kept=shown(mask=1))
    assert told.signature == "reached"
    assert told.key is not None
    assert not told.evidence


def test_of_what_came_before_proofs_were_kept_nothing_is_claimed() -> None:
    told = chain()
    assert (told.signature, told.key, told.evidence) == ("unkept", None, False)
    assert told.fingerprint


@pytest.mark.parametrize("announced, evidence", [(True, True), (False, False)])
def test_a_key_behind_the_newest_head_needs_the_announcement(announced: bool, evidence: bool) -> None:
    told = chain(kept=shown(announced=announced), witnessed=False)
    assert told.key is not None
    assert not told.key.witnessed
    assert told.evidence is evidence


def test_a_head_grows_stale_and_may_be_missing() -> None:
    late = chain(kept=shown(), now=AT + FRESHNESS + 1).vouching
    assert (late.stale, late.seen) == (True, instant(AT))
    none = chain(kept=shown(), by=(), witnessed=False).vouching
    assert (none.stale, none.seen, none.head, none.cosigned) == (True, None, 0, 0)


def test_a_private_reply_and_a_community_that_is_gone_are_told_as_they_are() -> None:
    told = chain(kept=shown(), flags=frozenset({"private"}), community="f" * 32).audience
    assert (told.owners, told.members, told.readers, told.private) == ([], 0, 0, True)


# --- counting -------------------------------------------------------------------------------------

SPAN = Filters(since="2026-03-02T00:00:00Z", until="2026-03-20T00:00:00Z")


def test_rows_become_sums_and_every_step_has_a_bar() -> None:
    rows = [Tally("tactic", 2, 0, 3), Tally("tactic", 4, 2, 1), Tally("threat", 2, 2, 2)]
    counts = summed(rows, SPAN, "week")
    assert counts.total == 6
    assert counts.kinds == {Kind.TACTIC: 4, Kind.THREAT: 2}
    assert counts.severities == {Severity.ELEVATED: 5, Severity.FLASH: 1}
    assert [each.at for each in counts.bars] == [
        "2026-03-02T00:00:00Z",
        "2026-03-09T00:00:00Z",
        "2026-03-16T00:00:00Z",
    ]
    assert [sum(each.severities.values()) for each in counts.bars] == [3, 0, 3]


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(since=SPAN.since),
        Filters(until=SPAN.until),
        Filters(since=SPAN.until, until=SPAN.since),
        Filters(since=SPAN.since, until=SPAN.since),
    ],
)
def test_a_span_without_both_ends_or_without_length_is_refused(filters: Filters) -> None:
    with pytest.raises(OperationError) as refused:
        steps(filters, "week")
    assert refused.value.code is Code.BAD_REQUEST


def test_only_so_many_steps_are_counted_at_once() -> None:
    most = Filters(since=instant(AT), until=instant(AT + STEPS_MAX * DAY))
    assert steps(most, "day") == STEPS_MAX
    with pytest.raises(OperationError):
        steps(most.model_copy(update={"until": instant(AT + (STEPS_MAX + 1) * DAY)}), "day")


def test_the_words_that_tell_a_bulletin_from_others_are_asked_for() -> None:
    told = weights(bulletin(7, title="Drone over the port", body="drone " * 5 + "42 2026 at 本"))
    assert told["drone"] > told["port"] > told["本"]
    assert "42" not in told
    assert "at" not in told
    assert not {"fra", "2026", "0007"} & set(told)
    assert len(weights(bulletin(7, body=" ".join(f"word{n}" for n in range(300))))) == LOOKED_UP_MAX
    held = {"drone": 900, "port": 40, "本": 1}
    assert telling(told, held, 1_000) == ["port"], (
        "one that all have tells nothing, one that none has finds nothing"
    )
    assert telling(told, {"drone": 30, "port": 3}, 40) == ["port", "drone"]
    many = {f"word{n}": 1.0 for n in range(20)}
    assert len(telling(many, dict.fromkeys(many, 2), 100)) == TELLING_MAX
