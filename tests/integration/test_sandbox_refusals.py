"""Each refusal of the sandbox once, over real HTTP: the status, words and parameters of the real service."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bots.sandbox.limits import Limits, Rate
from bots.sandbox.media import MAX_PHOTO, MAX_UPLOAD
from bots.sandbox.model import Chat, ChatKind, Standing, User
from bots.sandbox.refusals import REFUSALS
from tests.support.sandbox import Stage, call, png, staged

ONE_BUTTON = {"inline_keyboard": [[{"text": "ok", "callback_data": "k"}]]}
DAYS = 24 * 3600


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as ready:
        yield ready


# ---------------------------------------------------------------------- refusals that need no story

Situation = Callable[[Stage], Awaitable[dict[str, Any]]]


async def amina(stage: Stage) -> dict[str, Any]:
    return {"chat_id": stage.amina.chat_id}


async def sent(stage: Stage) -> dict[str, Any]:
    message = await stage.bot.send_message(stage.amina.chat_id, "text")
    return {"chat_id": stage.amina.chat_id, "message_id": message.message_id}


async def written(stage: Stage) -> dict[str, Any]:
    message = await stage.amina.send("mine")
    return {"chat_id": stage.amina.chat_id, "message_id": message["message_id"]}


async def pictured(stage: Stage) -> dict[str, Any]:
    _, answer = await call(stage, "sendPhoto", chat_id=stage.amina.chat_id, photo=png())
    return {"chat_id": stage.amina.chat_id, "message_id": answer["result"]["message_id"]}


async def old(stage: Stage) -> dict[str, Any]:
    there = await sent(stage)
    stage.clock.advance(2 * DAYS + 1)
    return there


async def blocked(stage: Stage) -> dict[str, Any]:
    await stage.amina.block()
    return await amina(stage)


async def deactivated(stage: Stage) -> dict[str, Any]:
    await stage.client.act("deactivate", chat=stage.amina.chat_id)
    return await amina(stage)


async def deleted(stage: Stage) -> dict[str, Any]:
    await stage.client.act("delete-chat", chat=stage.amina.chat_id)
    return await amina(stage)


async def never_started(stage: Stage) -> dict[str, Any]:
    return {"chat_id": (await stage.client.add_user("Ivan", "ru")).chat_id}


async def met_in_a_group(stage: Stage) -> dict[str, Any]:
    ivan = await stage.client.add_user("Ivan", "ru")
    await stage.client.add_group("Desk", [ivan, stage.amina])
    return {"chat_id": ivan.chat_id}


async def in_group(stage: Stage, action: str) -> dict[str, Any]:
    group = await stage.client.add_group("Desk", [stage.amina, stage.claire])
    await stage.client.act(action, chat=group.chat_id, user=stage.amina.id)
    return {"chat_id": group.chat_id}


async def pressed(stage: Stage) -> dict[str, Any]:
    await call(stage, "sendMessage", chat_id=stage.amina.chat_id, text="?", reply_markup=ONE_BUTTON)
    message = await stage.amina.next_message()
    asked = {"chat": stage.amina.chat_id, "message": message["message_id"], "data": "k"}
    return {"callback_query_id": (await stage.client.act("press", **asked))["query_id"]}


async def pressed_long_ago(stage: Stage) -> dict[str, Any]:
    query = await pressed(stage)
    stage.clock.advance(61)
    return query


async def typed(stage: Stage) -> dict[str, Any]:
    asked = await stage.client.act("inline", chat=stage.amina.chat_id, text="FRA-2026-0042")
    return {"inline_query_id": asked["query_id"]}


async def typed_long_ago(stage: Stage) -> dict[str, Any]:
    query = await typed(stage)
    stage.clock.advance(61)
    return query


async def answered(stage: Stage) -> dict[str, Any]:
    query = await pressed(stage)
    await call(stage, "answerCallbackQuery", **query)
    return query


async def nowhere(_stage: Stage) -> dict[str, Any]:
    return {}


async def with_webhook(stage: Stage) -> dict[str, Any]:
    assert (await call(stage, "setWebhook", url="http://127.0.0.1:9/hook"))[0] == 200
    return {}


@dataclass(frozen=True)
class Case:
    refusal: str
    method: str
    situation: Situation
    fields: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def keyboard(**button: str) -> dict[str, Any]:
    return {"text": "t", "reply_markup": {"inline_keyboard": [[button]]}}


def article(id: str, **fields: object) -> dict[str, Any]:
    content = {"message_text": "<b>text</b>", "parse_mode": "HTML"}
    return {"type": "article", "id": id, "title": "t", "input_message_content": content, **fields}


def commands(command: str, description: str = "d", count: int = 1) -> dict[str, Any]:
    return {"commands": [{"command": command, "description": description}] * count}


CASES = [
    Case("method-unknown", "sendTelepathy", nowhere),
    Case(
        "parameter-invalid",
        "sendMessage",
        amina,
        {"text": "t", "entities": "{"},
        {"what": "entities JSON object"},
    ),
    Case(
        "parameter-invalid", "getUpdates", nowhere, {"offset": "x"}, {"what": "offset: expected an Integer"}
    ),
    Case("webhook-active", "getUpdates", with_webhook),
    Case("webhook-url", "setWebhook", nowhere, {"url": "http://192.0.2.1/hook"}),
    Case("webhook-secret", "setWebhook", nowhere, {"url": "http://127.0.0.1:9/", "secret_token": "a b"}),
    Case("chat-empty", "sendMessage", nowhere, {"text": "t"}),
    Case("chat-unknown", "sendMessage", nowhere, {"text": "t", "chat_id": 5}),
    Case("chat-unknown", "sendMessage", nowhere, {"text": "t", "chat_id": "@somebody"}),
    Case("chat-unknown", "sendMessage", never_started, {"text": "t"}),
    Case("chat-unknown", "sendMessage", deleted, {"text": "t"}),
    Case("not-started", "sendMessage", met_in_a_group, {"text": "t"}),
    Case("group-deleted", "sendMessage", lambda stage: in_group(stage, "delete-chat"), {"text": "t"}),
    Case(
        "bot-kicked", "sendMessage", lambda stage: in_group(stage, "block"), {"text": "t"}, {"kind": "group"}
    ),
    Case("bot-blocked", "sendMessage", blocked, {"text": "t"}),
    Case("user-deactivated", "sendMessage", deactivated, {"text": "t"}),
    Case("user-unknown", "getChatMember", amina, {"user_id": 5}),
    Case("text-empty", "sendMessage", amina, {"text": " \n "}),
    Case("text-empty", "sendMessage", amina, {"text": "<b> </b>", "parse_mode": "HTML"}),
    Case("text-too-long", "sendMessage", amina, {"text": "😀" * 2049}),
    Case("edit-too-long", "editMessageText", sent, {"text": "a" * 4097}),
    Case("caption-too-long", "sendDocument", amina, {"document": b"x", "caption": "a" * 1025}),
    Case("parse-mode", "sendMessage", amina, {"text": "t", "parse_mode": "MarkdownV2"}),
    Case(
        "entities",
        "sendMessage",
        amina,
        {"text": "<b>cut", "parse_mode": "HTML"},
        {"what": 'Can\'t find end tag corresponding to start tag "b"'},
    ),
    Case("markup-unreadable", "sendMessage", amina, {"text": "t", "reply_markup": {"inline_keyboard": "x"}}),
    Case("markup-not-object", "sendMessage", amina, {"text": "t", "reply_markup": [1]}),
    Case(
        "markup-too-long",
        "sendMessage",
        amina,
        {"text": "t", "reply_markup": {"inline_keyboard": [ONE_BUTTON["inline_keyboard"][0]] * 101}},
    ),
    Case("button-plain", "sendMessage", amina, keyboard(text="ok")),
    Case(
        "button-unreadable",
        "sendMessage",
        amina,
        keyboard(text="ok", url="https://example.org", callback_data="k"),
        {"what": "exactly one of the optional fields must be used"},
    ),
    Case("button-data", "sendMessage", amina, keyboard(text="ok", callback_data="")),
    Case("button-data", "sendMessage", amina, keyboard(text="ok", callback_data="ب" * 33)),
    Case("button-url", "sendMessage", amina, keyboard(text="ok", url="javascript:alert(1)")),
    Case("query-old", "answerCallbackQuery", nowhere, {"callback_query_id": "1"}),
    Case("query-old", "answerCallbackQuery", pressed_long_ago),
    Case("query-old", "answerCallbackQuery", answered),
    Case("answer-too-long", "answerCallbackQuery", pressed, {"text": "a" * 201}),
    Case("query-old", "answerInlineQuery", nowhere, {"inline_query_id": "1", "results": []}),
    Case("query-old", "answerInlineQuery", typed_long_ago, {"results": []}),
    Case("inline-too-many", "answerInlineQuery", typed, {"results": [article(str(n)) for n in range(51)]}),
    Case("inline-id", "answerInlineQuery", typed, {"results": [article("x" * 65)]}),
    Case("inline-id-twice", "answerInlineQuery", typed, {"results": [article("x"), article("x")]}),
    Case("inline-title", "answerInlineQuery", typed, {"results": [article("x", title="")]}),
    Case(
        "inline-result",
        "answerInlineQuery",
        typed,
        {"results": [article("x", type="gif")]},
        {"what": 'type "gif" is unsupported for the inline query result'},
    ),
    Case(
        "inline-result",
        "answerInlineQuery",
        typed,
        {"results": [article("x", input_message_content={"message_text": ""})]},
        {"what": "message text is empty"},
    ),
    Case(
        "inline-result",
        "answerInlineQuery",
        typed,
        {"results": ["x"]},
        {"what": "expected an Object"},
    ),
    Case(
        "inline-result",
        "answerInlineQuery",
        typed,
        {"results": [article("x", input_message_content="x")]},
        {"what": 'Field "input_message_content" must be of type Object'},
    ),
    Case("message-unspecified", "deleteMessage", amina),
    Case("edit-unknown", "editMessageText", amina, {"message_id": 99_999, "text": "t"}),
    Case("edit-forbidden", "editMessageText", written, {"text": "t"}),
    Case("edit-no-text", "editMessageText", pictured, {"text": "t"}),
    Case("edit-no-caption", "editMessageCaption", sent, {"caption": "t"}),
    Case("not-modified", "editMessageText", sent, {"text": "text"}),
    Case("not-modified", "editMessageReplyMarkup", sent),
    Case("delete-unknown", "deleteMessage", amina, {"message_id": 99_999}),
    Case("delete-forbidden", "deleteMessage", old),
    Case("delete-none", "deleteMessages", amina, {"message_ids": []}),
    Case("delete-too-many", "deleteMessages", amina, {"message_ids": list(range(101))}),
    Case("reply-unknown", "sendMessage", amina, {"text": "t", "reply_parameters": {"message_id": 99_999}}),
    Case("file-missing", "sendDocument", amina, {}, {"what": "document"}),
    Case("file-empty", "sendDocument", amina, {"document": b""}),
    Case("file-unknown", "sendDocument", amina, {"document": "BQAC-nothing"}),
    Case("file-url", "sendDocument", amina, {"document": "https://example.org/a.pdf"}),
    Case("file-id", "getFile", nowhere),
    Case("photo-too-big", "sendPhoto", amina, {"photo": b"x" * (MAX_PHOTO + 1)}, {"size": MAX_PHOTO + 1}),
    Case("photo-unreadable", "sendPhoto", amina, {"photo": b"not a picture"}),
    Case("request-too-large", "sendDocument", amina, {"document": b"x" * (MAX_UPLOAD + 2 * 1024 * 1024)}),
    Case("command-empty", "setMyCommands", nowhere, commands("/")),
    Case("command-long", "setMyCommands", nowhere, commands("a" * 33)),
    Case("command-invalid", "setMyCommands", nowhere, commands("Help")),
    Case("command-description-empty", "setMyCommands", nowhere, commands("help", " ")),
    Case("command-description-long", "setMyCommands", nowhere, commands("help", "d" * 257)),
    Case("commands-too-many", "setMyCommands", nowhere, commands("help", count=101)),
    Case("language-invalid", "setMyCommands", nowhere, {**commands("help"), "language_code": "english"}),
    Case(
        "scope-invalid",
        "setMyCommands",
        nowhere,
        {**commands("help"), "scope": {"type": "planet"}},
        {"what": "unsupported type specified"},
    ),
    Case("description-long", "setMyDescription", nowhere, {"description": "d" * 513}),
    Case("description-long", "setMyShortDescription", nowhere, {"short_description": "d" * 121}),
    Case(
        "menu-button",
        "setChatMenuButton",
        nowhere,
        {"menu_button": {"type": "star"}},
        {"what": "unsupported type specified"},
    ),
    Case("action-wrong", "sendChatAction", amina, {"action": "thinking"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.refusal}-{case.method}")
async def test_refusal(stage: Stage, case: Case) -> None:
    there = await case.situation(stage)
    before = len(stage.sandbox.world.chats[stage.amina.chat_id].messages)
    status, answer = await call(stage, case.method, **{**there, **case.fields})
    expected = REFUSALS[case.refusal]
    assert answer == {
        "ok": False,
        "error_code": expected.code,
        "description": expected.description.format(**case.values),
    }
    assert status == expected.code
    assert len(stage.sandbox.world.chats[stage.amina.chat_id].messages) == before


def test_every_refusal_is_tried_and_says_where_it_was_read() -> None:
    elsewhere = {
        "token-malformed",
        "token-unknown",
        "body-unreadable",
        "too-many",
        "poll-terminated",
        "chat-migrated",
        "file-too-big",
        "file-gone",
        "server-error",
        "bad-gateway",
    }
    assert {case.refusal for case in CASES} | elsewhere == set(REFUSALS)
    assert all(refusal.source for refusal in REFUSALS.values())


# ---------------------------------------------------------------------- refusals with a story


@pytest.mark.parametrize(
    "path,status,description",
    [
        ("bot123456:wrong-but-well-formed/getMe", 401, "Unauthorized"),
        ("botnonsense/getMe", 404, "Not Found"),
        ("file/bot123456:wrong-but-well-formed/documents/x", 401, "Unauthorized"),
    ],
)
async def test_wrong_tokens(stage: Stage, path: str, status: int, description: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{stage.sandbox.base_url}/{path}") as answer:
        assert answer.status == status
        assert (await answer.json())["description"] == description


async def test_a_file_that_is_gone(stage: Stage) -> None:
    url = f"{stage.sandbox.base_url}/file/bot{stage.sandbox.bots[0].token}/documents/none"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404


async def test_a_file_over_20_mb_cannot_be_fetched(stage: Stage) -> None:
    _, answer = await call(
        stage, "sendDocument", chat_id=stage.amina.chat_id, document=b"x" * (20 * 1024 * 1024 + 1)
    )
    status, refused = await call(stage, "getFile", file_id=answer["result"]["document"]["file_id"])
    assert (status, refused["description"]) == (400, "Bad Request: file is too big")


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_an_unreadable_body(stage: Stage, body: bytes) -> None:
    url = f"{stage.sandbox.base_url}/bot{stage.sandbox.bots[0].token}/getMe"
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        assert (await answer.json())["description"] == "Bad Request: can't parse request body"


async def test_json_bodies_and_addresses_work_too(stage: Stage) -> None:
    url = f"{stage.sandbox.base_url}/bot{stage.sandbox.bots[0].token}/sendmessage"
    fields = {"chat_id": stage.amina.chat_id, "text": "t", "protect_content": True}
    async with aiohttp.ClientSession() as session:
        async with session.post(url, json=fields) as answer:
            assert (await answer.json())["result"]["has_protected_content"] is True
        async with session.get(url, params={"chat_id": str(stage.amina.chat_id), "text": "t"}) as answer:
            assert answer.status == 200


async def test_a_migrated_group_names_its_new_id(stage: Stage) -> None:
    group = await stage.client.add_group("Desk", [stage.amina])
    new = await stage.client.act("migrate", chat=group.chat_id)
    status, answer = await call(stage, "sendMessage", chat_id=group.chat_id, text="t")
    assert (status, answer["parameters"]) == (400, {"migrate_to_chat_id": new["id"]})
    assert answer["description"] == REFUSALS["chat-migrated"].description
    assert (await call(stage, "sendMessage", chat_id=new["id"], text="t"))[0] == 200


@pytest.mark.parametrize(
    "group,limits,burst",
    [
        (False, Limits(overall=None, chat=Rate(1.0, 3), group=None), 3),
        (True, Limits(overall=None, chat=None, group=Rate(20 / 60, 20)), 20),
        (False, Limits(overall=Rate(30.0, 30), chat=None, group=None), 30),
    ],
)
async def test_flood_control(group: bool, limits: Limits, burst: int) -> None:
    async with staged(limits) as stage:
        chat = stage.amina
        if group:
            chat = await stage.client.add_group("Desk", [stage.amina])
        answers = [await call(stage, "sendMessage", chat_id=chat.chat_id, text="t") for _ in range(burst + 1)]
        assert [status for status, _ in answers] == [200] * burst + [429]
        refused = answers[-1][1]
        wait = refused["parameters"]["retry_after"]
        assert refused["description"] == f"Too Many Requests: retry after {wait}"
        stage.clock.advance(wait)
        assert (await call(stage, "sendMessage", chat_id=chat.chat_id, text="t"))[0] == 200


async def test_aiogram_sees_the_right_exceptions(stage: Stage) -> None:
    exceptions = importlib.import_module("aiogram.exceptions")

    stage.sandbox.world.add_user(User(77, "Blocked"))
    stage.sandbox.world.chats[77].standing = Standing.BLOCKED
    stage.sandbox.world.chats[-8] = Chat(
        -8, ChatKind.GROUP, "g", {}, Standing.MIGRATED, migrated_to=-1_000_008
    )
    with pytest.raises(exceptions.TelegramForbiddenError):
        await stage.bot.send_message(77, "t")
    with pytest.raises(exceptions.TelegramMigrateToChat) as migrated:
        await stage.bot.send_message(-8, "t")
    assert migrated.value.migrate_to_chat_id == -1_000_008
    with pytest.raises(exceptions.TelegramBadRequest, match="chat not found"):
        await stage.bot.send_message(5, "t")
    with pytest.raises(exceptions.TelegramUnauthorizedError):
        await stage.another_bot("123456:not-the-token-of-this-sandbox-here").get_me()


async def test_48_hours_are_enough_to_delete(stage: Stage) -> None:
    there = await sent(stage)
    stage.clock.advance(2 * DAYS)
    assert (await call(stage, "deleteMessage", **there))[0] == 200


async def test_a_second_poll_ends_the_first(stage: Stage) -> None:
    polls = {asyncio.create_task(call(stage, "getUpdates", timeout=30)) for _ in range(2)}
    (ended,), (waiting,) = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED, timeout=30)
    assert ended.result()[0] == 409
    assert ended.result()[1]["description"] == REFUSALS["poll-terminated"].description
    await stage.amina.send("hello")
    assert (await waiting)[1]["result"][0]["message"]["text"] == "hello"
