"""The pictures in docs/pictures are what is drawn today, and nothing is plainly wrong with the pages."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.pictures.drawing import CHARTS, DIGEST, WRONG, Drawn, charts, pages
from tests.pictures.kept import FOLDER, SHARE, difference, fonts, index
from tests.pictures.stage import scenery
from tests.support.forked import ROOT
from tests.support.sandbox import CHROMIUM, browser_page, has_chromium, staged

MADE = ROOT / "build" / "pictures"
"""Where those stand that are unlike: to be looked at."""
MEND = "look at build/pictures; if that is how it shall be: make pictures"
needs_chromium = pytest.mark.skipif(not has_chromium(), reason=f"no Chromium at {CHROMIUM}")


def unlike(drawn: Iterable[Drawn]) -> dict[str, float]:
    """By name, the share of a picture that is not as it is kept; what is unlike is put into `MADE`."""
    found = {}
    for each in drawn:
        kept = FOLDER / f"{each.name}.png"
        share = difference(kept.read_bytes(), each.png) if kept.exists() else 1.0
        if share > SHARE:
            found[each.name] = round(share, 3)
            MADE.mkdir(parents=True, exist_ok=True)
            (MADE / kept.name).write_bytes(each.png)
    return found


def test_the_charts_are_as_they_are_kept() -> None:
    """Their fonts come with them: they are the same everywhere."""
    assert unlike(charts()) == {}, MEND


@needs_chromium
@pytest.mark.browser
@pytest.mark.timeout(600)
async def test_the_pages_are_as_they_are_kept_and_nothing_is_wrong_with_them(tmp_path: Path) -> None:
    async with scenery(tmp_path) as made:
        drawn = [each async for each in pages(made)]
    assert {each.name: each.wrong for each in drawn if each.wrong} == {}
    charted = {path.stem for path in FOLDER.glob("*.png")} - {each.name for each in drawn}
    assert charted == {DIGEST, *CHARTS.values()}
    if fonts() != (FOLDER / "fonts.txt").read_text("utf-8"):
        pytest.skip("other fonts or another Chromium than docs/pictures/fonts.txt names")
    assert unlike(drawn) == {}, MEND


def test_every_picture_is_shown_and_small() -> None:
    pictures = list(FOLDER.glob("*.png"))
    page = (FOLDER / "README.md").read_text("utf-8")
    names = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert page == index(names)
    assert sorted(names) == sorted(path.stem for path in pictures)
    assert sum(path.stat().st_size for path in pictures) < 2_500_000


def test_a_picture_of_something_else_is_told_from_one_of_the_same() -> None:
    english, arabic = ((FOLDER / f"stats-{each}.png").read_bytes() for each in ("en", "ar"))
    assert difference(english, english) == 0
    assert difference(english, arabic) > SHARE


@needs_chromium
@pytest.mark.browser
async def test_what_is_plainly_wrong_is_seen() -> None:
    name = "document.querySelector('h1').style.cssText"
    spoilt = {
        "runs": "document.querySelector('main').dir = 'rtl'",
        "too wide": "document.body.style.minWidth = '200vw'",
        "over each other": f"{name} = 'position: fixed; top: 90px; inset-inline: 40px'",
        "cut": f"{name} = 'width: 30px; overflow: hidden; white-space: nowrap'",
    }
    async with staged() as stage, browser_page(stage.sandbox.page_url) as page:
        for said, spoil in spoilt.items():
            assert await page.evaluate(WRONG, "en") == []
            await page.evaluate(f"() => {{ {spoil} }}")
            assert any(said in each for each in await page.evaluate(WRONG, "en")), said
            await page.reload()
            await page.locator('.connection[data-state="live"]').wait_for()
