"""What officers ask of a large archive: answered by the real bot through a real local NATS, against one bare
request to the node and one bare message. All in this process, which makes both sides slower than they are.
"""

# ruff: noqa: ARG002 - a Protocol's methods take what they are given

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
import apsw
from nats.aio.client import Client

from bots.clock import SystemClock
from bots.sandbox.client import SandboxUser
from bots.state import State
from bots.state.outbox import remember
from schemas.vocabulary import Tlp
from subscribers.insight.counting import count
from subscribers.insight.likeness import like
from subscribers.insight.provenance import Known, kept_of, key_named, provenance
from subscribers.insight.shapes import Counts, Provenance, Step
from subscribers.local import ClientIdentity, Role
from subscribers.records import Filters, Page, Record
from subscribers.storage.archive import Archive
from subscribers.storage.store import Store
from tests.bench import archive
from tests.bench.archive import PROVED, SIGHTS, reference
from tests.bench.measure import Result, latency, percentile
from tests.support import archive as made
from tests.support.federation import directory
from tests.support.local_nats import connected, running_node
from tests.support.node_api import MemoryNode, MemoryReplies
from tests.support.officers_bot import BotStage, running_bot
from tests.support.un_sample import SAMPLE, un_xml

_NOTE: Final = "one raw request to the node, one raw sendMessage"
NAMES: Final = (
    "latest", "search", "meant", "show", "who", "stats", "stats_community", "like", "tactic", "subject",
)  # fmt: skip
ASKED: Final = (
    "Mohammed Abdulrahman", "Ahmed Hassan", "Ayman Zawahiri 1951", "القاعدة", "Абдурахман", "Kim Chol",
    "Marie Dupont",
)  # fmt: skip
LIST: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "un-consolidated.xml"
"""The real UN list, where it is beside this checkout; a made-up one of seven entries elsewhere."""
_WARM: Final = 3
"""Questions of each kind that are asked first: the first picture loads a library."""
_WAIT: Final = 30.0
TOLD: Final = 3_000
"""So many of the newest bulletins are among what officers were told lately, which suggestions are made of."""
_PAGE: Final = 100
_DAY: Final = 86_400.0


@dataclass
class Shelved:
    """`InsightApi` on a store."""

    store: Store

    async def provenance(self, ref: str) -> Provenance:
        """As a node that no witness has told anything."""
        record = await Archive(self.store).get(ref)
        shown = await self.store.read(lambda connection: kept_of(connection, record.bulletin.id))
        assert key_named(shown), "only bulletins with their frames are asked about"
        return provenance(record, shown, Known(directory(), None, witnessed=False, now=made.START))

    async def like(self, ref: str, filters: Filters, limit: int) -> list[Record]:
        """As every node."""
        return await like(self.store, await Archive(self.store).get(ref), filters, limit)

    async def counts(self, filters: Filters, step: Step) -> Counts:
        """As every node."""
        return await count(self.store, filters, step)


class ShelvedReplies(MemoryReplies):
    """What was answered to a bulletin, from a store."""

    def __init__(self, node: MemoryNode, archive: Archive) -> None:
        super().__init__(node)
        self._archive = archive

    async def replies(self, ref: str, limit: int, tlp_at_most: Tlp) -> list[Record]:
        """As every node."""
        return await self._archive.replies((await self._archive.get(ref)).bulletin.id, limit, tlp_at_most)


class ArchiveNode(MemoryNode):
    """A node without a hub, on a real archive."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.archive = Archive(store)
        self.insight = Shelved(store)
        self.replies = ShelvedReplies(self, self.archive)

    async def search(
        self,
        client: ClientIdentity,
        words: str,
        filters: Filters,
        limit: int,
        cursor: str | None,
        *,
        ranked: bool,
    ) -> Page:
        return await self.archive.search(words, filters, limit, cursor, ranked=ranked)

    async def latest(self, client: ClientIdentity, filters: Filters, limit: int, cursor: str | None) -> Page:
        return await self.archive.latest(filters, limit, cursor)

    async def show(self, client: ClientIdentity, ref: str) -> Record:
        return await self.archive.get(ref)


class Then(SystemClock):
    """A clock that runs on from the end of the archive."""

    def __init__(self, end: float) -> None:
        self._ahead = end - time.time()

    def now(self) -> float:
        return time.time() + self._ahead


@dataclass(frozen=True)
class Question:
    """One kind: what is typed, what an answer to it has, and the bare request that it comes to."""

    name: str
    sign: str
    typed: Callable[[random.Random], str]
    verb: str
    request: Callable[[str], dict[str, object]]


def kinds(bulletins: int, end: float) -> Sequence[Question]:
    """What is asked, of an archive with so many bulletins whose last one is dated `end` (Unix seconds)."""

    def ref(number: int) -> str:
        return reference(number % bulletins)

    def misspelt(words: random.Random) -> str:
        sight = words.choice(SIGHTS)
        return f"/search {sight[1]}{sight[0]}{sight[2:]} place{words.randrange(1_000)}"

    first, later, until = (
        time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(end - d * _DAY)) for d in (84, 28, 0)
    )
    span: dict[str, object] = {"filters": {"since": first, "until": until, "tlp_at_most": "TLP:GREEN"}}
    one = {"since": later, "until": until, "tlp_at_most": "TLP:GREEN", "communities": [made.COMMUNITY]}
    month: dict[str, object] = {"filters": one, "step": "day"}
    return (
        Question("latest", "🗂", lambda _: "/latest", "latest", lambda _: {"limit": 5}),
        Question(
            "search",
            "found",
            lambda words: f"/search {words.choice(SIGHTS)} place{words.randrange(1_000)}",
            "search",
            lambda typed: {"limit": 5, "words": typed.partition(" ")[2]},
        ),
        Question(
            "meant", "Did you mean", misspelt, "search", lambda typed: {"words": typed.partition(" ")[2]}
        ),
        Question(
            "show",
            "👤",
            lambda words: f"/show {ref(words.randrange(bulletins))}",
            "show",
            lambda typed: {"ref": typed.partition(" ")[2]},
        ),
        Question(
            "who",
            "🔑",
            lambda words: f"/who {ref(PROVED * words.randrange(bulletins // PROVED))}",
            "provenance",
            lambda typed: {"ref": typed.partition(" ")[2]},
        ),
        Question("stats", "📊", lambda _: "/stats", "counts", lambda _: span),
        Question("stats_community", "📊", lambda _: "/stats Alpha", "counts", lambda _: month),
        Question(
            "like",
            "FRA-",
            lambda words: f"/like {ref(words.randrange(bulletins))}",
            "show",
            lambda typed: {"ref": typed.partition(" ")[2]},
        ),
        Question("tactic", "🧩", lambda _: "/tactic T1566", "latest", lambda _: {"limit": 5}),
        Question(
            "subject", "📜", lambda words: f"/subject {words.choice(ASKED)}", "latest", lambda _: {"limit": 5}
        ),
    )


async def measure(store: Store, folder: Path, *, bulletins: int, questions: int) -> list[Result]:
    """`answer_<command>_p95` for each command, so many questions of each."""
    end = made.START / 1000 + bulletins * 60
    words, results, warm = random.Random(3), [], min(_WARM, questions)
    async with _stage(store, folder, Then(end)) as (stage, nc):
        person = await stage.enrol("Ed")
        await _tell(Archive(store), stage.state, end)
        async with aiohttp.ClientSession() as session:
            for kind in kinds(bulletins, end):
                taken: tuple[list[float], list[float]] = ([], [])
                for number in range(warm + questions):
                    typed = kind.typed(words)
                    if kind.name in {"stats", "stats_community"}:  # no picture is the one before
                        await archive.add(store, bulletins + number)
                    start = time.perf_counter()
                    answer = await person.ask(typed, deadline=_WAIT)
                    between = time.perf_counter()
                    text = (answer.get("caption") or answer["text"]).replace("Found", "found")
                    if kind.sign not in text:
                        raise ValueError(f"{typed} was not answered, but: {text[:80]}")
                    await _bare(nc, session, stage, person, kind, typed)
                    done = time.perf_counter()
                    if number >= warm:
                        taken[0].append(1000 * (between - start))
                        taken[1].append(1000 * (done - between))
                    await asyncio.sleep(0.01)  # what follows an answer has its time: notes, a second part
                ours, bare = (percentile(each, 0.95) for each in taken)
                results.append(latency(f"answer_{kind.name}_p95", ours, bare, _NOTE))
    return results


async def _tell(archived: Archive, state: State, end: float) -> None:
    """What officers were told lately: the newest bulletins."""
    cursor, left = None, TOLD
    while left > 0:
        page = await archived.latest(Filters(), _PAGE, cursor)
        async with state.store.write() as tx:
            await tx.run(partial(_remember, records=page.items, end=end))
        cursor, left = page.cursor, left - len(page.items)
        if cursor is None:
            return


def _remember(connection: apsw.Connection, records: Sequence[Record], end: float) -> None:
    for each in records:
        remember(connection, each, end)


async def _bare(
    nc: Client,
    session: aiohttp.ClientSession,
    stage: BotStage,
    person: SandboxUser,
    kind: Question,
    typed: str,
) -> None:
    answer = await nc.request(f"node.{kind.verb}", json.dumps(kind.request(typed)).encode(), timeout=_WAIT)
    shown = "\n".join(sorted(json.loads(answer.data)["result"]))
    token = stage.sandbox.bots[0].token
    form = {"chat_id": str(person.chat_id), "text": f"bare {kind.name} {shown}"}
    async with session.post(f"{stage.sandbox.base_url}/bot{token}/sendMessage", data=form) as sent:
        await sent.read()
    await person.next_message(lambda each: each.get("text", "").startswith("bare "), deadline=_WAIT)


@asynccontextmanager
async def _stage(store: Store, folder: Path, clock: Then) -> AsyncIterator[tuple[BotStage, Client]]:
    nats, bot = folder / "answers" / "nats", folder / "answers" / "bot"
    for each in (nats, bot):
        each.mkdir(parents=True)
    listed = LIST
    if not listed.exists():
        listed = folder / "list.xml"
        listed.write_bytes(un_xml(*SAMPLE))
    async with running_node(nats, ArchiveNode(store)) as node:
        await node.local.add_client("bare", Role.READER, Tlp.RED)
        async with (
            node.client("bot", Role.PUBLISHER, Tlp.RED) as agency,
            connected(node.local, nats, "bare") as bare,
            running_bot(bot, agency, clock=clock, un_list=listed) as stage,
        ):
            yield stage, bare.nc
