"""A translation with its original under it: each headed by what it is, through the release gate."""

from zoneinfo import ZoneInfo

import pytest

from bots.parsing.actions import short
from bots.showing.release import Ceiling
from bots.showing.render import Reader, View, render
from bots.showing.rendered import Rendered
from bots.wording.markup import LRM, RLM, UNITS_MAX, units
from bots.wording.words import words
from schemas.vocabulary import Language
from subscribers.records import Record
from tests.support.node_api import make_record

UTC = ZoneInfo("UTC")
ARABIC = Reader(Language.ARABIC, UTC)
ENGLISH = Reader(Language.ENGLISH, UTC)
DRONE = {"language": "ar", "official": True, "title": "مسيّرة فوق الملعب", "body": "شوهدت مرتين."}
DRONE_FR = {"language": "fr", "official": False, "title": "Un drone", "body": "Vu deux fois."}


def bulletin(**fields: object) -> Record:
    given = {"title": "A drone over the stadium", "body": "It was seen\n\ntwice.", "tlp": "TLP:GREEN"}
    return make_record(1, **{**given, "translations": [DRONE, DRONE_FR], **fields})


def beside(record: Record, reader: Reader, language: Language, ceiling: Ceiling | None = None) -> Rendered:
    return render(record, ceiling or Ceiling(), reader, view=View.BESIDE, language=language)


def buttons(shown: Rendered) -> dict[str, str]:
    return {each.text: each.data for row in shown.rows for each in row}


def test_both_stand_in_one_message_each_headed_by_what_it_is() -> None:
    shown = beside(bulletin(), ENGLISH, Language.FRENCH)
    (part,) = shown.parts
    assert part.plain.split("\n\n", 2)[2].startswith(
        "🌐 Français, unofficial translation from English\nUn drone\nVu deux fois.\n\n"
        "🌐 English, the original text\nA drone over the stadium\nIt was seen\n\ntwice.\n\n"
    )
    assert part.plain.count("A drone over the stadium") == 1
    assert shown.protect


def test_each_line_runs_in_the_direction_of_its_language() -> None:
    text = beside(bulletin(), ARABIC, Language.ARABIC).parts[0].plain
    say = words(Language.ARABIC)
    official = say.text(
        "{language}, official translation from {original}",
        language=say.embed("العربية"),
        original=say.embed("English"),
    )
    original = say.text("{language}, the original text", language=say.embed("English"))
    assert f"{RLM}🌐 {official}\n" in text
    assert f"\n{RLM}شوهدت مرتين." in text
    assert f"{RLM}🌐 {original}\n" in text
    assert f"\n{RLM}{say.embed('A drone over the stadium')}\n{LRM}It was seen\n\n{LRM}twice." in text


def test_there_is_a_way_there_and_a_way_back() -> None:
    record = bulletin()
    key = short(record.bulletin.id)
    alone = buttons(render(record, Ceiling(), ENGLISH, language=Language.FRENCH))
    assert alone["📑 Original beside it"] == f"beside:{key}:fr"
    pair = buttons(beside(record, ENGLISH, Language.FRENCH))
    assert pair["◀️ Français alone"] == f"lang:{key}:fr"
    assert pair["English · original"] == f"lang:{key}:en"
    assert "📑 Original beside it" not in pair
    assert "📑 Original beside it" not in buttons(render(record, Ceiling(), ENGLISH))


def test_an_original_stands_alone_and_a_text_that_is_missing_is_the_original() -> None:
    record = bulletin()
    for language in (Language.ENGLISH, Language.CHINESE):
        shown = beside(record, ENGLISH, language)
        assert shown.parts == render(record, Ceiling(), ENGLISH, view=View.FULL).parts


@pytest.mark.parametrize("tlp", ["TLP:AMBER", "TLP:RED"])
def test_what_is_withheld_is_withheld_beside_each_other_too(tlp: str) -> None:
    record = bulletin(tlp=tlp)
    assert beside(record, ENGLISH, Language.FRENCH) == render(record, Ceiling(), ENGLISH)


def test_long_texts_are_split_and_lose_no_word() -> None:
    long = [f"Paragraph {number}. " + "A word. " * 60 for number in range(30)]
    texts = [{**DRONE_FR, "body": "\n\n".join(long)}]
    record = bulletin(translations=texts, body="\n\n".join(long).replace("word", "thing"))
    parts = [each.plain for each in beside(record, ENGLISH, Language.FRENCH).parts]
    assert all(units(each) <= UNITS_MAX for each in parts)
    said = "".join("\n".join(parts).split())
    for body in (texts[0]["body"], record.bulletin.body):
        assert "".join(str(body).split()) in said
    headed = next(each for each in parts if "the original text" in each)
    assert "Paragraph 0. A thing." in headed.split("the original text")[1]


def test_a_digest_that_was_amended_says_no_more_in_either() -> None:
    links = [{"relation": "contains", "id": make_record(2).bulletin.id}]
    record = bulletin(kind="digest", links=links).model_copy(update={"state": "amended"})
    text = beside(record, ENGLISH, Language.FRENCH).parts[0].plain
    assert "Vu deux fois" not in text
    assert "twice" not in text
    assert "Un drone" in text
