"""The bot by webhook instead of polling: the same conversation, and a door for the chat service alone."""

from itertools import count
from pathlib import Path

import aiohttp
import pytest

from bots.doors.telegram.webhook import HEADER, read_webhook, until_taken
from bots.sandbox.server import Sandbox
from bots.settings import BotSettings
from hub.demo.ports import free_ports
from schemas.errors import Code, OperationError
from tests.support.doors import DIALOGUE, ChatDoor, hold
from tests.support.node import DirectNode
from tests.support.node_api import make_record
from tests.support.officers_bot import bot_on, running_sandbox
from tests.support.sandbox import new_bot

PORT = make_record(60, kind="threat", severity="high", title="Over the port", summary="A drone was seen.")


async def webhook_of(sandbox: Sandbox) -> str:
    address = f"{sandbox.base_url}/bot{sandbox.bots[0].token}/getWebhookInfo"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return str((await answer.json())["result"]["url"])


async def answered(method: str, url: str, update: object, headers: dict[str, str]) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=update, headers=headers) as answer,
    ):
        return answer.status


async def test_the_same_conversation_by_webhook_and_nobody_else_gets_in(tmp_path: Path) -> None:
    node, numbers = DirectNode(), count(61)
    await node.arrive(PORT)

    async def arrive(title: str) -> None:
        await node.arrive(make_record(next(numbers), title=title, severity="flash", regions=["FR-75"]))

    where = f"127.0.0.1:{free_ports(1)[0]}"
    url = f"http://{where}/updates"
    async with running_sandbox() as (sandbox, client):
        async with bot_on(sandbox, client, tmp_path, node, webhook_url=url, webhook_listen=where) as stage:
            assert await webhook_of(sandbox) == url
            ed = await stage.enrol("Ed", administrator=True)
            await hold(DIALOGUE, ChatDoor(ed), arrive)
            update = {"update_id": 1, "message": {"message_id": 1, "date": 1, "text": "/latest"}}
            async with new_bot(sandbox) as bot:
                with pytest.raises(OperationError) as taken:
                    await until_taken(bot, f"{url}/of-somebody-else", 0.0)
            assert taken.value.code is Code.ALREADY_RUNNING
            for headers in ({}, {HEADER: "guessed"}, {HEADER: "é"}):
                assert await answered("POST", url, update, headers) == 401
            assert await answered("GET", url, update, {}) == 405
            assert await answered("POST", f"http://{where}/", update, {}) == 404
        assert await webhook_of(sandbox) == ""
        async with bot_on(sandbox, client, tmp_path, node):  # by polling again, without more ado
            await ed.ask("/latest")


@pytest.mark.parametrize(
    "url, listen",
    [
        ("http://bot.agency.example/updates", "127.0.0.1:8481"),
        ("bot.agency.example", "127.0.0.1:8481"),
        ("https://bot.agency.example/updates", "8481"),
    ],
)
def test_where_nobody_could_listen_is_refused(url: str, listen: str) -> None:
    with pytest.raises(OperationError) as refused:
        read_webhook(BotSettings(webhook_url=url, webhook_listen=listen))
    assert refused.value.code is Code.BAD_SETTINGS
    assert refused.value.message.startswith("webhook_")


def test_its_path_and_port_are_read() -> None:
    settings = BotSettings(webhook_url="https://bot.agency.example/updates", webhook_listen="127.0.0.1:9000")
    assert read_webhook(settings) == ("/updates", "127.0.0.1", 9000)
