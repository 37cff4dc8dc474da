"""Accounts over a real server: minted, pushed live, suspended, replaced, removed, kept over a restart."""

import asyncio
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import nats.errors
import pytest
from nats.aio.msg import Msg
from structlog.testing import capture_logs

from hub.accounts import Accounts, Credentials, Service
from hub.claims import delete, push, push_all
from hub.durables import ensure_endpoint
from hub.jwt import KeyKind, NKey, check_public
from hub.server import NatsServer, find_binary, read_ports
from hub.streams import ensure_streams
from schemas.errors import Code, FormatError, OperationError
from tests.support.nats_server import DEADLINE, HubNats, eventually, hub_nats

COM = "0a" * 16
OTHER = "0b" * 16
LIVE = ("live", COM)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[HubNats]:
    async with hub_nats(tmp_path) as made:
        yield made


def test_keys_are_private_files_and_never_shown(tmp_path: Path) -> None:
    accounts = Accounts.create(tmp_path / "hub")
    user = NKey.generate(KeyKind.USER)
    accounts.mint("Ministry of Rain", user.public)
    accounts.write_control_credentials(tmp_path / "control.creds")

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "hub" / "keys").stat().st_mode) == 0o700
    (endpoint,) = accounts.endpoints()
    credentials = accounts.credentials(Service.HUB)
    for secret, shown in (
        (endpoint.seed, repr(endpoint)),
        (credentials.seed, repr(credentials)),
        (user.seed, repr(user)),
    ):
        assert secret.decode() not in shown
        assert secret.startswith(b"S")


def test_loading_gives_the_same_accounts_and_jwts(tmp_path: Path) -> None:
    first = Accounts.create(tmp_path)
    given = first.mint("A", NKey.generate(KeyKind.USER).public, frozenset({LIVE}))
    first.suspend(given.account_public)

    again = Accounts.load(tmp_path)
    assert again.endpoints() == first.endpoints()
    assert again.hub_public == first.hub_public
    assert again.account_jwt(given.account_public) == first.account_jwt(given.account_public)
    assert again.endpoint(given.account_public).suspended


def test_a_user_jwt_fits_the_control_line_whatever_the_communities(tmp_path: Path) -> None:
    many = frozenset(("live", f"{number:032x}") for number in range(1000))
    given = Accounts.create(tmp_path).mint("N" * 64, NKey.generate(KeyKind.USER).public, many)
    assert len(given.user_jwt) < 2048


def test_a_jwt_is_never_issued_twice_in_one_second_nor_backwards(tmp_path: Path) -> None:
    now = [1000.0]
    accounts = Accounts.create(tmp_path, clock=lambda: now[0])
    public = accounts.mint("A", NKey.generate(KeyKind.USER).public).account_public
    accounts.suspend(public)
    assert accounts.endpoint(public).issued_at == 1001
    now[0] = 10.0
    accounts.resume(public)
    assert accounts.endpoint(public).issued_at == 1002


def test_creating_over_existing_keys_is_refused(tmp_path: Path) -> None:
    Accounts.create(tmp_path)
    with pytest.raises(OperationError) as refused:
        Accounts.create(tmp_path)
    assert refused.value.code is Code.ALREADY_KNOWN


def test_loading_without_keys_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OperationError) as refused:
        Accounts.load(tmp_path)
    assert refused.value.code is Code.NOT_FOUND
    assert "liaison-hub init" in refused.value.fix


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Accounts.create(tmp_path)
    (tmp_path / "keys" / "operator.nk").chmod(0o640)
    with pytest.raises(OperationError) as refused:
        Accounts.load(tmp_path)
    assert refused.value.code is Code.FORBIDDEN


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"version": 2}'])
def test_a_damaged_record_is_named(tmp_path: Path, damage: bytes) -> None:
    public = Accounts.create(tmp_path).mint("A", NKey.generate(KeyKind.USER).public).account_public
    (tmp_path / "accounts" / f"{public}.json").write_bytes(damage)
    with pytest.raises(OperationError, match=public) as refused:
        Accounts.load(tmp_path)
    assert refused.value.code is Code.STORE_CORRUPT


def test_a_record_under_another_name_is_refused(tmp_path: Path) -> None:
    accounts = Accounts.create(tmp_path)
    public = accounts.mint("A", NKey.generate(KeyKind.USER).public).account_public
    other = NKey.generate(KeyKind.ACCOUNT).public
    (tmp_path / "accounts" / f"{public}.json").rename(tmp_path / "accounts" / f"{other}.json")
    with pytest.raises(OperationError) as refused:
        Accounts.load(tmp_path)
    assert refused.value.code is Code.STORE_CORRUPT


def test_one_user_key_has_one_account_for_ever(tmp_path: Path) -> None:
    accounts = Accounts.create(tmp_path)
    first, second = NKey.generate(KeyKind.USER), NKey.generate(KeyKind.USER)
    public = accounts.mint("A", first.public).account_public
    accounts.replace_user(public, second.public)
    for known in (first, second):
        with pytest.raises(OperationError) as refused:
            accounts.mint("B", known.public)
        assert refused.value.code is Code.ALREADY_KNOWN


def test_public_keys_are_read_strictly() -> None:
    user = NKey.generate(KeyKind.USER)
    assert check_public(KeyKind.USER, user.public) == user.public
    assert NKey.from_seed(user.seed).public == user.public
    account = NKey.generate(KeyKind.ACCOUNT)
    flipped = user.public[:10] + ("A" if user.public[10] != "A" else "B") + user.public[11:]
    for bad in (
        "",
        "U",
        user.public.lower(),
        user.public + "=",
        user.public[:-1],
        flipped,
        account.public,
        user.seed.decode(),
        "é",
    ):
        with pytest.raises(FormatError) as refused:
            check_public(KeyKind.USER, bad)
        assert refused.value.code is Code.BAD_KEY
    with pytest.raises(FormatError):
        NKey.from_seed(user.public.encode())


@pytest.mark.parametrize("name", ["", "x" * 65, "two\nlines"])
def test_unusable_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OperationError) as refused:
        Accounts.create(tmp_path).mint(name, NKey.generate(KeyKind.USER).public)
    assert refused.value.code is Code.BAD_REQUEST


async def test_suspension_disconnects_and_resumption_lets_back_in(running: HubNats) -> None:
    peer = await running.admit("A", LIVE)
    bystander = await running.admit("B", LIVE)
    await push(running.system, running.accounts.suspend(peer.public))
    await asyncio.wait_for(peer.disconnected.wait(), DEADLINE)
    with pytest.raises(nats.errors.Error):
        await running.join(peer.public, peer.user, peer.user_jwt)
    assert not bystander.disconnected.is_set()

    await push(running.system, running.accounts.resume(peer.public))
    again = await running.join(peer.public, peer.user, peer.user_jwt)
    assert b'"seq"' in await again.request(f"in.live.{COM}.routine.{peer.public}", b"x")


async def test_a_replaced_user_is_out_and_the_new_one_in(running: HubNats) -> None:
    peer = await running.admit("A", LIVE)
    fresh = NKey.generate(KeyKind.USER)
    given = running.accounts.replace_user(peer.public, fresh.public)
    await push(running.system, given.account_jwt)
    await asyncio.wait_for(peer.disconnected.wait(), DEADLINE)
    with pytest.raises(nats.errors.Error):
        await running.join(peer.public, peer.user, peer.user_jwt)
    again = await running.join(peer.public, fresh, given.user_jwt)
    assert b'"seq"' in await again.request(f"in.live.{COM}.routine.{peer.public}", b"x")


async def test_a_user_jwt_needs_its_private_key(running: HubNats) -> None:
    peer = await running.admit("A", LIVE)
    with pytest.raises(nats.errors.Error):
        await running.join(peer.public, NKey.generate(KeyKind.USER), peer.user_jwt)


async def test_a_removed_endpoint_cannot_connect(running: HubNats) -> None:
    peer = await running.admit("A", LIVE)
    await delete(running.system, running.accounts.remove(peer.public))
    await asyncio.wait_for(peer.disconnected.wait(), DEADLINE)
    with pytest.raises(nats.errors.Error):
        await running.join(peer.public, peer.user, peer.user_jwt)
    with pytest.raises(OperationError) as refused:
        running.accounts.endpoint(peer.public)
    assert refused.value.code is Code.NOT_FOUND


async def test_entitlements_change_without_a_new_connection(running: HubNats) -> None:
    peer = await running.admit("A", LIVE)
    added = f"in.live.{OTHER}.flash.{peer.public}"
    with pytest.raises(nats.errors.NoRespondersError):
        await peer.request(added, b"x")
    await running.entitle(peer, LIVE, ("live", OTHER))
    assert b'"seq"' in await peer.request(added, b"x")
    await running.entitle(peer, ("live", OTHER))
    with pytest.raises(nats.errors.NoRespondersError):
        await peer.request(f"in.live.{COM}.routine.{peer.public}", b"x")
    assert b'"seq"' in await peer.request(added, b"x")
    assert not peer.disconnected.is_set()
    assert peer.errors == []


async def test_the_control_user_reaches_the_control_service_only(running: HubNats, tmp_path: Path) -> None:
    running.accounts.write_control_credentials(tmp_path / "control.creds")

    async def answer(message: Msg) -> None:
        await message.respond(b"fine")

    await running.hub.subscribe("ctl.status", cb=answer)
    await running.hub.flush()
    refusals: asyncio.Queue[Exception] = asyncio.Queue()
    command = await nats.connect(
        running.server.url, user_credentials=str(tmp_path / "control.creds"), error_cb=refusals.put
    )
    assert (await command.request("ctl.status", timeout=DEADLINE)).data == b"fine"
    for subject in ("$JS.API.STREAM.LIST", "f.live.x.routine.y", "$SYS.REQ.SERVER.PING"):
        await command.publish(subject, b"")
        assert "permissions violation" in str(await asyncio.wait_for(refusals.get(), DEADLINE)).lower()
    await command.close()


async def test_a_restart_keeps_accounts_and_messages(tmp_path: Path) -> None:
    async with hub_nats(tmp_path) as first:
        peer = await first.admit("A", LIVE)
        await peer.request(f"in.live.{COM}.routine.{peer.public}", b"kept")
        gone = await first.admit("B", LIVE)
        # A crash between the record and the push: the server still knows the account.
        first.accounts.remove(gone.public)
    async with hub_nats(tmp_path) as second:
        again = await second.join(peer.public, peer.user, peer.user_jwt)
        assert (
            await again.request(f"in.live.{COM}.routine.{peer.public}", b"x")
            == b'{"stream":"INTAKE","seq":2}'
        )
        with pytest.raises(nats.errors.Error):
            await second.join(gone.public, gone.user, gone.user_jwt)


async def test_a_lost_resolver_directory_is_made_again(tmp_path: Path) -> None:
    async with hub_nats(tmp_path) as first:
        peer = await first.admit("A", LIVE)
    for file in (tmp_path / "nats" / "resolver").rglob("*.jwt"):
        file.unlink()
    async with hub_nats(tmp_path) as second:
        await second.join(peer.public, peer.user, peer.user_jwt)


async def test_a_killed_server_comes_back_on_its_port_with_everything(running: HubNats) -> None:
    peer = await running.admit("A", LIVE)
    subject = f"in.live.{COM}.routine.{peer.public}"
    await peer.request(subject, b"before")
    url, pid = running.server.url, running.server.pid
    process = await asyncio.create_subprocess_exec("kill", "-9", str(pid))
    await process.wait()

    async def restarted() -> bool:
        return running.server.restarts == 1

    await eventually(restarted)
    assert running.server.url == url
    assert running.server.pid != pid
    again = await running.join(peer.public, peer.user, peer.user_jwt)
    # The intake's end may be gone with the server (decision 0031): then its number is given again.
    assert await again.request(subject, b"after") in {b'{"stream":"INTAKE","seq":%d}' % seq for seq in (1, 2)}


async def test_a_server_that_cannot_come_back_is_tried_again_until_it_can(
    running: HubNats, tmp_path: Path
) -> None:
    ports = tmp_path / "nats" / "ports"
    with capture_logs() as logs:
        ports.rename(tmp_path / "away")
        ports.touch()
        process = await asyncio.create_subprocess_exec("kill", "-9", str(running.server.pid))
        await process.wait()

        async def failed() -> bool:
            return any(entry["event"] == "nats server restart failed" for entry in logs)

        await eventually(failed)
    ports.unlink()
    (tmp_path / "away").rename(ports)

    async def restarted() -> bool:
        return running.server.restarts == 1

    await eventually(restarted)
    again = await nats.connect(running.server.url, **running.accounts.credentials(Service.HUB).options())
    await again.close()


async def test_only_the_operators_accounts_count(running: HubNats, tmp_path: Path) -> None:
    """The server stores what the system account gives it, but lets nobody in whose account another operator
    signed.
    """
    user = NKey.generate(KeyKind.USER)
    given = Accounts.create(tmp_path / "stranger").mint("A", user.public)
    await push(running.system, given.account_jwt)
    with pytest.raises(nats.errors.Error):
        await running.join(given.account_public, user, given.user_jwt)
    await push_all(running.system, running.accounts)
    listed = await running.system.request("$SYS.REQ.CLAIMS.LIST", b"", timeout=DEADLINE)
    assert given.account_public.encode() not in listed.data


async def test_refused_and_unanswered_pushes_are_told_apart(running: HubNats) -> None:
    with pytest.raises(OperationError) as refused:
        await push(running.system, "not.a.jwt")
    assert refused.value.code is Code.INTERNAL
    with pytest.raises(OperationError) as refused:
        await push(running.hub, running.accounts.hub_jwt, timeout=0.5)
    assert refused.value.code is Code.HUB_UNREACHABLE


async def test_two_servers_never_share_a_store(running: HubNats, tmp_path: Path) -> None:
    second = NatsServer(tmp_path / "nats", running.accounts, port=0)
    with pytest.raises(OperationError) as refused:
        await second.start(deadline=0.3)
    assert refused.value.code is Code.ALREADY_RUNNING
    assert running.system.is_connected


async def test_the_server_ends_with_a_killed_hub_and_frees_the_store(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from hub.accounts import Accounts\nfrom hub.server import NatsServer\n"
        "async def main(d):\n"
        "    s = NatsServer(d / 'nats', Accounts.load_or_create(d / 'hub'), port=0)\n"
        "    await s.start()\n    sys.stdout.write(f'ready {s.pid}\\n')\n    sys.stdout.flush()\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main(Path(sys.argv[1])))\n"
    )
    hub = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert hub.stdout
    async with asyncio.timeout(DEADLINE):
        while not (await hub.stdout.readline()).startswith(b"ready"):
            pass
    hub.kill()
    await hub.wait()
    async with hub_nats(tmp_path) as next_one:
        assert next_one.hub.is_connected


async def test_a_port_in_use_is_explained(running: HubNats, tmp_path: Path) -> None:
    port = int(running.server.url.rsplit(":", 1)[1])
    other = NatsServer(tmp_path / "other", running.accounts, port=port)
    with pytest.raises(OperationError, match="in use") as refused:
        await other.start()
    assert refused.value.code is Code.HUB_UNREACHABLE


async def test_an_existing_server_serves_with_the_snippet(tmp_path: Path) -> None:
    accounts = Accounts.create(tmp_path / "hub")
    (tmp_path / "operator.conf").write_text(accounts.server_config(tmp_path / "resolver"))
    (tmp_path / "nats.conf").write_text(
        f'host: 127.0.0.1\nport: -1\nports_file_dir: "{tmp_path}"\nmax_payload: 512KB\n'
        f'jetstream {{ store_dir: "{tmp_path / "store"}", sync_interval: always }}\ninclude operator.conf\n'
    )
    server = await asyncio.create_subprocess_exec(
        *(str(find_binary()), "-c", str(tmp_path / "nats.conf")), stderr=asyncio.subprocess.DEVNULL
    )
    try:

        async def listening() -> bool:
            return read_ports(tmp_path) is not None

        await eventually(listening)
        url = (read_ports(tmp_path) or {})["nats"][0]
        system = await nats.connect(url, **accounts.credentials(Service.SYSTEM).options())
        await push_all(system, accounts)
        hub = await nats.connect(url, **accounts.credentials(Service.HUB).options())
        await ensure_streams(hub)
        user = NKey.generate(KeyKind.USER)
        given = accounts.mint("A", user.public, frozenset({LIVE}))
        await push(system, given.account_jwt)
        await ensure_endpoint(hub, given.account_public, frozenset({LIVE}))
        agency = await nats.connect(url, **Credentials(given.user_jwt, user.seed).options())
        stored = await agency.request(f"in.live.{COM}.flash.{given.account_public}", b"x", timeout=DEADLINE)
        assert b'"seq":1' in stored.data
        for nc in (agency, hub, system):
            await nc.close()
    finally:
        server.terminate()
        await server.wait()
