"""The table of attacks in the threat model is that of the suite: each attack, who notices it, and how."""

from tests.faults.attacks import ATTACKS
from tests.support.attack_table import BEGIN, DOCUMENT, END, row

SHOWN = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].splitlines()[2:]


def test_the_committed_table_names_exactly_the_attacks_of_the_suite() -> None:
    """After a change: `make attacks`."""
    assert [line.rpartition("|")[0].rpartition("|")[0] + "|" for line in SHOWN] == [
        row(each) for each in ATTACKS
    ]


def test_attacks_have_names_of_their_own() -> None:
    assert len({each.name for each in ATTACKS}) == len(ATTACKS) >= 25


def test_what_is_noticed_by_nobody_says_so() -> None:
    for each in ATTACKS:
        assert bool(each.sights) != (each.after.name in {"NEVER", "NOTHING"}), each.name
