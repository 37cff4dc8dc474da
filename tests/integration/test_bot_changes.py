"""What becomes of messages already sent: amended, retracted, expired; stubs that must go within 48 hours."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bots.clock import moment
from bots.digests.schedule import Schedule, ending
from bots.officers.audit import ROOM, Act
from bots.searches.watching import Search
from bots.showing.release import Ceiling
from bots.state.officers import Officer
from bots.state.outbox import Sent
from bots.telling.aftermath import PASSING
from bots.telling.intake import plan
from bots.times import Schedule as Times
from schemas.encoding import instant
from subscribers.records import Filters
from tests.support.nats_server import eventually
from tests.support.node import DirectNode
from tests.support.node_api import make_record
from tests.support.officers_bot import BotStage, running_bot, says, text_of

HOUR = 3_600.0
DEADLINE = 60.0


@dataclass
class Later:
    """A clock that is ahead of the machine's."""

    ahead: float = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here waits {seconds} s")


@pytest.fixture
async def node() -> DirectNode:
    return DirectNode()


@pytest.fixture
async def stage(tmp_path: Path, node: DirectNode) -> AsyncIterator[BotStage]:
    async with running_bot(tmp_path, node) as running:
        yield running


async def officer(stage: BotStage, name: str = "Ed") -> Officer:
    person = await stage.enrol(name)
    found = await stage.state.officers.by_person(person.id)
    assert found is not None
    await stage.state.officers.subscribe(found.id, Filters())
    return found


def link(relation: str, target: str) -> list[dict[str, str]]:
    return [{"relation": relation, "id": target}]


async def test_an_amendment_marks_the_first_message_and_answers_it(stage: BotStage, node: DirectNode) -> None:
    await officer(stage)
    ed = stage.person("Ed")
    record = make_record(1, title="First word")
    await node.arrive(record)
    alert = await ed.next_message(says("First word"))
    amendment = make_record(
        2, kind="amendment", title="Better word", severity="high", links=link("amends", record.bulletin.id)
    )
    await node.arrive(amendment)
    edit = await ed.next_edit()
    assert edit["message_id"] == alert["message_id"]
    assert "⚠️ AMENDED since" in text_of(edit)
    changed = "✏️ Changed: severity raised from “Elevated” to “High” · new title"
    assert changed in text_of(edit)
    news = await ed.next_message(says("Better word"))
    assert news["reply_to"] == alert["message_id"]
    assert changed in text_of(news)


async def test_two_searches_make_one_alert_and_a_snoozed_one_waits(stage: BotStage, node: DirectNode) -> None:
    await stage.enrol("Ed")
    ed, officers = stage.person("Ed"), stage.state.officers
    found = await officers.by_person(ed.id)
    assert found is not None
    france = Search(name="France", filters=Filters(regions=frozenset({"FR"})))
    drones = await officers.subscribe(found.id, Search(name="Drones", words="drone"))
    await officers.subscribe(found.id, france)
    both = make_record(1, title="Drones over the stadium", regions=["FR-75"])
    await node.arrive(both)
    alert = await ed.next_message(says("FRA-2026-0001"))
    assert text_of(alert).endswith("🔔 By your subscription: “Drones”, “France”")
    await node.arrive(make_record(5, title="Drones", severity="high", tlp="TLP:AMBER"))
    stub = await ed.next_message(says("FRA-2026-0005"))
    assert stub["silent"], "nobody may say whether it is about drones"
    assert "For:" not in text_of(stub)
    await officers.snooze(found.id, drones.id, time.time() + HOUR)
    waits, comes = make_record(2, title="A drone again"), make_record(3, title="Roads", regions=["FR"])
    await node.arrive(waits, comes)
    assert "By your subscription: “France”" in text_of(await ed.next_message(says("FRA-2026-0003")))
    sql = "SELECT state, not_before FROM jobs WHERE record = ?"
    ((state, until),) = await stage.state.store.query(sql, (waits.bulletin.id,))
    assert state == "queued"
    assert until > time.time()
    await officers.snooze(found.id, drones.id, 0.0)
    await node.arrive(make_record(4, title="Roads", regions=["FR"]))  # wakes the outbox
    assert "By your subscription: “Drones”" in text_of(await ed.next_message(says("FRA-2026-0002")))
    assert len([each for each in ed.messages.values() if "FRA-2026-0001" in each.get("text", "")]) == 1


async def test_a_raised_marking_takes_the_text_out_of_the_chat(stage: BotStage, node: DirectNode) -> None:
    await officer(stage)
    ed = stage.person("Ed")
    record = make_record(1, title="First word")
    await node.arrive(record)
    alert = await ed.next_message(says("First word"))
    listed = await ed.ask("/search word")
    assert "First word" in text_of(listed)
    links = link("amends", record.bulletin.id)
    raised = make_record(2, kind="amendment", title="Secret word", tlp="TLP:RED", links=links)
    amended = record.model_copy(update={"state": "amended", "replaced_by": raised.bulletin.id})
    await node.arrive(raised, amended)

    def withheld() -> dict[str, object] | None:
        gone = ed.messages[listed["message_id"]].get("deleted")
        return {} if gone and "word" not in text_of(ed.messages[alert["message_id"]]) else None

    await stage.client.until(withheld, "end of the text", DEADLINE)
    edited = ed.messages[alert["message_id"]]
    assert text_of(edited).startswith("🔒 A bulletin is waiting for you.\nFRA-2026-0001")
    assert "word" not in text_of(await ed.next_message(says("FRA-2026-0002")))

    async def will_go() -> bool:  # noted when the service has answered: the officer may see it before
        sent = [row for row in await stage.state.outbox.messages(record.bulletin.id) if row.record]
        return len(sent) == 1 and sent[0].ends is not None

    await eventually(will_go)
    for asked in ("/show FRA-2026-0001", "/latest", "/search word", "/digest now"):
        assert "irst word" not in text_of(await ed.ask(asked)).replace("/search", ""), asked


async def test_a_retraction_takes_the_text_away(stage: BotStage, node: DirectNode) -> None:
    await officer(stage)
    ed = stage.person("Ed")
    record = make_record(1, title="Wrong name", body="Wrong " * 3_000)
    await node.arrive(record)
    alert = await ed.next_message(says("Wrong name"))
    await ed.press("Show more", alert)
    await ed.next_message(says("FRA-2026-0001"))
    await node.arrive(
        make_record(2, kind="retraction", title="Gone", links=link("retracts", record.bulletin.id))
    )
    await ed.next_message(says("Gone"))

    def none_left() -> dict[str, object] | None:
        said = (text_of(each) for each in ed.messages.values() if each["from_bot"] and "text" in each)
        return None if any("Wrong" in text for text in said) else {}

    await stage.client.until(none_left, "end of the wrong text", DEADLINE)
    assert text_of(ed.messages[alert["message_id"]]).startswith("⚫ FRA-2026-0001\nRetracted")


async def test_a_mistake_of_identity_is_heard_by_whoever_read_it_anywhere(
    stage: BotStage, node: DirectNode
) -> None:
    ed, irina, claire = [await stage.enrol(name) for name in ("Ed", "Irina", "Claire")]
    other, late = [await stage.state.officers.by_person(each.id) for each in (irina, claire)]
    assert other is not None
    assert late is not None
    subjects = [{"type": "person", "name": "Karim Testov"}]
    first = make_record(1, kind="subject", severity="low", title="Karim Testov", subjects=subjects)
    await node.arrive(first)
    await node.handled(first)
    assert "Karim Testov" in text_of(await ed.ask("/latest"))

    async def written_down() -> bool:
        sql = "SELECT 1 FROM audit WHERE object = ?"
        return bool(await stage.state.store.query(sql, (first.bulletin.ref,)))

    await eventually(written_down)
    await stage.state.audit.write([Act(other.id, "Irina", ROOM, "read", first.bulletin.ref)], time.time())
    second = make_record(
        2, kind="amendment", severity="low", title="Another man", links=link("amends", first.bulletin.id)
    )
    await node.arrive(second)
    for each in (ed, irina):
        assert not (await each.next_message(says("Another man")))["silent"]
    await stage.state.audit.write([Act(late.id, "Claire", "chat", "/show", first.bulletin.ref, "full")], 1.0)
    third = make_record(
        3, kind="retraction", severity="low", title="Nobody", links=link("retracts", second.bulletin.id)
    )
    await node.arrive(third)
    for each in (ed, irina, claire):
        assert not (await each.next_message(says("Nobody")))["silent"]
    assert not [each for each in claire.messages.values() if "Another man" in each.get("text", "")]


async def test_somebody_elses_retraction_changes_nothing(stage: BotStage, node: DirectNode) -> None:
    await officer(stage)
    ed = stage.person("Ed")
    record = make_record(1, title="True word")
    await node.arrive(record)
    await ed.next_message(says("True word"))
    foreign = make_record(2, kind="retraction", title="Denied", links=link("retracts", record.bulletin.id))
    await node.arrive(foreign.model_copy(update={"agency": "xx-other"}))
    await ed.next_message(says("Denied"))
    kept = await stage.state.outbox.record(record.bulletin.id)
    assert kept is not None
    assert kept.state == "current"


async def test_what_was_retracted_before_it_was_told_is_not_told(stage: BotStage, node: DirectNode) -> None:
    who = await officer(stage)
    ed = stage.person("Ed")
    await stage.client.fault("sendMessage", "too_many", times=1, retry_after=1, chat_id=ed.chat_id)
    record = make_record(1, title="Too early")
    await node.arrive(record)
    await node.arrive(
        make_record(2, kind="retraction", title="Gone", links=link("retracts", record.bulletin.id))
    )
    await ed.next_message(says("Gone"))
    assert not [each for each in ed.messages.values() if "Too early" in each.get("text", "")]
    assert who.id == 1


async def test_stubs_and_expired_bulletins_are_deleted_in_time(stage: BotStage, node: DirectNode) -> None:
    await officer(stage)
    ed = stage.person("Ed")
    soon = instant(int((time.time() + HOUR) * 1000))
    stub, dated, plain = (
        make_record(1, tlp="TLP:AMBER"),
        make_record(2, valid_until=soon),
        make_record(3),
    )
    await node.arrive(stub, dated, plain)
    messages = [await ed.next_message(says(f"FRA-2026-000{n}")) for n in (1, 2, 3)]
    for record in (stub, dated, plain):
        await stage.lines.until(event="alert", id=record.bulletin.id)
    sent = [
        row
        for record in (stub, dated, plain)
        for row in await stage.state.outbox.messages(record.bulletin.id)
    ]
    assert sent[0].ends is not None
    assert abs(sent[0].ends - sent[0].sent - PASSING) < 1
    assert sent[1].ends is not None
    assert abs(sent[1].ends - time.time() - HOUR) < 60
    assert sent[2].ends is None
    woken = []
    await Schedule(stage.state, Later(2 * HOUR), lambda: woken.append(1), Ceiling()).sweep()
    assert woken
    await ed.ask("/digest quiet off")

    def deleted() -> dict[str, object] | None:
        return {} if ed.messages[messages[1]["message_id"]].get("deleted") else None

    await stage.client.until(deleted, "deletion", DEADLINE)
    assert not ed.messages[messages[0]["message_id"]].get("deleted")
    assert not ed.messages[messages[2]["message_id"]].get("deleted")


def test_after_48_hours_a_message_is_rewritten_instead() -> None:
    sent = Sent(7, 1, 10, 99, None, None, 0, 0.0, 1.0)
    assert ending(sent, 47 * HOUR).verb == "delete"
    late = ending(sent, 48 * HOUR)
    assert (late.verb, late.body) == ("edit", "expired")


async def test_a_digest_is_asked_for_and_read(stage: BotStage, node: DirectNode) -> None:
    await officer(stage)
    ed = stage.person("Ed")
    await node.arrive(
        make_record(1, severity="low", title="Small"),
        make_record(2, severity="flash", title="Great"),
        make_record(3, tlp="TLP:RED", title="Hidden"),
    )
    for number in (1, 2, 3):
        await ed.next_message(says(f"FRA-2026-000{number}"))
    digest = text_of(await ed.ask("/digest now"))
    assert digest.startswith("🗞 3 bulletins since ")
    assert digest.index("Great") < digest.index("Small")
    assert "Hidden" not in digest
    assert "🔒 FRA-2026-0003" in digest


async def test_a_period_is_told_once_over_restarts_and_a_missed_one_at_start(
    stage: BotStage, node: DirectNode
) -> None:
    who = await officer(stage)
    await stage.state.officers.set_digest(who.id, Times("daily", 7 * 60), now=time.time())
    await node.arrive(make_record(1))
    await node.handled(node.api.records[0])
    for _ in range(3):
        await Schedule(stage.state, Later(25 * HOUR), lambda: None, Ceiling()).ring()
    rows = await stage.state.store.query("SELECT key FROM jobs WHERE verb = 'digest'")
    assert len(rows) == 1
    await Schedule(stage.state, Later(73 * HOUR), lambda: None, Ceiling()).ring()
    rows = await stage.state.store.query("SELECT key, body FROM jobs WHERE verb = 'digest' ORDER BY id")
    assert len(rows) == 2
    due = moment(time.time() + 73 * HOUR).astimezone(ZoneInfo("Europe/Paris")).date()
    assert rows[1][0].startswith(f"digest:{who.id}:daily-2026") or str(due.year) in rows[1][0]
    if rows[1][1]:
        assert json.loads(rows[1][1])["records"] == []


async def test_a_digest_in_a_chat_is_corrected_and_an_answer_with_the_text_goes(
    stage: BotStage, node: DirectNode
) -> None:
    await officer(stage)
    ed = stage.person("Ed")
    wrong, right = make_record(1, title="Wrong name"), make_record(2, title="Right name")
    await node.arrive(wrong, right, make_record(5), make_record(6, tlp="TLP:RED"))
    for number in (1, 2, 5, 6):
        await ed.next_message(says(f"FRA-2026-000{number}"))
    answer = await ed.ask("/latest")
    assert "Wrong name" in text_of(answer)
    digest = await ed.ask("/digest now")
    assert "Wrong name" in text_of(digest)
    chart = await ed.next_message(lambda each: "photo" in each)
    assert "3 bulletins in all" in chart["caption"]  # of four: one is withheld
    await node.arrive(
        make_record(3, kind="retraction", title="Gone", links=link("retracts", wrong.bulletin.id)),
        make_record(4, kind="amendment", title="Righter", links=link("amends", right.bulletin.id)),
    )

    def corrected() -> dict[str, object] | None:
        listed, asked = ed.messages[digest["message_id"]], ed.messages[answer["message_id"]]
        text = text_of(listed)
        gone = asked.get("deleted") or "Wrong name" not in asked.get("text", "")
        taken = ed.messages[chart["message_id"]].get("deleted")
        return {} if gone and taken and "Wrong name" not in text and "AMENDED since" in text else None

    await stage.client.until(corrected, "correction of the digest", DEADLINE)
    text = text_of(ed.messages[digest["message_id"]])
    assert text.startswith("🗞 4 bulletins since ")
    assert "FRA-2026-0001 · RETRACTED" in text
    assert "Right name" in text


def test_whoever_was_given_a_list_has_it_made_again() -> None:
    change = make_record(
        2, kind="retraction", title="Gone", links=link("retracts", make_record(1).bulletin.id)
    )
    made = [each for each in plan(change, {}, lists=[(7, 1), (8, 2)]) if each.verb == "edit"]
    assert [(each.target, each.officer, each.body, each.record) for each in made] == [
        (7, 1, "listed", None),
        (8, 2, "listed", None),
    ]
