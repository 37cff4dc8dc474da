"""The catalogues are complete, say the same things with the same places, and know their plurals."""

import string
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bots.words import SPOKEN, closest, words
from schemas.vocabulary import Language
from tests.support.catalogue import asked_for, read

PLURALS = {Language.ENGLISH: 2, Language.FRENCH: 2, Language.RUSSIAN: 3, Language.ARABIC: 6}
IMPLIED = {Language.ARABIC: {0, 1, 2}}
"""Plural forms that hold the number in the word itself: Arabic has words for none, one and two."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def forms(message: str | Sequence[str]) -> Sequence[str]:
    return (message,) if isinstance(message, str) else message


@pytest.mark.parametrize("language", SPOKEN)
def test_a_catalogue_has_what_the_source_asks_for_and_nothing_else(language: Language) -> None:
    held = {message.id for message in read(language) if message.id}
    assert held == set(asked_for())


@pytest.mark.parametrize("language", SPOKEN)
def test_every_message_is_translated_with_its_places(language: Language) -> None:
    for message in read(language):
        if not message.id:
            continue
        wanted = places(forms(message.id)[-1])
        texts = message.string if isinstance(message.string, tuple | list) else [message.string]
        assert len(texts) == (PLURALS[language] if isinstance(message.id, tuple) else 1), message.id
        for index, text in enumerate(texts):
            assert text, message.id
            implied = (
                {"number"} if isinstance(message.id, tuple) and index in IMPLIED.get(language, ()) else set()
            )
            assert places(text) | implied == wanted | implied, text
        assert not message.fuzzy


@pytest.mark.parametrize("language", [each for each in SPOKEN if each is not Language.ENGLISH])
def test_little_is_left_in_english(language: Language) -> None:
    same = [message.id for message in read(language) if message.id and message.string == message.id]
    assert len(same) <= 2, same


def test_plurals_follow_the_language() -> None:
    def found(language: Language, number: int) -> str:
        return words(language).count("{number} bulletin found", "{number} bulletins found", number)

    assert [found(Language.ENGLISH, n) for n in (1, 2)] == ["1 bulletin found", "2 bulletins found"]
    assert [found(Language.FRENCH, n) for n in (0, 2)] == ["0 bulletin trouvé", "2 bulletins trouvés"]
    assert found(Language.RUSSIAN, 21) == "Найден 21 бюллетень"
    assert found(Language.RUSSIAN, 3) == "Найдено 3 бюллетеня"
    assert found(Language.RUSSIAN, 11) == "Найдено 11 бюллетеней"
    assert len({found(Language.ARABIC, n) for n in (0, 1, 2, 3, 11)}) == 5


def test_strangers_are_met_in_their_language_where_it_is_spoken() -> None:
    assert closest("ar-EG") is Language.ARABIC
    assert closest("RU") is Language.RUSSIAN
    assert closest("zh-hans") is Language.ENGLISH
    assert closest(None) is Language.ENGLISH


def test_other_languages_fall_back_to_english() -> None:
    assert words(Language.CHINESE).language is Language.ENGLISH


@pytest.mark.parametrize("language", SPOKEN)
def test_times_carry_their_offset_and_no_slash_that_a_chat_takes_for_a_command(language: Language) -> None:
    at = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    said = words(language).when(at, ZoneInfo("Asia/Kabul"))
    assert "UTC+4:30" in said
    assert "13:00" in said
    assert "/" not in said
    assert words(language).when(at, ZoneInfo("UTC")).rstrip("\u2069").endswith("UTC")
    assert "UTC-3:30" in words(language).when(at, ZoneInfo("America/St_Johns"))
