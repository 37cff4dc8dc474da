"""The stage on which a hub cheats: who is there, what each of them notices, and where it is written down."""

import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from filelock import FileLock

from bots.sandbox.client import SandboxUser
from bots.telling.alarms import WHAT
from hub.jetstream import JetStreamRefused
from schemas.bulletin import Draft
from schemas.errors import LiaisonError
from schemas.evidence import parse_evidence
from schemas.frame import HEARTBEAT, Frame
from schemas.proof import check
from schemas.receipts import ADMITTED
from schemas.subjects import DIRECTORY, QUARANTINE, FrameSubject, membership_log
from schemas.vocabulary import AlarmName, Precedence, Realm
from subscribers.api import AlarmEntry
from subscribers.client import Agency
from subscribers.records import Community, Filters
from subscribers.witness.service import state_of
from tests.support.crook import Crook
from tests.support.forked import ROOT
from tests.support.hand import Hand, Speech
from tests.support.officers_bot import BotStage
from tests.support.witness_world import Watched
from tests.support.world import Member, draft, eventually

RECORD: Final = ROOT / "build" / "attacks.json"
HOUR: Final = 3_600_000
_LISTED: Final = 100


class Who(StrEnum):
    """The parties that may notice. Each has a node, but for the witness."""

    SPEAKER = "the publisher"
    READER = "a reader"
    OTHER = "another reader"
    VICTIM = "the agency that was shown it"
    WITNESS = "a witness"


class After(StrEnum):
    """How long it takes at the most, by what this text and FORMAT.md say."""

    COMES = "as it comes"
    NEXT = "at the next frame"
    BEATS = "within two heartbeats"
    LOGS = "10 s after a frame that cites it"
    PERIODS = "after two periods of the heartbeats"
    FRESHNESS = "when the head's freshness ends"
    UNANSWERED = "after five minutes without an answer"
    NEVER = "never"
    NOTHING = "it has no effect"


class Sight(NamedTuple):
    """What a party notices: an alarm of its node, and the code of the refusal, where something was refused.
    A witness has no alarms, only codes.
    """

    who: Who
    alarm: AlarmName | None = None
    code: str = ""
    called: str = ""
    """What the table calls the party in this attack, if not by its usual name."""


Act = Callable[["Scene"], Awaitable[None]]


class Attack(NamedTuple):
    """One thing that a hub does, alone or with a helper. `what` ends the sentence "The hub ..."."""

    name: str
    what: str
    sights: tuple[Sight, ...]
    after: After
    act: Act
    helper: str = ""


ATTACKS: Final[list[Attack]] = []


def attack(what: str, *sights: Sight, after: After = After.COMES, helper: str = "") -> Callable[[Act], Act]:
    """Enter a function as an attack, under its own name."""

    def enter(act: Act) -> Act:
        ATTACKS.append(Attack(getattr(act, "__name__", ""), what, sights, after, act, helper))
        return act

    return enter


class Before(NamedTuple):
    """What stood before an attack: how often each alarm was raised, the latest refusal."""

    alarms: dict[Who, dict[int, int]]
    refused: dict[Who, int]
    witness: int


@dataclass
class Stage:
    """A federation with a witness, a hub's account in a crook's hands, and an officer in chat."""

    watched: Watched
    crook: Crook
    nodes: dict[Who, Member]
    eyes: dict[Who, Agency]
    helper: Hand
    """A member whose keys are in the crook's hands, too."""
    bot: BotStage
    officer: SandboxUser
    to_tell: dict[int, AlarmEntry] = field(default_factory=dict)
    """The reader's alarms that the officer has to be told of, by their numbers."""

    def endpoint(self, who: Who) -> str:
        """A party's account at the hub."""
        return self.nodes[who].endpoint if who in self.nodes else self.watched.endpoint

    def turn(self, who: Who, ahead: int) -> None:
        """Set a party's clock so far ahead, in milliseconds."""
        ahead_file(self.nodes[who]).write_text(str(ahead))

    async def scene(self, attack: Attack) -> "Scene":
        """A community of everybody, in which the publisher has spoken once and all have heard it."""
        speaker, others = self.nodes[Who.SPEAKER], [Who.READER, Who.OTHER, Who.VICTIM]
        agency = self.eyes[Who.SPEAKER]
        slug = f"c{time.time_ns():x}"
        community = await agency.community_create(slug, "Scene")
        for each in others:
            await agency.community_add(slug, self.nodes[each].id)
        scene = Scene(self, attack, community, speaker, await self.before(), community.id)
        await scene.say("One")
        await scene.heard("One", Who.SPEAKER, Who.READER, Who.OTHER)
        return scene

    async def before(self) -> Before:
        """What stands now."""
        alarms, refused = {}, {}
        for who, eye in self.eyes.items():
            alarms[who] = {each.number: each.times for each in await self.alarms(who)}
            latest = await eye.quarantine(1)
            refused[who] = latest[0].number if latest else 0
        return Before(alarms, refused, len(await self.witness_refused()))

    async def in_log(self, who: Who, community: str, size: int) -> None:
        """Return once a party has so many entries of a community's log."""

        async def there() -> bool:
            try:
                return len(await self.eyes[who].community_log(community)) >= size
            except LiaisonError:
                return False

        await eventually(there)

    async def grown(self, who: Who, size: int) -> None:
        """Return once a party's directory has so many documents."""

        async def there() -> bool:
            return (await self.eyes[who].status()).directory_size >= size

        await eventually(there)

    async def alarms(self, who: Who) -> list[AlarmEntry]:
        """A party's latest alarms, past ones too, and whatever stands: an old one may be raised again."""
        eye = self.eyes[who]
        latest, standing = await eye.alarms(_LISTED, past=True), await eye.alarms(_LISTED)
        known = {each.number for each in latest}
        return latest + [each for each in standing if each.number not in known]

    async def witness_refused(self) -> list[str]:
        """The codes with which the witness has refused, newest first."""
        return [each["code"] for each in (await state_of(self.watched.state, 1_000))["refused"]]

    async def sees(self, sight: Sight, before: Before, community: str) -> bool:
        """Whether the party has noticed it since."""
        if sight.who is Who.WITNESS:
            codes = await self.witness_refused()
            return sight.code in codes[: len(codes) - before.witness]
        if sight.alarm and not await self.raised(sight, before, community):
            return False
        refused = await self.eyes[sight.who].quarantine(_LISTED)
        new = {each.code for each in refused if each.number > before.refused[sight.who]}
        return not sight.code or sight.code in new

    async def raised(self, sight: Sight, before: Before, community: str) -> list[AlarmEntry]:
        """The alarms that show it."""
        return [
            each
            for each in await self.alarms(sight.who)
            if each.name == sight.alarm
            and each.community in {None, community}
            and each.times > before.alarms[sight.who].get(each.number, 0)
        ]

    async def told(self, alarm: AlarmEntry) -> None:
        """Return once the officer has read of this alarm of the reader's node in chat."""
        number = re.compile(rf"Alarm {alarm.number}\b")

        async def read() -> bool:
            texts = [str(each.get("text", "")) for each in self.officer.messages.values()]
            return any(number.search(text) and WHAT[alarm.name] in text for text in texts)

        await eventually(read)


@dataclass
class Scene:
    """What one attack is about: at first a community of everybody, in which the publisher has spoken once.
    `struck` is when the attack began to be noticeable (monotonic seconds).
    """

    stage: Stage
    attack: Attack
    community: Community
    speaker: Member
    before: Before
    about: str
    """The community of the alarms that are waited for."""
    struck: float = field(default_factory=time.monotonic)
    seen: dict[Sight, float] = field(default_factory=dict)
    """What has been noticed, and after how many seconds."""

    @property
    def crook(self) -> Crook:
        """The hub's account."""
        return self.stage.crook

    def strike(self) -> None:
        """From now on it can be noticed."""
        self.struck = time.monotonic()

    def place(self, precedence: Precedence = Precedence.ROUTINE, endpoint: str = "") -> str:
        """Where the publisher's frames stand, or another endpoint's."""
        publisher = endpoint or self.speaker.endpoint
        return FrameSubject(Realm.LIVE, self.community.id, precedence, publisher).traffic()

    async def noticed(self) -> None:
        """Return once everybody has noticed who shall."""
        for sight in self.attack.sights:
            if sight not in self.seen:

                async def there(sight: Sight = sight) -> bool:
                    return await self.stage.sees(sight, self.before, self.about)

                await eventually(there)
                self.seen[sight] = time.monotonic() - self.struck

    async def alarms(self, *who: Who) -> list[AlarmEntry]:
        """The alarms about this community that these parties have raised since it began; without any, those
        whom no other attack has shown another directory.
        """
        return [
            each
            for party in who or (Who.SPEAKER, Who.READER, Who.OTHER)
            for each in await self.stage.alarms(party)
            if each.community == self.about and each.number not in self.before.alarms[party]
        ]

    async def of_reader(self) -> list[AlarmEntry]:
        """The reader's alarms that the attack was noticed by."""
        found = []
        for sight in self.seen:
            if sight.who is Who.READER:
                found += await self.stage.raised(sight, self.before, self.about)
        return found

    def blinded(self, *who: Who, to: str = "") -> contextlib.AbstractAsyncContextManager[None]:
        """Hide from these what comes meanwhile in the community, or under `to`."""
        hidden = to or f".{self.community.id}."
        return self.crook.blinded([self.stage.endpoint(each) for each in who], hidden)

    @contextlib.asynccontextmanager
    async def deaf(self, *who: Who) -> AsyncIterator[None]:
        """Meanwhile these hear the publisher and its heartbeats, and nothing of the helper."""
        whole, left = (f"f.live.{self.community.id}.*.{each}" for each in ("*", self.speaker.endpoint))
        async with contextlib.AsyncExitStack() as all_of_them:
            for each in who:
                narrowed = self.crook.narrowed(self.stage.endpoint(each), whole, left)
                await all_of_them.enter_async_context(narrowed)
            yield

    async def say(self, title: str, **fields: object) -> None:
        """A bulletin by the publisher."""
        await self.stage.eyes[Who.SPEAKER].publish(self.draft(title, **fields), self.community.slug)

    def draft(self, title: str, **fields: object) -> Draft:
        """A bulletin to be."""
        return draft(title, **fields)

    async def said(self) -> list[Frame]:
        """The publisher's frames here that are no heartbeats, in order."""
        frames = await self.crook.frames(self.speaker, self.community.id)
        return [each for each in frames if each.header.k != HEARTBEAT]

    async def entries(self) -> list[bytes]:
        """The community's membership log."""
        return await self.crook.all(DIRECTORY, membership_log(self.community.id))

    async def refused_by_hub(self, endpoint: str, code: str) -> bytes:
        """The frame of an endpoint that the hub itself has refused so, once it has."""
        subject = f"q.{endpoint}.{code}"

        async def there() -> bool:
            try:
                await self.crook.last(QUARANTINE, subject)
            except JetStreamRefused:
                return False
            return True

        await eventually(there)
        return await self.crook.last(QUARANTINE, subject)

    async def helper_speaks(self) -> Speech:
        """The helper as a member, with an epoch that everybody has the key of; what it says from now on goes
        past the hub's admission.
        """
        hand, com = self.stage.helper, self.community.id
        await self.stage.eyes[Who.SPEAKER].community_add(self.community.slug, hand.member.id)
        entries = len(await self.entries())
        await hand.until(
            lambda: (
                com in hand.directory.communities and len(hand.directory.communities[com].entries) == entries
            )
        )
        speech = Speech.to(hand, com)
        await speech.begin()
        first = speech.bulletin("The helper")
        assert await speech.say(first) == ADMITTED
        await self.heard("The helper", Who.READER, Who.OTHER)
        return speech

    async def convicts(self, who: Who) -> None:
        """What a party kept of a fork is proof for anybody that the publisher signed both."""
        eye = self.stage.eyes[who]
        (number, *_) = [each.number for each in await eye.quarantine(_LISTED) if each.code == "fork"]
        evidence = parse_evidence((await eye.evidence_refused(number)).to_bytes())
        assert check(evidence, bytes.fromhex(self.stage.watched.world.fingerprint)).proved

    async def heard(self, title: str, *who: Who) -> None:
        """Return once these have read a bulletin with this title."""
        for each in who:

            async def read(each: Who = each) -> bool:
                return title in await self.titles(each)

            await eventually(read)

    async def titles(self, who: Who) -> list[str]:
        """What a party has read here, newest first."""
        found = await self.stage.eyes[who].latest(Filters(communities=frozenset({self.community.id})), 50)
        return [each.bulletin.title for each in found.items]


def ahead_file(member: Member) -> Path:
    """Where a node that was started for it reads how far its clock is ahead."""
    return member.world.directory / f"{member.id}.ahead"


def record(attack: Attack, seen: Iterable[tuple[Sight, float]]) -> None:
    """Write down what was seen, and after how many seconds."""
    RECORD.parent.mkdir(exist_ok=True)
    with FileLock(RECORD.with_suffix(".lock")):
        known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
        found = [
            {"who": str(who), "alarm": alarm and str(alarm), "code": code, "seconds": round(seconds, 2)}
            for (who, alarm, code, _), seconds in seen
        ]
        known[attack.name] = {"what": attack.what, "seen": found, "after": str(attack.after)}
        RECORD.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
