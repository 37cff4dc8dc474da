"""What owners sign: communities and the entries of their membership logs. Pure; the node submits them."""

import secrets
from typing import Literal, NamedTuple

from schemas.card import Card
from schemas.directory import Directory
from schemas.documents import Community, Membership
from schemas.errors import Code, LiaisonError, TrustError
from schemas.signing import DOCUMENT_TYPE, MEMBERSHIP_TYPE, Signer, sign_envelope
from schemas.vocabulary import Realm


class Owner(NamedTuple):
    """An agency, by its id, and its identity key."""

    agency: str
    signer: Signer


def found(
    directory: Directory, realm: Realm, owners: list[str], now: int, signer: Signer
) -> tuple[str, bytes]:
    """A new community: its random id, and the document signed by its first owner. TrustError.

    Each owner alone may change it (threshold 1): a community of several that must agree needs the
    signatures of several to begin with.
    """
    unknown = [each for each in owners if each not in directory.agencies]
    if unknown:
        raise TrustError(Code.UNKNOWN_AGENCY, f"no agency is called {unknown[0]}", "check the id")
    community = secrets.token_hex(16)
    document = Community(issued=now, id=community, realm=realm, owners=owners, threshold=1)
    return community, sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [signer]).to_bytes()


def change(
    directory: Directory,
    community: str,
    op: Literal["add", "remove"],
    agency: str,
    role: Literal["member", "reader"],
    now: int,
    owner: Owner,
) -> bytes:
    """The next entry of a membership log, signed by this owner. TrustError when there is nothing to
    change or no right to.
    """
    log = directory.communities.get(community)
    if log is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "no such community", "see `liaison-agency community list`")
    if owner.agency not in log.community.owners:
        raise TrustError(
            Code.FORBIDDEN,
            f"{owner.agency} does not own the community",
            f"ask an owner: {', '.join(log.community.owners)}",
        )
    if agency not in directory.agencies:
        raise TrustError(
            Code.UNKNOWN_AGENCY, f"no agency is called {agency}", "check the id in the directory"
        )
    if log.community.threshold > 1:
        raise LiaisonError(
            Code.BELOW_THRESHOLD,
            "this community needs the signatures of several owners",
            "collect them before you submit",
        )
    held = log.members(now).get(agency)
    if (op == "add" and held == role) or (op == "remove" and held is None):
        raise TrustError(
            Code.ALREADY_KNOWN,
            f"{agency} is already {'in' if op == 'add' else 'out'}",
            "nothing is left to do",
        )
    entry = Membership(
        com=community, index=log.tree.size, prev=log.last, issued=now, op=op, id=agency, role=role, nbf=now
    )
    return sign_envelope(MEMBERSHIP_TYPE, entry.to_bytes(), [owner.signer]).to_bytes()


def card_of(community: str, cards: dict[str, Card]) -> Card:
    """The community's card, or one made of its id while none has come."""
    return cards.get(community) or Card(slug=community, title=community)
