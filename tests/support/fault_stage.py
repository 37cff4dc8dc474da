"""A small federation for the fault suite: a sender, a reader with a bot and a chat, a member that was put
out, one hub. Every process is the real command, with gates (`tests.support.gated`), and may be killed.

What becomes of bulletins is collected into a `History` from where they are: the hub's stream, the archives,
the sinks' files, the local streams and the chat.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import nats
from nats.errors import Error as NatsError

from bots.sandbox.client import SandboxClient, SandboxUser
from bots.sandbox.server import Sandbox
from hub.accounts import Accounts, Service
from schemas.errors import LiaisonError
from schemas.frame import BULLETIN, Header, parse_frame
from schemas.subjects import BULLETINS
from schemas.vocabulary import Tlp
from subscribers.local import Role
from subscribers.records import Community, Filters
from tests.support.disks import run
from tests.support.far_hub import Host
from tests.support.fault_table import Row, Table
from tests.support.history import (
    Acknowledged,
    Admitted,
    Arrived,
    Asked,
    Chain,
    Entitled,
    Finding,
    History,
    Place,
    Revoked,
    check,
)
from tests.support.hub_world import stored
from tests.support.officers_bot import running_sandbox
from tests.support.steps import Step
from tests.support.world import Member, Program, World, eventually

Disk = TypeVar("Disk")

SENDER: Final = "fr"
READER: Final = "kz"
OUTSIDER: Final = "gb"
ROLES: Final = {SENDER: "sender", READER: "reader", OUTSIDER: "outsider"}
CLOCKS: Final = ("sender", "reader", "outsider", "hub", "bot")
"""Whose clocks can be turned."""
CHAT: Final = "chat"
ARCHIVE: Final = "archive"
DEADLINE: Final = 240.0
"""Seconds. What is late on a busy machine is not lost."""
_LAST_WORD: Final = 20.0
_HUB: Final = """intake_bytes = 67108864
quarantine_bytes = 16777216
chunk_bytes = 16777216
"""
_BOT: Final = """overall_rate = 1000.0
chat_rate = 100.0
chat_burst = 100
poll_seconds = 5
asking_rate = 100.0
asking_burst = 100
"""


@dataclass
class Case:
    """One fault; its bulletins are known by its number."""

    name: str
    number: int
    given: int = 0

    def titles(self, number: int) -> list[str]:
        """So many new ones."""
        self.given += number
        numbers = range(self.given - number, self.given)
        return [f"Case {self.number:03}-{each:02} {self.name}" for each in numbers]


@dataclass
class Stage:
    """Made by `opened`. `community` is of sender and reader; the outsider was in it, and was put out."""

    world: World
    members: dict[str, Member]
    community: Community
    bot: Program
    sandbox: Sandbox
    officer: SandboxUser
    gates: Path
    table: Table
    clients: list[Asked | Acknowledged] = field(default_factory=list)
    before: set[str] = field(default_factory=set)
    """What was admitted while the outsider was inside."""
    known: set[Finding] = field(default_factory=set)
    cases: int = 0
    hub_url: str = ""
    """Several: with commas between."""
    hub_tls: dict[str, Any] = field(default_factory=dict)
    """What a connection there takes of TLS."""
    endpoints: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.endpoints = {id: member.endpoint for id, member in self.members.items()}  # kept: a disk may fail
        self.hub_url = f"nats://127.0.0.1:{self.world.port}"

    @contextlib.asynccontextmanager
    async def judged(self, fault: str, step: str = "") -> AsyncIterator["Case"]:
        """A fault is at work within the block. What runs no more is started first; afterwards everything is
        judged, and put into the table.
        """
        await self.revive()
        self.cases += 1
        case = Case(f"{fault} {step}".strip(), self.cases)
        before = len(self.clients)
        yield case
        during = self.clients[before:]
        asked = sum(isinstance(each, Asked) for each in during)
        findings = await self.verdict(case)
        self.table.add(Row(fault, step, asked, len(during) - asked, findings))

    # -- what is asked ------------------------------------------------------------------------------------

    async def publish(self, title: str, sender: str = SENDER) -> bool:
        """Ask once; whether the node answered."""
        member = self.members[sender]
        self.clients.append(Asked(title, Chain(self.endpoints[sender], self.community.id)))
        try:
            async with asyncio.timeout(DEADLINE):
                said = await member.publish(title, self.community.slug)
        except (LiaisonError, NatsError, OSError, TimeoutError):
            return False
        if said.state == "refused":
            return False
        self.clients.append(Acknowledged(title))
        return True

    async def publish_in_turn(self, titles: list[str]) -> int:
        """Each after the one before it was answered or was not; how many were."""
        return sum([await self.publish(title) for title in titles])

    async def sound(self, case: "Case") -> str:
        """Publish until a node answers; the title of what it answered. Each try is a bulletin of its own."""
        tried: list[str] = []

        async def answered() -> bool:
            tried.extend(case.titles(1))
            return await self.publish(tried[-1])

        await eventually(answered, DEADLINE)
        return tried[-1]

    # -- what is done to it -------------------------------------------------------------------------------

    def arm(self, step: Step) -> None:
        """Have the next call that comes to the step wait there."""
        (self.gates / step.role / f"{step.name}.armed").touch()

    async def reached(self, step: Step) -> None:
        """Return once something waits at the step."""

        async def waits() -> bool:
            return (self.gates / step.role / f"{step.name}.reached").exists()

        await eventually(waits, DEADLINE)

    def release(self) -> None:
        """Nothing waits anywhere, or will."""
        for state in ("armed", "reached"):
            for each in self.gates.glob(f"*/*.{state}"):
                each.unlink(missing_ok=True)

    def turn(self, role: str, ahead: int) -> None:
        """Set a process's clock, or that of the hub's machine, so many milliseconds ahead of the real one."""
        file = self.gates / role / "clock"
        new = file.with_suffix(".new")
        new.write_text(str(ahead))
        new.replace(file)

    def pid(self, process: str) -> int:
        """The process id of one of `steps.PROCESSES`."""
        match process:
            case "hub":
                return self.world.hub.pid
            case "hub-nats":
                return next(each for each in under(self.world.hub.pid) if _is_server(each))
            case "bot":
                return self.bot.pid
            case "sender" | "reader":
                return self._member(process).node.pid
        return server_under(self._member(process))

    async def kill(self, process: str) -> None:
        """SIGKILL; what a person starts is started again, and a server under it by its own supervisor."""
        os.kill(self.pid(process), signal.SIGKILL)
        if program := self._program(process):
            await program.ended()
            await program.start()

    async def revive(self) -> None:
        """Start what a fault before this one has left ended, and open every gate."""
        self.release()
        for program in self.programs():
            if not program.running:
                await program.start()

    @contextlib.contextmanager
    def stopped(self, *processes: str) -> Iterator[None]:
        """SIGSTOP, and SIGCONT in the end."""
        pids = [self.pid(each) for each in processes]
        try:
            for each in pids:
                os.kill(each, signal.SIGSTOP)
            yield
        finally:
            for each in pids:
                os.kill(each, signal.SIGCONT)

    def programs(self) -> list[Program]:
        """Everything that a person starts, in the order in which they would."""
        return [self.world.hub, *(each.node for each in self.members.values()), self.bot]

    def pids(self) -> list[int]:
        """Everything that runs, with what runs under it."""
        return [pid for program in self.programs() for pid in (program.pid, *under(program.pid))]

    async def crash(self, pids: Sequence[int]) -> None:
        """All of them end at once, as on a machine without power."""
        for each in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        for program in self.programs():
            await program.ended()

    async def halt(self) -> None:
        """Everything ends as it should."""
        for program in reversed(self.programs()):
            assert await program.stop() == 0, program.last_words

    @contextlib.asynccontextmanager
    async def hub_on(self, host: Host) -> AsyncIterator[None]:
        """The hub is on another host meanwhile, and each agency reaches it by its own link."""
        files = [each.state / "admission.json" for each in self.members.values()]
        kept = [each.read_bytes() for each in files]
        here, url, port = self.world.hub, self.hub_url, self.world.port
        await self.halt()
        for member in self.members.values():
            _point(member, f"nats://{host.link(member.id)}:{port}")
        self.hub_url = f"nats://{host.link('us')}:{port}"
        self.world.hub = Program(
            self.world.directory,
            self.world.directory / "hub.log",
            *host.inside(*here.words, "--host", "0.0.0.0"),  # noqa: S104 - of a host that has these links alone
        )
        try:
            await self.revive()
            yield
        finally:
            await self.halt()
            for file, data in zip(files, kept, strict=True):
                file.write_bytes(data)
            self.world.hub, self.hub_url = here, url
            await self.revive()

    @contextlib.asynccontextmanager
    async def everything_on(self, disk: AbstractContextManager[Disk]) -> AsyncIterator[Disk]:
        """All state of all processes is on this disk meanwhile."""
        here = self.world.directory
        away = here.with_suffix(".away")
        await self.halt()
        shutil.copytree(here, away, symlinks=True)
        try:
            with disk as made:
                shutil.copytree(away, here, symlinks=True, dirs_exist_ok=True)
                run("sync", "--file-system", here)  # what the copy left unwritten is no fault of the product
                await self.revive()
                yield made
                await self.halt()
                shutil.rmtree(away)
                shutil.copytree(here, away, symlinks=True, ignore=shutil.ignore_patterns("lost+found"))
        finally:
            for program in self.programs():
                await program.kill()
            shutil.rmtree(here, ignore_errors=True)
            shutil.copytree(away, here, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(away)
            await self.revive()

    def _program(self, process: str) -> Program | None:
        match process:
            case "hub":
                return self.world.hub
            case "bot":
                return self.bot
            case "sender" | "reader":
                return self._member(process).node
        return None

    def _member(self, process: str) -> Member:
        return self.members[SENDER if process.startswith("sender") else READER]

    # -- what became of it --------------------------------------------------------------------------------

    async def verdict(self, case: "Case") -> list[Finding]:
        """What is wrong that was not before, once a last bulletin has gone all the way and what is missing
        has had its time.
        """
        self.release()
        last = await self.sound(case)
        found: list[Finding] = []

        async def is_everywhere() -> bool:
            sinks = (self.members[id].lines(self.community.slug) for id in (SENDER, READER))
            told = {each.bulletin for each in self.told()}
            return last in told and all(last in lines for lines in sinks)

        async def is_clean() -> bool:
            with contextlib.suppress(LiaisonError, NatsError, OSError, TimeoutError):
                found[:] = [each for each in check(await self.history()) if each not in self.known]
                return not found
            return False

        with contextlib.suppress(TimeoutError):
            await eventually(is_everywhere, DEADLINE)  # cheap to ask; everything before it is there as well
        with contextlib.suppress(TimeoutError):
            await eventually(is_clean, DEADLINE)
        self.known |= set(found)
        return found

    async def history(self) -> History:
        """As it stands now."""
        places = {}
        ids: dict[str, str] = {}
        slug = self.community.slug
        for member in self.members.values():
            held = await archived(member, slug)
            ids.update(held)
            for surface, titles in (
                (ARCHIVE, [title for _, title in held]),
                ("sink", member.lines(slug)),
                ("stream", await streamed(member, slug)),
            ):
                places[Place(member.id, surface)] = [Arrived(each) for each in titles]
        places[Place(READER, CHAT)] = self.told()
        return History(
            self.clients, await self._admitted(ids), places, frozenset({CHAT}), frozenset({ARCHIVE})
        )

    def told(self) -> list[Arrived]:
        """What the chat was told, in its order."""
        asked = {each.bulletin for each in self.clients}
        found = []
        for _, message in sorted(self.officer.messages.items()):
            text = str(message.get("text", ""))
            title = next((each for each in text.splitlines() if each in asked), "")
            if title:
                found.append(Arrived(title, marked="♻️" in text))
        return found

    async def _admitted(self, ids: dict[str, str]) -> list[Entitled | Revoked | Admitted]:
        """What the hub wrote, by its own stream; `ids` are the titles of bulletins' ids."""
        hub: list[Entitled | Revoked | Admitted] = [Entitled(id, self.community.id) for id in self.members]
        inside = True
        for header in await self._headers():
            title = ids.get(header.id, header.id)
            if inside and title not in self.before:
                inside = False
                hub.append(Revoked(OUTSIDER, self.community.id))
            hub.append(Admitted(title, Chain(header.pub, header.com, header.pr), header.seq))
        return hub

    async def _headers(self) -> list[Header]:
        """Of the bulletins in the hub's traffic to the community, in its order."""
        accounts = Accounts.load(self.world.state / "hub")
        nc = await nats.connect(
            self.hub_url.split(","),
            **accounts.credentials(Service.HUB).options(),
            **self.hub_tls,
            allow_reconnect=False,
        )
        try:
            messages = await stored(nc, "TRAFFIC", f"f.*.{self.community.id}.>")
        finally:
            await nc.close()
        headers = [parse_frame(each.data).header for each in messages]
        return [each for each in headers if each.k == BULLETIN]


def under(pid: int) -> list[int]:
    """The processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for task in tasks for each in task.read_text().split()]


def _is_server(pid: int) -> bool:
    return b"nats-server" in Path(f"/proc/{pid}/cmdline").read_bytes()


def server_under(member: Member) -> int:
    """The process id of a node's nats-server."""
    return int((member.state / "local" / "server.pid").read_text())


def _point(member: Member, url: str) -> None:
    """Have an agency's node look for the hub there."""
    file = member.state / "admission.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "urls": [url]}))


async def archived(member: Member, slug: str) -> list[tuple[str, str]]:
    """Ids and titles of a community's bulletins in an archive, oldest first."""
    found = []
    async with member.client() as agency:
        filters = Filters(communities=frozenset({slug}))
        page = await agency.latest(filters, 100)
        found += page.items
        while page.cursor:
            page = await agency.latest(filters, 100, page.cursor)
            found += page.items
    return [(each.bulletin.id, each.bulletin.title) for each in reversed(found)]


async def streamed(member: Member, slug: str) -> list[str]:
    """The titles in the agency's local stream, as its server has them."""
    local = member.state / "local"
    nc = await nats.connect(
        (local / "url").read_text().strip(), nkeys_seed=str(local / "node.nk"), allow_reconnect=False
    )
    try:
        subscription = await nc.jetstream().subscribe(
            f"bulletin.*.{slug}.>", stream=BULLETINS, ordered_consumer=True
        )
        found: list[str] = []
        left = (await subscription.consumer_info()).num_pending
        while left:
            message = await subscription.next_msg(_LAST_WORD)
            found.append(json.loads(message.data)["bulletin"]["title"])
            left = message.metadata.num_pending
    finally:
        await nc.close()
    return found


@contextlib.asynccontextmanager
async def opened(directory: Path, table: Table) -> AsyncIterator[Stage]:
    """Everything up, the outsider put out, the officer subscribed to everything."""
    gates = prepare_gates(directory)
    (directory / "liaison-hub.toml").write_text(_HUB)
    async with World.opened(directory) as world:
        await world.hub.stop()
        words = world.hub.words[1:]
        world.hub = Program(directory, directory / "hub.log", *gated(gates / "hub", "hub"), *words)
        await world.hub.start()
        async with peopled(world, gates, table) as stage:
            yield stage


def prepare_gates(directory: Path) -> Path:
    """Where gates and clocks of what works in a directory are."""
    gates = directory.with_suffix(".gates")  # beside it: disks will be put over the directory
    for role in CLOCKS:
        (gates / role).mkdir(parents=True)
    return gates


@contextlib.asynccontextmanager
async def peopled(world: World, gates: Path, table: Table) -> AsyncIterator[Stage]:
    """The agencies of a stage, the bot and the chat, in a world whose hub runs."""
    (world.directory / "bot.toml").write_text(_BOT)
    async with running_sandbox() as (sandbox, client):
        members = {id: await _joined(world, id, gates) for id in (SENDER, READER, OUTSIDER)}
        sender, reader, outsider = members.values()
        community = await sender.found(reader, outsider)
        async with reader.client() as agency:
            await agency.client_add("bot", Role.PUBLISHER, Tlp.RED)
        bot = _bot(world, reader, sandbox, gates)
        await bot.start()
        try:
            officer = await _officer(world, client)
            stage = Stage(world, members, community, bot, sandbox, officer, gates, table)
            stage.before.add(await stage.sound(Case("before", 0)))
            await outsider.has(community.slug, *stage.before)
            async with sender.client() as agency:
                await agency.community_remove(community.slug, OUTSIDER)
            yield stage
        finally:
            await bot.kill()


def gated(gates: Path, command: str) -> tuple[str, ...]:
    """The command line of one of the commands with gates."""
    return (sys.executable, "-m", "tests.support.gated", str(gates), command)


async def _joined(world: World, id: str, gates: Path) -> Member:
    member = await world.enrol(id)
    member.node = member.program(*gated(gates / ROLES[id], "agency"), "run", "--json")
    await member.start()
    return member


def _bot(world: World, reader: Member, sandbox: Sandbox, gates: Path) -> Program:
    token = world.directory / "token"
    token.write_text(sandbox.bots[0].token)
    return Program(
        world.directory,
        world.directory / "bot.log",
        *gated(gates / "bot", "bot"),
        *("run", "--token-file", token, "--api-url", sandbox.base_url),
        *("--node-dir", reader.state / "local", "--json-events", "-"),
    )


async def _officer(world: World, client: SandboxClient) -> SandboxUser:
    """Ed, who subscribes to everything."""
    added = (await world.done("liaison-bot", "officer", "add", "Ed", "--admin", "--json")).json
    officer = client.user("Ed")
    await officer.ask(f"/start {added['code']}")
    menu = await officer.ask("/subscribe")
    for label in ("Preview", "Save"):
        await officer.press(label, menu)
        await officer.next_edit()
    return officer
