"""What an amendment changed is said in words, and only where both words of it may be shown."""

import itertools
from zoneinfo import ZoneInfo

import pytest

from bots.showing.changes import what_changed
from bots.showing.release import Ceiling, Release
from bots.showing.render import Marks, Reader, render
from bots.wording.words import SPOKEN, words
from schemas.bulletin import Bulletin
from schemas.vocabulary import Language, Relation, Tlp
from subscribers.records import Record
from tests.support.node_api import make_record

ZONE = ZoneInfo("Europe/Paris")
ENGLISH = Reader(Language.ENGLISH, ZONE)


def rank(tlp: Tlp) -> int:
    return tlp.rank


FRENCH = {"language": "fr", "official": True, "title": "Premier mot"}
FIRST: dict[str, object] = {
    "kind": "threat",
    "title": "First word",
    "body": "A text.",
    "severity": "elevated",
    "regions": ["FR"],
    "tactics": [{"taxonomy": "mitre-attack", "id": "T1566"}],
    "subjects": [{"type": "person", "name": "X"}],
    "indicators": [{"pattern": "[ipv4-addr:value = '192.0.2.1']"}],
}


def changes(**fields: object) -> list[str]:
    old, new = make_record(1, **FIRST), make_record(2, **{**FIRST, **fields})
    return what_changed(old.bulletin, new.bulletin, words(Language.ENGLISH), ZONE)


@pytest.mark.parametrize(
    "fields,said",
    [
        ({}, []),
        ({"severity": "high"}, ["severity raised from “Elevated” to “High”"]),
        ({"severity": "low"}, ["severity lowered from “Elevated” to “Low”"]),
        ({"tlp": "TLP:CLEAR"}, ["marked TLP:CLEAR, before TLP:GREEN"]),
        ({"likelihood": "likely"}, ["now held to be likely (55–80%)"]),
        (
            {"grading": {"system": "admiralty", "reliability": "B", "credibility": 2}},
            ["graded anew: source usually reliable, probably true (B2)"],
        ),
        ({"valid_until": "2026-07-01T10:00:00Z"}, ["now valid until Jul 1, 2026, 12:00 UTC+2"]),
        ({"title": "Second word"}, ["new title"]),
        ({"summary": "In short."}, ["new text"]),
        ({"translations": [FRENCH]}, ["now also in Français"]),
        ({"language": "fr"}, ["new title", "new text", "now also in Français"]),
        ({"regions": ["DE", "FR"]}, ["regions added: Germany"]),
        ({"tactics": [{"taxonomy": "disarm", "id": "T0049"}]}, ["tactics added: T0049"]),
        ({"subjects": [{"type": "person", "name": each} for each in "XYZ"]}, ["2 new subjects"]),
        ({"indicators": [{"pattern": "[ipv4-addr:value = '192.0.2.2']"}]}, ["1 new indicator"]),
        # An amendment need not repeat what stays.
        ({"regions": [], "indicators": [], "subjects": [], "tactics": []}, []),
        (
            {"severity": "flash", "body": "Another."},
            ["severity raised from “Elevated” to “FLASH”", "new text"],
        ),
    ],
)
def test_what_changed_is_named(fields: dict[str, object], said: list[str]) -> None:
    assert changes(**fields) == said


def test_a_channels_life_and_new_files_are_named() -> None:
    channel = {"address": "@bad", "state": "reported"}
    old = make_record(1, kind="channel", channel=channel).bulletin
    new = make_record(1, kind="channel", channel={**channel, "state": "blocked"}).bulletin
    file = {"name": "a.pdf", "media": "application/pdf", "size": 9, "sha256": "ab" * 32}
    with_file = Bulletin.model_validate({**new.model_dump(), "attachments": [file]})
    assert what_changed(old, with_file, words(Language.ENGLISH), ZONE) == [
        "channel now blocked",
        "1 new file",
    ]
    plain = make_record(1).bulletin
    assert "channel now reported" in what_changed(plain, old, words(Language.ENGLISH), ZONE)


def amended(record: Record, **fields: object) -> Record:
    links = [{"relation": Relation.AMENDS, "id": record.bulletin.id}]
    return make_record(9, kind="amendment", links=links, **fields)


@pytest.mark.parametrize("language", SPOKEN)
def test_both_messages_say_what_changed(language: Language) -> None:
    old = make_record(1, **FIRST).model_copy(update={"state": "amended"})
    new = amended(old, title="First word", body="A text.", severity="high")
    raised = what_changed(old.bulletin, new.bulletin, words(language), ZONE)[0]
    reader = Reader(language, ZONE)
    edited = render(old, Ceiling(), reader, marks=Marks(after=new)).parts[0].plain
    told = render(new, Ceiling(), reader, marks=Marks(before=old)).parts[0].plain
    assert raised in edited
    assert raised in told
    assert edited.index("✏️") < edited.index("First word")


def test_a_raised_marking_takes_the_text_away() -> None:
    old = make_record(1, title="First word").model_copy(update={"state": "amended"})
    for tlp, shown in (("TLP:AMBER", "TLP:AMBER"), ("TLP:RED", "A bulletin is waiting")):
        new = amended(old, title="Second word", tlp=tlp)
        edited = render(old, Ceiling(), ENGLISH, marks=Marks(after=new))
        assert shown in edited.parts[0].plain
        assert "First word" not in edited.parts[0].plain
        assert edited.passing


def test_a_lowered_marking_shows_nothing_of_the_first_word() -> None:
    old = make_record(1, title="First word", severity="flash", tlp="TLP:RED")
    new = amended(old, title="Second word", tlp="TLP:GREEN")
    text = render(new, Ceiling(), ENGLISH, marks=Marks(before=old)).parts[0].plain
    assert "Second word" in text
    assert "FLASH" not in text
    assert "Changed" not in text
    assert "waiting" in render(old, Ceiling(), ENGLISH, marks=Marks(after=new)).parts[0].plain


@pytest.mark.parametrize("ceiling", [Ceiling(each, max(each, Tlp.AMBER, key=rank)) for each in Tlp])
@pytest.mark.parametrize("edited", [True, False])
def test_no_change_tells_what_is_withheld(ceiling: Ceiling, *, edited: bool) -> None:
    for first, second in itertools.product(Tlp, Tlp):
        old = make_record(1, title="First ǂ", body="ǂ", severity="flash", tlp=first)
        new = amended(old, title="Second ǁ", body="ǁ", severity="low", tlp=second, regions=["FR"])
        shown, marks = (old, Marks(after=new)) if edited else (new, Marks(before=old))
        rendered = render(shown, ceiling, ENGLISH, marks=marks)
        text = "".join(part.plain for part in rendered.parts)
        old_open, new_open = (ceiling.allows(each) is Release.FULL for each in (first, second))
        assert ("Changed" in text) == (old_open and new_open)
        assert ("ǂ" in text) == (edited and old_open and new_open)
        assert ("ǁ" in text) == (not edited and new_open)
        assert rendered.protect or {first, second} == {Tlp.CLEAR} or (not edited and second is Tlp.CLEAR)


def test_the_names_of_searches_stand_at_the_end_and_never_on_a_stub() -> None:
    names = ("Drones in France", "Games", "Ports", "Fourth", "Fifth")
    marks = Marks(answers=names)
    text = render(make_record(1), Ceiling(), ENGLISH, marks=marks).parts[0].plain
    assert text.endswith("By your subscription: “Drones in France”, “Games”, “Ports”, and 2 more")
    for tlp in ("TLP:AMBER", "TLP:RED"):
        assert "Games" not in render(make_record(1, tlp=tlp), Ceiling(), ENGLISH, marks=marks).parts[0].plain
