"""Changes that bytes alone would hardly ever make: JSON that stays JSON, envelopes that are signed again.

Mutators take an input and give another, or None where the input is not of their kind; then its bytes are
changed as libFuzzer would. What comes out is in canonical form, so that the checks behind that one are met.
"""

import base64
import json
import random
from collections.abc import Sequence
from typing import Any, Final

from schemas.encoding import canonical_json
from schemas.signing import Signer, key_id, pae
from tests.fuzz.target import Mutate

Json = Any
_EDITS: Final = 3
_CHARACTERS: Final = (
    "\0", "\t", "\n", "\r", " ", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\u0660", "\u00b2", "é",
    "\U0001f600", "A", "Z", "a", "f", "0", "9", "-", "+", "/", "=", ".", ":", "|", "[", "]", "\\", '"', "<",
)  # fmt: skip
_STRINGS: Final = (
    "", "0", "-1", "null", "a" * 64, "0" * 64, "A" * 56, "2026-01-31T08:30:00Z", "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:60Z", "QUFB", "AAAA=", "live", "flash", "fr", "TLP:RED", "../../etc/passwd", "²", "1e3",
)  # fmt: skip
_NUMBERS: Final = (
    0,
    1,
    -1,
    2,
    16,
    17,
    255,
    256,
    65535,
    2**31,
    2**32,
    2**53 - 1,
    2**53,
    2**63,
    -(2**53),
    10**17,
)
_OTHERS: Final[tuple[Json, ...]] = (None, True, False, [], {}, [[]], {"": 0}, 1.5)


def edit(value: Json, rng: random.Random) -> Json:
    """A JSON value with one to three changes. The value itself is changed and must not be used any more."""
    for _ in range(rng.randint(1, _EDITS)):
        value = _edit_once(value, rng)
    return value


def _edit_once(root: Json, rng: random.Random) -> Json:
    holder, key = _place(root, rng)
    if holder is None:
        return _other(root, rng)
    how = rng.random()
    if isinstance(holder, dict):
        if how < 0.12:
            del holder[key]
        elif how < 0.2:
            holder[_text(key, rng)] = holder.pop(key)
        elif how < 0.3:
            holder[key] = holder[rng.choice(list(holder))]
        else:
            holder[key] = _other(holder[key], rng)
    elif how < 0.12:
        del holder[key]
    elif how < 0.25:
        holder.insert(key, holder[rng.randrange(len(holder))])
    elif how < 0.3:
        holder.extend(holder[: rng.randint(1, 80)])
    else:
        holder[key] = _other(holder[key], rng)
    return root


def _place(root: Json, rng: random.Random) -> tuple[Json, Json]:
    """A container and a key of it; (None, None) for the root itself."""
    holder, key = None, None
    value = root
    while isinstance(value, (dict, list)) and value:
        holder = value
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        value = holder[key]
        if rng.random() < 0.25:
            break
    return holder, key


def _other(value: Json, rng: random.Random) -> Json:
    if rng.random() < 0.15:
        return rng.choice((*_OTHERS, *_STRINGS, *_NUMBERS))
    if isinstance(value, str):
        return _text(value, rng)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, -value, value * 2, rng.choice(_NUMBERS), str(value)))
    return rng.choice((*_OTHERS, *_STRINGS, *_NUMBERS))


def _text(text: str, rng: random.Random) -> str:
    how, at = rng.randrange(7), rng.randint(0, len(text))
    if how == 0:
        return rng.choice(_STRINGS)
    if how == 1:
        return text[:at]
    if how == 2:
        return text[:at] + rng.choice(_CHARACTERS) + text[at:]
    if how == 3:
        return text + text[:at]
    if how == 4:
        return text.swapcase()
    return text[:at] + rng.choice(_CHARACTERS) + text[at + 1 :]


def changed_json(data: bytes, rng: random.Random) -> bytes | None:
    """A JSON document with a few of its values changed."""
    try:
        return canonical_json(edit(json.loads(data), rng))
    except (ValueError, RecursionError):
        return None


def after(size: int, mutate: Mutate) -> Mutate:
    """The same for inputs that begin with `size` bytes which are no part of the document."""

    def changed(data: bytes, rng: random.Random) -> bytes | None:
        rest = mutate(data[size:], rng)
        return None if rest is None else data[:size] + rest

    return changed


def changed_envelope(signers: Sequence[Signer] = (), share: float = 0.3) -> Mutate:
    """A DSSE envelope with its document changed, and at `share` of the times signed again by `signers`."""
    kids = {key_id(each.public).hex(): each for each in signers}

    def changed(data: bytes, rng: random.Random) -> bytes | None:
        try:
            outer = json.loads(data)
            if rng.random() < 0.2:
                return canonical_json(edit(outer, rng))
            payload = canonical_json(edit(json.loads(base64.b64decode(outer["payload"])), rng))
            outer["payload"] = base64.b64encode(payload).decode()
            if kids and rng.random() < share:
                message = pae(str(outer["payloadType"]).encode(), payload)
                held = [each["keyid"] for each in outer["signatures"] if each["keyid"] in kids]
                names = held or rng.sample(list(kids), 1)
                signed = ((name, base64.b64encode(kids[name].sign(message)).decode()) for name in names)
                outer["signatures"] = [{"keyid": name, "sig": sig} for name, sig in signed]
            return canonical_json(outer)
        except (ValueError, TypeError, KeyError, RecursionError, AttributeError):
            return None

    return changed


def spliced(words: Sequence[bytes]) -> Mutate:
    """Text with some of these words put in, for grammars that bytes find slowly."""

    def changed(data: bytes, rng: random.Random) -> bytes | None:
        at = rng.randint(0, len(data))
        drop = rng.choice((0, 0, 1, 4))
        return data[:at] + rng.choice(words) + data[at + drop :]

    return changed


def by_chance(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed without knowing anything of them: for where libFuzzer is not there to do it."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at, how = rng.randint(0, len(found)), rng.randrange(4)
        if how == 0:
            found[at : at + rng.randint(1, 8)] = b""
        elif how == 1:
            found[at:at] = rng.randbytes(rng.randint(1, 4))
        elif how == 2 and at < len(found):
            found[at] ^= 1 << rng.randrange(8)
        else:
            found[at : at + 1] = bytes([rng.choice(b'\0\x7f\xff"{}[]:,-0/=. \n')])
    return bytes(found)
