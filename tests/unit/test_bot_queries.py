"""Filters as they are typed, shown as buttons, and taken away one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.parsing.queries import Facet, Query, facets, parse, without
from schemas.errors import Code, OperationError
from schemas.vocabulary import Kind, Language, Realm, Severity
from subscribers.records import Community, Filters
from tests.support.node_api import COMMUNITY

NOON = 1_782_907_200.9
"""2026-07-01T12:00:00.9Z."""
ALPHA = Community(
    id=COMMUNITY, slug="alpha", title="Alpha One", realm=Realm.LIVE, role="member", owner=False, members=[]
)


def read(text: str) -> Query:
    return parse(text, NOON, [ALPHA])


def query(words: str = "", **given: object) -> Query:
    return Query(words=words, filters=Filters.model_validate(given))


@pytest.mark.parametrize(
    "text,asked",
    [
        ("drone stadium", query("drone stadium")),
        ("kind:cyber severity:high region:FR since:7d port gate", query(
            "port gate", kinds={Kind.CYBER}, severity_at_least=Severity.HIGH, regions={"FR"},
            since="2026-06-24T12:00:00Z",
        )),
        ("port kind:cyb,threat gate", query("port gate", kinds={Kind.CYBER, Kind.THREAT})),
        ("KIND:Threat Region:fr,de-be", query(kinds={Kind.THREAT}, regions={"FR", "DE-BE"})),
        ("region:FR region:KZ", query(regions={"FR", "KZ"})),
        ("severity:low severity:flash", query(severity_at_least=Severity.FLASH)),
        ('event:"Great Games" arena', query("arena", events={"Great Games"})),
        ("event:“奥运会” 体育场", query("体育场", events={"奥运会"})),
        ("community:alpha", query(communities={COMMUNITY})),
        ('community:"alpha one"', query(communities={COMMUNITY})),
        ("tactic:t1566.001,LT-0007", query(tactics={"T1566.001", "LT-0007"})),
        ("subject:qdI.001", query(subjects={"QDi.001"})),
        ("lang:zh", query(languages={Language.CHINESE})),
        ("since:12h", query(since="2026-07-01T00:00:00Z")),
        ("since:2w until:2026-06-30", query(since="2026-06-17T12:00:00Z", until="2026-07-01T00:00:00Z")),
        ("until:1d", query(until="2026-06-30T12:00:00Z")),
        ("since:2026-06-01", query(since="2026-06-01T00:00:00Z")),
        ("bad.example:8080 thing:7", query("bad.example:8080 thing:7")),
        ('"over the stadium" kind:threat', query('"over the stadium"', kinds={Kind.THREAT})),
        ("", query()),
    ],
)  # fmt: skip
def test_what_is_typed_is_read(text: str, asked: Query) -> None:
    assert read(text) == asked


@pytest.mark.parametrize(
    "text",
    [
        "kind:nothing", "kind:t", "severity:worst", "region:France", "region:FR,", "tactic:phishing",
        "lang:de", "community:beta", "since:yesterday", "since:0d", "since:2026-02-30", "until:soon",
        'event:""', "subject:Yusuf", "event:" + "x" * 201, "word " * 60, "???", "kind:cyber …",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(OperationError) as refused:
        read(text)
    assert refused.value.code is Code.BAD_REQUEST


WHOLE = read(
    "kind:cyber,threat severity:high region:FR event:Games tactic:T1566 subject:QDi.001 lang:fr since:7d"
    " until:1d community:alpha port"
)


def test_every_restriction_is_a_facet_and_each_can_be_taken_away() -> None:
    found = facets(WHOLE)
    assert [each.field for each in found] == [
        "kinds", "kinds", "severity_at_least", "communities", "regions", "events", "tactics", "subjects",
        "languages", "since", "until", "words",
    ]  # fmt: skip
    for index, each in enumerate(found):
        assert facets(without(WHOLE, each)) == found[:index] + found[index + 1 :]
    left = WHOLE
    for each in found:
        left = without(left, each)
    assert left == Query()
    assert without(left, Facet(field="kinds", value="cyber")) == left


@given(st.text(max_size=80))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    try:
        found = read(text)
    except OperationError as error:
        assert error.code is Code.BAD_REQUEST  # noqa: PT017 - either outcome is right
    else:
        assert Query.model_validate_json(found.model_dump_json()) == found
