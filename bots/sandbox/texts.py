"""From a call's text parameters to the text that is kept: entities checked or found, ends trimmed, length
counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bots.sandbox.entities import Entity, EntityError, normal_url, parse_html, sort_entities, utf16_length
from bots.sandbox.refusals import refuse

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ENTITIES = 100

_TYPES = frozenset(
    [
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
        "date_time",
    ]
)
_AUTOMATIC = (
    ("url", re.compile(r"\bhttps?://[^\s<>\"\u2066-\u2069]*[^\s<>\".,;:!?)\]}'\u2066-\u2069]")),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("bot_command", re.compile(r"(?<![\w/@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")),
    ("mention", re.compile(r"(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}(?!\w)")),
    ("hashtag", re.compile(r"(?<![\w#])#\w*[^\W\d]\w*")),
)
_OPAQUE = frozenset({"code", "pre", "text_link", "text_mention", "url", "email"})


@dataclass(frozen=True, slots=True)
class Formatted:
    """Plain text with its entities; offsets and lengths in UTF-16 code units."""

    text: str
    entities: list[Entity] = field(default_factory=list)

    @property
    def length(self) -> int:
        """UTF-16 code units."""
        return utf16_length(self.text)


def formatted(source: str, parse_mode: str, explicit: Sequence[object]) -> Formatted:
    """Read a text or caption as the service does. Refuses an unknown parse mode and unparsable entities.

    Markdown modes are not spoken here: the bot writes HTML or entities; a guess at Markdown would mislead.
    """
    mode = parse_mode.strip().lower()
    if mode not in {"", "html"}:
        raise refuse("parse-mode")
    try:
        if mode == "html":
            text, entities = parse_html(source)
        else:
            text, entities = source, _checked(source, explicit)
    except EntityError as error:
        raise refuse("entities", what=str(error)) from error
    text, entities = _trimmed(text.replace("\r\n", "\n").replace("\x00", ""), entities)
    return Formatted(text, sort_entities([*entities, *_found(text, entities)])[:MAX_ENTITIES])


def _checked(text: str, explicit: Sequence[object]) -> list[Entity]:
    """Explicit entities, each of a known type and within the text."""
    total, starts = utf16_length(text), _boundaries(text)
    checked: list[Entity] = []
    for entity in explicit:
        if not isinstance(entity, dict) or entity.get("type") not in _TYPES:
            raise EntityError("expected an entity of a known type")
        offset, length = entity.get("offset"), entity.get("length")
        if not isinstance(offset, int) or not isinstance(length, int) or offset < 0:
            raise EntityError("receive an entity with incorrect offset or length")
        if offset + length > total:
            message = (
                f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset "
                f"{offset + length}"
            )
            raise EntityError(message)
        if offset not in starts or offset + length not in starts:
            raise EntityError(
                f"entity at UTF-16 offset {offset} begins or ends in a middle of a UTF-16 symbol"
            )
        if entity["type"] == "text_link" and not normal_url(str(entity.get("url", ""))):
            continue  # the service drops a link that it cannot read
        if length > 0:
            checked.append(dict(entity))
    return checked


def _boundaries(text: str) -> set[int]:
    starts, at = {0}, 0
    for char in text:
        at += utf16_length(char)
        starts.add(at)
    return starts


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Leading and trailing white space goes; entities move and shrink with it."""
    kept = text.lstrip()
    shift = utf16_length(text) - utf16_length(kept)
    kept = kept.rstrip()
    total = utf16_length(kept)
    moved: list[Entity] = []
    for entity in entities:
        begin = max(0, entity["offset"] - shift)
        end = min(total, entity["offset"] + entity["length"] - shift)
        if end > begin:
            moved.append({**entity, "offset": begin, "length": end - begin})
    return kept, moved


def _found(text: str, present: Sequence[Entity]) -> list[Entity]:
    """Commands, links, addresses, mentions and hashtags that the service marks by itself."""
    taken = [(e["offset"], e["offset"] + e["length"]) for e in present if e["type"] in _OPAQUE]
    found: list[Entity] = []
    for kind, pattern in _AUTOMATIC:
        for match in pattern.finditer(text):
            begin = utf16_length(text[: match.start()])
            end = begin + utf16_length(match.group())
            if all(end <= low or begin >= high for low, high in taken):
                found.append({"type": kind, "offset": begin, "length": end - begin})
                taken.append((begin, end))
    return found


def message_text(source: str, parse_mode: str, explicit: Sequence[object], *, editing: bool) -> Formatted:
    """Text of 1-4096 UTF-16 units after parsing (bots/api#sendmessage)."""
    read = formatted(source, parse_mode, explicit)
    if not read.text:
        raise refuse("text-empty")
    if read.length > MAX_TEXT:
        raise refuse("edit-too-long" if editing else "text-too-long")
    return read


def caption_text(source: str, parse_mode: str, explicit: Sequence[object]) -> Formatted:
    """A caption of 0-1024 UTF-16 units after parsing (bots/api#senddocument)."""
    read = formatted(source, parse_mode, explicit)
    if read.length > MAX_CAPTION:
        raise refuse("caption-too-long")
    return read
