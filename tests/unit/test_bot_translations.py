"""A translation that is older than its text is told to who writes and to who releases."""

from pathlib import Path

import pytest

from bots.drafting import wizard
from bots.drafting.changing import changing
from bots.drafting.draft import HalfDraft, Step, complete
from bots.drafting.translations import outdated
from bots.officers.roles import Role
from bots.parsing.actions import encode
from bots.times import zone
from schemas.vocabulary import Language, Relation, Severity
from tests.support.half_draft import HELD
from tests.support.node_api import make_record
from tests.support.officers_bot import invite
from tests.support.quiet_house import staged

OLDER = "⚠️ The text was changed after it was translated (Français): see whether"


def typed(draft: HalfDraft, step: Step, text: str) -> HalfDraft:
    return wizard.typed(draft, step, text, zone=zone("UTC"), language=Language.FRENCH, now=0.0)


FRENCH = typed(HELD, Step.TRANSLATION, "Drone\nVu à midi.")


@pytest.mark.parametrize("step, text", [(Step.TITLE, "Two drones"), (Step.BODY, "Seen at one.")])
def test_it_is_older_once_the_text_has_changed_and_until_it_is_written_again(step: Step, text: str) -> None:
    assert outdated(FRENCH) == ()
    changed = typed(FRENCH, step, text)
    assert outdated(changed) == (Language.FRENCH,)
    assert outdated(HalfDraft.model_validate_json(changed.model_dump_json())) == (Language.FRENCH,)
    assert outdated(typed(changed, Step.TRANSLATION, "Deux drones\nVus à midi.")) == ()
    assert outdated(wizard.leave_out(changed, Step.TRANSLATION)) == ()
    assert outdated(typed(changed, step, getattr(HELD, step.name.lower()))) == ()
    assert "sources" not in complete(changed).model_dump()


def test_what_is_no_part_of_a_translation_makes_none_older() -> None:
    assert outdated(typed(FRENCH, Step.SUMMARY, "In short.")) == ()
    assert outdated(FRENCH.with_(severity=Severity.FLASH)) == ()


def test_of_a_draft_from_before_nothing_is_known_and_its_digest_stays() -> None:
    before = FRENCH.with_(sources=None, title="Two drones")
    assert outdated(before) == ()
    assert "sources" not in before.model_dump(exclude_none=True)


def test_an_amendment_keeps_the_translations_of_the_text_that_it_begins_from() -> None:
    french = [{"language": "fr", "official": False, "title": "Drone", "body": "Vu à midi."}]
    record = make_record(3, title="Drone", body="Seen.", translations=french).model_copy(update={"own": True})
    half = changing(record, Relation.AMENDS, now=0.0)
    assert half is not None
    assert outdated(half) == ()
    assert outdated(half.with_(body="Seen twice.")) == (Language.FRENCH,)


async def test_it_is_said_on_the_draft_in_the_preview_and_to_who_releases(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        drafts, now = stage.state.drafts, stage.clock.now()
        await invite(stage.state, "Claire", role=Role.DRAFTER)
        for body, said in ((FRENCH, False), (typed(FRENCH, Step.BODY, "Seen at one."), True)):
            kept = await drafts.begin(1, body, f"mine {said}", now)
            assert (OLDER in await stage.presses(encode("draft", "open", kept.id))) is said
            assert (OLDER in await stage.presses(encode("draft", "view", kept.id))) is said
            kept = await drafts.begin(2, body, f"theirs {said}", now)
            assert await drafts.send(kept, (), now)
            assert (OLDER in await stage.presses(encode("draft", "view", kept.id))) is said
