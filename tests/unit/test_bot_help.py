"""`/help` says to each what is so for them."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bots.dialogue.screens import help_text
from bots.officers.roles import Role
from bots.state.officers import Officer
from schemas.vocabulary import Language, Tlp

READER = Officer(1, "Ed", Role.READER, Language.ENGLISH, ZoneInfo("UTC"), None, 1, 1, reachable=True)


def said(role: Role, full: Tlp = Tlp.GREEN, *, within: bool = False) -> str:
    return help_text(replace(READER, role=role), full, within=within).parts[0].plain


@pytest.mark.parametrize(
    "role, drafts",
    [
        (Role.READER, []),
        (Role.DRAFTER, ["/drafts — Your drafts"]),
        (Role.RELEASER, ["/drafts — Your drafts, and what you are to release"]),
        (Role.ADMINISTRATOR, ["/drafts — Your drafts, and what you are to release"]),
    ],
)
def test_what_is_to_be_released_is_for_those_who_may(role: Role, drafts: list[str]) -> None:
    assert [each for each in said(role).splitlines() if each.startswith("/drafts")] == drafts


def test_who_writes_drafts_reads_where_facts_may_be_typed() -> None:
    assert "never type facts of a case here, and type a name only after /subject." in said(Role.READER)
    drafter = said(Role.DRAFTER)
    assert "facts of a case only in /draft, /ask and answers. Their marking is settled first" in drafter
    assert "what is above TLP:GREEN is written elsewhere" in drafter
    assert "elsewhere" not in said(Role.DRAFTER, Tlp.RED)
    assert "The chat service" not in said(Role.DRAFTER, within=True)


def test_it_says_who_asks_for_a_hand_over() -> None:
    assert "whoever takes over sends /handover." in said(Role.READER)
