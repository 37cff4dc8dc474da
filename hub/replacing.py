"""The secretariat's ceremonies about agencies' identity keys: replace one that is lost or stolen, or take
that back. Pure. FORMAT.md, "Directory".
"""

from collections.abc import Sequence

from schemas.documents import Enrolment, Object, Replace, Root, parse_document
from schemas.errors import Code, FormatError
from schemas.limits import DISPUTE_FACTOR
from schemas.signing import DOCUMENT_TYPE, Envelope, Signer, sign_envelope


def replacement(
    asked: Enrolment, root: Root, signers: Sequence[Signer], spare: int, now: int, *, disputed: bool
) -> tuple[Replace, Envelope]:
    """That the agency's identity key is to be the one of its request, after the root's cool-down and `spare`
    ms until this is in the directory.
    """
    wait = root.cooldown * (DISPUTE_FACTOR if disputed else 1) + spare
    document = Replace(issued=now, agency=asked.id, identity=asked.identity, nbf=now + wait)
    return document, sign_envelope(DOCUMENT_TYPE, document.to_bytes(), signers)


def withdrawal(data: bytes, signers: Sequence[Signer], now: int) -> tuple[Replace, Envelope]:
    """The word that takes a replacement back. FormatError."""
    said = parse_document(data).document
    if not isinstance(said, Replace):
        raise FormatError(
            Code.BAD_DOCUMENT, f"a {said.type} document, not a replacement", "give the replace.dsse"
        )
    document = Object(issued=now, agency=said.agency, identity=said.identity)
    return said, sign_envelope(DOCUMENT_TYPE, document.to_bytes(), signers)
