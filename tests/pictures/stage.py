"""What the pictures show: fixed bulletins at a fixed time, a reading room and a sandbox with the real bot."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bots.drafting.draft import HalfDraft
from bots.officers.roles import Role
from bots.sandbox.client import SandboxClient, SandboxUser
from bots.sandbox.limits import UNLIMITED
from bots.sandbox.server import Sandbox, start
from bots.sandbox.settings import Officer, SandboxSettings
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.records import Record
from tests.support.node import DirectNode
from tests.support.node_api import COMMUNITY, make_record
from tests.support.officers_bot import BotStage, bot_on, invite, says
from tests.support.room import RoomStage, SetClock, running_room

NOW: Final = datetime.fromisoformat("2026-03-01T09:00:00+00:00").timestamp()
BULLETIN: Final = "FRA-2026-0042"
PEOPLE: Final = {
    Language.ENGLISH: ("Ed", "en"),
    Language.ARABIC: ("Amina", "ar"),
    Language.CHINESE: ("Wei", "zh-hans"),
}
_TEXTS: Final[dict[str, Any]] = {
    "title": "Drone over the stadium",
    "summary": "A small drone circled the stadium for six minutes; its pilot left in a grey van.",
    "body": "At 14:05 a quadcopter without lights came from the north and circled above stand C at about"
    " 60 metres.\n\nIt left at 14:11 towards the ring road. Two witnesses saw a man put it into a grey van"
    " with the plate AB-123-CD.",
    "translations": [
        {
            "language": "ar",
            "official": True,
            "title": "طائرة مسيّرة فوق الملعب",
            "summary": "حلّقت طائرة مسيّرة صغيرة فوق الملعب ست دقائق، وغادر مشغّلها في شاحنة رمادية.",
            "body": "في الساعة 14:05 جاءت من الشمال طائرة رباعية المراوح بلا أضواء وحلّقت فوق المدرّج C على"
            " ارتفاع نحو 60 متراً.\n\nثم غادرت في الساعة 14:11 باتجاه الطريق الدائري. ورأى شاهدان رجلاً يضعها"
            " في شاحنة رمادية تحمل اللوحة AB-123-CD.",
        },
        {
            "language": "zh",
            "official": False,
            "title": "体育场上空的无人机",
            "summary": "一架小型无人机在体育场上空盘旋六分钟；操作者乘灰色面包车离开。",
            "body": "14:05，一架未开灯的四旋翼无人机自北方飞来，在C看台上空约60米处盘旋。\n\n14:11，"
            "它朝环路方向离开。两名目击者看到一名男子将其放入车牌为AB-123-CD的灰色面包车。",
        },
    ],
}


def _translated(title: str, arabic: str, chinese: str) -> dict[str, Any]:
    made = (("ar", arabic), ("zh", chinese))
    return {
        "title": title,
        "translations": [
            {"language": language, "official": True, "title": text, "body": text} for language, text in made
        ],
    }


def bulletins() -> list[Record]:
    """Of most kinds of marking and severity, oldest first."""
    made = (
        make_record(
            38,
            kind="notice",
            severity="info",
            tlp="TLP:CLEAR",
            **_translated("Points of contact for the quarter", "نقاط الاتصال لهذا الفصل", "本季度联络点"),
        ),
        make_record(
            39,
            kind="cyber",
            severity="elevated",
            regions=["FR", "BE"],
            **_translated(
                "Phishing against visa offices", "تصيّد يستهدف مكاتب التأشيرات", "针对签证处的钓鱼攻击"
            ),
        ),
        make_record(
            40,
            kind="tactic",
            severity="low",
            tlp="TLP:AMBER",
            tactics=[{"taxonomy": "mitre-attack", "id": "T1566", "name": "Phishing"}],
            **_translated("Vehicles rented by third parties", "مركبات يستأجرها وسطاء", "由第三方租用的车辆"),
        ),
        make_record(
            42,
            kind="threat",
            severity="high",
            tlp="TLP:GREEN",
            caveats=["Confirm by telephone before acting"],
            regions=["FR-75"],
            indicators=[{"pattern": "[ipv4-addr:value = '192.0.2.1']"}],
            **_TEXTS,
        ),
        make_record(
            43,
            kind="threat",
            severity="flash",
            tlp="TLP:AMBER",
            **_translated("Explosive device at the fair", "عبوة ناسفة في المعرض", "博览会发现爆炸装置"),
        ),
    )
    return [
        each.model_copy(update={"received": f"2026-03-01T08:{10 * number + 5:02}:00Z"})
        for number, each in enumerate(made)
    ]


DRAFT: Final = HalfDraft(
    tlp=Tlp.AMBER,
    community=COMMUNITY,
    kind=Kind.THREAT,
    severity=Severity.HIGH,
    title="Drone over the stadium",
    body="A drone was seen at noon above stand C.",
)


class Stopped(SetClock):
    """A clock that stands; whoever sleeps by it sleeps."""

    def now(self) -> float:
        return NOW

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Scenery:
    """Everything that runs."""

    room: RoomStage
    sandbox: Sandbox


@contextlib.asynccontextmanager
async def scenery(folder: Path) -> AsyncIterator[Scenery]:
    """A room with officers and drafts, a sandbox in which a bot has been asked and has told."""
    node, clock = DirectNode(), Stopped()
    await node.arrive(*bulletins())
    officers = tuple(Officer(*each) for each in PEOPLE.values())
    settings = SandboxSettings(officers=officers, limits=UNLIMITED, clock=clock.now)
    for name in ("room", "bot"):
        (folder / name).mkdir(parents=True)
    sandbox = await start(settings)
    try:
        async with (
            SandboxClient(sandbox.page_url) as client,
            bot_on(sandbox, client, folder / "bot", node, clock) as bot,
            running_room(folder / "room", node, clock) as room,
        ):
            for language in PEOPLE:
                await _talk(bot, language)
                officer = await room.enrol(PEOPLE[language][0], language, Role.RELEASER)
                await room.state.drafts.begin(officer.id, DRAFT, "1", clock.now())
            yield Scenery(room, sandbox)
    finally:
        await sandbox.close()


async def _talk(bot: BotStage, language: Language) -> None:
    """An officer's first questions. They enrol by the command, whose code is another each time."""
    name, _ = PEOPLE[language]
    person: SandboxUser = bot.person(name)
    code = await invite(bot.state, name, now=NOW)
    enrolled = await bot.state.officers.enrol(
        code, chat=person.chat_id, person=person.id, language=language, now=NOW
    )
    assert enrolled
    await person.ask("/latest")
    await person.send(f"/show {BULLETIN}")
    await person.next_message(says(BULLETIN))
