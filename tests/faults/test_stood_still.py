"""A hub of a cluster stands still (SIGSTOP) between deciding and writing, until the other has taken over its
duties and decided otherwise; then it goes on, and writes. The server refuses that by the former holder's
fence, so nothing is doubled or lost, and every order holds (decision 0043).

What is on the wire is seen by who connects as a hub does: what a hub writes, and what the server answers it.
"""

import json
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.fence import OFFICE_FENCE, partition_fence
from hub.partitions import partition_of
from hub.rota import OFFICE, partition_duty
from hub.serve import unix_milliseconds
from hub.state import read_directory
from schemas import receipts
from schemas.errors import Code
from schemas.receipts import ADMITTED
from schemas.subjects import DIRECTORY_DOCUMENTS, DIRECTORY_HEAD
from tests.support.cluster_federation import READER, SENDER, STRANGER, Federation, federated
from tests.support.cluster_world import PARTITIONS, shared_by
from tests.support.fault_table import Row, Table
from tests.support.frames import HOUR, Circle
from tests.support.hub_world import Station, stored
from tests.support.world import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

AHEAD = HOUR // 2
"""The clock of the hub that takes over, so that what was in time for the first is too late for it."""
WRONG_LAST_SEQUENCE = 10071
"""NATS's code for a write whose condition does not hold."""
DUPLICATE = 10201
"""And for one whose message id it has."""
FRAMES = 3
FENCED = "Nats-Expected-Last-Subject-Sequence"


@dataclass
class Wire:
    """What is written to the hubs' streams, and every answer of the server to a hub."""

    nc: Client
    written: list[Msg] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)

    @asynccontextmanager
    async def tapped(self) -> AsyncIterator[None]:
        """Listen meanwhile, and no longer: for a server that is one more who waits for every answer, and it
        would go on answering those who have gone.
        """
        taps = [await self.nc.subscribe(each, cb=self._wrote) for each in ("f.>", "r.>", "d.*")]
        taps.append(await self.nc.subscribe("_INBOX.>", cb=self._answered))
        try:
            yield
        finally:
            for each in taps:
                await each.unsubscribe()

    async def _wrote(self, message: Msg) -> None:
        self.written.append(message)

    async def _answered(self, message: Msg) -> None:
        self.answers[message.subject] = message.data

    async def late(self, stream: str, fence: str, after: int) -> tuple[Msg, int | None]:
        """Who wrote under this fence when another stood, after so many other writes: the message, and the
        code of the server's error, if it is one. The server answers the last message of a batch.
        """
        (*_, standing) = await stored(self.nc, stream, fence)
        number = str(standing.metadata.sequence.stream)
        found: list[tuple[Msg, int | None]] = []

        async def is_answered() -> bool:
            since = self.written[after:]
            for each in since:
                if _said(each, f"{FENCED}-Subject") != fence or _said(each, FENCED) == number:
                    continue
                ends = [other.reply for other in since if _batch(other) == _batch(each) and other.reply]
                if ends and ends[0] in self.answers:
                    answer = json.loads(self.answers[ends[0]])
                    found.append((each, answer.get("error", {}).get("err_code")))
            return bool(found)

        await eventually(is_answered)
        return found[0]


@dataclass
class Scene:
    """A hub process `a` with the office, the sender's partition and gates; a hub `b` here with the others."""

    federation: Federation
    gates: Path
    wire: Wire

    @property
    def sender(self) -> Station:
        """Whom `a` admits."""
        return self.federation.stations[SENDER]

    def duties(self) -> dict[str, str]:
        """Who does what, as `b` sees it."""
        return self.federation.hub.office.among.leases.holders()

    def partition(self, who: str) -> int:
        """In which an agency is."""
        return partition_of(self.federation.stations[who].kit.endpoint, PARTITIONS)

    def arm(self, step: str) -> None:
        """`a` will wait at this step."""
        assert {self.duties()[each] for each in (OFFICE, partition_duty(self.partition(SENDER)))} == {"a"}
        (self.gates / f"{step}.armed").touch()

    async def stop(self, step: str) -> None:
        """`a` stands still at this step until the other does all that it did; frames go through meanwhile."""

        async def is_reached() -> bool:
            return self._reached(step).exists()

        await eventually(is_reached)
        self.federation.process.send_signal(signal.SIGSTOP)
        # Whom the other hub admits does not wait for that; whose hub stands still waits, in its order.
        waiting = [self.federation.ask(SENDER) for _ in range(FRAMES)]
        for frame in waiting:
            await self.sender.put(self.federation.chains[SENDER].subject.intake(), frame)
        for _ in range(FRAMES):
            await self.federation.publish_once(READER)
        await eventually(lambda: shared_by(self.federation.hub, "b"))
        for frame in waiting:
            assert await self.sender.answer(frame) == ADMITTED
            self.federation.acknowledge(frame)

    def _reached(self, step: str) -> Path:
        return self.gates / f"{step}.reached"

    async def goes_on(self) -> None:
        """Frames of both, and documents: another community, in which both write."""
        for _ in range(FRAMES):
            await self.federation.publish_once(SENDER)
            await self.federation.publish_once(READER)
        await self.federation.found()
        await self.federation.publish_once(SENDER)
        await self.federation.publish_once(READER)

    async def let_go(self, step: str, stream: str, fence: str) -> tuple[Msg, int | None]:
        """`a` goes on, and has its share again: its late write, and the server's error."""
        async with self.wire.tapped():
            await self.goes_on()  # by when every server knows who listens
            after = len(self.wire.written)
            self._reached(step).unlink()
            self.federation.process.send_signal(signal.SIGCONT)
            late = await self.wire.late(stream, fence, after)
        await eventually(lambda: shared_by(self.federation.hub, "a", "b"))
        await self.goes_on()
        return late


@asynccontextmanager
async def scene(directory: Path) -> AsyncIterator[Scene]:
    gates = directory / "gates"
    gates.mkdir()
    async with federated(directory, gates, lambda: unix_milliseconds() + AHEAD) as federation:
        yield Scene(federation, gates, Wire(federation.hub.office.nc))


async def test_a_frame_on_which_another_hub_has_decided_otherwise(tmp_path: Path, table: Table) -> None:
    async with scene(tmp_path) as made:
        federation, chain = made.federation, made.federation.chains[SENDER]
        await federation.publish_once(SENDER)
        now = federation.cluster.world.now
        late = chain.make(now, exp=now + AHEAD // 2)
        chain.refused()
        made.arm("settling")
        await made.sender.put(chain.subject.intake(), late)
        await made.stop("settling")
        assert await made.sender.answer(late) == Code.EXPIRED
        fence = partition_fence(made.partition(SENDER))
        written, error = await made.let_go("settling", "TRAFFIC", fence)
        assert (written.data, error) == (late, WRONG_LAST_SEQUENCE)
        kept = [each.data for each in await stored(federation.hub.office.nc, "QUARANTINE")]
        assert kept == [late]
        await judge(made, table, "before it wrote a frame")


async def test_a_document_that_another_hub_has_recorded(tmp_path: Path, table: Table) -> None:
    """Within two minutes its message id would do as well."""
    async with scene(tmp_path) as made:
        late = Circle(made.sender.kit).document(made.federation.cluster.world.now)
        made.arm("recording")
        await made.sender.put(f"s.doc.{made.sender.kit.endpoint}", late)
        await made.stop("recording")
        assert await made.sender.answer(late) == ADMITTED
        written, error = await made.let_go("recording", "DIRECTORY", OFFICE_FENCE)
        assert written.data == late
        assert error in {WRONG_LAST_SEQUENCE, DUPLICATE}
        await judge(made, table, "before it wrote a document")


async def test_a_head_after_which_the_directory_has_grown(tmp_path: Path, table: Table) -> None:
    async with scene(tmp_path) as made:
        grown = Circle(made.sender.kit).document(made.federation.cluster.world.now)
        made.arm("heading")
        # It may stand still at a head that was due before: then the other hub records this one.
        await made.sender.put(f"s.doc.{made.sender.kit.endpoint}", grown)
        await made.stop("heading")
        assert await made.sender.answer(grown) == ADMITTED
        written, error = await made.let_go("heading", "DIRECTORY", OFFICE_FENCE)
        assert (written.subject, error) == (DIRECTORY_HEAD, WRONG_LAST_SEQUENCE)
        await judge(made, table, "before it wrote a head")


async def judge(made: Scene, table: Table, when: str) -> None:
    """Both hubs are at work, and everything is where it belongs, once."""
    federation = made.federation
    assert made.duties()[OFFICE] == "b"
    assert made.duties()[partition_duty(made.partition(READER))] == "a"
    asked = len(federation.clients) // 2
    table.add(Row("SIGSTOP hub of a cluster", when, asked, asked, await federation.verdict()))
    await judge_answers(federation)
    await judge_directory(federation)


async def judge_answers(federation: Federation) -> None:
    """What was sent once is answered once, whoever answered it."""
    asked = {each.bulletin for each in federation.clients}
    answered: Counter[str] = Counter()
    for station in federation.stations.values():
        endpoint = station.kit.endpoint
        for message in await stored(federation.hub.office.nc, "TRAFFIC", f"r.{endpoint}"):
            answered.update(each.sha256 for each in receipts.read(message.data, endpoint, station.hub_key))
    assert asked <= answered.keys()
    assert set(answered.values()) == {1}


async def judge_directory(federation: Federation) -> None:
    """It holds by its own rules, and whoever follows it has what it may read of it, in its order."""
    office = federation.hub.office
    everything = [(each.subject, each.data) for each in await stored(office.nc, "DIRECTORY")]
    directory, _ = await read_directory(office.nc, office.root)
    assert directory.head == office.directory.head
    logs = {f"m.{each.id}" for each in federation.circles}
    for who, station in federation.stations.items():
        followed = {DIRECTORY_DOCUMENTS, *(() if who == STRANGER else logs)}
        due = [each for each in everything if each[0] in followed]
        assert len(due) == len(set(due))
        await station.until(partial(_has_read, station, followed, due))


def _has_read(station: Station, followed: set[str], due: list[tuple[str, bytes]]) -> bool:
    """Whether this is what a station has of these subjects, each in the order in which it came. Who is let
    into a community is given its log from the beginning, behind what came before, and what it had again: it
    passes that over by its number.
    """
    first = {each.metadata.sequence.stream: each for each in reversed(station.directory)}
    read = [each for each in station.directory if first[each.metadata.sequence.stream] is each]
    return all(
        [each.data for each in read if each.subject == subject] == [data for to, data in due if to == subject]
        for subject in followed
    )


def _said(message: Msg, header: str) -> str:
    return (message.headers or {}).get(header, "")


def _batch(message: Msg) -> str:
    return _said(message, "Nats-Batch-Id")
