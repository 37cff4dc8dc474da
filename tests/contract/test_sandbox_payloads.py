"""What the sandbox answers is what aiogram's own models accept, method by method, over real HTTP."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator

import pytest

from tests.support.sandbox import Stage, dumped, png, staged


@pytest.fixture(scope="module", autouse=True)
def types() -> object:
    return importlib.import_module("aiogram.types")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as ready:
        yield ready


async def test_get_me(stage: Stage) -> None:
    me = await stage.bot.get_me()
    assert me.is_bot
    assert me.id == stage.sandbox.bots[0].id
    assert me.username == "liaison_sandbox_bot"


async def test_text_with_html_keeps_its_entities_in_utf16_units(stage: Stage) -> None:
    sent = await stage.bot.send_message(
        stage.amina.chat_id, "😀 <b>عاجل</b> &amp; <i>now</i>", parse_mode="HTML"
    )
    assert sent.text == "😀 عاجل & now"
    assert [(e.type, e.offset, e.length) for e in sent.entities or []] == [("bold", 3, 4), ("italic", 10, 3)]
    assert sent.html_text == "😀 <b>عاجل</b> &amp; <i>now</i>"


async def test_formatting_nodes_need_no_parse_mode(stage: Stage) -> None:
    formatting = importlib.import_module("aiogram.utils.formatting")
    content = formatting.Text(
        "Ref ", formatting.Code("A<1>"), " ", formatting.TextLink("site", url="https://example.org/x")
    )
    sent = await stage.bot.send_message(stage.amina.chat_id, **content.as_kwargs())
    assert [(e.type, e.url) for e in sent.entities or []] == [
        ("code", None),
        ("text_link", "https://example.org/x"),
    ]


async def test_flags_are_kept_and_echoed(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    sent = await stage.bot.send_message(
        stage.amina.chat_id,
        "https://example.org/x",
        protect_content=True,
        disable_notification=True,
        link_preview_options=types.LinkPreviewOptions(is_disabled=True),
    )
    assert sent.has_protected_content is True
    assert sent.link_preview_options.is_disabled is True
    (kept,) = [each for each in await stage.amina.transcript() if each["from_bot"]]
    assert kept["silent"] is True


async def test_only_an_inline_keyboard_is_echoed(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    inline = types.InlineKeyboardMarkup(
        inline_keyboard=[[types.InlineKeyboardButton(text="ok", callback_data="k")]]
    )
    plain = types.ReplyKeyboardMarkup(keyboard=[[types.KeyboardButton(text="yes")]])
    first = await stage.bot.send_message(stage.amina.chat_id, "one", reply_markup=inline)
    second = await stage.bot.send_message(stage.amina.chat_id, "two", reply_markup=plain)
    assert dumped(first.reply_markup) == dumped(inline)
    assert second.reply_markup is None
    assert stage.sandbox.world.chats[stage.amina.chat_id].keyboard == [["yes"]]
    await stage.bot.send_message(stage.amina.chat_id, "three", reply_markup=types.ReplyKeyboardRemove())
    assert stage.sandbox.world.chats[stage.amina.chat_id].keyboard == []


async def test_a_reply_carries_the_message_it_answers(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    asked = await stage.amina.send("a question")
    sent = await stage.bot.send_message(
        stage.amina.chat_id,
        "an answer",
        reply_parameters=types.ReplyParameters(message_id=asked["message_id"]),
    )
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "a question"


async def test_document_upload_and_download(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    content = "résumé,نشرة\n".encode()
    sent = await stage.bot.send_document(
        stage.amina.chat_id,
        types.BufferedInputFile(content, "bulletin نشرة.csv"),
        caption="<b>c</b>",
        parse_mode="HTML",
    )
    assert sent.caption == "c"
    assert (sent.document.file_name, sent.document.file_size) == ("bulletin نشرة.csv", len(content))
    again = await stage.bot.send_document(stage.claire.chat_id, sent.document.file_id)
    assert again.document.file_unique_id == sent.document.file_unique_id
    described = await stage.bot.get_file(sent.document.file_id)
    received = await stage.bot.download_file(described.file_path)
    assert received.read() == content


async def test_a_persons_document_reaches_the_bot(stage: Stage) -> None:
    await stage.amina.upload("list.txt", b"one\ntwo\n", "my list")
    (update,) = await stage.bot.get_updates(timeout=5)
    assert update.message.caption == "my list"
    received = await stage.bot.download(update.message.document)
    assert received.read() == b"one\ntwo\n"


async def test_photo_has_its_size(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    sent = await stage.bot.send_photo(
        stage.amina.chat_id, types.BufferedInputFile(png(40, 30), "p.png"), caption="map"
    )
    assert [(size.width, size.height) for size in sent.photo] == [(40, 30)]


async def test_edits(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    inline = types.InlineKeyboardMarkup(
        inline_keyboard=[[types.InlineKeyboardButton(text="ok", callback_data="k")]]
    )
    sent = await stage.bot.send_message(stage.amina.chat_id, "draft", reply_markup=inline)
    stage.clock.advance(5)
    edited = await sent.edit_text("<b>final</b>", parse_mode="HTML")
    assert (edited.text, edited.edit_date, edited.reply_markup) == ("final", int(stage.clock()), None)
    marked = await sent.edit_reply_markup(reply_markup=inline)
    assert dumped(marked.reply_markup) == dumped(inline)
    picture = await stage.bot.send_photo(
        stage.amina.chat_id, types.BufferedInputFile(png(), "p.png"), caption="a"
    )
    assert (await picture.edit_caption(caption="b")).caption == "b"


async def test_delete_one_and_many(stage: Stage) -> None:
    sent = [await stage.bot.send_message(stage.amina.chat_id, f"m{number}") for number in range(3)]
    assert await sent[0].delete() is True
    ids = [message.message_id for message in sent]
    assert await stage.bot.delete_messages(stage.amina.chat_id, ids) is True
    kept = [each["deleted"] for each in await stage.amina.transcript() if each["from_bot"]]
    assert kept == [True, True, True]


async def test_message_update(stage: Stage) -> None:
    await stage.amina.send("/start K7f-Q2m_x9")
    (update,) = await stage.bot.get_updates(timeout=5)
    assert update.message.text == "/start K7f-Q2m_x9"
    assert update.message.from_user.language_code == "ar"
    assert [(e.type, e.offset, e.length) for e in update.message.entities] == [("bot_command", 0, 6)]


async def test_inline_query_update_and_its_answer(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    text = "FRA-2026-0042"
    typed = await stage.client.act("inline", chat=stage.amina.chat_id, text=text)
    (update,) = await stage.bot.get_updates(allowed_updates=["inline_query"])
    query = update.inline_query
    assert (query.id, query.query, query.from_user.id) == (typed["query_id"], text, stage.amina.id)
    content = types.InputTextMessageContent(message_text="<b>now</b>", parse_mode="HTML")
    result = types.InlineQueryResultArticle(id="1", title="T", description="D", input_message_content=content)
    assert await stage.bot.answer_inline_query(query.id, [result], cache_time=0, is_personal=True) is True


async def test_callback_query_update_and_its_answer(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    inline = types.InlineKeyboardMarkup(
        inline_keyboard=[[types.InlineKeyboardButton(text="ok", callback_data="k:1")]]
    )
    sent = await stage.bot.send_message(stage.amina.chat_id, "?", reply_markup=inline)
    await stage.amina.next_message()
    await stage.amina.press("ok", answered=False)
    (update,) = await stage.bot.get_updates(timeout=5)
    query = update.callback_query
    assert (query.data, query.message.message_id, query.from_user.id) == (
        "k:1",
        sent.message_id,
        stage.amina.id,
    )
    assert await stage.bot.answer_callback_query(query.id, "noted", show_alert=True) is True


async def test_membership_update(stage: Stage) -> None:
    await stage.amina.block()
    await stage.amina.unblock()
    blocked, unblocked = await stage.bot.get_updates(timeout=5)
    assert blocked.my_chat_member.new_chat_member.status == "kicked"
    assert unblocked.my_chat_member.new_chat_member.status == "member"
    assert unblocked.my_chat_member.old_chat_member.status == "kicked"


async def test_group_messages_and_migration(stage: Stage) -> None:
    group = await stage.client.add_group("Border desk", [stage.amina, stage.claire])
    sent = await stage.bot.send_message(group.chat_id, "hello all")
    assert sent.chat.type == "group"
    await stage.client.act("migrate", chat=group.chat_id)
    old, new = await stage.bot.get_updates(timeout=5)
    assert old.message.migrate_to_chat_id == new.message.chat.id
    assert new.message.migrate_from_chat_id == group.chat_id
    assert (await stage.bot.get_chat(new.message.chat.id)).type == "supergroup"


async def test_commands_by_language_and_scope(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    english = [types.BotCommand(command="help", description="Help")]
    arabic = [types.BotCommand(command="help", description="مساعدة")]
    own = types.BotCommandScopeChat(chat_id=stage.claire.chat_id)
    await stage.bot.set_my_commands(english)
    await stage.bot.set_my_commands(arabic, language_code="ar")
    await stage.bot.set_my_commands(arabic, scope=own)
    assert dumped(await stage.bot.get_my_commands()) == dumped(english)
    assert dumped(await stage.bot.get_my_commands(language_code="ar")) == dumped(arabic)
    assert dumped(await stage.bot.get_my_commands(scope=own)) == dumped(arabic)
    asked = {"chat": stage.amina.chat_id, "user": stage.amina.id}
    assert (await stage.client.act("commands", language="ar", **asked))[0]["description"] == "مساعدة"
    assert (await stage.client.act("commands", language="fr", **asked))[0]["description"] == "Help"
    await stage.bot.delete_my_commands(scope=own)
    assert await stage.bot.get_my_commands(scope=own) == []


async def test_descriptions_and_menu_button(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    assert await stage.bot.set_my_description("Bulletins", language_code="en")
    assert await stage.bot.set_my_short_description("Short")
    assert (await stage.bot.get_my_description(language_code="en")).description == "Bulletins"
    assert (await stage.bot.get_my_short_description()).short_description == "Short"
    assert await stage.bot.set_chat_menu_button(menu_button=types.MenuButtonCommands())
    assert (await stage.bot.get_chat_menu_button()).type == "commands"


async def test_chat_and_member(stage: Stage) -> None:
    chat = await stage.bot.get_chat(stage.amina.chat_id)
    assert (chat.type, chat.first_name) == ("private", "Amina")
    assert (await stage.bot.get_chat_member(stage.amina.chat_id, stage.amina.id)).status == "member"
    assert (await stage.bot.get_chat_member(stage.amina.chat_id, stage.bot.id)).status == "member"
    assert (await stage.bot.get_chat_member(stage.amina.chat_id, stage.claire.id)).status == "left"


async def test_chat_action(stage: Stage) -> None:
    assert await stage.bot.send_chat_action(stage.amina.chat_id, "typing") is True


async def test_webhook_info_without_a_webhook(stage: Stage) -> None:
    await stage.amina.send("one")
    info = await stage.bot.get_webhook_info()
    assert (info.url, info.pending_update_count) == ("", 1)
