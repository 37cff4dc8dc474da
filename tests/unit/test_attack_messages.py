"""What a refusal says goes into logs, headers, quarantines and terminals: nothing of it may be the
attacker's.
"""

import json
from collections.abc import Callable

import pytest

from schemas.bulletin import parse_bulletin, parse_draft
from schemas.card import parse_card
from schemas.documents import parse_document, parse_enrolment, parse_membership
from schemas.encoding import canonical_json
from schemas.errors import LiaisonError
from schemas.signing import DOCUMENT_TYPE, ENROLMENT_TYPE, MEMBERSHIP_TYPE, Envelope
from subscribers.local import Verb
from subscribers.service.requests import parse_request

EVIL = "\x1b]0;owned\x07[/bold]\r\n secret words"


def sealed(type: str, fields: dict[str, object]) -> bytes:
    return Envelope(type, canonical_json(fields), ((bytes(16), bytes(64)),)).to_bytes()


CALLS: dict[str, Callable[[dict[str, object]], object]] = {
    "bulletin": lambda fields: parse_bulletin(canonical_json(fields)),
    "draft": lambda fields: parse_draft({"tlp": "TLP:RED", "language": "en", **fields}),
    "card": lambda fields: parse_card(canonical_json(fields)),
    "document": lambda fields: parse_document(sealed(DOCUMENT_TYPE, fields)),
    "membership": lambda fields: parse_membership(sealed(MEMBERSHIP_TYPE, fields)),
    "enrolment": lambda fields: parse_enrolment(sealed(ENROLMENT_TYPE, fields)),
    "request": lambda fields: parse_request(Verb.SEARCH, json.dumps(fields).encode()),
}
SHAPES: list[dict[str, object]] = [
    {EVIL: 1},
    {"type": EVIL},
    {"type": "keys", EVIL: 1},
    {"kind": EVIL, "tlp": EVIL, "v": EVIL},
    {"subjects": [{EVIL: 1}], "links": [{"relation": EVIL}]},
    {"filters": {EVIL: 1}, "words": "a"},
    {"x" * 5000: 1},
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: repr(list(shape))[:40])
@pytest.mark.parametrize("name", CALLS)
def test_no_refusal_repeats_what_was_sent(name: str, shape: dict[str, object]) -> None:
    with pytest.raises(LiaisonError) as refused:
        CALLS[name](shape)
    said = str(refused.value)
    assert "owned" not in said
    assert "secret" not in said
    assert said.isprintable()
    assert len(said) < 1500
