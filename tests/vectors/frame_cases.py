"""Cases about bytes, headers, subjects, keys and signatures: what is wrong before any content is opened."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from schemas.errors import Code
from schemas.frame import header_bytes, join, parse_frame
from schemas.limits import FRAME_MAX
from schemas.signing import DOCUMENT_TYPE, key_id
from schemas.vocabulary import Precedence
from subscribers.keys import SigningKey
from tests.support import federation as fed
from tests.support.federation import AT, BRA, COM, EXE, FRA, JPN, Publisher
from tests.vectors.recipe import Case, after, received, refused, started

GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493


def frame_cases() -> Iterator[Case]:
    """All of them."""
    yield from _bytes()
    yield from _headers()
    yield from _subjects()
    yield from _keys()
    yield from _signatures()


def _bytes() -> Iterator[Case]:
    p = started()
    good = p.bulletin(1)
    end = 3 + len(parse_frame(good).header_bytes)
    rows = (
        ("empty", "no bytes at all", Code.TRUNCATED, b""),
        ("two_bytes", "shorter than the prefix", Code.TRUNCATED, good[:2]),
        ("version_0", "frame version 0", Code.BAD_VERSION, b"\x00" + good[1:]),
        ("version_2", "frame version 2", Code.BAD_VERSION, b"\x02" + good[1:]),
        ("header_2049", "a header length of 2,049", Code.TOO_LARGE, good[:1] + b"\x08\x01" + good[3:]),
        ("header_cut", "ends inside the header", Code.TRUNCATED, good[: end - 1]),
        ("signature_cut", "ends inside the signature", Code.TRUNCATED, good[: end + 63]),
        ("too_large", "one byte more than a frame can have", Code.TOO_LARGE, bytes(FRAME_MAX + 1)),
        ("body_cut", "the last byte is missing", Code.BAD_PADDING, good[:-1]),
        ("body_absent", "a bulletin without a body", Code.BAD_PADDING, good[: end + 64]),
        ("body_appended", "one byte too many", Code.BAD_PADDING, good + b"\x00"),
        (
            "announcement_with_body",
            "an announcement with a body",
            Code.BODY_UNEXPECTED,
            p.announcement() + b"x",
        ),
    )
    for name, what, expected, raw in rows:
        yield received(f"frame_{name}", what, refused(expected), (p.subject, raw))


def _headers() -> Iterator[Case]:
    p = started()
    good, beat = p.bulletin(1), p.beat()

    def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
        return lambda header: header.replace(old, new, 1)

    sequence = b'"seq":1,'
    rows: tuple[tuple[str, str, bytes, Callable[[bytes], bytes]], ...] = (
        ("duplicate_key", "a key that stands twice", good, swap(sequence, b'"seq":1,"seq":1,')),
        ("unknown_field", "a field that the format does not know", good, swap(sequence, b'"seq":1,"x":1,')),
        ("missing_field", "a field is missing", good, swap(sequence, b"")),
        ("out_of_order", "fields in another order", good, swap(b'"v":1,"k":"b"', b'"k":"b","v":1')),
        ("boolean", "true where a number belongs", good, swap(sequence, b'"seq":true,')),
        ("float", "1.0 where a whole number belongs", good, swap(sequence, b'"seq":1.0,')),
        ("exponent", "1e0 where a whole number belongs", good, swap(sequence, b'"seq":1e0,')),
        ("leading_zero", "a number with a leading zero", good, swap(sequence, b'"seq":01,')),
        ("minus_zero", "minus zero", good, swap(b'"ep":0', b'"ep":-0')),
        ("negative", "a negative number", good, swap(b'"ep":0', b'"ep":-1')),
        ("string_number", "a number in quotes", good, swap(sequence, b'"seq":"1",')),
        ("null", "null where text belongs", good, swap(b'"rl":"live"', b'"rl":null')),
        ("beyond_2_53", "a number beyond 2^53 - 1", good, swap(b'"ep":0', b'"ep":9007199254740992')),
        ("space", "a space between fields", good, swap(sequence, b'"seq": 1,')),
        ("newline_at_end", "a line break after the header", good, lambda header: header + b"\n"),
        ("byte_order_mark", "a byte order mark", good, lambda header: b"\xef\xbb\xbf" + header),
        ("escape", "a letter written as an escape", good, swap(b'"k":"b"', b'"k":"\\u0062"')),
        ("upper_case_hex", "hex digits in upper case", good, swap(COM.encode(), COM.upper().encode())),
        ("short_hash", "a hash of 31 bytes", good, swap(b'"pc":"', b'"pc":"00')),
        ("uuid_version_4", "an id that is no UUIDv7", good, swap(b"-7000-8000-", b"-4000-8000-")),
        ("kind_unknown", "a kind of frame that there is not", good, swap(b'"k":"b"', b'"k":"x"')),
        ("realm_unknown", "a realm that there is not", good, swap(b'"live"', b'"test"')),
        ("precedence_unknown", "a precedence that there is not", good, swap(b'"routine"', b'"urgent"')),
        ("version_2", "header version 2", good, swap(b'"v":1', b'"v":2')),
        ("array", "an array instead of an object", good, lambda header: b"[" + header + b"]"),
        ("deep", "nested without end", good, lambda _: b"[" * 2000),
        ("not_utf8", "bytes that are no UTF-8", good, swap(b'"live"', b'"\xff\xfe"')),
        ("empty", "no header", good, lambda _: b""),
        ("head_size_float", "a log head whose size is no whole number", beat, swap(b'"dir":[', b'"dir":[1.')),
        ("heads_of_one_chain", "a heartbeat with one chain's head", beat, _one_head),
    )
    for name, what, raw, change in rows:
        wrong = fed.rewritten(raw, FRA.signing, change)
        yield received(f"header_{name}", what, refused(Code.BAD_HEADER), (p.subject, wrong))
    first = parse_frame(good).header._replace(seq=0)
    meanings: tuple[tuple[str, str, bytes, dict[str, Any]], ...] = (
        ("commitment_absent", "a body, and no commitment to it", good, {"pc": "0" * 64}),
        ("commitment_unexpected", "a commitment, and no body", p.announcement(), {"pc": "1" * 64}),
        ("first_with_past", "number 0 with a frame before it", good, {"seq": first.seq}),
        ("later_without_past", "number 1 without a frame before it", good, {"prev": "0" * 64}),
        ("heads_past_of_nothing", "an empty chain's head with a hash", p.beat(), _heads(p, (0, "1" * 64))),
        ("heads_nothing_past", "a chain's head without a hash", p.beat(), _heads(p, (1, "0" * 64))),
        ("history_unknown", "a history flag that there is not", p.announcement(), {"hist": "all"}),
    )
    for name, what, raw, fields in meanings:
        wrong = fed.replaced(raw, FRA.signing, **fields)
        yield received(f"header_{name}", what, refused(Code.BAD_HEADER), (p.subject, wrong))


def _heads(publisher: Publisher, flash: tuple[int, str]) -> dict[str, Any]:
    return {"heads": ((publisher.head.seq + 1, publisher.head.hash), flash)}


def _one_head(header: bytes) -> bytes:
    start = header.index(b'"heads":[') + len(b'"heads":[')
    return header[:start] + header[start:].split(b"],[", 1)[0] + b"]]}"


def _subjects() -> Iterator[Case]:
    p = started()
    good, here = p.bulletin(1), p.place
    places = (
        ("other_community", "under another community's subject", here._replace(community="07" * 16)),
        ("other_precedence", "under the flash subject", here._replace(precedence=Precedence.FLASH)),
        ("other_publisher", "under another endpoint's subject", here._replace(publisher=JPN.endpoint)),
        ("other_realm", "under the exercise's subject", fed.place(FRA, EXE)._replace(community=COM)),
    )
    for name, what, place in places:
        wrong = refused(Code.SUBJECT_MISMATCH)
        yield after(p, f"subject_{name}", what, wrong, good, subject=place.traffic())
    texts = (
        ("of_a_wrap", "under a subject where no frames stand", f"w.{JPN.endpoint}"),
        ("too_long", "one token too many", f"{p.subject}.x"),
        ("realm_unknown", "a realm that there is not", p.subject.replace("live", "test")),
        ("publisher_malformed", "the publisher's token is cut", p.subject[:-1]),
    )
    for name, what, subject in texts:
        yield after(p, f"subject_{name}", what, refused(Code.BAD_SUBJECT), good, subject=subject)


def _keys() -> Iterator[Case]:
    p = started()
    good = p.bulletin(1)
    stranger = SigningKey(fed.seed("stranger"))
    unknown = fed.Publisher(fed.Party("xyz", "XYZ"), at=p.at)
    yield received(
        "key_unknown_publisher",
        "an endpoint that is not in the directory",
        refused(Code.UNKNOWN_PUBLISHER),
        (unknown.subject, unknown.bulletin(1)),
    )
    by_stranger = fed.replaced(good, stranger, kid=key_id(stranger.public).hex())
    what = "signed by a key that is not in the directory"
    yield after(p, "key_unknown", what, refused(Code.UNKNOWN_KEY), by_stranger)
    by_other = fed.replaced(good, JPN.signing, kid=JPN.kid)
    what = "signed by another endpoint's key, and says so"
    yield after(p, "key_of_another_endpoint", what, refused(Code.UNKNOWN_KEY), by_other)
    revoke = fed.envelope(FRA.revoke(), FRA.identity)
    what = "signed by a revoked key"
    yield after(p, "key_revoked", what, refused(Code.REVOKED_KEY), good, before=(), documents=[revoke])
    p.iat = AT - 20 * fed.DAY
    what = "signed by a revoked key, and dated before its revocation"
    backdated, wrong = p.bulletin(1), refused(Code.REVOKED_KEY)
    yield after(p, "key_revoked_backdated", what, wrong, backdated, before=(), documents=[revoke])


def _signatures() -> Iterator[Case]:
    p = started()
    good = p.bulletin(1)
    frame = parse_frame(good)
    at = 3 + len(frame.header_bytes)
    s = int.from_bytes(frame.signature[32:], "little") + GROUP_ORDER
    malleable = good[: at + 32] + s.to_bytes(32, "little") + good[at + 64 :]
    moved = header_bytes(frame.header._replace(exp=frame.header.exp + 1))
    bare = join(frame.header_bytes, FRA.signing.sign(frame.header_bytes + frame.body), frame.body)
    rows = (
        ("of_zeros", "no signature but zeros", good[:at] + bytes(64) + good[at + 64 :]),
        ("r_flipped", "one bit of R changed", fed.changed(good, at)),
        ("s_flipped", "one bit of S changed", fed.changed(good, at + 32)),
        ("s_plus_l", "S + L in place of S: another form of the same signature", malleable),
        ("body_flipped", "one bit of the body changed after signing", fed.changed(good, len(good) - 1)),
        ("header_changed", "exp changed after signing", join(moved, frame.signature, frame.body)),
        (
            "of_another_frame",
            "the signature of another frame",
            good[:at] + p.bulletin(2)[at : at + 64] + good[at + 64 :],
        ),
        (
            "by_another_member",
            "signed by another member in the publisher's name",
            fed.forge(frame.header, frame.body, BRA.signing),
        ),
        (
            "other_payload_type",
            "signed as another type of payload",
            fed.forge(frame.header, frame.body, FRA.signing, type=DOCUMENT_TYPE.encode()),
        ),
        ("without_pae", "signed without the pre-authentication encoding", bare),
    )
    for name, what, raw in rows:
        yield after(p, f"signature_{name}", what, refused(Code.BAD_SIGNATURE), raw)
