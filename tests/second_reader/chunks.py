"""Chunks: the file behind an attachment, fetched by addresses, opened in order, and held against the bulletin."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_pull,
    crypto_secretstream_xchacha20poly1305_pull,
    crypto_secretstream_xchacha20poly1305_state,
)
from nacl.bindings import crypto_secretstream_xchacha20poly1305_TAG_FINAL as _FINAL
from nacl.bindings import crypto_secretstream_xchacha20poly1305_TAG_MESSAGE as _MESSAGE
from nacl.exceptions import CryptoError

from .limits import ADDRESSES_PER_LIST, ATTACHMENT_ROOM_MIN, CHUNK_MAX, CHUNK_OVERHEAD, CHUNK_SIZE
from .refusals import Refused, demand

Fetch = Callable[[bytes], bytes | None]
"""Gives what the hub answers for an address; nothing where it has nothing."""

_ADDRESS_SIZE = 32


def padded(size: int) -> int:
    """The size of a file with its padding."""
    length = max(size, ATTACHMENT_ROOM_MIN)
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-length // step) * step


def chunk_count(size: int) -> int:
    """How many chunks a file of that size has."""
    return -(-padded(size) // CHUNK_SIZE)


def address(blob: bytes) -> bytes:
    """The address of a chunk or a list."""
    return sha256(blob).digest()


def tree(addresses: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """The root over addresses, and the lists between."""
    level, lists = list(addresses), list[bytes]()
    while len(level) > 1:
        level = [
            b"".join(level[start : start + ADDRESSES_PER_LIST])
            for start in range(0, len(level), ADDRESSES_PER_LIST)
        ]
        lists += level
        level = [address(each) for each in level]
    return level[0], lists


def read_file(attachment: dict[str, Any], fetch: Fetch) -> bytes:
    """The file that a bulletin describes, of what the hub answers."""
    seal, size = attachment["seal"], attachment["size"]
    places = _addresses(bytes.fromhex(seal["root"]), chunk_count(size), fetch)
    state = crypto_secretstream_xchacha20poly1305_state()
    header, key = bytes.fromhex(seal["header"]), bytes.fromhex(seal["key"])
    crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
    left, plain = padded(size), b""
    for place in places:
        chunk = _fetched(place, fetch)
        wanted = min(left, CHUNK_SIZE)
        left -= wanted
        demand(len(chunk) == wanted + CHUNK_OVERHEAD, "bad_attachment")
        plain += _open(state, chunk, last=left == 0)
        demand(not any(plain[size:]), "bad_padding")
    file = plain[:size]
    demand(sha256(file).hexdigest() == attachment["sha256"], "bad_attachment")
    return file


def _open(state: crypto_secretstream_xchacha20poly1305_state, chunk: bytes, *, last: bool) -> bytes:
    try:
        plain, tag = crypto_secretstream_xchacha20poly1305_pull(state, chunk)
    except (CryptoError, RuntimeError) as error:
        raise Refused("decryption_failed") from error
    demand(tag == _MESSAGE or (last and tag == _FINAL), "bad_attachment")
    demand(not last or tag == _FINAL, "truncated")
    return plain


def _addresses(root: bytes, count: int, fetch: Fetch) -> list[bytes]:
    """The addresses of so many chunks under a root."""
    widths = [count]
    while widths[0] > 1:
        widths.insert(0, -(-widths[0] // ADDRESSES_PER_LIST))
    level = [root]
    for width in widths[1:]:
        below: list[bytes] = []
        for place in level:
            wanted = min(width - len(below), ADDRESSES_PER_LIST)
            listed = _fetched(place, fetch)
            demand(len(listed) == wanted * _ADDRESS_SIZE, "bad_attachment")
            below += (listed[at : at + _ADDRESS_SIZE] for at in range(0, len(listed), _ADDRESS_SIZE))
        level = below
    return level


def _fetched(place: bytes, fetch: Fetch) -> bytes:
    blob = fetch(place)
    if blob is None:
        raise Refused("missing_chunk")
    demand(len(blob) <= CHUNK_MAX and address(blob) == place, "bad_chunk")
    return blob
