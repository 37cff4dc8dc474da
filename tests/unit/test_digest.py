"""Digests: of one community, under the highest marking, by named periods that are over."""

from typing import Any

import pytest

from schemas.bulletin import Bulletin, parse_draft
from schemas.encoding import from_instant
from schemas.errors import Code
from schemas.limits import PAYLOAD_MAX
from schemas.vocabulary import History, Kind, Language, Realm, Severity, Tlp
from subscribers.records import Record
from subscribers.telling.digest import LISTED_MAX, Period, compose, parse_period, spoken
from tests.support.federation import COM, bulletin, code_of, uuid

NOW = from_instant("2026-11-24T10:30:00Z")  # a Tuesday
DAY = Period("2026-11-23", from_instant("2026-11-23T00:00:00Z"), from_instant("2026-11-24T00:00:00Z"))


def record(number: int, state: str = "current", **fields: Any) -> Record:  # any field
    return Record.model_validate(
        {
            "bulletin": bulletin(number, **fields),
            "community": COM,
            "community_slug": "alpha",
            "community_title": "Alpha",
            "agency": "fra",
            "agency_name": "Agency fra",
            "received": "2026-01-31T08:30:00Z",
            "own": False,
            "flags": frozenset(),
            "state": state,
        }
    )


@pytest.mark.parametrize(
    "text,name,since,until",
    [
        ("hour", "2026-11-24T09", "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"),
        ("day", "2026-11-23", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
        ("week", "2026-W47", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("2026-11-22", "2026-11-22", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("2026-W01", "2026-W01", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"),
        (
            "2026-11-24T06:00:00Z/2026-11-24T10:30:00Z",
            "2026-11-24T06:00:00Z/2026-11-24T10:30:00Z",
            "2026-11-24T06:00:00Z",
            "2026-11-24T10:30:00Z",
        ),
    ],
)
def test_periods(text: str, name: str, since: str, until: str) -> None:
    assert parse_period(text, NOW) == (name, from_instant(since), from_instant(until))


@pytest.mark.parametrize(
    "text,said",
    [
        ("hour", "2026-11-24 09:00–10:00 UTC"),
        ("2026-11-22", "2026-11-22"),
        ("2026-W47", "2026-W47"),
        ("2026-11-24T06:00:00Z/2026-11-24T10:30:00Z", "2026-11-24 06:00–10:30 UTC"),
        ("2026-11-23T22:00:00Z/2026-11-24T06:00:00Z", "2026-11-23 22:00 – 2026-11-24 06:00 UTC"),
    ],
)
def test_a_period_as_a_title_says_it(text: str, said: str) -> None:
    assert spoken(parse_period(text, NOW)) == said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "month",
        "2026-11-24",  # not over
        "2026-W48",
        "2026-13-01",
        "2026-W54",
        "2026-11-22 ",
        "2026-11-24T10:00:00Z/2026-11-24T09:00:00Z",
        "2026-11-24T10:00:00Z/2026-11-24T11:00:00Z",
        "a/b",
        "2026-11-22/2026-11-23",
    ],
)
def test_what_is_no_period(text: str) -> None:
    assert code_of(parse_period, text, NOW) is Code.BAD_REQUEST


def test_the_highest_marking_and_the_strictest_history() -> None:
    listed = [
        record(1, tlp="TLP:GREEN", regions=["FR"]),
        record(2, tlp="TLP:AMBER+STRICT", history="none", regions=["DE", "FR"], caveats=["Eyes only"]),
    ]
    digest = compose(listed, DAY, Realm.LIVE)
    assert (digest.kind, digest.tlp, digest.history) == (Kind.DIGEST, Tlp("TLP:AMBER+STRICT"), History.NONE)
    assert (digest.regions, digest.caveats) == (["DE", "FR"], ["Eyes only"])
    assert [each.id for each in digest.links] == [uuid(1), uuid(2)]
    assert compose(listed[:1], DAY, Realm.LIVE).history is History.MEMBERS
    assert compose(listed, DAY, Realm.EXERCISE).exercise
    parse_draft(digest.model_dump(mode="json"))


def test_in_six_languages_by_severity() -> None:
    french = {"language": "fr", "official": True, "title": "Titre"}
    listed = [record(1, severity="low", translations=[french]), record(2, severity="flash")]
    digest = compose(listed, DAY, Realm.LIVE)
    assert {digest.language, *(each.language for each in digest.translations)} == set(Language)
    assert digest.body.index("FRA-2026-0002") < digest.body.index("FRA-2026-0001")
    body = next(each.body for each in digest.translations if each.language is Language.FRENCH)
    assert "Titre" in body
    assert "TLP:AMBER" in body
    assert digest.severity is Severity.INFO


def test_what_is_left_out() -> None:
    listed = [
        record(1),
        record(2, state="retracted"),
        record(3, state="amended"),
        record(4, kind="digest", links=[{"relation": "contains", "id": uuid(1)}]),
        record(5, kind="acknowledgement", links=[{"relation": "acknowledges", "id": uuid(1)}]),
    ]
    assert [each.id for each in compose(listed, DAY, Realm.LIVE).links] == [uuid(1)]
    assert code_of(compose, listed[1:], DAY, Realm.LIVE) is Code.NOT_FOUND
    assert code_of(compose, [], DAY, Realm.LIVE) is Code.NOT_FOUND


def test_a_crowded_day_still_fits_into_a_frame() -> None:
    listed = [
        record(
            number, title="я" * 200, caveats=[f"Caveat {number % 20}"], regions=[f"F{chr(65 + number % 26)}"]
        )
        for number in range(LISTED_MAX + 50)
    ]
    digest = compose(listed, DAY, Realm.LIVE)
    assert len(digest.links) == LISTED_MAX
    assert len(digest.caveats) == 8
    assert digest.caveats[-1].startswith("Further")
    assert "+" in digest.body.splitlines()[-1]
    whole = Bulletin(**digest.model_dump(), id=uuid(1), ref="FRA-2026-0001", issued="2026-11-24T06:00:00Z")
    assert len(whole.to_bytes()) <= PAYLOAD_MAX
