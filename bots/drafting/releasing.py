"""The drafting desk's second half: a draft is looked at, sent to those who release, released or sent back.

What is released is what was shown: a button carries the digest of the revision under it, and a later change
makes it void. The node knows each release by a name of its own, so asking again sends nothing twice.
"""

from dataclasses import dataclass
from typing import Final

from bots.dialogue.screens import plain_answer
from bots.drafting import review, screens
from bots.drafting.authors import author_of, doubt
from bots.drafting.draft import complete, missing
from bots.drafting.looking import look, outgrown, readers, told_released
from bots.drafting.policy import Ruling
from bots.drafting.turns import Parts, Stop, Turn, said
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.words import words
from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Language
from subscribers.records import Published

NOTE_MAX: Final = 500
_UNANSWERED: Final = frozenset({Code.NODE_UNREACHABLE, Code.INTERNAL, Code.ALREADY_KNOWN})
"""After these the node may have taken it."""


@dataclass(frozen=True, slots=True)
class Releasing:
    """Answers, as `Writing` does."""

    parts: Parts

    async def view(
        self, officer: Officer, draft: int, *, told: str = "", language: Language | None = None
    ) -> Turn:
        """The draft as readers will see it, in `language` if it has that, and what the officer may do."""
        kept = await self.parts.readable(officer, draft)
        if kept.state == "releasing":
            return Turn(review.unsure(officer, kept))
        return await look(self.parts, officer, kept, told=told, language=language)

    async def send(self, officer: Officer, draft: int, seal: str) -> Turn:
        """To those who release, who are told."""
        kept = await self.parts.readable(officer, draft)
        if kept.body.seal != seal or kept.state != "open":
            return await self._changed(officer, draft)
        if missing(kept.body) or self.parts.ruling(officer, kept) is not Ruling.SEND:
            return await self.view(officer, draft)
        record, place = await self.parts.previewed(kept), await self.parts.place(kept)
        asked = [each for each in await self.parts.releasers() if each.id not in (kept.owner, kept.editor)]
        jobs = [review.ask_releaser(kept, record, officer, each.id, readers(place)) for each in asked]
        if not asked:
            return Turn(review.sent(officer, kept, ()), kept.id)
        if not await self.parts.state.drafts.send(kept, jobs, self.parts.clock.now()):
            return await self._changed(officer, draft)
        self.parts.wake()
        await self.parts.did(officer, "send draft", f"draft {kept.id}", "done")
        names, page = [each.name for each in asked], self.parts.chat is not None
        return Turn(review.sent(officer, kept, names, page=page))

    async def take_back(self, officer: Officer, draft: int) -> Turn | None:
        """By who wrote it, before anybody has released it. None: it is theirs again, to be opened."""
        kept = await self.parts.readable(officer, draft)
        mine = kept.waiting and self.parts.hand(officer, kept).wrote
        jobs = review.tell_writers(kept, "taken", officer)
        if not mine or not await self.parts.state.drafts.take_back(kept, "", jobs, self.parts.clock.now()):
            return await self._changed(officer, draft)
        self.parts.wake()
        return None

    async def returning(self, officer: Officer, draft: int, *, looked_up: bool = False) -> Turn:
        """A releaser sends it back: the next line says why, which a reference that was `looked_up` is not."""
        kept = await self.parts.readable(officer, draft)
        if not self.parts.may_return(officer, kept):
            return await self._changed(officer, draft)
        return Turn(screens.note_wanted(officer, kept, looked_up=looked_up), kept.id, returning=True)

    async def send_back(self, officer: Officer, draft: int, note: str) -> Turn:
        """With a note for who wrote it; without one it is asked for."""
        kept = await self.parts.readable(officer, draft)
        if not self.parts.may_return(officer, kept):
            return await self._changed(officer, draft)
        if not (tidy := " ".join(note.split())[:NOTE_MAX]):
            return await self.returning(officer, draft)
        jobs = review.tell_writers(kept, "returned", officer, note=tidy)
        now, drafts = self.parts.clock.now(), self.parts.state.drafts
        if not await drafts.take_back(kept, tidy, jobs, now, by=officer.id):
            return await self._changed(officer, draft)
        self.parts.wake()
        await self.parts.did(officer, "send draft back", f"draft {kept.id}", "done")
        say = words(officer.language)
        text = say.text("{draft} was sent back.", draft=labels.draft(kept.id, say))
        return said(officer, "↩️", text)

    async def release(
        self, officer: Officer, draft: int, seal: str, *, official: bool, sure: bool = False
    ) -> Turn:
        """Give it to the node: exactly what was shown, or nothing. Unless that is `sure`, what came from a
        phone that was shut out since is asked about first.
        """
        kept = await self.parts.readable(officer, draft)
        if kept.body.seal != seal or kept.state not in ("open", "waiting"):
            return await self._changed(officer, draft)
        if missing(kept.body) or self.parts.ruling(officer, kept) is not Ruling.RELEASE:
            return await self.view(officer, draft)
        if any(each.via != self.parts.via for each in kept.body.attachments):
            text = words(officer.language).text(
                "Its files were given elsewhere. Release it where they were given."
            )
            return said(officer, "⚠️", text)
        if told := await outgrown(self.parts, officer, kept):
            return await self.view(officer, draft, told=told)
        if not sure and not self.parts.hand(officer, kept).wrote:
            author = await author_of(self.parts.state, kept)
            if author.shut is not None:
                return Turn(doubt(officer, kept, author, official=official), draft, doubted=True)
        now = self.parts.clock.now()
        via = self.parts.via
        if not await self.parts.state.drafts.claim(kept, officer.id, via, official=official, now=now):
            return await self._changed(officer, draft)
        return await self.again(officer, draft)

    async def again(self, officer: Officer, draft: int) -> Turn:
        """Ask the node, for the first time or once more: under one name, so it goes out once at most."""
        kept = await self.parts.readable(officer, draft)
        if kept.state != "releasing":
            return await self._changed(officer, draft)
        if kept.via != self.parts.via:  # the node knows a release by the client that asked for it
            return said(officer, "⏳", words(officer.language).text("Ask again where it was released."))
        try:
            published = await self._publish(kept)
        except LiaisonError as error:
            await self.parts.did(officer, "release", f"draft {kept.id}", error.code.value)
            if error.code in _UNANSWERED:
                return Turn(review.unsure(officer, kept))
            return await self._refused(officer, kept, review.not_taken(error, officer))
        await self.parts.did(officer, "release", published.ref, published.code or published.state)
        if published.state == "refused":
            text = words(officer.language).text("The hub refused it ({code}).", code=published.code or "")
            return await self._refused(officer, kept, "⚠️ " + text)
        writers = set(kept.writers)
        # Other releasers were asked as well, and hold a message with a button.
        asked = {each.id for each in await self.parts.releasers()} if officer.id not in writers else set()
        told = (writers | asked) - {officer.id}
        jobs = [review.tell_writer(kept, "released", officer, each, ref=published.ref) for each in told]
        await self.parts.state.drafts.released(kept, published.ref, jobs, self.parts.clock.now())
        self.parts.wake()
        told_it = await told_released(self.parts, officer, kept, published)
        return Turn(told_it, ref=published.ref)

    # --- inside ---

    async def _publish(self, kept: Kept) -> Published:
        officers = await self.parts.state.officers.all()
        people = {each.id: each.known_as(within=self.parts.within) for each in officers}
        draft = complete(
            kept.body,
            drafter=people.get(kept.owner),
            releaser=people.get(kept.releaser or 0),
            official=kept.official,
        )
        uploads = [each.id for each in kept.body.attachments]
        community = kept.body.community or ""
        private = kept.body.to is not None
        return await self.parts.node.publish(draft, community, uploads, once=kept.once, private=private)

    async def _refused(self, officer: Officer, kept: Kept, told: str) -> Turn:
        """Nothing went out: it is its writer's again, who is told."""
        jobs = review.tell_writers(kept, "returned", officer, note=told)
        await self.parts.state.drafts.unclaim(kept, self.parts.new_id(), jobs, self.parts.clock.now())
        self.parts.wake()
        if self.parts.hand(officer, kept).wrote:
            return await self.view(officer, kept.id, told=told)
        return Turn(plain_answer(told, officer.language))

    async def _changed(self, officer: Officer, draft: int) -> Turn:
        """It is no longer what was shown: here is how it stands."""
        kept = await self.parts.state.drafts.get(draft)
        if kept is None or kept.state in ("released", "discarded"):
            raise Stop(await self.parts.over(officer, kept))
        text = words(officer.language).text("It has changed since. Look at it again.")
        return await self.view(officer, draft, told="⚠️ " + text)
