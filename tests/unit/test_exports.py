"""The directory in a file: what is proved from it, and nothing but coded refusals from any bytes."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Code, LiaisonError, TrustError
from schemas.exports import check_since, continues, heads_of, parse_file, prove, verify_export, verify_proof
from schemas.merkle import Head
from tests.support import federation as fed
from tests.vectors.log_cases import GOOD, LOG, NOW, export

TOLD = sha256(fed.documents()[0]).digest()
PROOF = prove(export(), "jpn", since=4)


@pytest.mark.parametrize("size", range(2, LOG.size + 1))
def test_what_is_exported_is_proved_at_every_size(size: int) -> None:
    whole = export(size)
    directory, checked = verify_export(whole, TOLD)
    assert checked is not None
    assert (directory.head, checked.head) == (LOG.head, Head(size, LOG.root(size)))
    if size < 4:  # the agency's own document is the third of the agencies'
        with pytest.raises(LiaisonError, match="unknown_agency"):
            prove(whole, "jpn")
        return
    for old in range(size + 1):
        proof = prove(whole, "jpn", since=old)
        known, under = verify_proof(parse_file(proof.to_bytes()), TOLD)  # type: ignore[arg-type]
        assert under == checked
        assert set(known.agencies) == {"jpn"}
        check_since(proof, Head(old, LOG.root(old)), checked.head)
        continues(directory, Head(old, LOG.root(old)))


def test_a_light_client_learns_an_agency_s_keys() -> None:
    directory, checked = verify_proof(PROOF, TOLD)
    assert checked is not None
    checked.check_fresh(NOW)
    assert [each.endpoint for each in directory.endpoints_of("jpn")] == [fed.JPN.endpoint]
    with pytest.raises(LiaisonError, match="stale_head"):
        checked.check_fresh(checked.fresh_until)
    with pytest.raises(LiaisonError, match=r"^from_the_future:"):
        checked.check_fresh(NOW - checked.fresh_until // 2)


def test_what_cannot_be_proved() -> None:
    for whole, agency, since, code in (
        (export(note=None), "jpn", None, Code.NOT_FOUND),
        (export(), "nobody", None, Code.UNKNOWN_AGENCY),
        (export(), "jpn", LOG.size + 1, Code.ROLLBACK),
    ):
        with pytest.raises(LiaisonError) as caught:
            prove(whole, agency, since)
        assert caught.value.code == code


def test_what_is_refused_is_told_with_its_place() -> None:
    whole, head = export(), LOG.head
    documents, memberships = list(whole.documents), list(whole.memberships)
    documents[3], memberships[1] = "no document", "no entry"
    parts = list(PROOF.documents)
    parts[2] = parts[2].model_copy(update={"document": "no document"})
    other = Head(head.size, bytes(32))
    for call, place in (
        (lambda: verify_export(whole.model_copy(update={"documents": documents}), TOLD), "document 3: "),
        (
            lambda: verify_export(whole.model_copy(update={"memberships": memberships}), TOLD),
            "membership entry 1: ",
        ),
        (
            lambda: verify_proof(PROOF.model_copy(update={"documents": parts}), TOLD),
            f"document {parts[2].index}: ",
        ),
        (lambda: check_since(PROOF, other, head), f"two different logs of {head.size} documents"),
        (lambda: continues(fed.directory(), other), f"two different logs of {head.size} documents"),
    ):
        with pytest.raises(TrustError, match=place):
            call()


def test_a_file_without_a_checkpoint_is_the_directory_alone() -> None:
    directory, checked = verify_export(export(note=None), TOLD)
    assert (directory.head, checked) == (LOG.head, None)


def test_a_proof_begins_with_the_root_that_was_told_and_names_each_document_once() -> None:
    assert fed.code_of(verify_proof, PROOF, bytes(32)) is Code.ROOT_MISMATCH
    for documents in (PROOF.documents[1:], [*PROOF.documents[:2], *PROOF.documents[1:]]):
        made = PROOF.model_copy(update={"documents": documents})
        assert fed.code_of(verify_proof, made, TOLD) is Code.BAD_PROOF


def test_what_an_older_file_stood_for() -> None:
    assert heads_of(GOOD) == [LOG.head]
    assert heads_of(export(4).to_bytes()) == [Head(4, LOG.root(4)), LOG.head]
    assert heads_of(export(note=None).to_bytes()) == [LOG.head]
    assert heads_of(PROOF.to_bytes()) == [LOG.head]
    with pytest.raises(LiaisonError, match="bad_document"):
        heads_of(b"{}")


WHOLE = PROOF.to_bytes()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused(place: int, flip: int) -> None:
    data = WHOLE[:place] + bytes([WHOLE[place] ^ flip]) + WHOLE[place + 1 :]
    try:
        found = parse_file(data)
        known, _ = verify_proof(found, TOLD)  # type: ignore[arg-type]
        check_since(found, Head(4, LOG.root(4)), LOG.head)  # type: ignore[arg-type]
    except LiaisonError:
        return
    pytest.fail(f"byte {place} may be {data[place]:#x}: {sorted(known.agencies)}")


@given(st.binary(max_size=300))
def test_hostile_bytes_raise_a_coded_refusal_and_nothing_else(data: bytes) -> None:
    with pytest.raises(LiaisonError):
        parse_file(data)
    with pytest.raises(LiaisonError):
        heads_of(data)
