"""A search says in which form a word was found, where that is not the one that was typed."""

from pathlib import Path

import pytest

from bots.enquiries.read_as import has_exactly, read_as
from tests.support.node_api import make_record
from tests.support.quiet_house import staged

FRENCH = {"language": "fr", "official": True, "title": "Le port des bacs", "summary": "", "body": "Ferme."}
FERRY = make_record(1, title="Ferry port: the gates filmed", translations=[FRENCH])
FERRI = make_record(2, title="Letter of a Ms Ferri at the port")


@pytest.mark.parametrize(
    "typed, read",
    [
        ("ferri port", "ferry port"),
        ("Ferry PORT", None),
        ("ports", "port"),
        ("the gates", None),
        ("gate or | ferries", "gates or | ferry"),
        ("férry", None),
        ("harbour", None),
        ("港口", None),
        ('"bac"', '"bacs"'),
        ("…", None),
    ],
)
def test_another_form_is_said_and_the_same_is_not(typed: str, read: str | None) -> None:
    assert read_as(typed, [FERRY]) == read
    assert has_exactly(typed, FERRY) is (read is None)


def test_the_form_is_that_of_those_that_have_not_what_was_typed() -> None:
    assert read_as("ferri port", [FERRI]) is None
    assert read_as("ferri port", [FERRY, FERRI]) == "ferry port"
    assert read_as("ferri port", []) is None


def test_the_arabic_article_and_vowel_signs_make_no_other_form() -> None:
    record = make_record(3, language="ar", title="تصوير الميناء ليلاً", body="")
    for typed in ("ميناء", "الميناء", "المِيناء", "وبالميناء"):
        assert read_as(typed, [record]) is None
    assert read_as("التصويرات", [record]) in {"تصوير", None}


async def test_a_search_says_so_and_leads_to_exactly_what_was_typed(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.node.api.records += [make_record(1, title="Ports of call")]
        for asked in ("port", "/search port"):
            shown = await stage.asks(asked)
            assert shown.startswith("🔎 1 bulletin found\nRead as “ports”.")
            assert stage.button("Only") == ""
        stage.node.api.records += [make_record(2, title="A port closed"), make_record(3, tlp="TLP:RED")]
        for asked in ("port", "/search port"):
            assert "2 bulletins found\nRead as “ports” too." in await stage.asks(asked)
            exactly = await stage.presses(stage.button("Only “port”"))
            assert "A port closed" in exactly
            assert "Ports of call" not in exactly
        assert "Read as “ports”." in await stage.asks("/search kind:tactic port"), "no button, no “too”"
        data = (await stage.asks("port"), stage.button("Only"))[1]
        stage.node.api.records = stage.node.api.records[:1]
        assert await stage.presses(data) == ""
        assert stage.door.toasts[-1] == "Nothing found."
