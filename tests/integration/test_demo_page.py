"""The demonstration's page in a real Chromium, fed with lines like those of the commands."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hub.demo import drafts, plan
from hub.demo.board import Board
from hub.demo.site import Site
from tests.support.sandbox import CHROMIUM, browser_page, has_chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not has_chromium(), reason=f"no Chromium at {CHROMIUM}: install it to try the page"),
]

Page = Any  # playwright's page: imported late, like the rest of playwright
KEYS = {each.id: "A" + each.code * 18 + "A" for each in plan.AGENCIES}
COMMUNITIES = {each.slug: f"{number:032x}" for number, each in enumerate(plan.COMMUNITIES, 0xABCDEF)}
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


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
        self.board.published(id, began=0.958)
        return id

    async def publish(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(asked)
        draft = {**asked, "translations": [], "summary": ""}
        return {"id": self.send(asked["agency"], asked["community"], draft), "ref": "UNC-2026-0099"}


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[tuple[Scene, Page]]:  # playwright's options
    scene = Scene()
    site = Site(scene.board, world(), {"publish": scene.publish}, "s" * 24)
    url = await site.start(0)
    try:
        async with browser_page(url, **options) as page:
            for each in drafts.samples()[:9]:
                scene.send(each.agency, each.sent.community, each.draft)
            yield scene, page
            assert page.seen == []
    finally:
        await site.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_both_sides_show_the_same_bulletin_each_in_its_way(scheme: str) -> None:
    async with opened(viewport=WIDE, color_scheme=scheme) as (_, page):
        hub = page.get_by_role("region", name="What the hub sees")
        russian = page.get_by_role("region", name="Антитеррористический комитет")
        arabic = page.get_by_role("region", name="مديرية الرصد والسلامة")
        await hub.locator(".row").nth(8).wait_for()  # what still came would move what the mouse is over
        await russian.get_by_text("Фишинг против визовых отделов").hover()
        await hub.locator(".row.lit").wait_for()
        assert "Фишинг" not in await hub.inner_text()
        assert await hub.locator(".row").count() == 9
        await (
            page.get_by_role("region", name="International Coordination Cell")
            .locator(".bulletin.lit")
            .wait_for()
        )
        await arabic.get_by_text("ليست عضواً").wait_for()
        heading = arabic.get_by_role("heading", name="استخدام طائرات مسيّرة")
        assert await heading.evaluate("each => getComputedStyle(each).direction") == "rtl"
        await russian.get_by_text("42 ms").first.wait_for()


async def test_own_words_become_ciphertext_at_the_hub_and_text_at_the_agencies() -> None:
    async with opened(viewport=WIDE) as (scene, page):
        await page.get_by_role("button", name="Publish your own").click()
        await page.get_by_label("To", exact=True).select_option("cyber-propaganda")
        await page.get_by_text("JOR will receive nothing").wait_for()
        await page.get_by_label("Title", exact=True).fill("<b>Words</b> of a visitor")
        await page.get_by_label("Text", exact=True).fill("For readers alone")
        await page.get_by_role("button", name="Seal, sign and publish").click()
        french = page.get_by_role("region", name="Direction de la vigilance du territoire")
        await french.locator(".bulletin.lit").get_by_text("<b>Words</b> of a visitor").wait_for()
        assert "visitor" not in await page.get_by_role("region", name="What the hub sees").inner_text()
        assert scene.asked[0]["agency"] == "un-cell"


async def test_on_a_phone_one_agency_at_a_time_under_the_hub() -> None:
    async with opened(viewport=PHONE) as (_, page):
        await page.get_by_role("tab", name="JOR").click()
        await (
            page.get_by_role("region", name="مديرية الرصد والسلامة").get_by_role("listitem").first.wait_for()
        )
        shown = page.locator(".agency:visible")
        assert await shown.count() == 1
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
