"""What the drafting desk has in common: what it works with, what it answers, whose draft it is and whether
it may be here.

The marking is held against the ceiling whenever a draft is touched: the ceiling may have been lowered since.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bots.clock import Clock
from bots.dialogue.screens import plain_answer
from bots.drafting import review, screens
from bots.drafting.authors import name_of
from bots.drafting.draft import Step
from bots.drafting.policy import (
    Hand,
    Ruling,
    TwoPersons,
    may_draft,
    may_edit,
    may_release,
    may_return,
    ruling,
)
from bots.drafting.preview import Setting, community_of, previewed
from bots.drafting.wizard import allowed
from bots.officers.audit import Act
from bots.officers.roles import Right
from bots.ports import NodeClient
from bots.showing.buttons import button_room
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Ceiling, Release
from bots.showing.rendered import Rendered, Rows
from bots.showing.ways import to_change, to_go_on
from bots.state import State
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.words import words
from schemas.bulletin import Bulletin
from schemas.vocabulary import Language, Tlp
from subscribers.records import Community, Record


@dataclass(frozen=True, slots=True)
class Turn:
    """What to show, and where the conversation stands then: at a question of a draft, on the draft's own
    screen (no question), or at its end (no draft).
    """

    shown: Rendered
    draft: int | None = None
    step: Step | None = None
    language: Language | None = None
    """Of the translation that is asked for."""
    returning: bool = False
    """The next line is a releaser's note."""
    refused: bool = False
    """What was begun may not be in this chat."""
    doubted: bool = False
    """It is not done yet: whether it is meant has to be said first."""
    ref: str = ""
    """The bulletin that it became."""


class Stop(Exception):
    """There is something else to show, and the conversation is over."""

    def __init__(self, shown: Rendered, *, refused: bool = False) -> None:
        super().__init__("stop")
        self.turn = Turn(shown, refused=refused)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the desk works with."""

    node: NodeClient
    state: State
    ceiling: Ceiling
    policy: TwoPersons
    clock: Clock
    new_id: Callable[[], str]
    """A fresh UUIDv7: by it the node knows a release again."""
    wake: Callable[[], None]
    """There may be something to deliver."""
    via: str = ""
    """The front door, as the audit names it. It is a client of the node: uploads and the names of releases
    are a client's own.
    """
    within: bool = False
    """The front door is within the agency, a terminal: officers have other numbers there, and each a
    database.
    """
    chat: Ceiling | None = None
    """The front door is a page: no command is typed there, and what becomes of a draft is told in chat, under
    this ceiling.
    """

    def hand(self, officer: Officer, kept: Kept) -> Hand:
        """The officer's part in a draft."""
        return Hand(kept.owner, kept.writers[-1], officer.id, officer.role)

    def may_return(self, officer: Officer, kept: Kept) -> bool:
        """Whether the officer may send a draft back to who wrote it."""
        return may_return(self.hand(officer, kept), waiting=kept.waiting, by_another=kept.by_another)

    def ruling(self, officer: Officer, kept: Kept) -> Ruling:
        """What the officer may do with a draft that has a marking."""
        tlp = kept.body.tlp or Tlp.RED
        hand = self.hand(officer, kept)
        return ruling(self.policy, tlp, hand, waiting=kept.waiting, single=self.within)

    @property
    def alone(self) -> tuple[Tlp, ...]:
        """The markings of what cannot be released here, as a second officer must and this door has one."""
        return tuple(each for each in Tlp if self.within and self.policy.needed(each))

    def above(self, officer: Officer, tlp: Tlp) -> Rendered:
        """That a marking is not for this chat, and where it goes on."""
        return screens.above(officer, tlp, self.ceiling, two=self.policy.needed(tlp))

    def above_of(self, officer: Officer, bulletin: Bulletin, *, change: bool = False) -> Rendered:
        """The same for an answer to a bulletin, or a change of it: the marking of one that only waits is not
        told in chat, and what changes one is begun on its page in the reading room.
        """
        waits = self.ceiling.allows(bulletin.tlp) is Release.WAITING
        if not waits and not change:
            return self.above(officer, bulletin.tlp)
        say, administers = words(officer.language), officer.may(Right.ADMINISTER)
        where = to_go_on(bulletin.tlp, self.ceiling, say, administers=administers)
        rows: Rows = ((button_room(bulletin.ref, self.ceiling.room, say),),) if where and change else ()
        if change:
            two = self.policy.needed(Tlp.RED if waits else bulletin.tlp)
            where = to_change(bulletin.tlp, self.ceiling, say, two=two, administers=administers)
        return screens.beyond(officer, say.embed(bulletin.ref), where, rows)

    def is_releaser(self, officer: Officer) -> bool:
        """Whether the officer releases what others wrote."""
        return may_release(officer.role)

    async def releasers(self) -> list[Officer]:
        """Those who release and are in a chat."""
        everybody = await self.state.officers.all()
        return [each for each in everybody if may_release(each.role) and each.chat is not None]

    async def did(self, officer: Officer, verb: str, ref: str, outcome: str) -> None:
        """Write down what became of a draft: its reference, or its number before it has one."""
        act = Act(officer.id, officer.name, self.via, verb, ref, outcome)
        await self.state.audit.write([act], self.clock.now())

    async def previewed(self, kept: Kept) -> Record:
        """The record that stands for the one which readers will hold. Raises DraftError, OperationError
        `not_member`.
        """
        place = await self.place(kept)
        agency = next(each for each in await self.node.identity() if each.own)
        setting = Setting(place, agency.agency, agency.agency_name, self.clock.now())
        return previewed(kept.body, kept.id, setting)

    async def place(self, kept: Kept) -> Community:
        """The community that it goes to. OperationError `not_member`."""
        return community_of(kept.body, await self.node.communities())

    async def target(self, kept: Kept) -> Record | None:
        """What it answers, under the marking that this has by now; None for what answers nothing."""
        answered = kept.body.answered
        if answered is None:
            return None
        (record,) = await as_marked_now([await self.node.show(answered.id)], at(self.node))
        return record

    def must_draft(self, officer: Officer) -> None:
        """Raises Stop for who does not write bulletins."""
        if not may_draft(officer.role):
            text = words(officer.language).text(
                "You do not write bulletins here. Your administrator can change that."
            )
            raise Stop(plain_answer("🔒 " + text, officer.language))

    def must_allow(self, officer: Officer, kept: Kept) -> None:
        """Raises Stop for a draft whose marking may not be in this chat (any more)."""
        if not allowed(kept.body.tlp, self.ceiling):
            raise Stop(screens.locked(officer, kept, self.ceiling), refused=True)

    async def editable(self, officer: Officer, draft: int) -> Kept:
        """A draft that the officer may change now. Raises Stop."""
        kept = await self.state.drafts.get(draft)
        if kept is None or kept.state in ("released", "discarded"):
            raise Stop(gone(officer))
        if not may_edit(self.hand(officer, kept), waiting=kept.waiting):
            raise Stop(await self.over(officer, kept))
        self.must_allow(officer, kept)
        if kept.state == "releasing":
            raise Stop(review.unsure(officer, kept))
        return kept

    async def readable(self, officer: Officer, draft: int) -> Kept:
        """A draft that the officer may look at now. Raises Stop."""
        kept = await self.state.drafts.get(draft)
        if kept is None or kept.state in ("released", "discarded"):
            raise Stop(await self.over(officer, kept))
        sent = kept.state in ("waiting", "releasing") and may_release(officer.role)
        if not (self.hand(officer, kept).wrote or sent):
            raise Stop(await self.over(officer, kept))
        self.must_allow(officer, kept)
        return kept

    async def over(self, officer: Officer, kept: Kept | None) -> Rendered:
        """What became of a draft that is not to be released here any more, for who wrote it or might have
        released it.
        """
        if kept is None or not (self.hand(officer, kept).wrote or may_release(officer.role)):
            return gone(officer)
        say = words(officer.language)
        called = labels.draft(kept.id, say)
        if kept.state == "released":
            by = await self.state.officers.get(kept.releaser or 0)
            text = say.text(
                "{draft} was released by {name} as {ref}.",
                draft=called,
                name=say.embed(by.name if by else "—"),
                ref=say.embed(kept.ref),
            )
            return plain_answer("✅ " + text, officer.language)
        if kept.state == "open" and kept.returned:
            text = say.text(
                "{draft} was sent back and is with its author: {name}.",
                draft=called,
                name=say.embed(await name_of(self.state, kept.owner)),
            )
            return plain_answer("↩️ " + text, officer.language)
        if kept.state == "open":
            text = say.text(
                "{draft} does not wait for release any more: it was taken back, changed or sent back.",
                draft=called,
            )
            return plain_answer("📝 " + text, officer.language)
        return gone(officer)


def gone(officer: Officer) -> Rendered:
    """A draft that is released, discarded, or somebody else's."""
    text = words(officer.language).text("That draft is no longer here. /drafts lists yours.")
    return plain_answer("📝 " + text, officer.language)


def said(officer: Officer, sign: str, text: str) -> Turn:
    """A sentence, and the end."""
    return Turn(plain_answer(f"{sign} {text}", officer.language))
