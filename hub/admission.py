"""Admission: may this frame go to the others? Pure: bytes, a view of the directory and a time in; a verdict
out.

`open_frame` does what costs (strict parsing, the signature) and knows nothing that changes from frame to
frame, so it runs on threads, ahead of the rest. `decide` makes every other check, in the order of FORMAT.md,
"Order of checks".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from schemas.chain import ChainHead, check_next
from schemas.directory import Directory
from schemas.documents import KEM_KEY_SIZE
from schemas.encoding import from_base64
from schemas.errors import Code, TrustError
from schemas.frame import CARD, Frame, parse_frame, signed_message
from schemas.limits import CLOCK_SKEW_MAX, INTAKE_AGE_MAX, LIFE_MAX
from schemas.merkle import Head
from schemas.signing import KEY_SIZE, verify
from schemas.subjects import FrameSubject
from schemas.wraps import kem_key_id

_WRITER: Final = "member"
LEAD: Final = CLOCK_SKEW_MAX
"""Milliseconds before a membership takes effect from which on its endpoints are served: a publisher whose
clock is ahead of the hub's, by no more than it may be, already seals to them.
"""


class Speaker(NamedTuple):
    """An endpoint with its current signing key: `key` is 32 bytes, `kid` names it in hex."""

    agency: str
    kid: str
    key: bytes


class Circle(NamedTuple):
    """A community at one moment: `roles` maps agency id to role; `readers` adds those who join within
    `LEAD`; `roots` holds the membership log's root at every size.
    """

    realm: str
    roles: Mapping[str, str]
    readers: frozenset[str]
    owners: frozenset[str]
    roots: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What the directory and the operator say at one moment, laid out for looking up.

    It holds from the moment it was made until `until` (Unix ms; None: until the directory changes). `keys`
    maps the id of every signing key there ever was to its bytes; `recipients` maps an encryption key's id to
    (endpoint, agency); `roots` holds the directory's root at every size.
    """

    speakers: Mapping[str, Speaker]
    keys: Mapping[str, bytes]
    revoked: frozenset[str]
    circles: Mapping[str, Circle]
    recipients: Mapping[bytes, tuple[str, str]]
    suspended: frozenset[str]
    roots: tuple[bytes, ...]
    until: int | None

    @classmethod
    def of(cls, directory: Directory, suspended: frozenset[str], now: int) -> Self:
        """The view at `now` (Unix ms). `suspended` are endpoints."""
        keys = {kid: from_base64(each.signing, KEY_SIZE) for kid, each in directory.signers.items()}
        speakers = {}
        for public, each in directory.endpoints.items():
            kid = directory.kid_of(each)
            speakers[public] = Speaker(each.agency, kid, keys[kid])
        # Encryption keys that a rotation replaced still count: a publisher may not have seen the new one yet.
        recipients = {
            kem_key_id(from_base64(each.kem, KEM_KEY_SIZE)): (each.endpoint, each.agency)
            for kid, each in directory.signers.items()
            if kid not in directory.revoked
        }
        circles = {}
        for community, log in directory.communities.items():
            roles, soon = log.members(now), log.members(now + LEAD)
            owners = frozenset(log.community.owners)
            circles[community] = Circle(
                log.community.realm.value, roles, frozenset({*roles, *soon}), owners, log.roots
            )
        until = next_change(directory, now)
        return cls(speakers, keys, directory.revoked, circles, recipients, suspended, directory.roots, until)

    def holds(self, now: int) -> bool:
        """Whether nothing that time alone changes has changed by `now`."""
        return self.until is None or now < self.until


def next_change(directory: Directory, now: int) -> int | None:
    """When a membership entry next comes within `LEAD`, or takes effect; Unix ms, None if all of them
    have.
    """
    due = (
        moment
        for log in directory.communities.values()
        for entry in log.entries
        for moment in (entry.nbf - LEAD, entry.nbf)
        if moment > now
    )
    return min(due, default=None)


class Opened(NamedTuple):
    """A frame whose form is right. `verified` is None where its key was not known yet: `decide` then checks
    again.
    """

    frame: Frame
    verified: bool | None


class Admitted(NamedTuple):
    """The frame goes on. `repeated`: it already is the head of its chain, so it is answered and not published
    again.
    """

    head: ChainHead
    repeated: bool


def open_frame(raw: bytes, keys: Mapping[str, bytes]) -> Opened:
    """Size, strict header and signature of untrusted bytes. Raises FormatError; a wrong signature is told by
    `decide`.
    """
    frame = parse_frame(raw)
    key = keys.get(frame.header.kid)
    return Opened(frame, None if key is None else _verify(frame, key))


def decide(opened: Opened, subject: FrameSubject, view: View, head: ChainHead, now: int) -> Admitted:
    """Every check after the form: whose frame, signed with which key, where, when, and whether it is the next
    of its chain.

    `subject` is where NATS says it came in, `head` the head of that chain so far, `now` Unix ms. Raises
    TrustError with the code of the first check that fails.
    """
    frame = opened.frame
    header = frame.header
    if (header.rl, header.com, header.pr, header.pub) != subject:
        raise _mismatch(frame, subject)
    if frame.hash == head.hash:
        return Admitted(head, repeated=True)
    speaker = _check_key(opened, view)
    _check_place(frame, speaker, view)
    _check_time(frame, now)
    return Admitted(check_next(head, frame), repeated=False)


def _verify(frame: Frame, key: bytes) -> bool:
    return verify(key, signed_message(frame.header_bytes, frame.body), frame.signature)


def _mismatch(frame: Frame, subject: FrameSubject) -> TrustError:
    header = frame.header
    said = {"realm": header.rl, "community": header.com, "precedence": header.pr, "publisher": header.pub}
    wrong = next(
        name for name, value, place in zip(said, said.values(), subject, strict=True) if value != place
    )
    return TrustError(
        Code.SUBJECT_MISMATCH,
        f"the signed header names another {wrong} than the subject",
        "publish a frame where its header says, from its own account",
    )


def _check_key(opened: Opened, view: View) -> Speaker:
    header = opened.frame.header
    speaker = view.speakers.get(header.pub)
    if speaker is None:
        raise TrustError(
            Code.UNKNOWN_PUBLISHER,
            "this endpoint has no keys in the directory",
            "submit its keys document first",
        )
    if header.kid in view.revoked:
        raise TrustError(
            Code.REVOKED_KEY, "the signing key was revoked", "make new keys and submit their document"
        )
    if header.kid != speaker.kid:
        replaced = header.kid in view.keys
        what = "is not the endpoint's current one" if replaced else "is not in the directory"
        raise TrustError(
            Code.UNKNOWN_KEY, f"the signing key {what}", "sign with the key of the newest keys document"
        )
    verified = opened.verified if opened.verified is not None else _verify(opened.frame, speaker.key)
    if not verified:
        raise TrustError(Code.BAD_SIGNATURE, "the signature does not hold", "send the frame as it was signed")
    return speaker


def _check_place(frame: Frame, speaker: Speaker, view: View) -> None:
    header = frame.header
    circle = view.circles.get(header.com)
    if circle is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "no such community", "check the id, or create it first")
    if header.rl != circle.realm:
        raise TrustError(
            Code.WRONG_REALM, f"the community belongs to the realm {circle.realm}", "publish it there"
        )
    role = circle.roles.get(speaker.agency)
    if role is None:
        raise TrustError(
            Code.NOT_MEMBER, "the agency is not in the community", "ask one of its owners to be added"
        )
    if role != _WRITER:
        raise TrustError(
            Code.READ_ONLY_MEMBER, "the agency may only read there", "ask an owner for the member role"
        )
    if header.k == CARD and speaker.agency not in circle.owners:
        raise TrustError(
            Code.FORBIDDEN, "only an owner publishes the community's card", "leave it to the owners"
        )
    if header.pub in view.suspended:
        raise TrustError(Code.SUSPENDED, "the endpoint is suspended", "call the hub's operators")
    _check_cited(header.dir, view.roots)
    _check_cited(header.mem, circle.roots)


def _check_cited(cited: Head, roots: tuple[bytes, ...]) -> None:
    # The hub writes both logs, so nobody is ahead of it. A made-up length would hold up every reader, who
    # waits for what is cited.
    if cited.size >= len(roots):
        raise TrustError(Code.LOG_BEHIND, "it cites a longer log than there is", "fetch the logs again")
    if roots[cited.size] != cited.root:
        raise TrustError(
            Code.SPLIT_VIEW, "it cites another log than the hub's", "stop, and call the secretariat"
        )


def _check_time(frame: Frame, now: int) -> None:
    header = frame.header
    if header.iat > now + CLOCK_SKEW_MAX:
        raise TrustError(
            Code.FROM_THE_FUTURE,
            "it was signed later than the hub's clock allows",
            "set the clock of the node",
        )
    if header.exp <= now:
        raise TrustError(Code.EXPIRED, "it expired before it arrived", "publish it again, valid for longer")
    if header.iat < now - INTAKE_AGE_MAX:
        raise TrustError(Code.TOO_OLD, "it was signed too long ago", "publish it again")
    if not header.iat < header.exp <= header.iat + LIFE_MAX:
        raise TrustError(
            Code.BAD_HEADER, "it would be valid for longer than is allowed", "choose an earlier expiry"
        )
