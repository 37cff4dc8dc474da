"""Bringing the demonstration's world up: the same commands, in the same order, as people would give them."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from hub.demo import plan
from hub.demo.plan import Agency, Community
from hub.demo.processes import Process, Processes, find_command
from schemas.errors import Code, OperationError

T = TypeVar("T")

HUB_TURN, NODE_TURN, CLIENT_TURN = 0, 1, 2
AT_ONCE: Final = 3
"""Commands under way at the same time: each is mostly the start of an interpreter."""
_KNOWN_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.1

Say = Callable[[str], None]


class World:
    """The running federation. `directory` holds everything that it writes."""

    def __init__(self, directory: Path, processes: Processes, say: Say) -> None:
        self.directory = directory
        self.processes = processes
        self.fingerprint = ""
        self.hub_url = ""
        self.communities: dict[str, str] = {}
        """Ids by slug."""
        self.endpoints: dict[str, str] = {}
        """Public account keys by agency id."""
        self.tails: dict[str, Process] = {}
        self.publishers: dict[str, Process] = {}
        self._say = say
        self._free = asyncio.Semaphore(AT_ONCE)
        self._commands = {
            name: find_command(name)
            for name in ("liaison-root", "liaison-hub", "liaison-agency", "liaison-bot", "liaison-witness")
        }

    def program(self, name: str) -> str:
        """Where a command of Liaison is."""
        return self._commands[name]

    @property
    def hub_state(self) -> Path:
        """The hub's own directory: all that it has on disk."""
        return self.directory / "hub"

    @property
    def witness_state(self) -> Path:
        """The witness's own directory."""
        return self.directory / "witness"

    def state_of(self, agency: str) -> Path:
        """An agency's own directory."""
        return self.directory / "agencies" / agency

    async def command(self, name: str, *arguments: str | Path) -> dict[str, Any]:
        """Run one of Liaison's commands with `--json` to its end, and give back what it answered."""
        async with self._free:
            return await self.processes.run(self._commands[name], *map(str, arguments), "--json")

    async def agency(self, agency: str, *arguments: str | Path) -> dict[str, Any]:
        """A command of `liaison-agency` on an agency's state."""
        return await self.command("liaison-agency", *arguments, "--state", self.state_of(agency))

    async def hub(self, *arguments: str | Path) -> dict[str, Any]:
        """A command of `liaison-hub` on the hub's state."""
        return await self.command("liaison-hub", *arguments, "--state", self.hub_state)

    async def begin(self) -> None:
        """Secretariat, hub, agencies, communities, until every node knows the names of its communities."""
        for name in ("agencies", "post", "chat"):
            (self.directory / name).mkdir(mode=0o700)
        self._say("the secretariat makes its keys, the hub and the agencies theirs")
        await gather(
            [self._secretariat_and_hub(), *(self._keys(each) for each in (*plan.AGENCIES, plan.FORMER))]
        )
        self._say("the agencies are admitted, and start their nodes")
        await gather([self._joins(each) for each in (*plan.AGENCIES, plan.FORMER)])
        self._say("the owners found two communities and an event cell")
        await gather([self._found(each) for each in plan.COMMUNITIES])
        await gather([self._knows(each) for each in plan.AGENCIES])

    async def open_desks(self) -> None:
        """At each agency, one process that publishes and one that shows what arrives."""
        await gather([self._desk(each.id) for each in plan.AGENCIES])

    async def integrator(self) -> Process:
        """A client of one agency's local NATS, made as for any integrator, and the plain example as that
        client.
        """
        agency = plan.INTEGRATOR_AGENCY
        made = await self.agency(
            agency, "client", "add", plan.INTEGRATOR_CLIENT, "--ceiling", plan.INTEGRATOR_CEILING
        )
        url = (self.state_of(agency) / "local" / "url").read_text("ascii").strip()
        example = (sys.executable, "-m", "subscribers.examples.plain_nats")
        process = await self.processes.start(
            "integrator", *example, url, made["seed_file"], plan.INTEGRATOR_SUBJECT, turn=CLIENT_TURN
        )
        said = await process.line()
        if said is None or not said.startswith("listening"):
            raise process.failure("did not listen")
        return process

    async def watch(self) -> Process:
        """What the hub sees, from the first message on."""
        return await self.processes.start(
            "watch",
            *(
                self._commands["liaison-hub"],
                "watch",
                "--json",
                "--from-start",
                "--state",
                str(self.hub_state),
            ),
            turn=CLIENT_TURN,
        )

    async def _secretariat_and_hub(self) -> None:
        secretariat, request = self.directory / "secretariat", self.hub_state / "hub-request.dsse"
        document = self.directory / "post" / "hub.dsse"
        await gather([self._secretariat(secretariat), self.hub("init", "--name", plan.HUB_NAME)])
        registrar = secretariat / "registrar-1.key"
        await self.command("liaison-root", "sign-hub", request, "--key", registrar, "--out", document)
        await self.hub("install", secretariat / "root.dsse", document)
        serve = ("serve", "--port", "0", "--websocket-port", "0", "--json", "--state", str(self.hub_state))
        hub = await self.processes.start("hub", self._commands["liaison-hub"], *serve, turn=HUB_TURN)
        ready = await hub.first()
        self.fingerprint, self.hub_url = ready["fingerprint"], ready["nats"]
        await self._witness()

    async def _secretariat(self, secretariat: Path) -> None:
        made = await self.command(
            "liaison-witness", "init", "--name", plan.WITNESS, "--state", self.witness_state
        )
        watch = ("--witness", f"{plan.WITNESS}={made['key']}", "--quorum", "1")
        keys = ("--keys", "2-of-3", "--registrar", "1-of-2")
        await self.command("liaison-root", "create", secretariat, *keys, *watch)

    async def _witness(self) -> None:
        """The witness's process, and the first head with its word: before that no node begins anything."""
        state, admission = self.witness_state, self.directory / "post" / "witness.json"
        await self.hub("admit-witness", state / "witness.request", "--out", admission)
        told = ("--root-fingerprint", self.fingerprint)
        await self.command("liaison-witness", "enrol", admission, *told, "--state", state)
        run = ("run", "--json", "--state", str(state))
        witness = await self.processes.start(
            "witness", self._commands["liaison-witness"], *run, turn=NODE_TURN
        )
        await witness.first()
        async with asyncio.timeout(_KNOWN_SECONDS):
            while not (await self.hub("status"))["head"]["cosigned"]:  # noqa: ASYNC110 - it lives in another process
                await asyncio.sleep(_LOOK_SECONDS)

    async def _keys(self, agency: Agency) -> None:
        names = ("--agency", agency.id, "--name", agency.name, "--code", agency.code)
        await self.agency(agency.id, "init", *names)

    async def guest(self) -> tuple[str, ...]:
        """Let an agency in that has no node: the words of the command that reads as it."""
        guest, community = plan.GUEST.id, plan.FOREIGN_FIGHTERS
        await self._keys(plan.GUEST)
        admission = await self._admitted(plan.GUEST)
        await self.agency(community.owner, "community", "add", community.slug, guest, "--reader")
        told = ("--admission", str(admission), "--root-fingerprint", self.fingerprint)
        return ("--state", str(self.state_of(guest)), *told, "--follow")

    async def _admitted(self, agency: Agency) -> Path:
        """Its admission file, with its entry in the directory."""
        request = self.state_of(agency.id) / "enrolment.dsse"
        post = self.directory / "post"
        document, admission = post / f"{agency.id}.dsse", post / f"{agency.id}.json"
        registrar = self.directory / "secretariat" / "registrar-1.key"
        await self.command("liaison-root", "sign-agency", request, "--key", registrar, "--out", document)
        admitted = await self.hub("admit", request, document, "--out", admission)
        self.endpoints[agency.id] = admitted["endpoint"]
        return admission

    async def _joins(self, agency: Agency) -> None:
        admission = await self._admitted(agency)
        await self.agency(agency.id, "enrol", admission, "--root-fingerprint", self.fingerprint)
        if agency is not plan.FORMER:
            run = ("run", "--json", "--state", str(self.state_of(agency.id)))
            name = f"node-{agency.id}"
            node = await self.processes.start(name, self._commands["liaison-agency"], *run, turn=NODE_TURN)
            await node.first()

    async def _found(self, community: Community) -> None:
        owner = community.owner
        made = await self.agency(owner, "community", "create", community.slug, "--title", community.title)
        self.communities[community.slug] = made["id"]
        others = [each for each in community.members if each != owner]
        former = [plan.FORMER.id] if community is plan.GAMES else []
        await self.agency(owner, "community", "add", community.slug, *others, *former)
        for gone in former:
            await self.agency(owner, "community", "remove", community.slug, gone)

    async def _knows(self, agency: Agency) -> None:
        """Wait until the node has learned the names of all its communities."""
        wanted = set(plan.communities_of(agency.id))
        state = str(self.state_of(agency.id))
        program = self._commands["liaison-agency"]
        async with asyncio.timeout(_KNOWN_SECONDS):
            while True:
                answer = await self.processes.run(program, "community", "list", "--json", "--state", state)
                if {each["slug"] for each in answer.get("items", [])} >= wanted:
                    return

    async def _desk(self, agency: str) -> None:
        program, state = self._commands["liaison-agency"], str(self.state_of(agency))
        self.tails[agency] = await self.processes.start(
            f"tail-{agency}", program, "tail", "--json", "--state", state, turn=CLIENT_TURN
        )
        self.publishers[agency] = await self.processes.start(
            f"publish-{agency}", program, "publish-lines", "--state", state, turn=CLIENT_TURN, reads=True
        )


async def gather(work: Sequence[Awaitable[T]]) -> None:
    """Do all at once. The first failure ends the others and is raised by itself."""

    async def one(each: Awaitable[T]) -> None:
        await each

    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(one(each))
    except* OperationError as failures:
        raise first_error(failures) from None
    except* TimeoutError:
        raise OperationError(Code.INTERNAL, "the world did not come up in time", "see its logs") from None


def first_error(failures: BaseExceptionGroup[OperationError]) -> OperationError:
    """One of the errors of a group, for people."""
    found: BaseException = failures
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, OperationError) else OperationError(Code.INTERNAL, type(found).__name__)
