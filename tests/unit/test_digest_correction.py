"""A digest that is corrected: what it still tells, and what it no longer does."""

import pytest

from schemas.vocabulary import History, Kind, Language, Relation, Tlp
from subscribers.records import Record
from subscribers.telling.digest_correction import correction
from tests.support.node_api import make_record

TITLES = {"language": "fr", "official": False, "title": "Résumé 2026-11-22 · 3"}


def changed(record: Record, state: str, by: Record) -> Record:
    return record.model_copy(update={"state": state, "replaced_by": by.bulletin.id})


@pytest.fixture
def digest() -> Record:
    links = [{"relation": "contains", "id": make_record(number).bulletin.id} for number in (1, 2, 3)]
    fields = {"kind": "digest", "severity": "info", "links": links, "translations": [TITLES]}
    return make_record(9, title="Digest 2026-11-22 · 3", caveats=["Not for the press"], **fields)


def test_what_was_withdrawn_leaves_its_reference_and_what_was_amended_its_amendment(digest: Record) -> None:
    link = [{"relation": "amends", "id": make_record(1).bulletin.id}]
    amendment = make_record(5, kind="amendment", title="The better word", tlp="TLP:AMBER", links=link)
    kept = make_record(1, title="As it was", history="members")
    amended = changed(make_record(2, title="The worse word"), "amended", amendment)
    gone = changed(make_record(3, title="The wrong name", body="wrong"), "retracted", make_record(6))
    draft = correction(digest, [kept, amended, gone], {amendment.bulletin.id: amendment})
    assert (draft.kind, draft.tlp, draft.history) == (Kind.AMENDMENT, Tlp.AMBER, History.NONE)
    assert draft.caveats == ["Not for the press"]
    relations = [(each.relation, each.id) for each in draft.links]
    assert relations == [
        (Relation.AMENDS, digest.bulletin.id),
        (Relation.CONTAINS, kept.bulletin.id),
        (Relation.CONTAINS, amendment.bulletin.id),
    ]
    assert {each.language for each in draft.translations} == set(Language) - {Language.ENGLISH}
    french = next(each for each in draft.translations if each.language is Language.FRENCH)
    assert french.title == "Corrigé: Résumé 2026-11-22 · 3"
    assert draft.title == "Corrected: Digest 2026-11-22 · 3"
    for text in (draft.body, *(each.body for each in draft.translations)):
        assert "The wrong name" not in text
        assert "The worse word" not in text
        assert all(
            part in text for part in ("FRA-2026-0003", "As it was", "The better word", "FRA-2026-0002")
        )
    assert draft.body.splitlines()[-1].startswith("• FRA-2026-0001 · ")  # what has not changed comes last


def test_nothing_may_be_left_and_an_amendment_may_be_unknown(digest: Record) -> None:
    gone = changed(make_record(1, title="The wrong name"), "retracted", make_record(6))
    draft = correction(digest, [gone], {})
    assert [each.relation for each in draft.links] == [Relation.AMENDS]
    assert draft.tlp is digest.bulletin.tlp
    lost = changed(make_record(2, title="As it was"), "amended", make_record(7))
    assert "As it was" in correction(digest, [lost], {}).body


def test_a_long_one_fits_and_says_what_it_leaves_out(digest: Record) -> None:
    many = [make_record(number, title="长" * 200) for number in range(10, 60)]
    draft = correction(digest, many, {})
    assert "more, see the archive" in draft.body
    assert len(draft.model_dump_json()) < 64 * 1024
