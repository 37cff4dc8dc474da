"""What an officer has seen, in numbers and without what may not be told of in chat."""

from zoneinfo import ZoneInfo

from bots.officers import audited
from bots.officers.audit import Act, Entry
from bots.officers.roles import Role
from bots.officers.seen import Glimpse, summary, summed
from bots.showing.release import Ceiling, Release
from bots.state.officers import Officer
from schemas.vocabulary import Kind, Language, Tlp
from tests.support.node_api import make_record

ED = Officer(1, "Ed", Role.ADMINISTRATOR, Language.ENGLISH, ZoneInfo("UTC"), None, 1, 1, True)  # noqa: FBT003 - a row of the table
GREEN = make_record(1, kind="threat", tlp="TLP:GREEN")
RED = make_record(2, kind="cyber", tlp="TLP:RED")
KNOWN = {each.bulletin.ref: each for each in (GREEN, RED)}


def test_each_bulletin_counts_once_as_far_as_it_was_shown() -> None:
    ref = GREEN.bulletin.ref
    found = summed(
        [
            Glimpse(ref, Release.FULL, 20.0, 30.0),
            Glimpse(ref, Release.STUB, 10.0, 10.0),
            Glimpse("FRA-2026-0009", Release.WAITING, 15.0, 40.0),
        ],
        KNOWN,
        Ceiling(),
    )
    assert found is not None
    assert found.shown == {Release.FULL: 1, Release.WAITING: 1}
    assert (found.markings, found.kinds) == ({Tlp.GREEN: 1}, {Kind.THREAT: 1})
    assert (found.untold, found.first, found.last) == (0, 10.0, 40.0)
    assert summed([], KNOWN, Ceiling()) is None


def test_of_what_chat_may_not_show_now_neither_kind_nor_marking_is_told() -> None:
    seen = [Glimpse(each, Release.FULL, 0.0, 0.0) for each in (*KNOWN, "FRA-2026-0003")]
    found = summed(seen, KNOWN, Ceiling())
    assert found is not None
    assert found.untold == 2
    text = "".join(each.text for each in summary(ED, "Claire", found))
    assert "What Claire has seen: 3 bulletins\n" in text
    assert "seen in full: 3\nOf those seen in full:\n🔈 TLP:GREEN: 1\n🏷 Threat: 1\n🔒 no longer here" in text
    assert "RED" not in text
    assert "Cyber" not in text


def test_no_part_of_an_entry_is_empty() -> None:
    amina = Officer(1, "Amina", Role.ADMINISTRATOR, Language.ARABIC, ZoneInfo("UTC"), None, 1, 1, True)  # noqa: FBT003 - a row of the table
    entry = Entry(1, 0, Act(2, "Daniel", "outbox", "chart", "", "sent"), b"")
    shown = audited.page(amina, [entry], more=False).parts[0].plain
    assert "Daniel" in shown
    assert "\u2068\u2069" not in shown
    assert not shown.rstrip().endswith("·")
