"""A passkey that a real browser made and used, as it answered."""

import json
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from webauthn.helpers import base64url_to_bytes

from bots.officers.roles import Role
from bots.room.origin import Origin, read_origin
from bots.room.passkeys import Challenge
from bots.state.officers import Officer
from bots.state.room import Passkey
from schemas.vocabulary import Language

NOW: Final = 1_790_000_000.0
RECORDED: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("recorded_passkey.json").read_text("utf-8")
)
ORIGIN: Final[Origin] = read_origin("http://localhost:48480")
OFFICER: Final = Officer(
    id=7,
    name="Amina",
    role=Role.READER,
    language=Language.ENGLISH,
    zone=ZoneInfo("UTC"),
    quiet=None,
    chat=11,
    person=11,
    reachable=True,
)
HANDLE: Final = bytes.fromhex(RECORDED["handle"])


def challenge(answer: dict[str, Any]) -> Challenge:
    """What the browser was asked when it answered so."""
    said = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
    return Challenge(base64url_to_bytes(said["challenge"]), HANDLE, NOW + 60)


def held(counter: int = 0) -> Passkey:
    """The passkey as the room keeps it."""
    id_, public = base64url_to_bytes(RECORDED["created"]["rawId"]), bytes.fromhex(RECORDED["public"])
    return Passkey(id_, OFFICER.id, "agency", HANDLE, public, counter, NOW, NOW)
