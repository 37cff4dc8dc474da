"""What the audit is told of a text: what it shows, and what it or a button names by the reference alone."""

from dataclasses import replace

from bots.showing.naming import named
from bots.showing.release import Sight
from bots.showing.rendered import Button, Part, Rendered, Showing
from bots.wording.markup import Span

BARE = Rendered(
    (Part.of((Span("\u2068FRA-2026-0007\u2069 and CVE-2026-4422, FRA-2026-0007 again"),)),),
    ((Button("📖 BEL-2026-0001", "open:1"),),),
)


def test_a_reference_in_a_text_or_on_a_button_is_named_once() -> None:
    assert named(BARE) == tuple(Showing(ref, Sight.WAITING) for ref in ("BEL-2026-0001", "FRA-2026-0007"))


def test_what_a_shown_bulletin_says_is_not_searched_but_buttons_are() -> None:
    shown = (Showing("DEU-2026-0002", Sight.FULL),)
    found = named(replace(BARE, shows=shown))
    assert found == (*shown, Showing("BEL-2026-0001", Sight.WAITING))
    once = (Showing("BEL-2026-0001", Sight.FULL),)
    assert named(replace(BARE, shows=once)) == once


def test_an_entry_of_a_public_list_is_named_beside_the_bulletins_of_the_text() -> None:
    entry = Showing("QDi.901", Sight.FULL)
    assert named(replace(BARE, entries=(entry,))) == (entry, *named(BARE))


def test_examples_name_nothing() -> None:
    assert named(replace(BARE, quotes=True)) == ()
