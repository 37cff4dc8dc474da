"""An agency's first two steps: keys with a request for the secretariat and the hub, then the admission that
comes back.
"""

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from schemas.directory import Directory
from schemas.documents import Enrolment, Keys
from schemas.encoding import from_base64, from_hex, to_base64
from schemas.errors import Code, OperationError
from schemas.limits import DOCUMENT_MAX
from schemas.signing import DOCUMENT_TYPE, ENROLMENT_TYPE, sign_envelope
from subscribers.exchange.hub_link import Admission
from subscribers.keys import Keyring

KEYS: Final = "keys"
ADMISSION: Final = "admission.json"
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


def accept(state: Path, admission: Admission, fingerprint: str) -> None:
    """Keep an admission whose root is the one that we were told of. TrustError `root_mismatch`;
    OperationError if one is kept already.

    `fingerprint` is the SHA-256 of root version 1 in hex; spaces and capitals do not matter.
    """
    root = from_base64(admission.root, DOCUMENT_MAX)
    Directory.pinned(root, from_hex("".join(fingerprint.split()).lower(), sha256().digest_size))
    target = state / ADMISSION
    if target.exists():
        if Admission.read(target) == admission:
            return
        raise OperationError(
            Code.ALREADY_KNOWN, "this node is enrolled with another admission", "use a new state directory"
        )
    keep(state, admission)


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
