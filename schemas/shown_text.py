"""The text in an evidence file against the signed header that commits to it. FORMAT.md, "Evidence"."""

from schemas.agreement import check_agreement
from schemas.bulletin import Bulletin, parse_bulletin
from schemas.content import plaintext_commitment
from schemas.encoding import from_base64
from schemas.errors import Code, SealError, TrustError
from schemas.evidence import ContentPart, ReplyPart
from schemas.frame import Header
from schemas.limits import PAYLOAD_MAX
from schemas.reply import check_place, parse_reply, parse_sealed, reply_commitment
from schemas.vocabulary import History


def shown_text(content: ContentPart, header: Header, hist: str | None, code: str) -> tuple[Bulletin, str]:
    """What a frame says, and what that is called. `hist` is of the frame's epoch, where the file shows that;
    `code` the publisher's agency's.

    Raises SealError `commitment_mismatch`, and as a reader of the frame would.
    """
    payload = content.payload.encode()
    signed = from_base64(content.sealed, PAYLOAD_MAX) if isinstance(content, ReplyPart) else payload
    # FORMAT.md, Content: `pc` commits to salt and payload; then what the bulletin says of itself.
    if plaintext_commitment(bytes.fromhex(content.salt), signed).hex() != header.pc:
        raise _other_text("The text is not the one to which the signed frame commits.")
    if not isinstance(content, ReplyPart):
        bulletin = parse_bulletin(payload)
        check_agreement(bulletin, header, hist or bulletin.history.value, code)
        return bulletin, "bulletin"
    # FORMAT.md, Replies: the sealed payload commits to the reply in its turn.
    if reply_commitment(bytes.fromhex(content.reply_salt), payload) != parse_sealed(signed).commitment:
        raise _other_text("The reply is not the one to which the sealed payload commits.")
    check_place(header, hist or History.NONE.value)
    reply = parse_reply(payload, header, code)
    if not isinstance(reply, Bulletin):
        raise TrustError(Code.NOT_A_REPLY, "The text is a report and no bulletin.")
    return reply, "private reply"


def _other_text(reason: str) -> SealError:
    return SealError(Code.COMMITMENT_MISMATCH, reason)
