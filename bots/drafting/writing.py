"""The drafting desk's first half: a bulletin is written, question by question. Knows nothing of the chat
service. Every answer is kept before the next question is asked.
"""

from dataclasses import dataclass
from typing import Final

from bots.drafting import deadlines, review, screens, stray, wizard
from bots.drafting.answers import spoken
from bots.drafting.authors import author_for, written
from bots.drafting.changing import changing
from bots.drafting.choices import offered
from bots.drafting.draft import Attached, HalfDraft, Named, Step, following
from bots.drafting.looking import answers, look, waits
from bots.drafting.texts import REASONS, label_of
from bots.drafting.turns import Parts, Stop, Turn, gone, said
from bots.drafting.wizard import Unfit, Why, allowed
from bots.parsing.commands import reference
from bots.showing.answerable import Answer
from bots.showing.overtaken import as_marked_now, at
from bots.showing.ways import two_needed
from bots.state.drafts import Kept
from bots.state.jobs import Job
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.labels import N_
from bots.wording.words import Words, words
from schemas.encoding import instant
from schemas.errors import Code, LiaisonError, OperationError
from schemas.limits import ATTACHMENTS_MAX
from schemas.vocabulary import Kind, Language, Realm, Relation, Tlp
from subscribers.records import Community

NOT_KEPT: Final = N_("What you sent was not kept. Delete it here if it should not be in this chat.")
NOT_A_TIME: Final = N_(
    "What you wrote behind /ask was not kept. Choose the marking first: you are asked for your question then."
    " Only a deadline may stand there: /ask 18:00, /ask tomorrow 18:00, /ask 2026-12-24 18:00"
)
FILE_MAX: Final = 20 * 1024 * 1024
"""Bytes of a file that the chat service hands over (Bot API, getFile)."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Answers. The node's refusals come through as LiaisonError where nothing better can be said; Stop for
    what ends the conversation.
    """

    parts: Parts

    async def begin(self, officer: Officer) -> Turn:
        """A new draft, marking first; one that has nothing in it yet serves again."""
        self.parts.must_draft(officer)
        kept = await self._begun(officer, HalfDraft(language=officer.language))
        return await self._ask(officer, kept, Step.MARKING)

    async def question(self, officer: Officer, text: str = "") -> Turn:
        """A request for information, marking first. `text` may be its deadline; anything else that was typed
        before there is a marking is not kept.
        """
        self.parts.must_draft(officer)
        until = deadlines.read(text, officer.zone, self.parts.clock.now())
        half = HalfDraft(
            language=officer.language,
            kind=Kind.REQUEST,
            valid_until=instant(until * 1000) if until else None,
        )
        kept = await self._begun(officer, half)
        lost = NOT_A_TIME if text and until is None else ""
        return await self._ask(officer, kept, Step.MARKING, wrong=lost)

    async def address(self, officer: Officer, draft: int) -> Turn:
        """A sighting goes to its originator alone, or to the community after all."""
        kept = await self.parts.editable(officer, draft)
        if kept.body.quick is Answer.SEEN:
            half = kept.body.with_(to=None if kept.body.to else "originator")
            kept = await self.written(officer, kept, half)
        return await self._home(officer, kept)

    async def forwarded(self, officer: Officer, text: str, source: str) -> Turn:
        """A forwarded message becomes a draft's body, once a marking is chosen under which it may be here."""
        self.parts.must_draft(officer)
        say = words(officer.language)
        origin = say.text("Forwarded from {source}", source=source) if source else ""
        try:
            half = wizard.forwarded(HalfDraft(language=officer.language), text, origin)
        except Unfit as unfit:
            return said(officer, "⚠️", say.text(REASONS[unfit.why]))
        return await self._ask(officer, await self.new(officer, half), Step.MARKING)

    async def change(self, officer: Officer, ref: str, relation: Relation) -> Turn:
        """A draft that amends or retracts a bulletin of this agency. Raises LiaisonError `not_found`."""
        return await self._home(officer, await self.changed(officer, ref, relation))

    async def changed(self, officer: Officer, ref: str, relation: Relation) -> Kept:
        """The same draft, for a door with a page of its own for it. Raises Stop as well."""
        self.parts.must_draft(officer)
        (record,) = await as_marked_now([await self.parts.node.show(ref)], at(self.parts.node))
        say = words(officer.language)
        if not allowed(record.bulletin.tlp, self.parts.ceiling):
            raise Stop(self.parts.above_of(officer, record.bulletin, change=True), refused=True)
        if record.own and record.state == "retracted":
            text = say.text("{ref} is already retracted.", ref=say.embed(record.bulletin.ref))
            raise Stop(said(officer, "⚠️", text).shown)
        if not record.own:
            text = say.text("Only bulletins of your own agency that stand can be amended or retracted.")
            raise Stop(said(officer, "⚠️", text).shown)
        half = changing(record, relation, now=self.parts.clock.now())
        if half is None:
            text = say.text("It holds more than can be written here. Amend it on your agency's terminal.")
            raise Stop(said(officer, "⚠️", text).shown)
        return await self._begun(officer, half)

    async def open(self, officer: Officer, draft: int, *, told: str = "") -> Turn:
        """A draft as it stands; without a marking, that question."""
        kept = await self.parts.editable(officer, draft)
        if kept.body.tlp is None:
            return await self._ask(officer, kept, Step.MARKING)
        return await self._home(officer, kept, told=told)

    async def ask(self, officer: Officer, draft: int, step: Step) -> Turn:
        """One of its questions; without a marking, that one."""
        kept = await self.parts.editable(officer, draft)
        return await self._ask(officer, kept, step if kept.body.tlp else Step.MARKING)

    async def choose(self, officer: Officer, draft: int, step: Step, value: str) -> Turn:
        """A button's answer."""
        kept = await self.parts.editable(officer, draft)
        if kept.body.tlp is None and step is not Step.MARKING:
            return await self._ask(officer, kept, Step.MARKING)
        if step is Step.GRADING and value in tuple("ABCDEF"):
            return Turn(screens.credibility(officer, kept, value), kept.id, step)
        try:
            if step is Step.TRANSLATION:
                language = wizard.language_of(value)
                return Turn(screens.translating(officer, kept, language), kept.id, step, language)
            half = await self._chosen(officer, kept.body, step, value)
        except Unfit as unfit:
            if unfit.why is Why.CEILING:
                return await self._turned_away(officer, kept, value)
            return await self._ask(officer, kept, step, wrong=unfit.why)
        return await self._next(officer, await self.written(officer, kept, half), step)

    async def typed(
        self, officer: Officer, draft: int, step: Step | None, text: str, language: Language | None
    ) -> Turn:
        """A typed answer. What is typed before there is a marking is not kept."""
        kept = await self.parts.editable(officer, draft)
        say = words(officer.language)
        if step is None and kept.body.quick is not None:
            step = Step.BODY
        if kept.body.tlp is None:
            wrong = say.text(NOT_KEPT)
            shown = screens.question(officer, kept, Step.MARKING, (), self.parts.ceiling, wrong=wrong)
            return Turn(shown, kept.id, Step.MARKING)
        if step not in wizard.TEXTS or (step is Step.TRANSLATION and language is None):
            return await self._stray(officer, kept, step, text)
        try:
            half = await self._read(officer, kept.body, step, text, language)
        except Unfit as unfit:
            if step is Step.TRANSLATION and language is not None:
                shown = screens.translating(officer, kept, language, wrong=say.text(REASONS[unfit.why]))
                return Turn(shown, kept.id, step, language)
            if step is Step.TITLE and not kept.body.title:
                return await self._stray(officer, kept, step, text, wrong=unfit.why)
            return await self._ask(officer, kept, step, wrong=unfit.why)
        return await self._next(officer, await self.written(officer, kept, half), step)

    async def leave_out(self, officer: Officer, draft: int, step: Step) -> Turn:
        """No answer to an optional question."""
        kept = await self.parts.editable(officer, draft)
        half = wizard.leave_out(kept.body, step)
        if half != kept.body:
            kept = await self.written(officer, kept, half)
        return await self._next(officer, kept, step)

    async def undo(self, officer: Officer, draft: int) -> Turn:
        """The draft before its last change."""
        kept = await self.parts.editable(officer, draft)
        now, jobs = self.parts.clock.now(), self._pulled(officer, kept)
        before = await self.parts.state.drafts.undo(kept, officer.id, now, jobs)
        say = words(officer.language)
        if before is None:
            return await self.open(officer, draft, told=say.text("There is nothing to undo."))
        if jobs:
            self.parts.wake()
        told = [say.text("The last change is undone.")]
        if kept.waiting:
            told.append(say.text("It does not wait for release any more."))
        return await self.open(officer, draft, told="↩️ " + say.sentences(*told))

    async def may_attach(self, officer: Officer, draft: int, size: int) -> Turn | None:
        """Before a file is fetched from the chat service: what to say instead, None to go on."""
        kept = await self.parts.editable(officer, draft)
        say = words(officer.language)
        if kept.body.tlp is None:
            return await self._ask(officer, kept, Step.MARKING)
        if kept.body.quick is not None:
            text = say.text("No files go with it. Answer with a draft of your own: /draft")
            return await self._home(officer, kept, told="⚠️ " + text)
        if size > FILE_MAX:
            text = say.text("The chat service hands over 20 MB at most. Attach larger files on the terminal.")
            return await self._home(officer, kept, told="⚠️ " + text)
        if len(kept.body.attachments) >= ATTACHMENTS_MAX:
            return await self._home(officer, kept, told="⚠️ " + say.text("It has as many files as it may."))
        return None

    async def attach(self, officer: Officer, draft: int, file_name: str, data: bytes) -> Turn:
        """A file, given to the node; one of the same name takes its place."""
        kept = await self.parts.editable(officer, draft)
        say = words(officer.language)
        try:
            upload = await self.parts.node.files.give(file_name, data)
        except LiaisonError as error:
            text = say.text("That file cannot be attached ({code}). Try another name.", code=error.code)
            return await self._home(officer, kept, told="⚠️ " + text)
        fields = upload.model_dump(include={"id", "name", "media", "size", "sha256"})
        others = tuple(each for each in kept.body.attachments if each.name != upload.name)
        half = kept.body.with_(attachments=(*others, Attached(**fields, via=self.parts.via)))
        kept = await self.written(officer, kept, half)
        text = say.text("{name} is attached.", name=say.embed(upload.name))
        return await self._home(officer, kept, told="📎 " + text)

    async def listed(self, officer: Officer) -> Turn:
        """The officer's drafts, and what waits for them to release."""
        own = await self.parts.state.drafts.of(officer.id)
        mine = {each.id for each in own}
        waiting = await self.parts.state.drafts.waiting()
        able = [each for each in waiting if each.id not in mine and self.parts.is_releaser(officer)]
        authors = {
            each.id: author
            for each in (*own, *able)
            if (author := await author_for(self.parts.state, each, officer))
        }
        return Turn(screens.listed(officer, own, able, self.parts.ceiling, authors))

    async def discarding(self, officer: Officer, draft: int) -> Turn:
        """Whether it is meant."""
        kept = await self.parts.editable(officer, draft)
        return Turn(screens.discarding(officer, kept), kept.id)

    async def discard(self, officer: Officer, draft: int) -> Turn:
        """Thrown away, by who wrote it."""
        kept = await self.parts.state.drafts.get(draft)
        if kept is None or not self.parts.hand(officer, kept).wrote:
            raise Stop(await self.parts.over(officer, kept))
        jobs = review.tell_writers(kept, "discarded", officer)
        if not await self.parts.state.drafts.discard(kept, self.parts.clock.now(), jobs):
            raise Stop(gone(officer))
        if jobs:
            self.parts.wake()
        say = words(officer.language)
        text = say.text("{draft} is discarded.", draft=labels.draft(kept.id, say))
        return said(officer, "🗑", text)

    # --- inside ---

    async def _begun(self, officer: Officer, half: HalfDraft) -> Kept:
        """A new draft; one that was begun so, and has nothing more in it, serves again."""
        held = await self.parts.state.drafts.of(officer.id)
        untouched = (each for each in held if each.body == half and each.state == "open")
        return next(untouched, None) or await self.new(officer, half)

    async def new(self, officer: Officer, half: HalfDraft) -> Kept:
        """A new draft. Raises Stop when there are too many."""
        now = self.parts.clock.now()
        try:
            return await self.parts.state.drafts.begin(officer.id, half, self.parts.new_id(), now)
        except OperationError as error:
            if error.code is not Code.TOO_LARGE:
                raise
            text = words(officer.language).text("You have as many drafts as there may be. Discard one first.")
            raise Stop(said(officer, "⚠️", text + " /drafts").shown) from None

    async def written(self, officer: Officer, kept: Kept, half: HalfDraft) -> Kept:
        """A change, kept. Raises Stop when somebody was faster."""
        now, jobs = self.parts.clock.now(), self._pulled(officer, kept)
        done = await self.parts.state.drafts.write(kept, officer.id, spoken(half), now, jobs)
        if done is None:
            raise Stop(gone(officer))
        if jobs:
            self.parts.wake()
        return done

    def _pulled(self, officer: Officer, kept: Kept) -> list[Job]:
        """Whoever else wrote what waits for release is told that a change makes it wait no longer."""
        return review.tell_writers(kept, "changed", officer) if kept.waiting else []

    async def _stray(
        self, officer: Officer, kept: Kept, step: Step | None, text: str, wrong: Why | None = None
    ) -> Turn:
        """A line where a button is awaited: that button, if it is called so; else kept where it fits."""
        if step is not None and wrong is None:
            shown, _ = offered(officer, kept, step, await self.places() if step is Step.COMMUNITY else [])
            if (value := stray.pressed(text, shown)) is not None:
                return await self.choose(officer, kept.id, step, value)
        say = words(officer.language)
        found = stray.kept(kept.body, text, zone=officer.zone, now=self.parts.clock.now())
        if found is None:
            told = "⚠️ " + say.text("That was not kept: choose a button, then send it.")
        else:
            kept = await self.written(officer, kept, found[0])
            told = "✅ " + say.text("Kept as “{step}”.", step=say.text(label_of(kept.body, found[1])))
        if step is None:
            return await self._home(officer, kept, told=told)
        return await self._ask(officer, kept, step, wrong=wrong, told=told)

    async def _turned_away(self, officer: Officer, kept: Kept, slug: str) -> Turn:
        """A marking above the ceiling: of a draft that had none yet, nothing stays here."""
        if kept.body.tlp is None:
            await self.parts.state.drafts.discard(kept, self.parts.clock.now())
        tlp = next(each for each in Tlp if each.slug == slug)
        return Turn(self.parts.above(officer, tlp), refused=True)

    async def _chosen(self, officer: Officer, half: HalfDraft, step: Step, value: str) -> HalfDraft:
        if step is Step.MARKING:
            return wizard.mark(half, value, self.parts.ceiling)
        if step is Step.COMMUNITY and half.follows:
            raise Unfit(Why.CHOICE)
        if step is Step.COMMUNITY:
            place = next((each for each in await self.places() if each.id == value), None)
            if place is None:
                raise Unfit(Why.CHOICE)
            return half.with_(community=place.id, exercise=place.realm is Realm.EXERCISE)
        return wizard.choose(half, step, value, self.parts.clock.now(), officer.zone)

    async def _read(
        self, officer: Officer, half: HalfDraft, step: Step, text: str, language: Language | None
    ) -> HalfDraft:
        if step is Step.REFERENCES:
            return half.with_(links=await self.links(half, text))
        spoken, now = language or half.language, self.parts.clock.now()
        return wizard.typed(half, step, text, zone=officer.zone, language=spoken, now=now)

    async def links(self, half: HalfDraft, text: str) -> tuple[Named, ...]:
        """The bulletins of these references. Raises Unfit, also for one that this agency does not have."""
        kept = {each.id: each for each in half.links if each.relation is not Relation.RELATED}
        for each in text.replace(",", " ").split():
            named = reference(each)
            try:
                bulletin = (await self.parts.node.show(named)).bulletin if named else None
            except LiaisonError as error:
                if error.code is not Code.NOT_FOUND:
                    raise
                bulletin = None
            if bulletin is None:
                raise Unfit(Why.REFERENCES)
            kept.setdefault(bulletin.id, Named(relation=Relation.RELATED, id=bulletin.id, ref=bulletin.ref))
        return tuple(kept.values())

    async def places(self) -> list[Community]:
        """The communities that the agency may publish to."""
        return [each for each in await self.parts.node.communities() if each.role == "member"]

    async def _next(self, officer: Officer, kept: Kept, answered: Step) -> Turn:
        step = following(kept.body, answered)
        if step is Step.COMMUNITY and len(places := await self.places()) == 1:
            half = await self._chosen(officer, kept.body, step, places[0].id)
            return await self._next(officer, await self.written(officer, kept, half), step)
        return await self._ask(officer, kept, step) if step else await self._home(officer, kept)

    async def _ask(
        self, officer: Officer, kept: Kept, step: Step, *, wrong: Why | str | None = None, told: str = ""
    ) -> Turn:
        say = words(officer.language)
        places = await self.places() if step is Step.COMMUNITY else []
        if step is Step.COMMUNITY and not places:
            text = say.text("Your agency may not publish in any community. Ask their owners.")
            raise Stop(said(officer, "⚠️", text).shown)
        reason = say.text(REASONS[wrong] if isinstance(wrong, Why) else wrong) if wrong else ""
        about = await answers(self.parts, officer, kept) if kept.body.kind is Kind.RESPONSE else ""
        alone = self._alone(say) if step is Step.MARKING else ""
        above = "\n".join(filter(None, (told, about, alone)))
        shown = screens.question(officer, kept, step, places, self.parts.ceiling, wrong=reason, about=above)
        return Turn(shown, kept.id, step)

    def _alone(self, say: Words) -> str:
        """Which markings cannot be released at this door, and why; '' where all can."""
        named = say.listed(say.embed(each.value) for each in self.parts.alone)
        return f"👥 {named}\n{two_needed(say)}" if named else ""

    async def _home(self, officer: Officer, kept: Kept, *, told: str = "") -> Turn:
        if kept.body.quick is not None:
            return await look(self.parts, officer, kept, told=told)
        communities = await self.parts.node.communities()
        author = await author_for(self.parts.state, kept, officer)
        lines = [*(written(author, officer) if author else ()), *await waits(self.parts, officer, kept)]
        returns = self.parts.may_return(officer, kept)
        shown = screens.home(officer, kept, communities, said=told, stands=lines, returns=returns)
        return Turn(shown, kept.id)
