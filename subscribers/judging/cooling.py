"""When the replacement of an identity key may take effect by this machine's clock, which no log can tell.
Pure. FORMAT.md, "Directory".
"""

from collections.abc import Mapping

from schemas.directory import Directory
from schemas.documents import Identity, Replace, SignedDocument


def ready_at(before: Directory, document: Replace, now: int, *, history: bool) -> int:
    """From when on (Unix ms) a replacement that came at `now` has had its time. `history`: it was there
    before this machine began to watch, so that only the secretariat's word tells.
    """
    cool_down = before.identities.cool_down(document.agency, before.root)
    return document.nbf if history else max(document.nbf, now + cool_down)


def early_until(before: Directory, signed: SignedDocument, ready: Mapping[str, int]) -> int:
    """Until when (Unix ms) an `identity` document that follows on `before` comes too early; 0 where both keys
    agree. `ready` holds what `ready_at` said, by the new key.
    """
    document = signed.document
    if not isinstance(document, Identity) or before.identities.agreed(document, signed.envelope):
        return 0
    return ready.get(document.identity, before.identities.pending[document.agency].nbf)
