"""The sandbox as a service: polling, webhook, planned faults, who is let in, several bots."""

from __future__ import annotations

import asyncio
import importlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bots.sandbox.client import SandboxClient
from bots.sandbox.server import run, start
from bots.sandbox.settings import Officer, SandboxSettings, new_token
from bots.sandbox.webhook import SECRET_HEADER
from bots.sandbox.world import BotAccount
from schemas.errors import Code, OperationError
from tests.support.sandbox import Stage, call, polling, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as ready:
        yield ready


def exceptions() -> Any:  # a module
    return importlib.import_module("aiogram.exceptions")


# ---------------------------------------------------------------------- updates


async def test_offsets_confirm_and_nothing_is_lost_before(stage: Stage) -> None:
    for number in range(5):
        await stage.amina.send(f"m{number}")
    first = await stage.bot.get_updates(limit=2)
    assert [update.message.text for update in first] == ["m0", "m1"]
    again = await stage.bot.get_updates(limit=2)
    assert [update.update_id for update in again] == [update.update_id for update in first]
    rest = await stage.bot.get_updates(offset=first[-1].update_id + 1)
    assert [update.message.text for update in rest] == ["m2", "m3", "m4"]
    last = await stage.bot.get_updates(offset=-1)
    assert [update.message.text for update in last] == ["m4"]
    assert await stage.bot.get_updates(offset=last[0].update_id + 1) == []


async def test_a_long_poll_answers_when_something_happens(stage: Stage) -> None:
    waiting = asyncio.create_task(stage.bot.get_updates(timeout=30))
    await stage.amina.send("now")
    (update,) = await asyncio.wait_for(waiting, 60)
    assert update.message.text == "now"


async def test_updates_are_kept_for_a_day(stage: Stage) -> None:
    await stage.amina.send("old")
    stage.clock.advance(24 * 3600 + 1)
    await stage.amina.send("new")
    (update,) = await stage.bot.get_updates()
    assert update.message.text == "new"


async def test_only_the_wanted_kinds_come(stage: Stage) -> None:
    await stage.bot.get_updates(allowed_updates=["my_chat_member"])
    await stage.amina.send("not wanted")
    await stage.amina.block()
    (update,) = await stage.bot.get_updates()
    assert update.event_type == "my_chat_member"
    await stage.bot.get_updates(offset=update.update_id + 1, allowed_updates=[])
    await stage.amina.unblock()
    await stage.amina.send("wanted")
    assert len(await stage.bot.get_updates()) == 2


async def test_a_polling_dispatcher_talks_with_a_person(stage: Stage) -> None:
    types = importlib.import_module("aiogram.types")
    keyboard = types.InlineKeyboardMarkup(
        inline_keyboard=[[types.InlineKeyboardButton(text="Confirm", callback_data="yes")]]
    )

    def register(router: Any) -> None:  # aiogram.Router
        async def greet(message: Any) -> None:  # aiogram.types.Message
            await message.answer(f"Hello {message.from_user.first_name}", reply_markup=keyboard)

        async def confirm(query: Any) -> None:  # aiogram.types.CallbackQuery
            await query.message.edit_text("Done")
            await query.answer("Thank you")

        router.message.register(greet)
        router.callback_query.register(confirm)

    async with polling(stage.bot, register):
        assert (await stage.amina.ask("/start"))["text"] == "Hello Amina"
        assert (await stage.amina.press("Confirm"))["text"] == "Thank you"
        assert (await stage.amina.next_edit())["text"] == "Done"
        assert (await stage.claire.ask("hi"))["text"] == "Hello Claire"
    assert [each["text"] for each in await stage.amina.transcript()] == ["/start", "/start", "Done"]


# ---------------------------------------------------------------------- webhook


async def test_webhook_delivers_in_order_with_the_secret_and_tries_again(stage: Stage) -> None:
    received: asyncio.Queue[tuple[str | None, str]] = asyncio.Queue()
    answers = iter([500, 200, 200])

    async def hook(request: web.Request) -> web.Response:
        body = await request.json()
        await received.put((request.headers.get(SECRET_HEADER), body["message"]["text"]))
        return web.Response(status=next(answers))

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        assert await stage.bot.set_webhook(url, secret_token="s3cret-Token")
        await stage.amina.send("one")
        await stage.amina.send("two")
        seen = [await asyncio.wait_for(received.get(), 60) for _ in range(3)]
        assert seen == [("s3cret-Token", text) for text in ("one", "one", "two")]
        info = await stage.bot.get_webhook_info()
        assert info.url == url
        assert info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
        assert await stage.bot.delete_webhook(drop_pending_updates=True)
        assert await stage.bot.get_updates() == []
    finally:
        await runner.cleanup()


async def test_a_webhook_ends_a_waiting_poll(stage: Stage) -> None:
    waiting = asyncio.create_task(stage.bot.get_updates(timeout=30))
    await stage.bot.set_webhook("http://127.0.0.1:9/none")
    with pytest.raises(exceptions().TelegramConflictError):
        await waiting


# ---------------------------------------------------------------------- planned faults


@pytest.mark.parametrize(
    "kind,options,error",
    [
        ("too_many", {"retry_after": 9}, "TelegramRetryAfter"),
        ("blocked", {}, "TelegramForbiddenError"),
        ("deactivated", {}, "TelegramForbiddenError"),
        ("bad_request", {}, "TelegramBadRequest"),
        ("parse_error", {}, "TelegramBadRequest"),
        ("server_error", {}, "TelegramServerError"),
        ("bad_gateway", {}, "TelegramServerError"),
        ("migrate", {"migrate_to": -1_000_000_000_007}, "TelegramMigrateToChat"),
        ("close", {}, "TelegramNetworkError"),
    ],
)
async def test_a_fault_fails_the_call_and_only_the_planned_ones(
    stage: Stage, kind: str, options: dict[str, int], error: str
) -> None:
    await stage.client.fault("sendMessage", kind, times=2, chat_id=stage.amina.chat_id, **options)
    for _ in range(2):
        with pytest.raises(getattr(exceptions(), error)):
            await stage.bot.send_message(stage.amina.chat_id, "lost")
        await stage.bot.send_message(stage.claire.chat_id, "not concerned")
    await stage.bot.send_message(stage.amina.chat_id, "arrives")
    assert [each["text"] for each in await stage.amina.transcript()] == ["/start", "arrives"]
    assert len(await stage.claire.transcript()) == 3


async def test_an_answer_that_is_lost_leaves_the_message_there(stage: Stage) -> None:
    await stage.client.fault("sendMessage", "close_after")
    with pytest.raises(exceptions().TelegramNetworkError):
        await stage.bot.send_message(stage.amina.chat_id, "sent all the same")
    assert (await stage.amina.next_message())["text"] == "sent all the same"


async def test_an_answer_can_be_held_back(stage: Stage) -> None:
    await stage.client.fault("sendMessage", "hold")
    sending = asyncio.create_task(stage.bot.send_message(stage.amina.chat_id, "held"))
    assert (await stage.amina.next_message())["text"] == "held"
    assert not sending.done()
    await stage.client.act("release")
    assert (await asyncio.wait_for(sending, 60)).text == "held"


async def test_faults_can_be_read_and_cleared(stage: Stage) -> None:
    await stage.client.fault("*", "server_error", times=50)
    assert await stage.client.act("faults") == [{"kind": "server_error", "method": "*", "times": 50}]
    await stage.client.act("clear-faults")
    assert (await stage.bot.get_me()).is_bot


async def test_calls_are_counted_by_how_they_ended(stage: Stage) -> None:
    await stage.client.fault("getMe", "close")
    with pytest.raises(exceptions().TelegramNetworkError):
        await stage.bot.get_me()
    await stage.bot.get_me()
    await call(stage, "getMe")
    await call(stage, "sendMessage", text="t")
    counted = await stage.client.calls()
    assert counted["getMe"] == {"0": 1, "200": 2}
    assert counted["sendMessage"] == {"400": 1}


# ---------------------------------------------------------------------- people and the control API


async def test_people_are_told_what_is_wrong(stage: Stage) -> None:
    await stage.amina.block()
    for refused in (
        stage.amina.send("hello"),
        stage.amina.block(),
        stage.claire.send("   "),
        stage.claire.send("a" * 4097),
        stage.client.act("say", chat=1, text="x"),
        stage.client.act("say", chat=stage.claire.chat_id),
        stage.client.act("press", chat=stage.claire.chat_id, message=1, data="x"),
        stage.client.act("user", name=""),
        stage.client.act("fly"),
        stage.client.act("fault", kind="nonsense"),
        stage.client.act("fault", kind="migrate"),
        stage.client.act("migrate", chat=stage.claire.chat_id),
        stage.client.act("user", bot="nobody", name="x"),
        stage.client.upload(stage.claire, "empty", b"", ""),
        stage.claire.press("no such button"),
    ):
        with pytest.raises(OperationError):
            await refused


async def test_a_language_can_be_changed(stage: Stage) -> None:
    await stage.client.act("language", chat=stage.amina.chat_id, language="fr")
    await stage.amina.send("bonjour")
    (update,) = await stage.bot.get_updates(timeout=5)
    assert update.message.from_user.language_code == "fr"


async def test_waiting_has_a_deadline_that_says_what_was_missing(stage: Stage) -> None:
    with pytest.raises(OperationError, match="no message to Amina"):
        await stage.amina.next_message(deadline=0.01)


async def test_waiting_ends_when_the_sandbox_goes() -> None:
    sandbox = await start(SandboxSettings(officers=(Officer("Amina", "ar"),)))
    async with SandboxClient(sandbox.page_url) as client:
        waiting = asyncio.create_task(client.user("Amina").next_message(deadline=60))
        await sandbox.close()
        with pytest.raises(OperationError, match="sandbox went away"):
            await waiting


async def test_unfitting_messages_stay_in_the_inbox(stage: Stage) -> None:
    for text in ("one", "two"):
        await stage.bot.send_message(stage.amina.chat_id, text)
    assert (await stage.amina.next_message(lambda message: message["text"] == "two"))["text"] == "two"
    assert (await stage.amina.next_message())["text"] == "one"


async def test_people_do_not_see_each_others_messages(stage: Stage) -> None:
    await stage.bot.send_message(stage.amina.chat_id, "for Amina")
    await stage.bot.send_message(stage.claire.chat_id, "for Claire")
    assert [each["text"] for each in await stage.claire.transcript()] == ["/start", "for Claire"]


async def test_a_stream_can_be_taken_up_again(stage: Stage) -> None:
    url = f"{stage.sandbox.page_url}api/events"
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers={"Last-Event-ID": "0"}) as answer:
            line = await anext(part async for part in answer.content if part.startswith(b"id:"))
            assert line == b"id: 1\n"
        async with session.get(url, params={"after": "999999"}) as answer:
            assert b"event: reset" in await answer.content.read()


# ---------------------------------------------------------------------- who is let in


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "example.org"},
        {"Host": "sandbox.example.org:80"},
        {"Origin": "https://example.org"},
        {"Origin": "null"},
    ],
    ids=str,
)
@pytest.mark.parametrize("place", ["page", "api"])
async def test_other_hosts_and_origins_are_refused(stage: Stage, headers: dict[str, str], place: str) -> None:
    token = stage.sandbox.bots[0].token
    url = stage.sandbox.page_url if place == "page" else f"{stage.sandbox.base_url}/bot{token}/getMe"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("path", ["", "api/state", "app.js"])
async def test_without_the_secret_there_is_nothing(stage: Stage, path: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{stage.sandbox.base_url}/s/wrong-secret-wrong-secret/{path}") as answer:
            assert answer.status == 404
        async with session.get(f"{stage.sandbox.page_url}{path}") as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_only_the_pages_own_files_are_served(stage: Stage) -> None:
    async with aiohttp.ClientSession() as session:
        for name in ("..%2Fserver.py", "%2E%2E%2Fserver.py", "server.py", "index.html"):
            async with session.get(URL(f"{stage.sandbox.page_url}{name}", encoded=True)) as answer:
                assert answer.status == 404


async def test_files_are_saved_and_never_run(stage: Stage) -> None:
    sent = await stage.amina.upload("evil.html", b"<script>alert(1)</script>")
    url = f"{stage.sandbox.page_url}api/file/{stage.amina.bot}/{sent['document']['file_id']}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.content_type == "application/octet-stream"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_it_listens_on_loopback_only(stage: Stage) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.2", stage.sandbox.port))


async def test_secrets_are_not_in_its_repr(stage: Stage) -> None:
    shown = repr(stage.sandbox)
    assert stage.sandbox.secret not in shown
    assert stage.sandbox.bots[0].token not in shown
    assert stage.sandbox.summary()["secret"] == stage.sandbox.secret


# ---------------------------------------------------------------------- starting


async def test_it_runs_until_told_to_stop() -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    running = asyncio.create_task(run(SandboxSettings(), lambda box: ready.set_result(box.page_url), stop))
    async with aiohttp.ClientSession() as session:
        url = await asyncio.wait_for(ready, 60)
        async with session.get(f"{url}api/state") as answer:
            assert answer.status == 200
        stop.set()
        await asyncio.wait_for(running, 60)
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{url}api/state")


async def test_two_bots_have_their_own_chats() -> None:
    bots = (BotAccount(new_token(), "bot_a", "A"), BotAccount(new_token(7_000_000_002), "bot_b", "B"))
    officers = (Officer("Amina", "ar", "bot_a"), Officer("Bruno", "es", "bot_b"))
    async with (
        staged(bots=bots, officers=(*officers, Officer("Claire", "fr"))) as stage,
    ):
        other = stage.another_bot(bots[1].token)
        bruno = stage.client.user("Bruno")
        await bruno.send("/start")
        (update,) = await other.get_updates(timeout=5)
        assert update.message.from_user.first_name == "Bruno"
        await other.send_message(bruno.chat_id, "from B")
        assert (await bruno.next_message())["from"]["username"] == "bot_b"
        assert [each["text"] for each in await stage.amina.transcript()] == ["/start"]


SETTINGS = SandboxSettings()


@pytest.mark.parametrize(
    "settings",
    [
        replace(SETTINGS, port=70_000),
        replace(SETTINGS, bots=()),
        replace(SETTINGS, bots=(BotAccount("short"),)),
        replace(SETTINGS, bots=(BotAccount(new_token()), BotAccount(new_token()))),
        replace(SETTINGS, secret="short"),
        replace(SETTINGS, officers=(Officer("x", "en", "nobody"),)),
    ],
    ids=["port", "no bots", "token", "twins", "secret", "officer"],
)
async def test_bad_settings_are_refused(settings: SandboxSettings) -> None:
    with pytest.raises(OperationError) as caught:
        await start(settings)
    assert caught.value.code is Code.BAD_SETTINGS
    assert caught.value.fix


async def test_a_taken_port_is_refused_with_what_to_do(stage: Stage) -> None:
    with pytest.raises(OperationError, match="cannot be opened"):
        await start(SandboxSettings(port=stage.sandbox.port))
