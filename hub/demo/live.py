"""The demonstration to watch: the world comes up, bulletins flow at a human pace, a page shows both sides."""

import asyncio
import json
import os
import random
import secrets
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer

from hub.demo import drafts, for_chat, intruder, plan
from hub.demo.board import Board
from hub.demo.chatroom import ChatRoom, open_chat
from hub.demo.drafts import Planned
from hub.demo.processes import Process, Processes
from hub.demo.progress import Progress
from hub.demo.running import interruptible
from hub.demo.site import Site
from hub.demo.world import World, gather
from schemas.errors import Code, OperationError

SECRET_BYTES: Final = 18
_ANSWER_SECONDS: Final = 30.0
_WISHES: Final[Mapping[str, Sequence[str]]] = {
    "أمينة": (),
    "Claire": ("sub:home", "sub:sev", "sub:ts:elevated"),
    "Daniel": ("sub:home", "sub:sev", "sub:ts:high"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """`pace`: seconds between two bulletins, about. `token`: of a bot on the real chat service."""

    pace: float
    port: int
    token: str | None
    as_json: bool


def show(directory: Path, options: Options) -> None:
    """Run until Ctrl-C. Raises OperationError when the world does not come up."""
    asyncio.run(_until_stopped(directory, options))


async def _until_stopped(directory: Path, options: Options) -> None:
    try:
        await interruptible(_show(directory, options))
    except OperationError as error:
        if error.message != "interrupted":
            raise
        typer.echo("stopped", err=True)


async def _show(directory: Path, options: Options) -> None:
    async with AsyncExitStack() as stack:
        processes = await stack.enter_async_context(Processes(directory, os.environ))
        with Progress() as progress:
            world = World(directory, processes, progress.say)
            await world.begin()
            progress.say("officers enrol at the chat, an integrator connects")
            opened = await _open(world, options)
        stage = Stage(world, opened.room, options)
        site = Site(stage.board, stage.told(), stage.actions(), secrets.token_urlsafe(SECRET_BYTES))
        url = await site.start(options.port)
        stack.push_async_callback(site.close)
        announce(url, opened, world, as_json=options.as_json)
        await stage.play(opened.watch, opened.integrator)


class Opened(NamedTuple):
    """Everything around the nodes. `guest`: the options of the second reader."""

    room: ChatRoom
    integrator: Process
    watch: Process
    guest: tuple[str, ...]


async def _open(world: World, options: Options) -> Opened:
    found: dict[str, Any] = {}

    async def invite() -> None:
        found["guest"] = await world.guest()

    async def chat() -> None:
        found["room"] = await open_chat(world, _WISHES, options.token, reading=True)

    async def integrate() -> None:
        found["integrator"] = await world.integrator()

    await gather([chat(), integrate(), invite(), world.open_desks()])
    return Opened(found["room"], found["integrator"], await world.watch(), found["guest"])


def announce(url: str, opened: Opened, world: World, *, as_json: bool) -> None:
    """The two links and what to try, or one JSON line."""
    room, directory, officer = opened.room, world.directory, plan.OFFICERS[1]
    if as_json:
        told: dict[str, object] = {
            "event": "ready",
            "page": url,
            "chat": room.page_url,
            "directory": str(directory),
        }
        told["guest"] = shlex.join(opened.guest)
        told["reading"] = room.reading
        typer.echo(json.dumps({**told, "start": room.start_code} if room.start_code else told))
        return
    where = shlex.join(["--state", str(world.state_of(officer.agency)), "--officer", officer.name])
    real = f"\n  Real chat        send your bot  /start {room.start_code}\n" if room.start_code else ""
    typer.echo(f"""
  Watch            {url}
  Chat             {room.page_url}
{real}
  Try
  · On the first page, publish something of your own: the hub keeps ciphertext, the agencies read your words.
  · Point at a row on the hub's side: the same bulletin lights up at the agencies that may read it.
  · In the chat, as Claire or أمينة: /latest, /search permanence, /subscribe, or the buttons under an alert.
  · As Claire: /subject سليم المثالي (the list is made up), /tactic T1566.001, /search ferri port.
  · As Daniel, who may write but not release: /ask, or /asked and an answer; then release it as أمينة.
  · Under an alert that is withheld there, press “Read in the reading room”, and sign in by /room.
  · Press “Let an intruder try”: see what the hub refuses, and why.

  · The same conversation without a chat service, in another terminal (`. .venv/bin/activate`):
      liaison-agency chat {where}

  · With Node.js, in another terminal: a second implementation, in TypeScript, verifies and reads what it may.
      make js-read ARGS="{shlex.join(opened.guest)}"

  Everything is in {directory}. Ctrl-C ends it all.
""")


class Stage:
    """What happens while people watch."""

    def __init__(self, world: World, room: ChatRoom, options: Options) -> None:
        self._world = world
        self._room = room
        self._pace = options.pace
        self._random = random.Random()  # noqa: S311 - variety, no secret
        self._going = asyncio.Event()
        self._going.set()
        self._counters = {each.id: 0 for each in plan.AGENCIES}
        self._waiting: dict[tuple[str, int], asyncio.Future[Mapping[str, Any]]] = {}
        self.board = Board({public: agency for agency, public in world.endpoints.items()}, world.communities)

    def told(self) -> dict[str, Any]:
        """What the page needs to know of the world."""
        return {
            "hub": plan.HUB_NAME,
            "chat": self._room.page_url,
            "agencies": [
                {
                    "id": each.id,
                    "code": each.code,
                    "name": each.name,
                    "language": each.language,
                    "communities": plan.communities_of(each.id),
                    "endpoint": self._world.endpoints[each.id],
                    "officers": [
                        officer.name for officer in self._room.officers if officer.agency == each.id
                    ],
                    "integrator": plan.INTEGRATOR_CLIENT if each.id == plan.INTEGRATOR_AGENCY else "",
                }
                for each in plan.AGENCIES
            ],
            "communities": [
                {
                    "slug": each.slug,
                    "title": each.title,
                    "id": self._world.communities[each.slug],
                    "members": each.members,
                }
                for each in plan.COMMUNITIES
            ],
            "ceiling": plan.INTEGRATOR_CEILING,
        }

    def actions(self) -> dict[str, Any]:
        """What the page's buttons do."""
        return {
            "publish": self._publish_own,
            "intruder": self._intruder,
            "digest": self._digest,
            "pause": self._pause,
        }

    async def play(self, watch: Process, integrator: Process) -> None:
        """Feed the board and publish, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(watch))
            group.create_task(self._integrate(integrator))
            for agency in plan.AGENCIES:
                group.create_task(self._tail(agency, self._world.tails[agency.id]))
                group.create_task(self._outcomes(agency.id, self._world.publishers[agency.id]))
            group.create_task(self._rounds())

    async def _watch(self, watch: Process) -> None:
        async for line in watch.answers():
            self.board.hub_line(line)

    async def _tail(self, agency: plan.Agency, tail: Process) -> None:
        async for record in tail.answers():
            self.board.tail_line(agency.id, agency.language, record)

    async def _integrate(self, integrator: Process) -> None:
        async for line in integrator.lines():
            self.board.integrator_line(line)

    async def _outcomes(self, agency: str, publisher: Process) -> None:
        async for answer in publisher.answers():
            future = self._waiting.pop((agency, answer["n"]), None)
            if future is not None and not future.done():
                future.set_result(answer)

    async def _rounds(self) -> None:
        """What chat may show, so that officers have it at once; the samples in their order; then the same
        reported again, a digest after each round.
        """
        number = 0
        while True:
            number += 1
            began = time.time()
            shown = [*drafts.varied(for_chat.bulletins(), number), for_chat.question(number, began)]
            await self._round(shown, self._pace if number > 1 else 0.0)
            await self._round(drafts.varied(drafts.samples(), number), self._pace)
            try:
                await self._digest({"since": began})
            except OperationError as error:
                self.board.post({"type": "trouble", "text": f"digest: {error.message}"})

    async def _round(self, planned: Sequence[Planned], pace: float) -> None:
        ids: dict[int, str] = {}
        for place, each in enumerate(planned):
            await asyncio.sleep(pace * self._random.uniform(0.7, 1.3))
            await self._going.wait()
            ready = each
            if each.answers is not None:
                if each.answers not in ids:
                    continue
                ready = each.linked(ids[each.answers])
            try:
                answer = await self._publish(ready.agency, ready.sent.community, ready.draft)
                ids[place] = answer["id"]
            except OperationError as error:
                self.board.post({"type": "trouble", "text": f"{each.agency}: {error.message}"})

    async def _publish(self, agency: str, community: str, draft: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give a draft to an agency's publisher; what becomes of it. OperationError when refused."""
        began = time.monotonic()
        number = self._counters[agency]
        self._counters[agency] += 1
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[agency, number] = future
        await self._world.publishers[agency].write({"community": community, "draft": draft})
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await future
        except TimeoutError:
            raise OperationError(Code.NODE_UNREACHABLE, "the node has not answered", "see its log") from None
        if answer["state"] == "refused":
            code = Code(answer["code"])
            raise OperationError(code, answer.get("message", f"refused: {code}"), answer.get("fix", ""))
        self.board.published(answer["id"], began)
        return answer

    async def _publish_own(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """A visitor's own words, given to an agency's publisher like any other draft."""
        draft = {name: str(asked[name]) for name in ("kind", "title", "body", "language", "severity", "tlp")}
        agency, community = str(asked["agency"]), str(asked["community"])
        if agency not in plan.BY_ID or community not in plan.BY_SLUG:
            raise OperationError(Code.BAD_REQUEST, "there is no such agency or community", "choose another")
        return await self._publish(agency, community, draft)

    async def _digest(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """A digest of the largest community since the round began, or of the last minutes."""
        since = float(asked.get("since") or time.time() - 600)
        until = int(time.time())
        period = f"{_instant(min(since, until - 1))}/{_instant(until)}"
        community = plan.FOREIGN_FIGHTERS
        options = ("--community", community.slug, "--period", period)
        try:
            return await self._world.agency(community.owner, "digest", *options)
        except OperationError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return {"code": str(error.code), "message": error.message}

    async def _intruder(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """The former member tries; what came of it."""
        world = self._world
        admission = world.directory / "post" / f"{plan.FORMER.id}.json"
        identity = await asyncio.to_thread(intruder.Identity, world.state_of(plan.FORMER.id), admission)
        games, cyber = world.communities[plan.GAMES.slug], world.communities[plan.CYBER_PROPAGANDA.slug]
        tried, stopped = await intruder.break_in(identity, games, cyber)
        return {
            "refused": [{"code": each.code, "what": each.what} for each in tried],
            "stopped": stopped,
            "who": plan.FORMER.name,
        }

    async def _pause(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Stop or go on publishing."""
        if self._going.is_set():
            self._going.clear()
        else:
            self._going.set()
        self.board.post({"type": "pace", "going": self._going.is_set()})
        return {"going": self._going.is_set()}


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
