"""`/stats`: the numbers and words of a picture, that they fit, and that something is drawn."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from bots.charts import figures, period
from bots.charts.numbers import Figure, Numbers, described, figure
from bots.charts.period import Period
from bots.charts.pictures import FAINT, GROUND, INK, SEVERITIES, SIZE, Pictures, drawn
from bots.wording import labels
from bots.wording.markup import CAPTION_MAX, UNITS_MAX, units
from bots.wording.words import Words, words
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.insight.counting import Tally, summed
from subscribers.insight.shapes import Counts, Step
from subscribers.records import Record
from tests.support.label_font import FONT
from tests.support.node_api import make_record

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC).timestamp()
"""A Wednesday."""
ENGLISH = words(Language.ENGLISH)


def counts(*tallies: Tally, step: Step = "week") -> Counts:
    return summed(tallies, figures.asked(NOW, step, Tlp.GREEN), step)


def drawn_as(counted: Counts, step: Step, say: Words) -> Figure:
    return figure(figures.numbers(counted, step, say), say)


SOME = counts(Tally("threat", 4, 11, 2), Tally("threat", 2, 10, 1_200), Tally("tactic", 0, 0, 3))


def most(step: Step) -> Counts:
    """Every kind and severity in every step, in numbers of six digits."""
    columns = figures.WEEKS if step == "week" else figures.DAYS
    kinds = set(Kind) - {Kind.ACKNOWLEDGEMENT}
    rows = (Tally(each, s, at, 12_345) for each in kinds for s in range(5) for at in range(columns))
    return counts(*rows, step=step)


PARIS = ZoneInfo("Europe/Paris")


def came(at: str, severity: str = "low", kind: str = "threat") -> Record:
    return make_record(severity=severity, kind=kind).model_copy(update={"received": at})


DAY = [came("2026-03-17T05:00:00Z"), came("2026-03-17T07:59:59Z", "flash"), came("2026-03-18T05:59:59Z")]
"""The first one came to the node while the bot was away."""


def charted(language: Language, hours: float = 24) -> Numbers:
    until = datetime(2026, 3, 18, 6, tzinfo=UTC).timestamp()
    return period.numbers(DAY, Period(until - hours * 3600, until, PARIS), Tlp.GREEN, words(language))


def test_a_chart_has_what_came_in_its_period_by_local_time() -> None:
    made = charted(Language.ENGLISH)
    assert made.title == "Since Mar 17, 2026, 07:00 UTC+1"
    assert made.notes == ("Counted: what may be shown in chat, up to TLP:GREEN.", "Time zone: Europe/Paris")
    assert [name for name, _ in made.stretches] == [f"{hour % 24:02}:00" for hour in range(7, 31, 2)]
    assert [(name, dict(some)) for name, some in made.stretches if some] == [
        ("07:00", {Severity.LOW: 1, Severity.FLASH: 1}),
        ("05:00", {Severity.LOW: 1}),
    ]
    assert made.kinds == {Kind.THREAT: 3}
    weekly = charted(Language.ENGLISH, 7 * 24).stretches
    assert [name for name, _ in weekly] == [f"Mar {day}" for day in range(11, 19)]
    assert [sum(some.values()) for _, some in weekly] == [0, 0, 0, 0, 0, 0, 2, 1]
    assert [len(charted(Language.ENGLISH, hours).stretches) for hours in (0.5, 12, 23, 25, 48)] == [
        1,
        12,
        12,
        13,
        12,
    ]


def test_the_caption_says_from_when_to_when() -> None:
    lines = described(charted(Language.ENGLISH), words(Language.ENGLISH))[0].plain.splitlines()
    assert [each for each in lines if "–" in each] == ["05:00–07:00 · 1 · 🔵1", "07:00–09:00 · 2 · 🔴1 🔵1"]
    assert charted(Language.ENGLISH, 0.5).whole == ("06:30–07:00",)
    assert charted(Language.ARABIC, 0.5).whole == ("\u206806:30–07:00\u2069",)
    assert charted(Language.ENGLISH, 7 * 24).whole == ()


@pytest.mark.parametrize("language", Language)
def test_a_chart_and_its_words_say_the_same(language: Language) -> None:
    say, made = words(language), charted(language)
    (caption,) = described(made, say, "Summit", "Possibly a repeat")
    drawn = figure(made, say)
    lines = [each for each in drawn.columns if sum(each.numbers)]
    for text in (
        made.title,
        drawn.total,
        *drawn.notes,
        "Summit",
        "Possibly a repeat",
        *(row[0] for row in drawn.rows),
    ):
        assert text in caption.plain
    assert len(
        [line for line in caption.plain.splitlines() if " · " in line and labels.SIGNS[Severity.LOW] in line]
    ) == 1 + len(lines)


def test_whole_weeks_from_monday_or_whole_days_are_asked_for() -> None:
    weeks = figures.asked(NOW, "week", Tlp.GREEN)
    assert (weeks.since, weeks.until) == ("2025-12-29T00:00:00Z", "2026-03-23T00:00:00Z")
    days = figures.asked(NOW, "day", Tlp.CLEAR, "ab" * 16)
    assert (days.since, days.until) == ("2026-02-19T00:00:00Z", "2026-03-19T00:00:00Z")
    assert days.communities == {"ab" * 16}
    assert (weeks.tlp_at_most, days.tlp_at_most) == (Tlp.GREEN, Tlp.CLEAR)
    assert Kind.ACKNOWLEDGEMENT not in weeks.kinds


def test_a_figure_has_the_numbers_in_their_places() -> None:
    made = drawn_as(SOME, "week", ENGLISH)
    assert (made.title, made.total) == ("The last 12 weeks", "1,205 bulletins in all")
    assert [each.numbers for each in made.columns if any(each.numbers)] == [
        (3, 0, 0, 0, 0),
        (0, 0, 1_200, 0, 0),
        (0, 0, 0, 0, 2),
    ]
    assert [each.name for each in made.columns if each.name] == ["Dec 29", "Jan 19", "Feb 9", "Mar 2"]
    assert made.legend == (
        ("For information", "3"),
        ("Low", "0"),
        ("Elevated", "1,200"),
        ("High", "0"),
        ("FLASH", "2"),
    )
    assert made.rows == (("Threat", 1_202, "1,202"), ("Tactic", 3, "3"))
    assert made.notes[0] == "Counted: what may be shown in chat, up to TLP:GREEN."


def test_the_caption_says_what_the_picture_shows() -> None:
    (part,) = described(figures.numbers(SOME, "week", ENGLISH), ENGLISH)
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
    (nothing,) = described(figures.numbers(counts(), "day", ENGLISH), ENGLISH, "Alpha")
    assert nothing.plain.splitlines()[:2] == ["📊 Alpha · The last 28 days", "Nothing came in this time."]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("step", ["day", "week"])
def test_the_fullest_caption_fits_under_a_picture(language: Language, step: Step) -> None:
    say = words(language)
    first, *rest = described(figures.numbers(most(step), step, say), say, "A community of a long name " * 4)
    assert units(first.plain) <= CAPTION_MAX
    assert all(units(each.plain) <= UNITS_MAX for each in rest)
    lines = "\n".join(each.plain for each in (first, *rest)).splitlines()
    assert len([line for line in lines if labels.SIGNS[Severity.FLASH] in line]) == 1 + len(most(step).bars)


@pytest.mark.parametrize("language", [Language.ARABIC, Language.CHINESE, Language.ENGLISH])
def test_a_picture_is_drawn(language: Language) -> None:
    step: Step = "day" if language is Language.ENGLISH else "week"
    picture = Image.open(io.BytesIO(drawn(drawn_as(most(step), step, words(language)))))
    assert (picture.format, picture.size) == ("PNG", SIZE)
    found = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20) or []}
    assert {tuple(bytes.fromhex(each[1:])) for each in (GROUND, INK, *SEVERITIES)} <= found


async def test_the_same_figure_is_drawn_once() -> None:
    pictures = Pictures()
    made = drawn_as(SOME, "week", ENGLISH)
    assert await pictures.draw(made) is await pictures.draw(made)
    pictures.close()


def test_every_chinese_label_has_its_characters() -> None:
    say = words(Language.CHINESE)
    texts = [*drawn_as(most("week"), "week", say).notes, *map(say.text, labels.KINDS.values())]
    for step in ("day", "week"):
        made = drawn_as(most(step), step, say)
        texts += [made.title, made.total, *made.notes, *(name for name, _ in made.legend)]
        texts += [each.name for each in made.columns]
    texts += [charted(Language.CHINESE).title, *charted(Language.CHINESE).notes]
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
