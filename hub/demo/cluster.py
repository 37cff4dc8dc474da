"""`make cluster`: three NATS servers and two hubs on loopback, TLS between all of them and to two agencies;
to look at, or to see a hub and a server killed while bulletins go through.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from hub.demo.arrivals import Arrivals
from hub.demo.ports import free_ports
from hub.demo.processes import Process, Processes, find_command
from hub.demo.world import CLIENT_TURN, HUB_TURN, NODE_TURN, gather
from schemas.errors import Code, OperationError

LOOPBACK: Final = "127.0.0.1"
SERVERS: Final = ("north", "east", "south")
HUBS: Final = ("first", "second")
AGENCIES: Final = (("fr-dvt", "FRA", "Direction de la vigilance du territoire"), ("kz-cab", "KAZ", "Комитет"))
COMMUNITY: Final = "foreign-fighters"
_SERVER_TURN: Final = HUB_TURN - 1
_UP_SECONDS: Final = 60.0
_ARRIVE_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.25

Say = Callable[[str], None]


class ClusterWorld:
    """Everything that runs, with its files in `directory`."""

    def __init__(self, directory: Path, processes: Processes, say: Say) -> None:
        self._directory = directory
        self._processes = processes
        self._say = say
        self._urls = ""
        self._servers: dict[str, Process] = {}
        self._hubs: dict[str, Process] = {}
        self._tails: dict[str, Process] = {}
        self._publisher: Process | None = None

    # -- bringing it up -----------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Servers, hubs, two agencies with a community, a reader at each."""
        self._say("the secretariat, the hubs and the servers get their keys and certificates")
        await self._keys()
        self._say("three NATS servers find each other")
        for name in SERVERS:
            command = (_nats_server(), "-c", str(self._directory / "servers" / name / "nats-server.conf"))
            self._servers[name] = await self._processes.start(f"nats-{name}", *command, turn=_SERVER_TURN)
        self._say("two hubs divide the work")
        await gather([self._hub(name) for name in HUBS])
        self._say("two agencies enrol, and start their nodes")
        await gather([self._agency(*each) for each in AGENCIES])
        owner, other = (each[0] for each in AGENCIES)
        await self._of(owner, "community", "create", COMMUNITY, "--title", "Foreign terrorist fighters")
        await self._of(owner, "community", "add", COMMUNITY, other)
        await self._known(other)
        for agency, *_ in AGENCIES:
            tail = (find_command("liaison-agency"), "tail", "--json", "--state", str(self._state(agency)))
            self._tails[agency] = await self._processes.start(f"tail-{agency}", *tail, turn=CLIENT_TURN)
        lines = (find_command("liaison-agency"), "publish-lines", "--state", str(self._state(owner)))
        self._publisher = await self._processes.start("publish", *lines, turn=CLIENT_TURN, reads=True)

    async def _keys(self) -> None:
        state, post = self._directory / HUBS[0], self._directory
        await self._command("liaison-root", "create", post / "secretariat", "--keys", "1-of-1")
        await self._command("liaison-hub", "init", "--name", "Coordinating Centre", "--state", state)
        key, document = post / "secretariat" / "registrar-1.key", post / "hub.dsse"
        request = state / "hub-request.dsse"
        await self._command("liaison-root", "sign-hub", request, "--key", key, "--out", document)
        root = post / "secretariat" / "root.dsse"
        await self._command("liaison-hub", "install", root, document, "--state", state)
        ports = free_ports(2 * len(SERVERS))
        servers = [
            f"--server={name}={LOOPBACK}:{ports[2 * n]}:{ports[2 * n + 1]}" for n, name in enumerate(SERVERS)
        ]
        told = ("--out", post / "servers", "--listen", LOOPBACK, "--development-ca", "--state", state)
        self._urls = (await self._command("liaison-hub", "cluster", "config", *servers, *told))["urls"]
        for name in HUBS[1:]:
            out = ("--out", self._directory / name)
            await self._command("liaison-hub", "cluster", "copy-hub", *out, "--state", state)

    async def _hub(self, name: str) -> None:
        serve = ("serve", "--nats", self._urls, "--member", name, "--json")
        command = (find_command("liaison-hub"), *serve, "--state", str(self._directory / name))
        extra = {"LIAISON_HUB_NATS_CA": str(self._ca)}
        self._hubs[name] = await self._processes.start(f"hub-{name}", *command, turn=HUB_TURN, extra=extra)
        await self._hubs[name].first(_UP_SECONDS)

    async def _agency(self, agency: str, code: str, name: str) -> None:
        request, document = self._state(agency) / "enrolment.dsse", self._directory / f"{agency}.dsse"
        admission, key = document.with_suffix(".json"), self._directory / "secretariat" / "registrar-1.key"
        await self._of(agency, "init", "--agency", agency, "--name", name, "--code", code)
        await self._command("liaison-root", "sign-agency", request, "--key", key, "--out", document)
        admitted = await self._asked("admit", request, document, "--out", admission)
        fingerprint = json.loads(admission.read_bytes())["fingerprint"]
        (self._state(agency) / "hub-ca.pem").write_bytes(self._ca.read_bytes())
        await self._of(agency, "enrol", admission, "--root-fingerprint", fingerprint)
        run = (find_command("liaison-agency"), "run", "--json", "--state", str(self._state(agency)))
        node = await self._processes.start(f"node-{agency}", *run, turn=NODE_TURN)
        await node.first(_UP_SECONDS)
        if not admitted["endpoint"]:
            raise node.failure("was not admitted")

    async def _known(self, agency: str) -> None:
        async with asyncio.timeout(_UP_SECONDS):
            while True:
                listed = await self._of(agency, "community", "list")
                if COMMUNITY in {each["slug"] for each in listed.get("items", [])}:
                    return
                await asyncio.sleep(_LOOK_SECONDS)

    # -- looking at it ------------------------------------------------------------------------------------

    async def facts(self) -> dict[str, Any]:
        """What is where, and who does what."""
        status = await self._asked("status")
        return {
            "servers": self._urls.split(","),
            "hubs": {name: str(self._directory / name) for name in HUBS},
            "agencies": {agency: str(self._state(agency)) for agency, *_ in AGENCIES},
            "ca": str(self._ca),
            "cluster": status["cluster"],
            "leaders": {name: each["leader"] for name, each in status["streams"].items()},
        }

    # -- a proof ------------------------------------------------------------------------------------------

    async def prove(self, bulletins: int, rate: float) -> dict[str, Any]:
        """Publish so many at this rate; after a third kill the hub that keeps the office, after two thirds
        the server that leads TRAFFIC. What came where, how long it took after each, and what did not hold.
        """
        arrivals, marker, facts = Arrivals(), secrets.token_hex(4), await self.facts()
        titles = [f"{marker}-{number:06}" for number in range(bulletins)]
        parts = titles[: bulletins // 3], titles[bulletins // 3 : -bulletins // 3], titles[-bulletins // 3 :]
        victims = {
            "hub": self._hubs[facts["cluster"]["office"]],
            "server": self._servers[facts["leaders"]["TRAFFIC"]],
        }
        after: dict[str, float] = {}
        async with asyncio.TaskGroup() as group:
            reading = [
                group.create_task(_follow(arrivals, agency, tail)) for agency, tail in self._tails.items()
            ]
            self._say(f"{len(parts[0])} bulletins at {rate:g} a second")
            await self._through(parts[0], rate, arrivals)
            for part, (what, victim) in zip(parts[1:], victims.items(), strict=True):
                self._say(f"a {what} is killed, and {len(part)} bulletins more are published")
                victim.kill()
                killed = time.monotonic()
                await self._through(part, rate, arrivals)
                came = [arrivals.first.get((agency, part[0]), float("inf")) for agency in self._tails]
                after[what] = round(max(came) - killed, 1)
            for task in reading:
                task.cancel()
        problems = _problems(arrivals, list(self._tails), titles)
        return {
            "ok": not problems,
            "bulletins": bulletins,
            "received": {agency: len(arrivals.keys.get(agency, [])) for agency in self._tails},
            "killed": {what: victim.name for what, victim in victims.items()},
            "first_after_s": after,
            "cluster": (await self.facts())["cluster"],
            "problems": problems,
        }

    async def _through(self, titles: Sequence[str], rate: float, arrivals: Arrivals) -> None:
        """Publish these, and wait until they are everywhere, or for so long as may be."""
        begun = time.monotonic()
        for number, title in enumerate(titles):
            await asyncio.sleep(max(begun + number / rate - time.monotonic(), 0))
            await self._publish(title)

        def there() -> bool:
            return all(set(titles) <= set(arrivals.keys.get(agency, [])) for agency in self._tails)

        await arrivals.until(there, _ARRIVE_SECONDS)

    async def _publish(self, title: str) -> None:
        draft = {"kind": "notice", "severity": "info", "tlp": "TLP:AMBER", "language": "en"}
        text = {"title": title, "summary": "", "body": title}
        if self._publisher is None:
            raise OperationError(Code.INTERNAL, "nothing is published yet")
        await self._publisher.write({"community": COMMUNITY, "draft": {**draft, **text}})

    # -- commands -----------------------------------------------------------------------------------------

    @property
    def _ca(self) -> Path:
        return self._directory / "servers" / SERVERS[0] / "ca.pem"

    def _state(self, agency: str) -> Path:
        return self._directory / agency

    async def _asked(self, *arguments: str | Path) -> dict[str, Any]:
        """Ask whichever hub has the office: the commands find it through NATS."""
        extra = {"LIAISON_HUB_NATS_CA": str(self._ca), "LIAISON_HUB_NATS": self._urls}
        state = ("--state", self._directory / HUBS[0])
        return await self._command("liaison-hub", *arguments, *state, extra=extra)

    async def _of(self, agency: str, *arguments: str | Path) -> dict[str, Any]:
        return await self._command("liaison-agency", *arguments, "--state", self._state(agency))

    async def _command(
        self, name: str, *arguments: str | Path, extra: dict[str, str] | None = None
    ) -> dict[str, Any]:
        return await self._processes.run(find_command(name), *map(str, arguments), "--json", extra=extra)


async def _follow(arrivals: Arrivals, agency: str, tail: Process) -> None:
    async for record in tail.answers():
        arrivals.add(agency, record["bulletin"]["title"])


def _problems(arrivals: Arrivals, agencies: Sequence[str], titles: Sequence[str]) -> list[str]:
    """What did not hold: each bulletin once everywhere, and everywhere in the order of the chain, in which
    the publisher's own node shows them.
    """
    chain = arrivals.keys.get(agencies[0], [])
    problems = []
    for agency in agencies:
        came = arrivals.keys.get(agency, [])
        if sorted(came) != sorted(titles):
            problems.append(f"{agency}: {len(came)} came, {len(set(came))} different")
        elif came != chain:
            problems.append(f"{agency}: not in the order of the chain")
    return problems


def _nats_server() -> str:
    from hub.server import find_binary  # noqa: PLC0415 - where the other commands find it

    return str(find_binary())
