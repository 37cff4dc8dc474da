"""The registrar: who may put what into the directory, and what follows from it. Pure.

Documents and membership entries prove themselves by their signatures (`schemas.directory`); this module adds
who may hand them in. From the directory follow the communities that each agency's endpoints may read and
submit to, and who receives which wrap.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from hub.admission import LEAD, View
from hub.grants import Entitlements
from hub.replacements import check_time
from schemas.directory import Directory
from schemas.documents import (
    Agency,
    Community,
    Enrolment,
    Identity,
    Keys,
    Object,
    Replace,
    Revoke,
    SignedDocument,
    WitnessRequest,
    parse_document,
    parse_enrolment,
    parse_membership,
    parse_witness_request,
)
from schemas.encoding import from_base64, parse_json
from schemas.errors import Code, FormatError, TrustError
from schemas.frame import Frame
from schemas.limits import DOCUMENT_MAX
from schemas.membership import MembershipLog
from schemas.signing import DOCUMENT_TYPE, KEY_SIZE, MEMBERSHIP_TYPE
from schemas.subjects import DIRECTORY_DOCUMENTS, membership_log
from schemas.wraps import parse_bundle

ANNOUNCEMENTS_PER_ENDPOINT: Final = 4096
"""Announced epochs remembered of one endpoint; a wrap for an older one is looked up in no stream."""

COMMUNITIES_MAX: Final = 256
"""Communities that one agency may be named in, as owner, member or reader, past or present. Each takes 900
bytes of its account's JWT, and one that no longer fits into a NATS message would stop the intake for
everybody: an owner adds whom it likes, as often as it likes.
"""


class Recorded(NamedTuple):
    """What a submission does: `data` is to be appended on `subject`, and `directory` is then the directory.

    `affected` are the agencies whose entitlements may differ afterwards. `repeated`: it is in the log
    already.
    """

    directory: Directory
    subject: str
    affected: frozenset[str]
    repeated: bool


def submit(
    directory: Directory, data: bytes, *, agency: str | None, accounts: Mapping[str, str], now: int
) -> Recorded:
    """The next document or membership entry, handed in by an endpoint of `agency`; None means by the hub's
    operator. `now` is the hub's time, Unix ms.

    `accounts` maps each endpoint to the agency for which its account was made. Raises FormatError or
    TrustError; `forbidden` when the signatures may hold but this is not who hands it in.
    """
    kind = parse_json(data, DOCUMENT_MAX).get("payloadType")
    if kind == MEMBERSHIP_TYPE:
        return _membership(directory, data, agency)
    if kind != DOCUMENT_TYPE:
        raise FormatError(
            Code.BAD_DOCUMENT, "neither a directory document nor a membership entry", "check the payloadType"
        )
    return _document(directory, data, agency, accounts, now)


def entitlements(directory: Directory, agency: str, now: int) -> Entitlements:
    """(realm, community) pairs whose frames and membership log the agency's endpoints are served at `now`.

    Members and readers, from `LEAD` before until a removal takes effect; and owners, who need the log to sign
    its next entry (they see that frames pass, and hold no key to them).
    """
    return frozenset(
        (log.community.realm.value, community)
        for community, log in directory.communities.items()
        if agency in log.community.owners or agency in log.members(now) or agency in log.members(now + LEAD)
    )


def submittable(directory: Directory, agency: str) -> Entitlements:
    """(realm, community) pairs into which the agency's endpoints may send: those it is, will be or ever was
    in.

    Wider than what they read, so that one that was removed gets a signed refusal instead of silence.
    """
    return frozenset(
        (log.community.realm.value, community)
        for community, log in directory.communities.items()
        if agency in log.community.owners or any(entry.id == agency for entry in log.entries)
    )


def check_enrolment(request: bytes, said: bytes) -> tuple[Enrolment, Agency | Replace]:
    """An enrolment request that proves its identity key, with what the registrars made of it: an agency
    document, or for an agency that is known the word that its key is to be replaced by this one.

    The registrars' signatures are checked when the document enters the directory. Raises FormatError or
    TrustError.
    """
    signed = parse_enrolment(request)
    asked = signed.request
    if not signed.envelope.signed_by([from_base64(asked.identity, KEY_SIZE)]):
        raise TrustError(
            Code.BAD_SIGNATURE,
            "the request is not signed by its own identity key",
            "ask the agency for it again",
        )
    document = parse_document(said).document
    match document:
        case Agency():
            belongs = (document.id, document.name, document.code, document.identity) == (
                asked.id,
                asked.name,
                asked.code,
                asked.identity,
            )
        case Replace():
            belongs = (document.agency, document.identity) == (asked.id, asked.identity)
        case _:
            raise TrustError(
                Code.BAD_DOCUMENT, f"a {document.type} document, not an agency's", "give the agency document"
            )
    if not belongs:
        raise TrustError(
            Code.BAD_DOCUMENT,
            "the agency document was made from another request",
            "give the two that belong together",
        )
    return asked, document


def check_witness(directory: Directory, request: bytes) -> WitnessRequest:
    """A witness's request for an account, signed by a key that the root names. Raises FormatError, or
    TrustError `bad_signature` or `unknown_key`.
    """
    signed = parse_witness_request(request)
    asked = signed.request
    if not signed.envelope.signed_by([from_base64(asked.key, KEY_SIZE)]):
        raise TrustError(
            Code.BAD_SIGNATURE, "the request is not signed by its own key", "ask the witness for it again"
        )
    if (asked.name, asked.key) not in {(each.name, each.key) for each in directory.root.witnesses}:
        raise TrustError(
            Code.UNKNOWN_KEY,
            "the root names no witness with this name and key",
            "have the secretariat put it into the root, and submit that, first",
        )
    return asked


class Announced(NamedTuple):
    """Where an epoch was announced, and for which bulletins: `none` or `members`."""

    community: str
    history: str


class Announcements:
    """Which epochs an endpoint has announced, and where: what a bundle of wraps must name. Bounded per
    endpoint.
    """

    def __init__(self) -> None:
        self._of: dict[str, OrderedDict[bytes, Announced]] = {}

    def add(self, frame: Frame) -> None:
        """Remember an admitted announcement, by its SHA-256."""
        header = frame.header
        known = self._of.setdefault(header.pub, OrderedDict[bytes, Announced]())
        known[bytes.fromhex(frame.hash)] = Announced(header.com, header.hist)
        if len(known) > ANNOUNCEMENTS_PER_ENDPOINT:
            known.popitem(last=False)

    def find(self, publisher: str, announcement: bytes) -> Announced | None:
        """What the endpoint announced under this hash; None if it did not."""
        known = self._of.get(publisher)
        return known.get(announcement) if known else None

    def community(self, publisher: str, announcement: bytes) -> str | None:
        """Where the endpoint announced this epoch; None if it did not."""
        found = self.find(publisher, announcement)
        return found and found.community


@dataclass(frozen=True, slots=True)
class Delivery:
    """One wrap for one endpoint."""

    recipient: str
    data: bytes


def announcement_of(bundle: bytes) -> bytes:
    """The SHA-256 of the announcement that a bundle of wraps names. FormatError."""
    return parse_bundle(bundle)[0].announcement


def split_bundle(bundle: bytes, publisher: str, community: str | None, view: View) -> list[Delivery]:
    """A bundle as single wraps for those of its recipients who are in the community.

    `community` is where the publisher announced the epoch (None: nowhere). Wraps for others are left out: a
    membership may have ended while they travelled. Raises FormatError or TrustError.
    """
    wraps = parse_bundle(bundle)
    if publisher not in view.speakers:
        raise TrustError(
            Code.UNKNOWN_PUBLISHER, "this endpoint has no keys in the directory", "submit them first"
        )
    if publisher in view.suspended:
        raise TrustError(Code.SUSPENDED, "the endpoint is suspended", "call the hub's operators")
    circle = view.circles.get(community) if community else None
    if circle is None:
        raise TrustError(
            Code.UNKNOWN_EPOCH,
            "the bundle names no epoch that this endpoint announced",
            "send the announcement first",
        )
    if view.speakers[publisher].agency not in circle.roles:
        raise TrustError(
            Code.NOT_MEMBER, "the agency is not in the community", "ask one of its owners to be added"
        )
    found = ((view.recipients.get(wrap.kid), wrap) for wrap in wraps)
    deliveries = [
        Delivery(recipient[0], wrap.to_bytes())
        for recipient, wrap in found
        if recipient is not None and recipient[1] in circle.readers
    ]
    if not deliveries:
        raise TrustError(
            Code.NOT_MEMBER,
            "none of the recipients is in the community",
            "fetch the membership log and wrap again",
        )
    return deliveries


def _document(
    directory: Directory, data: bytes, agency: str | None, accounts: Mapping[str, str], now: int
) -> Recorded:
    if agency is not None:
        _check_submitter(parse_document(data), agency, accounts)
    if sha256(data).digest() in directory.seen:
        return Recorded(directory, DIRECTORY_DOCUMENTS, frozenset(), repeated=True)
    signed = directory.check(data)
    document = signed.document
    check_time(directory, signed, now)
    affected = frozenset(document.owners if isinstance(document, Community) else ())
    _check_room(directory, affected)
    return Recorded(directory.apply(data), DIRECTORY_DOCUMENTS, affected, repeated=False)


def _check_room(directory: Directory, agencies: frozenset[str]) -> None:
    for agency in sorted(agencies):
        if len(submittable(directory, agency)) >= COMMUNITIES_MAX:
            raise TrustError(
                Code.FORBIDDEN,
                f"{agency} is named in {COMMUNITIES_MAX} communities, which is the most",
                "use one that there is, or call the hub's operators",
            )


def _check_submitter(signed: SignedDocument, agency: str, accounts: Mapping[str, str]) -> None:
    document = signed.document
    match document:
        case Keys():
            allowed = document.agency == agency and accounts.get(document.endpoint) == agency
        case Revoke() | Object() | Identity():
            allowed = document.agency == agency
        case Community():
            allowed = agency in document.owners
        case _:
            allowed = False
    if not allowed:
        raise TrustError(
            Code.FORBIDDEN,
            f"this endpoint may not hand in this {document.type} document",
            "its own agency hands in what it signs, an owner communities, the operator the rest",
        )


def _membership(directory: Directory, data: bytes, agency: str | None) -> Recorded:
    entry = parse_membership(data).entry
    log = directory.communities.get(entry.com)
    if log is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "no such community", "submit its document first")
    if agency is not None and agency not in log.community.owners:
        raise TrustError(
            Code.FORBIDDEN,
            "this endpoint's agency does not own the community",
            "hand it in from an owner's endpoint",
        )
    subject = membership_log(entry.com)
    if _stands_in(log, entry.index, data):
        return Recorded(directory, subject, frozenset(), repeated=True)
    grown = directory.apply_membership(data)
    if entry.id not in log.community.owners and entry.id not in log.by_agency:
        _check_room(directory, frozenset({entry.id}))
    return Recorded(grown, subject, frozenset({entry.id}), repeated=False)


def _stands_in(log: MembershipLog, index: int, data: bytes) -> bool:
    """Whether these bytes are the entry at `index`: its successor names its hash, and so does the log's
    end.
    """
    if index >= len(log.entries):
        return False
    follower = log.entries[index + 1].prev if index + 1 < len(log.entries) else log.last
    return follower == sha256(data).hexdigest()
