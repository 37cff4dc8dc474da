"""A draft is looked at: as readers will see it, with what the officer may do, and who will read it; and what
is said once it is out.
"""

from bots.drafting import answer_screens, review, standing
from bots.drafting.answered import Answered, answers_of, others, question_of, titled
from bots.drafting.authors import author_for, by_whom, name_of
from bots.drafting.draft import missing
from bots.drafting.policy import Ruling
from bots.drafting.texts import label_of
from bots.drafting.turns import Parts, Turn, said
from bots.drafting.wizard import allowed
from bots.showing.answerable import RELATIONS
from bots.showing.rendered import Rendered
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.telling.tally import ANSWERS_MAX
from bots.wording.words import words
from schemas.errors import Code, DraftError, LiaisonError
from schemas.vocabulary import Language, Tlp
from subscribers.records import Community, Published


async def look(
    parts: Parts, officer: Officer, kept: Kept, *, told: str = "", language: Language | None = None
) -> Turn:
    """The draft as readers will see it, in `language` if it has that; or why it cannot go out yet."""
    if lacking := missing(kept.body):
        say = words(officer.language)
        names = say.listed(say.text(label_of(kept.body, each)) for each in lacking)
        text = say.text("Still missing: {steps}", steps=names)
        return Turn(said(officer, "❗", text).shown, kept.id)
    try:
        record = await parts.previewed(kept)
        number = readers(await parts.place(kept))
    except LiaisonError as error:
        if error.code is not Code.NOT_MEMBER and not isinstance(error, DraftError):
            raise
        return Turn(review.unfit(officer, kept, error), kept.id)
    ruled = parts.ruling(officer, kept)
    author = await author_for(parts.state, kept, officer)
    about = await answers(parts, officer, kept)
    seen = review.Seen(
        record,
        parts.ceiling,
        ruled,
        number,
        about,
        author,
        single=parts.within,
        stands=await waits(parts, officer, kept),
        returns=parts.may_return(officer, kept),
    )
    return Turn(review.reviewed(officer, kept, seen, said=told, language=language), kept.id)


async def waits(parts: Parts, officer: Officer, kept: Kept) -> list[str]:
    """For who wrote it: that it waits, who may release it, and why not they; or that it does not wait any
    more, as a releaser changed it.
    """
    ruled = parts.ruling(officer, kept)
    if kept.by_another and parts.hand(officer, kept).wrote:
        if officer.id != kept.editor:
            return [standing.changed_by(officer, await name_of(parts.state, kept.editor))]
        return [standing.changed(officer, ruled, returns=parts.may_return(officer, kept))]
    if ruled is not Ruling.OTHER:
        return []
    others = [each.name for each in await parts.releasers() if each.id not in (kept.owner, kept.editor)]
    alone = not parts.policy.needed(kept.body.tlp or Tlp.RED)
    return list(standing.waits(officer, kept, others, alone=alone))


def readers(place: Community) -> int:
    """How many other agencies read what goes to a community."""
    return max(0, len(place.members) - 1)


async def answers(parts: Parts, officer: Officer, kept: Kept) -> str:
    """Which bulletin is answered: its reference and title, as far as they may be shown; else empty."""
    if not any(each.relation in RELATIONS for each in kept.body.links):
        return ""
    try:
        target = await parts.target(kept)
    except LiaisonError as error:
        if error.code is not Code.NOT_FOUND:
            raise
        return ""
    if target is None or not allowed(target.bulletin.tlp, parts.ceiling):
        return ""
    said = (await already(parts, kept)).said(words(officer.language))
    return "\n".join(filter(None, (titled(target, officer), said)))


async def already(parts: Parts, kept: Kept) -> Answered:
    """What else the agency answers to the question that a draft answers, or has answered."""
    if not (question := question_of(kept)):
        return Answered()
    waiting = others(kept, await parts.state.drafts.waiting())
    found = await parts.node.replies(question, ANSWERS_MAX)
    return Answered(answers_of(question, found), await by_whom(parts.state, waiting))


async def outgrown(parts: Parts, officer: Officer, kept: Kept) -> str:
    """Why it must be marked anew: what it answers is marked higher by now. Empty where it is not."""
    target = await parts.target(kept)
    if target is None or kept.body.tlp is None or target.bulletin.tlp.rank <= kept.body.tlp.rank:
        return ""
    return "⚠️ " + words(officer.language).text(
        "What it answers is marked {tlp} by now: answer that again.", tlp=target.bulletin.tlp.value
    )


async def told_released(parts: Parts, officer: Officer, kept: Kept, published: Published) -> Rendered:
    """That it is out, and who can read it."""
    number = readers(await parts.place(kept))
    audience = answer_screens.audience(kept.body, number, words(officer.language))
    return review.released(officer, kept, published, audience, page=parts.chat is not None)
