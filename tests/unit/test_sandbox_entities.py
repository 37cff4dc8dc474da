"""The sandbox reads HTML as the service does: what td's own tests fix, and what Liaison's texts need."""

from __future__ import annotations

import html
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox.entities import EntityError, normal_url, parse_html, utf16_length
from bots.sandbox.refusals import ApiRefusal
from bots.sandbox.texts import caption_text, formatted, message_text


@pytest.mark.parametrize(
    "source,message",
    [
        ("🏟 🏟&lt;<abacaba", "Unclosed start tag at byte offset 13"),
        ("🏟 🏟&lt;<abac aba>", 'Unsupported start tag "abac" at byte offset 13'),
        ("🏟 🏟&lt;<i   =aba>", 'Empty attribute name in the tag "i" at byte offset 13'),
        ("🏟 🏟&lt;<i    aba>", 'Can\'t find end tag corresponding to start tag "i"'),
        ("🏟 🏟&lt;<i    aba  =  ", 'Unclosed start tag "i" at byte offset 13'),
        ("🏟 🏟&lt;<i    aba  =  190azAz-.,", "Unexpected end of name token at byte offset 27"),
        ('🏟 🏟&lt;<i    aba  =  "&lt;&gt;&quot;>', "Unclosed start tag at byte offset 13"),
        ("🏟 🏟&lt;</", "Unexpected end tag at byte offset 13"),
        ("🏟 🏟&lt;<b></b></", "Unexpected end tag at byte offset 20"),
        ("🏟 🏟&lt;<i>a</i   ", "Unclosed end tag at byte offset 17"),
        ("🏟 🏟&lt;<i>a</em   >", 'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"'),
        ("5 < 7", 'Unsupported start tag "" at byte offset 2'),
        ("<br>", 'Unsupported start tag "br" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<tg-emoji>x</tg-emoji>", "Invalid custom emoji identifier specified"),
    ],
)
def test_refused_html(source: str, message: str) -> None:
    with pytest.raises(EntityError) as caught:
        parse_html(source)
    assert str(caught.value) == message


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(EntityError, match="invalid Unicode"):
        parse_html("&#xDFDF;")


@pytest.mark.parametrize(
    "source,text,entities",
    [
        ("", "", []),
        ("&ge;&lt;&gt;&amp;&quot;&laquo;&#12345678;", '&ge;<>&"&laquo;&#12345678;', []),
        ("&#1593;&#x639;", "عع", []),
        ("➡️ ➡️<i>➡️ ➡️</i><b>➡️ ➡️</b>", "➡️ ➡️➡️ ➡️➡️ ➡️", [("italic", 5, 5), ("bold", 10, 5)]),
        ("🏟 🏟<i>🏟 &gt;<b aba   =   caba>&lt🏟</b></i>", "🏟 🏟🏟 ><🏟", [("italic", 5, 7), ("bold", 9, 3)]),
        ("🏟 🏟&lt;<i    aba  =  '&lt;&gt;&quot;'>a</>", "🏟 🏟<a", [("italic", 6, 1)]),
        ("🏟 🏟&lt;<b></b>", "🏟 🏟<", []),
        ("<S>a</s><del>b</del>", "ab", [("strikethrough", 0, 1), ("strikethrough", 1, 1)]),
        ('<span class = "tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ('<pre><code class="language-fift">a</></>', "a", [("pre", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ("<a>not a link</a>", "not a link", []),
    ],
)
def test_accepted_html(source: str, text: str, entities: list[Any]) -> None:
    read, found = parse_html(source)
    assert read == text
    assert [(e["type"], e["offset"], e["length"]) for e in found] == entities


def test_the_language_of_code_is_kept() -> None:
    _, found = parse_html('<pre><code class="language-json">{}</code></pre>')
    assert found == [{"type": "pre", "offset": 0, "length": 2, "language": "json"}]


@pytest.mark.parametrize(
    "url,kept",
    [
        ("https://example.org/a", "https://example.org/a"),
        ("example.org", "http://example.org/"),
        ("tg://user?id=5", "tg://user?id=5"),
        ("javascript:alert(1)", ""),
        ("nothing", ""),
        ("https://", ""),
    ],
)
def test_links(url: str, kept: str) -> None:
    assert normal_url(url) == kept


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_escaped_text_comes_back(text: str) -> None:
    read, found = parse_html(f"<b>{html.escape(text)}</b>")
    assert read == text
    assert sum(entity["length"] for entity in found) == utf16_length(text)


@given(st.text(alphabet="<>/&;=\"' abi#x1-", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read, found = parse_html(text)
    except EntityError:
        return
    assert all(entity["offset"] + entity["length"] <= utf16_length(read) for entity in found)


def test_white_space_at_the_ends_goes_and_entities_move_with_it() -> None:
    read = formatted("  \n<b> a</b> \n", "HTML", ())
    assert read.text == "a"
    assert read.entities == [{"type": "bold", "offset": 0, "length": 1}]


def test_commands_links_and_hashtags_are_found_outside_code() -> None:
    read = formatted(
        "/help@liaison_bot see https://example.org/x. #cyber <code>/not</code> a@b.org", "HTML", ()
    )
    assert [(e["type"], e["offset"]) for e in read.entities] == [
        ("bot_command", 0),
        ("url", 22),
        ("hashtag", 45),
        ("code", 52),
        ("email", 57),
    ]


@pytest.mark.parametrize(
    "entity",
    [
        {"type": "bold", "offset": 0, "length": 4},
        {"type": "bold", "offset": -1, "length": 1},
        {"type": "bold", "offset": 1, "length": 1},
        {"type": "shiny", "offset": 0, "length": 2},
        "bold",
    ],
)
def test_explicit_entities_are_checked(entity: object) -> None:
    with pytest.raises(ApiRefusal, match="can't parse entities"):
        formatted("😀.", "", [entity])


@pytest.mark.parametrize(
    "text,fits", [("😀" * 2048, True), ("😀" * 2048 + "a", False), ("a" * 4096, True), ("ب" * 4097, False)]
)
def test_length_counts_utf16_units(text: str, fits: bool) -> None:
    if fits:
        assert message_text(text, "", (), editing=False).length == 4096
    else:
        with pytest.raises(ApiRefusal, match="message is too long"):
            message_text(text, "", (), editing=False)


def test_length_counts_after_entities_are_parsed() -> None:
    assert message_text(f"<b>{'&amp;' * 4096}</b>", "HTML", (), editing=False).length == 4096
    assert caption_text(f"<b>{'&amp;' * 1024}</b>", "HTML", ()).length == 1024
    with pytest.raises(ApiRefusal, match="caption is too long"):
        caption_text("a" * 1025, "", ())
