"""The demonstration's page, fed with lines like those of the commands."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from hub.demo import drafts, plan
from hub.demo.board import Board
from hub.demo.site import Site
from schemas.vocabulary import Tlp

KEYS = {each.id: "A" + each.code * 18 + "A" for each in plan.AGENCIES}
COMMUNITIES = {each.slug: f"{number:032x}" for number, each in enumerate(plan.COMMUNITIES, 0xABCDEF)}


def world() -> dict[str, Any]:
    return {
        "hub": plan.HUB_NAME,
        "chat": "http://127.0.0.1:1/",
        "ceiling": plan.INTEGRATOR_CEILING,
        "agencies": [
            {
                "id": each.id,
                "code": each.code,
                "name": each.name,
                "language": each.language,
                "communities": plan.communities_of(each.id),
                "endpoint": KEYS[each.id],
                "officers": ["Claire"] if each.id == "fr-dvt" else [],
                "integrator": "siem" if each.id == plan.INTEGRATOR_AGENCY else "",
            }
            for each in plan.AGENCIES
        ],
        "communities": [
            {"slug": each.slug, "title": each.title, "id": COMMUNITIES[each.slug], "members": each.members}
            for each in plan.COMMUNITIES
        ],
    }


class Scene:
    """A board to which bulletins can be sent as the commands would tell of them."""

    def __init__(self) -> None:
        self.board = Board({key: agency for agency, key in KEYS.items()}, COMMUNITIES, clock=lambda: 1.0)
        self.asked: list[Mapping[str, Any]] = []
        self._seq = 0

    def fill(self) -> None:
        """The first nine of the demonstration's own bulletins."""
        for each in drafts.samples()[:9]:
            self.send(each.agency, each.sent.community, each.draft)

    def send(self, agency: str, community: str, draft: Mapping[str, Any]) -> str:
        self._seq += 1
        id = str(uuid.UUID(int=self._seq))
        flash = "flash" if draft["severity"] == "flash" else "routine"
        head = b'\x01\x01\xcd{"v":1,"k":"b","rl":"live"'
        self.board.hub_line(
            {
                "stream": "TRAFFIC",
                "seq": self._seq,
                "at": "2026-11-22T09:00:00Z",
                "size": 2600,
                "subject": f"f.live.{COMMUNITIES[community]}.{flash}.{KEYS[agency]}",
                "sha256": "00" * 8,
                "head": head.hex(),
                "tail": f"{self._seq:064x}",
            }
        )
        bulletin = {"id": id, "ref": f"{plan.BY_ID[agency].code}-2026-{self._seq:04d}", **draft}
        record = {
            "bulletin": bulletin,
            "agency": agency,
            "agency_name": plan.BY_ID[agency].name,
            "community_slug": community,
            "community_title": plan.BY_SLUG[community].title,
        }
        for member in plan.members(community):
            self.board.tail_line(member, plan.BY_ID[member].language, record)
        marking = Tlp(draft["tlp"])
        if plan.INTEGRATOR_AGENCY in plan.members(community) and marking.rank <= plan.INTEGRATOR_CEILING.rank:
            kind = f"{draft['kind']}.{draft['severity']}.{marking.name.lower()}"
            said = f"{record['agency_name']} {draft['title']}"
            self.board.integrator_line(f"bulletin.live.{community}.{kind} {said}")
        self.board.published(id, began=0.958)
        return id

    async def publish(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(asked)
        draft = {**asked, "translations": [], "summary": ""}
        return {"id": self.send(asked["agency"], asked["community"], draft), "ref": "UNC-2026-0099"}


@asynccontextmanager
async def shown() -> AsyncIterator[tuple[Scene, str]]:
    """A page with nothing on it yet, and where it is."""
    scene = Scene()
    site = Site(scene.board, world(), {"publish": scene.publish}, "s" * 24)
    url = await site.start(0)
    try:
        yield scene, url
    finally:
        await site.close()
