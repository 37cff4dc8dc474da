"""Who may ask whom for old keys, and hand them to whom. Pure. FORMAT.md, "History".

The hub learns from it that an agency asks for history and which epochs' keys it is given, as it learns from
every wrap who reads an epoch; never a key.
"""

from hub.admission import Circle, Speaker, View
from hub.registrar import Announcements, Delivery
from schemas.directory import Directory
from schemas.errors import Code, TrustError
from schemas.history import Handover, check_request, parse_request
from schemas.vocabulary import History


def route(data: bytes, sender: str, directory: Directory, view: View, now: int) -> str:
    """The holder to whom a request for old keys goes. `sender` is the account that submitted it. Raises
    FormatError or TrustError.
    """
    signed = parse_request(data)
    request = signed.request
    if request.endpoint != sender:
        raise TrustError(
            Code.SUBJECT_MISMATCH, "the request is another endpoint's", "submit it from the account that asks"
        )
    _speaker(sender, view)
    check_request(directory, signed, now)
    holder = view.speakers.get(request.holder)
    if holder is None or holder.agency not in view.circles[request.com].roles:
        raise TrustError(Code.NOT_MEMBER, "who is asked is not in the community", "ask another member")
    return request.holder


def split(handover: Handover, sender: str, announced: Announcements, view: View) -> list[Delivery]:
    """Old keys as single wraps for their one reader. Raises TrustError: both agencies are in the community
    now, and each epoch was announced there for the bulletins that later joiners may have.
    """
    circle = view.circles.get(handover.community)
    if circle is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "no such community", "check the id")
    _check_member(_speaker(sender, view).agency, circle)
    recipient = view.recipients.get(handover.kid)
    if recipient is None:
        raise TrustError(Code.UNKNOWN_KEY, "no endpoint has this encryption key", "fetch the directory")
    _check_member(recipient[1], circle)
    for each in handover.wraps:
        found = announced.find(handover.publisher, each.announcement)
        if found is None or found.community != handover.community:
            raise TrustError(
                Code.UNKNOWN_EPOCH,
                "this publisher announced no such epoch in the community",
                "hand over keys of epochs that the hub has admitted",
            )
        if found.history != History.MEMBERS:
            raise TrustError(
                Code.HISTORY_NONE,
                "its originator keeps this epoch from later joiners",
                "hand over keys of `members` epochs only",
            )
    return [Delivery(recipient[0], each.to_bytes()) for each in handover.wraps]


def _speaker(sender: str, view: View) -> Speaker:
    speaker = view.speakers.get(sender)
    if speaker is None:
        raise TrustError(
            Code.UNKNOWN_PUBLISHER, "this endpoint has no keys in the directory", "submit them first"
        )
    if sender in view.suspended:
        raise TrustError(Code.SUSPENDED, "the endpoint is suspended", "call the hub's operators")
    return speaker


def _check_member(agency: str, circle: Circle) -> None:
    if agency not in circle.roles:
        raise TrustError(
            Code.NOT_MEMBER, f"{agency} is not in the community", "history stays among its members"
        )
