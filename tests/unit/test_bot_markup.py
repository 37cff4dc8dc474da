import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox.entities import parse_html, utf16_length
from bots.wording.markup import Span, cut, html, isolate, pieces, plain, units

TEXT = st.text(st.sampled_from("ab .\n。éж中😀👩\u200d\u0301\ufe0f"), max_size=400)


@given(st.text())
def test_units_are_what_the_service_counts(text: str) -> None:
    clean = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert units(clean) == utf16_length(clean) == len(clean.encode("utf-16-le")) // 2


@given(TEXT, st.integers(2, 80), st.integers(2, 80))
def test_pieces_fit_and_lose_nothing_but_white_space(text: str, first: int, following: int) -> None:
    found = pieces(text, first, following)
    assert "".join("".join(found).split()) == "".join(text.split())
    for index, piece in enumerate(found):
        assert units(piece) <= (first if index == 0 else following)


def test_a_cut_prefers_paragraphs_then_lines_then_sentences_then_words() -> None:
    assert cut("one one\n\ntwo two", 12) == ("one one", "two two")
    assert cut("one one\ntwo two", 12) == ("one one", "two two")
    assert cut("One one. Two two", 12) == ("One one.", "Two two")
    assert cut("one two three", 9) == ("one two", "three")
    assert cut("unbroken", 4) == ("unbr", "oken")
    assert cut("short", 5) == ("short", "")
    assert cut("警方发现无人机！请核实。", 10) == ("警方发现无人机！", "请核实。")
    assert cut("A 警方在体育场上空发现无人机", 10) == ("A 警方在体育场上空", "发现无人机")


def test_a_cut_never_parts_a_character() -> None:
    assert cut("ab😀", 3) == ("ab", "😀")
    family = "x👩\u200d👩"
    assert cut(family, 4)[0] == "x"
    assert cut("abe\u0301f", 3)[0] == "ab"


@given(st.lists(st.builds(Span, st.text("ab<>&\"'😀"), st.sampled_from(["", "b", "i", "code", "s"]))))
def test_html_says_what_the_spans_say(spans: list[Span]) -> None:
    text, _ = parse_html(html(spans))
    assert text == plain(spans)


@pytest.mark.parametrize(
    "text,rtl,isolated", [("Paris", False, False), ("Paris", True, True), ("باريس", False, True)]
)
def test_names_are_isolated_where_directions_meet(text: str, rtl: bool, isolated: bool) -> None:
    assert isolate(text, rtl=rtl) == (f"\u2068{text}\u2069" if isolated else text)
