"""Documents and content: envelopes, the directory's documents, bulletins, cards, exported files, evidence."""

import base64
from typing import Any, Final

from schemas.bulletin import parse_bulletin, parse_draft
from schemas.card import parse_card
from schemas.documents import parse_document, parse_enrolment, parse_membership, parse_witness_request
from schemas.encoding import canonical_json
from schemas.errors import LiaisonError
from schemas.evidence import parse_evidence
from schemas.exports import parse_file
from schemas.signing import DOCUMENT_TYPE, ENROLMENT_TYPE, MEMBERSHIP_TYPE, parse_envelope
from tests.fuzz import samples
from tests.fuzz.mutate import changed_envelope, changed_json
from tests.fuzz.target import Target

_TYPES: Final = (DOCUMENT_TYPE, MEMBERSHIP_TYPE, ENROLMENT_TYPE)


def _envelope(data: bytes) -> None:
    kind = next((each for each in _TYPES if each.encode() in data), DOCUMENT_TYPE)
    assert parse_envelope(data, kind).to_bytes() == data


def _document(data: bytes) -> None:
    signed = parse_document(data)
    assert signed.document.to_bytes() == signed.envelope.payload


def _membership(data: bytes) -> None:
    signed = parse_membership(data)
    assert signed.entry.to_bytes() == signed.envelope.payload


def _enrolment(data: bytes) -> None:
    signed = parse_enrolment(data)
    assert signed.request.to_bytes() == signed.envelope.payload


def _witness_request(data: bytes) -> None:
    signed = parse_witness_request(data)
    assert signed.request.to_bytes() == signed.envelope.payload


def _bulletin(data: bytes) -> None:
    found = parse_bulletin(data)
    written = found.to_bytes()
    try:
        again = parse_bulletin(written)
    except LiaisonError as error:
        raise AssertionError("what was written is refused") from error
    assert again == found


def _draft(data: bytes) -> None:
    found = parse_draft(data)
    assert parse_draft(found.model_dump(mode="json", exclude_none=True)) == found


def _card(data: bytes) -> None:
    assert parse_card(data).to_bytes() == data


def _export(data: bytes) -> None:
    assert parse_file(data).to_bytes() == data


def _evidence(data: bytes) -> None:
    opened = parse_evidence(data)
    assert opened.evidence.to_bytes() == data
    assert opened.head.size == opened.evidence.head.size


def _envelopes(*names: str) -> list[bytes]:
    return [_wrapped(samples.examples()[each]) for each in names]


def _wrapped(document: Any, kind: str = DOCUMENT_TYPE) -> bytes:  # any JSON value
    signature = {"keyid": "ab" * 16, "sig": base64.b64encode(bytes(64)).decode()}
    payload = base64.b64encode(canonical_json(document)).decode()
    return canonical_json({"payload": payload, "payloadType": kind, "signatures": [signature]})


def _documents() -> list[bytes]:
    names = ("root", "hub", "agency", "keys", "revoke", "community", "replace", "identity", "object")
    return [*_envelopes(*(f"document-{name}" for name in names)), *samples.texts("document", "document")[:40]]


def _memberships() -> list[bytes]:
    example = _wrapped(samples.examples()["membership"], MEMBERSHIP_TYPE)
    return [example, *samples.texts("membership", "entry")]


def _enrolments() -> list[bytes]:
    example = _wrapped(samples.examples()["enrolment"], ENROLMENT_TYPE)
    return [example, *samples.texts("enrolment", "request")]


def _witness_requests() -> list[bytes]:
    enrolment, root = samples.examples()["enrolment"], samples.examples()["document-root"]
    witness = root["witnesses"][0]
    asked = {"v": 1, "type": "witness", "issued": enrolment["issued"], "name": witness["name"]}
    return [_wrapped({**asked, "key": witness["key"], "user": enrolment["user"]}, ENROLMENT_TYPE)]


def _bulletins() -> list[bytes]:
    bulletin = samples.examples()["bulletin"]
    given = {name: bulletin[name] for name in ("v", "id", "ref", "issued")}
    drafts = (each["draft"] for each in samples.bulletins())
    return [
        canonical_json(bulletin),
        *(canonical_json({**given, "tlp": "TLP:GREEN", **_short(each)}) for each in drafts),
    ]


def _drafts() -> list[bytes]:
    drafts = (each["draft"] for each in samples.bulletins())
    return [canonical_json(each) for each in (samples.examples()["draft"], *map(_short, drafts))]


def _short(draft: Any) -> Any:  # any draft
    """The same kinds and fields with little text: what is parsed fast is tried more often."""
    texts = {name: str(draft[name])[:40] for name in ("title", "summary", "body") if name in draft}
    inner = [
        {**each, **{n: str(each[n])[:20] for n in ("title", "summary", "body") if n in each}}
        for each in draft.get("translations", [])
    ]
    return {**draft, **texts, **({"translations": inner[:2]} if inner else {})}


def _files() -> list[bytes]:
    """Files whose documents are one letter: they are no business of the parser's."""
    export, proof = samples.examples()["directory-export"], samples.examples()["directory-proof"]
    small = {**export, "documents": ["a", "b"], "memberships": ["c"], "note": export["note"][:60]}
    proven = [{**each, "document": "a"} for each in proof["documents"][:3]]
    return [
        canonical_json(small),
        canonical_json({**small, "note": None}),
        canonical_json({**proof, "documents": proven}),
    ]


def _evidences() -> list[bytes]:
    """Evidence of few and small documents; the frame's own bytes are real."""
    whole = samples.examples()["evidence"]
    documents = [
        {**each, "document": {**each["document"], "payload": "e30="}} for each in whole["documents"][:2]
    ]
    members = [{**each, "payload": "e30="} for each in whole["membership"][:1]]
    frame = {**whole["frames"][0], "body": None}
    small = {**whole, "documents": documents, "membership": members, "frames": [frame]}
    bare = {
        **small,
        "content": None,
        "membership": None,
        "receipt": None,
        "announcement": None,
        "consistency": None,
    }
    return [canonical_json(small), canonical_json(bare), canonical_json({**bare, "documents": documents[:1]})]


_DOCUMENTS: Final = ("schemas/documents.py", "schemas/signing.py")
_BULLETIN: Final = ("schemas/bulletin.py", "schemas/particulars.py")

TARGETS: Final = (
    Target("envelope", _envelope, ("schemas/signing.py",), _documents, changed_json, longest=2048),
    Target("document", _document, _DOCUMENTS, _documents, changed_envelope(), longest=3072),
    Target("membership", _membership, _DOCUMENTS, _memberships, changed_envelope(), longest=1024),
    Target("enrolment", _enrolment, _DOCUMENTS, _enrolments, changed_envelope(), longest=1024),
    Target(
        "witness_request", _witness_request, _DOCUMENTS, _witness_requests, changed_envelope(), longest=1024
    ),
    Target("bulletin", _bulletin, _BULLETIN, _bulletins, changed_json, longest=2048),
    Target("draft", _draft, _BULLETIN, _drafts, changed_json, longest=2048),
    Target(
        "card",
        _card,
        ("schemas/card.py",),
        lambda: [canonical_json(samples.examples()["card"])],
        changed_json,
        longest=512,
    ),
    Target("export", _export, ("schemas/exports.py",), _files, changed_json, longest=2048),
    Target("evidence", _evidence, ("schemas/evidence.py",), _evidences, changed_json, longest=6144),
)
