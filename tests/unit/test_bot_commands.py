"""What is typed and what is pressed, read strictly."""

import contextlib
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.parsing import commands
from bots.parsing.actions import DATA_MAX, Action, decode, encode, short
from bots.parsing.commands import Hush, InZone, Order
from bots.times import Quiet, Schedule
from schemas.errors import Code, FormatError, OperationError

ID = "01a20659-6cc7-75c5-844e-d56e020d9abd"


@pytest.mark.parametrize(
    "text,meant",
    [
        ("", "menu"),
        ("now", "now"),
        ("OFF", "off"),
        ("daily 7:05", Order(Schedule("daily", 425))),
        ("weekly Mon 23:59", Order(Schedule("weekly", 1439, 0))),
        ("weekly sunday 00:00", Order(Schedule("weekly", 0, 6))),
        ("quiet 22:00\u201306:30", Hush(Quiet(1320, 390))),
        ("quiet off", Hush(None)),
        ("zone Asia/Almaty", InZone(ZoneInfo("Asia/Almaty"))),
    ],
)
def test_digest_commands(text: str, meant: object) -> None:
    assert commands.digest(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "daily",
        "daily 24:00",
        "daily 7",
        "daily 07:60",
        "weekly 07:00",
        "weekly funday 07:00",
        "quiet 1-2-3",
        "zone X",
        "?",
    ],
)
def test_what_is_no_digest_command(text: str) -> None:
    with pytest.raises(OperationError) as refused:
        commands.digest(text)
    assert refused.value.code is Code.BAD_REQUEST


@given(st.text())
def test_nothing_but_a_refusal_comes_out_of_any_text(text: str) -> None:
    for read in (commands.digest, commands.regions):
        with contextlib.suppress(OperationError):
            read(text)
    commands.reference(text)
    commands.words(text)
    commands.code(text)


@pytest.mark.parametrize(
    "text",
    [
        "FRA-2026-0042",
        "fra 2026 42",
        "fra-2026-0042",
        "\u2068FRA-2026-0042\u2069",
        " FRA\u20112026\u20110042 ",
    ],
)
def test_a_reference_however_it_is_typed(text: str) -> None:
    assert commands.reference(text) == "FRA-2026-0042"


@pytest.mark.parametrize("text", ["", "0042", "FRA", "FRA-26-42", "FRA-2026-00420042", "x" * 500])
def test_what_is_no_reference(text: str) -> None:
    assert commands.reference(text) == ""


def test_regions_by_their_codes() -> None:
    assert commands.regions("fr, DE-BE kz") == {"FR", "DE-BE", "KZ"}


@given(st.text(max_size=100))
def test_forged_buttons_are_refused_or_harmless(data: str) -> None:
    try:
        action = decode(data)
    except FormatError:
        return
    assert len(data) <= DATA_MAX
    for index in range(5):
        for read in (action.argument, action.number, action.bulletin):
            with contextlib.suppress(FormatError):
                read(index)


def test_a_button_says_what_was_meant() -> None:
    data = encode("more", short(ID), "fr")
    action = decode(data)
    assert (action.verb, action.bulletin(), action.argument(1)) == ("more", ID, "fr")
    assert decode("next") == Action("next")
    with pytest.raises(ValueError, match="wrong shape"):
        encode("more", "a" * 65)
    with pytest.raises(FormatError):
        decode(None)


def test_a_private_acknowledgement() -> None:
    assert commands.acknowledgement("fra 2026 42 private") == ("FRA-2026-0042", True)
    assert commands.acknowledgement("FRA-2026-0042") == ("FRA-2026-0042", False)
    assert commands.acknowledgement("private") == ("", True)
