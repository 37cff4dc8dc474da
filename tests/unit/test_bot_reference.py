"""What public lists say in chat: in every language, within a message, and never a verdict."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bots.enquiries import reference_screens as screens
from bots.enquiries import technique_screens
from bots.enquiries.library import Edition, Library
from bots.enquiries.reference_screens import About
from bots.enquiries.seen_here import Seen
from bots.enquiries.unsearched import Unsearched
from bots.officers.roles import Role
from bots.sandbox.entities import parse_html
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.wording.markup import UNITS_MAX, units
from bots.wording.words import words
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language
from subscribers.reference.names import NameIndex
from subscribers.reference.shelf import Shelf
from subscribers.reference.tactics import techniques
from subscribers.reference.un_list import compare
from subscribers.reference.un_xml import parse_un_list
from tests.support.un_sample import SAMPLE, group, un_xml

OLD, NEW = un_xml(*SAMPLE), un_xml(*SAMPLE[1:], group("QDe.002", "NEW"), made="2026-03-01")
PARTLY = Unsearched(partly=True)
ABOUT = About("2026-02-27", 45, seen=Seen(3, more=False), unsearched=PARTLY)


def officer(language: Language = Language.ENGLISH) -> Officer:
    return Officer(
        id=1,
        name="Ed",
        role=Role.READER,
        language=language,
        zone=ZoneInfo("UTC"),
        quiet=None,
        chat=1,
        person=1,
        reachable=True,
    )


def edition(data: bytes = OLD) -> Edition:
    made = parse_un_list(data)
    return Edition(made, NameIndex(made), compare(made, parse_un_list(NEW)))


def every_screen(language: Language) -> list[Rendered]:
    one, known = officer(language), techniques()
    held = edition()
    hits = held.index.look_up("Mohammed Karim Testoff Mithal Johannes", born=1960)
    common = held.index.look_up("Muhammad", born=1962)
    technique, part = known.get("T1566"), known.get("T1193")
    assert technique is not None
    assert part is not None
    return [
        technique_screens.no_technique(one),
        technique_screens.techniques(
            one,
            [(each.technique, Seen(1_000, more=True)) for each in known.look_up("phishing")][:8],
        ),
        technique_screens.technique(one, technique, None, Seen(5, more=True)),
        technique_screens.technique(one, part, technique, Seen(0, more=False)),
        screens.no_list(one),
        screens.list_state(one, held, ABOUT, within=False),
        screens.hits(one, hits, 0, ABOUT),
        screens.hits(one, common, 0, ABOUT),
        screens.hits(one, [], 0, ABOUT),
        *(screens.entry(one, each.reference, each, ABOUT) for each in held.un_list.entries.values()),
        screens.entry(one, "QDi.999", None, replace(ABOUT, seen=Seen(0, more=False))),
    ]


def said(rendered: Rendered) -> str:
    return "\n".join(part.plain for part in rendered.parts)


@pytest.mark.parametrize("language", Language)
def test_every_screen_is_one_message_that_the_service_takes(language: Language) -> None:
    for rendered in every_screen(language):
        assert len(rendered.parts) == 1
        assert rendered.protect
        assert units(rendered.parts[0].plain) <= UNITS_MAX
        assert parse_html(rendered.parts[0].html)[0] == rendered.parts[0].plain
        assert all(0 < len(row) <= 3 for row in rendered.rows)


@pytest.mark.parametrize("language", Language)
def test_possible_matches_are_never_told_without_the_date_and_the_caution(language: Language) -> None:
    say, held = words(language), edition()
    shown = said(screens.hits(officer(language), held.index.look_up("Karim Testov"), 0, ABOUT))
    assert (
        say.text("A possible match is no identification. Compare birth, nationality and documents.") in shown
    )
    assert "2026" in shown
    assert say.text("{score} of 100", score=held.index.look_up("Karim Testov")[0].score) in shown
    nothing = said(screens.hits(officer(language), [], 0, ABOUT))
    assert "2026" in nothing


def test_hits_come_in_pages_with_a_button_for_each() -> None:
    found = edition().index.look_up("Karim Testov") * 7
    first = screens.hits(officer(), found, 0, ABOUT)
    assert [button.data for row in first.rows for button in row][-1] == "hits:5"
    last = screens.hits(officer(), found, 5, ABOUT)
    assert [button.data for row in last.rows for button in row] == ["listed:QDi.001"] * 2
    assert "7 possible matches" in said(last)


def test_reasons_are_said_in_words() -> None:
    [hit] = edition().index.look_up("Карим Тестоф", born=1971)
    shown = said(screens.hits(officer(), [hit], 0, ABOUT))
    assert "QDi.001" in shown
    assert "another script" in shown
    assert "birth agrees: 1971-02-03" in shown


def test_an_unpressed_button_shows_nothing_that_was_not_seen() -> None:
    unseen = replace(ABOUT, seen=Seen(0, more=False))
    entry = edition().un_list.entries["QDi.001"]
    assert screens.entry(officer(), "QDi.001", entry, unseen).rows == ()
    assert "may be shown in chat" in said(screens.entry(officer(), "QDi.001", entry, unseen))
    seen = screens.entry(officer(), "QDi.001", entry, ABOUT)
    assert [button.data for row in seen.rows for button in row] == ["seen:subject:QDi.001"]
    assert "Seen here in 3 bulletins." in said(seen)


def test_a_choice_of_techniques_says_how_much_was_seen_of_each() -> None:
    current, old = techniques().get("T1566"), techniques().get("T1193")
    assert current is not None
    assert old is not None
    assert old.withdrawn
    none, many = Seen(0, more=False), Seen(100, more=True)
    shown = technique_screens.techniques(officer(), [(current, Seen(7, more=False)), (old, none)], PARTLY)
    lines = said(shown).split("\n")
    assert lines[3] == "👁 seen here: 7"
    assert lines[6] == "⚠️ no longer in use · 👁 not seen here"
    assert "may be shown in chat" in lines[-1]
    assert [each.text for row in shown.rows for each in row] == ["T1566 · 👁 7", "T1193"]
    all_shown = said(technique_screens.techniques(officer(), [(current, many)]))
    assert "seen here: 100+" in all_shown
    assert "may be shown in chat" not in all_shown


def test_the_example_is_on_the_list_that_is_loaded() -> None:
    first = next(iter(edition(NEW).un_list.entries))
    assert first != "QDi.001"
    assert f"/subject {first}" in said(screens.list_state(officer(), edition(NEW), ABOUT, within=False))


@pytest.mark.parametrize(
    "language, name",
    [
        (Language.ENGLISH, "KARIM TESTOV AL-MITHAL 1971"),
        (Language.ARABIC, "كريم تستوف المثال 1971"),
        (Language.RUSSIAN, "Нуруддин Экземплов"),
        (Language.CHINESE, "KARIM TESTOV AL-MITHAL 1971"),
    ],
)
async def test_the_name_of_the_example_is_found_and_in_the_script_of_the_reader(
    language: Language, name: str
) -> None:
    held = edition()
    reference, example = screens.examples(held.un_list, language)
    assert (reference, example) == ("QDi.001", name)
    assert f"/subject {name}" in said(screens.list_state(officer(language), held, ABOUT, within=False))
    assert held.index.look_up(example.rstrip(" 0123456789"))[0].score == 100


def test_a_list_without_a_name_to_show_has_no_example_of_one() -> None:
    assert list(screens.examples(parse_un_list(un_xml(group("QDe.002", "NEW"))), Language.ENGLISH)) == [
        "QDe.002"
    ]


def test_what_the_score_means_is_said_once() -> None:
    found = edition().index.look_up("Karim Testov") * 7
    told = "100 is the same name"
    assert told in said(screens.hits(officer(), found, 0, ABOUT))
    assert told not in said(screens.hits(officer(), found, screens.HITS, ABOUT))


@pytest.mark.parametrize("language", Language)
def test_what_is_there_in_english_alone_says_so_to_who_reads_another_language(language: Language) -> None:
    one = techniques().get("T1566.001")
    assert one is not None
    shown = said(technique_screens.technique(officer(language), one, None, Seen(0, more=False)))
    line = words(language).text("What ATT&CK and DISARM say is in English only.")
    assert shown.count(line) == (0 if language is Language.ENGLISH else 1)


def test_within_the_agency_nobody_is_warned_of_a_chat_service() -> None:
    assert "chat service" in said(screens.list_state(officer(), edition(), ABOUT, within=False))
    assert "chat service" not in said(screens.list_state(officer(), edition(), ABOUT, within=True))


async def test_a_list_is_read_again_when_its_file_was_replaced(tmp_path: Path) -> None:
    file = tmp_path / "list.xml"
    library = Library(file, None)
    with pytest.raises(OperationError) as caught:
        await library.edition()
    assert caught.value.code == Code.NOT_FOUND
    file.write_bytes(OLD)
    first = await library.edition()
    assert (first.un_list.date, first.changes) == ("2026-02-27", None)
    assert await library.edition() is first
    fresh = tmp_path / "fresh.xml"
    fresh.write_bytes(NEW)
    fresh.replace(file)
    second = await library.edition()
    assert second.changes is not None
    assert [each.reference for each in second.changes.removed] == ["QDi.001"]


async def test_what_the_node_loaded_is_used_with_what_it_changed(tmp_path: Path) -> None:
    state = tmp_path / "agency"
    state.mkdir(mode=0o700)
    for data in (OLD, NEW):
        Shelf(state).take(data)
    held = await Library(None, state).edition()
    assert held.changes is not None
    assert held.day.isoformat() == "2026-03-01"
    with pytest.raises(OperationError):
        await Library(None, None).edition()


async def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperationError) as caught:
        await Library(tmp_path, None).edition()
    assert caught.value.code == Code.FORBIDDEN
