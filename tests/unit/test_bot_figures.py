"""`/stats`: the numbers and words of a picture, that they fit, and that something is drawn."""

import io
from datetime import UTC, datetime

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from bots.charts import figures
from bots.charts.pictures import FAINT, GROUND, INK, SEVERITIES, SIZE, Pictures, drawn
from bots.wording import labels
from bots.wording.markup import CAPTION_MAX, UNITS_MAX, units
from bots.wording.words import words
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.insight.counting import Tally, summed
from subscribers.insight.shapes import Counts, Step
from tests.support.label_font import FONT

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC).timestamp()
"""A Wednesday."""
ENGLISH = words(Language.ENGLISH)


def counts(*tallies: Tally, step: Step = "week") -> Counts:
    return summed(tallies, figures.asked(NOW, step, Tlp.GREEN), step)


SOME = counts(Tally("threat", 4, 11, 2), Tally("threat", 2, 10, 1_200), Tally("tactic", 0, 0, 3))


def most(step: Step) -> Counts:
    """Every kind and severity in every step, in numbers of six digits."""
    columns = figures.WEEKS if step == "week" else figures.DAYS
    kinds = set(Kind) - {Kind.ACKNOWLEDGEMENT}
    rows = (Tally(each, s, at, 12_345) for each in kinds for s in range(5) for at in range(columns))
    return counts(*rows, step=step)


def test_whole_weeks_from_monday_or_whole_days_are_asked_for() -> None:
    weeks = figures.asked(NOW, "week", Tlp.GREEN)
    assert (weeks.since, weeks.until) == ("2025-12-29T00:00:00Z", "2026-03-23T00:00:00Z")
    days = figures.asked(NOW, "day", Tlp.CLEAR, "ab" * 16)
    assert (days.since, days.until) == ("2026-02-19T00:00:00Z", "2026-03-19T00:00:00Z")
    assert days.communities == {"ab" * 16}
    assert (weeks.tlp_at_most, days.tlp_at_most) == (Tlp.GREEN, Tlp.CLEAR)
    assert Kind.ACKNOWLEDGEMENT not in weeks.kinds


def test_a_figure_has_the_numbers_in_their_places() -> None:
    figure = figures.figure(SOME, "week", ENGLISH)
    assert (figure.title, figure.total) == ("The last 12 weeks", "1,205 bulletins in all")
    assert [each.numbers for each in figure.columns if any(each.numbers)] == [
        (3, 0, 0, 0, 0),
        (0, 0, 1_200, 0, 0),
        (0, 0, 0, 0, 2),
    ]
    assert [each.name for each in figure.columns if each.name] == ["Dec 29", "Jan 19", "Feb 9", "Mar 2"]
    assert figure.legend == (
        ("For information", "3"),
        ("Low", "0"),
        ("Elevated", "1,200"),
        ("High", "0"),
        ("FLASH", "2"),
    )
    assert figure.rows == (("Threat", 1_202, "1,202"), ("Tactic", 3, "3"))
    assert figure.notes[0] == "Counted: what may be shown in chat, up to TLP:GREEN."


def test_the_caption_says_what_the_picture_shows() -> None:
    (part,) = figures.described(SOME, "week", ENGLISH)
    assert part.plain.splitlines() == [
        "📊 The last 12 weeks",
        "1,205 bulletins in all",
        "🔴 FLASH 2 · 🟡 Elevated 1,200 · ⚪ For information 3",
        "Threat 1,202, Tactic 3",
        "",
        "Mar 16 · 2 · 🔴2",
        "Mar 9 · 1,200 · 🟡1,200",
        "Dec 29 · 3 · ⚪3",
        "",
        "Counted: what may be shown in chat, up to TLP:GREEN. Weeks begin on Monday, UTC.",
    ]
    (nothing,) = figures.described(counts(), "day", ENGLISH, "Alpha")
    assert nothing.plain.splitlines()[:2] == ["📊 Alpha · The last 28 days", "Nothing came in this time."]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("step", ["day", "week"])
def test_the_fullest_caption_fits_under_a_picture(language: Language, step: Step) -> None:
    first, *rest = figures.described(most(step), step, words(language), "A community of a long name " * 4)
    assert units(first.plain) <= CAPTION_MAX
    assert all(units(each.plain) <= UNITS_MAX for each in rest)
    lines = "\n".join(each.plain for each in (first, *rest)).splitlines()
    assert len([line for line in lines if labels.SIGNS[Severity.FLASH] in line]) == 1 + len(most(step).bars)


@pytest.mark.parametrize("language", [Language.ARABIC, Language.CHINESE, Language.ENGLISH])
def test_a_picture_is_drawn(language: Language) -> None:
    step: Step = "day" if language is Language.ENGLISH else "week"
    picture = Image.open(io.BytesIO(drawn(figures.figure(most(step), step, words(language)))))
    assert (picture.format, picture.size) == ("PNG", SIZE)
    found = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20) or []}
    assert {tuple(bytes.fromhex(each[1:])) for each in (GROUND, INK, *SEVERITIES)} <= found


async def test_the_same_figure_is_drawn_once() -> None:
    pictures = Pictures()
    figure = figures.figure(SOME, "week", ENGLISH)
    assert await pictures.draw(figure) is await pictures.draw(figure)
    pictures.close()


def test_every_chinese_label_has_its_characters() -> None:
    say = words(Language.CHINESE)
    texts = [*figures.figure(most("week"), "week", say).notes, *map(say.text, labels.KINDS.values())]
    for step in ("day", "week"):
        figure = figures.figure(most(step), step, say)
        texts += [figure.title, figure.total, *figure.notes, *(name for name, _ in figure.legend)]
        texts += [each.name for each in figure.columns]
    held = TTFont(FONT).getBestCmap()
    missing = {char for char in "".join(texts) if ord(char) not in held}
    assert not missing, "run python -m tests.support.label_font"


@pytest.mark.parametrize("colour, least", [(INK, 12.0), (FAINT, 7.0), *((each, 4.5) for each in SEVERITIES)])
def test_what_is_written_stands_out(colour: str, least: float) -> None:
    """Contrast as WCAG 2.1 measures it."""

    def light(text: str) -> float:
        parts = [each / 255 for each in bytes.fromhex(text[1:])]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert (light(colour) + 0.05) / (light(GROUND) + 0.05) >= least
