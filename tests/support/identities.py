"""How the identity of `fra` is replaced in the federation: each document as it should be, and signed so."""

from typing import Any, Final

from schemas.documents import Identity, LogSize, Object, Replace
from schemas.encoding import to_base64
from schemas.limits import COOL_DOWN
from schemas.signing import MEMBERSHIP_TYPE
from subscribers.keys import SigningKey
from tests.support import federation as fed
from tests.support.federation import AT, COM, EXE, FRA, OTHER, REGISTRAR, ROOTS, envelope, seed

NEW: Final = SigningKey(seed("fra new identity"))
NEWER: Final = SigningKey(seed("fra newer identity"))
LATER: Final = AT + COOL_DOWN
SIZES: Final = {COM: 3, EXE: 2, OTHER: 2}
"""Of the communities that `fra` owns."""


def replace(key: SigningKey = NEW, **changes: Any) -> Replace:
    """The word of the secretariat."""
    fields = {"issued": AT, "agency": "fra", "identity": to_base64(key.public), "nbf": LATER}
    return Replace.model_validate({**fields, **changes})


def object_(key: SigningKey = NEW, **changes: Any) -> Object:
    """The agency's no."""
    fields = {"issued": AT, "agency": "fra", "identity": to_base64(key.public)}
    return Object.model_validate({**fields, **changes})


def identity(key: SigningKey = NEW, **changes: Any) -> Identity:
    """The new key taken up, when the time has come."""
    logs = [LogSize(com=com, size=size) for com, size in sorted(SIZES.items())]
    fields = {"issued": LATER, "agency": "fra", "identity": to_base64(key.public), "logs": logs}
    return Identity.model_validate({**fields, **changes})


def proposed(key: SigningKey = NEW, **changes: Any) -> bytes:
    """Signed by the registrar."""
    return envelope(replace(key, **changes), REGISTRAR)


def objected(key: SigningKey = NEW, **changes: Any) -> bytes:
    """Signed by the present key."""
    return envelope(object_(key, **changes), FRA.identity)


def taken(key: SigningKey = NEW, **changes: Any) -> bytes:
    """Signed by the new key."""
    return envelope(identity(key, **changes), key)


def overriding(key: SigningKey = NEWER, **changes: Any) -> bytes:
    """A replacement in spite of an objection: by the registrar and the root role, for three times as long."""
    document = replace(key, **{"nbf": AT + 3 * COOL_DOWN, **changes})
    return envelope(document, REGISTRAR, *ROOTS[:2])


def added(com: str, id: str, *signers: SigningKey, size: int | None = None) -> bytes:
    """The next entry of a community's log, signed by these."""
    log = fed.memberships()[com][: SIZES[com] if size is None else size]
    return envelope(fed.entry(log, com=com, id=id), *signers, type=MEMBERSHIP_TYPE)
