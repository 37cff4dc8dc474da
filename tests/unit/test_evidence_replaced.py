"""Evidence about an agency whose identity key was replaced: what was signed before stays proved."""

from hashlib import sha256

import pytest

from schemas.directory import Directory
from schemas.documents import Identity, LogSize, Membership, Object
from schemas.encoding import canonical_json, to_base64
from schemas.evidence import FramePart, Signed, parse_evidence
from schemas.frame import parse_frame
from schemas.proof import check
from schemas.signing import MEMBERSHIP_TYPE, parse_envelope
from subscribers.judging.showing import Kept, compose
from tests.support.format_example import AT, COMMUNITY, LIFE, signing_key
from tests.unit.test_evidence import PINNED, WORLD, Json, fields, logged

SAID, _, TAKEN = WORLD.replacement


def lines(shown: Json) -> dict[str, tuple[str, str]]:
    found = check(parse_evidence(canonical_json(shown)), PINNED).findings
    return {each.check: (each.status, each.code or each.text) for each in found}


def entry(*names: str) -> bytes:
    """The next entry of the log, signed by these keys."""
    prev = sha256(WORLD.entries[-1]).hexdigest()
    place = {"com": COMMUNITY, "index": 2, "prev": prev, "issued": AT, "nbf": AT + LIFE}
    more = Membership.model_validate({**place, "op": "remove", "id": "jpn", "role": "reader"})
    return WORLD.document(more, *names, type=MEMBERSHIP_TYPE)


def shown(*documents: bytes, entries: list[bytes] | None = None) -> Json:
    made = {**fields(), **logged([*WORLD.documents, *documents])}
    if entries is not None:
        parts = [Signed.of(parse_envelope(each, MEMBERSHIP_TYPE)).model_dump() for each in entries]
        made["membership"] = parts
    return made


def test_what_the_key_before_has_bound_is_told_so() -> None:
    found = lines(shown(SAID, TAKEN))
    assert {found[name][0] for name in ("key", "agency", "root", "membership")} == {"proved"}
    assert "since replaced" in found["key"][1]
    assert "since replaced" not in lines(shown(SAID))["key"][1]


def test_a_membership_log_goes_on_by_the_new_key() -> None:
    after = [*WORLD.entries, entry("fra new identity")]
    assert lines(shown(SAID, TAKEN, entries=after))["membership"][0] == "proved"
    former = [*WORLD.entries, entry("fra identity")]
    assert lines(shown(SAID, TAKEN, entries=former))["membership"] == ("failed", "below_threshold")


@pytest.mark.parametrize("signer", ["registrar", "fra identity"])
def test_a_replacement_that_is_none_fails_in_the_agency_s_line(signer: str) -> None:
    new = to_base64(signing_key("fra new identity").public)
    false = Identity(issued=AT + LIFE, agency="fra", identity=new, logs=[LogSize(com=COMMUNITY, size=2)])
    assert lines(shown(SAID, WORLD.document(false, signer)))["agency"] == ("failed", "bad_signature")
    no = WORLD.document(Object(issued=AT, agency="fra", identity=new), "jpn identity")
    assert lines(shown(SAID, no))["agency"] == ("failed", "bad_signature")
    assert lines(shown(WORLD.document(false, signer)))["agency"] == ("failed", "unknown_key")


def test_a_node_puts_these_documents_into_the_file() -> None:
    frame, documents = parse_frame(WORLD.frame), [*WORLD.documents, SAID, TAKEN]
    directory = Directory.pinned(documents[0])
    for each in documents[1:]:
        directory = directory.apply(each)
    for each in WORLD.entries:
        directory = directory.apply_membership(each)
    part = FramePart.of(frame, sha256(frame.body).digest(), whole=False)
    head = directory.head
    note = WORLD.note_of(head)
    made = compose(Kept((part,), None, None, None), documents, WORLD.entries, directory, note)
    assert [each.index for each in made.documents] == [0, 1, 2, 4, 6, 7, 8]
    assert check(parse_evidence(made.to_bytes()), PINNED).proved
