"""The UN Consolidated List: its XML read strictly and whole, and what one edition changed."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Code, FormatError, OperationError
from subscribers.reference import un_xml as module
from subscribers.reference.un_list import Alias, Born, FieldChange, check_newer, compare
from subscribers.reference.un_xml import parse_un_list
from tests.support.un_sample import SAMPLE, group, person, un_xml


def code_of(data: bytes) -> tuple[Code, str]:
    with pytest.raises(FormatError) as caught:
        parse_un_list(data)
    return caught.value.code, caught.value.message


def test_an_entry_is_read_with_its_names_and_dates() -> None:
    listed = parse_un_list(un_xml(*SAMPLE))
    entry = listed.entries["QDi.001"]
    assert (listed.date, listed.individuals, len(listed.entries)) == ("2026-02-27", 6, 7)
    assert (entry.name, entry.original) == ("KARIM TESTOV AL-MITHAL", "كريم تستوف المثال")
    assert entry.aliases[:2] == (Alias("Kareem Testoff", "good"), Alias("Abu Mithal", "low"))
    assert (entry.listed, entry.updated, entry.programme) == ("2015-04-07", "2020-01-02", "Testing")
    assert (entry.nationalities, entry.born) == (
        ("Utopia (Republic of)",),
        (Born("1971-02-03", 1971, 1971),),
    )
    assert listed.entries["QDi.002"].born == (Born("1960-1963", 1960, 1963),)
    assert listed.entries["QDi.003"].born == (Born("~1950", 1950, 1950),)
    assert listed.entries["QDe.001"].aliases[1] == Alias("Old Name", "former")
    assert (listed.entries["QDe.001"].updated, listed.entries["QDe.001"].kind) == ("", "entity")


@pytest.mark.parametrize("asked", ["QDi.001", "qdi.001", " QDI.001 "])
def test_an_entry_is_found_by_its_reference_however_it_is_cased(asked: str) -> None:
    found = parse_un_list(un_xml(*SAMPLE)).get(asked)
    assert found is not None
    assert found.reference == "QDi.001"


def test_text_is_one_line_that_turns_no_direction() -> None:
    listed = parse_un_list(un_xml(person("QDi.001", "A\n\u202eB\u2066", "  C  ")))
    assert listed.entries["QDi.001"].name == "A B C"


@pytest.mark.parametrize(
    "data,reason",
    [
        (b"", "no XML"),
        (b"<CONSOLIDATED_LIST", "no XML"),
        (un_xml(*SAMPLE)[:-1], "no XML"),
        (un_xml(*SAMPLE).replace("ك".encode(), b"\xff"), "not in UTF-8"),
        (b"<LIST/>", "not a CONSOLIDATED_LIST"),
        (un_xml(*SAMPLE, made=""), "dateGenerated"),
        (un_xml(*SAMPLE, made="2026-02-30T00:00:00Z"), "dateGenerated"),
        (un_xml(*SAMPLE, made="2026-02-27T25:00:00Z"), "dateGenerated"),
        (un_xml(*SAMPLE, made="last week"), "dateGenerated"),
        (un_xml(), "no entries"),
        (un_xml(*SAMPLE, SAMPLE[0]), "QDi.001 is there twice"),
        (un_xml(*SAMPLE).replace(b"<ENTITIES>", b"<ENTITIES/><ENTITIES>"), "one ENTITIES"),
        (un_xml(*SAMPLE, "<THING/>"), "something else than ENTITY"),
        (un_xml(person("QDe.001", "A")), "reference of 1"),
        (un_xml(person("QDi.01", "A")), "reference of 1"),
        (un_xml(group("QDi.001", "A")), "reference of an entry"),
        (un_xml(person("QDi.001")), "QDi.001 has no name"),
        (un_xml(person("QDi.001", "A", more="<LISTED_ON/>")), "LISTED_ON twice"),
        (un_xml(person("QDi.001", "A<B/>")), "FIRST_NAME is no text"),
        (un_xml(person("QDi.001", "A", aliases=[("B", "Fair")])), "alias of unknown quality"),
        (un_xml(person("QDi.001", "A", born="<YEAR>196</YEAR>")), "year that is none"),
        (un_xml(person("QDi.001", "A", born="<DATE>1960-13-01</DATE>")), "date that is none"),
        (un_xml(*SAMPLE).replace(b"2015-04-07", b"2015-4-7"), "date that is none"),
        (un_xml(person("QDi.001", "A", more="<X>" * 9 + "</X>" * 9)), "nested too deep"),
    ],
)
def test_what_is_not_the_list_is_refused_whole(data: bytes, reason: str) -> None:
    code, message = code_of(data)
    assert code == Code.BAD_DOCUMENT
    assert reason in message


@pytest.mark.parametrize(
    "declared",
    [
        "<!DOCTYPE CONSOLIDATED_LIST>",
        '<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE l SYSTEM "file:///etc/passwd">',
    ],
)
def test_a_document_type_is_refused_before_anything_expands(declared: str) -> None:
    assert code_of(un_xml(*SAMPLE, head=declared)) == (
        Code.BAD_DOCUMENT,
        "not the UN list: it declares a document type",
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_another_encoding_is_refused_whatever_the_file_declares(encoding: str) -> None:
    data = un_xml(*SAMPLE, head='<?xml version="1.0" encoding="UTF-16"?>').decode().encode(encoding)
    assert "not in UTF-8" in code_of(data)[1]


def test_what_is_too_large_is_refused() -> None:
    assert code_of(b" " * (module.LIST_BYTES_MAX + 1))[0] == Code.TOO_LARGE
    assert code_of(un_xml(person("QDi.001", "A" * (module.TEXT_MAX + 1))))[0] == Code.TOO_LARGE


@given(st.data())
def test_nothing_but_a_refusal_comes_of_damaged_bytes(data: st.DataObject) -> None:
    whole = bytearray(un_xml(*SAMPLE[:1], SAMPLE[-1]))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    with suppress(FormatError):
        parse_un_list(bytes(whole))


def test_what_changed_is_said_field_by_field() -> None:
    before = parse_un_list(un_xml(*SAMPLE))
    changed = SAMPLE[0].replace("KARIM", "KAREEM").replace(">Low<", ">Good<")
    added = group("QDe.002", "NEWCOMERS")
    after = parse_un_list(un_xml(changed, *SAMPLE[2:], added, made="2026-03-01"))
    found = compare(before, after)
    assert [each.reference for each in found.added] == ["QDe.002"]
    assert [each.reference for each in found.removed] == ["QDi.002"]
    [entry] = found.changed
    assert (entry.reference, entry.name) == ("QDi.001", "KAREEM TESTOV AL-MITHAL")
    assert entry.fields[0] == FieldChange("name", "KARIM TESTOV AL-MITHAL", "KAREEM TESTOV AL-MITHAL")
    assert entry.fields[1].field == "aliases"
    assert "Abu Mithal (low)" in entry.fields[1].before
    assert "Abu Mithal (good)" in entry.fields[1].after
    assert not found.none
    assert compare(before, before).none
    assert (found.before, found.after) == ("2026-02-27T00:00:09.554Z", "2026-03-01")


def test_every_field_can_be_told_as_text() -> None:
    before = parse_un_list(un_xml(SAMPLE[0]))
    after = parse_un_list(un_xml(person("QDi.001", "B", nationality="Erewhon", born="<YEAR>1980</YEAR>")))
    fields = {each.field: (each.before, each.after) for each in compare(before, after).changed[0].fields}
    assert fields["nationalities"] == ("Utopia (Republic of)", "Erewhon")
    assert fields["born"] == ("1971-02-03", "1980")


@pytest.mark.parametrize("made", ["2026-02-27T00:00:09.554Z", "2026-02-27T00:00:10Z", "2026-02-28"])
def test_a_list_as_old_or_newer_is_taken(made: str) -> None:
    held = parse_un_list(un_xml(*SAMPLE))
    check_newer(held, parse_un_list(un_xml(*SAMPLE, made=made)))


@pytest.mark.parametrize("made", ["2026-02-27", "2026-02-27T00:00:09Z", "2025-12-31T23:59:59Z"])
def test_an_older_list_is_refused(made: str) -> None:
    held = parse_un_list(un_xml(*SAMPLE))
    with pytest.raises(OperationError) as caught:
        check_newer(held, parse_un_list(un_xml(*SAMPLE, made=made)))
    assert caught.value.code == Code.ALREADY_KNOWN


def test_the_real_list_is_read(shared_data: Path) -> None:
    listed = parse_un_list((shared_data / "un-consolidated.xml").read_bytes())
    assert (listed.date, listed.individuals, len(listed.entries)) == ("2026-02-27", 730, 1003)
    assert sum(bool(each.original) for each in listed.entries.values()) == 378
    assert compare(listed, listed).none
