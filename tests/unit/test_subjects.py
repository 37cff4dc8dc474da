import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import subjects
from schemas.errors import Code, FormatError
from schemas.vocabulary import Kind, Precedence, Realm, Severity, Tlp
from tests.support.federation import COM, EXE, FRA, place


@given(st.sampled_from(Realm), st.sampled_from(Precedence))
def test_a_frames_subject_is_read_as_it_was_written(realm: Realm, precedence: Precedence) -> None:
    where = place()._replace(realm=realm, precedence=precedence)
    assert where.intake() == f"in.{realm}.{COM}.{precedence}.{FRA.endpoint}"
    assert where.traffic() == f"f.{realm}.{COM}.{precedence}.{FRA.endpoint}"
    for text in (where.intake(), where.traffic()):
        assert subjects.parse_frame_subject(text) == where


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "f",
        f"x.live.{COM}.routine.{FRA.endpoint}",
        f"f.test.{COM}.routine.{FRA.endpoint}",
        f"f.live.{COM}.urgent.{FRA.endpoint}",
        f"f.live.{COM[1:]}.routine.{FRA.endpoint}",
        f"f.live.{COM.upper()}.routine.{FRA.endpoint}",
        f"f.live.{COM}.routine.{FRA.endpoint[1:]}",
        f"f.live.{COM}.routine.U{FRA.endpoint[1:]}",
        f"f.live.{COM}.routine.{FRA.endpoint}.x",
        f"f.live.{COM}.routine.{FRA.endpoint}\n",
        f"f.live.*.routine.{FRA.endpoint}",
        "f.>",
    ],
)
def test_other_subjects_are_refused(subject: str) -> None:
    with pytest.raises(FormatError) as error:
        subjects.parse_frame_subject(subject)
    assert error.value.code is Code.BAD_SUBJECT


def test_where_the_rest_stands() -> None:
    pk = FRA.endpoint
    assert subjects.document_submission(pk) == f"s.doc.{pk}"
    assert subjects.wrap_submission(pk) == f"s.wrap.{pk}"
    assert subjects.cosignature_submission(pk) == f"s.cosig.{pk}"
    assert subjects.wraps_for(pk) == f"w.{pk}"
    assert subjects.receipts_for(pk) == f"r.{pk}"
    assert subjects.history_submission(pk) == f"s.history.{pk}"
    assert subjects.handover_submission(pk) == f"s.rewrap.{pk}"
    assert subjects.history_for(pk) == f"h.{pk}"
    assert subjects.pages_for(pk) == f"past.{pk}"
    assert subjects.chunk_upload(pk) == f"u.{pk}"
    assert subjects.chunk_request("ab" * 32) == f"$JS.API.DIRECT.GET.CHUNKS.c.{'ab' * 32}"
    assert subjects.membership_log(COM) == f"m.{COM}"
    assert subjects.quarantined(pk, Code.FORK) == f"q.{pk}.fork"
    assert (
        subjects.local_change(Realm.LIVE, "border", Kind.TACTIC, Severity.FLASH, Tlp.AMBER_STRICT)
        == "change.live.border.tactic.flash.amber-strict"
    )
    assert (
        subjects.local_bulletin(Realm.LIVE, "border", Kind.TACTIC, Severity.FLASH, Tlp.AMBER_STRICT)
        == "bulletin.live.border.tactic.flash.amber-strict"
    )


def test_filters_are_what_an_endpoint_may_see() -> None:
    entitlements = frozenset({(Realm.LIVE, COM), (Realm.EXERCISE, EXE)})
    assert subjects.traffic_filters(FRA.endpoint, entitlements) == (
        f"w.{FRA.endpoint}",
        f"r.{FRA.endpoint}",
        f"h.{FRA.endpoint}",
        f"f.exercise.{EXE}.*.*",
        f"f.live.{COM}.*.*",
    )
    assert subjects.directory_filters(entitlements) == ("d.doc", "d.head", f"m.{EXE}", f"m.{COM}")
    own = tuple(f"{token}.{FRA.endpoint}" for token in "wrh")
    assert subjects.traffic_filters(FRA.endpoint, frozenset()) == own


@pytest.mark.parametrize(
    "text,good",
    [
        ("a", True),
        ("a-b", True),
        ("a" * 40, True),
        ("a" * 41, False),
        ("-a", False),
        ("a-", False),
        ("A", False),
        ("a.b", False),
        ("", False),
        ("a\n", False),
        ("é", False),
    ],
)
def test_slugs(text: str, good: bool) -> None:
    assert subjects.is_slug(text) is good


def test_tlp_has_an_order() -> None:
    assert [tlp.rank for tlp in Tlp] == [0, 1, 2, 3, 4]
    assert [tlp.slug for tlp in Tlp] == ["clear", "green", "amber", "amber-strict", "red"]
