"""Each command as an officer uses it, over real HTTP against the sandbox."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.charts.pictures import SIZE
from bots.sandbox.client import SandboxUser
from bots.searches.watching import Mode, Search
from bots.state.room import Redeemed
from bots.times import Quiet
from schemas.encoding import instant
from schemas.errors import Code, OperationError
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.local import ClientIdentity, Role
from subscribers.records import Community, Filters, Record
from tests.support.node import DirectNode
from tests.support.node_api import COMMUNITY, NOW, make_record
from tests.support.officers_bot import BotStage, buttons, pressed, running_bot, says, text_of
from tests.support.un_sample import SAMPLE, un_xml

FRENCH = {"language": "fr", "official": True, "title": "Drone au-dessus du stade", "summary": "Un drone."}
THREAT = make_record(
    42,
    kind="threat",
    severity="high",
    title="Drone over the stadium",
    summary="A drone was seen.",
    body="First paragraph.\n\n" + "Much more. " * 500,
    regions=["FR-75"],
    translations=[FRENCH],
    event={"name": "Great Games"},
    tactics=[{"taxonomy": "mitre-attack", "id": "T1566.001"}],
    subjects=[{"type": "organisation", "name": "Harbour Front", "reference": "QDe.001"}],
)
AMBER = make_record(43, tlp="TLP:AMBER", title="Amber secret", severity="high")
RED = make_record(44, tlp="TLP:RED", title="Red secret", severity="info", event={"name": "Secret games"})


@pytest.fixture
async def node() -> DirectNode:
    return DirectNode()


@pytest.fixture
async def stage(tmp_path: Path, node: DirectNode) -> AsyncIterator[BotStage]:
    async with running_bot(tmp_path, node) as running:
        yield running


async def everything(stage: BotStage, person: SandboxUser) -> None:
    officer = await stage.state.officers.by_person(person.id)
    assert officer is not None
    await stage.state.officers.subscribe(officer.id, Filters())


def dated(record: Record, at: str) -> Record:
    bulletin = record.bulletin.model_copy(update={"issued": at})
    return record.model_copy(update={"bulletin": bulletin, "received": at})


async def told(stage: BotStage, node: DirectNode, person: SandboxUser, record: Record) -> dict[str, object]:
    await node.arrive(record)
    return await person.next_message(says(record.bulletin.ref))


async def test_help_in_six_languages(stage: BotStage) -> None:
    known = {"Ed": "does", "Claire": "ce bot", "Irina": "бот", "Amina": "البوت", "Lucía": "este bot"}
    for name, word in {**known, "Wei": "本机器人"}.items():
        person = await stage.enrol(name)
        text = text_of(await person.ask("/help"))
        assert word in text
        assert "/subscribe" in text
        assert "/invite" not in text


async def test_subscribing_by_menu_in_one_message(stage: BotStage, node: DirectNode) -> None:
    lately = {"received": instant(int(time.time() * 1_000) - 86_400_000)}
    found, hidden = THREAT.model_copy(update=lately), RED.model_copy(update=lately)
    await node.arrive(found, hidden)
    await node.handled(hidden)
    ed = await stage.enrol("Ed")
    menu = await ed.ask("/subscribe")
    shown = menu
    for label in (
        "Kind", "Threat", "Back", "Severity", "High", "Back", "Community", "Alpha", "Back", "Language",
        "English", "Back", "Event", "Great Games", "Back", "Subject", "Harbour Front QDe.001", "Back",
        "How loud", "Only in the digest", "Back", "Quiet hours", "23:00–07:00", "Back", "Region",
    ):  # fmt: skip
        await ed.press(label, menu)
        shown = await ed.next_edit()
    assert "QDe.001" not in "".join(buttons(shown))
    shown = await ed.ask("fr, DE-BE")
    await ed.press("Tactic", shown)
    await ed.next_edit()
    shown = await ed.ask("T1566")
    await ed.press("Words", shown)
    await ed.next_edit()
    assert "drone | stadium" in text_of(await ed.ask("???"))
    shown = await ed.ask("drone")
    for label in ("Quiet hours", "Time zone"):
        await ed.press(label, shown)
        await ed.next_edit()
    shown = await ed.ask("Paris")
    assert buttons(shown) == ["👁 Preview and save", "◀️ Quiet hours"]
    await ed.press("Preview", shown)
    preview = await ed.next_edit()
    lines = text_of(preview).split("\n")
    assert lines[0] == "👁 Subscription “drone · Great Games · QDe.001”"
    assert lines[1] == (
        "Threat · from “High” up · Alpha · Germany (DE-BE), France · Great Games · T1566 · QDe.001"
        " · with a text in English · the words “drone”"
    )
    assert lines[2] == "1 in the last 30 days; the newest:"
    assert "Drone over the stadium" in text_of(preview)
    assert "Counted: what may be shown in chat." in text_of(preview)
    assert "secret" not in text_of(preview)
    await ed.press("Another name", preview)
    await ed.next_edit()
    named = await ed.ask("  My drones ")
    await ed.press("Save as “My drones”", named)
    assert text_of(await ed.next_edit()).startswith("✅ Saved: subscription “My drones”\n")
    (kept,) = await stage.state.officers.subscriptions()
    assert kept.search == Search(
        name="My drones",
        words="drone",
        mode=Mode.DIGEST,
        quiet=Quiet(23 * 60, 7 * 60),
        filters=Filters(
            kinds=frozenset({Kind.THREAT}),
            severity_at_least=Severity.HIGH,
            communities=frozenset({COMMUNITY}),
            regions=frozenset({"FR", "DE-BE"}),
            languages=frozenset({Language.ENGLISH}),
            events=frozenset({"Great Games"}),
            subjects=frozenset({"QDe.001"}),
            tactics=frozenset({"T1566"}),
        ),
    )


async def test_a_half_made_subscription_survives_a_restart(tmp_path: Path, node: DirectNode) -> None:
    from tests.support.officers_bot import bot_on, running_sandbox  # noqa: PLC0415 - two bots on one sandbox

    async with running_sandbox() as (sandbox, client):
        async with bot_on(sandbox, client, tmp_path, node) as stage:
            ed = await stage.enrol("Ed")
            menu = await ed.ask("/subscribe")
            await ed.press("Kind", menu)
            await ed.next_edit()
            await ed.press("Cyber incident", menu)
            await ed.next_edit()
        async with bot_on(sandbox, client, tmp_path, node) as stage:
            await ed.press("Back", menu)
            assert "Cyber incident" in text_of(await ed.next_edit())
            for label in ("Preview", "Save"):
                await ed.press(label, menu)
                await ed.next_edit()
            assert (await stage.state.officers.subscriptions())[0].filters.kinds == {Kind.CYBER}


async def test_a_subscription_is_snoozed_hushed_paused_looked_at_and_deleted(
    stage: BotStage, node: DirectNode
) -> None:
    ed = await stage.enrol("Ed")
    await everything(stage, ed)
    shown = await ed.ask("/subscriptions")
    assert buttons(shown) == ["1. Everything", "➕ New subscription"]
    for label, said in (
        ("1. Everything", "🔔 Alert at once"),
        ("8 hours", "😴 snoozed until "),
        ("End the snooze", "Quiet hours: yours (none)"),
        ("Only in the digest", "🗞 Only in the digest"),
        ("Quiet hours", "When should it be quiet?"),
        ("No quiet hours", "Quiet hours: none"),
        ("Back", "Subscription “Everything”"),
        ("Pause", "⏸ paused"),
    ):
        await ed.press(label, shown)
        assert said in text_of(await ed.next_edit()), label
    await node.arrive(THREAT)
    await node.handled(THREAT)
    assert await stage.state.outbox.counts() == {}
    await ed.press("Show matches", shown)
    assert "Drone over the stadium" in text_of(await ed.next_message(says("1 bulletin found")))
    await ed.press("Quiet hours", shown)
    await ed.next_edit()
    assert "23:00-06:00" in text_of(await ed.ask("at night"))
    shown = await ed.ask("22:30-6:00")
    assert "Quiet hours: 22:30–06:00" in text_of(shown)
    for label, said in (("Resume", "Only in the digest"), ("Delete", "cannot be brought back")):
        await ed.press(label, shown)
        assert said in text_of(await ed.next_edit())
    assert len(await stage.state.officers.subscriptions()) == 1
    await ed.press("Delete", shown)
    assert "no subscriptions" in text_of(await ed.next_edit())


async def test_who_says_so_is_told_without_a_word_above_the_ceiling(
    stage: BotStage, node: DirectNode
) -> None:
    await node.arrive(THREAT, AMBER)
    ed = await stage.enrol("Ed")
    whole = await ed.ask("/who fra 2026 42")
    assert text_of(whole).startswith("✅ Signed by France, whose key the root of 2026 vouches for;")
    assert "Alpha: 5 agencies may read it." in text_of(whole)
    await ed.press("Show more", whole)
    assert "Drone over the stadium" in text_of(await ed.next_edit())
    await ed.next_message()
    hidden = text_of(await ed.ask("/who FRA-2026-0043"))
    assert hidden.startswith("✅ Signed by France")
    assert "Alpha" not in hidden
    assert "Amber" not in hidden
    assert "There is no such bulletin" in text_of(await ed.ask("/who FRA-2026-9999"))
    assert "/who FRA-2026-0042" in text_of(await ed.ask("/who"))


async def test_stats_are_a_picture_that_a_withheld_bulletin_does_not_change(
    stage: BotStage, node: DirectNode
) -> None:
    now = instant(round(time.time() * 1000))
    await node.arrive(*(dated(each, now) for each in (THREAT, AMBER, RED)))
    ed = await stage.enrol("Ed")
    shown = await ed.ask("/stats")
    assert shown["photo"][0]["width"] == SIZE[0]
    assert shown["has_protected_content"]
    assert shown["caption"].startswith("📊 The last 12 weeks\n1 bulletin in all\n🟠 High 1\nThreat 1")
    await ed.press("Alpha", shown)
    there = await ed.next_message()
    assert there["caption"].startswith("📊 Alpha · The last 28 days\n1 bulletin in all")
    assert buttons(there) == ["📊 All communities"]
    lost = await ed.ask("/stats nowhere")
    assert "No community is called so." in text_of(lost)
    assert buttons(lost) == ["📊 Alpha"]
    ending = {each.message for each in await stage.state.outbox.ending(time.time() + 48 * 3600)}
    assert {shown["message_id"], there["message_id"]} <= ending
    await node.arrive(*(dated(each, NOW) for each in (THREAT, AMBER, RED)))
    assert "Nothing came in this time." in text_of(await ed.ask("/stats"))


async def test_in_another_chat_only_what_is_clear_is_offered_and_only_by_reference(
    tmp_path: Path, node: DirectNode
) -> None:
    clear = make_record(45, tlp="TLP:CLEAR", title="Clear word")
    gone = make_record(46, tlp="TLP:CLEAR").model_copy(update={"state": "retracted"})
    await node.arrive(clear, gone, THREAT, AMBER, RED)
    async with running_bot(tmp_path, node, inline=True) as stage:
        ed = await stage.enrol("Ed")
        answer = await ed.inline("fra 2026 45")
        (offered,) = answer["results"]
        assert (offered["id"], offered["title"]) == (clear.bulletin.id, "Clear word")
        assert offered["description"] == "FRA-2026-0045 · Elevated · Tactic"
        assert "Clear word" in offered["text"]
        assert (answer["is_personal"], answer["cache_time"]) == (True, 0)
        for typed in ("", "Clear word", "42", *(f"FRA-2026-00{each}" for each in (42, 43, 44, 46, 99))):
            assert (await ed.inline(typed))["results"] == []
        assert (await stage.person("Claire").inline("FRA-2026-0045"))["results"] == []
        acts = [each.act for each in await stage.state.audit.all() if each.act.verb == "inline"]
        assert [(each.object, each.outcome) for each in acts] == [("FRA-2026-0045", "full")]


async def test_an_alert_is_read_in_seconds_and_opened_in_place(stage: BotStage, node: DirectNode) -> None:
    ed = await stage.enrol("Ed")
    await everything(stage, ed)
    alert = await told(stage, node, ed, THREAT)
    assert text_of(alert).split("\n")[:2] == ["🟠 High · Threat · TLP:GREEN", "Drone over the stadium"]
    assert buttons(alert) == ["✔️ Acknowledge", "📖 Show more", "Français"]
    await ed.press("Français", alert)
    assert "Drone au-dessus du stade" in text_of(await ed.next_edit())
    await ed.press("Original beside it", alert)
    pair = text_of(await ed.next_edit())
    assert pair.index("Français, official translation from English") < pair.index(
        "English, the original text"
    )
    last = await ed.next_message(says("Great Games"))
    assert buttons(last) == ["✔️ Acknowledge", "◀️ Français alone", "English · original"]
    await ed.press("English", last)
    await ed.next_edit()
    await ed.press("Show more", last)
    assert "First paragraph." in text_of(await ed.next_edit())
    rest = await ed.next_message()
    assert text_of(rest).endswith("FRA-2026-0042 · Community: Alpha · France (FR-75)")


async def test_an_alert_comes_in_the_officers_language(stage: BotStage, node: DirectNode) -> None:
    claire = await stage.enrol("Claire")
    await everything(stage, claire)
    alert = await told(stage, node, claire, THREAT)
    assert "Drone au-dessus du stade" in text_of(alert)
    assert "Français, traduction officielle" in text_of(alert)


async def test_who_wrote_what_chat_withholds_is_not_told_that_it_waits(
    stage: BotStage, node: DirectNode
) -> None:
    ed, claire = await stage.enrol("Ed"), await stage.enrol("Claire")
    for each in (ed, claire):
        await everything(stage, each)
    writer = await stage.state.officers.by_person(ed.id)
    assert writer is not None
    own = {"drafter": f"officer-{writer.id}"}
    red = make_record(45, tlp="TLP:RED", **own).model_copy(update={"own": True})
    green = make_record(46, **own).model_copy(update={"own": True})
    await node.arrive(red, green)
    assert "FRA-2026-0045" in text_of(await claire.next_message())
    assert "FRA-2026-0046" in text_of(await ed.next_message()), "what chat shows, they see as readers do"


async def test_acknowledging_by_button_and_by_command(stage: BotStage, node: DirectNode) -> None:
    ed = await stage.enrol("Ed")
    await everything(stage, ed)
    alert = await told(stage, node, ed, THREAT)
    answer = await ed.press("Acknowledge", alert)
    assert "FRA-2026-0042 acknowledged." in answer["text"]
    assert buttons(await ed.next_edit())[0] == "✅ Acknowledged"
    assert "already" in text_of(await ed.ask("/ack fra 2026 42"))
    given = [each for each in node.api.records if each.bulletin.kind is Kind.ACKNOWLEDGEMENT]
    assert [each.bulletin.drafter for each in given] == ["officer-1"]
    assert "no such bulletin" in text_of(await ed.ask("/ack FRA-2026-9999"))
    assert "/ack FRA-2026-0042" in text_of(await ed.ask("/ack"))


async def test_a_private_acknowledgement_and_what_was_answered(stage: BotStage, node: DirectNode) -> None:
    ed = await stage.enrol("Ed")
    await node.arrive(make_record(42, title="To be answered"), RED)
    assert "FRA-2026-0042 acknowledged, to its originator alone." in text_of(
        await ed.ask("/ack FRA-2026-0042 private")
    )
    siem = ClientIdentity(name="siem", role=Role.PUBLISHER, ceiling=Tlp.RED)
    await node.api.replies.sight(siem, "FRA-2026-0042", "", "", regions=[], seen=None, private=False)
    assert "To be answered" in text_of(await ed.ask("/show FRA-2026-0042"))
    listed = text_of(await ed.next_message(says("What was answered to it")))
    assert "Sighted" in listed
    assert "Acknowledged" in listed
    assert listed.count("🔏") == 1
    (private,) = (each for each in node.api.records if "private" in each.flags)
    assert "Private: not sent to the community" in text_of(await ed.ask(f"/show {private.bulletin.ref}"))


async def test_latest_pages_and_keeps_above_the_ceiling_to_a_stub(stage: BotStage, node: DirectNode) -> None:
    await node.arrive(*(make_record(number) for number in range(1, 8)), AMBER, RED)
    ed = await stage.enrol("Ed")
    page = await ed.ask("/latest")
    text = text_of(page)
    assert "🔒 FRA-2026-0044 · on your agency's terminal" in text
    assert "FRA-2026-0043 · Tactic · TLP:AMBER · High" in text
    assert "secret" not in text
    await ed.press("More", page)
    second = await ed.next_message()
    assert "FRA-2026-0001" in text_of(second)
    assert "secret" not in text_of(second)
    assert (await ed.press("More", page))["text"] == "That was the last of them."


async def test_search_finds_counts_and_suggests_only_what_may_be_shown(
    stage: BotStage, node: DirectNode
) -> None:
    await node.arrive(THREAT, AMBER, RED)
    for record in (THREAT, AMBER, RED):
        await node.handled(record)
    ed = await stage.enrol("Ed")
    assert "1 bulletin found" in text_of(await ed.ask("/search drone"))
    for asked in ("/search secret", "/search amber", "/search sekret"):
        text = text_of(await ed.ask(asked))
        assert "Nothing found" in text
        assert "FRA-2026-004" not in text
        assert "Did you mean" not in text
    suggested = await ed.ask("/search drune")
    assert "Did you mean: drone" in text_of(suggested)
    await ed.press("🔎 drone", suggested)
    assert "1 bulletin found" in text_of(await ed.next_message())
    assert "/search drone stadium" in text_of(await ed.ask("/search"))
    assert "kind:cyber severity:high" in text_of(await ed.ask("/search kind:everything"))


async def test_a_search_is_narrowed_widened_and_kept(stage: BotStage, node: DirectNode) -> None:
    await node.arrive(THREAT, *(make_record(number, title=f"Drone {number}") for number in range(1, 8)), RED)
    ed = await stage.enrol("Ed")
    narrow = await ed.ask("/search kind:threat region:France severity:flash drone")
    assert "Nothing found." in text_of(narrow)
    assert buttons(narrow) == ["✖️ Threat", "✖️ from “FLASH” up", "✖️ France", "✖️ the words “drone”"]
    await ed.press("✖️ from “FLASH” up", narrow)
    found = await ed.next_message(says("1 bulletin found"))
    assert buttons(found) == [
        THREAT.bulletin.ref,
        "✖️ Threat",
        "✖️ France",
        "✖️ the words “drone”",
        "🔔 Subscribe to this",
    ]
    assert "Another search came after" in (await ed.press("✖️ France", narrow))["text"]
    await ed.press("✖️ Threat", found)
    found = await ed.next_message(says("1 bulletin found"))
    await ed.press("✖️ France", found)
    many = await ed.next_message(says("8 bulletins found"))
    await ed.press("More", many)
    assert "FRA-2026-0001" in text_of(await ed.next_message())
    await ed.press("Subscribe to this", many)
    menu = await ed.next_message(says("New subscription"))
    assert "all kinds · the words “drone”" in text_of(menu)
    for asked in (
        '/search event:"Secret games"',
        "/search kind:tactic secret",
        "/search severity:info secret",
    ):
        text = text_of(await ed.ask(asked))
        assert "Nothing found" in text
        assert "FRA-2026-0044" not in text


async def test_show_opens_what_may_be_shown_and_names_what_waits(stage: BotStage, node: DirectNode) -> None:
    await node.arrive(make_record(7, title="Open", body="All of it."), AMBER, RED)
    ed = await stage.enrol("Ed")
    assert "All of it." in text_of(await ed.ask("/show FRA-2026-0007"))
    amber = await ed.ask("/show fra-2026-0043")
    assert text_of(amber).startswith("🟠 High · Tactic · TLP:AMBER\nFRA-2026-0043")
    red = await ed.ask("/show FRA-2026-0044")
    assert text_of(red).startswith("🔒 A bulletin is waiting for you.\nFRA-2026-0044")
    assert "secret" not in text_of(amber) + text_of(red)
    assert "no such bulletin" in text_of(await ed.ask("/show FRA-2026-0001"))


async def test_digest_menu_zone_and_quiet_hours(stage: BotStage) -> None:
    ed = await stage.enrol("Ed")
    menu = await ed.ask("/digest")
    assert "Digest: off" in text_of(menu)
    await ed.press("Weekly", menu)
    assert "every week, Monday at 07:00" in text_of(await ed.next_edit())
    await ed.press("08:00", menu)
    await ed.next_edit()
    await ed.press("Fri", menu)
    assert "every week, Friday at 08:00" in text_of(await ed.next_edit())
    await ed.press("22:00–06:00", menu)
    assert "Quiet hours: 22:00–06:00" in text_of(await ed.next_edit())
    assert "every day at 07:30" in text_of(await ed.ask("/digest daily 07:30"))
    choice = await ed.ask("/digest zone Kazakhstan")
    assert "🕰 Almaty" in buttons(choice)
    await ed.press("🕰 Almaty", choice)
    assert "Time zone: Almaty (Asia/Almaty). It is " in text_of(await ed.next_edit())
    assert "Asia/Almaty" in text_of(await ed.ask("/digest zone Asia/Almaty"))
    assert "Quiet hours: none" in text_of(await ed.ask("/digest quiet off"))
    assert "/digest daily 07:30" in text_of(await ed.ask("/digest tomorrow"))
    menu = await pressed(ed, "No chart", menu)
    assert "✅ No chart" in buttons(menu)
    plans = await stage.state.officers.digests()
    assert [(each.schedule.cadence, each.schedule.minute, each.officer.zone.key) for each in plans] == [
        ("daily", 450, "Asia/Almaty")
    ]


async def test_language_changes_at_once(stage: BotStage) -> None:
    ed = await stage.enrol("Ed")
    menu = await ed.ask("/language")
    assert buttons(menu) == ["العربية", "中文", "✅ English", "Français", "Русский", "Español"]
    await ed.press("Русский", menu)
    assert "На каком языке" in text_of(await ed.next_edit())
    assert "Бюллетеней пока нет." in text_of(await ed.ask("/latest"))


async def test_plain_words_are_looked_for_and_whatever_is_no_command_is_answered(
    stage: BotStage, node: DirectNode
) -> None:
    ed = await stage.enrol("Ed")
    await node.arrive(*(make_record(each, title=f"Seals {each}", tlp="TLP:GREEN") for each in range(1, 7)))
    shown = await ed.ask("seals")
    assert "6 bulletins found" in text_of(shown)
    await ed.press("More", shown)
    assert "Seals 1" in text_of(await ed.next_message())
    assert "Seals 3" in text_of(await ed.ask("fra 2026 3"))
    assert "/help" in text_of(await ed.ask("hello"))
    assert "/help" in text_of(await ed.ask("/nonsense"))


async def test_a_node_that_does_not_answer_is_named(tmp_path: Path) -> None:
    class Away(DirectNode):
        async def communities(self) -> list[Community]:
            raise OperationError(Code.NODE_UNREACHABLE, "no answer")

    async with running_bot(tmp_path, Away()) as stage:
        ed = await stage.enrol("Ed")
        assert "(node_unreachable)" in text_of(await ed.ask("/subscribe"))


async def test_what_is_withheld_opens_in_the_reading_room(tmp_path: Path, node: DirectNode) -> None:
    async with running_bot(tmp_path, node, room_origin="https://room.example") as stage:
        ed = await stage.enrol("Ed")
        await everything(stage, ed)
        assert "/room" in text_of(await ed.ask("/help"))
        await node.arrive(RED)
        told_of = await ed.next_message(says(RED.bulletin.ref))
        assert told_of["reply_markup"]["inline_keyboard"][0] == [
            {
                "text": "🔓 Read in the reading room",
                "web_app": {"url": "https://room.example/app/FRA-2026-0044?in=en"},
            }
        ]
        await ed.press("Acknowledge", told_of)
        assert buttons(await ed.next_edit())[0] == "🔓 Read in the reading room"
        asked = await ed.ask("/room fra-2026-44")
        (link,) = asked["reply_markup"]["inline_keyboard"][0]
        code = link["url"].removeprefix("https://room.example/in/").removesuffix("?in=en")
        officer = await stage.state.officers.by_person(ed.id)
        assert officer is not None
        redeemed = await stage.state.room.redeem(code, time.time())
        assert redeemed == Redeemed(officer.id, "chat", "FRA-2026-0044")
        assert await stage.state.room.redeem(code, time.time()) is None


async def test_without_a_reading_room_nobody_is_sent_to_one(stage: BotStage, node: DirectNode) -> None:
    ed = await stage.enrol("Ed")
    assert "/room" not in text_of(await ed.ask("/help"))
    assert "no reading room" in text_of(await ed.ask("/room"))


async def test_public_lists_with_what_was_seen_of_them(tmp_path: Path, node: DirectNode) -> None:
    listed = tmp_path / "list.xml"
    listed.write_bytes(un_xml(*SAMPLE))
    subjects = [{"type": "person", "name": "Karim T.", "reference": "QDi.001"}]
    tactics = [{"taxonomy": "mitre-attack", "id": "T1566.001"}]
    for number in range(1, 9):
        await node.arrive(make_record(number, title=f"Letter {number}", tactics=tactics, subjects=subjects))
    await node.arrive(
        make_record(9, tlp="TLP:AMBER", title="Amber letter", tactics=tactics, subjects=subjects)
    )
    async with running_bot(tmp_path / "bot", node, un_list=listed) as stage:
        ed = await stage.enrol("Ed")
        shown = await ed.ask("/tactic t1566")
        assert "T1566 Phishing" in text_of(shown)
        assert "Seen here in 8 bulletins." in text_of(shown), "what is withheld is not counted"
        await ed.press("Show where it was seen", shown)
        seen = await ed.next_message(says("Letter 8"))
        assert "Amber" not in text_of(seen)
        await ed.press("FRA-2026-0008", seen)
        assert "Alpha" in text_of(await ed.next_message(says("Letter 8")))
        await ed.press("More", seen)
        assert "Letter 1" in text_of(await ed.next_message(says("Letter 3")))
        await ed.press("T1566.002", shown)
        assert "Not seen here." in text_of(await ed.next_message(says("Spearphishing Link")))
        for typed, told in {
            "/tactic phishing": "Others of this name:",
            "/tactic phish": "👁 seen here: 8",
            "/tactic flood information": "T0049",
            "/tactic xyzzy plugh": "No technique",
            "/tactic": "/tactic T1566",
            "/like fra-2026-0001": "More like FRA-2026-0001",
            "/like FRA-2026-0009": "FRA-2026-0009 is withheld from chat",
            "/like FRA-2026-0999": "no such bulletin",
            "/like": "/like FRA-2026-0042",
        }.items():
            said = text_of(await ed.ask(typed))
            assert told in said
            assert "Amber" not in said

        hits = await ed.ask("/subject Карим Тестоф 1971")
        assert "1 possible match" in text_of(hits)
        assert "UN Consolidated List of Feb 27, 2026" in text_of(hits)
        assert "A possible match is no identification." in text_of(hits)
        assert "another script" in text_of(hits)
        await ed.press("QDi.001", hits)
        entry = await ed.next_message(says("Also called"))
        assert "Seen here in 8 bulletins." in text_of(entry)
        await ed.press("Show where it was seen", entry)
        assert "Amber" not in text_of(await ed.next_message(says("Seen here: QDi.001")))
        for typed, told in {
            "/subject qdi.001": "KARIM TESTOV AL-MITHAL",
            "/subject QDi.777": "QDi.777 is not on this list",
            "/subject Marie Dupont": "That clears nobody",
        }.items():
            assert told in text_of(await ed.ask(typed))

        fresh = tmp_path / "fresh.xml"
        fresh.write_bytes(un_xml(*SAMPLE[1:], made="2026-03-01"))
        fresh.replace(listed)
        state = text_of(await ed.ask("/subject"))
        assert "UN Consolidated List of Mar 1, 2026" in state
        assert "0 added, 1 removed, 0 changed" in state
        assert "the chat service reads whom you look for" in state
        listed.unlink()
        assert "No UN list is loaded here." in text_of(await ed.ask("/subject Karim"))
