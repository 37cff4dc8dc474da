"""What delivery says of drafts: to those who release, and to who wrote one."""

import json

from bots.drafting.answered import Answered, answers_of, others, question_of
from bots.drafting.authors import author_of, by_whom
from bots.drafting.policy import Hand, Ruling, TwoPersons, ruling
from bots.drafting.review import told
from bots.drafting.wizard import allowed
from bots.searches.watching import rests_until
from bots.showing.overtaken import as_marked_now
from bots.showing.release import Ceiling
from bots.showing.rendered import Rendered
from bots.state import State
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.state.outbox import KEEP, Work
from bots.wording.words import words
from subscribers.records import Record


async def told_of_draft(
    work: Work, state: State, ceiling: Ceiling, policy: TwoPersons, now: float
) -> Rendered | None:
    """The message of a job of verb `draft`, as things stand `now` (Unix seconds); None when nothing is to be
    said. In quiet hours a request to release comes at once as well, without a sound.
    """
    body = json.loads(work.body)
    kept, officer = await state.drafts.get(int(body["draft"])), work.officer
    ruled, author = Ruling.NEVER, await author_of(state, kept) if kept else None
    if kept is not None and kept.body.tlp is not None:
        hand = Hand(kept.owner, kept.writers[-1], officer.id, officer.role)
        ruled = ruling(policy, kept.body.tlp, hand, waiting=kept.waiting)
    hushed = rests_until(now, (), officer.quiet, officer.zone) is not None
    already = await _already(kept, state, officer, ceiling, now) if kept else ""
    target = await _target(kept, state, ceiling) if kept else None
    body = {**body, "already": already, "target": target}
    return told(officer, body, kept, ceiling, ruled, author, hushed=hushed)


async def _target(kept: Kept, state: State, ceiling: Ceiling) -> Record | None:
    """What a draft answers, as it stands now: where that came lately and may be in this chat."""
    found = await state.outbox.record(kept.body.answered.id) if kept.body.answered else None
    if found is None:
        return None
    (now,) = await as_marked_now([found], state.outbox.record)
    return now if allowed(now.bulletin.tlp, ceiling) else None


async def _already(kept: Kept, state: State, officer: Officer, ceiling: Ceiling, now: float) -> str:
    """What else answers the question that a draft answers: by what came lately. Nothing of a draft that may
    not be in this chat.
    """
    if not (question := question_of(kept)) or not allowed(kept.body.tlp, ceiling):
        return ""
    waiting = others(kept, await state.drafts.waiting())
    refs = answers_of(question, await state.outbox.records(now - KEEP, now + 1))
    return Answered(refs, await by_whom(state, waiting)).said(words(officer.language))
