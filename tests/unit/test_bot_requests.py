"""Whoever is asked to release hears it, each time that a draft is sent."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.clock import moment
from bots.drafting.policy import TwoPersons
from bots.drafting.telling import told_of_draft
from bots.officers.roles import Role
from bots.parsing.actions import encode
from bots.showing.release import Ceiling
from bots.showing.rendered import Rendered
from bots.state.jobs import Priority
from bots.state.officers import Officer
from bots.state.outbox import Work
from bots.times import Quiet
from schemas.vocabulary import Language, Severity
from tests.support.half_draft import HELD
from tests.support.officers_bot import invite
from tests.support.quiet_house import Stage, staged


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, role=Role.DRAFTER) as here:
        yield here


async def releaser(stage: Stage) -> Officer:
    code = await invite(stage.state, "Claire", role=Role.RELEASER)
    officer = await stage.state.officers.enrol(
        code, chat=11, person=11, language=Language.ENGLISH, now=time.time()
    )
    assert officer is not None
    return officer


async def sent(stage: Stage, severity: Severity = Severity.LOW) -> str:
    """Ed's draft, sent for release; the button that sends it."""
    body = HELD.with_(severity=severity)
    kept = await stage.state.drafts.begin(1, body, "once", stage.clock.now())
    button = encode("draft", "send", kept.id, body.seal)
    assert "was sent for release" in await stage.presses(button)
    return button


async def asked(stage: Stage) -> tuple[Work, Rendered | None]:
    """The first job that waits, and its message; the job is done then."""
    now = stage.clock.now()
    (work,) = await stage.state.outbox.candidates(now, (), 10)
    shown = await told_of_draft(work, stage.state, Ceiling(), TwoPersons.OFF, now)
    await stage.state.outbox.finish(work)
    return work, shown


async def test_a_request_sounds_but_in_quiet_hours_and_a_flash_always(stage: Stage) -> None:
    claire = await releaser(stage)
    local = moment(stage.clock.now()).astimezone(claire.zone)
    minute = local.hour * 60 + local.minute
    now = Quiet((minute - 60) % 1440, (minute + 60) % 1440)
    for quiet, severity, urgency, silent in (
        (None, Severity.LOW, Priority.ALERT, False),
        (now, Severity.HIGH, Priority.ALERT, True),
        (now, Severity.FLASH, Priority.FLASH, False),
    ):
        await stage.state.officers.set_quiet(claire.id, quiet)
        await sent(stage, severity)
        work, shown = await asked(stage)
        assert shown is not None
        assert (work.priority, shown.silent) == (urgency, silent)


async def test_what_is_sent_again_unchanged_is_asked_for_again_and_once(stage: Stage) -> None:
    await releaser(stage)
    button = await sent(stage)
    first, shown = await asked(stage)
    assert shown is not None
    for _ in range(2):
        await stage.presses(encode("draft", "take", 1))
        assert "was sent for release" in await stage.presses(button)
    second, shown = await asked(stage)
    assert second.key != first.key
    assert shown is None, "taken back before it was told"
    _, shown = await asked(stage)
    assert shown is not None
    assert not shown.silent
    assert "Ed asks you to release this." in shown.parts[-1].plain


async def test_what_the_node_refused_is_asked_for_again(stage: Stage) -> None:
    claire = await releaser(stage)
    button = await sent(stage)
    await asked(stage)
    kept = await stage.state.drafts.get(1)
    assert kept is not None
    assert await stage.state.drafts.claim(kept, claire.id, "chat", official=False, now=stage.clock.now())
    claimed = await stage.state.drafts.get(1)
    assert claimed is not None
    assert await stage.state.drafts.unclaim(claimed, "another", (), stage.clock.now())
    assert "was sent for release" in await stage.presses(button)
    _, shown = await asked(stage)
    assert shown is not None
