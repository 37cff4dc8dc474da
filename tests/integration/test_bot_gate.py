"""Who gets past the gate: over real HTTP, from a stranger's and an officer's side."""

from pathlib import Path

from bots.showing.rendered import Button, Part
from tests.support.node import DirectNode
from tests.support.node_api import make_record
from tests.support.officers_bot import BotStage, invite, running_bot, says, text_of


async def said_to(stage: BotStage, name: str, *texts: str) -> list[str]:
    """All that the bot says to a stranger for these: everything before the welcome that a good code gets.

    One person's messages are handled in their order.
    """
    person = stage.person(name)
    before = set(person.messages)
    for text in texts:
        await person.send(text)
    await person.send(f"/start {await invite(stage.state, name)}")
    await person.next_message(says(name))
    new = [each for key, each in person.messages.items() if key not in before and each["from_bot"]]
    return [str(each["text"]) for each in new[:-1]]


async def test_a_stranger_is_refused_once_in_their_language_and_told_nothing_else(tmp_path: Path) -> None:
    node = DirectNode()
    await node.arrive(make_record(42, title="Hidden"))
    async with running_bot(tmp_path, node) as stage:
        asked = ("/latest", "/start", "/show FRA-2026-0042", "bonjour", "/help", "/search Hidden")
        french = await said_to(stage, "Claire", *asked)
        assert [text.split(".")[0] for text in french] == ["Ce service est privé"]
        arabic = await said_to(stage, "Amina", "/help")
        assert len(arabic) == 1
        assert "هذه خدمة خاصة" in arabic[0]


async def test_a_wrong_a_spent_and_an_expired_code_are_refused_alike(tmp_path: Path) -> None:
    async with running_bot(tmp_path, DirectNode()) as stage:
        spent = await invite(stage.state, "First")
        await stage.person("Irina").ask(f"/start {spent}")
        late = await invite(stage.state, "Late", hours=-1.0)
        for name, wrong in (("Claire", "x" * 32), ("Amina", spent), ("Ed", late)):
            assert len(await said_to(stage, name, f"/start {wrong}")) == 1
        assert {each.name for each in await stage.state.officers.all() if each.chat is None} == {"Late"}


async def test_an_administrator_invites_and_the_officer_enrols(tmp_path: Path) -> None:
    async with running_bot(tmp_path, DirectNode()) as stage:
        admin = await stage.enrol("Ed", administrator=True)
        invitation = text_of(await admin.ask("/invite Claire D."))
        assert "Invitation for Claire D." in invitation
        code = invitation.split("/start ")[1].split()[0]
        assert f"start={code}" in invitation
        claire = stage.person("Claire")
        assert "Bienvenue, Claire D." in text_of(await claire.ask(f"/start {code}"))
        assert "Bienvenue" in text_of(await claire.ask("/start"))
        commands = await stage.client.act("commands", chat=admin.chat_id, user=admin.id, language="en")
        assert "invite" in str(commands)


async def test_only_administrators_invite(tmp_path: Path) -> None:
    async with running_bot(tmp_path, DirectNode()) as stage:
        officer = await stage.enrol("Ed")
        assert "not a command" in text_of(await officer.ask("/invite Mallory"))
        assert [each.name for each in await stage.state.officers.all()] == ["Ed"]


async def test_a_removed_officer_is_a_stranger_at_once(tmp_path: Path) -> None:
    async with running_bot(tmp_path, DirectNode()) as stage:
        await stage.enrol("Ed", administrator=True)
        claire = await stage.enrol("Claire")
        officer = await stage.state.officers.by_person(claire.id)
        assert officer is not None
        await stage.state.staff.remove(officer.id)
        assert "privé" in text_of(await claire.ask("/latest"))


async def test_the_bot_says_nothing_in_groups(tmp_path: Path) -> None:
    async with running_bot(tmp_path, DirectNode()) as stage:
        ed = await stage.enrol("Ed")
        group = await stage.client.add_group("Group", [ed, stage.person("Claire")])
        await group.send("/latest")
        await ed.ask("/help")
        assert not [each for each in group.messages.values() if each["from_bot"]]


FORGED = (
    "sub:tk:nonsense",
    "sub",
    "mine:pause:99",
    "more:zz:fr",
    "ack:" + "0" * 32,
    "x",
    "dig:at:99999",
    "say:zz",
)


async def test_forged_and_outlived_buttons_are_answered_and_do_nothing(tmp_path: Path) -> None:
    from bots.doors.telegram.outbound import TelegramChat, open_bot  # noqa: PLC0415 - it takes seconds

    async with running_bot(tmp_path, DirectNode()) as stage:
        ed = await stage.enrol("Ed")
        bot = open_bot(stage.settings.secret_token(), stage.settings.api_url)
        chat = TelegramChat(bot)
        for data in FORGED:
            rows = ((Button("Press", data),),)
            await chat.send(ed.chat_id, Part(data, data), rows=rows, protect=True, silent=True, reply_to=None)
            message = await ed.next_message(says(data))
            assert "query_id" in await ed.press("Press", message)
        await bot.session.close()
        assert await stage.state.officers.subscriptions() == []
        assert await stage.state.officers.digests() == []


async def test_who_asks_too_fast_is_told_once(tmp_path: Path) -> None:
    async with running_bot(tmp_path, DirectNode(), asking_rate=0.01, asking_burst=3) as stage:
        await stage.enrol("Ed")
        claire = await stage.enrol("Claire")
        for _ in range(6):
            await claire.send("/help")
        await claire.next_message(says("trop de demandes"))
        told = [each for each in claire.messages.values() if each["from_bot"] and "trop" in each["text"]]
        assert len(told) == 1
