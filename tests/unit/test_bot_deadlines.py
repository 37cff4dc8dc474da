"""A moment ahead, as officers write it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.drafting.deadlines import AHEAD_MAX, at, read, read_past
from bots.drafting.texts import REASONS
from bots.drafting.wizard import Why
from bots.drafting.writing import NOT_A_TIME
from bots.wording.words import words
from schemas.vocabulary import Language

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 25, 14, 30, tzinfo=PARIS).timestamp()  # a Wednesday


def told(text: str, zone: ZoneInfo = PARIS, now: float = NOW) -> str | None:
    found = read(text, zone, now)
    return datetime.fromtimestamp(found, zone).strftime("%m-%d %H:%M") if found else None


@pytest.mark.parametrize(
    "text,meant",
    [
        ("tonight 20:00", "11-25 20:00"),
        ("Tonight at 8 pm", "11-25 20:00"),
        ("tonight", "11-26 00:00"),
        ("tonight 1:30", "11-26 01:30"),
        ("20:00", "11-25 20:00"),
        ("9:00", "11-26 09:00"),
        ("today 18.30", "11-25 18:30"),
        ("tomorrow", "11-27 00:00"),
        ("tomorrow, 9am", "11-26 09:00"),
        ("12 am", "11-26 00:00"),
        ("Friday 12:00", "11-27 12:00"),
        ("wed", "11-26 00:00"),
        ("6h", "11-25 20:30"),
        ("in 2 days", "11-27 14:30"),
        ("2026-12-24 18:00", "12-24 18:00"),
        ("2026-12-24", "12-25 00:00"),
        ("ce soir à 20h", "11-25 20:00"),
        ("demain 9h30", "11-26 09:30"),
        ("vendredi 12:00", "11-27 12:00"),
        ("aujourd\u2019hui 23:00", "11-25 23:00"),
        ("esta noche a las 20:00", "11-25 20:00"),
        ("mañana 9:00", "11-26 09:00"),
        ("сегодня вечером в 20:00", "11-25 20:00"),
        ("завтра до 9:00", "11-26 09:00"),
        ("через 6 часов", "11-25 20:30"),
        ("الليلة الساعة ٢٠:٠٠", "11-25 20:00"),
        ("غدًا", "11-27 00:00"),
        ("غدا 9:00", "11-26 09:00"),
        ("今晚20:00", "11-25 20:00"),
        ("明天 9:00前", "11-26 09:00"),
        ("6小时内", "11-25 20:30"),
        ("星期五 12:00", "11-27 12:00"),
    ],
)
def test_it_is_read_in_each_language_by_the_officers_clock(text: str, meant: str | None) -> None:
    assert told(text) == meant


@pytest.mark.parametrize(
    "language,named",
    [
        (Language.ARABIC, "غداً 18:00"),
        (Language.CHINESE, "明天 18:00"),
        (Language.ENGLISH, "tomorrow 18:00"),
        (Language.FRENCH, "demain 18:00"),
        (Language.RUSSIAN, "завтра 18:00"),
        (Language.SPANISH, "mañana 18:00"),
    ],
)
def test_the_forms_that_a_refusal_names_are_read(language: Language, named: str) -> None:
    for text in (REASONS[Why.TIME], NOT_A_TIME):
        said = words(language).text(text).replace("\u2068", "").replace("\u2069", "")
        assert named in said
        assert "2026-12-24 18:00" in said
        assert said.count("18:00") == 3
    assert (told("18:00"), told(named), told("2026-12-24 18:00")) == (
        "11-25 18:00",
        "11-26 18:00",
        "12-24 18:00",
    )


@pytest.mark.parametrize(
    "text",
    ["", "soon", "today 9:00", "25:00", "20:61", "13 pm", "0 am", "6 miles", "2026-02-30", "2026-11-25 9:00",
     "9999-12-31", "4000d", "Has anybody seen a van at 20:00"],
)  # fmt: skip
def test_what_is_no_time_ahead_is_not_guessed(text: str) -> None:
    assert told(text) is None


def test_it_is_not_further_ahead_than_a_year_nor_beyond_the_calendar() -> None:
    assert read("366 d", PARIS, NOW) == int(NOW) + AHEAD_MAX
    assert read("367 d", PARIS, NOW) is None
    end = datetime(9999, 12, 31, 23, tzinfo=UTC).timestamp()
    assert read("tonight", ZoneInfo("UTC"), end) is None


@pytest.mark.parametrize(
    "texts, meant",
    [
        (("14:30", "today 14:30", "Wed at 14:30"), "11-25 14:30"),
        (("14:31", "yesterday 14:31", "hier à 14:31", "вчера в 14:31", "昨天14:31"), "11-24 14:31"),
        (("yesterday", "hier", "ayer", "вчера", "أمس", "昨天", "2026-11-24", "martes"), "11-24 00:00"),
        (("today", "wednesday", "今天"), "11-25 00:00"),
        (("Wednesday 14:31", "mercredi 14:31"), "11-18 14:31"),
        (("Friday", "пт", "vendredi", "星期五"), "11-20 00:00"),
    ],
)
def test_a_time_that_lies_behind_is_the_last_one_that_it_may_be(texts: tuple[str, ...], meant: str) -> None:
    for text in texts:
        found = read_past(text, PARIS, NOW, days=True)
        assert found is not None, text
        assert (read_past(text, PARIS, NOW) == found) is (":" in text), "a day is no time of it"
        assert datetime.fromtimestamp(found, PARIS).strftime("%m-%d %H:%M") == meant, text


@pytest.mark.parametrize("text", ["", "tomorrow", "tomorrow 9:00", "2026-11-26", "tonight 20:00", "6 h"])
def test_what_lies_ahead_or_is_no_time_is_none_behind(text: str) -> None:
    assert read_past(text, PARIS, NOW, days=True) is None


@settings(max_examples=100)
@given(st.text(st.sampled_from("0123456789٠٣:.h-, ampdтч小时今晚tonightfri"), max_size=24))
def test_whatever_is_typed_is_read_or_not(text: str) -> None:
    ahead, behind = read(text, PARIS, NOW), read_past(text, PARIS, NOW, days=True)
    assert ahead is None or ahead > NOW
    assert behind is None or behind <= NOW


def test_clocks_that_change_are_the_officers() -> None:
    spring = datetime(2026, 3, 28, 12, tzinfo=PARIS).timestamp()
    assert told("tomorrow 2:30", now=spring) == "03-29 03:30"
    assert told("24 h", now=spring) == "03-29 13:00"
    assert at(1, 9 * 60, PARIS, spring) == datetime(2026, 3, 29, 7, tzinfo=UTC).timestamp()
