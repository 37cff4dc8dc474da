"""An archive of which the ceiling withholds much, a bot before it, and everything that leaves the bot.

Every text of what is withheld holds a word that no language has: where it is seen, a text is seen.
"""

import asyncio
import contextlib
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

from typing_extensions import override

from bots.clock import SystemClock
from bots.dialogue.asking import Pressed, Typed, meant
from bots.drafting.draft import HalfDraft
from bots.drafting.review import tell_writer
from bots.duty.roster import Shift
from bots.house import Edges, Front, House
from bots.officers.roles import Role
from bots.ports import Chat, NodeClient
from bots.searches.watching import Search
from bots.settings import BotSettings
from bots.showing.inline import Inline
from bots.showing.rendered import Rows
from bots.state import State
from bots.state.officers import Officer
from bots.state.rosters import AGENCY
from bots.telling.pacing import Pacer, Rate, Rates
from bots.times import MINUTES_A_DAY
from schemas.bulletin import Bulletin
from schemas.encoding import instant
from schemas.vocabulary import Kind, Language, Tlp
from subscribers.local import ClientIdentity
from subscribers.records import Filters, Page, Record
from subscribers.storage import tables
from subscribers.storage.archive import Archive, NewRecord
from subscribers.storage.store import Store
from tests.support.archive import bulletin_id
from tests.support.node import DirectNode
from tests.support.node_api import COMMUNITY, MemoryNode, MemoryReplies, make_alarm
from tests.support.officers_bot import invite
from tests.support.world import eventually

WITHHELD: Final = "qzvk"
"""In every text of what the ceiling withholds from the beginning."""
RAISED: Final = "qzvr"
"""In every text of what an amendment puts above the ceiling."""
OPEN: Final = "qzvo"
"""In every text of what is shown, until the ceiling is lowered to TLP:CLEAR."""
CLEAR: Final = "qzvc"
"""In every text of what is always shown. No bulletin's text is for the log or the audit."""
FAR_COMMUNITY: Final = "fedcba9876543210" * 2
OFFICER: Final = 9
"""Person and chat of the officer who asks."""
CHIEF: Final = 10
"""The same of an administrator beside them."""
QUICK: Final = Rate(1_000_000.0, 1_000_000.0)
LATE: Final = frozenset({"staff", "ceiling"})
"""Verbs of buttons that are pressed last: they take rights or texts away."""
_SEAL: Final = {"key": "ab" * 32, "header": "cd" * 24, "root": "ef" * 32}
_NUMBERS: Final = re.compile(r"[0-9a-f]{8,}|[0-9]+")
_LINK: Final = re.compile(r"/in/[\w-]{43}")
"""Of a one-time link what is drawn at random: among so many, one has any four letters."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def ref_of(number: int) -> str:
    """What a bulletin is called."""
    return f"FRA-2026-{number}"


def link(relation: str, number: int) -> list[dict[str, str]]:
    """A bulletin's links: one."""
    return [{"relation": relation, "id": bulletin_id(number)}]


def made(number: int, tlp: Tlp, word: str, now: int, **fields: Any) -> NewRecord:  # fields of any kind
    """A bulletin that has every field it can have, `word` in each; `now` in Unix milliseconds."""
    texts = (f"{word}{one}{two}{number}" for one in _LETTERS for two in _LETTERS)
    hidden = word in {WITHHELD, RAISED}
    languages = [each for each in Language if each is not Language.ENGLISH]
    given: dict[str, Any] = {
        "kind": "threat",
        "title": f"Drone {next(texts)}",
        "summary": f"Seen {next(texts)}",
        "body": f"It flew {next(texts)}\n\nand landed {next(texts)}",
        "language": "en",
        "severity": "high",
        "translations": [
            {
                "language": each,
                "official": each is Language.FRENCH,
                **{name: next(texts) for name in ("title", "summary", "body")},
            }
            for each in languages
        ],
        "caveats": [next(texts)],
        "tactics": [
            {"taxonomy": "mitre-attack", "id": "T9137" if hidden else "T1566", "name": next(texts)},
        ],
        "subjects": [
            {
                "type": "person",
                "name": next(texts),
                "aliases": [next(texts)],
                "reference": "QDi.917" if hidden else "QDi.001",
            }
        ],
        "personal": {
            "legal_basis": next(texts),
            "review": instant(now + 10**10),
            "correction": next(texts),
        },
        "regions": ["QZ-VK"] if hidden else ["FR-75"],
        "event": {"name": next(texts), "venue": next(texts)},
        "indicators": [{"pattern": f"[file:name = '{next(texts)}']", "description": next(texts)}],
        "attachments": [
            {
                "name": f"{next(texts)}.txt",
                "media": "text/plain",
                "size": 9,
                "sha256": "ab" * 32,
                "seal": _SEAL,
            }
        ],
        "drafter": next(texts),
        "releaser": next(texts),
    }
    own = bool(fields.pop("own", False))
    if fields.get("kind") == "channel":
        given["channel"] = {"address": next(texts), "platform": next(texts), "state": "reported"}
    came = now - (8000 - number) * 1_000
    given |= {"v": 1, "id": bulletin_id(number), "ref": ref_of(number), "issued": instant(came), "tlp": tlp}
    bulletin = Bulletin.model_validate({**given, **fields})
    far = number in {7201, 7203, 7204}
    return NewRecord(
        bulletin, bulletin.to_bytes(), FAR_COMMUNITY if far else COMMUNITY, "fr-dgx", came + 500, own=own
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """A ceiling: in full, as a stub, and what is above both."""

    full: Tlp
    stub: Tlp
    above: Tlp

    def first(self, now: int) -> list[NewRecord]:
        """What comes first: what is shown, what is not, and what is answered to both."""
        return [
            made(7101, self.full, OPEN, now),
            made(7102, self.full, OPEN, now, kind="channel"),
            made(7103, self.full, OPEN, now, kind="event", severity="flash"),
            made(7104, self.full, OPEN, now, kind="subject"),
            made(7105, Tlp.CLEAR, CLEAR, now, kind="tactic"),
            made(7106, self.full, OPEN, now, kind="cyber", own=True),
            made(7107, self.full, OPEN, now, kind="notice"),
            made(7108, self.full, OPEN, now, kind="narrative"),
            made(7109, self.full, OPEN, now, kind="response", links=link("responds-to", 7101)),
            made(7110, self.full, OPEN, now, kind="request"),
            made(7201, self.stub, WITHHELD, now),
            made(7202, self.above, WITHHELD, now, kind="channel"),
            made(7203, self.above, WITHHELD, now, kind="event", severity="flash"),
            made(7204, Tlp.RED, WITHHELD, now, kind="subject"),
            made(7205, self.above, WITHHELD, now, own=True),
            made(7206, self.above, WITHHELD, now, kind="cyber"),
            made(7207, self.above, WITHHELD, now, kind="digest", links=link("contains", 7101)),
            made(7208, self.above, WITHHELD, now, kind="request"),
            made(7209, self.above, WITHHELD, now, kind="response", links=link("responds-to", 7110)),
            made(7301, self.above, WITHHELD, now, kind="response", links=link("responds-to", 7101)),
            made(7302, self.stub, WITHHELD, now, kind="sighting", links=link("sights", 7101)),
            made(7303, self.above, WITHHELD, now, kind="acknowledgement", links=link("acknowledges", 7105)),
            made(7401, self.full, RAISED, now, kind="tactic"),
            made(7402, self.full, RAISED, now),
        ]

    def then(self, now: int) -> list[NewRecord]:
        """What changes them: two put above the ceiling, one that is said again below it, two retracted."""
        return [
            made(7501, self.above, WITHHELD, now, kind="amendment", links=link("amends", 7401)),
            made(7502, self.stub, WITHHELD, now, kind="amendment", links=link("amends", 7402)),
            made(7503, self.full, OPEN, now, kind="amendment", links=link("amends", 7206)),
            made(7504, self.above, WITHHELD, now, kind="retraction", links=link("retracts", 7108)),
            made(7505, self.above, WITHHELD, now, kind="retraction", links=link("retracts", 7202)),
        ]


SECRET: Final = frozenset(map(ref_of, (*range(7201, 7304), 7401, 7402, 7501, 7502, 7505)))
"""What is not there in the twin of an archive: what is withheld, and what is by way of another."""


class ShelfNode(MemoryNode):
    """A node whose archive is the real one."""

    def __init__(self, archive: Archive) -> None:
        super().__init__()
        self._archive = archive
        self.replies = ShelfReplies(self, archive)
        self.raised = [make_alarm().model_copy(update={"what": WITHHELD, "do": WITHHELD, "detail": WITHHELD})]

    @override
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
        return await self._archive.search(words, filters, limit, cursor, ranked=ranked)

    @override
    async def latest(self, client: ClientIdentity, filters: Filters, limit: int, cursor: str | None) -> Page:
        return await self._archive.latest(filters, limit, cursor)

    @override
    async def show(self, client: ClientIdentity, ref: str) -> Record:
        return await self._archive.get(ref)


class ShelfReplies(MemoryReplies):
    """Replies from the real archive."""

    def __init__(self, node: MemoryNode, archive: Archive) -> None:
        super().__init__(node)
        self._archive = archive

    @override
    async def replies(self, ref: str, limit: int, tlp_at_most: Tlp) -> list[Record]:
        return await self._archive.replies((await self._archive.get(ref)).bulletin.id, limit, tlp_at_most)


class Trouble:
    """A node that answers everything that officers ask with `error`, when there is one. New questions are
    wrapped by themselves. What the bot asks by itself is answered: on a slow machine its minute is over while
    officers still ask, and a node that raises what no node does would end it.
    """

    def __init__(self, node: DirectNode) -> None:
        self.node = node
        self.error: Exception | None = None
        self.officers = asyncio.current_task()

    def __getattr__(self, name: str) -> Any:  # whatever the node has
        found = getattr(self.node, name)
        if name == "bulletins" or not callable(found):
            return found

        async def asked(*given: Any, **named: Any) -> Any:  # passed on
            if self.error is not None and asyncio.current_task() is self.officers:
                raise self.error
            return await found(*given, **named)

        return asked


@dataclass(repr=False)
class Wire:
    """The chat service: keeps all that it is given, and what of it should not have been. New ways out are
    watched by themselves.
    """

    forbidden: set[str]
    typed: Sequence[str] = ()
    """What people typed themselves: it may come back to them."""
    error: Exception | None = None
    asked: str = ""
    left: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    shown: list[tuple[int, int, Rows]] = field(default_factory=list)
    told: list[tuple[int, str, Rows]] = field(default_factory=list)
    ways: set[str] = field(default_factory=set)
    standing: dict[int, tuple[int, str]] = field(default_factory=dict)
    """What stands in the chats: messages with their chat and text."""
    _numbers: int = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def took(chat: int, *given: Any, rows: Rows = (), **named: Any) -> Any:  # whatever the port has
            self.ways.add(name)
            self.look(name, repr((given, rows, named)).casefold())
            if self.error is not None and name != "toast":
                raise self.error
            message = given[0] if name in {"edit", "label"} else self.fresh()
            self.shown.append((chat, message, rows))
            text = "".join(getattr(each, "plain", "") for each in given)
            self.told.append((chat, text, rows))
            if name in {"delete", "delete_all"}:
                for each in given[0] if name == "delete_all" else given:
                    self.standing.pop(each, None)
            elif name not in {"toast", "label", "fetch"}:
                self.standing[message] = (chat, text or repr(given))
            return b"text" if name == "fetch" else message

        return took

    def stands(self, word: str, chat: int = OFFICER) -> list[str]:
        """The texts of messages that stand in a chat and have the word, unless a person typed it."""
        found = []
        for place, text in self.standing.values():
            bare = text.casefold()
            for each in self.typed:
                bare = bare.replace(each, "")
            if place == chat and word in bare:
                found.append(text)
        return found

    def fresh(self) -> int:
        """A number that no message has."""
        self._numbers += 1
        return self._numbers

    def look(self, name: str, told: str) -> None:
        """Keep what leaves, and what of it should not."""
        told = _LINK.sub("/in/", told)
        self.left.append(told)
        for each in self.typed:
            told = told.replace(each, "")
        found = (told.find(each) for each in self.forbidden)
        self.leaks += [
            f"{self.asked}: {name} …{told[max(0, at - 300) : at + 60]}…" for at in found if at >= 0
        ]


class Hands(SystemClock):
    """A clock that stands still until its hands are put forward."""

    def __init__(self, at: float) -> None:
        self.at = at

    @override
    def now(self) -> float:
        return self.at


@dataclass(repr=False)
class Scene:
    """A running bot before such an archive, and the people at its chats."""

    limits: Limits
    role: Role
    house: House
    wire: Wire
    node: DirectNode
    trouble: Trouble
    archive: Archive
    state: State
    officer: Officer
    chief: Officer
    clock: Hands
    now: int
    only: Callable[[str], bool]
    came: list[str] = field(default_factory=list)

    async def says(self, text: str, person: int = OFFICER, **more: Any) -> None:  # fields of what is typed
        self.wire.asked = text or str(more)
        self.clock.at += 1
        await self.house.reception.typed(Typed(person, person, self.wire.fresh(), text, "en", **more))

    async def presses(self, data: str, message: int = 1, rows: Rows = (), person: int = OFFICER) -> None:
        self.wire.asked = f"[{data}]"
        self.clock.at += 1
        await self.house.reception.pressed(Pressed(meant(data), person, person, message, "p", rows))

    async def offers(self, text: str) -> None:
        """What may be sent from any other chat."""
        self.clock.at += 1
        offered = await self.house.reception.inline(Inline(OFFICER, text, "q"))
        self.wire.asked = f"inline {text}"
        self.wire.look("inline", repr(offered).casefold())

    async def answers(self, text: str, *, later: bool = False) -> list[str]:
        """What is answered, by way of the outbox as well if it comes `later`, with its buttons, but for
        blocks of text about what the twin does not have.
        """
        known = len(self.wire.told)
        await self.says(text)
        if later:
            await self.settle()
            return sorted(self._told(known))  # the two ways know no order
        return self._told(known)

    async def answers_press(self, data: str) -> list[str]:
        known = len(self.wire.told)
        await self.presses(data)
        return self._told(known)

    def _told(self, known: int) -> list[str]:
        said = [(text, rows) for chat, text, rows in self.wire.told[known:] if chat == OFFICER]
        blocks = ((text.split("\n\n"), rows) for text, rows in said)
        return [
            "\n\n".join(each for each in some if not any(ref in each for ref in SECRET))
            + "".join(f"\n[{button.text}|{button.data}]" for row in rows for button in row)
            for some, rows in blocks
        ]

    async def press_all(self, most: int) -> set[str]:
        """The buttons that were shown, and those that come of them, `most` of each that differ in numbers
        alone; the verbs that were pressed.
        """
        waiting, late = deque(self.wire.shown), deque[tuple[int, int, Rows]]()
        alike: dict[str, set[str]] = {}
        while waiting or late:
            last = not waiting
            chat, message, rows = (waiting or late).popleft()
            for each in (button for row in rows for button in row):
                verb, _, what = each.data.partition(":")
                seen = alike.setdefault(_NUMBERS.sub("#", each.data), set())
                other = verb == "say" and what != self.officer.language
                foreign = other or (verb == "staff" and f":{self.chief.id}" in each.data)
                if (
                    chat != OFFICER
                    or not verb
                    or foreign
                    or len(seen | {each.data}) > most
                    or each.data in seen
                ):
                    continue
                if verb in LATE and not last:
                    late.append((chat, message, rows))
                    continue
                seen.add(each.data)
                known = len(self.wire.shown)
                await self.presses(each.data, message, rows)
                waiting.extend(self.wire.shown[known:])
        return {each.split(":")[0] for each, seen in alike.items() if seen}

    async def arrive(self, new: Sequence[NewRecord]) -> None:
        """Bulletins come, and everything that comes of it leaves."""
        kept = [each for each in new if self.only(each.bulletin.ref)]
        await self.archive._store.transact(lambda connection: _put_all(connection, kept))  # noqa: SLF001 - as the node's intake writes
        found = [await self.archive.get(each.bulletin.id) for each in kept]
        for known in self.came:
            await self.node.arrive(await self.archive.get(known))
        self.came += [each.bulletin.id for each in kept]
        await self.node.arrive(*found)
        for each in found:
            await self.node.handled(each)
        await self.settle()

    async def ring(self) -> None:
        """Time passes while a flash rings in vain: calls, and that nobody answers."""
        for _ in range(3):
            self.clock.at += 200.0
            known = len(self.wire.shown)

            async def called(known: int = known) -> bool:
                await self.presses("duty:home:0")  # whoever looks at the roster rouses the bell-ringer
                return any(_calls(rows) for _, _, rows in self.wire.shown[known:])

            await eventually(called)
            await self.settle()

    async def settle(self) -> None:
        """Until nothing waits for delivery, or to be taken back."""

        async def quiet() -> bool:
            left = await self.state.outbox.counts()
            busy = left.get("queued") or left.get("in_flight")
            return not busy and not await self.state.staff.farewells(1)

        self.wire.asked = "by itself"
        await eventually(quiet)


def _put_all(connection: Any, new: Sequence[NewRecord]) -> None:  # apsw's
    from subscribers.storage.archive import put_all  # noqa: PLC0415

    put_all(connection, new)


def drafts(word: str) -> Iterable[HalfDraft]:
    """Half-written bulletins of a terminal, marked higher than chat may see."""
    texts = {"title": word, "summary": word, "body": word, "caveats": (word,)}
    for tlp in (Tlp.AMBER_STRICT, Tlp.RED):
        yield HalfDraft(tlp=tlp, community=COMMUNITY, kind=Kind.THREAT, severity="high", **texts)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def scene(
    folder: Path,
    limits: Limits,
    role: Role,
    language: Language,
    *,
    only: Callable[[str], bool] = lambda _: True,
    typed: Sequence[str] = (),
    duty: bool = True,
) -> AsyncIterator[Scene]:
    """Everything runs; the first bulletins have not come yet. Without `duty` nobody is on it, and nothing
    rings: calls come at times of their own.
    """
    now = int(time.time()) // 600 * 600_000  # twins that are made one after the other tell the same times
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    wire, codes = Wire({WITHHELD}, typed), count(1)
    async with (
        await Store.open(folder / "node.db", bytes(32), tables.NODE) as store,
        await State.open(folder / "state") as state,
    ):
        for each in (store, state.store):  # what a power cut would lose is no matter here
            await each._writer.run(_hasty)  # noqa: SLF001 - no caller may have that
        await store.transact(_named)
        archive = Archive(store)
        trouble = Trouble(node := DirectNode(ShelfNode(archive)))
        officer, chief = await _people(state, role, language, duty=duty)
        settings = BotSettings(
            state=folder / "state", asking_rate=1_000.0, asking_burst=1_000, ceiling=limits.full,
            stub_ceiling=limits.stub, room_origin="https://room.example", ring_calls=1, inline=True,
        )  # fmt: skip
        chat = cast("Chat", wire)

        async def announced(_: Officer) -> bool:
            return True

        edges = Edges(
            cast("NodeClient", trouble), clock := Hands(now / 1_000), new_code=lambda: f"{next(codes):032}"
        )
        house = House(
            settings, state, edges, Front(chat, chat, Pacer(Rates(QUICK, QUICK, QUICK)), "bot", announced)
        )
        stop = asyncio.Event()
        running = asyncio.create_task(house.run(stop))
        try:
            yield Scene(
                limits, role, house, wire, node, trouble, archive, state, officer, chief, clock, now, only
            )
        finally:
            stop.set()
            await running


async def _people(state: State, role: Role, language: Language, *, duty: bool) -> tuple[Officer, Officer]:
    """The officer, and a chief with searches and drafts of their own."""
    people = []
    for person, name, given in ((OFFICER, "Ed", role), (CHIEF, "Amina", Role.ADMINISTRATOR)):
        code = await invite(state, name, role=given)
        made = await state.officers.enrol(
            code, chat=person, person=person, language=language, now=time.time()
        )
        assert made is not None
        people.append(made)
        await state.officers.subscribe(made.id, Search())
    officer, chief = people
    await state.officers.subscribe(chief.id, Search(name=WITHHELD, words=WITHHELD))
    for each in people:
        for body in drafts(WITHHELD):
            await state.drafts.begin(each.id, body, "x", time.time())
    waiting = await state.drafts.begin(chief.id, next(iter(drafts(WITHHELD))), "y", time.time())
    sent_back = (tell_writer(waiting, "returned", officer, each.id, note=WITHHELD) for each in people)
    await state.drafts.send(waiting, tuple(sent_back), time.time())
    for each in people if duty else ():
        await state.rosters.add(AGENCY, Shift(0, each.id, 0, MINUTES_A_DAY - 1, frozenset(range(7)), None))
    return officer, chief


def _calls(rows: Rows) -> bool:
    return any(button.data.startswith("bell:") for row in rows for button in row)


def _hasty(connection: Any) -> None:  # apsw's
    connection.execute("PRAGMA synchronous = off")


def _named(connection: Any) -> None:  # apsw's
    connection.execute("INSERT INTO communities VALUES (?, 'alpha', 'Alpha', 'live')", (COMMUNITY,))
    connection.execute(
        "INSERT INTO communities VALUES (?, ?, ?, 'live')", (FAR_COMMUNITY, WITHHELD, WITHHELD)
    )
    connection.execute("INSERT INTO agencies VALUES ('fr-dgx', 'France')")
