"""Administration in chat, over the real sandbox: roles, a lost phone, the audit, the ceiling."""

import json
import time
from pathlib import Path
from typing import Any

import aiohttp

from bots.officers.audit import Act
from bots.officers.roles import Role
from bots.sandbox.client import SandboxUser
from bots.searches.watching import Search
from bots.state.staff import InChat
from tests.support.node import DirectNode
from tests.support.node_api import make_record
from tests.support.officers_bot import BotStage, buttons, pressed, running_bot, says, text_of
from tests.support.world import eventually

THREAT = make_record(42, kind="threat", severity="high", title="Drone over the stadium")


async def told(stage: BotStage, person: SandboxUser) -> None:
    officer = await stage.state.officers.by_person(person.id)
    assert officer is not None
    await stage.state.officers.subscribe(officer.id, Search())


async def empty(person: SandboxUser) -> bool:
    """Whether nothing is left in a chat, whoever wrote it."""
    return all(each.get("deleted") for each in await person.transcript())


async def in_chat(stage: BotStage, name: str) -> InChat:
    """What the bot knows to be there."""
    officer = await stage.state.officers.by_name(name)
    assert officer is not None
    return await stage.state.staff.in_chat(officer.id, 0.0)


async def test_roles_a_lost_phone_and_a_removal(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        ed, claire = await stage.enrol("Ed", administrator=True), await stage.enrol("Claire")
        await told(stage, claire)
        await node.arrive(THREAT)
        await claire.next_message(says("FRA-2026-0042"))
        await claire.ask("/subject Mohammed")
        menu = await claire.ask("/language")
        await pressed(claire, "Français", await pressed(claire, "English", menu))

        async def known_to_be_there() -> bool:
            return await in_chat(stage, "Claire") == InChat(young=len(await claire.transcript()))

        await eventually(known_to_be_there)
        assert len(await claire.transcript()) == 7

        await ed.press("Claire", await ed.ask("/officers"))
        page = await ed.next_edit(says("Reads, searches and acknowledges."))
        assert buttons(page)[:4] == ["✅ Reader", "Drafter", "Releaser", "Administrator"]
        await ed.press("Drafter", page)
        assert "writes drafts" in text_of(await ed.next_edit())
        known = await stage.state.officers.by_name("claire")
        assert known and known.role is Role.DRAFTER  # noqa: PT018 - one look
        await claire.next_message(says("/help énumère ce que vous pouvez faire maintenant."))

        await ed.press("Claire", await ed.ask("/lost"))
        sure = await ed.next_edit(says("Shut out the phone of Claire?"))
        assert "8 messages can still be deleted there." in text_of(sure)
        await ed.press("Yes, shut it out", sure)
        shut = await ed.next_message(says("The phone of Claire is shut out"))
        assert "1 bulletin had been shown" in text_of(shut)
        assert "8 messages are taken back" in text_of(shut)
        assert "about 1 second; you are told when it is done" in text_of(shut)
        code = text_of(await ed.next_message(says("/start "))).split("/start ")[1].split()[0]
        await eventually(lambda: empty(claire))
        done = await ed.next_message(says("Done: what was in the chat of Claire is taken back."))
        await ed.press("What that phone had shown", done)
        seen = text_of(await ed.next_message(says("What Claire has seen: 1 bulletin\n")))
        assert seen.startswith("📵 Since that phone was enrolled, from ")
        assert "What was shown earlier too:\n/audit Claire\n\n" in seen
        assert "privé" in text_of(await claire.ask("/latest"))
        await ed.next_message(says("The phone of Claire, which was shut out, still writes"))
        await eventually(lambda: empty(claire))
        assert "Bienvenue" in text_of(await claire.ask(f"/start {code}"))
        again = await stage.state.officers.by_name("Claire")
        assert again is not None
        assert (again.id, again.role, again.chat) == (known.id, Role.DRAFTER, claire.chat_id)
        assert len(await stage.state.officers.subscriptions(again.id)) == 1

        await ed.press("Claire", await ed.ask("/officers"))
        await ed.press("Remove", await ed.next_edit(says("writes drafts")))
        await ed.press("Yes, remove", await ed.next_edit(says("Remove Claire?")))
        assert "Claire is removed." in text_of(await ed.next_edit(says("is removed")))
        assert await stage.state.officers.by_name("Claire") is None
        await ed.next_message(says("Done: what was in the chat of Claire is taken back."))
        assert "What Claire has seen" in text_of(await ed.ask("/audit claire"))


async def test_the_last_administrator_is_told_what_to_do(tmp_path: Path) -> None:
    async with running_bot(tmp_path, DirectNode()) as stage:
        ed = await stage.enrol("Ed", administrator=True)
        irina = await stage.enrol("Irina")
        for command in ("/lost Ed", "/lost Ed now"):
            assert "liaison-bot officer lost Ed" in text_of(await ed.ask(command))
        await ed.press("Ed", await ed.ask("/officers"))
        page = await ed.next_edit(says("May do everything"))
        await ed.press("Reader", page)
        refused = text_of(await ed.next_edit(says("(forbidden)")))
        assert "Make another administrator first." in refused
        assert "There is no officer of that name" in text_of(await ed.ask("/lost Nobody"))
        for command in ("/officers", "/lost Ed", "/audit", "/ceiling", "/invite Mallory"):
            assert "Это не команда" in text_of(await irina.ask(command))
        assert len(await stage.state.officers.all()) == 2
        outcomes = [each.act.outcome for each in await stage.state.audit.all()]
        assert outcomes.count("forbidden") == 8


async def test_the_audit_in_chat_and_a_ceiling_that_is_lowered(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        ed = await stage.enrol("Ed", administrator=True)
        await told(stage, ed)
        await node.arrive(THREAT)
        alert = await ed.next_message(says("FRA-2026-0042"))
        await ed.ask("/show FRA-2026-0042")
        listed = await ed.ask("/audit FRA-2026-0042")
        assert "Ed · /show · FRA-2026-0042 · seen in full" in text_of(listed)
        assert "Ed · an alert · FRA-2026-0042 · seen in full" in text_of(listed)
        assert "Drone" not in text_of(listed)
        about_ed = await ed.ask("/audit Ed")
        seen = text_of(about_ed).split("\n")
        assert seen[:5] == [
            "🧾 What Ed has seen: 1 bulletin",
            "👁 seen in full: 1",
            "Of those seen in full:",
            "🔈 TLP:GREEN: 1",
            "🏷 Threat: 1",
        ]
        assert seen[5].startswith("🕒 first ")
        await ed.press("📄 These as a file", about_ed)
        part = await ed.next_message(lambda each: "document" in each)
        assert part["caption"].startswith("Who saw and did what · Ed\nAn excerpt: ")
        assert {json.loads(line)["name"] for line in await _content(stage, part)} == {"Ed"}
        assert "neither a reference nor an officer" in text_of(await ed.ask("/audit somebody else"))
        await _each_its_own(stage, ed, about_ed)

        await ed.send("/handover")
        await ed.next_message(says("Hand-over of the last 12 hours"))
        assert "👉 Ed · Digest · FRA-2026-0042 · " in text_of(await ed.ask("/audit FRA-2026-0042"))

        await ed.send("/audit export")
        sent = await ed.next_message(lambda each: "document" in each)
        assert sent["document"]["file_name"].endswith(".jsonl")
        lines = [json.loads(line) for line in await _content(stage, sent)]
        assert [each["number"] for each in lines] == list(range(1, len(lines) + 1))
        assert {"alert", "/show", "/audit"} <= {each["verb"] for each in lines}

        await ed.press("⬇️ Lower to TLP:CLEAR", await ed.ask("/ceiling"))
        lowered = text_of(await ed.next_edit(says("Lowered.")))
        assert "In full: up to TLP:CLEAR" in lowered
        assert "liaison-bot ceiling --restore" in lowered
        stub = await ed.next_edit(lambda each: each["message_id"] == alert["message_id"])
        assert "Drone" not in text_of(stub)
        assert "Drone" not in text_of(await ed.ask("/show FRA-2026-0042"))
        assert await stage.state.audit.verify() is None


async def _each_its_own(stage: BotStage, ed: SandboxUser, about_ed: dict[str, Any]) -> None:
    """Buttons of a list tell of whom or what that list tells, not what was asked last."""
    acts = [Act(None, name, "telegram", "/help") for name in ("Ed", "Petra M.", "Petra K.")] * 9
    await stage.state.audit.write(acts, time.time())
    for name in ("Petra M.", "Petra K."):  # who were invited and were never here
        await stage.state.officers.invite(name, Role.READER, code=name, expires=9, zone="UTC", now=1)
    which = await ed.ask("/audit petra")
    assert "Whom do you mean?" in text_of(which)
    assert buttons(which) == ["👤 Petra M.", "👤 Petra K."]
    await ed.press("👤 Petra M.", which)
    petra = await ed.next_message(says("Who saw and did what · Petra M."))
    about_all = await ed.ask("/audit")
    assert text_of(about_all).startswith("🧾 Who saw and did what\n")
    await ed.press("Older", petra)
    older = await ed.next_message(says("Who saw and did what · Petra M."))
    assert "Petra K." not in text_of(older)
    assert "Ed" not in text_of(older)
    assert buttons(older) == ["📄 These as a file"]
    await ed.ask("/audit petra k")
    for message, caption in ((petra, " · Petra M.\n"), (about_ed, " · Ed\n")):
        await ed.press("📄 These as a file", message)
        part = await ed.next_message(lambda each: "document" in each)
        assert part["caption"].startswith("Who saw and did what" + caption)
    await ed.press("Older", about_all)
    assert text_of(await ed.next_message(says("Who saw and did what"))).startswith(
        "🧾 Who saw and did what\n"
    )


async def _content(stage: BotStage, message: dict[str, Any]) -> list[str]:
    from bots.doors.telegram.outbound import open_bot  # noqa: PLC0415 - it takes seconds

    bot = open_bot(stage.settings.secret_token(), stage.settings.api_url)
    try:
        file = await bot.get_file(message["document"]["file_id"])
        url = bot.session.api.file_url(bot.token, file.file_path or "")
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return (await answer.text()).splitlines()
    finally:
        await bot.session.close()
