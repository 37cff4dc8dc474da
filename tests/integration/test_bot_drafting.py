"""A bulletin is written in chat and released, over real HTTP against the sandbox."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import pytest

from bots.officers.roles import Role
from bots.sandbox.client import SandboxUser
from schemas.bulletin import Draft
from schemas.errors import Code, OperationError
from schemas.vocabulary import Kind, Language, Relation, Tlp
from subscribers.records import Published, Record
from tests.support.node import DirectNode
from tests.support.node_api import make_record
from tests.support.officers_bot import (
    BotStage,
    bot_on,
    buttons,
    pressed,
    running_bot,
    running_sandbox,
    says,
    text_of,
)

ANSWERS = ("TLP:GREEN", "Threat", "🟠 High", "B · source usually reliable", "B2 · probably true")
SECRET = "The courier is called Malachite"


@pytest.fixture
async def node() -> DirectNode:
    return DirectNode()


@pytest.fixture
async def stage(tmp_path: Path, node: DirectNode) -> AsyncIterator[BotStage]:
    async with running_bot(tmp_path, node) as running:
        yield running


async def written(person: SandboxUser) -> dict[str, Any]:
    """A whole draft, question by question; the draft's own screen."""
    shown = await person.ask("/draft")
    for answer in ANSWERS:
        shown = await pressed(person, answer, shown)
    assert "Send the title" in text_of(shown)
    assert "Send the text" in text_of(await person.ask("Drone over the stadium"))
    return await person.ask("A drone was seen at noon.")


async def previewed(person: SandboxUser, home: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The draft as readers will see it, and what may be done with it."""
    seen = await pressed(person, "Preview", home)
    return seen, await person.next_message(says("as readers in Alpha will see it"))


def published(node: DirectNode) -> list[Record]:
    return [each for each in node.api.records if each.bulletin.drafter]


async def test_a_bulletin_is_written_seen_and_released(stage: BotStage, node: DirectNode) -> None:
    ed = await stage.enrol("Ed", administrator=True)
    home = await written(ed)
    assert "TLP:GREEN · Alpha · Threat · 🟠 High" in text_of(home)
    await pressed(ed, "Region", home)
    assert "no countries" in text_of(await ed.ask("Nowhere"))
    home = await ed.ask("fr, DE-BE")
    await pressed(ed, "Translations", home)
    await ed.press("Français", home)
    await ed.next_edit(says("Français: Send one message: the title"))
    home = await ed.ask("Drone au-dessus du stade\nVu à midi.")
    await ed.upload("map.txt", b"a map")
    home = await ed.next_message(says("map.txt is attached"))
    seen, control = await previewed(ed, home)
    assert text_of(seen).startswith("🟠 High · Threat · TLP:GREEN\nDrone over the stadium")
    assert buttons(control)[:2] == [
        "🚀 Release, translations not official",
        "🚀 Release, translations official",
    ]
    await pressed(ed, "🌐 Français", control)
    control = await ed.next_message(says("as readers in Alpha will see it"))
    assert buttons(control)[-1] == "🌐 English"
    done = await pressed(ed, "Release, translations official", control)
    (record,) = published(node)
    bulletin = record.bulletin
    assert f"Released as {bulletin.ref}." in text_of(done)
    assert (bulletin.drafter, bulletin.releaser) == ("officer-1", "officer-1")
    assert [(each.language, each.official) for each in bulletin.translations] == [(Language.FRENCH, True)]
    assert [each.name for each in bulletin.attachments] == ["map.txt"]
    assert bulletin.regions == ["DE-BE", "FR"]
    assert bulletin.grading is not None
    assert "No drafts" in text_of(await ed.ask("/drafts"))
    rows = await stage.state.store.query("SELECT count(*) FROM draft_revisions")
    assert rows == [(0,)]


async def test_above_the_ceiling_nothing_is_asked_or_kept(stage: BotStage, node: DirectNode) -> None:
    ed = await stage.enrol("Ed", administrator=True)
    shown = await ed.ask("/draft")
    assert "was not kept" in text_of(await ed.ask(SECRET))
    shown = await ed.ask("/draft")
    turned = await pressed(ed, "TLP:AMBER", shown)
    assert "TLP:AMBER may not be written in this chat" in text_of(turned)
    assert "liaison-agency" in text_of(turned)
    assert "neither looked for nor kept" in text_of(await ed.ask(SECRET))
    remembered = await stage.state.store.query("SELECT state, data FROM memory")
    assert "Malachite" not in str(remembered)
    await ed.forward(SECRET, "Amina")
    shown = await ed.next_message(says("Choose the marking first"))
    await pressed(ed, "TLP:RED", shown)
    assert "No drafts" in text_of(await ed.ask("/drafts"))
    kept = await stage.state.store.query("SELECT body FROM drafts UNION SELECT body FROM draft_revisions")
    assert all("Malachite" not in body for (body,) in kept)
    await node.arrive(make_record(7, tlp="TLP:AMBER", title=SECRET).model_copy(update={"own": True}))
    assert "Malachite" not in text_of(await ed.ask("/amend FRA-2026-0007"))


async def test_a_forwarded_message_becomes_the_text(stage: BotStage) -> None:
    ed = await stage.enrol("Ed", administrator=True)
    await ed.forward("/latest Seen at noon.", "Amina")
    shown = await ed.next_message(says("Choose the marking first"))
    shown = await pressed(ed, "TLP:CLEAR", shown)
    for answer in ("Notice", "For information", "Leave out"):
        shown = await pressed(ed, answer, shown)
    home = text_of(await ed.ask("What Amina saw"))
    assert "/latest Seen at noon." in home
    assert "Caveats · Forwarded from Amina" in home


async def test_a_half_written_draft_survives_a_restart_and_a_lower_ceiling(
    tmp_path: Path, node: DirectNode
) -> None:
    async with running_sandbox() as (sandbox, client):
        async with bot_on(sandbox, client, tmp_path, node) as stage:
            ed = await stage.enrol("Ed", administrator=True)
            shown = await ed.ask("/draft")
            for answer in ANSWERS:
                shown = await pressed(ed, answer, shown)
        async with bot_on(sandbox, client, tmp_path, node) as stage:
            assert "Send the text" in text_of(await ed.ask("Drone over the stadium"))
            shown = await ed.ask("/drafts")
            assert "Draft 1 · Drone over the stadium" in text_of(shown)
            home = await pressed(ed, "Draft 1", shown)
            assert "Still missing: Text" in text_of(home)
            home = await pressed(ed, "Undo", home)
            assert "Still missing: Title, Text" in text_of(home)
        async with bot_on(sandbox, client, tmp_path, node, ceiling="TLP:CLEAR") as stage:
            assert "above what may be in this chat" in text_of(await pressed(ed, "Undo", home))
            listed = await ed.ask("/drafts")
            assert "Draft 1" in text_of(listed)
            assert "Drone" not in text_of(listed)
            assert "Drone" not in text_of(await pressed(ed, "Draft 1", listed))


async def test_two_persons_release_exactly_what_was_shown(tmp_path: Path, node: DirectNode) -> None:
    async with running_bot(tmp_path, node, two_person_release="always") as stage:
        ed = await stage.enrol("Ed", administrator=True)
        home = await written(ed)
        _, control = await previewed(ed, home)
        alone = await pressed(ed, "Send for release", control)
        assert "Nobody else may release it" in text_of(alone)
        irina = await stage.enrol("Irina", administrator=True)
        irina_officer = await stage.state.officers.by_person(irina.id)
        assert irina_officer is not None
        await stage.state.officers.set_language(irina_officer.id, Language.ENGLISH)
        await pressed(ed, "Preview", alone)
        control = await ed.next_message(says("as readers in Alpha will see it"))
        sent = await pressed(ed, "Send for release", control)
        first = await irina.next_message(says("Ed asks you to release this."))
        home = await pressed(ed, "Take back", sent)
        await irina.press("Release", first)
        assert "Draft 1 does not wait for release any more" in text_of(await irina.next_edit())
        await pressed(ed, "Title", home)
        _, control = await previewed(ed, await ed.ask("Drone over the arena"))
        sent = await pressed(ed, "Send for release", control)
        second = await irina.next_message(says("Ed asks you to release this."))
        home = await pressed(ed, "Take back", sent)
        await pressed(ed, "Region", home)
        _, control = await previewed(ed, await ed.ask("FR"))
        await pressed(ed, "Send for release", control)
        await irina.next_message(says("Ed asks you to release this."))
        await irina.press("Release", second)
        again = await irina.next_message(says("It has changed since. Look at it again."))
        assert published(node) == []
        await pressed(irina, "Send back", again)
        assert "was sent back" in text_of(await irina.ask("Name the city."))
        back = await ed.next_message(says("came back from Irina"))
        assert "Name the city." in text_of(back)
        home = await pressed(ed, "Open", back)
        await pressed(ed, "Text", home)
        home = await ed.ask("Seen at noon in Paris.")
        _, control = await previewed(ed, home)
        await pressed(ed, "Send for release", control)
        third = await irina.next_message(says("Ed asks you to release this."))
        assert "Released as" in text_of(await pressed(irina, "Release", third))
        (record,) = published(node)
        assert (record.bulletin.title, record.bulletin.body) == (
            "Drone over the arena",
            "Seen at noon in Paris.",
        )
        assert (record.bulletin.drafter, record.bulletin.releaser) == ("officer-1", "officer-2")
        await ed.next_message(says(f"was released by Irina as {record.bulletin.ref}"))


async def test_an_answer_that_never_came_publishes_nothing_twice(tmp_path: Path) -> None:
    class Silent(DirectNode):
        silent = True

        async def publish(
            self,
            draft: Draft,
            community: str,
            attachments: Collection[str] = (),
            *,
            once: str | None = None,
            private: bool = False,
        ) -> Published:
            done = await super().publish(draft, community, attachments, once=once, private=private)
            if self.silent:
                raise OperationError(Code.NODE_UNREACHABLE, "no answer")
            return done

    node = Silent()
    async with running_bot(tmp_path, node) as stage:
        ed = await stage.enrol("Ed", administrator=True)
        _, control = await previewed(ed, await written(ed))
        unsure = await pressed(ed, "Release", control)
        assert "may have taken it" in text_of(unsure)
        listed = await ed.ask("/drafts")
        assert "at the node" in text_of(listed)
        assert "may have taken it" in text_of(await pressed(ed, "Draft 1", listed))
        node.silent = False
        assert "Released as" in text_of(await pressed(ed, "Ask again", unsure))
        assert len(published(node)) == 1


async def test_what_is_out_is_amended_and_retracted_by_its_own_agency(
    stage: BotStage, node: DirectNode
) -> None:
    ed = await stage.enrol("Ed", administrator=True)
    own = make_record(5, title="Drone", body="Seen.", grading=None).model_copy(update={"own": True})
    gone = make_record(7).model_copy(update={"own": True, "state": "retracted"})
    await node.arrive(own, make_record(6, title="Theirs"), gone)
    for asked in ("/amend FRA-2026-0007", "/retract FRA-2026-0007"):
        assert "FRA-2026-0007 is already retracted." in text_of(await ed.ask(asked))
    assert "Only bulletins of your own agency" in text_of(await ed.ask("/amend FRA-2026-0006"))
    assert "no such bulletin" in text_of(await ed.ask("/retract FRA-2026-0009"))
    assert "/amend FRA-2026-0042" in text_of(await ed.ask("/amend"))
    home = await ed.ask("/amend fra 2026 5")
    await pressed(ed, "Title", home)
    _, control = await previewed(ed, await ed.ask("Two drones"))
    await pressed(ed, "Release", control)
    (amended,) = published(node)
    assert (amended.bulletin.kind, amended.bulletin.title) == (Kind.AMENDMENT, "Two drones")
    assert [(each.relation, each.id) for each in amended.bulletin.links] == [
        (Relation.AMENDS, own.bulletin.id)
    ]
    home = await ed.ask("/retract FRA-2026-0005")
    assert "Still missing: Text" in text_of(home)
    assert amended.bulletin.tlp is Tlp.GREEN


async def test_a_file_needs_a_draft_and_a_drafter_a_releaser(stage: BotStage) -> None:
    ed = await stage.enrol("Ed", role=Role.DRAFTER)
    await ed.upload("map.txt", b"a map")
    assert "Open a draft first" in text_of(await ed.next_message(says("Open a draft")))
    _, control = await previewed(ed, await written(ed))
    assert buttons(control) == ["📨 Send for release", "✏️ Change"]
