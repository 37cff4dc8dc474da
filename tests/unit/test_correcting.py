"""Corrections of our digests, on a real core: each change once, again when the hub refuses one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.bulletin import Bulletin, parse_bulletin
from schemas.errors import Code
from schemas.receipts import ADMITTED
from subscribers.storage.archive import NewRecord
from subscribers.telling.correcting import Corrector
from subscribers.telling.due import PAUSE
from tests.support import federation as fed
from tests.support.archive import bulletin_id, new_record, replacing
from tests.support.federation import AT, COM
from tests.support.lone_core import US, Lone, lone

MINUTE = 60_000
DIGEST = 50


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Lone]:
    async with lone(tmp_path) as made:
        await made.keep(said(1), said(2), digest(DIGEST, 1, 2))
        yield made


def said(number: int) -> NewRecord:
    return new_record(number, agency="fra", community=COM, received=AT)


def digest(number: int, *listed: int, agency: str = US) -> NewRecord:
    links = [{"relation": "contains", "id": bulletin_id(each)} for each in listed]
    return new_record(number, agency=agency, community=COM, received=AT, kind="digest", links=links)


def change(number: int, *targets: int, kind: str = "retraction", at: int = AT) -> NewRecord:
    return replacing(number, kind, *targets, agency="fra", community=COM, received=at)


def corrector(node: Lone) -> Corrector:
    """It gathers for five seconds."""
    return Corrector(node.core, node.republisher, 5)


async def waiting(node: Lone) -> list[Bulletin]:
    """The amendments that wait for the hub."""
    sql = "SELECT payload FROM outgoing WHERE state = 'queued' ORDER BY number"
    return [parse_bulletin(payload) for (payload,) in await node.core.store.query(sql)]


def targets(amendment: Bulletin, relation: str = "amends") -> list[str]:
    return [each.id for each in amendment.links if each.relation == relation]


async def test_changes_of_what_a_digest_lists_are_gathered_and_corrected_once(node: Lone) -> None:
    makes = corrector(node)
    await node.keep(change(3, 1), change(4, 2, kind="amendment", at=AT + 4_000))
    assert await makes.correct() == 5.0
    assert await waiting(node) == []
    node.now[0] += 5_000
    assert await makes.correct() == PAUSE
    (amendment,) = await waiting(node)
    assert (targets(amendment), targets(amendment, "contains")) == ([bulletin_id(DIGEST)], [bulletin_id(4)])
    await node.answer(ADMITTED)
    node.now[0] += MINUTE
    assert await makes.correct() == PAUSE
    assert await waiting(node) == []


async def test_a_correction_that_the_hub_refused_is_made_again_later(node: Lone) -> None:
    makes = corrector(node)
    await node.keep(change(3, 1))
    node.now[0] += 5_000
    await makes.correct()
    (first,) = await waiting(node)
    await node.answer(Code.SUSPENDED)
    await makes.correct()
    await node.keep(change(4, 2, at=node.now[0]))
    node.now[0] += MINUTE - 1
    await makes.correct()
    assert await waiting(node) == []
    node.now[0] += 1
    await makes.correct()
    (second,) = await waiting(node)
    assert second.id != first.id
    assert (targets(second), targets(second, "contains")) == ([bulletin_id(DIGEST)], [])
    await node.answer(ADMITTED)
    node.now[0] += fed.DAY
    await makes.correct()
    assert await waiting(node) == []
    kept = await node.core.store.query("SELECT id, state FROM outgoing WHERE kind = 'b'")
    assert kept == [(second.id, "admitted")]


async def test_others_digests_and_what_is_gone_are_left_alone(node: Lone) -> None:
    makes = corrector(node)
    gone = replacing(53, "retraction", 51, agency=US, community=COM, received=AT)
    await node.keep(said(5), digest(51, 5), digest(52, 5, agency="fra"), gone, change(6, 5))
    node.now[0] += fed.DAY
    assert await makes.correct() == PAUSE
    assert await waiting(node) == []


async def test_a_correction_that_cannot_be_made_waits_and_is_made(node: Lone) -> None:
    makes = corrector(node)
    await node.keep(change(3, 1))
    await node.core.ledger.append(
        fed.envelope(fed.FRA.revoke(agency=US, kid=node.core.rack.kid), node.core.keys.identity),
        membership=False,
    )
    node.now[0] += 5_000
    assert await makes.correct() == PAUSE
    assert await waiting(node) == []
    assert await node.core.store.query("SELECT what, refused FROM attempts") == [(bulletin_id(DIGEST), 1)]


async def test_who_may_no_longer_publish_corrects_nothing(node: Lone) -> None:
    makes = corrector(node)
    log = [*fed.memberships()[COM], fed.by_owners(fed.entry(fed.memberships()[COM], id=US))]
    removal = fed.by_owners(fed.entry(log, op="remove", id=US, nbf=AT))
    await node.core.ledger.append(removal, membership=True)
    await node.keep(change(3, 1))
    node.now[0] += 5_000
    assert await makes.correct() == PAUSE
    assert await waiting(node) == []
