"""Message text as the service reads it: strict HTML into plain text and entities, in UTF-16 code units.

The grammar, the error texts and their byte offsets (UTF-8) follow `parse_html` of td's MessageEntity.cpp;
entity names are those of bots/api#messageentity. Pure: text in, text and entities out, or an EntityError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Entity = dict[str, Any]

_SIMPLE_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
}
_TAGS = frozenset({*_SIMPLE_TAGS, "a", "code", "pre", "blockquote", "tg-emoji", "tg-time"})
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#(?:[xX](?P<hex>[0-9a-fA-F]+)|(?P<dec>[0-9]+))|(?P<name>[a-zA-Z]+));?")
_SPACE = " \t\r\n\v\f\x00"
_SURROGATES = range(0xD800, 0xE000)
_MAX_CODE_POINT = 0x10FFFF
_LONGEST_NUMBER = 64
_URL_SCHEMES = ("http://", "https://", "tg://", "mailto:", "tel:", "ton://", "tonsite://")
_BAD_UNICODE = (
    "Text contains invalid Unicode characters after decoding HTML entities, "
    "check for unmatched surrogate code units"
)


class EntityError(ValueError):
    """The text cannot be parsed; the message is what follows `can't parse entities: `."""


def utf16_length(text: str) -> int:
    """The length of `text` in UTF-16 code units, which is how the service counts."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)  # noqa: PLR2004 - end of the first plane


@dataclass(slots=True)
class _Open:
    tag: str
    offset: int
    start: int
    value: str


@dataclass(slots=True)
class _Parser:
    source: str
    at: int = 0
    out: list[str] = field(default_factory=list)
    length: int = 0
    stack: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def run(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.source):
            char = self.source[self.at]
            if char == "&":
                self._emit(self._reference())
            elif char != "<":
                self._emit(char)
                self.at += 1
            elif self._peek(1) == "/":
                self._end_tag()
            else:
                self._start_tag()
        if self.stack:
            raise EntityError(f'Can\'t find end tag corresponding to start tag "{self.stack[-1].tag}"')
        text = "".join(self.out)
        if any(ord(char) in _SURROGATES for char in text):
            raise EntityError(_BAD_UNICODE)
        return text, sort_entities(_join_pre(self.entities))

    def _peek(self, ahead: int = 0) -> str:
        index = self.at + ahead
        return self.source[index] if index < len(self.source) else ""

    def _bytes(self, index: int) -> int:
        return len(self.source[:index].encode("utf-8", "surrogatepass"))

    def _emit(self, text: str) -> None:
        self.out.append(text)
        self.length += utf16_length(text)

    def _reference(self) -> str:
        match = _REFERENCE.match(self.source, self.at)
        decoded = _decode(match) if match else None
        if match is None or decoded is None:
            self.at += 1
            return "&"
        self.at = match.end()
        return decoded

    def _skip_space(self) -> None:
        while self._peek() and self._peek() in _SPACE:
            self.at += 1

    def _take_until(self, stops: str) -> str:
        begin = self.at
        while self._peek() and self._peek() not in stops:
            self.at += 1
        return self.source[begin : self.at]

    def _start_tag(self) -> None:
        begin = self.at
        where = f"at byte offset {self._bytes(begin)}"
        self.at += 1
        tag = self._take_until(_SPACE + ">").lower()
        if not self._peek():
            raise EntityError(f"Unclosed start tag {where}")
        if tag not in _TAGS:
            raise EntityError(f'Unsupported start tag "{tag}" {where}')
        attributes = self._attributes(tag, where)
        self.stack.append(_Open(tag, self.length, len(self.out), _argument(tag, attributes, where)))

    def _attributes(self, tag: str, where: str) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self._skip_space()
            if self._peek() == ">":
                self.at += 1
                return found
            name = self._take_until(_SPACE + "=>").lower()
            if not name and self._peek():
                raise EntityError(f'Empty attribute name in the tag "{tag}" {where}')
            self._skip_space()
            value = ""
            if self._peek() == "=":
                self.at += 1
                self._skip_space()
                if self._peek():
                    value = self._value(where)
            if not self._peek():
                raise EntityError(f'Unclosed start tag "{tag}" {where}')
            found[name] = value

    def _value(self, where: str) -> str:
        quote = self._peek()
        if quote not in {'"', "'"}:
            return self._token()
        self.at += 1
        raw = self._take_until(quote)
        if not self._peek():
            raise EntityError(f"Unclosed start tag {where}")
        self.at += 1
        return _REFERENCE.sub(lambda match: _decode(match) or match.group(), raw)

    def _token(self) -> str:
        begin = self.at
        while self._peek().isascii() and (self._peek().isalnum() or self._peek() in {".", "-"}):
            self.at += 1
        if self._peek() not in {*_SPACE, ">"}:
            raise EntityError(f"Unexpected end of name token at byte offset {self._bytes(begin)}")
        return self.source[begin : self.at].lower()

    def _end_tag(self) -> None:
        where = f"at byte offset {self._bytes(self.at)}"
        if not self.stack:
            raise EntityError(f"Unexpected end tag {where}")
        self.at += 2
        name = self._take_until(_SPACE + ">").lower()
        self._skip_space()
        if self._peek() != ">":
            raise EntityError(f"Unclosed end tag {where}")
        self.at += 1
        opened = self.stack.pop()
        if name not in {"", opened.tag}:
            raise EntityError(f'Unmatched end tag {where}, expected "</{opened.tag}>", found "</{name}>"')
        if self.length > opened.offset:
            entity = _entity(opened, "".join(self.out[opened.start :]))
            if entity is not None:
                self.entities.append(
                    {**entity, "offset": opened.offset, "length": self.length - opened.offset}
                )


def _decode(match: re.Match[str]) -> str | None:
    """A character reference as text; None when the service leaves it as it is."""
    if match["name"] is not None:
        return _NAMED.get(match["name"])
    digits, base = (match["hex"], 16) if match["hex"] is not None else (match["dec"], 10)
    code = int(digits, base) if len(digits) <= _LONGEST_NUMBER else 0  # Python refuses thousands of digits
    return chr(code) if 0 < code <= _MAX_CODE_POINT else None


def _argument(tag: str, attributes: dict[str, str], where: str) -> str:
    """The one attribute that means something for `tag`."""
    if tag == "span" and attributes.get("class") != "tg-spoiler":
        raise EntityError(f'Tag "span" must have class "tg-spoiler" {where}')
    if tag == "tg-emoji" and not attributes.get("emoji-id", "").isdecimal():
        raise EntityError("Invalid custom emoji identifier specified")
    if tag == "tg-time" and not attributes.get("unix", "").isdecimal():
        raise EntityError(f'Tag "tg-time" must have attribute "unix" {where}')
    if tag == "code":
        language = attributes.get("class", "")
        return language.removeprefix("language-") if language.startswith("language-") else ""
    if tag == "blockquote":
        return "expandable" if "expandable" in attributes else ""
    return attributes.get({"a": "href", "tg-emoji": "emoji-id", "tg-time": "unix"}.get(tag, ""), "")


def _entity(opened: _Open, inner: str) -> Entity | None:
    tag, value = opened.tag, opened.value
    if tag in _SIMPLE_TAGS:
        return {"type": _SIMPLE_TAGS[tag]}
    if tag == "a":
        url = normal_url(value or inner)
        return {"type": "text_link", "url": url} if url else None
    if tag == "code":
        return {"type": "code", "language": value} if value else {"type": "code"}
    if tag == "tg-emoji":
        return {"type": "custom_emoji", "custom_emoji_id": value}
    if tag == "tg-time":
        return {"type": "date_time", "unix_time": int(value)}
    if tag == "blockquote":
        return {"type": "expandable_blockquote" if value else "blockquote"}
    return {"type": "pre"}


def normal_url(url: str) -> str:
    """The URL as the service keeps it, or "" when it is none (a link without a scheme becomes http)."""
    url = url.strip()
    if not url or any(char in _SPACE for char in url):
        return ""
    lowered = url.lower()
    if lowered.startswith(_URL_SCHEMES):
        host = url.split(":", 1)[1].strip("/")
        return url if host else ""
    if ":" in url.split("/", 1)[0].split(".", 1)[0] or "." not in url.split("/", 1)[0]:
        return ""
    return f"http://{url}" if "/" in url else f"http://{url}/"


def _join_pre(entities: list[Entity]) -> list[Entity]:
    """`pre` and `code` over the same range are one `pre`; a language counts only there."""
    ranges = {(e["offset"], e["length"]) for e in entities if e["type"] == "pre"}
    languages = {
        (e["offset"], e["length"]): e["language"] for e in entities if e["type"] == "code" and "language" in e
    }
    joined: list[Entity] = []
    for entity in entities:
        place = (entity["offset"], entity["length"])
        if entity["type"] == "code" and place in ranges:
            continue
        plain = {key: value for key, value in entity.items() if key != "language"}
        if entity["type"] == "pre" and place in languages:
            plain["language"] = languages[place]
        joined.append(plain)
    return joined


def sort_entities(entities: list[Entity]) -> list[Entity]:
    """By offset, the longer first."""
    return sorted(entities, key=lambda e: (e["offset"], -e["length"]))


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Parse `parse_mode=HTML` text; raises EntityError with the service's words."""
    return _Parser(source).run()
