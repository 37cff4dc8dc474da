"""What a bulletin says of itself against what its signed header says. FORMAT.md, "Content"."""

from schemas.bulletin import Bulletin
from schemas.errors import Code, TrustError
from schemas.frame import Header


def check_agreement(bulletin: Bulletin, header: Header, hist: str, code: str) -> None:
    """`hist` is that of the frame's epoch, `code` the publisher's agency's. TrustError `exercise_mismatch` or
    `content_mismatch`.
    """
    if bulletin.realm != header.rl:
        raise TrustError(Code.EXERCISE_MISMATCH, "the exercise flag does not agree with the realm")
    said = (bulletin.id, bulletin.precedence, bulletin.history, bulletin.ref.partition("-")[0])
    signed = (header.id, header.pr, hist, code)
    if said != signed:
        names = ("id", "severity", "history", "ref")
        wrong = [name for name, one, other in zip(names, said, signed, strict=True) if one != other]
        raise TrustError(Code.CONTENT_MISMATCH, f"the bulletin and its frame disagree: {', '.join(wrong)}")
