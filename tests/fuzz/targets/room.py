"""What browsers and chat programs hand to the reading room."""

import base64
import hashlib
import hmac
import json
import random
from typing import Final
from urllib.parse import parse_qsl, urlencode

from pydantic import SecretStr
from webauthn.helpers import base64url_to_bytes

from bots.room import passkeys
from bots.room.init_data import read_init_data
from schemas.encoding import canonical_json, parse_json
from tests.fuzz.mutate import changed_json
from tests.fuzz.target import Target
from tests.support.passkeys import NOW, OFFICER, ORIGIN, RECORDED, challenge, held

_TOKEN: Final = "123456:fuzz"
_MADE: Final = challenge(RECORDED["created"])
_USED: Final = challenge(RECORDED["used"])
_HELD: Final = held()


def _mini_app(data: bytes) -> None:
    """As it comes, and signed, so that what stands behind the signature is met."""
    text = data.decode("utf-8", "replace")
    for each in (text, _signed(text)):
        opened = read_init_data(each, SecretStr(_TOKEN), NOW)
        assert opened is None or opened.until > NOW


def _signed(text: str) -> str:
    fields = dict(parse_qsl(text, max_num_fields=100_000))
    fields.pop("hash", None)
    said = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    key = hmac.digest(b"WebAppData", _TOKEN.encode(), hashlib.sha256)
    made = hmac.digest(key, said.encode("utf-8", "replace"), hashlib.sha256).hex()
    return urlencode({**fields, "hash": made}, errors="replace")


def _passkey_made(data: bytes) -> None:
    answer = parse_json(data, 64 * 1024)
    made = passkeys.created(ORIGIN, OFFICER, "chat", _MADE, answer, NOW)
    assert made is None or made.handle == _MADE.handle


def _passkey_used(data: bytes) -> None:
    answer = parse_json(data, 64 * 1024)
    passkeys.named(answer)
    counter = passkeys.used(ORIGIN, _HELD, _USED, answer)
    assert counter is None or counter > 0


def _inside(data: bytes, rng: random.Random) -> bytes | None:
    """Bytes within one of an answer's fields changed; now and then the JSON itself."""
    if rng.random() < 0.3:
        return changed_json(data, rng)
    try:
        answer = json.loads(data)
        name = rng.choice(sorted(answer["response"]))
        inner = bytearray(base64url_to_bytes(answer["response"][name]))
        for _ in range(rng.randint(1, 4)):
            inner[rng.randrange(len(inner))] = rng.randrange(256)
        answer["response"][name] = base64.urlsafe_b64encode(inner[: rng.randint(1, len(inner))]).decode()
        return canonical_json(answer)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None


TARGETS: Final = (
    Target(
        "mini_app",
        _mini_app,
        ("bots/room/init_data.py",),
        lambda: [
            f"auth_date={int(NOW)}&query_id=AAF&user=%7B%22id%22%3A11%7D".encode(),
            f"auth_date={int(NOW)}&user=%7B%22id%22%3A11%7D&signature=x&start_param=a%2Bb&chat_type=private".encode(),
            b"auth_date=0&hash=00",
        ],
        longest=512,
    ),
    Target(
        "passkey_made",
        _passkey_made,
        ("bots/room/passkeys.py",),
        lambda: [canonical_json(RECORDED["created"])],
        _inside,
    ),
    Target(
        "passkey_used",
        _passkey_used,
        ("bots/room/passkeys.py",),
        lambda: [canonical_json(RECORDED["used"])],
        _inside,
    ),
)
