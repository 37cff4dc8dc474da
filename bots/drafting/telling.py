"""What delivery says of drafts: to those who release, and to who wrote one."""

import json

from bots.drafting.authors import author_of
from bots.drafting.policy import Hand, Ruling, TwoPersons, ruling
from bots.drafting.review import told
from bots.searches.watching import rests_until
from bots.showing.release import Ceiling
from bots.showing.rendered import Rendered
from bots.state import State
from bots.state.outbox import Work


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
        hand = Hand(kept.owner, kept.editor, officer.id, officer.role)
        ruled = ruling(policy, kept.body.tlp, hand, waiting=kept.waiting)
    hushed = rests_until(now, (), officer.quiet, officer.zone) is not None
    return told(officer, body, kept, ceiling, ruled, author, hushed=hushed)
