"""Cases about attachments: what a bulletin says of them, how long they are, the tree over their chunks, and
chunks that are not in their place. The bytes are in blobs/, under their own hash.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import count
from typing import Any, Final

from nacl.bindings import crypto_secretstream_xchacha20poly1305_push as push

from schemas.attachments import Attachment, Tree, address_of, chunk_count, padded, tree
from schemas.encoding import canonical_json, parse_json
from schemas.errors import Code
from schemas.limits import ATTACHMENT_MAX, CHUNK_SIZE, PAYLOAD_MAX
from subscribers.attachments import FileKey, Sealer, _begun, seal_of
from tests.support import federation as fed
from tests.vectors.recipe import Case, after, case, code, opened, refused, started

_MESSAGE, _REKEY, _FINAL = 0, 2, 3
_SIZE: Final = 2 * CHUNK_SIZE + 1
KEY: Final = FileKey(fed.seed("attachment key"))
HEADER: Final = fed.seed("attachment header")[:24]


def content(size: int) -> bytes:
    """A file of so many bytes, the same each time."""
    blocks = (fed.seed(f"attachment content {number}") for number in count())
    return b"".join(next(blocks) for _ in range(-(-size // 32)))[:size]


@cache
def chunks_of(size: int) -> tuple[bytes, ...]:
    """Its chunks, as they should be."""
    sealer = Sealer(KEY, HEADER, size)
    return (*sealer.add(content(size)), *sealer.finish())


def described(file: int, root: bytes, **changes: Any) -> dict[str, Any]:  # goes in as it is
    """What the bulletin says of a file of so many bytes, but for `changes`."""
    digest, seal = sha256(content(file)).hexdigest(), seal_of(KEY, HEADER, root)
    said = Attachment(name="map.pdf", media="application/pdf", size=file, sha256=digest, seal=seal)
    fields: dict[str, Any] = said.model_dump()
    inner = {name: changes.pop(name) for name in ("key", "header") if name in changes}
    return {**fields, **changes, "seal": {**fields["seal"], **inner}}


def hub_of(blobs: Sequence[bytes], made: Tree) -> dict[str, bytes]:
    """What a hub has of it."""
    return {address_of(each).hex(): each for each in (*blobs, *made.lists)}


def bulletin_cases() -> Iterator[Case]:
    """Bulletins that say so; for every reader of bulletins."""
    p = started()
    good = described(_SIZE, tree([address_of(each) for each in chunks_of(_SIZE)]).root)
    payload = fed.bulletin(1, attachments=[good]).to_bytes()
    what = "a bulletin with an attachment"
    yield after(p, "attached_good", what, opened(payload), p.sealed(payload, 1))
    fields, bad = parse_json(payload, PAYLOAD_MAX), refused(Code.BAD_DOCUMENT, moves=True)
    rows: tuple[tuple[str, str, list[dict[str, Any]]], ...] = (
        ("name_with_slash", "a name that leaves its directory", [{**good, "name": "../map.pdf"}]),
        (
            "name_with_backslash",
            "a name that leaves its directory elsewhere",
            [{**good, "name": "..\\map.pdf"}],
        ),
        ("name_hidden", "a name that hides its file", [{**good, "name": ".profile"}]),
        ("name_control", "a name with a line break", [{**good, "name": "map\n.pdf"}]),
        ("name_override", "a name that reads other than it is", [{**good, "name": "map\u202efdp.exe"}]),
        ("name_empty", "no name", [{**good, "name": ""}]),
        ("name_of_101", "a name of 101 characters", [{**good, "name": "a" * 101}]),
        ("name_of_201_bytes", "a name of 201 bytes", [{**good, "name": "地" * 67}]),
        ("name_twice", "two files of one name", [good, good]),
        ("of_17", "17 attachments", [{**good, "name": f"{number}.pdf"} for number in range(17)]),
        ("size_0", "an empty file", [{**good, "size": 0}]),
        ("size_above_2_gib", "a byte more than 2 GiB", [{**good, "size": ATTACHMENT_MAX + 1}]),
        ("without_seal", "nothing to open it with", [{**good, "seal": None}]),
        ("key_of_31_bytes", "a short key", [{**good, "seal": {**good["seal"], "key": "00" * 31}}]),
        ("media_upper_case", "a media type in another form", [{**good, "media": "Application/PDF"}]),
        ("unknown_field", "a field that the format does not know", [{**good, "path": "/tmp"}]),
    )
    for name, what, attachments in rows:
        raw = canonical_json({**fields, "attachments": attachments})
        yield after(p, f"attached_{name}", what, bad, p.sealed(raw, 1))


def attachment_cases() -> Iterator[Case]:
    """Files and their chunks; a reader of bulletins alone can do without. `hub` has what the hub answers."""
    yield from _measures()
    yield from _good()
    yield from _by_the_hub()
    yield from _by_the_publisher()


def blobs() -> dict[str, bytes]:
    """Name of a file in blobs/ to its bytes."""
    found: dict[str, bytes] = {}
    for each in (*_good(), *_by_the_hub(), *_by_the_publisher()):
        found |= each.pop("blobs")
    return found


def _measures() -> Iterator[Case]:
    sizes = (1, 1023, 1024, 1025, 65535, 65536, 65537, 131072, 131073, 999_999_999, ATTACHMENT_MAX)
    table = [[size, padded(size), chunk_count(size)] for size in sizes]
    what = "sizes, padded sizes and numbers of chunks"
    yield case("padded", what, "padded", {"table": table}, sizes=list(sizes))
    for number in (1, 2, 2048, 2049, 4097, 32768):
        made = tree([sha256(index.to_bytes(4, "big")).digest() for index in range(number)])
        expect = {"root": made.root.hex(), "lists": len(made.lists)}
        what = f"the tree over {number} chunks; address i is the SHA-256 of i as u32be"
        yield case(f"tree_of_{number}", what, "tree", expect, chunks=number)


def _case(
    name: str, what: str, expect: dict[str, Any], said: dict[str, Any], hub: Mapping[str, bytes]
) -> Case:
    held = {address: sha256(blob).hexdigest() for address, blob in sorted(hub.items())}
    given = case(name, what, "attachment", expect, attachment=said, hub=held)
    return {**given, "blobs": {sha256(blob).hexdigest(): blob for blob in hub.values()}}


def _good() -> Iterator[Case]:
    for size in (1, 1025, CHUNK_SIZE, _SIZE):
        made = tree([address_of(each) for each in chunks_of(size)])
        expect = {"sha256": sha256(content(size)).hexdigest(), "size": size}
        what = f"a file of {size} bytes"
        yield _case(f"good_{size}", what, expect, described(size, made.root), hub_of(chunks_of(size), made))


def _by_the_hub() -> Iterator[Case]:
    """The hub answers with other bytes than it was asked for."""
    first, second, last = chunks_of(_SIZE)
    made = tree([address_of(each) for each in (first, second, last)])
    said, hub = described(_SIZE, made.root), hub_of((first, second, last), made)
    at = [address_of(each).hex() for each in (first, second, last, *made.lists)]
    other = b"".join(reversed([made.lists[0][place : place + 32] for place in range(0, 96, 32)]))
    rows = (
        ("hub_swaps_chunks", "the hub answers with another chunk", {**hub, at[0]: second, at[1]: first}),
        ("hub_cuts_chunk", "the hub leaves out a chunk's last byte", {**hub, at[2]: last[:-1]}),
        ("hub_swaps_list", "the hub answers with another list", {**hub, at[3]: other}),
    )
    for name, what, answers in rows:
        yield _case(name, what, code(Code.BAD_CHUNK), said, answers)
    del hub[at[2]]
    yield _case("hub_has_no_chunk", "the hub has lost a chunk", code(Code.MISSING_CHUNK), said, hub)


def _by_the_publisher() -> Iterator[Case]:
    """All addresses are right; what they name is not the file."""
    first, second, last = chunks_of(_SIZE)
    plain = content(_SIZE) + bytes(padded(_SIZE) - _SIZE)
    tail = plain[2 * CHUNK_SIZE :]
    short, dirty = tail[:-1], tail[:-1] + b"\x01"
    flipped = last[:-1] + bytes([last[-1] ^ 1])
    early = _sealed([plain[:CHUNK_SIZE], plain[CHUNK_SIZE : 2 * CHUNK_SIZE], tail], _MESSAGE, _FINAL, _FINAL)
    rows: tuple[tuple[str, str, Code, Sequence[bytes]], ...] = (
        ("reordered", "the first two chunks changed places", Code.DECRYPTION_FAILED, (second, first, last)),
        ("duplicated", "the first chunk stands twice", Code.DECRYPTION_FAILED, (first, first, last)),
        ("flipped", "a bit of the last chunk is another", Code.DECRYPTION_FAILED, (first, second, flipped)),
        ("cut", "the list lacks the last chunk", Code.BAD_ATTACHMENT, (first, second)),
        ("trailing", "the list has a chunk too many", Code.BAD_ATTACHMENT, (first, second, last, last)),
        ("missing_final", "the last chunk is not marked", Code.TRUNCATED, _ended(tail, _MESSAGE)),
        ("rekeyed", "the last chunk has the tag REKEY", Code.BAD_ATTACHMENT, _ended(tail, _REKEY)),
        ("early_final", "a chunk before the last is marked", Code.BAD_ATTACHMENT, early),
        ("short", "the last chunk is a byte short", Code.BAD_ATTACHMENT, _ended(short, _FINAL)),
        ("dirty", "the padding ends with a one", Code.BAD_PADDING, _ended(dirty, _FINAL)),
    )
    for name, what, expected, made_of in rows:
        made = tree([address_of(each) for each in made_of])
        yield _case(name, what, code(expected), described(_SIZE, made.root), hub_of(made_of, made))
    made = tree([address_of(each) for each in (first, second, last)])
    hub = hub_of((first, second, last), made)
    changes: tuple[tuple[str, str, Code, dict[str, Any]], ...] = (
        ("other_key", "another key", Code.DECRYPTION_FAILED, {"key": "00" * 32}),
        ("other_header", "another header", Code.DECRYPTION_FAILED, {"header": "00" * 24}),
        ("other_file", "the SHA-256 of another file", Code.BAD_ATTACHMENT, {"sha256": "00" * 32}),
        ("smaller", "a size of two chunks", Code.BAD_ATTACHMENT, {"size": 2 * CHUNK_SIZE}),
        (
            "padded_as_file",
            "a size that makes padding a part of the file",
            Code.BAD_ATTACHMENT,
            {"size": _SIZE + 1},
        ),
    )
    for name, what, expected, change in changes:
        yield _case(name, what, code(expected), described(_SIZE, made.root, **change), hub)
    whole = tree([address_of(each) for each in (first, second)])
    said = described(2 * CHUNK_SIZE, whole.root)
    what = "a file that ends with a full chunk, which is not marked"
    yield _case("missing_final_of_full", what, code(Code.TRUNCATED), said, hub_of((first, second), whole))


def _ended(tail: bytes, tag: int) -> tuple[bytes, ...]:
    """The chunks with another last one."""
    plain = content(_SIZE)
    parts = [plain[:CHUNK_SIZE], plain[CHUNK_SIZE : 2 * CHUNK_SIZE], tail]
    return _sealed(parts, _MESSAGE, _MESSAGE, tag)


def _sealed(parts: Sequence[bytes], *tags: int) -> tuple[bytes, ...]:
    state = _begun(KEY, HEADER)
    return tuple(push(state, part, None, tag) for part, tag in zip(parts, tags, strict=True))
