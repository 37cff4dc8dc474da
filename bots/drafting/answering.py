"""The drafting desk's third part: another agency's bulletin is answered. Knows nothing of the chat service.

An answer by button is a draft as well: looked at before it goes, and released by whoever may release.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bots.drafting import answer_screens
from bots.drafting.answers import answering
from bots.drafting.changing import changing
from bots.drafting.draft import Step
from bots.drafting.looking import look
from bots.drafting.turns import Parts, Stop, Turn, said
from bots.drafting.wizard import allowed
from bots.drafting.writing import Writing
from bots.showing.answerable import Answer, answerable
from bots.showing.overtaken import as_marked_now, at
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.telling.tally import ANSWERS_MAX
from bots.wording.words import words
from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Kind, Relation
from subscribers.records import Record


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers, as `Writing` does."""

    parts: Parts

    async def begin(self, officer: Officer, ref: str, answer: Answer) -> Turn:
        """A draft that answers a bulletin; one that was begun already serves again. Raises LiaisonError
        `not_found`.
        """
        record, kept = await self._drafted(officer, ref, answer)
        if answer is Answer.REPLY:
            return await Writing(self.parts).ask(officer, kept.id, Step.BODY)
        told = answer_screens.said_before(officer, await self._before(record, answer))
        return await look(self.parts, officer, kept, told=told)

    async def draft(self, officer: Officer, ref: str, answer: Answer) -> Kept:
        """The same draft, for a door with a page of its own for it. Raises Stop as well."""
        return (await self._drafted(officer, ref, answer))[1]

    async def _drafted(self, officer: Officer, ref: str, answer: Answer) -> tuple[Record, Kept]:
        self.parts.must_draft(officer)
        (record,) = await as_marked_now([await self.parts.node.show(ref)], at(self.parts.node))
        say = words(officer.language)
        if not allowed(record.bulletin.tlp, self.parts.ceiling):
            raise Stop(self.parts.above_of(officer, record.bulletin), refused=True)
        if answer not in answerable(record):
            text = say.text("It takes no such answer: it is your own agency's, or was retracted.")
            raise Stop(said(officer, "⚠️", text).shown)
        if not await self._may_publish(record):
            text = say.text("Your agency may only read in this community. Its owners can change that.")
            raise Stop(said(officer, "⚠️", text).shown)
        half = answering(record, answer, officer.language)
        kept = await self._begun(officer, record, answer) or await Writing(self.parts).new(officer, half)
        return record, kept

    async def withdraw(self, officer: Officer, published: str) -> Turn:
        """A retraction of what was sent with a button, to be released as any other."""
        self.parts.must_draft(officer)
        say = words(officer.language)
        try:
            record = await self.parts.node.show(published)
        except LiaisonError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return said(officer, "⏳", say.text("It is on its way to the hub. Try again in a minute."))
        if not allowed(record.bulletin.tlp, self.parts.ceiling):
            raise Stop(self.parts.above_of(officer, record.bulletin, change=True), refused=True)
        if record.own and record.state == "retracted":
            return said(
                officer, "⚠️", say.text("{ref} is already retracted.", ref=say.embed(record.bulletin.ref))
            )
        half = changing(record, Relation.RETRACTS, now=self.parts.clock.now())
        if not record.own or "private" in record.flags or half is None:
            text = say.text("Only bulletins of your own agency that stand can be amended or retracted.")
            return said(officer, "⚠️", text)
        half = half.with_(
            language=officer.language, body=say.text("It was sent by mistake, or no longer holds.")
        )
        return await look(self.parts, officer, await Writing(self.parts).new(officer, half))

    async def _may_publish(self, record: Record) -> bool:
        places = await Writing(self.parts).places()
        return any(each.id == record.community for each in places)

    async def _begun(self, officer: Officer, record: Record, answer: Answer) -> Kept | None:
        wanted = None if answer is Answer.REPLY else answer
        for each in await self.parts.state.drafts.of(officer.id):
            answered = each.body.answered
            mine = each.state == "open" and each.owner == officer.id and each.body.quick is wanted
            same = answered is not None and answered.id == record.bulletin.id
            if mine and same and each.body.floor is record.bulletin.tlp:
                return each
        return None

    async def _before(self, record: Record, answer: Answer) -> Sequence[Record]:
        """What this agency has said of it already, and would say again or otherwise."""
        found = await self.parts.node.replies(record.bulletin.id, ANSWERS_MAX)
        own = [each for each in found if each.own and each.state != "retracted"]
        if answer is Answer.SEEN:
            return [each for each in own if each.bulletin.kind is Kind.SIGHTING]
        return [each for each in own if each.bulletin.channel is not None]
