"""What a local client tries on the agency's own NATS beyond its role and ceiling, and does not get."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from nats.errors import Error, NoRespondersError
from nats.js.api import ConsumerConfig

from schemas.vocabulary import Tlp
from subscribers.local import Role
from tests.support.local_nats import DEADLINE, Node, Plain, collect, connected, hearing, running_node
from tests.support.node_api import make_record


async def silence(plain: Plain, subject: str, payload: bytes = b"", reply: str = "") -> bytes | None:
    """What a request gets: None where nobody answers or the server forbids it."""
    try:
        if reply:
            await plain.nc.publish(subject, payload, reply=reply)
            await plain.nc.flush()
            return None
        return (await plain.nc.request(subject, payload, timeout=0.3)).data
    except Error:
        return None


async def told_who(plain: Plain) -> dict[str, Any]:
    """What the node says of who asks; everything that was sent before has been handled then."""
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                answer = await plain.nc.request("node.whoami", timeout=DEADLINE)
            except NoRespondersError:  # under load nats-server 2.15.1 connects a new account a moment later
                await asyncio.sleep(0.01)
            else:
                result: dict[str, Any] = json.loads(answer.data)["result"]
                return result


async def state(node: Node) -> tuple[int, list[str]]:
    """How many bulletins the stream holds, and whose durables there are."""
    js = (await node.local.connection()).jetstream(timeout=DEADLINE)
    consumers = await js.consumers_info("BULLETINS")
    return (await js.stream_info("BULLETINS")).state.messages, sorted(each.name for each in consumers)


ADMINISTRATIVE = [
    "$JS.API.STREAM.DELETE.BULLETINS",
    "$JS.API.STREAM.PURGE.BULLETINS",
    "$JS.API.STREAM.MSG.GET.BULLETINS",
    "$JS.API.DIRECT.GET.BULLETINS",
    "$JS.API.STREAM.INFO.BULLETINS",
    "$JS.API.STREAM.NAMES",
    "$JS.API.CONSUMER.CREATE.BULLETINS.evil",
    "$JS.API.CONSUMER.DELETE.BULLETINS.other",
    "$JS.API.CONSUMER.DELETE.BULLETINS.bot",
    "$JS.API.CONSUMER.MSG.NEXT.BULLETINS.other",
    "$JS.API.CONSUMER.INFO.BULLETINS.other",
    "$JS.API.CONSUMER.RESET.BULLETINS.other",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.USER.INFO",
    "node.whoami.other",
    "node.search.other",
    "node.publish.bot",
]


@pytest.mark.parametrize("subject", ADMINISTRATIVE)
async def test_administrative_and_foreign_subjects_are_out_of_reach(tmp_path: Path, subject: str) -> None:
    async with running_node(tmp_path) as node:
        await node.local.add_client("bot", Role.ADMIN, Tlp.RED)
        await node.local.add_client("other", Role.ADMIN, Tlp.RED)
        await node.local.republish([make_record(1)])
        async with connected(node.local, tmp_path, "bot") as bot:
            answer = await silence(bot, subject, b'{"batch": 1, "seq": 1, "no_wait": true}')
            assert answer is None
        assert await state(node) == (1, ["bot", "other"])
        js = (await node.local.connection()).jetstream(timeout=DEADLINE)
        assert (await js.consumer_info("BULLETINS", "other")).num_pending == 1


@pytest.mark.parametrize("target", ADMINISTRATIVE)
async def test_the_reply_of_a_request_carries_no_order_out(tmp_path: Path, target: str) -> None:
    """In one account for all, the server's own answer to `no_wait` would carry these out."""
    async with running_node(tmp_path) as node:
        await node.local.add_client("bot", Role.ADMIN, Tlp.RED)
        await node.local.add_client("other", Role.ADMIN, Tlp.RED)
        await node.local.republish([make_record(1)])
        async with connected(node.local, tmp_path, "bot") as bot:
            for request in (
                "$JS.API.CONSUMER.MSG.NEXT.BULLETINS.bot",
                "feed.info",
                "feed.back",
                "node.whoami",
            ):
                await silence(bot, request, b'{"batch": 5, "no_wait": true}', reply=target)
            await told_who(bot)
        assert await state(node) == (1, ["bot", "other"])


async def test_a_client_speaks_only_as_itself(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        await node.local.add_client("bot", Role.READER, Tlp.GREEN)
        async with connected(node.local, tmp_path, "bot") as bot:
            known = await told_who(bot)
            assert (known["name"], known["ceiling"]) == ("bot", "TLP:GREEN")


async def test_a_client_puts_nothing_into_the_stream(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        await node.local.add_client("bot", Role.ADMIN, Tlp.RED)
        async with connected(node.local, tmp_path, "bot") as bot:
            await silence(bot, "bulletin.live.alpha.tactic.high.clear", b"forged")
            await told_who(bot)
        assert await state(node) == (0, ["bot"])


@pytest.mark.parametrize("ceiling", list(Tlp))
async def test_live_and_stored_bulletins_stop_at_the_ceiling(tmp_path: Path, ceiling: Tlp) -> None:
    allowed = [tlp.slug for tlp in Tlp if tlp.rank <= ceiling.rank]
    async with running_node(tmp_path) as node:
        await node.local.add_client("bot", Role.ADMIN, ceiling)
        await hearing(node.local, tmp_path, "bot")
        async with connected(node.local, tmp_path, "bot") as bot, asyncio.timeout(DEADLINE):
            live = await collect(bot.nc, "bulletin.>")
            above = await collect(bot.nc, "bulletin.*.*.*.*.red")
            stored = await collect(bot.nc, "_INBOX.feed")
            await node.local.republish([make_record(tlp.rank, tlp=tlp) for tlp in reversed(Tlp)])
            await node.local.republish([make_record(9, tlp=Tlp.CLEAR)])  # what comes last, comes to everyone
            ask = b'{"batch": 6, "expires": 60000000000}'
            await bot.nc.publish("$JS.API.CONSUMER.MSG.NEXT.BULLETINS.bot", ask, reply="_INBOX.feed")
            expected = [*reversed(allowed), "clear"]
            for queue in (live, stored):
                found = [(await queue.get()).subject.rsplit(".", 1)[1] for _ in expected]
                assert found == expected
                assert queue.empty()
            assert above.qsize() == ("red" in allowed)


async def test_a_lowered_ceiling_holds_for_what_is_open(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        await node.local.add_client("bot", Role.READER, Tlp.RED)
        await hearing(node.local, tmp_path, "bot")
        async with connected(node.local, tmp_path, "bot") as bot, asyncio.timeout(DEADLINE):
            live = await collect(bot.nc, "bulletin.>")
            await node.local.republish([make_record(1, tlp=Tlp.RED)])
            assert (await live.get()).subject.endswith(".red")
            await node.local.set_client("bot", Role.READER, Tlp.GREEN)
            await node.local.republish([make_record(2, tlp=Tlp.RED), make_record(3, tlp=Tlp.GREEN)])
            assert (await live.get()).subject.endswith(".green")
            js = (await node.local.connection()).jetstream(timeout=DEADLINE)
            config: ConsumerConfig = (await js.consumer_info("BULLETINS", "bot")).config
            assert [each.rsplit(".", 1)[1] for each in config.filter_subjects or []] == ["clear", "green"]
