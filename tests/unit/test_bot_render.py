"""The release gate: nothing above the ceiling leaves it, and what leaves it the service takes."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox.entities import parse_html
from bots.showing.details import language_note
from bots.showing.release import Ceiling, Release
from bots.showing.render import Marks, Reader, View, gravestone, listing, render
from bots.showing.rendered import Rendered
from bots.wording.labels import AUDIENCES
from bots.wording.markup import LRM, RLM, UNITS_MAX, units
from bots.wording.words import NAMES, words
from schemas.vocabulary import Language, Severity, Tlp
from subscribers.records import Record
from tests.support.node_api import make_record
from tests.support.records import MARK, records

READERS = st.builds(
    Reader,
    language=st.sampled_from(Language),
    zone=st.sampled_from([ZoneInfo("UTC"), ZoneInfo("Asia/Kabul")]),
)


def rank(tlp: Tlp) -> int:
    return tlp.rank


CEILINGS = st.tuples(
    st.sampled_from(Tlp), st.sampled_from(Tlp), st.sampled_from(["", "https://room.example"])
).map(lambda given: Ceiling(min(given[:2], key=rank), max(given[:2], key=rank), given[2]))
ENGLISH = Reader(Language.ENGLISH, ZoneInfo("Europe/Paris"))
ARABIC = Reader(Language.ARABIC, ZoneInfo("Europe/Paris"))


def said(rendered: Rendered) -> str:
    """Everything that would reach the chat service."""
    texts = [text for part in rendered.parts for text in (part.html, part.plain)]
    return "\n".join(
        [*texts, *(f"{each.text} {each.data} {each.url}" for row in rendered.rows for each in row)]
    )


def audiences(reader: Reader) -> list[str]:
    return [words(reader.language).text(each) for each in AUDIENCES.values()]


def first(rendered: Rendered) -> str:
    return rendered.parts[0].plain


@given(
    record=records(),
    ceiling=CEILINGS,
    reader=READERS,
    view=st.sampled_from(View),
    language=st.none() | st.sampled_from(Language),
    marks=st.builds(Marks, repeat=st.booleans(), acknowledged=st.booleans()),
)
def test_no_text_above_the_ceiling_leaves_render(
    record: Record, ceiling: Ceiling, reader: Reader, view: View, language: Language | None, marks: Marks
) -> None:
    rendered = render(record, ceiling, reader, view=view, language=language, marks=marks)
    released = ceiling.allows(record.bulletin.tlp)
    assert (MARK in said(rendered)) == (released is Release.FULL)
    assert record.bulletin.ref in first(rendered)
    if released is Release.WAITING:
        assert record.bulletin.tlp.value not in said(rendered).replace(ceiling.by_link.value, "")
        assert not any(each in said(rendered) for each in audiences(reader))
        assert not rendered.silent
    assert rendered.protect or record.bulletin.tlp is Tlp.CLEAR
    assert rendered.passing == (released is not Release.FULL)


@given(st.lists(records(), max_size=3), CEILINGS, READERS)
def test_no_text_above_the_ceiling_leaves_a_list(
    found: list[Record], ceiling: Ceiling, reader: Reader
) -> None:
    hidden = [each for each in found if ceiling.allows(each.bulletin.tlp) is not Release.FULL]
    rendered = listing(hidden, ceiling, reader, title="Title")
    assert MARK not in said(rendered)
    for each in hidden:
        assert each.bulletin.ref in said(rendered)


@given(records(), CEILINGS, READERS, st.sampled_from(View))
def test_the_service_reads_every_part(record: Record, ceiling: Ceiling, reader: Reader, view: View) -> None:
    for part in render(record, ceiling, reader, view=view).parts:
        text, _ = parse_html(part.html)
        assert text == part.plain
        assert 0 < units(text) <= UNITS_MAX


@given(records(tlp=Tlp.CLEAR), READERS)
def test_the_full_view_loses_no_word(record: Record, reader: Reader) -> None:
    rendered = render(record, Ceiling(), reader, view=View.FULL)
    shown = "".join(part.plain for part in rendered.parts)
    bulletin = record.bulletin.text_in(reader.language)
    assert _letters(bulletin.summary + bulletin.body) in _letters(shown)


def _letters(text: str) -> str:
    return "".join(text.replace(RLM, "").replace(LRM, "").split())


def test_the_first_line_is_sign_severity_kind_and_marking() -> None:
    record = make_record(42, severity="flash", kind="threat", tlp="TLP:GREEN", title="Drone at the stadium")
    lines = first(render(record, Ceiling(), ENGLISH)).split("\n")
    assert lines[0] == "🔴 FLASH · Threat · TLP:GREEN"
    assert lines[1] == "Drone at the stadium"
    assert lines[-1] == "FRA-2026-0042 · Community: Alpha"


def test_an_exercise_says_so_at_both_ends_of_every_message() -> None:
    call = "🟦 EXERCISE EXERCISE EXERCISE"
    long = make_record(1, exercise=True, body="Whatever there is to say. " * 700)
    short = make_record(2, exercise=True)
    shown = [
        render(long, Ceiling(), ENGLISH, view=View.FULL),
        render(short, Ceiling(), ENGLISH),
        render(short, Ceiling(full=Tlp.CLEAR), ENGLISH),
        render(make_record(3, exercise=True, tlp="TLP:RED"), Ceiling(), ENGLISH),
    ]
    assert len(shown[0].parts) > 3
    for part in (part for each in shown for part in each.parts):
        assert part.plain.startswith(call + "\n")
        assert part.plain.endswith("\n" + call)
        assert units(part.plain) <= UNITS_MAX
    assert call not in first(render(make_record(4), Ceiling(), ENGLISH))


def test_who_how_sure_and_who_may_be_told_are_in_words() -> None:
    record = make_record(
        1, grading={"system": "admiralty", "reliability": "B", "credibility": 2}, likelihood="likely"
    )
    text = first(render(record, Ceiling(), ENGLISH))
    assert "France · source usually reliable, probably true (B2) · likely (55–80%)" in text
    assert "Mar 1, 2026, 09:30 UTC+1" in text
    assert "May be told within your professional community, not in public." in text


def test_a_europol_grading_keeps_its_own_words() -> None:
    record = make_record(1, grading={"system": "europol-4x4", "reliability": "X", "credibility": 4})
    assert (
        "reliability cannot be assessed, not known personally to the source, and not corroborated (X4)"
        in first(render(record, Ceiling(), ENGLISH))
    )


def test_a_translation_is_shown_and_named() -> None:
    french = {"language": "fr", "official": False, "title": "Titre", "summary": "Résumé"}
    record = make_record(1, translations=[french])
    text = first(render(record, Ceiling(), Reader(Language.FRENCH, ZoneInfo("UTC"))))
    assert "Titre" in text
    assert "traduction non officielle" in text
    only_english = first(render(make_record(1), Ceiling(), ARABIC))
    assert "English" in only_english


OFFICIAL = {
    Language.ARABIC: "ترجمة رسمية",
    Language.CHINESE: "，正式译文",
    Language.ENGLISH: ", official translation",
    Language.FRENCH: "traduction officielle",
    Language.RUSSIAN: ", официальный перевод",
    Language.SPANISH: "traducción oficial",
}


@pytest.mark.parametrize("language", Language)
def test_the_officers_language_comes_first_and_official_texts_are_marked(language: Language) -> None:
    own = Language.ENGLISH if language is not Language.ENGLISH else Language.FRENCH
    others = [each for each in Language if each is not own]
    texts = [
        {"language": each.value, "official": each is language, "title": f"Title in {each.name}"}
        for each in others
    ]
    record = make_record(1, language=own.value, translations=texts, summary="Short", body="Long")
    reader = Reader(language, ZoneInfo("UTC"))
    shown = render(record, Ceiling(), reader)
    assert f"Title in {language.name}" in first(shown)
    assert f"🌐 {NAMES[language]}" in first(shown).replace(RLM, "").replace("\u2068", "")
    assert OFFICIAL[language] in first(shown)
    offered = [each.text for row in shown.rows for each in row if each.text.split(" · ")[0] in NAMES.values()]
    original = f"{NAMES[own]} · {words(language).text('original')}"
    assert offered == [original, *(NAMES[each] for each in others if each is not language)]
    for each in others:
        if each is not language:
            unofficial = first(render(record, Ceiling(), reader, language=each))
            assert f"Title in {each.name}" in unofficial
            assert OFFICIAL[language] not in unofficial


@pytest.mark.parametrize("language", Language)
def test_a_text_that_is_not_in_the_officers_language_says_so(language: Language) -> None:
    own, other = [each for each in Language if each is not language][:2]
    reader, say = Reader(language, ZoneInfo("UTC")), words(language)
    alone = first(render(make_record(1, language=own.value), Ceiling(), reader))
    assert say.text("Only in {language}", language=say.embed(NAMES[own])) in alone
    text = {"language": other.value, "official": True, "title": "Other"}
    record = make_record(1, language=own.value, translations=[text])
    original = say.text("{language}, the original text", language=say.embed(NAMES[own]))
    assert original in first(render(record, Ceiling(), reader))
    own_reader = Reader(own, ZoneInfo("UTC"))
    assert f"🌐 {language_note(record.bulletin, record.bulletin.text_in(own), words(own))}" in first(
        render(record, Ceiling(), own_reader)
    )
    assert "🌐" not in first(render(make_record(1, language=own.value), Ceiling(), own_reader))


def test_official_translations_are_offered_before_others() -> None:
    texts = [
        {"language": "fr", "official": False, "title": "Titre"},
        {"language": "es", "official": True, "title": "Título"},
    ]
    rows = render(make_record(1, translations=texts), Ceiling(), ENGLISH).rows
    assert [each.text for row in rows for each in row if each.text in NAMES.values()] == [
        "Español",
        "Français",
    ]


def test_arabic_lines_are_laid_out_from_the_right() -> None:
    record = make_record(7, title="A Latin title", body="A Latin body")
    lines = [line for line in first(render(record, Ceiling(), ARABIC)).split("\n") if line]
    body = lines.index(LRM + "A Latin body")
    assert all(line.startswith(RLM) for index, line in enumerate(lines) if index != body)
    assert "\u2068FRA-2026-0007\u2069" in lines[-1]


def test_a_copied_reference_has_no_invisible_marks() -> None:
    assert "<code>FRA-2026-0007</code>" in render(make_record(7), Ceiling(), ARABIC).parts[0].html


@pytest.mark.parametrize(
    "severity,silent", [("info", True), ("low", True), ("elevated", False), ("flash", False)]
)
def test_low_severity_makes_no_sound(severity: str, silent: bool) -> None:
    assert render(make_record(1, severity=severity), Ceiling(), ENGLISH).silent is silent


def test_clear_may_be_forwarded_and_nothing_else() -> None:
    assert not render(make_record(1, tlp="TLP:CLEAR"), Ceiling(), ENGLISH).protect
    assert render(make_record(1, tlp="TLP:GREEN"), Ceiling(), ENGLISH).protect


def test_a_brief_view_offers_more_only_when_there_is_more() -> None:
    brief = render(make_record(1, body="Short."), Ceiling(), ENGLISH)
    long = render(make_record(1, body="Long. " * 300), Ceiling(), ENGLISH)
    assert [each.data.split(":")[0] for row in brief.rows for each in row] == ["ack"]
    assert [each.data.split(":")[0] for row in long.rows for each in row] == ["ack", "more"]


def test_a_possible_repeat_says_so_first() -> None:
    for record in (make_record(1), make_record(1, tlp="TLP:RED")):
        assert first(render(record, Ceiling(), ENGLISH, marks=Marks(repeat=True))).startswith(
            "♻️ Possibly a repeat"
        )


def test_ones_own_and_retracted_bulletins_ask_for_no_acknowledgement() -> None:
    own = make_record(1).model_copy(update={"own": True})
    gone = make_record(2).model_copy(update={"state": "retracted"})
    for record in (own, gone):
        assert "ack:" not in said(render(record, Ceiling(), ENGLISH))


def test_a_corrected_digest_keeps_none_of_its_lines() -> None:
    links = [{"relation": "contains", "id": make_record(1).bulletin.id}]
    digest = make_record(9, kind="digest", title="Digest 24 November", body="Wrong name", links=links)
    assert "Wrong name" in said(render(digest, Ceiling(), ENGLISH))
    amended = digest.model_copy(update={"state": "amended"})
    for view in View:
        shown = said(render(amended, Ceiling(), ENGLISH, view=view))
        assert "Digest 24 November" in shown
        assert "AMENDED since" in shown
        assert "Wrong name" not in shown


def test_a_gravestone_holds_a_reference_and_a_reason() -> None:
    stone = gravestone("FRA-2026-0001", ENGLISH, why="retracted")
    assert first(stone).startswith("⚫ FRA-2026-0001\nRetracted by its originator.")
    assert "passed" in first(gravestone(None, ENGLISH, why="expired"))


def test_a_retracted_bulletin_keeps_no_title_in_a_list() -> None:
    record = make_record(1, title="Wrong name").model_copy(update={"state": "retracted"})
    text = first(listing([record], Ceiling(), ENGLISH, title="List"))
    assert "Wrong name" not in text
    assert "RETRACTED" in text


def test_a_stub_shows_reference_kind_severity_and_marking() -> None:
    record = make_record(9, tlp="TLP:AMBER", severity="high", title="Secret")
    text = first(render(record, Ceiling(), ENGLISH))
    assert text.startswith("🟠 High · Tactic · TLP:AMBER\nFRA-2026-0009")
    assert Severity.HIGH.value in text.lower()
    assert text.endswith("\n🔈 Only for those in your organisation and its clients who need to know.")


def test_sentences_of_chinese_have_no_space_between_them() -> None:
    for language, between in ((Language.CHINESE, ""), (Language.FRENCH, " ")):
        say, reader = words(language), Reader(language, ENGLISH.zone)
        kept = say.text("Its marking keeps the text out of chat.")
        read = say.text("Read it on your agency's terminal.")
        text = first(render(make_record(9, tlp="TLP:AMBER"), Ceiling(), reader))
        assert f"\n{kept}{between}{read}\n" in text
