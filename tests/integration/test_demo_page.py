"""The demonstration's page in a real Chromium, fed with lines like those of the commands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.demo_scene import Scene, shown
from tests.support.sandbox import CHROMIUM, browser_page, has_chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not has_chromium(), reason=f"no Chromium at {CHROMIUM}: install it to try the page"),
]

Page = Any  # playwright's page: imported late, like the rest of playwright
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[tuple[Scene, Page]]:  # playwright's options
    async with shown() as (scene, url), browser_page(url, **options) as page:
        scene.fill()
        yield scene, page
        assert page.seen == []


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
