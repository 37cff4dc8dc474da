"""Whom administrators mean by a part of a name."""

from zoneinfo import ZoneInfo

import pytest

from bots.officers.called import meant
from bots.officers.roles import Role
from bots.state.officers import Officer
from schemas.vocabulary import Language

NAMES = ("Petra M.", "Petra Klein", "Ann", "Joanna", "Ann Petrova")


@pytest.mark.parametrize(
    "typed, found",
    [
        ("petra m.", ["Petra M."]),
        ("petra", ["Petra M.", "Petra Klein"]),
        ("PETRA  k", ["Petra Klein"]),
        ("klein", ["Petra Klein"]),
        ("ann", ["Ann"]),
        ("anna", []),
        ("petr", ["Petra M.", "Petra Klein", "Ann Petrova"]),
        ("", []),
    ],
)
def test_a_name_or_how_one_of_its_words_begins(typed: str, found: list[str]) -> None:
    officers = [
        Officer(n, name, Role.READER, Language.ENGLISH, ZoneInfo("UTC"), None, None, None, reachable=True)
        for n, name in enumerate(NAMES)
    ]
    assert [each.name for each in meant(typed, officers)] == found
