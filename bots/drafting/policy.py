"""Who may write, who may release, and when two must agree. Pure: the agency's policy as a table.

Whoever releases has not written it: not begun it, and not changed it last.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bots.officers.roles import RIGHTS, Right, Role
from schemas.vocabulary import Tlp

DRAFTERS: Final[frozenset[str]] = frozenset(each for each in Role if Right.DRAFT in RIGHTS[each])
RELEASERS: Final[frozenset[str]] = frozenset(each for each in Role if Right.RELEASE in RIGHTS[each])


class TwoPersons(StrEnum):
    """When a bulletin needs a second officer."""

    OFF = "off"
    ABOVE_GREEN = "above-green"
    ALWAYS = "always"

    def needed(self, tlp: Tlp) -> bool:
        """Whether a bulletin with this marking does."""
        above = tlp.rank > Tlp.GREEN.rank
        return self is TwoPersons.ALWAYS or (self is TwoPersons.ABOVE_GREEN and above)


class Ruling(StrEnum):
    """What an officer may do with a draft that is ready."""

    RELEASE = "release"
    SEND = "send"
    """Send it to those who release."""
    OTHER = "other"
    """It waits for somebody else: this officer wrote it, and may take it back."""
    ELSEWHERE = "elsewhere"
    """Somebody else must, and nobody else comes to this door."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Hand:
    """An officer's part in a draft: the bot's numbers of its owner and of its last editor (the owner, once it
    was sent back), the officer and their role.
    """

    owner: int
    editor: int
    officer: int
    role: str

    @property
    def wrote(self) -> bool:
        """Whether it is theirs, or was changed last by them."""
        return self.officer in (self.owner, self.editor)


def may_draft(role: str) -> bool:
    """Whether officers of this role write bulletins."""
    return role in DRAFTERS


def may_release(role: str) -> bool:
    """Whether officers of this role release what others wrote."""
    return role in RELEASERS


def ruling(policy: TwoPersons, tlp: Tlp, hand: Hand, *, waiting: bool, single: bool = False) -> Ruling:
    """What `hand` may do with a draft marked `tlp` that is `waiting` for release, or not sent yet; `single`:
    at a door with one officer.
    """
    if waiting:
        if hand.wrote and may_draft(hand.role):
            return Ruling.OTHER
        return Ruling.RELEASE if may_release(hand.role) and not hand.wrote else Ruling.NEVER
    if not (hand.wrote and may_draft(hand.role)):
        return Ruling.NEVER
    alone = may_release(hand.role) and not policy.needed(tlp)
    if alone:
        return Ruling.RELEASE
    return Ruling.ELSEWHERE if single else Ruling.SEND


def may_return(hand: Hand, *, waiting: bool, by_another: bool) -> bool:
    """Whether a releaser may send it back: one to whom it was sent, also when they have changed it since."""
    if not may_release(hand.role):
        return False
    return not hand.wrote if waiting else by_another and hand.officer == hand.editor


def may_edit(hand: Hand, *, waiting: bool) -> bool:
    """Whether an officer may change a draft: its writers, and a releaser to whom it was sent."""
    return may_draft(hand.role) and (hand.wrote or (waiting and may_release(hand.role)))
