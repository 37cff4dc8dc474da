"""What a chat service says of who opened the Mini App: signed with the bot's token, fresh, read strictly.
Pure.

aiogram has the same check of the signature; a test holds this one against it. It is written out here because
`import aiogram` costs a second and more, and because aiogram takes data of any age and any field twice.
Source: https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from pydantic import SecretStr

FRESH_SECONDS: Final = 300.0
"""How old it may be."""
AHEAD_SECONDS: Final = 60.0
"""How far ahead of our clock the service's may be."""
SIZE_MAX: Final = 4_096
_FIELDS_MAX: Final = 32
_SECONDS: Final = re.compile(r"[0-9]{1,12}\Z")


@dataclass(frozen=True, slots=True)
class Opened:
    """Who opened it (the chat service's user id), and what must not come twice."""

    person: int
    mark: str
    until: float
    """Unix seconds from which on it is too old anyway."""


def read_init_data(text: str, token: SecretStr, now: float) -> Opened | None:
    """None when it is not signed with `token`, is older than `FRESH_SECONDS`, or names nobody."""
    if len(text) > SIZE_MAX:
        return None
    try:
        pairs = parse_qsl(text, strict_parsing=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        return None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        return None
    given = fields.pop("hash", "")
    if not hmac.compare_digest(given.encode(), _signature(fields, token).encode()):
        return None
    made = fields.get("auth_date", "")
    if not _SECONDS.match(made) or not -AHEAD_SECONDS <= now - int(made) <= FRESH_SECONDS:
        return None
    person = _person(fields.get("user", ""))
    return None if person is None else Opened(person, given, int(made) + FRESH_SECONDS + 1)


def _signature(fields: dict[str, str], token: SecretStr) -> str:
    text = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    key = hmac.digest(b"WebAppData", token.get_secret_value().encode(), hashlib.sha256)
    return hmac.digest(key, text.encode(errors="replace"), hashlib.sha256).hex()


def _person(text: str) -> int | None:
    try:
        user = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found = user.get("id") if isinstance(user, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None
