"""`/who`: the chain of a bulletin in words, the verdict first, and not a word of what is withheld."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox.entities import parse_html
from bots.showing.chain import chain
from bots.showing.release import Ceiling, Release, Sight
from bots.showing.render import Reader
from bots.showing.rendered import Rendered, Showing
from bots.wording.markup import UNITS_MAX, units
from schemas.encoding import from_instant
from schemas.vocabulary import Language, Tlp
from subscribers.insight.shapes import Audience, Provenance
from subscribers.records import Record
from tests.support.node_api import make_record
from tests.support.node_insight import KEY, SEEN, VOUCHING, make_provenance
from tests.support.records import MARK, records

ENGLISH = Reader(Language.ENGLISH, ZoneInfo("Europe/Paris"))
NOW = from_instant(SEEN) / 1000 + 600
GRADED = {"grading": {"system": "admiralty", "reliability": "B", "credibility": 2}}


def said(rendered: Rendered) -> str:
    return "\n".join(part.plain for part in rendered.parts)


def told(
    record: Record | None = None,
    *,
    now: float = NOW,
    **fields: Any,  # fields of any kind
) -> list[str]:
    """The lines for an officer who reads English and may see it in full."""
    record = record or make_record(42, **GRADED)
    return said(chain(make_provenance(record, **fields), record, Ceiling(), ENGLISH, now=now)).splitlines()


def test_a_whole_chain_in_one_screen() -> None:
    assert told() == [
        "✅ Signed by France, whose key the root of 2026 vouches for; witnessed by 2 of 2.",
        "FRA-2026-0042",
        "",
        "🔑 Key f342f93c, in use since Feb 1, 2026, 11:00 UTC+1: still in use",
        "🏛 Registrars who vouch for France: 2 of 3 must sign (root 1, Jan 2, 2026, 11:00 UTC+1).",
        "👁 Witnesses who saw this directory: 2 of 2, 10 minutes ago.",
        "☎️ To be sure, have France read you its fingerprint:",
        "04417 91203 55120 78834 10046 93317 20075 66581",
        "",
        "👥 Alpha: 5 agencies may read it. Owned by France.",
        "🎚 source usually reliable, probably true (B2)",
        "⚖️ Your agency's terminal can export evidence of it for a third party.",
    ]


@pytest.mark.parametrize(
    "fields, verdict",
    [
        (
            {"key": KEY.model_copy(update={"state": "revoked"})},
            "⚠️ Signed by France with a key that it has revoked since. Ask France whether it still stands.",
        ),
        (
            {"key": KEY.model_copy(update={"witnessed": False})},
            "⚠️ Signed by France, with a key that the witnesses have not confirmed yet.",
        ),
        (
            {"vouching": VOUCHING.model_copy(update={"stale": True})},
            "⚠️ Signed by France, but the witnesses have been silent for too long.",
        ),
        (
            {"vouching": VOUCHING.model_copy(update={"quorum": 0, "witnesses": 0, "seen": None})},
            "✅ Signed by France, whose key the root of 2026 vouches for; there are no witnesses.",
        ),
        (
            {"key": None, "signature": "unkept"},
            "⚠️ France signed it: checked when it came, not kept to show again.",
        ),
    ],
)
def test_the_verdict_comes_first_and_names_what_is_in_doubt(fields: dict[str, Any], verdict: str) -> None:
    assert told(**fields)[0] == verdict


def test_what_has_happened_since_is_told() -> None:
    record = make_record(7).model_copy(update={"state": "amended"})
    lines = told(
        record,
        key=KEY.model_copy(update={"state": "replaced"}),
        signature="reached",
        identities=2,
        evidence=False,
        audience=Audience(owners=[], members=1, readers=0, private=True),
        vouching=VOUCHING.model_copy(update={"seen": None}),
    )
    text = "\n".join(lines)
    for each in (
        "replaced by a newer one since",
        "a later message of France covers it",
        "Its identity key was replaced before",
        "No witness has been heard yet.",
        "Sealed to its originator and its sender alone.",
        "Its source was not graded.",
        "✏️ AMENDED since",
        "Evidence of it cannot be exported now.",
    ):
        assert each in text
    assert "agencies may read it" not in text


@pytest.mark.parametrize(
    "seconds, age",
    [(59, "0 minutes ago"), (60, "1 minute ago"), (7_200, "2 hours ago"), (90_000, "1 day ago")],
)
def test_the_age_of_the_head_is_in_its_largest_unit(seconds: int, age: str) -> None:
    now = from_instant(SEEN) / 1000 + seconds
    assert any(line.endswith(f", {age}.") for line in told(now=now))


def provenances(record: Record) -> st.SearchStrategy[Provenance]:
    return st.builds(
        make_provenance,
        st.just(record),
        key=st.sampled_from([None, KEY, KEY.model_copy(update={"state": "revoked"})]),
        signature=st.sampled_from(["holds", "reached", "unkept"]),
        evidence=st.booleans(),
        community_title=st.just(f"{MARK} community"),
        audience=st.just(Audience(owners=[f"{MARK} owner"], members=2, readers=1)),
    )


@given(
    records().flatmap(lambda each: st.tuples(st.just(each), provenances(each))),
    st.tuples(st.sampled_from(Tlp), st.sampled_from(Tlp)),
    st.sampled_from(Language),
)
def test_above_the_ceiling_there_is_the_chain_and_not_a_word_more(
    found: tuple[Record, Provenance], tlps: tuple[Tlp, Tlp], language: Language
) -> None:
    record, provenance = found
    ceiling = Ceiling(*sorted(tlps, key=lambda each: each.rank))
    provenance = provenance.model_copy(update={"agency_name": "Somebody"})
    shown = chain(provenance, record, ceiling, Reader(language, ZoneInfo("UTC")), now=NOW)
    (part,) = shown.parts
    assert parse_html(part.html)[0] == part.plain
    assert units(part.plain) <= UNITS_MAX
    assert record.bulletin.ref in part.plain
    full = ceiling.allows(record.bulletin.tlp) is Release.FULL
    assert shown.shows == (Showing(record.bulletin.ref, Sight.TITLE if full else Sight.WAITING),)
    assert "Somebody" in part.plain
    assert shown.protect
    if not full:
        assert MARK not in said(shown)
        assert record.bulletin.tlp.value not in said(shown)
        assert (shown.rows, shown.passing) == ((), True)
