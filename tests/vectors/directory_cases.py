"""Cases about documents, membership entries, enrolment and the hub's receipts."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from schemas.documents import Enrolment, Role
from schemas.encoding import canonical_json, to_base64
from schemas.errors import Code
from schemas.limits import DOCUMENT_MAX
from schemas.receipts import Answer, issue
from schemas.signing import ENROLMENT_TYPE, MEMBERSHIP_TYPE, key_id, sign_envelope
from subscribers.keys import KemKey, SigningKey
from tests.support import federation as fed
from tests.support.federation import AT, BRA, COM, FRA, HUB, JPN, REGISTRAR, ROOTS, UNX
from tests.vectors.recipe import NOW, Case, case, code

SMALL_ORDER: Final = {
    "order_1": "0100000000000000000000000000000000000000000000000000000000000000",
    "order_2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order_4": "0000000000000000000000000000000000000000000000000000000000000000",
    "order_8": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order_8_again": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "not_canonical": "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "not_on_the_curve": "0200000000000000000000000000000000000000000000000000000000000000",
}
"""Points of small order, a second form of one, and no point at all."""

NEXT: Final = to_base64(FRA.next_signing.public)


def directory_cases() -> Iterator[Case]:
    """All of them."""
    yield from _roots()
    yield from _agencies()
    yield from _keys()
    yield from _revocations()
    yield from _communities()
    yield from _envelopes()
    yield from _memberships()
    yield from _enrolments()
    yield from _receipts()


def _document(name: str, what: str, expected: Code, document: bytes, **given: Any) -> Case:
    return case(name, what, "document", code(expected), **given, document=document.decode())


def _good(name: str, what: str, document: bytes) -> Case:
    head = fed.directory([document]).head
    expect = {"size": head.size, "root": head.root.hex()}
    return case(name, what, "document", expect, document=document.decode())


def _roots() -> Iterator[Case]:
    first = fed.documents()[0]
    told = sha256(first).hexdigest()
    head = {"size": 1, "root": sha256(b"\x00" + first).hexdigest()}
    yield case("root_pinned", "the first root", "pinned", head, document=first.decode(), fingerprint=told)
    lone = fed.envelope(fed.root(), ROOTS[0])
    twin = to_base64(ROOTS[0].public)
    twice = fed.envelope(fed.root(root=Role(keys=[twin, twin], threshold=2)), ROOTS[0])
    second = fed.envelope(fed.root(version=2), ROOTS[0], ROOTS[1])
    many = fed.envelope(fed.root(root=Role(keys=[twin], threshold=2)), ROOTS[0])
    named = [to_base64(key.public) for key in (ROOTS[0], ROOTS[0], ROOTS[1])]
    thrice = fed.envelope(fed.root(root=Role(keys=named, threshold=2)), ROOTS[0], ROOTS[1])
    clerk = Role(keys=[to_base64(REGISTRAR.public)], threshold=2)
    unsound = fed.envelope(fed.root(registrar=clerk), ROOTS[0], ROOTS[1])
    rows = (
        ("fingerprint", "another root than we were told of", Code.ROOT_MISMATCH, first, bytes(32).hex()),
        ("version_2", "a second root to begin with", Code.ROOT_MISMATCH, second, None),
        ("no_root", "another document to begin with", Code.ROOT_MISMATCH, fed.documents()[1], None),
        ("below_threshold", "one signature of two", Code.BELOW_THRESHOLD, lone, None),
        ("duplicate_key", "a key that counts twice", Code.BELOW_THRESHOLD, twice, None),
        ("key_named_twice", "a key named twice beside enough others", Code.BELOW_THRESHOLD, thrice, None),
        ("threshold_beyond_keys", "one key of two", Code.BELOW_THRESHOLD, many, None),
        ("registrar_unsound", "a registrar role of one key of two", Code.BELOW_THRESHOLD, unsound, None),
    )
    for name, what, expected, document, other in rows:
        fingerprint = other or sha256(document).hexdigest()
        given = {"document": document.decode(), "fingerprint": fingerprint}
        yield case(f"root_{name}", what, "pinned", code(expected), **given)
    new = fed.root(version=2, root=Role(keys=[to_base64(k.public) for k in ROOTS[1:]], threshold=2))
    yield _good("root_rotated", "signed by both thresholds", fed.envelope(new, *ROOTS[:3]))
    what = "a new root that only the old one has signed"
    yield _document("root_by_old_only", what, Code.BELOW_THRESHOLD, fed.envelope(new, ROOTS[0], ROOTS[1]))
    what = "a new root that only the new one has signed"
    yield _document("root_by_new_only", what, Code.BELOW_THRESHOLD, fed.envelope(new, ROOTS[2], ROOTS[3]))
    what = "the next root's registrar role is of one key of two"
    unsound = fed.envelope(fed.root(version=2, registrar=clerk), ROOTS[0], ROOTS[1])
    yield _document("root_rotated_registrar_unsound", what, Code.BELOW_THRESHOLD, unsound)
    skipped = fed.envelope(fed.root(version=3), ROOTS[0], ROOTS[1])
    yield _document("root_version_skipped", "version 3 after version 1", Code.NOT_NEXT, skipped)
    yield _document("document_again", "a document that is there already", Code.ALREADY_KNOWN, first)
    hub = {"type": "hub", "v": 1, "version": 2, "issued": AT, "name": "Hub", "key": to_base64(HUB.public)}
    yield _good("hub_rotated", "the hub's next receipt key", fed.envelope(hub, REGISTRAR))
    what = "the hub's key without the registrar"
    yield _document("hub_by_itself", what, Code.BELOW_THRESHOLD, fed.envelope(hub, HUB))
    what = "the hub's key, version 3 after version 1"
    skipped = fed.envelope({**hub, "version": 3}, REGISTRAR)
    yield _document("hub_version_skipped", what, Code.NOT_NEXT, skipped)


def _agencies() -> Iterator[Case]:
    new = fed.Party("can", "CAN")
    yield _good("agency_new", "one more agency", fed.envelope(new.agency(), REGISTRAR))
    yield _good("agency_renamed", "another name", fed.envelope(FRA.agency(version=2, name="F"), REGISTRAR))
    theirs = to_base64(FRA.identity.public)
    fresh = to_base64(new.identity.public)
    rows = (
        (
            "by_itself",
            "without the registrar",
            Code.BELOW_THRESHOLD,
            fed.envelope(new.agency(), new.identity),
        ),
        (
            "version_skipped",
            "version 3 after 1",
            Code.NOT_NEXT,
            fed.envelope(FRA.agency(version=3), REGISTRAR),
        ),
        ("version_again", "version 1 again", Code.NOT_NEXT, fed.envelope(FRA.agency(name="F"), REGISTRAR)),
        (
            "code_taken",
            "another agency's code",
            Code.BAD_DOCUMENT,
            fed.envelope(new.agency(code="FRA"), REGISTRAR),
        ),
        (
            "identity_taken",
            "another agency's identity",
            Code.BAD_KEY,
            fed.envelope(new.agency(identity=theirs), REGISTRAR),
        ),
        (
            "identity_replaced",
            "the registrar replaces an identity",
            Code.BAD_KEY,
            fed.envelope(FRA.agency(version=2, identity=fresh), REGISTRAR),
        ),
        (
            "code_changed",
            "another code for a known agency",
            Code.BAD_DOCUMENT,
            fed.envelope(FRA.agency(version=2, code="FRX"), REGISTRAR),
        ),
    )
    for name, what, expected, document in rows:
        yield _document(f"agency_{name}", what, expected, document)
    for name, point in SMALL_ORDER.items():
        document = fed.envelope(new.agency(identity=to_base64(bytes.fromhex(point))), REGISTRAR)
        what = f"an identity key that is no good: {name.replace('_', ' ')}"
        yield _document(f"agency_key_{name}", what, Code.BAD_KEY, document)
    short = fed.envelope(new.agency(identity=to_base64(bytes(31))), REGISTRAR)
    yield _document("agency_key_of_31_bytes", "an identity key of 31 bytes", Code.BAD_KEY, short)
    long = fed.envelope(new.agency(identity=to_base64(bytes(33))), REGISTRAR)
    yield _document("agency_key_of_33_bytes", "an identity key of 33 bytes", Code.BAD_ENCODING, long)
    loose = fed.envelope(new.agency(identity=fresh[:-2] + chr(ord(fresh[-2]) + 1) + "="), REGISTRAR)
    what = "base64 with stray bits at its end"
    yield _document("agency_key_base64_not_canonical", what, Code.BAD_ENCODING, loose)


def _keys() -> Iterator[Case]:
    kem = to_base64(KemKey(fed.seed("fra next kem")).public)
    rotated = FRA.keys(version=2, signing=NEXT, kem=kem)
    yield _good("keys_rotated", "the next keys of an endpoint", fed.envelope(rotated, FRA.identity))
    swapped = fed.envelope(rotated, REGISTRAR, *ROOTS)
    what = "the secretariat swaps an agency's keys"
    yield _document("keys_by_secretariat", what, Code.BAD_SIGNATURE, swapped)
    other = to_base64(SigningKey(fed.seed("another")).public)
    again = to_base64(FRA.signing.public)
    theirs = to_base64(JPN.kem.public)
    rows = (
        (
            "by_old_signing_key",
            "signed by the key that it replaces",
            Code.BAD_SIGNATURE,
            rotated,
            FRA.signing,
        ),
        ("by_other_agency", "signed by another agency", Code.BAD_SIGNATURE, rotated, JPN.identity),
        (
            "version_skipped",
            "version 3 after 1",
            Code.NOT_NEXT,
            FRA.keys(version=3, signing=NEXT),
            FRA.identity,
        ),
        (
            "signing_key_again",
            "a signing key that was used before",
            Code.BAD_KEY,
            FRA.keys(version=2, signing=again),
            FRA.identity,
        ),
        (
            "signing_key_of_other",
            "another endpoint's signing key",
            Code.BAD_KEY,
            FRA.keys(version=2, signing=to_base64(JPN.signing.public)),
            FRA.identity,
        ),
        (
            "kem_key_of_other",
            "another endpoint's encryption key",
            Code.BAD_KEY,
            FRA.keys(version=2, signing=NEXT, kem=theirs),
            FRA.identity,
        ),
        (
            "endpoint_of_other",
            "another agency's endpoint",
            Code.BAD_DOCUMENT,
            FRA.keys(version=2, signing=other, endpoint=JPN.endpoint),
            FRA.identity,
        ),
        (
            "unknown_agency",
            "of an agency that there is not",
            Code.UNKNOWN_AGENCY,
            FRA.keys(agency="xyz", signing=NEXT),
            FRA.identity,
        ),
    )
    for name, what, expected, document, signer in rows:
        yield _document(f"keys_{name}", what, expected, fed.envelope(document, signer))
    for name, point in SMALL_ORDER.items():
        document = FRA.keys(version=2, signing=to_base64(bytes.fromhex(point)))
        what = f"a signing key that is no good: {name.replace('_', ' ')}"
        yield _document(f"keys_{name}", what, Code.BAD_KEY, fed.envelope(document, FRA.identity))
    for size, expected in ((1215, Code.BAD_DOCUMENT), (1217, Code.BAD_ENCODING)):
        fields = {**FRA.keys(version=2, signing=NEXT).model_dump(mode="json"), "kem": to_base64(bytes(size))}
        what = f"an encryption key of {size} bytes"
        yield _document(f"keys_kem_{size}", what, expected, fed.envelope(fields, FRA.identity))


def _revocations() -> Iterator[Case]:
    revoke = fed.envelope(FRA.revoke(), FRA.identity)
    yield _good("revoke", "an agency revokes its own key", revoke)
    again = fed.envelope(FRA.revoke(issued=AT + 1), FRA.identity)
    what = "a key that is revoked already"
    yield _document("revoke_again", what, Code.ALREADY_KNOWN, again, documents=[revoke.decode()])
    what = "another agency revokes it"
    yield _document("revoke_by_other", what, Code.BAD_SIGNATURE, fed.envelope(FRA.revoke(), JPN.identity))
    theirs = fed.envelope(FRA.revoke(kid=JPN.kid), FRA.identity)
    yield _document("revoke_of_other", "another agency's key", Code.UNKNOWN_KEY, theirs)
    unknown = fed.envelope(FRA.revoke(kid="00" * 16), FRA.identity)
    yield _document("revoke_unknown", "a key that nobody has", Code.UNKNOWN_KEY, unknown)
    used = fed.envelope(FRA.keys(version=2), FRA.identity)
    what = "a revoked key comes back"
    yield _document("revoke_then_again", what, Code.BAD_KEY, used, documents=[revoke.decode()])


def _communities() -> Iterator[Case]:
    new = "99" * 16
    both = (FRA.identity, JPN.identity)
    yield _good("community_new", "one more community", fed.envelope(fed.community(id=new), *both))
    twins = fed.community(id=new, owners=["fra", "fra"])
    steep = fed.community(id=new, threshold=3)
    ghost = fed.community(id=new, owners=["fra", "xyz"])
    rows = (
        (
            "below_threshold",
            "one owner's signature of two",
            Code.BELOW_THRESHOLD,
            fed.community(id=new),
            both[:1],
        ),
        (
            "by_secretariat",
            "the secretariat makes one for others",
            Code.BELOW_THRESHOLD,
            fed.community(id=new),
            ROOTS,
        ),
        ("owner_twice", "an owner that counts twice", Code.BAD_DOCUMENT, twins, both[:1]),
        ("threshold_beyond_owners", "three of two", Code.BAD_DOCUMENT, steep, both),
        ("unknown_owner", "an owner that there is not", Code.UNKNOWN_AGENCY, ghost, both),
        ("again", "an id that is taken", Code.BAD_DOCUMENT, fed.community(issued=AT + 1), both),
    )
    for name, what, expected, document, signers in rows:
        yield _document(f"community_{name}", what, expected, fed.envelope(document, *signers))


def _envelopes() -> Iterator[Case]:
    new = fed.Party("can", "CAN").agency()
    fields = new.model_dump(mode="json")
    good = fed.envelope(new, REGISTRAR)
    sealed = sign_envelope("application/vnd.liaison.directory.v1+json", new.to_bytes(), [REGISTRAR])
    twice = sealed._replace(signatures=sealed.signatures * 2).to_bytes()
    unsigned = sealed._replace(signatures=()).to_bytes()
    forged = sealed._replace(signatures=((key_id(REGISTRAR.public), bytes(64)),)).to_bytes()
    crowd = tuple((bytes((n,)) * 16, bytes(64)) for n in range(33))
    short = sealed._replace(signatures=((key_id(REGISTRAR.public), bytes(63)),)).to_bytes()
    spaced = new.to_bytes().replace(b'"v":1', b'"v": 1')
    other = fed.envelope(new, REGISTRAR, type=MEMBERSHIP_TYPE)
    big = canonical_json({"x": "y" * DOCUMENT_MAX})

    def signed(payload: bytes) -> bytes:
        return sign_envelope("application/vnd.liaison.directory.v1+json", payload, [REGISTRAR]).to_bytes()

    rows = (
        ("unsigned", "no signature", Code.BAD_DOCUMENT, unsigned),
        ("signature_does_not_hold", "a signature of zeros", Code.BELOW_THRESHOLD, forged),
        ("key_signs_twice", "the same key twice", Code.BAD_DOCUMENT, twice),
        ("signatures_33", "33 signatures", Code.BAD_DOCUMENT, sealed._replace(signatures=crowd).to_bytes()),
        ("signature_of_63_bytes", "a signature of 63 bytes", Code.BAD_DOCUMENT, short),
        ("other_type", "another payload type", Code.BAD_DOCUMENT, other),
        ("not_canonical", "a space in the envelope", Code.BAD_ENCODING, good.replace(b'":"', b'": "', 1)),
        ("unknown_field", "one more field", Code.BAD_DOCUMENT, good[:-1] + b',"x":1}'),
        (
            "signature_unknown_field",
            "one more field beside a signature",
            Code.BAD_DOCUMENT,
            good.replace(b'"keyid"', b'"a":1,"keyid"'),
        ),
        (
            "keyid_upper_case",
            "a key id in upper case",
            Code.BAD_ENCODING,
            good.replace(
                key_id(REGISTRAR.public).hex().encode(), key_id(REGISTRAR.public).hex().upper().encode()
            ),
        ),
        (
            "not_base64",
            "a payload that is not base64",
            Code.BAD_ENCODING,
            good.replace(b'"payload":"', b'"payload":"*'),
        ),
        ("not_json", "no JSON at all", Code.BAD_JSON, b"hello"),
        ("array", "an array", Code.BAD_JSON, b"[1]"),
        ("too_large", "beyond 32 KiB", Code.TOO_LARGE, big),
    )
    for name, what, expected, document in rows:
        yield _document(f"envelope_{name}", what, expected, document)
    payloads = (
        ("not_canonical", "a space in the document", Code.BAD_ENCODING, spaced),
        (
            "duplicate_key",
            "a key that stands twice",
            Code.BAD_JSON,
            new.to_bytes().replace(b'"v":1', b'"v":1,"v":1'),
        ),
        (
            "boolean",
            "true where a number belongs",
            Code.BAD_DOCUMENT,
            canonical_json({**fields, "version": True}),
        ),
        (
            "float",
            "1.0 where a whole number belongs",
            Code.BAD_JSON,
            new.to_bytes().replace(b'"v":1', b'"v":1.0'),
        ),
        ("unknown_field", "one more field", Code.BAD_DOCUMENT, canonical_json({**fields, "x": 1})),
        (
            "unknown_type",
            "a type that there is not",
            Code.BAD_DOCUMENT,
            canonical_json({**fields, "type": "spy"}),
        ),
        (
            "no_type",
            "no type",
            Code.BAD_DOCUMENT,
            canonical_json({k: v for k, v in fields.items() if k != "type"}),
        ),
        ("deep", "nested too deeply", Code.BAD_JSON, b'{"x":' + b"[" * 40 + b"]" * 40 + b"}"),
        (
            "id_with_line_break",
            "an id with a line break after it",
            Code.BAD_DOCUMENT,
            canonical_json({**fields, "id": "can\n"}),
        ),
    )
    for name, what, expected, payload in payloads:
        yield _document(f"document_{name}", what, expected, signed(payload))


def _memberships() -> Iterator[Case]:
    log = fed.memberships()[COM]
    both = (FRA.identity, JPN.identity)

    def put(name: str, what: str, expect: dict[str, Any], entry: bytes) -> Case:
        given = {"community": COM, "entry": entry.decode(), "now": NOW}
        return case(f"membership_{name}", what, "membership", expect, **given)

    for name, what, changes in (
        ("added", "the owners add a member", {"id": "bra"}),
        ("removed", "the owners remove a member", {"id": "jpn", "op": "remove"}),
        ("role_changed", "a reader may publish from now on", {"id": "unx"}),
        ("later", "added, but not yet in effect", {"id": "bra", "nbf": NOW + 1}),
    ):
        entry = fed.by_owners(fed.entry(log, **changes))
        grown = fed.directory(entries=[entry]).communities[COM]
        expect = {"size": grown.head.size, "root": grown.head.root.hex(), "members": grown.members(NOW)}
        yield put(name, what, expect, entry)
    added = fed.entry(log, id="bra")
    rows = (
        (
            "by_nobody_who_owns",
            "added by a member that does not own it",
            Code.BELOW_THRESHOLD,
            added,
            [UNX.identity],
        ),
        ("by_secretariat", "the secretariat adds a ghost", Code.BELOW_THRESHOLD, added, [*ROOTS, REGISTRAR]),
        ("by_itself", "an agency adds itself", Code.BELOW_THRESHOLD, added, [BRA.identity]),
        ("by_one_owner", "one owner's signature of two", Code.BELOW_THRESHOLD, added, [FRA.identity]),
        (
            "by_signing_keys",
            "signed by the owners' other keys",
            Code.BELOW_THRESHOLD,
            added,
            [FRA.signing, JPN.signing],
        ),
        ("index_skipped", "the entry after the next", Code.NOT_NEXT, fed.entry(log, id="bra", index=4), both),
        (
            "index_again",
            "an entry in another's place",
            Code.NOT_NEXT,
            fed.entry(log, id="bra", index=2),
            both,
        ),
        ("other_past", "on another log", Code.NOT_NEXT, fed.entry(log, id="bra", prev="11" * 32), both),
        (
            "unknown_agency",
            "an agency that there is not",
            Code.UNKNOWN_AGENCY,
            fed.entry(log, id="xyz"),
            both,
        ),
        (
            "unknown_community",
            "in a community that there is not",
            Code.UNKNOWN_COMMUNITY,
            fed.entry(log, com="99" * 16),
            both,
        ),
    )
    for name, what, expected, document, signers in rows:
        yield put(name, what, code(expected), fed.envelope(document, *signers, type=MEMBERSHIP_TYPE))
    fields = added.model_dump(mode="json")
    what = "a role that there is not"
    odd = fed.envelope({**fields, "role": "owner"}, *both, type=MEMBERSHIP_TYPE)
    yield put("role_unknown", what, code(Code.BAD_DOCUMENT), odd)
    what = "signed as a directory document"
    yield put("other_type", what, code(Code.BAD_DOCUMENT), fed.envelope(added, *both))


def _enrolments() -> Iterator[Case]:
    user = "U" + FRA.endpoint[1:]
    identity = to_base64(FRA.identity.public)
    fields = {"issued": AT, "id": "fra", "name": "France", "code": "FRA", "identity": identity, "user": user}
    good = Enrolment.model_validate(fields)

    def asked(name: str, what: str, expect: dict[str, Any], request: Any, type: str = ENROLMENT_TYPE) -> Case:
        text = fed.envelope(request, FRA.identity, type=type).decode()
        return case(f"enrolment_{name}", what, "enrolment", expect, request=text)

    yield asked("good", "an agency asks to be let in", {"id": "fra"}, good)
    loose = {**good.model_dump(mode="json"), "code": "fra"}
    yield asked("code_lower_case", "a code in lower case", code(Code.BAD_DOCUMENT), loose)
    weak = {**good.model_dump(mode="json"), "identity": to_base64(bytes.fromhex(SMALL_ORDER["order_8"]))}
    yield asked("key_of_small_order", "an identity key of small order", code(Code.BAD_KEY), weak)
    what = "signed as a directory document"
    yield asked(
        "other_type", what, code(Code.BAD_DOCUMENT), good, type="application/vnd.liaison.directory.v1+json"
    )


def _receipts() -> Iterator[Case]:
    digests = [sha256(bytes((n,))).hexdigest() for n in range(5)]
    answers = [
        Answer(FRA.endpoint, digests[0], "admitted", AT),
        Answer(JPN.endpoint, digests[1], "admitted", AT),
        Answer(FRA.endpoint, digests[2], "not_member", AT),
        Answer(JPN.endpoint, digests[3], "replayed", AT),
        Answer(FRA.endpoint, digests[4], "admitted", AT + 1),
    ]
    good = issue(answers, HUB)[FRA.endpoint]
    key = HUB.public.hex()

    def given(
        name: str, what: str, expect: dict[str, Any], receipt: bytes, publisher: str = FRA.endpoint
    ) -> Case:
        fields = {"receipt": receipt.decode(), "publisher": publisher, "key": key}
        return case(f"receipt_{name}", what, "receipt", expect, **fields)

    told = {"answers": [[digests[0], "admitted"], [digests[2], "not_member"], [digests[4], "admitted"]]}
    yield given("good", "three answers under one signature", told, good)
    one = issue(answers[:1], HUB)[FRA.endpoint]
    yield given("of_one", "a batch of one", {"answers": [[digests[0], "admitted"]]}, one)
    bad = code(Code.BAD_RECEIPT)
    others = [answer._replace(publisher=JPN.endpoint) for answer in answers]
    rows = (
        ("for_another", "answers to another publisher", issue(others, HUB)[JPN.endpoint]),
        ("by_another_key", "signed by somebody else", issue(answers, REGISTRAR)[FRA.endpoint]),
        ("code_changed", "a refusal turned into an admission", good.replace(b"not_member", b"admitted")),
        ("code_unknown", "a code that there is not", good.replace(b"not_member", b"why_not")),
        ("time_changed", "another time", good.replace(str(AT + 1).encode(), str(AT + 2).encode())),
        ("hash_changed", "about other bytes", good.replace(digests[0].encode(), digests[1].encode())),
        ("index_beyond", "an index beyond the batch", good.replace(b'"index":4', b'"index":5')),
        ("index_beyond_one", "place 1 of a batch of one", one.replace(b'"index":0', b'"index":1')),
        ("index_other", "another place in the batch", good.replace(b'"index":4', b'"index":3')),
        ("size_changed", "another batch size", good.replace(b'"size":5', b'"size":6')),
        ("size_boolean", "true where a number belongs", good.replace(b'"size":5', b'"size":true')),
        ("version_boolean", "true for version 1", good.replace(b'"v":1', b'"v":true')),
        ("version_2", "version 2", good.replace(b'"v":1', b'"v":2')),
        ("unknown_field", "one more field", good[:-1] + b',"x":1}'),
        ("item_unknown_field", "one more field in an answer", good.replace(b'"index":4', b'"a":1,"index":4')),
        (
            "item_no_object",
            "an answer that is no object",
            canonical_json({"items": [1], "root": "00" * 32, "sig": to_base64(bytes(64)), "size": 1, "v": 1}),
        ),
        (
            "signature_of_63_bytes",
            "a short signature",
            canonical_json({"items": [], "root": "00" * 32, "sig": to_base64(bytes(63)), "size": 1, "v": 1}),
        ),
        (
            "items_no_array",
            "answers that are no array",
            canonical_json({"items": {}, "root": "00" * 32, "sig": to_base64(bytes(64)), "size": 1, "v": 1}),
        ),
    )
    for name, what, receipt in rows:
        yield given(name, what, bad, receipt)
