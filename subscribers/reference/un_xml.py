"""The XML of the UN Security Council Consolidated List. Pure.

The file comes from outside: it is read by one strict parser that knows no document type, no entity and no
other encoding than UTF-8, and it is taken whole or not at all, since a list that lacks an entry is worse than
none. Elements that we have no use for are passed over: the UN adds some now and then.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from typing import Final, Literal, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from schemas.errors import Code, FormatError
from subscribers.reference.un_list import Alias, Born, Entry, Quality, UnList

LIST_BYTES_MAX: Final = 32 * 1024 * 1024
"""Sixteen times the list of 2026."""
TEXT_MAX: Final = 20_000
"""Characters of one field."""
_DEPTH_MAX: Final = 8
_FIX: Final = "fetch the XML of the UN Consolidated List again"

REFERENCE: Final = re.compile(r"[A-Z]{2}[ie]\.[0-9]{3}\Z")
"""The permanent reference of an entry: `QDi.001` a person, `QDe.004` a group."""
_GENERATED: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z?)?\Z")
_NAMES: Final = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
_UNSHOWN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")
"""What has no place in a line, or would turn the direction of what stands beside it."""
_QUALITIES: Final[dict[str, Quality]] = {
    "good": "good",
    "low": "low",
    "a.k.a.": "",
    "f.k.a.": "former",
    "": "",
}


def parse_un_list(data: bytes) -> UnList:
    """The list in the UN's XML. FormatError `too_large`, or `bad_document` with what is wrong and where."""
    if len(data) > LIST_BYTES_MAX:
        raise FormatError(Code.TOO_LARGE, f"the list has more than {LIST_BYTES_MAX} bytes", _FIX)
    root = _tree(data)
    generated = root.get("dateGenerated", "")
    if root.tag != "CONSOLIDATED_LIST":
        _refuse("the document is not a CONSOLIDATED_LIST")
    if not _GENERATED.match(generated) or not _is_time(generated):
        _refuse("`dateGenerated` is missing or no date")
    entries: dict[str, Entry] = {}
    for entry in _entries(root):
        if entry.reference in entries:
            _refuse(f"{entry.reference} is there twice")
        entries[entry.reference] = entry
    if not entries:
        _refuse("the list has no entries")
    return UnList(generated, entries)


def _refuse(reason: str) -> NoReturn:
    raise FormatError(Code.BAD_DOCUMENT, f"not the UN list: {reason}", _FIX)


def _tree(data: bytes) -> Element:
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH_MAX:
            _refuse("elements are nested too deep")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def no_document_type(*_given: object) -> None:
        _refuse("it declares a document type")

    # The encoding is set here, not by what the file declares; but expat obeys a byte order mark all the same.
    if b"\0" in data or not _is_utf8(data):
        _refuse("it is not in UTF-8")
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    # No document type, so no entity but the five of XML itself: nothing expands, nothing is fetched.
    parser.StartDoctypeDeclHandler = no_document_type
    try:
        parser.ParseFile(BytesIO(data))
        return builder.close()
    except expat.ExpatError as error:
        _refuse(f"it is no XML at line {error.lineno}")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _entries(root: Element) -> Iterator[Entry]:
    for group, tag in (("INDIVIDUALS", "INDIVIDUAL"), ("ENTITIES", "ENTITY")):
        found = root.findall(group)
        if len(found) != 1:
            _refuse(f"it needs one {group}")
        for element in found[0]:
            if element.tag != tag:
                _refuse(f"{group} holds something else than {tag}")
            yield _entry(element, "individual" if tag == "INDIVIDUAL" else "entity")


def _entry(element: Element, kind: Literal["individual", "entity"]) -> Entry:
    reference = _text(element, "REFERENCE_NUMBER")
    if not REFERENCE.match(reference) or (reference[2] == "i") != (kind == "individual"):
        _refuse(f"the reference of {_text(element, 'DATAID') or 'an entry'} is none of an {kind}")
    name = " ".join(filter(None, (_text(element, each, reference) for each in _NAMES)))
    if not name:
        _refuse(f"{reference} has no name")
    prefix = kind.upper()
    updated = [
        _day(text, reference)
        for each in element.findall("LAST_DAY_UPDATED/VALUE")
        if (text := _content(each, reference))
    ]
    return Entry(
        reference=reference,
        kind=kind,
        name=name,
        original=_text(element, "NAME_ORIGINAL_SCRIPT", reference),
        aliases=tuple(_aliases(element, prefix, reference)),
        nationalities=tuple(
            text
            for each in element.findall("NATIONALITY/VALUE")
            if (text := _content(each, reference)) not in {"", "na"}
        ),
        born=tuple(
            filter(None, (_born(each, reference) for each in element.findall(f"{prefix}_DATE_OF_BIRTH")))
        ),
        programme=_text(element, "UN_LIST_TYPE", reference),
        listed=_day(_text(element, "LISTED_ON", reference), reference),
        updated=max(updated, default=""),
        note=_text(element, "COMMENTS1", reference),
    )


def _aliases(element: Element, prefix: str, reference: str) -> Iterator[Alias]:
    for each in element.findall(f"{prefix}_ALIAS"):
        quality = _text(each, "QUALITY", reference).lower()
        if quality not in _QUALITIES:
            _refuse(f"{reference} has an alias of unknown quality")
        if name := _text(each, "ALIAS_NAME", reference):
            yield Alias(name, _QUALITIES[quality])


def _born(element: Element, reference: str) -> Born | None:
    about = "~" if _text(element, "TYPE_OF_DATE", reference) == "APPROXIMATELY" else ""
    if day := _text(element, "DATE", reference):
        year = int(_day(day, reference)[:4])
        return Born(about + day[:10], year, year)
    if year_text := _text(element, "YEAR", reference):
        year = _year(year_text, reference)
        return Born(f"{about}{year}", year, year)
    first, last = _text(element, "FROM_YEAR", reference), _text(element, "TO_YEAR", reference)
    if not (first or last):
        return None
    years = sorted((_year(first or last, reference), _year(last or first, reference)))
    return Born(f"{years[0]}-{years[1]}", years[0], years[1])


def _year(text: str, reference: str) -> int:
    if not re.fullmatch("[0-9]{4}", text):
        _refuse(f"{reference} has a year that is none")
    return int(text)


def _day(text: str, reference: str) -> str:
    # Some days carry a time or the offset of a time zone: `2015-04-07-04:00`.
    if not _is_day(text[:10]):
        _refuse(f"{reference} has a date that is none")
    return text[:10]


def _is_day(text: str) -> bool:
    try:
        return len(text) == len("2026-02-27") and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.removesuffix("Z")) is not None
    except ValueError:
        return False


def _text(element: Element, tag: str, reference: str = "") -> str:
    """The text of the child `tag` as one line; empty where there is none. Twice is refused."""
    found = element.findall(tag)
    if len(found) > 1:
        _refuse(f"{reference or 'an entry'} has {tag} twice")
    return _content(found[0], reference) if found else ""


def _content(element: Element, reference: str) -> str:
    if len(element):
        _refuse(f"{reference or 'an entry'}: {element.tag} is no text")
    text = " ".join(_UNSHOWN.sub(" ", element.text or "").split())
    if len(text) > TEXT_MAX:
        raise FormatError(Code.TOO_LARGE, f"{reference}: {element.tag} has too many characters", _FIX)
    return text
