"""What an officer has seen, in numbers and without what may not be told of in chat."""

from zoneinfo import ZoneInfo

from bots.officers import audited
from bots.officers.audit import Act, Entry
from bots.officers.roles import Role
from bots.officers.seen import summary, summed
from bots.showing.release import Ceiling, Sight
from bots.state.audit import Glimpse
from bots.state.officers import Officer
from schemas.vocabulary import Kind, Language, Tlp
from tests.support.node_api import make_record

ED = Officer(1, "Ed", Role.ADMINISTRATOR, Language.ENGLISH, ZoneInfo("UTC"), None, 1, 1, True)  # noqa: FBT003 - a row of the table
GREEN = make_record(1, kind="threat", tlp="TLP:GREEN")
AMBER = make_record(5, kind="cyber", tlp="TLP:AMBER")
RED = make_record(2, kind="cyber", tlp="TLP:RED")
KNOWN = {each.bulletin.ref: each for each in (GREEN, AMBER, RED)}


def test_each_bulletin_counts_once_as_far_as_it_was_shown() -> None:
    ref = GREEN.bulletin.ref
    found = summed(
        [
            Glimpse(ref, Sight.FULL, 20.0, 30.0),
            Glimpse(ref, Sight.STUB, 10.0, 10.0),
            Glimpse("FRA-2026-0009", Sight.WAITING, 15.0, 40.0),
        ],
        KNOWN,
        KNOWN,
        Ceiling(),
    )
    assert found is not None
    assert found.shown == {Sight.FULL: 1, Sight.WAITING: 1}
    assert (found.markings, found.kinds) == ({Tlp.GREEN: 1}, {Kind.THREAT: 1})
    assert (found.above, found.gone, found.first, found.last) == (0, 0, 10.0, 40.0)
    assert summed([], KNOWN, KNOWN, Ceiling()) is None


def test_of_what_chat_may_not_show_now_no_kind_is_told_and_a_marking_where_a_stub_may_tell_it() -> None:
    gone, early = "FRA-2026-0003", "FRA-2026-0004"
    seen = [Glimpse(each, Sight.FULL, 0.0, 0.0) for each in (*KNOWN, gone, early)]
    found = summed(seen, {*KNOWN, gone}, KNOWN, Ceiling())
    assert found is not None
    assert (found.above, found.gone, found.unsought) == (2, 1, 1)
    text = "".join(each.text for each in summary(ED, "Claire", found))
    assert "What Claire has seen: 5 bulletins\n" in text
    assert "seen in full: 5\nOf those seen in full:\n🔈 TLP:GREEN: 1\n🏷 Threat: 1\n" in text
    assert "🔒 above what chat may show by now: 2 (TLP:AMBER: 1)\n" in text
    assert "🕳 no longer here: 1\n⏳ earlier ones, not looked up: 1\n🕒" in text
    assert "RED" not in text
    assert "Cyber" not in text


def test_what_a_list_named_by_its_title_does_not_count_as_seen_in_full() -> None:
    ref = GREEN.bulletin.ref
    found = summed([Glimpse(ref, Sight.TITLE, 0.0, 0.0)], [], {}, Ceiling())
    assert found is not None
    text = "".join(each.text for each in summary(ED, "Claire", found))
    assert "👁 named with its title, in a list: 1\n🕒" in text


def test_what_the_room_showed_is_read_by_its_verb() -> None:
    for verb, outcome, seen in (
        ("listed", "title", "named with its title, in a list"),
        ("listed", "done", "named with its title, in a list"),
        ("read", "done", "seen in full"),
    ):
        entry = Entry(1, 0, Act(2, "Daniel", "room", verb, "FRA-2026-0001", outcome), b"")
        assert audited.page(ED, [entry], more=False).parts[0].plain.endswith(f"FRA-2026-0001 · {seen}")


def test_every_verb_that_is_no_command_has_a_word() -> None:
    for verb, about, told in (
        ("drafting.note", "", "writes a draft"),
        ("send draft", "draft 3", "sends a draft for release · Draft 3"),
        ("sign-in", "", "signs in to the reading room"),
        ("line", "UNC-2026-0014", "a line · UNC-2026-0014"),
        ("officer lost", "Claire", "officer lost · Claire"),
    ):
        entry = Entry(1, 0, Act(2, "Daniel", "chat", verb, about), b"")
        assert audited.page(ED, [entry], more=False).parts[0].plain.endswith(f"👉 Daniel · {told}")


def test_a_digest_that_was_asked_for_is_told_from_one_that_came() -> None:
    for verb, told in (
        ("digest.asked", "👉 Daniel · Digest · "),
        ("chart.asked", "👉 Daniel · Chart · "),
        ("digest", "\nDaniel · Digest · "),
        ("chart", "\nDaniel · Chart · "),
    ):
        entry = Entry(1, 0, Act(2, "Daniel", "outbox", verb, "FRA-2026-0001", "title"), b"")
        assert told in audited.page(ED, [entry], more=False).parts[0].plain


def test_no_part_of_an_entry_is_empty() -> None:
    amina = Officer(1, "Amina", Role.ADMINISTRATOR, Language.ARABIC, ZoneInfo("UTC"), None, 1, 1, True)  # noqa: FBT003 - a row of the table
    entry = Entry(1, 0, Act(2, "Daniel", "outbox", "chart", "", "sent"), b"")
    shown = audited.page(amina, [entry], more=False).parts[0].plain
    assert "Daniel" in shown
    assert "\u2068\u2069" not in shown
    assert not shown.rstrip().endswith("·")
