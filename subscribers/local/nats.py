"""The agency's own NATS as the node uses it: server, accounts, clients and BULLETINS as one thing."""

import asyncio
import contextlib
import hashlib
import json
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Final, Self

import structlog
from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import Code, OperationError
from schemas.subjects import local_change
from schemas.vocabulary import Realm, Tlp
from subscribers.link import Link
from subscribers.local.accounts import FEED_INFO, STORE_KEY_VARIABLE, ServerPlan, render_config
from subscribers.local.clients import Registry, load_or_make_seed
from subscribers.local.files import make_private_directory, write_private
from subscribers.local.server import Server
from subscribers.local.spoiled import Spoiled
from subscribers.local.stream import drop_durables, ensure_durable, ensure_stream, newest, republish
from subscribers.private_files import read_private
from subscribers.records import Change, Record
from subscribers.service.roles import ClientEntry, Role

_WAIT: Final = 10.0
_RELOADS: Final = 4
_PROBE: Final = 2.0
_SMALL: Final = 4096
_PORTS_TRIED: Final = 5
_PORTS: Final = range(20_000, 32_768)
"""The port is kept for good, so it is one that Linux gives to no outgoing connection (32768 and above), which
could hold it when the node starts again.
"""
_KEY_SIZE: Final = 32
_REFUSALS: Final = 2
"""Attempts to write in a row that came to nothing, after which the server is started anew."""
_ROOM: Final = 64 * 1024 * 1024
"""Bytes free on the disk: without them a server that starts anew would be no better."""
_MIB: Final = 1024 * 1024

log = structlog.get_logger(__name__)


class LocalSettings(BaseModel):
    """Where the agency's NATS keeps its files and listens, and how long it keeps bulletins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory: Path
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0: a free one is chosen at the first start and kept for every later one."""
    retention_days: Annotated[int, Field(ge=1, le=90)] = 7
    max_bytes: Annotated[int, Field(ge=_MIB)] = 256 * _MIB


class _Made(BaseModel):
    """What was settled at the first start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int
    store_key_digest: str


class LocalNats:
    """The running server with the node's connection to it. Made by `LocalNats.open`."""

    def __init__(
        self, settings: LocalSettings, server: Server, plan: ServerPlan, registry: Registry, node: Link,
        system: Link, randomness: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._server = server
        self._refusals = 0
        self._plan = plan
        self._registry = registry
        self._system = system
        self._randomness = randomness
        self._spoiled = Spoiled(settings.directory)
        self._changing = asyncio.Lock()
        self._publisher: tuple[Client, JetStreamContext] | None = None
        self.link = node
        """The node's own connection, kept alive: `await link.connection(seconds)`, `await
        link.on_connection(callback)`.
        """

    @property
    def url(self) -> str:
        """Where clients connect: `nats://HOST:PORT`."""
        return f"nats://{self._plan.host}:{self._plan.port}"

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: LocalSettings, randomness: Callable[[int], bytes] = secrets.token_bytes
    ) -> AsyncIterator[Self]:
        """Start the server, connect, and make stream and durables; stop it all when the block is left.

        Raises OperationError `bad_settings` (port taken, server refuses), `wrong_key`, `disk_full`,
        `store_corrupt`.
        """
        directory = settings.directory
        make_private_directory(directory)
        registry = Registry(directory)
        node_seed, node_key = load_or_make_seed(directory / "node.nk", randomness(_KEY_SIZE))
        system_seed, system_key = load_or_make_seed(directory / "system.nk", randomness(_KEY_SIZE))
        store_key, made = _store_key(directory, randomness)
        async with AsyncExitStack() as stack:
            plan = ServerPlan(directory, settings.host, settings.port or made.port, node_key, system_key)
            server, plan = await _start(stack, plan, registry, store_key)
            made = _Made(port=plan.port, store_key_digest=made.store_key_digest)
            write_private(directory / "local.json", made.model_dump_json().encode() + b"\n")
            url = f"nats://{plan.host}:{plan.port}"
            write_private(directory / "url", url.encode() + b"\n")
            system = Link(url, system_seed, "system", unreachable=_unreachable())
            node = Link(url, node_seed, "node", unreachable=_unreachable())
            for link in (system, node):
                link.start()
                stack.push_async_callback(link.close)
            local = cls(settings, server, plan, registry, node, system, randomness)
            await local._prepare()
            yield local

    async def _prepare(self) -> None:
        js = (await self.link.connection(_WAIT)).jetstream()
        await ensure_stream(js, self._settings.retention_days, self._settings.max_bytes)
        for client in self._registry.entries:
            await ensure_durable(js, client, self._spoiled)
        await drop_durables(js, {each.name for each in self._registry.entries})

    async def connection(self) -> Client:
        """The node's connection. Raises OperationError `node_unreachable` when there is none within 10 s."""
        return await self.link.connection(_WAIT)

    async def write(self, records: Sequence[Record]) -> None:
        """As `republish`: the agency's own NATS is one of its sinks."""
        await self.republish(records)

    async def republish(self, records: Sequence[Record]) -> None:
        """Into BULLETINS, in order, each once however often it is repeated. Raises OperationError
        `node_unreachable`.
        """
        nc = await self.connection()
        if self._publisher is None or self._publisher[0] is not nc:
            # One for each connection: a context subscribes to an inbox of its own and never leaves it.
            self._publisher = (nc, nc.jetstream())
        try:
            await republish(self._publisher[1], records)
        except OperationError:
            self._refused()
            raise
        self._refusals = 0

    def _refused(self) -> None:
        """A write came to nothing. A server that once could not write a block of the stream, for the disk was
        full, refuses that block for good, and so everything behind it.
        """
        self._refusals += 1
        room = shutil.disk_usage(self._settings.directory).free
        if self._refusals >= _REFUSALS and room >= _ROOM:
            self._refusals = 0
            log.warning("the local server stores nothing and is started anew", free=room)
            self._server.renew()

    async def newest(self) -> str | None:
        """The id of the bulletin that was republished last, as far as the disk has kept it; None when there
        is none. Raises OperationError `node_unreachable`.
        """
        nc = await self.connection()
        try:
            return await newest(nc.jetstream())
        except (Error, TimeoutError):
            raise _unreachable() from None

    async def correct(self, changes: Sequence[Change]) -> None:
        """What became of bulletins, to every client that listens now and may see them. Raises OperationError
        `node_unreachable`.
        """
        for each in changes:
            realm = Realm.EXERCISE if each.exercise else Realm.LIVE
            subject = local_change(realm, each.community_slug, each.kind, each.severity, each.tlp)
            await self.announce(subject, each.model_dump_json().encode())

    async def announce(self, subject: str, data: bytes) -> None:
        """To every client that listens now. Raises OperationError `node_unreachable`."""
        nc = await self.connection()
        try:
            await nc.publish(subject, data)
        except Error:
            raise _unreachable() from None

    def clients(self) -> list[ClientEntry]:
        """The registered clients, by name."""
        return self._registry.entries

    def client(self, name: str) -> ClientEntry | None:
        """The registered client of that name."""
        return self._registry.find(name)

    async def add_client(self, name: str, role: Role = Role.READER, ceiling: Tlp = Tlp.AMBER) -> Path:
        """Register a client, live. Returns its seed file. Raises OperationError `bad_request`,
        `already_known`.
        """
        async with self._changing:
            entry = self._registry.add(name, role, ceiling, self._randomness(_KEY_SIZE))
            await self._apply(entry)
        log.info("client added", client=name, role=role, ceiling=ceiling)
        return self._registry.seed_file(name)

    async def set_client(self, name: str, role: Role, ceiling: Tlp) -> ClientEntry:
        """Change a client's role and ceiling, live; its connections stay. OperationError `not_found`."""
        async with self._changing:
            entry = self._registry.change(name, role, ceiling)
            await self._apply(entry)
        log.info("client changed", client=name, role=role, ceiling=ceiling)
        return entry

    async def remove_client(self, name: str) -> None:
        """Cut a client off at once, and delete its key and its durable. Raises OperationError `not_found`."""
        async with self._changing:
            self._registry.remove(name)
            await self._reload()
            js = (await self.connection()).jetstream()
            await drop_durables(js, {each.name for each in self._registry.entries})
        log.info("client removed", client=name)

    async def _apply(self, client: ClientEntry) -> None:
        """Durable, then accounts; done when the client itself reaches its durable."""
        js = (await self.connection()).jetstream()
        await ensure_durable(js, client, self._spoiled)
        seed = read_private(self._registry.seed_file(client.name), _SMALL).strip()
        for _ in range(_RELOADS):
            await self._reload()
            if await _reaches_durable(self.url, seed, client.name):
                return
        raise OperationError(
            Code.NODE_UNREACHABLE,
            "the agency's NATS did not take up the client",
            "restart the node; read server.log",
        )

    async def _reload(self) -> None:
        """Have the server read its configuration again. Live: no connection, stream or standing request is
        lost.

        Twice, for nats-server 2.15.1 connects the service imports of an account that is new in a reload only
        at the next reload.
        """
        _write_config(self._plan, self._registry)
        nc = await self._system.connection(_WAIT)
        try:
            for _ in range(2):
                server = json.loads((await nc.request("$SYS.REQ.SERVER.PING", timeout=_WAIT)).data)["server"][
                    "id"
                ]
                answer = json.loads(
                    (await nc.request(f"$SYS.REQ.SERVER.{server}.RELOAD", timeout=_WAIT)).data
                )
                if "error" in answer:
                    raise _not_reloaded("it refused its new configuration")
        except (Error, ValueError, KeyError, TypeError) as error:
            raise _not_reloaded(type(error).__name__) from None


def _not_reloaded(reason: str) -> OperationError:
    return OperationError(
        Code.NODE_UNREACHABLE,
        f"the agency's NATS did not take up the change: {reason}",
        "the change is kept: restart the node, and read server.log if it does not start",
    )


def _unreachable() -> OperationError:
    return OperationError(
        Code.NODE_UNREACHABLE,
        "the agency's NATS does not answer",
        "it is being restarted; read server.log if it goes on",
    )


def _store_key(directory: Path, randomness: Callable[[int], bytes]) -> tuple[str, _Made]:
    """The key of the store in hex, and what was settled at the first start. The store is worth nothing
    without its key.
    """
    made = _recall(directory / "local.json")
    path = directory / "store.key"
    if not path.exists() and made is None:
        write_private(path, randomness(_KEY_SIZE).hex().encode() + b"\n")
    key = read_private(path, _SMALL).strip().decode("ascii", "replace")
    digest = hashlib.sha256(b"liaison store key\0" + key.encode()).hexdigest()
    if made and made.store_key_digest != digest:
        raise OperationError(
            Code.WRONG_KEY,
            f"{path} is not the key that the agency's NATS was made with",
            "restore it; or remove this directory and add the clients again: the archive has the bulletins",
        )
    return key, made or _Made(port=0, store_key_digest=digest)


def _recall(path: Path) -> _Made | None:
    if not path.exists():
        return None
    try:
        return _Made.model_validate_json(read_private(path, _SMALL))
    except ValidationError:
        raise OperationError(Code.STORE_CORRUPT, f"{path} is damaged", "restore it from a backup") from None


def _write_config(plan: ServerPlan, registry: Registry) -> Path:
    path = plan.directory / "server.conf"
    write_private(path, render_config(plan, registry.entries).encode())
    return path


async def _start(
    stack: AsyncExitStack, plan: ServerPlan, registry: Registry, store_key: str
) -> tuple[Server, ServerPlan]:
    """Start the server on the plan's port; on a free one, and on another if that is taken meanwhile, where it
    is 0.
    """
    for left in range(_PORTS_TRIED if plan.port == 0 else 1)[::-1]:
        chosen = plan._replace(port=plan.port or _free_port(plan.host))
        config = _write_config(chosen, registry)
        server = Server(plan.directory, config, {STORE_KEY_VARIABLE: store_key})
        try:
            await server.start()
        except OperationError:
            if left == 0:
                raise
        else:
            stack.push_async_callback(server.stop)
            return server, chosen
    raise AssertionError("unreachable: the last attempt returns or raises")


def _free_port(host: str) -> int:
    for _ in range(_PORTS_TRIED):
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        with contextlib.suppress(OSError), socket.create_server((host, port)):
            return port
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


async def _reaches_durable(url: str, seed: bytes, name: str) -> bool:
    """Whether the client can ask for its own durable, tried as the client."""
    link = Link(url, seed, f"probe-{name}", unreachable=_unreachable())
    link.start()
    try:
        nc = await link.connection(_PROBE)
        answer = await nc.request(FEED_INFO, timeout=_PROBE)
        return "error" not in json.loads(answer.data)
    except (OperationError, Error):
        return False
    finally:
        await link.close()
