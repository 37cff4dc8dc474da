"""The catalogues are complete, say the same things with the same places, and know their plurals."""

import ast
import re
import string
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bots.wording.words import SPOKEN, closest, words
from schemas.vocabulary import Language
from tests.support.catalogue import BOTS, asked_for, read

PLURALS = {
    Language.ARABIC: 6,
    Language.CHINESE: 1,
    Language.ENGLISH: 2,
    Language.FRENCH: 2,
    Language.RUSSIAN: 3,
    Language.SPANISH: 2,
}
IMPLIED = {Language.ARABIC: {0, 1, 2}}
"""Plural forms that hold the number in the word itself: Arabic has words for none, one and two."""
SCRIPTS = {
    Language.ARABIC: r"[\u0621-\u064a]",
    Language.CHINESE: r"[\u4e00-\u9fff]",
    Language.RUSSIAN: r"[\u0410-\u044f\u0401\u0451]",
}
LATIN = [Language.ENGLISH, Language.FRENCH, Language.SPANISH]
ENDS = {".": ".。", ":": ":：", "?": "?؟？"}
"""How a text may end where the English one ends in this sign."""

SECOND_WORDS = {
    Language.ARABIC: "غرفة القراءة|دردشة|تقنية|تقييد|إشعار بالاستلام|الرقم المرجعي|جهتكم|مرشّحات|\u064b\u0627",
    Language.CHINESE: "标识|官方|修订|清单|签发|本机构|回答|社区|[，。：；、] | [，。：；、]",
    Language.FRENCH: "officier|[Vv]alideur|mention|organisme|[Mm]ode opératoire|« | »|ce chat|du chat",
    Language.RUSSIAN: r"маркировк|пометк|ваш(ей|а) служб|(?<!«)[Мм]олни|[Сс]ервис|\bеще\b",
    Language.SPANISH: "originador|valoración|espera por usted|en la máquina",
}
"""Second words, or spellings, for what has one already: not to be written."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def forms(message: str | Sequence[str]) -> Sequence[str]:
    return (message,) if isinstance(message, str) else message


def translated(language: Language) -> Iterator[tuple[str, str]]:
    """Every text of a catalogue beside the English one."""
    for message in read(language):
        if message.id:
            texts = message.string if isinstance(message.string, tuple | list) else [message.string]
            yield from ((forms(message.id)[-1], text or "") for text in texts)


def bare(text: str) -> str:
    """Without its places."""
    return re.sub(r"\{\w+\}", "", text)


@pytest.mark.parametrize("language", SPOKEN)
def test_a_catalogue_has_what_the_source_asks_for_and_nothing_else(language: Language) -> None:
    held = {message.id for message in read(language) if message.id}
    assert held == set(asked_for())


def test_no_text_hides_within_a_formatted_string() -> None:
    """The extractor does not look into those: what stands there alone would be shown in English."""
    known = {forms(message)[0] for message in asked_for()}
    hidden = [
        f"{source.relative_to(BOTS)}:{call.lineno}"
        for source in BOTS.rglob("*.py")
        if "sandbox" not in source.parts
        for call in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "text"
        for given in call.args[:1]
        if isinstance(given, ast.Constant) and given.value not in known
    ]
    assert not hidden


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
    assert len(same) <= 3, same  # `Dates` is French, too


@pytest.mark.parametrize("language", SPOKEN)
def test_texts_are_in_the_script_of_their_language(language: Language) -> None:
    for source, text in translated(language):
        if not re.search(r"[a-z]", bare(source)):
            continue
        if language in LATIN:
            assert not any(re.search(each, text) for each in SCRIPTS.values()), text
        else:
            assert re.search(SCRIPTS[language], text), text
            # Commands, references, codes of countries and markings stay as they are; words do not.
            assert not re.search(r"(?<![/a-z])[a-z]{2,}", bare(text)), text


@pytest.mark.parametrize("language", SPOKEN)
def test_commands_and_ends_of_sentences_are_those_of_the_source(language: Language) -> None:
    for source, text in translated(language):
        assert sorted(re.findall(r"/\w*", text)) == sorted(re.findall(r"/\w*", source)), text
        for command in re.findall(r".?/\w+", text):  # a chat sees no command in `用/show`
            assert not command[0].isalnum(), text
        assert text == text.strip(), text
        assert "  " not in text, text
        last = text.rstrip("\u2069")[-1]
        assert (last in ENDS[source[-1]]) if source[-1] in ENDS else last not in ".。:：", text


def test_chinese_has_its_own_punctuation() -> None:
    for _, text in translated(Language.CHINESE):
        assert not re.search(r"[,;!?()\"']", text), text
        assert not re.search(r"[\u4e00-\u9fff][.:]|[.:][\u4e00-\u9fff]", text), text


@pytest.mark.parametrize("language", [Language.FRENCH, Language.SPANISH, Language.RUSSIAN])
def test_quotation_marks_are_those_of_the_language(language: Language) -> None:
    assert not [text for _, text in translated(language) if re.search("[\"'“”]", text)]


def test_spanish_questions_are_opened() -> None:
    for _, text in translated(Language.SPANISH):
        assert text.count("¿") == text.count("?"), text


def test_plurals_follow_the_language() -> None:
    def found(language: Language, number: int) -> str:
        return words(language).count("{number} bulletin found", "{number} bulletins found", number)

    assert [found(Language.ENGLISH, n) for n in (1, 2)] == ["1 bulletin found", "2 bulletins found"]
    assert [found(Language.FRENCH, n) for n in (0, 2)] == ["0 bulletin trouvé", "2 bulletins trouvés"]
    assert found(Language.RUSSIAN, 21) == "Найден 21 бюллетень"
    assert found(Language.RUSSIAN, 3) == "Найдено 3 бюллетеня"
    assert found(Language.RUSSIAN, 11) == "Найдено 11 бюллетеней"
    assert len({found(Language.ARABIC, n) for n in (0, 1, 2, 3, 11)}) == 5
    assert [found(Language.SPANISH, n) for n in (1, 2)] == ["1 boletín encontrado", "2 boletines encontrados"]
    assert [found(Language.CHINESE, n) for n in (1, 2)] == ["找到 1 份通报", "找到 2 份通报"]


def test_arabic_counts_eleven_and_a_hundred_in_their_own_cases() -> None:
    def found(number: int) -> str:
        one, many = "{number} indicator, for your systems", "{number} indicators, for your systems"
        return words(Language.ARABIC).count(one, many, number)

    assert [found(11), found(100)] == ["11 مؤشراً لأنظمتكم", "100 مؤشر لأنظمتكم"]


def test_arabic_plurals_stand_where_the_header_looks_for_them() -> None:
    """The fifth form is for 100 to 102, the sixth for 11 to 99, whose noun has a tanwin: not the reverse."""
    for message in read(Language.ARABIC):
        if isinstance(message.id, tuple) and isinstance(message.string, tuple):
            hundred, eleven = (re.sub("\u0627?\u064b\u0627?", "\u064b", each) for each in message.string[4:])
            assert hundred.count("\u064b") <= eleven.count("\u064b"), message.id
            if hundred != eleven:
                assert hundred.count("\u064b") < eleven.count("\u064b"), message.id
    aged = ("This list is {number} day old.", "This list is {number} days old.")
    assert words(Language.ARABIC).count(*aged, 273) == "عمر هذه القائمة 273 يوماً."


@pytest.mark.parametrize(
    "language, said",
    [
        (Language.ARABIC, "12,345"),
        (Language.CHINESE, "12,345"),
        (Language.ENGLISH, "12,345"),
        (Language.FRENCH, "12\u202f345"),
        (Language.RUSSIAN, "12\xa0345"),
        (Language.SPANISH, "12.345"),
    ],
)
def test_large_numbers_are_written_as_the_language_does(language: Language, said: str) -> None:
    assert said in words(language).count("{number} bulletin found", "{number} bulletins found", 12_345)


def test_things_are_listed_with_the_comma_of_the_language() -> None:
    assert [words(each).listed(["A", "B"]) for each in Language] == [
        "A، B",
        "A、B",
        "A, B",
        "A, B",
        "A, B",
        "A, B",
    ]


def test_strangers_are_met_in_their_language_where_it_is_spoken() -> None:
    assert closest("ar-EG") is Language.ARABIC
    assert closest("RU") is Language.RUSSIAN
    assert closest("zh-hans") is closest("zh-TW") is closest("zh") is Language.CHINESE
    assert closest("es-419") is Language.SPANISH
    assert closest("pt-br") is Language.ENGLISH
    assert closest(None) is Language.ENGLISH


@pytest.mark.parametrize("language", SPOKEN)
def test_times_carry_their_offset_and_no_slash_that_a_chat_takes_for_a_command(language: Language) -> None:
    at = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    said = words(language).when(at, ZoneInfo("Asia/Kabul"))
    assert "UTC+4:30" in said
    assert "13:00" in said
    assert "/" not in said
    assert words(language).when(at, ZoneInfo("UTC")).rstrip("\u2069").endswith("UTC")
    assert words(language).hour(at, ZoneInfo("Asia/Kabul")) in said
    assert "UTC-3:30" in words(language).when(at, ZoneInfo("America/St_Johns"))


def test_scripts_without_italics_have_none() -> None:
    upright = [each for each in Language if not words(each).aside("x").style]
    assert upright == [Language.ARABIC, Language.CHINESE]


@pytest.mark.parametrize(
    "language, said",
    [
        (Language.ARABIC, "1 مارس 2026، 09:30 \u2068UTC+1\u2069"),
        (Language.CHINESE, "2026年3月1日 09:30 UTC+1"),
        (Language.ENGLISH, "Mar 1, 2026, 09:30 UTC+1"),
        (Language.FRENCH, "1 mars 2026, 09:30 UTC+1"),
        (Language.RUSSIAN, "1 мар. 2026\u202fг., 09:30 UTC+1"),
        (Language.SPANISH, "1 mar 2026, 09:30 UTC+1"),
    ],
)
def test_times_are_written_as_the_language_does(language: Language, said: str) -> None:
    at = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    assert words(language).when(at, ZoneInfo("Europe/Paris")) == said


def test_a_command_is_kept_in_one_piece_where_the_line_runs_from_right_to_left() -> None:
    """Its stroke, without a direction of its own, would stand behind it."""
    loose = re.compile(r"(?<![\u200e\u2066-\u2068\w./>{}=:])/[a-z]")
    assert [text for _, text in translated(Language.ARABIC) if loose.search(text)] == []


def test_french_keeps_its_double_signs_on_the_line() -> None:
    """A colon at the head of a line is read as a mistake: the space before it does not break."""
    for _, text in translated(Language.FRENCH):
        for before in re.findall(r"(.)[:;!?](?=\s|$)", text):
            assert before == "\xa0", text


@pytest.mark.parametrize("language", list(SECOND_WORDS))
def test_each_thing_has_one_word(language: Language) -> None:
    second = re.compile(SECOND_WORDS[language])
    assert not [text for _, text in translated(language) if second.search(text)]
