"""What owners sign: communities and the entries of their membership logs. Pure; the node submits them."""

import re
import secrets
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from schemas.card import Card
from schemas.directory import Directory
from schemas.documents import Community, Membership
from schemas.errors import Code, OperationError, TrustError
from schemas.limits import INTEGER_MAX
from schemas.membership import MembershipLog
from schemas.signing import DOCUMENT_TYPE, MEMBERSHIP_TYPE, Signer, sign_envelope
from schemas.vocabulary import Realm

Op = Literal["add", "remove"]
HOUR: Final = 3_600_000
SPAN_MAX: Final = 90 * 24 * HOUR
_NAMED_MAX: Final = 20
_UNITS: Final = {"s": 1000, "m": 60_000, "h": HOUR, "d": 24 * HOUR}


class Change(NamedTuple):
    """What an owner wants changed. `nbf`: when it takes effect, Unix milliseconds."""

    community: str
    op: Op
    agency: str
    role: Literal["member", "reader"]
    nbf: int


class Owner(NamedTuple):
    """An agency, by its id, and its identity key."""

    agency: str
    signer: Signer


def found(
    directory: Directory, realm: Realm, owners: list[str], now: int, signer: Signer, threshold: int = 1
) -> tuple[str, bytes]:
    """A new community: its random id, and the document signed by its first owner. TrustError.

    With a threshold above 1 the document is a proposal (`subscribers.owning.proposals`) until others have
    signed.
    """
    unknown = [each for each in owners if each not in directory.agencies]
    if unknown:
        raise nobody(directory.agencies, unknown[0])
    if threshold > len(owners):
        raise TrustError(
            Code.BELOW_THRESHOLD,
            f"{len(owners)} owners can never give {threshold} signatures",
            "name more owners with --owner, or lower --threshold",
        )
    community = secrets.token_hex(16)
    document = Community(issued=now, id=community, realm=realm, owners=owners, threshold=threshold)
    return community, sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [signer]).to_bytes()


def change(directory: Directory, wanted: Change, now: int, owner: Owner) -> bytes:
    """The next entry of a membership log, signed by this owner, whose signature is enough. TrustError when
    there is nothing to change or no right to, `below_threshold` when others must sign as well.
    """
    log = _owned(directory, wanted.community, owner.agency)
    if log.community.threshold > 1:
        raise TrustError(
            Code.BELOW_THRESHOLD,
            f"this community needs the signatures of {log.community.threshold} owners",
            "begin with `liaison-agency community propose`",
        )
    return propose(directory, wanted, now, owner)


def propose(directory: Directory, wanted: Change, now: int, owner: Owner) -> bytes:
    """The same, whoever else must sign."""
    log = _owned(directory, wanted.community, owner.agency)
    if wanted.agency not in directory.agencies:
        raise nobody(directory.agencies, wanted.agency)
    # When it takes effect and in the end: what is only planned may be hastened or called off.
    target = wanted.role if wanted.op == "add" else None
    if {log.role(wanted.agency, at) for at in (wanted.nbf, INTEGER_MAX)} == {target}:
        raise TrustError(
            Code.ALREADY_KNOWN,
            f"{wanted.agency} is already {'in' if wanted.op == 'add' else 'out'}",
            "nothing is left to do",
        )
    entry = Membership(
        com=wanted.community,
        index=log.tree.size,
        prev=log.last,
        issued=now,
        op=wanted.op,
        id=wanted.agency,
        role=wanted.role,
        nbf=wanted.nbf,
    )
    return sign_envelope(MEMBERSHIP_TYPE, entry.to_bytes(), [owner.signer]).to_bytes()


def check_notice(op: Op, nbf: int, now: int, delay: int) -> None:
    """That an addition leaves the members the notice that this agency demands. TrustError `forbidden`."""
    if op == "add" and nbf < now + delay:
        hours = f"{delay / HOUR:g} h"
        raise TrustError(
            Code.FORBIDDEN,
            f"this agency signs no addition that takes effect in less than {hours}",
            f"let it take effect later: --after {hours.replace(' ', '')} or more",
        )


def parse_span(text: str) -> int:
    """Milliseconds of a span such as 90m, 24h or 2d, at most 90 days. OperationError `bad_request`."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    span = int(found[1]) * _UNITS[found[2]] if found else -1
    if not 0 <= span <= SPAN_MAX:
        raise OperationError(
            Code.BAD_REQUEST, "not a span of time up to 90 days", "write it like 90m, 24h or 2d"
        )
    return span


def nobody(agencies: Iterable[str], *unknown: str) -> TrustError:
    """That no agency has such an id, with the ids that there are."""
    known = sorted(agencies)
    told = ", ".join(known[:_NAMED_MAX]) + (", ..." if len(known) > _NAMED_MAX else "")
    fix = f"it must have been admitted first; these are: {told}"
    return TrustError(Code.UNKNOWN_AGENCY, f"no agency is called {' or '.join(unknown)}", fix)


def _owned(directory: Directory, community: str, agency: str) -> MembershipLog:
    log = directory.communities.get(community)
    if log is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "no such community", "see `liaison-agency community list`")
    if agency not in log.community.owners:
        raise TrustError(
            Code.FORBIDDEN,
            f"{agency} does not own the community",
            f"ask an owner: {', '.join(log.community.owners)}",
        )
    return log


def card_of(community: str, cards: dict[str, Card]) -> Card:
    """The community's card, or one made of its id while none has come."""
    return cards.get(community) or Card(slug=community, title=community)
