"""Pictures of the pages in a real Chromium, and of the charts; what is plainly wrong with a page is said."""

import importlib
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from PIL import Image

from bots.charts import figures, period
from bots.charts.numbers import figure
from bots.charts.period import Period
from bots.charts.pictures import drawn
from bots.wording.words import words
from schemas.vocabulary import Language, Tlp
from subscribers.insight.counting import Tally, summed
from tests.pictures.stage import BULLETIN, NOW, PEOPLE, Scenery, bulletins
from tests.support.demo_scene import shown
from tests.support.sandbox import CHROMIUM, CHROMIUM_FLAGS, PATIENT_MS

Page = Any  # playwright's page: imported late, like the rest of playwright
WIDE: Final = {"width": 1200, "height": 800}
PHONE: Final = {"width": 390, "height": 844}
_LOCALES: Final = {Language.ENGLISH: "en-GB", Language.ARABIC: "ar", Language.CHINESE: "zh-CN"}
_DAY, _NIGHT = "light", "dark"

ROOM: Final = (
    ("list", "/", Language.ENGLISH, _DAY, WIDE),
    ("list", "/", Language.ARABIC, _NIGHT, PHONE),
    ("list", "/", Language.CHINESE, _DAY, PHONE),
    ("bulletin", f"/b/{BULLETIN}", Language.ENGLISH, _NIGHT, WIDE),
    ("bulletin", f"/b/{BULLETIN}", Language.ENGLISH, _DAY, PHONE),
    ("bulletin", f"/b/{BULLETIN}", Language.ARABIC, _DAY, PHONE),
    ("bulletin", f"/b/{BULLETIN}", Language.ARABIC, _NIGHT, WIDE),
    ("bulletin", f"/b/{BULLETIN}", Language.CHINESE, _NIGHT, PHONE),
    ("draft", "/write/{draft}/edit", Language.ENGLISH, _DAY, WIDE),
    ("draft", "/write/{draft}/edit", Language.ARABIC, _NIGHT, PHONE),
    ("draft", "/write/{draft}/edit", Language.CHINESE, _DAY, PHONE),
)
SIGN_IN: Final = (
    (Language.ENGLISH, _NIGHT, WIDE),
    (Language.ARABIC, _DAY, PHONE),
    (Language.CHINESE, _NIGHT, PHONE),
)
CHAT: Final = (
    (Language.ENGLISH, _DAY, WIDE),
    (Language.ENGLISH, _NIGHT, WIDE),
    (Language.ARABIC, _DAY, PHONE),
    (Language.CHINESE, _NIGHT, PHONE),
)
DEMO: Final = (_DAY, _NIGHT)
DIGEST: Final = "digest-en"
CHARTS: Final = {language: f"stats-{language.value}" for language in PEOPLE}

WRONG: Final = Path(__file__).with_name("wrong.js").read_text("utf-8")
"""Says what is plainly wrong with a page."""


@dataclass(frozen=True)
class Drawn:
    """A picture as PNG, and what was found wrong while it was drawn."""

    name: str
    png: bytes
    wrong: tuple[str, ...] = ()


def charts() -> Iterator[Drawn]:
    """`/stats` of twelve weeks, and a digest's chart of a day."""
    for language, name in CHARTS.items():
        say = words(language)
        tallies = [
            Tally(kind, (number + week) % 5, week, (number * week * 7) % 23)
            for number, kind in enumerate(("threat", "tactic", "cyber", "notice"), 1)
            for week in range(figures.WEEKS)
        ]
        counted = summed(tallies, figures.asked(NOW, "week", Tlp.GREEN), "week")
        made = figure(figures.numbers(counted, "week", say), say)
        yield Drawn(name, drawn(made))
    say = words(Language.ENGLISH)
    day = Period(NOW - 86_400, NOW, ZoneInfo("Europe/Paris"))
    shown = [each for each in bulletins() if each.bulletin.tlp.rank <= Tlp.GREEN.rank]
    yield Drawn(DIGEST, drawn(figure(period.numbers(shown, day, Tlp.GREEN, say), say)))


async def pages(scenery: Scenery) -> AsyncIterator[Drawn]:
    """The reading room, the sandbox, and the demonstration's page."""
    playwright = importlib.import_module("playwright.async_api")
    async with playwright.async_playwright() as engine:
        chromium = await engine.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS), timeout=PATIENT_MS
        )
        try:
            for language in PEOPLE:
                async for each in _room(chromium, scenery, language):
                    yield each
                async for each in _chat(chromium, scenery, language):
                    yield each
            async for each in _demo(chromium):
                yield each
        finally:
            await chromium.close()


async def _room(chromium: Any, scenery: Scenery, language: Language) -> AsyncIterator[Drawn]:  # playwright's
    room = scenery.room
    officer = room.officers[PEOPLE[language][0]]
    (draft,) = await room.state.drafts.of(officer.id)
    async with _page(chromium, language) as page:
        await page.goto(room.origin)
        for spoken, theme, size in SIGN_IN:
            if spoken is language:
                yield await _taken(page, f"room-sign-in-{language.value}", language, theme, size)
        await page.goto(await room.key_link(officer))
        await page.locator("main button").click()
        await page.locator("nav").wait_for()
        for what, path, spoken, theme, size in ROOM:
            if spoken is language:
                await page.goto(room.origin + path.format(draft=draft.id))
                yield await _taken(page, f"room-{what}-{language.value}", language, theme, size)


async def _chat(chromium: Any, scenery: Scenery, language: Language) -> AsyncIterator[Drawn]:  # playwright's
    name = PEOPLE[language][0]
    async with _page(chromium, language) as page:
        for spoken, theme, size in CHAT:
            if spoken is not language:
                continue
            await page.set_viewport_size(size)
            await page.goto(scenery.sandbox.page_url)
            await page.locator('.connection[data-state="live"]').wait_for(timeout=45_000)
            if size is PHONE:
                await page.get_by_role("tab", name=name).click()
            await page.get_by_role("region", name=name).get_by_text(BULLETIN).last.wait_for()
            yield await _taken(page, f"sandbox-{language.value}", None, theme, size)


async def _demo(chromium: Any) -> AsyncIterator[Drawn]:  # playwright's
    async with shown() as (scene, url), _page(chromium, Language.ENGLISH) as page:
        await page.goto(url)
        scene.fill()
        await page.get_by_role("region", name="What the hub sees").locator(".row").nth(8).wait_for()
        for theme in DEMO:
            yield await _taken(page, "demo-en", None, theme, WIDE)


@asynccontextmanager
async def _page(chromium: Any, language: Language) -> AsyncIterator[Page]:  # playwright's
    context = await chromium.new_context(
        viewport=WIDE, locale=_LOCALES[language], timezone_id="Europe/Paris", reduced_motion="reduce"
    )
    try:
        page = await context.new_page()
        page.set_default_timeout(PATIENT_MS)
        yield page
    finally:
        await context.close()


async def _taken(page: Page, name: str, language: Language | None, theme: str, size: dict[str, int]) -> Drawn:
    await page.set_viewport_size(size)
    await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    wrong = await page.evaluate(WRONG, language and language.value)
    shot = await page.screenshot(animations="disabled", caret="hide", scale="css")
    full = f"{name}-{theme}-{'phone' if size is PHONE else 'desktop'}"
    return Drawn(full, _smaller(shot), tuple(wrong))


def _smaller(png: bytes) -> bytes:
    made = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(made, "PNG", optimize=True)
    return made.getvalue()
