"""Cases about the directory as a log: checkpoints, witnesses, proofs and exported files."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Final

from schemas.checkpoint import Checkpoint, Note, NoteSignature, cosign, origin_of, sign_log
from schemas.documents import LogSize
from schemas.encoding import canonical_json, parse_json, to_base64
from schemas.errors import Code
from schemas.exports import Export, Proof, prove
from schemas.limits import CLOCK_SKEW_MAX, DOCUMENT_MAX, EXPORT_MAX, INTEGER_MAX, NOTE_MAX
from schemas.merkle import Head, Log
from subscribers.keys import SigningKey
from tests.support import federation as fed
from tests.support import identities
from tests.support.federation import AT, FRA, FRESHNESS, HUB, JPN, REGISTRAR, ROOTS, WITNESSES
from tests.vectors.recipe import Case, b64, case, code

ORIGIN: Final = origin_of(sha256(fed.documents()[0]).digest())
LOG: Final = Log(fed.documents())
HEAD: Final = Checkpoint(ORIGIN, LOG.head)
NOW: Final = AT + FRESHNESS // 2
SECONDS: Final = AT // 1000


def log_cases() -> Iterator[Case]:
    """All of them."""
    yield from _notes()
    yield from _refused_notes()
    yield from _roots()
    yield from _exports()
    yield from _proofs()
    yield from _replaced()


def signed(checkpoint: Checkpoint = HEAD) -> NoteSignature:
    """The log's signature."""
    return sign_log(checkpoint, checkpoint.origin, HUB)


def by(number: int, seconds: int = SECONDS, checkpoint: Checkpoint = HEAD) -> NoteSignature:
    """A witness's cosignature."""
    return cosign(checkpoint, fed.witness(number).name, seconds, WITNESSES[number])


def note(*signatures: NoteSignature, checkpoint: Checkpoint = HEAD) -> bytes:
    """The bytes of a note."""
    return Note(checkpoint, signatures).to_bytes()


GOOD: Final = note(signed(), by(0), by(1))


def _checkpoint(name: str, what: str, expect: dict[str, Any], data: bytes, **changes: Any) -> Case:
    root = fed.root()
    given = {
        "fingerprint": sha256(fed.documents()[0]).hexdigest(),
        "hub": to_base64(HUB.public),
        "witnesses": [{"name": each.name, "key": each.key} for each in root.witnesses],
        "quorum": root.quorum,
        "freshness": root.freshness,
        "now": NOW,
        **changes,
    }
    return case(f"checkpoint_{name}", what, "checkpoint", expect, **given, note=b64(data))


def _held(*seconds: int, quorum: int = 2) -> dict[str, Any]:
    times = sorted((each * 1000 for each in seconds), reverse=True)
    until = times[quorum - 1] + FRESHNESS if quorum else INTEGER_MAX
    return {"size": HEAD.head.size, "root": HEAD.head.root.hex(), "times": times, "fresh_until": until}


def _notes() -> Iterator[Case]:
    later = SECONDS + 60
    rows: tuple[tuple[str, str, dict[str, Any], bytes, dict[str, Any]], ...] = (
        ("cosigned", "two of three witnesses", _held(SECONDS, SECONDS), GOOD, {}),
        ("no_quorum", "no witness is asked for", _held(quorum=0), note(signed()), {"quorum": 0}),
        (
            "times",
            "fresh by the second newest of three times",
            _held(later, SECONDS, SECONDS - 60),
            note(signed(), by(2, SECONDS - 60), by(0, later), by(1)),
            {},
        ),
        (
            "newest_counts",
            "a witness signed twice, and counts once by its newest time",
            _held(later, SECONDS),
            note(signed(), by(0), by(0, later), by(1)),
            {},
        ),
        (
            "stranger_ignored",
            "a cosignature by somebody whom the root does not name",
            _held(SECONDS, SECONDS),
            note(by(3), signed(), by(0), by(1)),
            {},
        ),
        (
            "just_fresh",
            "one millisecond before it is stale",
            _held(SECONDS, SECONDS),
            GOOD,
            {"now": AT + FRESHNESS - 1},
        ),
    )
    for name, what, expect, data, changes in rows:
        yield _checkpoint(name, what, expect, data, **changes)


def _refused_notes() -> Iterator[Case]:
    other, text = Checkpoint("liaison/directory/" + "0" * 64, LOG.head), GOOD.decode()
    swapped = Checkpoint(ORIGIN, Head(HEAD.head.size, bytes(32)))
    lines = text.split("\n")
    small = Checkpoint(ORIGIN, Head(HEAD.head.size, HEAD.head.root[:31]))
    flipped = by(1)._replace(signature=by(1).signature[:-1] + bytes([by(1).signature[-1] ^ 1]))
    moved = by(1)._replace(signature=(SECONDS + 1).to_bytes(8, "big") + by(1).signature[8:])
    bad, short, form = Code.BAD_CHECKPOINT, Code.WITNESS_SHORTFALL, Code.BAD_ENCODING
    rows: tuple[tuple[str, str, Code, bytes], ...] = (
        (
            "other_origin",
            "a checkpoint of another log",
            bad,
            note(signed(other), by(0, checkpoint=other), by(1, checkpoint=other), checkpoint=other),
        ),
        ("not_by_the_log", "only witnesses have signed", bad, note(by(0), by(1))),
        (
            "log_signature_of_other",
            "the log's signature is of another checkpoint",
            bad,
            note(signed(swapped), by(0), by(1)),
        ),
        (
            "log_key_of_other",
            "signed by another key under the log's name",
            bad,
            note(sign_log(HEAD, ORIGIN, JPN.signing), by(0), by(1)),
        ),
        ("one_witness", "one witness of two", short, note(signed(), by(0))),
        ("witness_twice", "one witness signs twice", short, note(signed(), by(0), by(0, SECONDS + 1))),
        ("cosignature_flipped", "a cosignature does not hold", short, note(signed(), by(0), flipped)),
        ("cosignature_moved", "a cosignature with a later time", short, note(signed(), by(0), moved)),
        (
            "cosignature_of_other",
            "a cosignature of another checkpoint",
            short,
            note(signed(), by(0), by(1, checkpoint=swapped)),
        ),
        (
            "stranger",
            "the second witness is one whom the root does not name",
            short,
            note(signed(), by(0), by(3)),
        ),
        (
            "witness_as_log",
            "a witness signs as if it were a log",
            short,
            note(signed(), by(0), sign_log(HEAD, fed.witness(1).name, WITNESSES[1])),
        ),
        ("empty", "no bytes", bad, b""),
        ("truncated", "ends in a signature", bad, GOOD[:-1]),
        ("no_signatures", "nothing after the blank line", bad, HEAD.body() + b"\n"),
        ("no_blank_line", "no blank line", bad, text.replace("\n\n", "\n", 1).encode()),
        ("extension_line", "a fourth line", bad, text.replace("\n\n", "\nmore\n\n", 1).encode()),
        ("carriage_return", "lines ended by two characters", bad, text.replace("\n", "\r\n").encode()),
        ("size_with_zero", "a size with a leading zero", bad, text.replace("\n", "\n0", 1).encode()),
        ("size_with_sign", "a size with a sign", bad, text.replace("\n", "\n+", 1).encode()),
        ("size_too_large", "a size beyond 2^53 - 1", bad, text.replace(lines[1], str(2**53), 1).encode()),
        ("hyphen", "a hyphen for the dash", bad, text.replace("\u2014", "-").encode()),
        ("name_with_plus", "a name with a plus sign", bad, text.replace("witness-1.", "witness+1.").encode()),
        ("not_utf8", "bytes that are no UTF-8", bad, GOOD.replace(b"witness-1", b"witness\xff1")),
        ("root_short", "a root of 31 bytes", bad, note(signed(small), checkpoint=small)),
        (
            "signature_short",
            "a signature of 71 bytes",
            bad,
            note(signed(), by(0), by(1)._replace(signature=by(1).signature[:-1])),
        ),
        ("too_many_signatures", "33 signatures", bad, note(*[signed()] * 33)),
        ("root_stray_bits", "base64 with stray bits", form, GOOD.replace(b"=\n\n", _stray(lines[2]), 1)),
        ("base64_unpadded", "base64 without padding", form, GOOD.replace(b"=\n\n", b"\n\n", 1)),
        ("too_large", "more bytes than a note may have", Code.TOO_LARGE, GOOD + bytes(NOTE_MAX)),
    )
    for name, what, expected, data in rows:
        yield _checkpoint(name, what, code(expected), data)
    yield _checkpoint("stale", "the quorum's time is over", code(Code.STALE_HEAD), GOOD, now=AT + FRESHNESS)
    early = AT - CLOCK_SKEW_MAX
    what = "signed a millisecond further ahead than clocks differ"
    yield _checkpoint("ahead", what, code(Code.FROM_THE_FUTURE), GOOD, now=early - 1)
    what = "signed as far ahead as clocks differ"
    yield _checkpoint("just_not_ahead", what, _held(SECONDS, SECONDS), GOOD, now=early)


def _stray(root: str) -> bytes:
    """The end of a root in base64 with a bit set that means nothing."""
    return (chr(ord(root[-2]) + 1) + "=\n\n").encode()


def _roots() -> Iterator[Case]:
    def root(name: str, what: str, expected: Code, **changes: Any) -> Case:
        document = fed.envelope(fed.root(**changes), ROOTS[0], ROOTS[1])
        given = {"document": document.decode(), "fingerprint": sha256(document).hexdigest()}
        return case(f"witnesses_{name}", what, "pinned", code(expected), **given)

    first = fed.witness(0)
    named = first.model_copy(update={"key": to_base64(WITNESSES[3].public)})
    keyed = fed.witness(3).model_copy(update={"key": first.key})
    clerk = first.model_copy(update={"key": to_base64(REGISTRAR.public)})
    holder = first.model_copy(update={"key": to_base64(ROOTS[0].public)})
    spaced = {"v": 1, "name": "witness 0", "key": first.key}
    yield root("named_twice", "two witnesses of one name", Code.BAD_DOCUMENT, witnesses=[first, named])
    yield root("key_twice", "two witnesses with one key", Code.BAD_DOCUMENT, witnesses=[first, keyed])
    yield root("too_few", "a quorum of 2 of 1", Code.BAD_DOCUMENT, witnesses=[first], quorum=2)
    yield root("registrar", "a registrar as its own witness", Code.BAD_KEY, witnesses=[clerk], quorum=1)
    yield root("root_holder", "a holder of a root key as witness", Code.BAD_KEY, witnesses=[holder], quorum=1)
    fields = parse_json(fed.root().to_bytes(), DOCUMENT_MAX)
    raw = {
        "space_in_name": ("a name with a space", {**fields, "witnesses": [spaced], "quorum": 0}),
        "missing": ("no word of witnesses", {k: v for k, v in fields.items() if k != "witnesses"}),
        "never_fresh": ("a freshness of 0", {**fields, "freshness": 0}),
        "too_many": ("17 witnesses", {**fields, "witnesses": [_numbered(n) for n in range(17)]}),
    }
    for name, (what, document) in raw.items():
        data = fed.envelope(document, ROOTS[0], ROOTS[1])
        given = {"document": data.decode(), "fingerprint": sha256(data).hexdigest()}
        yield case(f"witnesses_{name}", what, "pinned", code(Code.BAD_DOCUMENT), **given)
    hub = {"type": "hub", "v": 1, "version": 2, "issued": AT, "name": "Hub", "key": first.key}
    what = "the hub has the key of a witness"
    given = {"document": fed.envelope(hub, REGISTRAR).decode()}
    yield case("witnesses_hub", what, "document", code(Code.BAD_KEY), **given)
    ours = first.model_copy(update={"key": to_base64(HUB.public)})
    second = fed.envelope(fed.root(version=2, witnesses=[ours], quorum=1), ROOTS[0], ROOTS[1])
    what = "a next root names the hub as witness"
    yield case("witnesses_hub_named", what, "document", code(Code.BAD_KEY), document=second.decode())


def _numbered(number: int) -> dict[str, Any]:
    key = SigningKey(fed.seed(f"extra witness {number}")).public
    return {"v": 1, "name": f"extra-{number}", "key": to_base64(key)}


def export(size: int | None = None, **changes: Any) -> Export:
    """The base as a file, with a checkpoint of its first `size` documents."""
    documents = [each.decode() for each in fed.documents()]
    entries = [each.decode() for log in fed.memberships().values() for each in log]
    size = len(documents) if size is None else size
    point = Checkpoint(ORIGIN, Head(size, LOG.root(size)))
    data = note(signed(point), by(0, checkpoint=point), by(1, checkpoint=point), checkpoint=point)
    return Export(**{"documents": documents, "memberships": entries, "note": data.decode(), **changes})


def _file(name: str, what: str, expect: dict[str, Any], data: bytes, **given: Any) -> Case:
    told = {"fingerprint": sha256(fed.documents()[0]).hexdigest(), "now": NOW, **given}
    return case(f"file_{name}", what, "file", expect, **told, file=data.decode())


def _point(size: int) -> dict[str, Any]:
    return {"head": [size, LOG.root(size).hex()], "fresh_until": AT + FRESHNESS}


def _exports() -> Iterator[Case]:
    size, whole = LOG.size, export()
    yield _file("export", "the whole directory", _point(size), whole.to_bytes())
    yield _file("export_ahead", "documents after the checkpoint", _point(4), export(4).to_bytes())
    none = {"head": None, "fresh_until": None}
    yield _file("export_no_note", "no checkpoint yet", none, export(note=None).to_bytes())
    old = [4, LOG.root(4).hex()]
    yield _file("export_since", "continues an old head", _point(size), whole.to_bytes(), since=old)
    documents, entries = whole.documents, whole.memberships
    swapped = Checkpoint(ORIGIN, Head(size, bytes(32)))
    beyond = Checkpoint(ORIGIN, Head(size + 1, bytes(32)))

    def pointing(point: Checkpoint) -> str:
        return note(
            signed(point), by(0, checkpoint=point), by(1, checkpoint=point), checkpoint=point
        ).decode()

    rows: tuple[tuple[str, str, Code, Export, dict[str, Any]], ...] = (
        ("other_root", "another fingerprint", Code.ROOT_MISMATCH, whole, {"fingerprint": "0" * 64}),
        (
            "document_left_out",
            "the keys of an agency without the agency",
            Code.UNKNOWN_AGENCY,
            export(note=None, documents=[*documents[:2], *documents[3:]]),
            {},
        ),
        (
            "entry_left_out",
            "the second membership entry without the first",
            Code.NOT_NEXT,
            export(memberships=entries[1:]),
            {},
        ),
        ("other_log", "a checkpoint of other documents", Code.SPLIT_VIEW, export(note=pointing(swapped)), {}),
        ("cut", "fewer documents than the checkpoint", Code.LOG_BEHIND, export(note=pointing(beyond)), {}),
        ("before_hub", "a checkpoint of the root alone", Code.BAD_CHECKPOINT, export(1), {}),
        (
            "below_quorum",
            "a checkpoint that one witness has signed",
            Code.WITNESS_SHORTFALL,
            export(note=note(signed(), by(0)).decode()),
            {},
        ),
        ("stale", "an old checkpoint", Code.STALE_HEAD, whole, {"now": AT + FRESHNESS}),
        ("rolled_back", "shorter than before", Code.ROLLBACK, whole, {"since": [size + 1, "0" * 64]}),
        ("other_past", "another past than before", Code.SPLIT_VIEW, whole, {"since": [4, "0" * 64]}),
    )
    for name, what, expected, data, given in rows:
        yield _file(f"export_{name}", what, code(expected), data.to_bytes(), **given)
    fields = parse_json(whole.to_bytes(), EXPORT_MAX)
    loose = canonical_json(fields).replace(b'","', b'", "', 1)
    yield _file("export_not_canonical", "a space between documents", code(Code.BAD_ENCODING), loose)
    shapes = {
        "no_documents": ("no documents", {**fields, "documents": []}),
        "other_type": ("another type of file", {**fields, "type": "photograph"}),
        "unknown_field": ("a field of no meaning", {**fields, "more": 1}),
    }
    for name, (what, shape) in shapes.items():
        yield _file(f"export_{name}", what, code(Code.BAD_DOCUMENT), canonical_json(shape))


def _proofs() -> Iterator[Case]:
    whole, size = export(), LOG.size
    proof = prove(whole, "jpn", since=4)
    old = [4, LOG.root(4).hex()]
    yield _file("proof", "one agency and the roots", _point(size), proof.to_bytes())
    yield _file("proof_since", "continues an old head", _point(size), proof.to_bytes(), since=old)
    same = [size, LOG.root(size).hex()]
    yield _file("proof_since_same", "the same head again", _point(size), proof.to_bytes(), since=same)
    some = proof.documents

    def changed(place: int, **fields: Any) -> Proof:
        there = [*some[:place], some[place].model_copy(update=fields), *some[place + 1 :]]
        return proof.model_copy(update={"documents": there})

    path = some[-1].path
    flip: Callable[[str], str] = lambda text: ("1" if text[0] == "0" else "0") + text[1:]  # noqa: E731
    since = proof.since
    assert since is not None
    bent = since.model_copy(update={"path": [flip(since.path[0]), *since.path[1:]]})
    without = proof.model_copy(update={"since": None})
    one = note(signed(), by(0)).decode()
    rows: tuple[tuple[str, str, Code, Proof, dict[str, Any]], ...] = (
        (
            "path_flipped",
            "a path to another root",
            Code.BAD_PROOF,
            changed(-1 + len(some), path=[flip(path[0]), *path[1:]]),
            {},
        ),
        ("path_short", "a path without its end", Code.BAD_PROOF, changed(len(some) - 1, path=path[:-1]), {}),
        (
            "path_long",
            "a path that goes on",
            Code.BAD_PROOF,
            changed(len(some) - 1, path=[*path, path[0]]),
            {},
        ),
        (
            "place_moved",
            "a document in another place",
            Code.BAD_PROOF,
            changed(len(some) - 1, index=some[-1].index + 1),
            {},
        ),
        (
            "place_beyond",
            "a place beyond the checkpoint",
            Code.BAD_PROOF,
            changed(len(some) - 1, index=size),
            {},
        ),
        (
            "place_alias",
            "a place beyond the checkpoint, to which the steps of its path lead as well",
            Code.BAD_PROOF,
            changed(len(some) - 1, index=some[-1].index + 16),
            {},
        ),
        ("not_the_first", "the first root is elsewhere", Code.BAD_PROOF, changed(0, index=1), {}),
        ("place_twice", "two documents in one place", Code.BAD_PROOF, changed(1, index=0), {}),
        (
            "no_hub",
            "no hub that could have signed",
            Code.BAD_CHECKPOINT,
            proof.model_copy(update={"documents": some[:1]}),
            {},
        ),
        (
            "no_agency",
            "the keys of an agency without the agency",
            Code.UNKNOWN_AGENCY,
            proof.model_copy(update={"documents": [*some[:2], *some[3:]]}),
            {},
        ),
        (
            "below_quorum",
            "one witness of two",
            Code.WITNESS_SHORTFALL,
            proof.model_copy(update={"note": one}),
            {},
        ),
        ("stale", "an old checkpoint", Code.STALE_HEAD, proof, {"now": AT + FRESHNESS}),
        ("no_since", "no consistency proof from there on", Code.NOT_FOUND, without, {"since": old}),
        (
            "other_since",
            "a consistency proof from elsewhere",
            Code.NOT_FOUND,
            proof,
            {"since": [3, "0" * 64]},
        ),
        ("rolled_back", "shorter than before", Code.ROLLBACK, proof, {"since": [size + 1, "0" * 64]}),
        ("other_past", "another past than before", Code.BAD_PROOF, proof, {"since": [4, "0" * 64]}),
        (
            "other_past_uneven",
            "another past of a size whose root no step of the proof uses",
            Code.BAD_PROOF,
            prove(whole, "jpn", since=5),
            {"since": [5, "0" * 64]},
        ),
        ("other_now", "another root of the same size", Code.SPLIT_VIEW, proof, {"since": [size, "0" * 64]}),
        (
            "since_flipped",
            "a consistency proof that leads elsewhere",
            Code.BAD_PROOF,
            proof.model_copy(update={"since": bent}),
            {"since": old},
        ),
    )
    for name, what, expected, data, given in rows:
        yield _file(f"proof_{name}", what, code(expected), data.to_bytes(), **given)


def _replaced() -> Iterator[Case]:
    """Documents and entries come apart in a file: which key counts where, the `identity` document says."""
    more = [identities.proposed(), identities.taken()]
    entry = identities.added(fed.OTHER, "bra", identities.NEW)
    former = identities.added(fed.OTHER, "bra", FRA.identity)
    short = [
        LogSize(com=com, size=1 if com == fed.OTHER else size)
        for com, size in sorted(identities.SIZES.items())
    ]
    unnamed = [
        LogSize(com=com, size=size) for com, size in sorted(identities.SIZES.items()) if com != fed.OTHER
    ]
    rows: tuple[tuple[str, str, list[bytes], bytes, Code | None], ...] = (
        ("", "an identity was replaced, and its log goes on", more, entry, None),
        ("former_key", "its log goes on by the key before", more, former, Code.BELOW_THRESHOLD),
        (
            "short",
            "a log that was longer than it says",
            [more[0], identities.taken(logs=short)],
            entry,
            Code.BELOW_THRESHOLD,
        ),
        (
            "unnamed",
            "a log that it does not name",
            [more[0], identities.taken(logs=unnamed)],
            entry,
            Code.BELOW_THRESHOLD,
        ),
    )
    for name, what, further, last, expected in rows:
        whole = export()
        documents = [*whole.documents, *(each.decode() for each in further)]
        data = export(documents=documents, memberships=[*whole.memberships, last.decode()])
        expect = _point(LOG.size) if expected is None else code(expected)
        yield _file(f"export_replaced{name and '_'}{name}", what, expect, data.to_bytes())
    log = Log([*fed.documents(), *more])
    point = Checkpoint(ORIGIN, log.head)
    cosigned = note(signed(point), by(0, checkpoint=point), by(1, checkpoint=point), checkpoint=point)
    documents = [each.decode() for each in (*fed.documents(), *more)]
    proof = prove(export(documents=documents, note=cosigned.decode()), "fra")
    expect = {"head": [log.size, log.head.root.hex()], "fresh_until": AT + FRESHNESS}
    yield _file("proof_replaced", "one agency whose identity was replaced", expect, proof.to_bytes())
    places = [each.document.encode() for each in proof.documents]
    left = [each for each, data in zip(proof.documents, places, strict=True) if data != more[0]]
    lacking = proof.model_copy(update={"documents": left})
    what = "an identity taken up that nobody announced"
    yield _file("proof_replaced_lacking", what, code(Code.UNKNOWN_KEY), lacking.to_bytes())
