"""Passkeys: what is asked of a browser, and what it answered, through py_webauthn.

A challenge is for one use within five minutes. Every passkey must be discoverable, so that nobody types a
name, and verify its user, so that a stolen device alone opens nothing. No attestation is asked for: which
make of authenticator an officer has is nobody's business here.
"""

import json
import secrets
import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import webauthn
from webauthn.helpers import base64url_to_bytes, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bots.room.origin import Origin
from bots.state.officers import Officer
from bots.state.room import Passkey, Vouched

CHALLENGE_SECONDS: Final = 300.0
_CHALLENGES_MAX: Final = 1_000
_NAME: Final = "Liaison"
_HANDLE_SIZE: Final = 32
_CHALLENGE_SIZE: Final = 32
_UNFIT: Final = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, struct.error)
"""What the library raises on an answer that is none: its own errors, and those of what it reads with."""

NewBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a browser was asked, and until when (Unix seconds) it may answer."""

    value: bytes
    handle: bytes
    until: float


class Challenges:
    """Challenges that wait for their answer, in memory; each is taken once."""

    def __init__(self, new_bytes: NewBytes = secrets.token_bytes) -> None:
        self._new_bytes = new_bytes
        self._held: OrderedDict[str, Challenge] = OrderedDict()

    def ask(self, ticket: str, now: float) -> Challenge:
        """A new challenge, found again by `ticket`."""
        made = Challenge(
            self._new_bytes(_CHALLENGE_SIZE), self._new_bytes(_HANDLE_SIZE), now + CHALLENGE_SECONDS
        )
        self._held[ticket] = made
        self._held.move_to_end(ticket)
        if len(self._held) > _CHALLENGES_MAX:
            self._held.popitem(last=False)
        return made

    def take(self, ticket: str, now: float) -> Challenge | None:
        """The challenge, spent; None when there is none or it is too old."""
        found = self._held.pop(ticket, None)
        return found if found is not None and now < found.until else None


def creation(
    origin: Origin, officer: Officer, challenge: Challenge, held: Sequence[Passkey]
) -> dict[str, Any]:
    """What to ask a browser that shall make a passkey, as JSON."""
    options = webauthn.generate_registration_options(
        rp_id=origin.host,
        rp_name=_NAME,
        user_name=officer.name,
        user_id=challenge.handle,
        challenge=challenge.value,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each.id) for each in held],
    )
    return _json(webauthn.options_to_json(options))


def created(
    origin: Origin, officer: Officer, vouched: Vouched, challenge: Challenge, answer: object, now: float
) -> Passkey | None:
    """The passkey that a browser made; None when the answer is not one to `challenge`."""
    if not isinstance(answer, dict):
        return None
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge.value,
            expected_rp_id=origin.host,
            expected_origin=origin.text,
            require_user_verification=True,
        )
    except _UNFIT:
        return None
    return Passkey(
        found.credential_id,
        officer.id,
        vouched,
        challenge.handle,
        found.credential_public_key,
        found.sign_count,
        now,
        now,
    )


def request(origin: Origin, challenge: Challenge) -> dict[str, Any]:
    """What to ask a browser that shall sign in with any passkey it has for the room, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=origin.host,
        challenge=challenge.value,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _json(webauthn.options_to_json(options))


def named(answer: object) -> bytes | None:
    """The id of the passkey that an answer claims to come from."""
    if not isinstance(answer, dict):
        return None
    try:
        return parse_authentication_credential_json(answer).raw_id
    except _UNFIT:
        return None


def used(origin: Origin, passkey: Passkey, challenge: Challenge, answer: object) -> int | None:
    """The passkey's new counter; None when it did not sign `challenge` here, with its user verified."""
    if not isinstance(answer, dict) or not _of_its_user(answer, passkey):
        return None
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge.value,
            expected_rp_id=origin.host,
            expected_origin=origin.text,
            credential_public_key=passkey.public,
            credential_current_sign_count=passkey.counter,
            require_user_verification=True,
        )
    except _UNFIT:
        return None
    return found.new_sign_count


def _of_its_user(answer: dict[str, Any], passkey: Passkey) -> bool:
    """Signed in without a name, the passkey says whose it is (WebAuthn 3, 7.2 step 6)."""
    response = answer.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    try:
        return isinstance(handle, str) and base64url_to_bytes(handle) == passkey.handle
    except ValueError:
        return False


def _json(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
