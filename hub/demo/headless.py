"""The run without a person: publish, count everything on the outside, look for leaks, give one verdict."""

import asyncio
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hub.demo import drafts, intruder, plan, tally
from hub.demo.arrivals import Arrivals, digest_key, key_of_line
from hub.demo.chat import Chats, references
from hub.demo.chatroom import ChatRoom, open_chat
from hub.demo.drafts import Planned
from hub.demo.plan import Sent
from hub.demo.processes import Process, Processes
from hub.demo.report import Report, search
from hub.demo.wanted import Wanted
from hub.demo.world import World, gather
from schemas.errors import Code, OperationError
from schemas.vocabulary import Kind, Severity

INTEGRATOR: Final = "integrator"
FLASH_ONLY: Final = ("sub:home", "sub:sev", "sub:ts:flash")
_MARKER_DIGITS: Final = 12
_ARRIVE_SECONDS: Final = 120.0
_ALERT_SECONDS: Final = 120.0
_QUIET_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.25

Say = Callable[[str], None]


class Run:
    """One run on a world that is up."""

    def __init__(
        self, world: World, room: ChatRoom | None, planned: Sequence[Planned], stem: str, say: Say
    ) -> None:
        self._world = world
        self._room = room
        self._planned = planned
        self._stem = stem
        self._say = say
        self.arrivals = Arrivals()
        self.report = Report(bulletins=len(planned))
        self._ids: dict[str, str] = {}
        self._refs: dict[str, str] = {}
        self._written: dict[str, float] = {}
        self._lines: dict[str, list[str]] = {each.id: [] for each in plan.AGENCIES}
        self._queued: set[str] = set()
        self._answered = 0
        self._sent: list[Sent] = [each.sent for each in planned]

    async def carry_out(self, rate: float, integrator: Process) -> None:
        """Everything up to the last count. Readers are tasks that end with their processes."""
        began = _instant(time.time())
        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(each) for each in self._readers(integrator)]
            self._say(f"{len(self._planned)} bulletins are published at {rate:g} a second")
            await self._publish(rate, group)
            await self._arrived()
            self._say("each community's owner sends a digest")
            await self._digests(began)
            self._say("a former member, and one who is not in a community, try to publish")
            await self._refusals()
            self._say("the last alerts reach the chats")
            await self._arrived()
            if self._room:
                await self._alerts(self._room)
            await asyncio.sleep(_QUIET_SECONDS)  # a doubled message would come about now
            await self._count()
            for reader in readers:
                reader.cancel()

    def _readers(self, integrator: Process) -> list[Any]:
        key = key_of_line(self._stem, len(self._stem) + _MARKER_DIGITS)
        tails = [
            self.arrivals.follow_tail(agency, tail.answers()) for agency, tail in self._world.tails.items()
        ]
        outcomes = [self._outcomes(agency, each) for agency, each in self._world.publishers.items()]
        local = self.arrivals.follow_integrator(INTEGRATOR, integrator.lines(), key)
        return [*tails, *outcomes, local]

    async def _publish(self, rate: float, group: asyncio.TaskGroup) -> None:
        begun = time.monotonic()
        late: list[asyncio.Task[None]] = []
        for place, each in enumerate(self._planned):
            wait = begun + place / rate - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            if each.answers is None:
                await self._write(each)
            else:
                late.append(group.create_task(self._write_answer(each, self._planned[each.answers])))
        await asyncio.gather(*late)

    async def _write_answer(self, each: Planned, target: Planned) -> None:
        """Publish what links to another, once that one has arrived where this one is written."""

        def known() -> bool:
            id = self._ids.get(target.sent.key)
            return id is not None and (each.agency, id) in self.arrivals.first

        if await self.arrivals.until(known, _ARRIVE_SECONDS):
            await self._write(each.linked(self._ids[target.sent.key]))
        else:
            self.report.problems.append(f"publish: {target.sent.key} never reached {each.agency}")

    async def _write(self, each: Planned) -> None:
        self._lines[each.agency].append(each.sent.key)
        self._written[each.sent.key] = time.monotonic()
        line = {"community": each.sent.community, "draft": each.draft}
        await self._world.publishers[each.agency].write(line)

    async def _outcomes(self, agency: str, publisher: Process) -> None:
        async for answer in publisher.answers():
            key = self._lines[agency][answer["n"]]
            self._answered += 1
            if answer["state"] != "refused":
                self._ids[key], self._refs[key] = answer["id"], answer["ref"]
                # `queued` only says that the hub has not answered yet: whoever receives it shows that it did.
                self._queued.update({key} if answer["state"] == "queued" else ())
            else:
                self.report.problems.append(
                    f"publish: {key} by {agency} is {answer['state']} {answer.get('code')}"
                )
            self.arrivals.nudge()

    async def _arrived(self) -> None:
        """Wait until everything is where it belongs, or the time is up: the count tells what is missing."""

        def ready() -> bool:
            if self._answered < len(self._planned):
                return False
            return all(
                len(self.arrivals.keys.get(place, ())) >= len(keys)
                for place, keys in self._expected().items()
            )

        await self.arrivals.until(ready, _ARRIVE_SECONDS)

    def _expected(self) -> dict[str, list[str]]:
        """The keys that belong to each place, from the membership alone."""
        named = {each.key: self._ids.get(each.key, each.key) for each in self._sent}
        places = {
            each.id: [named[key] for key in plan.received_by(each.id, self._sent)] for each in plan.AGENCIES
        }
        return {**places, INTEGRATOR: plan.integrated(self._sent)}

    async def _digests(self, began: str) -> None:
        """One digest for each community; asked for again, the answer names the one that there is."""
        ends = time.time()
        await asyncio.sleep(1.1 - ends % 1)  # a period ends on a whole second, and must be over
        period = f"{began}/{_instant(ends + 1)}"
        gone = drafts.changed(self._planned)

        async def one(community: plan.Community) -> None:
            asked = ("digest", "--community", community.slug, "--period", period)
            first = await self._world.agency(community.owner, *asked)
            if community is plan.FOREIGN_FIGHTERS:
                again = await self._world.agency(community.owner, *asked)
                if first["id"] != again["id"]:
                    self.report.problems.append(f"digest: {community.slug} has two for one period")
            key = digest_key(community.slug)
            self._ids[key], self._refs[key] = first["id"], first["ref"]
            marking = plan.digest_marking(community.slug, self._sent, gone)
            self._sent.append(Sent(key, community.slug, Kind.DIGEST, Severity.INFO, marking))
            self.report.digests += 1

        with_something = {each.sent.community for each in self._planned}
        await gather([one(each) for each in plan.COMMUNITIES if each.slug in with_something])

    async def _refusals(self) -> None:
        """What must not pass: at the hub by its codes, at NATS before it, at a node of its own accord."""
        world = self._world
        identity = await asyncio.to_thread(
            intruder.Identity,
            world.state_of(plan.FORMER.id),
            world.directory / "post" / f"{plan.FORMER.id}.json",
        )
        games, cyber = world.communities[plan.GAMES.slug], world.communities[plan.CYBER_PROPAGANDA.slug]
        tried, stopped = await intruder.break_in(identity, games, cyber)
        self.report.refused_by_nats = len(stopped)
        if not stopped:
            self.report.problems.append("refusals: NATS let a frame through to a foreign community")
        await self._expect_refused(Counter(str(each.code) for each in tried))
        await world.hub("suspend", plan.FORMER.id)
        if not await intruder.cut_off(identity):
            self.report.problems.append("refusals: a suspended agency can still connect")
        draft = {
            "kind": "notice",
            "title": "Not for us",
            "language": "ar",
            "severity": "low",
            "tlp": "TLP:GREEN",
        }
        outsider = ("publish", "--community", plan.CYBER_PROPAGANDA.slug)
        options = [part for name, value in draft.items() for part in (f"--{name}", value)]
        try:
            await world.agency("jo-mrs", *outsider, *options)
            self.report.problems.append("refusals: jo-mrs may publish where it is not a member")
        except OperationError as refused:
            self.report.refused_at_node = {str(refused.code): 1}
            if refused.code not in {Code.UNKNOWN_COMMUNITY, Code.NOT_MEMBER}:
                self.report.problems.append(f"refusals: jo-mrs was refused with {refused.code}")

    async def _expect_refused(self, wanted: Mapping[str, int]) -> None:
        refused: dict[str, int] = {}
        async with asyncio.timeout(_ARRIVE_SECONDS):
            while sum(refused.values()) < sum(wanted.values()):
                refused = (await self._world.hub("status"))["refused"]
        self.report.refused = refused
        if refused != dict(wanted):
            self.report.problems.append(f"refusals: the hub refused {refused}, not {dict(wanted)}")

    async def _alerts(self, room: ChatRoom) -> None:
        """Wait until every chat shows as many alerts as it must, or the time is up."""
        wanted = {each.name: self._flash(each) for each in room.officers}
        deadline = time.monotonic() + _ALERT_SECONDS + max(map(len, wanted.values()))
        async with Chats(room.page_url) as chats:
            while time.monotonic() < deadline:
                shown = {name: await _shown(chats, name) for name in wanted}
                if all(len(shown[name]) >= len(refs) for name, refs in wanted.items()):
                    return
                await asyncio.sleep(_LOOK_SECONDS)

    def _flash(self, officer: plan.Officer) -> list[str]:
        return [self._refs.get(key, key) for key in plan.alerted(officer, self._sent, Severity.FLASH)]

    async def _count(self) -> None:
        report, expected = self.report, self._expected()
        for place, keys in expected.items():
            seen = self.arrivals.keys.get(place, [])
            report.problems += tally.compare(keys, seen).told(place)
        report.received = {each.id: len(self.arrivals.keys.get(each.id, ())) for each in plan.AGENCIES}
        report.local_subjects = len(self.arrivals.keys.get(INTEGRATOR, ()))
        if self._room:
            await self._count_alerts(self._room)
        for agency in plan.AGENCIES:
            status = await self._world.agency(agency.id, "status")
            report.archived[agency.id] = status["archived"]
            if status["archived"] != len(expected[agency.id]):
                wanted = len(expected[agency.id])
                report.problems.append(f"archive of {agency.id}: {status['archived']}, not {wanted}")
            if status["quarantined"]:
                kept = (await self._world.agency(agency.id, "quarantine"))["items"]
                codes = ", ".join(f"{each['code']} of {each['agency'] or 'nobody known'}" for each in kept)
                report.problems.append(f"{agency.id}: {status['quarantined']} in quarantine: {codes}")
        report.published = len(self._written)
        report.admitted = sum(self._admitted(each) for each in self._planned)
        self._latency()

    def _admitted(self, each: Planned) -> bool:
        id = self._ids.get(each.sent.key)
        others = [place for place in plan.members(each.sent.community) if place != each.agency]
        arrived = any((place, id) in self.arrivals.first for place in others)
        return id is not None and (arrived or each.sent.key not in self._queued)

    async def _count_alerts(self, room: ChatRoom) -> None:
        async with Chats(room.page_url) as chats:
            for officer in room.officers:
                shown = await _shown(chats, officer.name)
                self.report.chat_alerts[officer.name] = len(shown)
                difference = tally.compare(self._flash(officer), shown)
                self.report.problems += difference.told(f"chat of {officer.name}")

    def _latency(self) -> None:
        taken = [
            (at - self._written[key]) * 1000
            for (place, key), at in self.arrivals.first.items()
            if place == INTEGRATOR and key in self._written
        ]
        for name, percent in (("p50_ms", 50), ("p99_ms", 99)):
            value = tally.percentile(taken, percent)
            setattr(self.report, name, None if value is None else round(value, 2))


async def run(directory: Path, wanted: Wanted, say: Say) -> Report:
    """The whole run in an empty directory. Raises OperationError when the world does not come up."""
    begun = time.monotonic()
    stem = secrets.token_hex(drafts.STEM_BYTES)
    source = random.Random(secrets.randbits(64) if wanted.seed is None else wanted.seed)  # noqa: S311 - no secret
    planned = drafts.numbered(wanted.bulletins, stem, source)
    async with Processes(directory, os.environ) as processes:
        world = World(directory, processes, say)
        await world.begin()
        say("officers enrol at the chat, an integrator connects" if wanted.chat else "an integrator connects")
        room, integrator = await _open(world, chat=wanted.chat)
        current = Run(world, room, planned, stem, say)
        await current.carry_out(wanted.rate, integrator)
        say("everything stops; what the hub kept is searched")
    report = current.report
    community = world.communities[plan.FOREIGN_FIGHTERS.slug]
    markers = [each.sent.key for each in planned]
    await asyncio.to_thread(search, report, directory, community, stem, markers)
    report.seconds = round(time.monotonic() - begun, 1)
    return report


async def _open(world: World, *, chat: bool) -> tuple[ChatRoom | None, Process]:
    rooms: list[ChatRoom] = []
    integrators: list[Process] = []

    async def meet() -> None:
        rooms.append(await open_chat(world, {each.name: FLASH_ONLY for each in plan.OFFICERS}))

    async def connect() -> None:
        integrators.append(await world.integrator())

    await gather([connect(), world.open_desks(), *([meet()] if chat else [])])
    return (rooms[0] if rooms else None), integrators[0]


async def _shown(chats: Chats, name: str) -> list[str]:
    """The references that an officer's chat shows, one for each message and bulletin."""
    return [ref for message in await chats.from_bot(name) for ref in sorted(references(message))]


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
