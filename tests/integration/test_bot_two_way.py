"""Another agency's bulletin is answered, and a question asked, over real HTTP against the sandbox."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bots.officers.roles import Role
from bots.sandbox.client import SandboxUser
from schemas.vocabulary import ChannelState, Kind, Relation, Tlp
from subscribers.records import Filters, Record
from tests.support.node import DirectNode
from tests.support.node_api import make_record
from tests.support.officers_bot import BotStage, buttons, pressed, running_bot, says, text_of

CHANNEL = {"address": "https://example.org/channel", "state": "reported"}


@pytest.fixture
async def node() -> DirectNode:
    return DirectNode()


@pytest.fixture
async def stage(tmp_path: Path, node: DirectNode) -> AsyncIterator[BotStage]:
    async with running_bot(tmp_path, node) as running:
        yield running


async def alerted(
    stage: BotStage, node: DirectNode, role: Role, record: Record
) -> tuple[SandboxUser, dict[str, Any]]:
    """An officer who was alerted to a bulletin, and is to nothing more: the alert."""
    person = await stage.enrol("Ed", role=role)
    officers = stage.state.officers
    officer = await officers.by_person(person.id)
    assert officer is not None
    kept = await officers.subscribe(officer.id, Filters())
    await node.arrive(record)
    alert = await person.next_message(says(record.bulletin.title))
    await officers.unsubscribe(officer.id, kept.id)
    return person, alert


async def answered(person: SandboxUser, label: str, alert: dict[str, Any], shown: str) -> dict[str, Any]:
    """Press a button that answers; what comes of it beside the alert."""
    await person.press(label, alert)
    return await person.next_message(says(shown))


def sent(node: DirectNode, kind: Kind) -> Record:
    return next(each for each in reversed(node.api.records) if each.own and each.bulletin.kind is kind)


async def test_seen_blocked_and_confirmed(stage: BotStage, node: DirectNode) -> None:
    record = make_record(1, kind="channel", title="A channel", channel=CHANNEL)
    ed, alert = await alerted(stage, node, Role.RELEASER, record)
    assert buttons(alert)[2:] == ["👀 Seen here", "🚫 Blocked", "☑️ Confirmed"]
    shown = await answered(ed, "Seen here", alert, "Seen here: FRA-2026-0001")
    assert "in the community can read it" in text_of(shown)
    shown = await pressed(ed, "How many", shown)
    shown = await ed.ask("some")
    assert "no number" in text_of(shown)
    shown = await ed.ask("3")
    assert "Number seen: 3" in text_of(shown)
    shown = await pressed(ed, "Region", shown)
    shown = await ed.ask("FR-75")
    shown = await pressed(ed, "When", shown)
    shown = await pressed(ed, "1 hour ago", shown)
    shown = await pressed(ed, "To its originator alone", shown)
    assert "Only France can read it." in text_of(shown)
    done = await pressed(ed, "Send", shown)
    assert "Only France can read it." in text_of(done)
    first = sent(node, Kind.SIGHTING)
    assert first.flags == {"private"}
    assert (first.bulletin.regions, first.bulletin.summary) == (["FR-75"], "Number seen: 3")
    assert first.bulletin.valid_from is not None
    assert len(first.bulletin.translations) == 5
    assert first.bulletin.drafter == first.bulletin.releaser == "officer-1"

    shown = await answered(ed, "Seen here", alert, "Your agency has said so already")
    shown = await ed.ask("On a second server too.")
    assert "On a second server too." in text_of(shown)
    await pressed(ed, "Send", shown)
    second = sent(node, Kind.SIGHTING)
    assert second.flags == set()
    assert second.bulletin.body == "On a second server too."
    assert second.bulletin.translations == []

    shown = await answered(ed, "Blocked", alert, "Blocked: FRA-2026-0001")
    done = await pressed(ed, "Send", shown)
    blocked = sent(node, Kind.CHANNEL).bulletin
    assert blocked.channel is not None
    assert (blocked.channel.address, blocked.channel.state) == (CHANNEL["address"], ChannelState.BLOCKED)
    assert [(each.relation, each.id) for each in blocked.links] == [
        (Relation.RESPONDS_TO, record.bulletin.id)
    ]
    shown = await answered(ed, "Confirmed", alert, "So far your agency says: blocked")
    tally = text_of(await ed.ask("/tally FRA-2026-0001"))
    assert "Sighting: 1 agency" in tally
    shown = await answered(ed, "Withdraw", done, "as readers in Alpha will see it")
    await pressed(ed, "Release", shown)
    assert [each.id for each in sent(node, Kind.RETRACTION).bulletin.links] == [blocked.id]


async def test_a_question_is_asked_and_another_answered(stage: BotStage, node: DirectNode) -> None:
    request = make_record(2, kind="request", title="Whose van is it?", tlp="TLP:CLEAR", severity="flash")
    ed, alert = await alerted(stage, node, Role.RELEASER, request)
    shown = await answered(ed, "Answer", alert, "Send your answer.")
    assert "↩️ Answers FRA-2026-0002 · Whose van is it?" in text_of(shown)
    home = await ed.ask("It is ours.")
    assert "TLP:CLEAR" in text_of(home)
    home = await pressed(ed, "Preview", home)
    control = await ed.next_message(says("as readers in Alpha will see it"))
    assert "↩️ Answers FRA-2026-0002 · Whose van is it?" in text_of(control)
    await pressed(ed, "Release", control)
    response = sent(node, Kind.RESPONSE).bulletin
    assert (response.title, response.body, response.tlp) == (
        "Answer: Whose van is it?",
        "It is ours.",
        Tlp.CLEAR,
    )
    assert [(each.relation, each.id) for each in response.links] == [
        (Relation.RESPONDS_TO, request.bulletin.id)
    ]
    shown = await ed.ask("/ask Has anybody seen Malachite?")
    assert "/ask tomorrow 18:00" in text_of(shown)
    shown = await ed.ask("/ask tomorrow 20:00")
    shown = await pressed(ed, "TLP:GREEN", shown)
    assert "Send your question" in text_of(shown)
    shown = await ed.ask("Has anybody seen a white van?")
    shown = await ed.ask("It has a blue stripe.")
    assert "Kept as “Text”." in text_of(shown)
    shown = await pressed(ed, "Elevated", shown)
    shown = await pressed(ed, "Preview", shown)
    assert "answers wanted by" in text_of(shown)
    control = await ed.next_message(says("as readers in Alpha will see it"))
    await pressed(ed, "Release", control)
    asked = sent(node, Kind.REQUEST)
    assert asked.bulletin.valid_until is not None
    assert asked.bulletin.valid_until.endswith(":00:00Z")
    links = [{"relation": "responds-to", "id": asked.bulletin.id}]
    await node.arrive(make_record(3, kind="response", title="Here it is", severity="low", links=links))
    told = await ed.next_message(says("Here it is"))
    assert f"Answers {asked.bulletin.ref}" in text_of(told)
    assert not told["silent"]
    listed = await ed.ask(f"/show {asked.bulletin.ref}")
    assert "Who answered" in "".join(buttons(listed))
    assert "Here it is" in text_of(await ed.next_message(says("What was answered to it")))
