"""Where a draft stands is told to who has a part in it: that it waits and for whom."""

import time
from pathlib import Path

from bots.drafting.draft import HalfDraft
from bots.drafting.policy import TwoPersons
from bots.officers.roles import Role
from bots.parsing.actions import encode
from bots.state.drafts import Kept
from bots.state.officers import Officer
from schemas.vocabulary import Kind, Language
from tests.support.half_draft import HELD
from tests.support.officers_bot import invite
from tests.support.quiet_house import Stage, staged

NOTICE = HELD.with_(kind=Kind.NOTICE)


async def enrolled(stage: Stage, name: str, chat: int, role: Role) -> Officer:
    officer = await stage.state.officers.enrol(
        await invite(stage.state, name, role=role),
        chat=chat,
        person=chat,
        language=Language.ENGLISH,
        now=time.time(),
    )
    assert officer is not None
    return officer


async def ed(stage: Stage) -> Officer:
    officer = await stage.state.officers.by_person(9)
    assert officer is not None
    return officer


async def waiting(stage: Stage, owner: Officer, body: HalfDraft = NOTICE, by: Officer | None = None) -> Kept:
    """A draft of `owner` that was sent for release, changed by somebody else before, if so."""
    drafts = stage.state.drafts
    kept = await drafts.begin(owner.id, body.with_(title="A drone"), f"once-{time.time_ns()}", time.time())
    changed = await drafts.write(kept, (by or owner).id, body, time.time())
    assert changed is not None
    assert await drafts.send(changed, (), time.time())
    found = await drafts.get(kept.id)
    assert found is not None
    return found


async def test_an_author_is_told_that_it_waits_and_for_whom_and_takes_it_back(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.DRAFTER) as stage:
        await enrolled(stage, "Farah", 11, Role.RELEASER)
        await enrolled(stage, "Omar", 12, Role.ADMINISTRATOR)
        kept = await waiting(stage, await ed(stage))
        assert "waits for release" in await stage.asks("/drafts")
        shown = await stage.presses(stage.button(f"Draft {kept.id}"))
        assert "⏳ Draft 1 waits for release. Who may release it: Farah, Omar." in shown
        assert "another officer must" not in shown
        back = stage.button("Take back")
        assert "Your drafts" in await stage.presses(stage.button("◀️"))
        assert "Take back" not in await stage.presses(back)
        again = await stage.state.drafts.get(kept.id)
        assert again is not None
        assert again.state == "open"


async def test_nobody_else_may_release_it(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.DRAFTER) as stage:
        kept = await waiting(stage, await ed(stage))
        shown = await stage.presses(encode("draft", "view", kept.id))
        assert "Draft 1 waits for release.\n⚠️ Nobody else may release it." in shown


async def test_who_only_changed_it_is_told_so_and_why_another_releases_it(tmp_path: Path) -> None:
    for two, told in {
        TwoPersons.ALWAYS: "You changed it: another officer must release it.",
        TwoPersons.OFF: "another officer releases it, or you take it back and release it yourself.",
    }.items():
        async with staged(tmp_path / two, role=Role.RELEASER, two=two) as stage:
            dan = await enrolled(stage, "Daniel", 11, Role.DRAFTER)
            await enrolled(stage, "Omar", 12, Role.RELEASER)
            me = await ed(stage)
            kept = await waiting(stage, dan, by=me)
            shown = await stage.presses(encode("draft", "view", kept.id))
            assert told in shown
            assert "You wrote it" not in shown
            assert "Who may release it: Omar." in shown
            assert "Written by Daniel" in shown
            if two is TwoPersons.ALWAYS:
                own = await waiting(stage, me)
                shown = await stage.presses(encode("draft", "view", own.id))
                assert "You wrote it: another officer must release it." in shown
                assert "Written by" not in shown
                continue
            await stage.presses(stage.button("Take back"))
            await stage.presses(encode("draft", "view", kept.id))
            assert "Released as" in await stage.presses(stage.button("🚀 Release"))
