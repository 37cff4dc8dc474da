"""Heads, decided without any process: what a witness signs, what the hub publishes, what a node keeps."""

from hashlib import sha256
from pathlib import Path

import pytest

from hub.checkpoints import BATCH_SECONDS, GATHER_SECONDS, Offer, accept, period, wait
from hub.jwt import KeyKind, NKey, mint
from hub.registrar import check_witness
from schemas.checkpoint import ALWAYS_FRESH, Checkpoint, Note, NoteSignature, cosign, origin_of, sign_log
from schemas.directory import Directory
from schemas.documents import WitnessRequest, parse_witness_request
from schemas.encoding import to_base64
from schemas.errors import Code, FormatError, LiaisonError, OperationError, TrustError
from schemas.limits import CLOCK_SKEW_MAX
from schemas.merkle import Head
from schemas.signing import ENROLMENT_TYPE
from subscribers.directory import heads
from subscribers.directory.heads import KeptHead, judge_head
from subscribers.witness.judgement import Us, check_head, check_offer
from subscribers.witness.keys import WitnessAdmission, WitnessKeys
from subscribers.witness.keys import accept as keep_admission
from subscribers.witness.notebook import Notebook
from tests.support.federation import (
    AT,
    FRA,
    FRESHNESS,
    HUB,
    ROOTS,
    WITNESSES,
    directory,
    documents,
    envelope,
    root,
    witness,
)

FINGERPRINT = sha256(documents()[0]).digest()
ORIGIN = origin_of(FINGERPRINT)
SECONDS = AT // 1000
NOW = AT + 1000
LATER = AT + 2 * 3_600_000
US = Us(ORIGIN, witness(0).name, WITNESSES[0].public)
LONGER = directory([FRA.successor()])
ELSEWHERE = b"\x07" * 32


def at_size(size: int) -> Head:
    """The head that the directory had."""
    return Head(size, LONGER.roots[size])


def note(head: Head, *by: int, seconds: int = SECONDS, origin: str = ORIGIN) -> Note:
    """Signed by the log, and by the witnesses with these numbers."""
    checkpoint = Checkpoint(origin, head)
    log = sign_log(checkpoint, origin, HUB)
    return Note(checkpoint, (log, *(cosigned(checkpoint, each, seconds) for each in by)))


def cosigned(checkpoint: Checkpoint, number: int, seconds: int = SECONDS) -> NoteSignature:
    return cosign(checkpoint, witness(number).name, seconds, WITNESSES[number])


def code(raised: pytest.ExceptionInfo[LiaisonError]) -> Code:
    return raised.value.code


# -- the hub -----------------------------------------------------------------------------------------------


def offer(of: Directory = LONGER) -> Offer:
    return Offer.of(of, FINGERPRINT, HUB)


def test_a_head_is_published_with_its_quorum_and_once_for_each_more_witness() -> None:
    one = offer()
    published = []
    for number in (0, 0, 1, 1, 2, 2):
        one = one.take(note(one.head, number), AT)
        if due := one.due:
            published.append(len(due.signatures) - 1)
            one = one.published()
    assert published == [2, 3]
    assert one.complete


def test_without_a_quorum_a_head_is_published_at_once() -> None:
    alone = Directory.pinned(envelope(root(witnesses=[], quorum=0), *ROOTS[:2]))
    one = Offer.of(alone, FINGERPRINT, HUB)
    assert one.due == one.note
    assert one.published().due is None


def test_a_witness_s_newest_word_stands() -> None:
    one = offer().take(note(LONGER.head, 0, seconds=SECONDS), AT)
    assert one.take(note(LONGER.head, 0, seconds=SECONDS - 9), AT).cosigned == one.cosigned
    newer = one.take(note(LONGER.head, 0, seconds=SECONDS + 9), AT + 9000)
    assert newer.cosigned[witness(0).name][0] == AT + 9000


@pytest.mark.parametrize(
    "note, expected",
    [
        (note(LONGER.head, 3), Code.WITNESS_SHORTFALL),
        (note(LONGER.head), Code.WITNESS_SHORTFALL),
        (note(LONGER.head, 0, seconds=SECONDS + 1), Code.FROM_THE_FUTURE),
        (note(Head(LONGER.head.size, ELSEWHERE), 0), Code.BAD_CHECKPOINT),
        (note(Head(LONGER.head.size + 1, ELSEWHERE), 0), Code.BAD_CHECKPOINT),
        (note(at_size(3), 0, origin="elsewhere"), Code.BAD_CHECKPOINT),
    ],
)
def test_what_the_hub_takes_from_no_witness(note: Note, expected: Code) -> None:
    with pytest.raises(TrustError) as raised:
        accept(offer(), note, LONGER, FINGERPRINT, AT)
    assert code(raised) is expected


def test_a_cosignature_by_a_name_with_another_s_key_does_not_count() -> None:
    checkpoint = offer().note.checkpoint
    false = cosign(checkpoint, witness(0).name, SECONDS, WITNESSES[1])
    with pytest.raises(TrustError, match="witness_shortfall"):
        offer().take(Note(checkpoint, (false,)), AT)


def test_a_cosignature_that_comes_late_is_no_news() -> None:
    one = offer()
    assert accept(one, note(at_size(3), 0), LONGER, FINGERPRINT, AT) is one
    assert accept(None, note(LONGER.head, 0), LONGER, FINGERPRINT, AT) is None
    taken = accept(one, note(one.head, 0), LONGER, FINGERPRINT, AT)
    assert taken is not None
    assert set(taken.cosigned) == {witness(0).name}


def test_offers_are_apart_and_come_again() -> None:
    one, size = offer(), LONGER.head.size
    assert wait(one, size, 10.0) == 3600.0 - 10.0
    assert wait(one, size + 1, 0.5) == GATHER_SECONDS - 0.5
    complete = one.take(note(one.head, 0, 1), AT)
    assert wait(complete, size + 1, 0.5) == BATCH_SECONDS - 0.5
    assert period(root(freshness=1)) == 60.0
    assert period(root(freshness=3_600_000)) == 900.0


def test_only_a_witness_of_the_root_is_admitted() -> None:
    key = to_base64(WITNESSES[0].public)
    asked = WitnessRequest(issued=AT, name=witness(0).name, key=key, user="U" + "A" * 55)
    assert check_witness(LONGER, envelope(asked, WITNESSES[0], type=ENROLMENT_TYPE)) == asked
    for request, by, expected in (
        (asked, 1, Code.BAD_SIGNATURE),
        (asked.model_copy(update={"name": witness(1).name}), 0, Code.UNKNOWN_KEY),
        (asked.model_copy(update={"key": to_base64(WITNESSES[3].public)}), 3, Code.UNKNOWN_KEY),
    ):
        with pytest.raises(TrustError) as raised:
            check_witness(LONGER, envelope(request, WITNESSES[by], type=ENROLMENT_TYPE))
        assert code(raised) is expected


@pytest.mark.parametrize("change", [{"name": "two words"}, {"user": "A"}, {"more": 1}, {"type": "enrolment"}])
def test_a_request_has_one_form(change: dict[str, object]) -> None:
    fields = {"v": 1, "type": "witness", "issued": AT, "name": "w", "user": "U" + "A" * 55}
    fields |= {"key": to_base64(WITNESSES[0].public), **change}
    with pytest.raises(FormatError, match="bad_document"):
        parse_witness_request(envelope(fields, WITNESSES[0], type=ENROLMENT_TYPE))


# -- the witness -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [None, at_size(4), LONGER.head])
def test_a_witness_signs_what_follows_from_what_it_has_seen(last: Head | None) -> None:
    assert check_offer(LONGER, US, last, note(LONGER.head)).head == LONGER.head


@pytest.mark.parametrize(
    "note, expected",
    [
        (note(at_size(5)), Code.ROLLBACK),
        (note(Head(LONGER.head.size, ELSEWHERE)), Code.SPLIT_VIEW),
        (note(Head(5, ELSEWHERE)), Code.SPLIT_VIEW),
        (note(Head(LONGER.head.size + 1, ELSEWHERE)), Code.LOG_BEHIND),
        (note(LONGER.head, origin="elsewhere"), Code.BAD_CHECKPOINT),
        (note(LONGER.head)._replace(signatures=()), Code.BAD_CHECKPOINT),
    ],
)
def test_a_witness_refuses_what_does_not_follow(note: Note, expected: Code) -> None:
    with pytest.raises(TrustError) as raised:
        check_offer(LONGER, US, at_size(6), note)
    assert code(raised) is expected


def test_a_witness_that_the_root_does_not_name_signs_nothing() -> None:
    for us in (US._replace(name="other"), US._replace(key=WITNESSES[3].public)):
        with pytest.raises(TrustError, match="unknown_key"):
            check_offer(LONGER, us, None, note(LONGER.head))
    assert check_head(LONGER, US._replace(name="other"), note(LONGER.head)).head == LONGER.head


def test_a_log_without_its_hub_has_signed_nothing() -> None:
    with pytest.raises(TrustError, match="bad_checkpoint"):
        check_head(Directory.pinned(documents()[0]), US, note(at_size(1)))


async def test_what_a_witness_has_seen_and_signed_survives(tmp_path: Path) -> None:
    key = b"k" * 32
    async with await Notebook.open_store(tmp_path, key) as store:
        book = await Notebook.load(store, documents()[0])
        assert (book.last, book.seen) == (None, 0)
        for each in documents()[1:]:
            await book.append(each, AT)
        with pytest.raises(LiaisonError):
            await book.append(b"{}", AT)
        await book.commit(at_size(4), AT, 7)
        await book.commit(book.directory.head, AT + 1, 9)
        await book.commit(book.directory.head, AT + 2, 11)
        with pytest.raises(OperationError, match="store_corrupt"):
            await book.commit(Head(4, ELSEWHERE), AT + 3, 12)
        await book.refuse(TrustError(Code.SPLIT_VIEW, "another"), b"note", AT + 4)
    async with await Notebook.open_store(tmp_path, key) as store:
        book = await Notebook.load(store, documents()[0])
        assert book.last == (directory().head, AT + 2)
        assert (book.seen, book.directory.head) == (11, directory().head)
        (refusal,) = await book.refusals(5)
        assert (refusal.code, refusal.at) == ("split_view", AT + 4)
        await store.transact(lambda connection: connection.execute("DELETE FROM documents WHERE number > 3"))
        with pytest.raises(OperationError, match="store_corrupt"):
            await Notebook.load(store, documents()[0])
        await store.transact(
            lambda connection: connection.execute("INSERT INTO documents VALUES (3, x'00')"
                                                  " ON CONFLICT DO UPDATE SET data = x'00'")
        )  # fmt: skip
        with pytest.raises(OperationError, match="store_corrupt"):
            await Notebook.load(store, documents()[0])


def test_a_witness_s_keys_are_read_back(tmp_path: Path) -> None:
    made = WitnessKeys.create(tmp_path, "icpo.example/witness")
    read = WitnessKeys.load(tmp_path)
    assert (read.name, read.witness, read.store) == (made.name, made.witness, made.store)
    assert parse_witness_request(made.request(AT)).request.key == to_base64(made.witness.public)
    with pytest.raises(OperationError, match="already_known"):
        WitnessKeys.create(tmp_path, "icpo.example/witness")
    with pytest.raises(FormatError, match="bad_document"):
        WitnessKeys.create(tmp_path / "other", "two words")
    with pytest.raises(OperationError, match="not_enrolled"):
        WitnessAdmission.read(tmp_path / "admission.json")
    (tmp_path / "admission.json").write_text("{}")
    with pytest.raises(OperationError, match="bad_settings"):
        WitnessAdmission.read(tmp_path / "admission.json")


def test_a_witness_keeps_only_its_own_admission(tmp_path: Path) -> None:
    made, file = WitnessKeys.create(tmp_path, "icpo.example/witness"), tmp_path / "given.json"
    theirs = NKey.generate(KeyKind.USER)

    def given(name: str, user: str) -> None:
        content = {
            "v": 1,
            "witness": name,
            "endpoint": FRA.endpoint,
            "user_jwt": mint(NKey.generate(KeyKind.ACCOUNT), user, name, AT // 1000, {}),
            "urls": ["nats://127.0.0.1:4222"],
            "root": to_base64(documents()[0]),
            "fingerprint": "",
            "hub": {"name": "Hub", "key": to_base64(bytes(32))},
        }
        file.write_text(WitnessAdmission.model_validate(content).model_dump_json())

    for name, user in (("other", made.nats.public), (made.name, theirs.public)):
        given(name, user)
        with pytest.raises(OperationError, match="wrong_key"):
            keep_admission(tmp_path, file, FINGERPRINT.hex())
    given(made.name, made.nats.public)
    with pytest.raises(FormatError, match="64 hex digits, and 62 came"):
        keep_admission(tmp_path, file, FINGERPRINT.hex()[2:])
    assert not (tmp_path / "admission.json").exists()
    assert keep_admission(tmp_path, file, FINGERPRINT.hex()) == WitnessAdmission.read(file)


# -- the node ----------------------------------------------------------------------------------------------


def kept(size: int, *times: int) -> KeptHead:
    return KeptHead(note(at_size(size), 0, 1), times)


def test_a_node_keeps_the_longest_head_and_its_newest_word() -> None:
    size = LONGER.head.size
    first = judge_head(LONGER, ORIGIN, None, note(at_size(size - 1), 0, 1), NOW)
    assert first is not None
    assert (first.head, first.times) == (at_size(size - 1), (AT, AT))
    longer = judge_head(LONGER, ORIGIN, first, note(LONGER.head, 0, 1, 2), NOW)
    assert longer is not None
    assert longer.head == LONGER.head
    assert judge_head(LONGER, ORIGIN, longer, note(LONGER.head, 0, 1), NOW) is None
    newer = judge_head(LONGER, ORIGIN, longer, note(LONGER.head, 0, 1, seconds=SECONDS + 60), NOW)
    assert newer is not None
    assert newer.times == (AT + 60_000, AT + 60_000)
    assert judge_head(LONGER, ORIGIN, longer, note(at_size(3), 0, 1), NOW) is None


@pytest.mark.parametrize(
    "note, expected",
    [
        (note(LONGER.head, 0), Code.WITNESS_SHORTFALL),
        (note(at_size(9), 0, 1, origin="elsewhere"), Code.BAD_CHECKPOINT),
        (note(Head(LONGER.head.size, ELSEWHERE), 0, 1), Code.SPLIT_VIEW),
        (note(Head(2, ELSEWHERE), 0, 1), Code.SPLIT_VIEW),
        (note(Head(LONGER.head.size + 1, ELSEWHERE), 0, 1), Code.LOG_BEHIND),
        (note(at_size(3), 0, 1, seconds=SECONDS + CLOCK_SKEW_MAX // 1000 + 1), Code.ROLLBACK),
        (note(LONGER.head, 0, 1, seconds=SECONDS + CLOCK_SKEW_MAX // 1000 + 2), Code.FROM_THE_FUTURE),
    ],
)
def test_a_node_refuses_a_head_that_its_own_log_never_had(note: Note, expected: Code) -> None:
    with pytest.raises(TrustError) as raised:
        judge_head(LONGER, ORIGIN, kept(8, AT, AT), note, NOW)
    assert code(raised) is expected


def test_what_other_witnesses_said_of_the_past_is_no_news() -> None:
    assert judge_head(LONGER, ORIGIN, kept(8, AT, AT), note(at_size(3), 3), NOW) is None
    assert judge_head(LONGER, ORIGIN, kept(8), note(at_size(8), 0, 1), NOW) is not None
    with pytest.raises(TrustError, match="rollback"):
        judge_head(LONGER, ORIGIN, kept(8), note(at_size(3), 0, 1), NOW)
    with pytest.raises(TrustError, match="bad_checkpoint"):
        judge_head(Directory.pinned(documents()[0]), ORIGIN, None, note(at_size(1), 0, 1), NOW)


def test_a_witness_may_go_back_by_what_clocks_differ_and_no_further() -> None:
    skew = CLOCK_SKEW_MAX // 1000
    assert (
        judge_head(LONGER, ORIGIN, kept(8, AT, AT), note(at_size(3), 0, 1, seconds=SECONDS + skew), LATER)
        is None
    )
    # The last of the quorum counts, not the first.
    uneven = kept(8, AT + 600_000, AT)
    with pytest.raises(TrustError, match=r"^rollback:"):
        judge_head(LONGER, ORIGIN, uneven, note(at_size(3), 0, 1, seconds=SECONDS + skew + 60), LATER)


def test_a_head_as_long_as_the_kept_one_needs_its_witnesses() -> None:
    with pytest.raises(TrustError, match=r"^witness_shortfall:"):
        judge_head(LONGER, ORIGIN, kept(8, AT, AT), note(at_size(8), 0), NOW)


def test_what_a_stale_head_does_not_allow_is_said() -> None:
    refusal = heads.stale("no epoch can begin")
    assert refusal.code is Code.STALE_HEAD
    assert "no epoch can begin" in refusal.message


def test_a_head_is_stale_after_its_time() -> None:
    assert heads.until(LONGER, None) == 0
    assert heads.until(LONGER, kept(8, AT)) == 0
    assert heads.until(LONGER, kept(8, AT + 5, AT)) == AT + FRESHNESS
    alone = Directory.pinned(envelope(root(witnesses=[], quorum=0), *ROOTS[:2]))
    assert heads.until(alone, None) == ALWAYS_FRESH
    assert judge_head(LONGER, ORIGIN, kept(8, AT, AT), note(at_size(8), 0, 1), NOW) is None
