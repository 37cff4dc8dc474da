"""An agency's first two steps: keys with a request for the secretariat and the hub, then the admission that
comes back.
"""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from schemas.directory import Directory
from schemas.documents import Enrolment, Keys
from schemas.encoding import from_base64, to_base64
from schemas.errors import Code, OperationError
from schemas.fingerprint import typed_fingerprint
from schemas.limits import DOCUMENT_MAX
from schemas.signing import DOCUMENT_TYPE, ENROLMENT_TYPE, sign_envelope
from subscribers.exchange.hub_link import Admission
from subscribers.keys import Keyring

KEYS: Final = "keys"
ADMISSION: Final = "admission.json"
REQUEST: Final = "enrolment.dsse"
LOCAL: Final = "local"


def request(keys: Keyring, now: int) -> bytes:
    """The enrolment request: who we are and our NATS user key, signed by our identity key."""
    profile = keys.profile
    asked = Enrolment(
        issued=now,
        id=profile.id,
        name=profile.name,
        code=profile.code,
        identity=to_base64(keys.identity.public),
        user=keys.nats.public,
    )
    return sign_envelope(ENROLMENT_TYPE, asked.to_bytes(), [keys.identity]).to_bytes()


def check(keys: Keyring, admission: Admission, fingerprint: str) -> None:
    """That an admission is of the root that we were told of, and ours. `fingerprint` is as it was typed
    (`typed_fingerprint`).

    TrustError `root_mismatch`; OperationError `wrong_key` for another agency's or another node's,
    `bad_settings`; FormatError `bad_encoding`.
    """
    pinned = typed_fingerprint(fingerprint)
    Directory.pinned(from_base64(admission.root, DOCUMENT_MAX), pinned)
    profile = keys.profile
    if admission.agency != profile.id:
        raise OperationError(
            Code.WRONG_KEY,
            f"this is the admission of {admission.agency}, and the keys here are those of {profile.id}",
            f"give the file that the hub made of this node's own request ({REQUEST} in its state directory)",
        )
    # The hub's server checks the signature; here it only matters for whom it was made.
    if user_of(admission.user_jwt) != keys.nats.public:
        raise OperationError(
            Code.WRONG_KEY,
            f"this admission of {profile.id} was made for another node's keys",
            f"give the file that the hub made of this node's own request; if there is none, have the "
            f"secretariat sign, and the hub admit, {REQUEST} in its state directory",
        )


def user_of(user_jwt: str) -> str:
    """For which NATS user key the hub made a credential. OperationError `bad_settings` when it is none."""
    try:
        _, claims, _ = user_jwt.split(".")
        subject = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
    except (ValueError, LookupError, TypeError, RecursionError):
        subject = None
    if not isinstance(subject, str):
        raise OperationError(
            Code.BAD_SETTINGS,
            "the admission file holds no credential of the hub's",
            "use the file that `liaison-hub admit` wrote, unchanged",
        )
    return subject


def keep(state: Path, admission: Admission) -> None:
    """Put an admission that is trusted on disk, whole or not at all."""
    target = state / ADMISSION
    temporary = target.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(json.dumps(admission.model_dump(), indent=2))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)


def keys_document(
    keys: Keyring, directory: Directory, account: str, clock: Callable[[], int]
) -> bytes | None:
    """The document that binds our keys to the account that the hub minted; None when the directory has it."""
    known = directory.endpoints.get(account)
    signing = to_base64(keys.signing.public)
    if known and known.signing == signing:
        return None
    document = Keys(
        version=known.version + 1 if known else 1,
        issued=clock(),
        agency=keys.profile.id,
        endpoint=account,
        signing=signing,
        kem=to_base64(keys.encryption.public),
    )
    return sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [keys.identity]).to_bytes()
