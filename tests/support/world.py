"""A federation of real processes, started by their real commands: secretariat, hub, agencies' nodes.

One world serves a whole test session: a test makes its own community in it, and what it kills it starts
again. An agency comes into being when it is first asked for.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import uuid
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import nats
from nats.aio.msg import Msg

from hub.demo.ports import free_ports
from schemas.bulletin import Draft, parse_draft
from schemas.vocabulary import Realm, Tlp
from subscribers.client import Agency, ClientSettings
from subscribers.exchange.hub_link import Admission
from subscribers.keys import Keyring
from subscribers.local import Role
from subscribers.records import Community, Filters, Published
from tests.support.forked import ROOT, Forked, spawn

DEADLINE: Final = 90.0
"""Seconds within which anything that is waited for has to come about."""
PATIENCE: Final = int(DEADLINE)
"""The same for nats-py, which otherwise gives a server two seconds to say something while it connects."""
_BIN: Final = Path(sys.executable).parent
_FEW: Final = 100
"""Messages that are taken at once, so that each is acknowledged long before the server would repeat it."""
_PAUSE_FIRST: Final = 0.02
_PAUSE_MOST: Final = 0.1
_PAUSE_GROWTH: Final = 1.5
"""To ask takes the processor from those who are to bring it about: the longer it takes, the less often."""


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # whatever the command prints
        """Its one JSON value on stdout."""
        return json.loads(self.out)

    @property
    def code(self) -> str:
        """The code of a refusal on stderr, as JSON or as a line."""
        last = self.err.strip().splitlines()[-1]
        return str(json.loads(last)["code"]) if last.startswith("{") else last.partition(":")[0]


async def command(directory: Path, name: str, *words: str | Path, given: bytes | None = None) -> Result:
    """Run one of the console scripts to its end."""
    process = await spawn(
        _BIN / name,
        *words,
        cwd=directory,
        env=_environment(),
        stdin=PIPE if given is not None else DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE):
            out, err = await process.communicate(given)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
        raise
    return Result(process.returncode or 0, out.decode(), err.decode())


async def eventually(check: Callable[[], Awaitable[object]], deadline: float = DEADLINE) -> None:
    """Return once `await check()` is true. TimeoutError after `deadline` seconds."""
    pause = _PAUSE_FIRST
    async with asyncio.timeout(deadline):
        while not await check():
            await asyncio.sleep(pause)
            pause = min(_PAUSE_GROWTH * pause, _PAUSE_MOST)


def draft(title: str, **fields: object) -> Draft:
    """A threat bulletin, or what `fields` make of it."""
    given = {"kind": "threat", "language": "en", "severity": "high", "tlp": "TLP:GREEN", "title": title}
    return parse_draft({**given, **fields})


class Program:
    """A long-running command. `ready` is the JSON of its first line on stdout."""

    def __init__(self, directory: Path, log: Path, *words: str | Path) -> None:
        self._directory = directory
        self._log = log
        self.words = words
        self._process: Forked | None = None
        self.ready: dict[str, Any] = {}

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> str:
        """Everything that it wrote to stderr, in all its runs."""
        return self._log.read_text("utf-8")

    @property
    def last_words(self) -> str:
        """The end of that, the last line first: of a long message a summary shows the beginning."""
        return "\n".join(reversed(self.log.splitlines()[-12:]))

    async def launch(self, *more: str | Path) -> None:
        """Start it and do not wait for its line."""
        with self._log.open("ab") as log:
            self._process = await spawn(
                *self.words,
                *more,
                cwd=self._directory,
                env=_environment(),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=log,
            )

    async def start(self, *more: str | Path) -> None:
        """Start it, and return when it says that it is ready."""
        await self.launch(*more)
        line = await self.line()
        assert line, f"{self.words[0]} ended: {self.last_words}"
        self.ready = json.loads(line)

    async def line(self) -> str:
        """Its next line on stdout; empty at its end."""
        assert self._process
        assert self._process.stdout
        async with asyncio.timeout(DEADLINE):
            return (await self._process.stdout.readline()).decode()

    async def says(self, wanted: str) -> None:
        """Return once it has written this line to stdout; what it writes before is passed over."""
        while (line := await self.line()) != f"{wanted}\n":
            assert line, f"it ended before it said {wanted}"

    async def kill(self) -> None:
        """SIGKILL, if it runs."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; its exit status."""
        return await self._end(signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit status, once it has ended by itself."""
        assert self._process
        async with asyncio.timeout(DEADLINE):
            await self._process.communicate()
        return self._process.returncode or 0

    async def _end(self, order: signal.Signals) -> int:
        if self._process and self.running:
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                self._process.send_signal(order)
        return await self.ended() if self._process else 0


@dataclass
class Member:
    """An agency: its state directory, its node, and what its plain nats-py reader was given."""

    world: "World"
    id: str
    code: str
    state: Path
    node: Program = field(init=False)
    _given: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.node = self.program(_BIN / "liaison-agency", "run", "--json")

    @property
    def jsonl(self) -> Path:
        """Where its JSON-lines sink writes."""
        return self.state / "bulletins.jsonl"

    @property
    def admission(self) -> Admission:
        """What the hub gave it."""
        return Admission.read(self.state / "admission.json")

    @property
    def endpoint(self) -> str:
        """Its account key at the hub."""
        return self.admission.endpoint

    @property
    def keys(self) -> Keyring:
        """Its keys."""
        return Keyring.load(self.state / "keys")

    def program(self, *words: str | Path) -> Program:
        """A way of running its node: `words`, then the state and the sink."""
        where = ("--state", self.state, "--jsonl", self.jsonl)
        return Program(self.world.directory, self.world.directory / f"{self.id}.log", *words, *where)

    async def run(self, *words: str | Path, given: bytes | None = None) -> Result:
        """`liaison-agency WORDS --state ... --json`."""
        return await self.world.command(
            "liaison-agency", *words, "--state", self.state, "--json", given=given
        )

    async def start(self) -> None:
        """Start the node, and see that the plain reader has its key."""
        await self.node.start()
        if not self._seed("plain").exists():
            async with self.client() as agency:
                await agency.client_add("plain", Role.READER, Tlp.RED)

    @contextlib.asynccontextmanager
    async def client(self, name: str = "cli") -> AsyncIterator[Agency]:
        """A connection to the node as one of its local clients, patient with a busy machine."""
        settings = ClientSettings.from_directory(self.state / "local", name)
        patient = settings.model_copy(update={"timeout": DEADLINE, "open_timeout": DEADLINE})
        async with Agency.open(patient) as agency:
            yield agency

    async def publish(self, title: str, community: str, **fields: object) -> Published:
        """One bulletin through the API."""
        async with self.client() as agency:
            return await agency.publish(draft(title, **fields), community)

    async def settled(self, said: Published) -> str | None:
        """The code with which the hub refused a bulletin, or None once it has admitted it. A busy hub may
        take longer than `publish` waits.
        """
        found: list[str | None] = []

        async def answered() -> bool:
            async with self.client() as agency:
                entries = {each.id: each for each in await agency.outbox()}
            entry = entries.get(said.id)
            found[:] = [entry.code if entry else None]
            return entry is None or entry.state == "refused"

        await eventually(answered)
        return found[0]

    async def found(
        self, *members: "Member", realm: Realm = Realm.LIVE, slug: str | None = None
    ) -> Community:
        """A community that this agency owns, once every member's node knows it by its name."""
        for each in (self, *members):
            await each.connected()
        async with self.client() as agency:
            slug = slug or f"c{uuid.uuid4().hex[:10]}"
            made = await agency.community_create(slug, f"Community {slug}", realm=realm)
            for each in members:
                await agency.community_add(slug, each.id)
        for each in (self, *members):
            await each.knows(slug)
        return made

    async def connected(self, *, wanted: bool = True) -> None:
        """Return once the node says that it is connected to the hub, or that it is not."""

        async def stands() -> bool:
            async with self.client() as agency:
                return (await agency.status()).connected is wanted

        await eventually(stands)

    async def knows(self, slug: str) -> None:
        """Return once the node has the community's card."""

        async def named() -> bool:
            async with self.client() as agency:
                return slug in {each.slug for each in await agency.communities()}

        await eventually(named)

    async def titles(self, slug: str, limit: int = 100) -> list[str]:
        """The titles of the archive's bulletins of a community, newest first."""
        async with self.client() as agency:
            filters = Filters(communities=frozenset({slug}))
            page = await agency.latest(filters, limit)
            titles = [each.bulletin.title for each in page.items]
            while page.cursor:
                page = await agency.latest(filters, limit, page.cursor)
                titles += [each.bulletin.title for each in page.items]
            return titles

    async def has(self, slug: str, *titles: str) -> None:
        """Return once the archive, the sink and the local stream have bulletins with these titles."""

        async def there() -> bool:
            return set(titles) <= set(await self.titles(slug))

        async def passed_on() -> bool:
            return set(titles) <= set(self.lines(slug)) and set(titles) <= set(await self.delivered(slug))

        await eventually(there)
        await eventually(passed_on)

    def lines(self, slug: str) -> list[str]:
        """The titles of a community in the sink's file, in its order."""
        if not self.jsonl.exists():
            return []
        records = map(json.loads, self.jsonl.read_text("utf-8").splitlines())
        return [each["bulletin"]["title"] for each in records if each.get("community_slug") == slug]

    async def delivered(self, slug: str) -> list[str]:
        """The titles of a community as plain nats-py got them from the agency's own NATS, in their order."""
        await self._drain()
        return [title for where, title in self._given if where == slug]

    async def quarantined(self) -> list[dict[str, Any]]:
        """What the node refused, newest first, as `liaison-agency quarantine --json` has it."""
        async with self.client() as agency:
            return [each.model_dump(mode="json") for each in await agency.quarantine()]

    def _seed(self, name: str) -> Path:
        return self.state / "local" / "clients" / f"{name}.nk"

    async def _drain(self) -> None:
        """Take everything that waits in the plain reader's durable. Only nats-py is used."""
        url = (self.state / "local" / "url").read_text().strip()
        nc = await nats.connect(
            url,
            nkeys_seed=str(self._seed("plain")),
            inbox_prefix="_INBOX",
            allow_reconnect=False,
            connect_timeout=PATIENCE,
        )
        try:
            inbox = nc.new_inbox()
            arrived = await nc.subscribe(inbox)
            asked = json.dumps({"batch": _FEW, "no_wait": True}).encode()
            while True:
                await nc.publish("$JS.API.CONSUMER.MSG.NEXT.BULLETINS.plain", asked, reply=inbox)
                if not await self._take(arrived.next_msg):
                    return
        finally:
            await nc.close()

    async def _take(self, next_msg: Callable[[float], Awaitable[Msg]]) -> bool:
        """The messages of one request; whether there were any."""
        taken = 0
        while taken < _FEW:  # so many are given without a further word
            message = await next_msg(DEADLINE)
            if message.headers and "Status" in message.headers:
                return taken > 0
            self._given.append((message.subject.split(".")[2], json.loads(message.data)["bulletin"]["title"]))
            await message.ack_sync(DEADLINE)
            taken += 1
        return True


class World:
    """Made by `World.opened`."""

    def __init__(self, directory: Path, port: int, *serve: str) -> None:
        self.directory = directory
        self.port = port
        self.leaf_port = 0
        """Where the hub lets leaf nodes in; 0 where it does not."""
        self.fingerprint = ""
        self.secretariat = "SEC"
        """Where the keys of the root that is in force lie: a test that rotates it says so here."""
        log = directory / "hub.log"
        self.hub = Program(
            directory,
            log,
            _BIN / "liaison-hub",
            "serve",
            "--state",
            self.state,
            "--port",
            str(port),
            *serve,
            "--json",
        )
        self.members: dict[str, Member] = {}
        self._joining = asyncio.Lock()
        self._reviving = asyncio.Lock()

    @property
    def state(self) -> Path:
        """The hub's state directory."""
        return self.directory / "HUB"

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls, directory: Path, *serve: str, watch: Sequence[str] = (), leaves: bool = False
    ) -> AsyncIterator["World"]:
        """A secretariat and a running hub, served with these options; everything is stopped in the end.
        `watch` are options of `liaison-root create` about witnesses; `leaves`: it lets leaf nodes in.
        """
        port, leaf_port = free_ports(2)
        world = cls(directory, port, *serve, *(("--leaf-port", str(leaf_port)) if leaves else ()))
        world.leaf_port = leaf_port if leaves else 0
        await world.found(*watch)
        try:
            await world.hub.start()
            world.fingerprint = world.hub.ready["fingerprint"]
            yield world
        finally:
            await asyncio.gather(*(member.node.kill() for member in world.members.values()))
            await world.hub.kill()

    async def found(self, *watch: str) -> None:
        """A secretariat, and a hub that could be run. `watch` as for `opened`."""
        create = ("create", "SEC", "--keys", "2-of-3", "--registrar", "1-of-2", *watch)
        await asyncio.gather(
            self.done("liaison-root", *create),
            self.done("liaison-hub", "init", "--state", "HUB", "--name", "Centre"),
        )
        registrar = ("--key", "SEC/registrar-1.key", "--out", "hub.dsse")
        await self.done("liaison-root", "sign-hub", "HUB/hub-request.dsse", *registrar)
        await self.done("liaison-hub", "install", "SEC/root.dsse", "hub.dsse", "--state", "HUB")

    async def command(self, name: str, *words: str | Path, given: bytes | None = None) -> Result:
        """Run a console script in the world's directory."""
        return await command(self.directory, name, *words, given=given)

    async def done(self, name: str, *words: str | Path) -> Result:
        """The same, and it must succeed."""
        result = await self.command(name, *words)
        assert result.status == 0, f"{name} {' '.join(map(str, words))}: {result.err}"
        return result

    async def operate(self, *words: str) -> Any:  # whatever the command prints
        """`liaison-hub WORDS --json` of the running hub: its JSON."""
        return (await self.done("liaison-hub", *words, "--state", self.state, "--json")).json

    async def agencies(self, *ids: str) -> list[Member]:
        """Enrolled agencies with running nodes."""
        return list(await asyncio.gather(*map(self.agency, ids)))

    async def agency(self, id: str) -> Member:
        """An enrolled agency with a running node: made when it is first asked for, started if it is down. So
        is the hub, lest one test's failure be every other's.
        """
        async with self._reviving:
            if not self.hub.running:
                await self.hub.start()
        member = self.members.get(id) or await self.enrol(id)
        if not member.node.running:
            await member.start()
        return member

    async def enrol(self, id: str, state: Path | None = None) -> Member:
        """An agency with keys, admitted and registered, whose node does not run."""
        member = await self.prepare(id, state)
        await self.done("liaison-agency", "enrol", f"{id}.json", *self._enrolment(member))
        self.members[id] = member
        return member

    async def prepare(self, id: str, state: Path | None = None) -> Member:
        """An agency with keys and an admission file, not enrolled yet."""
        member = Member(self, id, id.upper().replace("-", ""), state or self.directory / id)
        who = ("--agency", id, "--name", f"Agency {id}", "--code", member.code)
        await self.done("liaison-agency", "init", "--state", member.state, *who)
        request = member.state / "enrolment.dsse"
        key = ("--key", f"{self.secretariat}/registrar-1.key")
        await self.done("liaison-root", "sign-agency", request, *key, "--out", f"{id}.dsse")
        out = ("--state", "HUB", "--out", f"{id}.json")
        await self.done("liaison-hub", "admit", request, f"{id}.dsse", *out)
        return member

    def _enrolment(self, member: Member) -> tuple[str | Path, ...]:
        return ("--root-fingerprint", self.fingerprint, "--state", member.state)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIAISON_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
