"""One word or another: how it is typed, kept, said, looked for and watched for."""

import pytest

from bots.enquiries.merging import REACH, any_of
from bots.searches.alternatives import (
    ALTERNATIVES_MAX,
    EXAMPLE,
    alternatives,
    both_languages,
    fewer,
    quoted,
    spoken,
    things,
    with_strokes,
)
from bots.searches.facets import describe, suggested_name
from bots.searches.watching import Search, Sight
from bots.showing.release import Ceiling
from bots.wording.words import SPOKEN, words
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language
from subscribers.records import Page, Record
from tests.support.node_api import make_record

ENGLISH, SPANISH = words(Language.ENGLISH), words(Language.SPANISH)


@pytest.mark.parametrize(
    "typed,kept",
    [
        ("drone stadium", "drone stadium"),
        ("drone or stadium", "drone | stadium"),
        ("drone OR stadium match", "drone | stadium match"),
        ("drone|stadium", "drone | stadium"),
        ('drone | "this or that"', 'drone | "this or that"'),
        ("drone or Drone or drone", "drone | Drone"),
        ("or drone | ", "drone"),
        ("or", "or"),
        ("drone ou stade", "drone ou stade"),
        ("orbit oratory", "orbit oratory"),
        ('a "b', 'a "b'),
    ],
)
def test_alternatives_are_kept_with_strokes(typed: str, kept: str) -> None:
    assert with_strokes(typed, ENGLISH) == kept
    assert with_strokes(kept, ENGLISH) == kept


@pytest.mark.parametrize("language", SPOKEN)
def test_each_language_has_its_or_and_an_example_of_it(language: Language) -> None:
    say = words(language)
    kept = with_strokes(say.text(EXAMPLE), say)
    assert len(alternatives(kept)) == 2
    assert spoken(kept, say) == say.text(EXAMPLE)


@pytest.mark.parametrize("language", SPOKEN)
def test_a_word_and_its_translation_can_be_sent_as_the_example_has_them(language: Language) -> None:
    say = words(language)
    kept = with_strokes(spoken(both_languages(say), say), say)
    assert kept == both_languages(say)
    (drone, own), (again, translated) = things(kept)
    assert (drone, own) == (again, say.text("stadium"))
    assert translated == ("stade" if language is Language.ENGLISH else "stadium")


@pytest.mark.parametrize(
    "kept, said",
    [
        ("drone big stadium | port", "“drone” + “big” + “stadium” or “port”"),
        ('drone "big stadium" | «le port»', "“drone” + “big stadium” or “le port”"),
        ('drone + stadium "', "“drone” + “stadium”"),
    ],
)
def test_a_phrase_and_loose_words_look_different(kept: str, said: str) -> None:
    assert quoted(kept, ENGLISH) == said


def test_or_may_be_written_otherwise() -> None:
    assert with_strokes("minuto u hora", SPANISH) == "minuto | hora"


@pytest.mark.parametrize("typed", ["drone or ?!", " | ".join("abcdefgh"[: ALTERNATIVES_MAX + 1])])
def test_what_cannot_be_looked_for_is_refused(typed: str) -> None:
    with pytest.raises(OperationError) as refused:
        with_strokes(typed, ENGLISH)
    assert refused.value.code is Code.BAD_REQUEST


def test_they_are_said_with_or() -> None:
    assert quoted('drone | "big stadium"', ENGLISH) == "“drone” or “big stadium”"
    wanted = Search(words="drone | stadium")
    assert describe(wanted, [], ENGLISH) == "all kinds · the words “drone” or “stadium”"
    assert suggested_name(wanted, [], ENGLISH) == "drone or stadium"


@pytest.mark.parametrize(
    "title,answers", [("A drone", True), ("Two stadiums", True), ("A drone in port", True), ("A port", False)]
)
def test_a_saved_search_wants_what_holds_either(title: str, answers: bool) -> None:
    assert Sight(make_record(1, title=title), Ceiling()).answers(Search(words="drone | stadium")) is answers


def found(*numbers: int) -> list[Record]:
    """Bulletins, newest first; the same number is the same bulletin."""
    received = (f"2026-03-01T{each // 60:02}:{each % 60:02}:00Z" for each in numbers)
    known = (HELD.setdefault(each, make_record(each + 1)) for each in numbers)
    return [each.model_copy(update={"received": at}) for each, at in zip(known, received, strict=True)]


HELD: dict[int, Record] = {}


class Archive:
    """Answers with what is held under each word."""

    def __init__(self, **held: list[int]) -> None:
        self.held = {word: sorted(numbers, reverse=True) for word, numbers in held.items()}

    async def search(self, word: str, limit: int) -> Page:
        numbers = self.held[word]
        assert limit <= REACH
        return Page(items=found(*numbers[:limit]), cursor="more" if len(numbers) > limit else None)


def numbers_of(page: Page) -> list[int]:
    return [int(each.bulletin.ref[-4:]) - 1 for each in page.items]


async def test_the_lists_become_one_newest_first_each_once() -> None:
    archive = Archive(drone=[1, 3, 5, 8], stadium=[2, 3, 8, 9])
    first = await any_of(archive.search, ["drone", "stadium"], 4, None)
    assert (numbers_of(first), first.cursor, first.total) == ([9, 8, 5, 3], "4", 6)
    second = await any_of(archive.search, ["drone", "stadium"], 4, first.cursor)
    assert (numbers_of(second), second.cursor, second.total) == ([2, 1], None, 6)


async def test_a_long_list_says_that_there_is_more_and_ends_where_it_is_read_to() -> None:
    archive = Archive(drone=list(range(300)), stadium=[7])
    page = await any_of(archive.search, ["drone", "stadium"], REACH, None)
    assert (len(page.items), page.cursor, page.total) == (REACH, str(REACH), None)
    assert numbers_of(page)[0] == 299
    assert (await any_of(archive.search, ["drone", "stadium"], 5, page.cursor)).items == []


@pytest.mark.parametrize(
    "typed, left",
    [
        ("harbour", []),
        ("harbour gate", [("harbour", "gate"), ("gate", "harbour")]),
        ('"big harbour" gate', [("big harbour", "gate"), ("gate", '"big harbour"')]),
        ("harbour … gate", [("harbour", "gate"), ("gate", "harbour")]),
        ("harbour gate | port", [("harbour", "gate | port"), ("gate", "harbour | port")]),
        ("harbour | port", []),
    ],
)
def test_a_word_less_is_looked_for(typed: str, left: list[tuple[str, str]]) -> None:
    assert fewer(typed) == left
