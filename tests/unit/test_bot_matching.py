"""Who is told of what: subscriptions against bulletins, and what a change makes of messages already sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.enquiries.suggest import did_you_mean, vocabulary
from bots.searches.matching import matches
from bots.searches.watching import Mode, Search, Subscription, Telling
from bots.showing.release import Ceiling
from bots.state.jobs import Priority, Told
from bots.state.outbox import Sent
from bots.state.titles import Titled
from bots.telling.intake import changed, changed_id, plan, wanted
from schemas.vocabulary import Kind, Language, Relation, Severity, Tlp
from subscribers.records import Filters, Record
from tests.support.node_api import COMMUNITY, SLUG, make_record
from tests.support.records import records


def filters(**given: object) -> Filters:
    return Filters.model_validate(given)


FRENCH = {"language": "fr", "official": True, "title": "Titre"}
RECORD = make_record(
    1,
    kind="threat",
    severity="high",
    regions=["FR-75", "KZ"],
    translations=[FRENCH],
    tactics=[{"taxonomy": "mitre-attack", "id": "T1566.001"}],
    subjects=[{"type": "person", "name": "X", "aliases": ["Abu Test"], "reference": "QDi.001"}],
    event={"name": "Great Games"},
)


def told(*officers: int) -> dict[int, Telling]:
    return {each: Telling(Mode.ALERT, (each,)) for each in officers}


@pytest.mark.parametrize(
    "wanted,match",
    [
        (filters(), True),
        (filters(kinds={Kind.THREAT, Kind.CYBER}), True),
        (filters(kinds={Kind.CYBER}), False),
        (filters(severity_at_least=Severity.HIGH), True),
        (filters(severity_at_least=Severity.FLASH), False),
        (filters(communities={COMMUNITY}), True),
        (filters(communities={SLUG}), True),
        (filters(communities={"f" * 32}), False),
        (filters(regions={"FR"}), True),
        (filters(regions={"FR-75"}), True),
        (filters(regions={"FR-69"}), False),
        (filters(regions={"F"}), False),
        (filters(languages={Language.FRENCH}), True),
        (filters(languages={Language.RUSSIAN}), False),
        (filters(tlp_at_most=Tlp.CLEAR), False),
        (filters(kinds={Kind.THREAT}, regions={"DE"}), False),
        (filters(tactics={"T1566"}), True),
        (filters(tactics={"T1566.001"}), True),
        (filters(tactics={"T1566.002"}), False),
        (filters(tactics={"T156"}), False),
        (filters(subjects={"QDi.001"}), True),
        (filters(subjects={"ABU TEST"}), True),
        (filters(subjects={"Abu"}), False),
        (filters(events={"great games"}), True),
        (filters(events={"Small games"}), False),
        (filters(since="2026-03-02T00:00:00Z"), False),
        (filters(until="2026-03-02T00:00:00Z"), True),
    ],
)
def test_every_restriction_counts(wanted: Filters, match: bool) -> None:
    assert matches(RECORD, wanted) is match


def test_acknowledgements_alert_only_who_asks_for_them() -> None:
    link = {"relation": "acknowledges", "id": RECORD.bulletin.id}
    acknowledgement = make_record(2, kind="acknowledgement", links=[link])
    assert not matches(acknowledgement, filters())
    assert matches(acknowledgement, filters(kinds={Kind.ACKNOWLEDGEMENT}))


@given(records(), st.sets(st.sampled_from(Kind)), st.sampled_from(Severity))
def test_narrowing_never_adds(record: Record, kinds: set[Kind], severity: Severity) -> None:
    wide = filters(kinds=kinds)
    narrow = filters(kinds=kinds, severity_at_least=severity, regions={"FR"})
    assert matches(record, wide) or not matches(record, narrow)


def test_many_subscriptions_make_one_alert() -> None:
    held = [
        Subscription(1, 1, Search()),
        Subscription(2, 1, Search(filters=filters(regions={"FR"}))),
        Subscription(3, 2, Search(filters=filters(regions={"DE"}))),
        Subscription(4, 4, Search(mode=Mode.DIGEST)),
    ]
    found = wanted(RECORD, held, Ceiling())
    assert found == {1: Telling(Mode.ALERT, (1, 2))}
    jobs = plan(RECORD, found)
    assert [(job.officer, job.verb, Told.load(job.body)) for job in jobs] == [
        (1, "alert", Told(subscriptions=(1, 2)))
    ]


def test_flash_goes_first() -> None:
    flash = make_record(3, severity="flash")
    assert plan(flash, told(1))[0].priority is Priority.FLASH
    assert plan(RECORD, told(1))[0].priority is Priority.ALERT
    assert min(Priority) is Priority.FLASH
    assert Priority.ALERT < Priority.DIGEST


def sent(key: int, officer: int, message: int) -> Sent:
    return Sent(key, officer, officer * 10, message, RECORD.bulletin.id, "en", 0, 0.0, None)


def change(relation: Relation, kind: Kind, **fields: object) -> Record:
    return make_record(9, kind=kind, links=[{"relation": relation, "id": RECORD.bulletin.id}], **fields)


def test_a_change_reaches_whoever_was_told_and_edits_what_they_saw() -> None:
    amendment = change(Relation.AMENDS, Kind.AMENDMENT)
    jobs = plan(amendment, told(2), [sent(5, 1, 77), sent(6, 1, 78)])
    alerts = [job for job in jobs if job.verb == "alert"]
    edits = [job for job in jobs if job.verb == "edit"]
    assert [(job.officer, Told.load(job.body)) for job in alerts] == [
        (1, Told(77)),
        (2, Told(subscriptions=(2,))),
    ]
    assert [(job.target, job.record, job.body) for job in edits] == [
        (5, RECORD.bulletin.id, "amended"),
        (6, RECORD.bulletin.id, "amended"),
    ]


def test_the_same_bulletin_again_makes_the_same_keys() -> None:
    assert plan(RECORD, told(1)) == plan(RECORD, told(1))


@pytest.mark.parametrize("told", [Told(), Told(77), Told(None, (1, 2), hushed=True), Told(5, (3,))])
def test_what_an_alert_says_survives_the_database(told: Told) -> None:
    assert Told.load(told.dump()) == told
    assert Told.load("77") == Told(77), "as it stood there before there were saved searches"


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "null", '{"other": 1}', '{"subscriptions": 1}', "1.5"])
def test_what_no_alert_says_is_refused(body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own among them
        Told.load(body)


def test_only_the_originator_changes_a_bulletin() -> None:
    retraction = change(Relation.RETRACTS, Kind.RETRACTION)
    after = changed(retraction, RECORD)
    assert after is not None
    assert (after.state, after.replaced_by) == ("retracted", retraction.bulletin.id)
    foreign = retraction.model_copy(update={"agency": "xx-other"})
    elsewhere = retraction.model_copy(update={"community": "f" * 32})
    assert changed(foreign, RECORD) is None
    assert changed(elsewhere, RECORD) is None


def test_an_amendment_does_not_bring_back_what_was_retracted() -> None:
    retracted = RECORD.model_copy(update={"state": "retracted"})
    after = changed(change(Relation.AMENDS, Kind.AMENDMENT), retracted)
    assert after is not None
    assert after.state == "retracted"


def test_other_kinds_change_nothing() -> None:
    assert changed_id(RECORD) is None
    assert changed_id(change(Relation.AMENDS, Kind.THREAT)) is None


def test_did_you_mean_knows_only_what_the_ceiling_shows() -> None:
    open_, hidden = Titled(("Stadium drones",), Tlp.GREEN), Titled(("Harbour",), Tlp.AMBER)
    known = vocabulary([open_, hidden], Ceiling())
    assert known == {"stadium", "drones"}
    assert did_you_mean("stadiun drone", known) == "stadium drones"
    assert did_you_mean("harbor", known) is None
    assert did_you_mean("stadium", known) is None


def test_what_came_as_history_wakes_nobody_who_does_not_know_of_it() -> None:
    old = RECORD.model_copy(update={"flags": frozenset({"history"})})
    found = wanted(old, [Subscription(1, 1, Search())], Ceiling())
    assert found == {}
    assert [job.officer for job in plan(old, found, told=[2])] == [2]
