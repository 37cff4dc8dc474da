"""The agency's own NATS: its files, its keys, its life as a child process, and clients that come and go."""

# ruff: noqa: ASYNC240 - looking at small local files is what these tests do

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from itertools import count
from pathlib import Path

import nats
import pytest

from schemas.errors import Code, LiaisonError, OperationError
from schemas.vocabulary import Tlp
from subscribers.link import Link
from subscribers.local import LocalNats, LocalSettings, Role
from subscribers.local.clients import Registry
from subscribers.local.server import Server
from subscribers.local.spoiled import Spoiled
from tests.support.local_nats import DEADLINE, collect, connected, hearing
from tests.support.nats_server import piled_up
from tests.support.node_api import make_record

MARKER = "unmistakable-marker-text"


async def stored(local: LocalNats) -> int:
    """How many bulletins the stream holds."""
    js = (await local.connection()).jetstream(timeout=DEADLINE)
    return (await js.stream_info("BULLETINS")).state.messages


async def until_server_is_another(directory: Path, than: int) -> int:
    """The pid of the server, once it is not `than` and says that it is ready."""
    async with asyncio.timeout(DEADLINE):
        while True:
            pids = [int(each.stem.partition("_")[2]) for each in directory.glob("nats-server_*.ports")]
            if pids and pids[0] != than:
                return pids[0]
            await asyncio.sleep(0.01)


def server_pid(directory: Path) -> int:
    return int((directory / "server.pid").read_text())


async def test_republished_often_is_stored_once_in_order(tmp_path: Path) -> None:
    records = [make_record(number) for number in range(300)]
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        await local.add_client("bot")
        await hearing(local, tmp_path, "bot")
        async with connected(local, tmp_path, "bot") as plain:
            heard = await collect(plain.nc, "bulletin.>")
            for _ in range(3):
                await local.republish(records)
            await local.republish(records[:1])
            assert await stored(local) == 300
            js = (await local.connection()).jetstream(timeout=DEADLINE)
            last = await js.get_msg("BULLETINS", 300)
            assert json.loads(last.data or b"")["bulletin"]["ref"] == "FRA-2026-0299"
            assert json.loads((await heard.get()).data)["bulletin"]["ref"] == "FRA-2026-0000"
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:  # the window survives a restart
        await local.republish(records)
        assert await stored(local) == 300


@pytest.mark.parametrize("killed", [False, True], ids=["", "killed-before-it-was-made-anew"])
async def test_a_client_whose_place_a_power_cut_spoiled_begins_again(tmp_path: Path, *, killed: bool) -> None:
    """The server refuses for good to make a durable over files that it cannot read; no node would start."""
    records = [make_record(number) for number in range(3)]
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        for name in ("bot", "siem"):
            await local.add_client(name)
        await local.republish(records)
    (state,) = tmp_path.glob("jetstream/*/streams/BULLETINS/obs/bot/o.dat")
    state.write_bytes(bytes(state.stat().st_size))
    assert not killed or Spoiled(tmp_path).put_aside("bot")
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        js = (await local.connection()).jetstream(timeout=DEADLINE)
        assert (await js.consumer_info("BULLETINS", "bot")).num_pending == 3
        assert (await js.consumer_info("BULLETINS", "siem")).num_pending == 3
        await hearing(local, tmp_path, "bot")
        assert not [*tmp_path.glob("spoiled/*")]


async def test_a_community_without_a_slug_is_refused(tmp_path: Path) -> None:
    record = make_record().model_copy(update={"community_slug": "two words.>"})
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        with pytest.raises(LiaisonError) as caught:
            await local.republish([record])
        assert caught.value.code is Code.BAD_SUBJECT


async def test_nothing_readable_lies_in_its_files(tmp_path: Path) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        await local.add_client("bot")
        await local.republish([make_record(title=MARKER, body=MARKER * 20)])
    key = (tmp_path / "store.key").read_bytes().strip()
    seeds = [each.read_bytes().strip() for each in tmp_path.rglob("*.nk")]
    assert len(seeds) == 3
    files = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert any("jetstream" in each.parts for each in files)
    for file in files:
        data = file.read_bytes()
        assert MARKER.encode() not in data
        if file.name != "store.key":
            assert key not in data
        if file.suffix != ".nk":
            assert not any(seed in data for seed in seeds)
    for name in (
        "store.key",
        "node.nk",
        "system.nk",
        "clients.json",
        "server.conf",
        "local.json",
        "clients/bot.nk",
    ):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


async def test_without_encryption_the_marker_would_be_found(tmp_path: Path) -> None:
    """The search above finds what is there: the same server with its cipher switched off in a copy."""
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        config = (tmp_path / "server.conf").read_text()
        seed = (tmp_path / "node.nk").read_text().strip()
        url = local.url
    lines = [each for each in config.splitlines() if "cipher:" not in each and "  key:" not in each]
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "server.conf").write_text("\n".join(lines).replace(str(tmp_path), str(bare)))
    server = Server(bare, bare / "server.conf", {})
    await server.start()
    nc = await nats.connect(url, nkeys_seed_str=seed, connect_timeout=int(DEADLINE))
    js = nc.jetstream(timeout=DEADLINE)
    await js.add_stream(name="BULLETINS", subjects=["bulletin.>"])
    await js.publish("bulletin.x", MARKER.encode())
    await nc.close()
    await server.stop()
    assert any(MARKER.encode() in each.read_bytes() for each in bare.rglob("*") if each.is_file())


async def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        assert local.url.startswith("nats://127.0.0.1:")
        ports = json.loads(next(tmp_path.glob("*.ports")).read_text())
        assert ports == {"nats": [local.url]}


@pytest.mark.parametrize("damage", ["other key", "no key"])
async def test_a_store_without_its_key_is_refused(tmp_path: Path, damage: str) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)):
        pass
    key = tmp_path / "store.key"
    if damage == "no key":
        key.unlink()
    else:
        key.write_text("0" * 64)
    with pytest.raises(OperationError) as caught:
        await LocalNats.open(LocalSettings(directory=tmp_path)).__aenter__()
    assert caught.value.code is (Code.NOT_FOUND if damage == "no key" else Code.WRONG_KEY)


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = LocalSettings(directory=tmp_path, port=taken.getsockname()[1])
        with pytest.raises(OperationError) as caught:
            await LocalNats.open(settings).__aenter__()
    assert (caught.value.code, "port" in caught.value.message) == (Code.BAD_SETTINGS, True)


async def test_a_server_that_dies_is_started_again_on_its_port(tmp_path: Path) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        await local.republish([make_record(1)])
        before = server_pid(tmp_path)
        os.kill(before, signal.SIGKILL)
        await until_server_is_another(tmp_path, before)
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    await local.republish([make_record(2)])
                    break
                except OperationError:  # it is being started: the same call is repeated, as a node does
                    continue
        assert await stored(local) == 2


async def test_a_server_that_dies_with_much_on_its_way_is_connected_to_again(tmp_path: Path) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        before, pid = await local.connection(), server_pid(tmp_path)
        os.kill(pid, signal.SIGSTOP)
        sending = await piled_up(before)
        os.kill(pid, signal.SIGKILL)
        await until_server_is_another(tmp_path, pid)
        assert await local.connection() is not before
        await sending


async def test_a_node_killed_outright_leaves_nothing_that_stops_the_next(tmp_path: Path, root: Path) -> None:
    program = (
        "import asyncio, sys, pathlib\n"
        "from subscribers.local import LocalNats, LocalSettings\n"
        "async def main():\n"
        "    async with LocalNats.open(LocalSettings(directory=pathlib.Path(sys.argv[1]))) as local:\n"
        "        await local.add_client('bot')\n"
        "        print('ready', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    node = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=PIPE, cwd=root, env={"PYTHONPATH": str(root)}
    )
    assert node.stdout
    async with asyncio.timeout(DEADLINE):
        while b"ready" not in await node.stdout.readline():
            pass
        node.kill()
        await node.communicate()
        async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
            assert [each.name for each in local.clients()] == ["bot"]
            async with connected(local, tmp_path, "bot"):
                pass


async def test_clients_registered_while_the_node_was_down_are_taken_up(tmp_path: Path) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        await local.add_client("old")
    registry = Registry(tmp_path)
    registry.remove("old")
    registry.add("new", Role.READER, Tlp.RED, bytes(range(32)))
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        async with connected(local, tmp_path, "new"):
            pass
        js = (await local.connection()).jetstream(timeout=DEADLINE)
        assert [each.name for each in await js.consumers_info("BULLETINS")] == ["new"]


async def test_bad_clients_are_refused_with_what_to_do(tmp_path: Path) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        await local.add_client("bot")
        for name, code in (("bot", Code.ALREADY_KNOWN), ("Bot", Code.BAD_REQUEST), ("a.b", Code.BAD_REQUEST)):
            with pytest.raises(OperationError) as caught:
                await local.add_client(name)
            assert (caught.value.code, bool(caught.value.fix)) == (code, True)
        for removing in (local.remove_client("none"), local.set_client("none", Role.ADMIN, Tlp.RED)):
            with pytest.raises(OperationError) as caught:
                await removing
            assert caught.value.code is Code.NOT_FOUND
        assert [each.name for each in local.clients()] == ["bot"]


async def test_a_damaged_registry_is_named(tmp_path: Path) -> None:
    Registry(tmp_path).add("bot", Role.READER, Tlp.RED, bytes(32))
    (tmp_path / "clients.json").write_text('[{"name": "bot"}]')
    with pytest.raises(OperationError) as caught:
        Registry(tmp_path)
    assert caught.value.code is Code.STORE_CORRUPT


async def test_connections_streams_and_standing_requests_survive_changes_of_clients(tmp_path: Path) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        await local.add_client("bot")
        await hearing(local, tmp_path, "bot")
        node = await local.connection()
        async with connected(local, tmp_path, "bot") as bot, asyncio.timeout(DEADLINE):
            live = await collect(bot.nc, "bulletin.live.>")
            pulled = await collect(bot.nc, "_INBOX.mine")
            ask = b'{"batch": 100, "expires": 60000000000}'
            await bot.nc.publish("$JS.API.CONSUMER.MSG.NEXT.BULLETINS.bot", ask, reply="_INBOX.mine")
            await bot.nc.flush()
            numbers = count()
            for name in ("one", "two", "three"):
                await local.add_client(name)
                async with connected(local, tmp_path, name) as other:
                    heard = await collect(other.nc, "bulletin.>")
                    # Under load nats-server 2.15.1 may take a moment to connect a plain subscription of an
                    # account that is new. Who was there before misses nothing.
                    while heard.empty():
                        sent = next(numbers)
                        await local.republish([make_record(sent)])
                        for queue in (live, pulled):
                            message = await queue.get()
                            assert json.loads(message.data)["bulletin"]["ref"] == f"FRA-2026-{sent:04d}"
                await local.remove_client(name)
            assert bot.nc.is_connected
            assert bot.errors.empty()
            assert not bot.closed.is_set()
        assert await local.connection() is node
        assert await stored(local) == next(numbers)


async def test_a_removed_client_is_disconnected_and_stays_out(tmp_path: Path) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        seed = await local.add_client("bot")
        kept = tmp_path / "kept.nk"
        kept.write_bytes(seed.read_bytes())
        async with connected(local, tmp_path, "bot") as bot, asyncio.timeout(DEADLINE):
            await local.remove_client("bot")
            await bot.closed.wait()
        assert not seed.exists()
        assert await turned_away(local, kept)
        await local.add_client("bot")  # a new key: the old one stays worthless
        assert await turned_away(local, kept)


async def turned_away(local: LocalNats, seed_file: Path) -> bool:
    """Whether the server refuses this key."""
    away = OperationError(Code.NODE_UNREACHABLE, "away")
    link = Link(local.url, seed_file.read_bytes().strip(), "old", unreachable=away)
    link.start()
    try:
        await link.connection(DEADLINE)
    except OperationError as error:
        return error.code is Code.FORBIDDEN
    else:
        return False
    finally:
        await link.close()


async def test_a_server_that_turns_a_client_away_for_a_moment_is_tried_again(tmp_path: Path) -> None:
    away = OperationError(Code.NODE_UNREACHABLE, "away", "wait")
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        seed = (await local.add_client("kept", Role.READER, Tlp.GREEN)).read_bytes().strip()
        port = int(local.url.rsplit(":", 1)[1])
        turned = count(1)

        async def door(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inside, outside = await asyncio.open_connection("127.0.0.1", port)
            writer.write(await inside.readline())
            if next(turned) <= 3:  # as a server does that is reading its configuration
                await reader.readline()
                writer.write(b"-ERR 'Authorization Violation'\r\n")
            else:
                async with asyncio.TaskGroup() as group:
                    for source, sink in ((reader, outside), (inside, writer)):
                        group.create_task(passed(source, sink))
            for each in (outside, writer):
                each.close()

        async with await asyncio.start_server(door, "127.0.0.1", 0) as server:
            where = server.sockets[0].getsockname()[1]
            link = Link(f"nats://127.0.0.1:{where}", seed, "kept", unreachable=away)
            link.start()
            try:
                assert (await link.connection(DEADLINE)).is_connected
            finally:
                await link.close()
        assert next(turned) >= 5  # more where the server took too long to say that it is well


async def passed(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """What comes goes on, until either end has gone."""
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()
