"""What others say of our amendments and retractions: what may be said, what is kept, and how it is told."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import Code, LiaisonError
from schemas.report import Applied, Report
from subscribers.records import Compliance, Record
from subscribers.storage import tables
from subscribers.storage.archive import Archive
from subscribers.storage.store import Store
from subscribers.telling.compliance import Confirmation, compliance, confirm, confirmations, late
from subscribers.writing.replies import Reported
from tests.support import federation as fed
from tests.support.archive import COMMUNITY, OTHER_COMMUNITY, START, bulletin_id, new_record, replacing
from tests.support.federation import AT, COM, DAY

US = "fr-dgx"
FAR = 2**53 - 1


def applied(number: int, **fields: Any) -> Applied:  # fields of any kind
    given = {"received": AT, "applied": AT + 5, "archive": "applied", "local": "applied", "sinks": "none"}
    return Applied.model_validate({"id": bulletin_id(number), **given, **fields})


def reported(*changes: Applied, agency: str = "kz", community: str = COMMUNITY) -> Reported:
    return Reported(agency, community, Report(changes=list(changes)), AT + 10)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "node.db", bytes(32), tables.NODE) as store:
        kept = [
            new_record(1),
            replacing(2, "retraction", 1),
            replacing(3, "amendment", 1),
            replacing(4, "retraction", 1, agency="kz"),
            replacing(5, "retraction", 1, community=OTHER_COMMUNITY),
        ]
        async with store.write() as tx:
            await Archive(store).insert_all(tx, kept)
        yield store


async def keep(store: Store, told: Reported) -> Code | None:
    try:
        await store.transact(lambda connection: confirm(connection, told, US))
    except LiaisonError as error:
        return error.code
    return None


async def test_the_first_report_on_a_change_counts(store: Store) -> None:
    assert await keep(store, reported(applied(2), applied(3))) is None
    assert await keep(store, reported(applied(2, applied=None, local="failed"), agency="gb")) is None
    assert await keep(store, reported(applied(2, applied=AT + 99))) is None
    assert await confirmations(store, bulletin_id(2)) == {
        "kz": Confirmation(AT, AT + 5, "applied", "applied", "none", AT + 10),
        "gb": Confirmation(AT, None, "applied", "failed", "none", AT + 10),
    }
    assert list(await confirmations(store, bulletin_id(3))) == ["kz"]


@pytest.mark.parametrize("number", [1, 4, 5, 9])
async def test_a_report_on_something_else_is_refused_whole(store: Store, number: int) -> None:
    assert await keep(store, reported(applied(2), applied(number))) is Code.NOT_A_REPLY
    assert await confirmations(store, bulletin_id(2)) == {}


async def test_retractions_that_are_late(store: Store) -> None:
    issued = START + 2 * 60_000
    assert await late(store, US, issued) == []
    assert await late(store, US, issued + 1) == [bulletin_id(2)]
    assert set(await late(store, US, issued + DAY)) == {bulletin_id(2), bulletin_id(5)}
    assert await late(store, US, issued + 100 * DAY) == []


async def test_a_retracted_bulletin_is_kept_and_no_longer_found(store: Store) -> None:
    archive = Archive(store)
    async with store.write() as tx:
        await archive.insert_all(tx, [replacing(7, "retraction", 6), new_record(6), new_record(8)])
        await archive.insert_all(tx, [replacing(9, "amendment", 8)])
    found = await archive.search("drone")
    numbers = {int(each.bulletin.id[-2:], 16) for each in found.items}
    assert {1, 6} & numbers == set()
    assert {8, 9} <= numbers  # what was amended is found, and says so
    async with store.write() as tx:
        links = [{"relation": "contains", "id": bulletin_id(1)}]
        await archive.insert_all(tx, [new_record(10, kind="digest", title="Drone list", links=links)])
        await archive.insert_all(tx, [replacing(11, "amendment", 10)])
    assert bulletin_id(10) not in {each.bulletin.id for each in (await archive.search("list")).items}
    for number, state in ((1, "retracted"), (6, "retracted"), (8, "amended")):
        kept = await archive.get(bulletin_id(number))
        assert (kept.state, kept.bulletin.title) == (state, f"Drone sighting number{number}")


def change(**fields: object) -> Record:
    """A retraction by `fra` in `COM`."""
    link = {"relation": "retracts", "id": fed.uuid(90)}
    bulletin = fed.bulletin(1, fed.FRA, kind="retraction", title="Gone", links=[link])
    return Record(
        bulletin=bulletin, community=COM, community_slug="com", community_title="Com", agency="fra",
        agency_name="Agency fra", received=bulletin.issued, own=True,
    )  # fmt: skip


def told(said: dict[str, Confirmation], entries: list[bytes] | None = None) -> Compliance:
    log = fed.directory(entries=entries or []).communities[COM]
    return compliance(change(), log, {"jpn": "Japan"}, said, AT + DAY)


def states(found: Compliance) -> dict[str, str]:
    return {each.agency: each.state for each in found.members}


def test_members_of_the_time_of_the_change_are_waited_for() -> None:
    found = told({})
    assert states(found) == {"jpn": "waiting", "unx": "read_only"}
    assert (found.applied, found.waiting, found.bulletins) == (0, 1, [fed.uuid(90)])
    assert [each.agency_name for each in found.members] == ["Japan", "unx"]
    said = {"jpn": Confirmation(AT, AT + 5_000, "absent", "applied", "none", FAR)}
    found = told(said)
    (japan, _) = found.members
    assert (japan.state, japan.applied, japan.archive) == ("applied", "2026-01-31T08:30:05Z", "absent")
    assert japan.reported == "2255-03-14T16:00:00Z"  # a time that no calendar holds does no harm
    assert (found.applied, found.waiting) == (1, 0)
    found = told({"jpn": Confirmation(AT, None, "applied", "failed", "none", AT)})
    assert (states(found)["jpn"], found.waiting) == ("failed", 1)


def test_who_left_or_came_since() -> None:
    log = fed.memberships()[COM]
    gone = fed.by_owners(fed.entry(log, op="remove", id="jpn", nbf=AT + 5_000))
    came = fed.by_owners(fed.entry([*log, gone], id="bra", nbf=AT + 6_000))
    raised = fed.by_owners(fed.entry([*log, gone, came], id="unx", role="member", nbf=AT + 7_000))
    entries = [gone, came, raised]
    assert states(told({}, entries)) == {"jpn": "left", "unx": "waiting"}
    said = {"bra": Confirmation(AT, AT, "absent", "applied", "none", AT)}
    assert states(told(said, entries)) == {"jpn": "left", "unx": "waiting", "bra": "applied"}
