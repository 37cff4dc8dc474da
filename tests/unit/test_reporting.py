"""Reports on others' changes, on a real core: journaled once, made again when the hub refuses them, and kept
from nobody by another's trouble.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.documents import KEM_KEY_SIZE
from schemas.encoding import to_base64
from schemas.errors import Code
from schemas.receipts import ADMITTED
from schemas.reply import parse_sealed, reply_context
from schemas.report import Applied, Report
from subscribers.keys import KemKey, SigningKey
from subscribers.sealing import open_reply
from subscribers.telling.due import PAUSE, STUCK
from subscribers.telling.reporting import Reporter
from tests.support import federation as fed
from tests.support.archive import START, bulletin_id, new_record, replacing
from tests.support.federation import AT, COM, FRA, JPN, Party
from tests.support.lone_core import US, Lone, lone

MINUTE = 60_000


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Lone]:
    async with lone(tmp_path) as made:
        yield made


def reporter(node: Lone) -> Reporter:
    """It gathers for five seconds."""
    return Reporter(node.core, node.republisher, 5)


async def changed(node: Lone, number: int, by: str = "fra", *, kind: str = "amendment") -> None:
    """A change that has come and reached the local stream and the sink."""
    await node.keep(replacing(number, kind, 90, agency=by, community=COM, received=AT))
    node.republisher.reached[:] = [1_000, 1_000]


async def read(node: Lone, id: str, party: Party | None = None) -> list[Applied] | None:
    """What a report that stands in the outbox says to a party, or to ourselves; None: it cannot read it."""
    kem: KemKey = party.kem if party else node.core.keys.encryption
    endpoint = party.endpoint if party else node.core.endpoint
    ((payload,),) = await node.core.store.query("SELECT payload FROM outgoing WHERE id = ?", (id,))
    opened = open_reply(parse_sealed(payload), reply_context(COM, id, node.core.endpoint), [kem], endpoint)
    return Report.model_validate_json(opened[1]).changes if opened else None


async def waiting(node: Lone) -> list[str]:
    """The reports that wait for the hub."""
    found = await node.core.store.query("SELECT id FROM outgoing WHERE state = 'queued' ORDER BY number")
    return [id for (id,) in found]


async def gathered(node: Lone, makes: Reporter) -> None:
    """What has come is noted, and reported when others have had their time to come."""
    await makes.report()
    node.now[0] += 5_000
    await makes.report()


async def test_changes_are_gathered_and_reported_once(node: Lone) -> None:
    makes = reporter(node)
    await changed(node, 1)
    await changed(node, 2)
    assert await makes.report() == 5.0
    assert await waiting(node) == []
    node.now[0] += 5_000
    assert await makes.report() == PAUSE
    (report,) = await waiting(node)
    for party in (FRA, None):
        said = await read(node, report, party)
        assert [(each.id, each.applied, each.archive) for each in said or []] == [
            (bulletin_id(number), AT, "absent") for number in (1, 2)
        ]
    assert await read(node, report, JPN) is None
    assert await node.answer(ADMITTED) == [report]
    node.now[0] += fed.DAY
    assert await makes.report() == PAUSE
    assert await waiting(node) == []


async def test_a_report_that_the_hub_refused_is_made_again_later(node: Lone) -> None:
    makes = reporter(node)
    await changed(node, 1)
    await gathered(node, makes)
    first = await node.answer(Code.SUSPENDED)
    assert await makes.report() == PAUSE  # it has not been refused for a minute
    assert await waiting(node) == []
    await changed(node, 2)
    await gathered(node, makes)  # what else there is to say does not wait
    (second,) = await waiting(node)
    assert [each.id for each in await read(node, second) or []] == [bulletin_id(2)]
    assert await node.answer(ADMITTED) == [second]
    node.now[0] += MINUTE
    await makes.report()
    (third,) = await waiting(node)
    assert third not in first
    assert [each.id for each in await read(node, third) or []] == [bulletin_id(1)]
    await node.answer(Code.SUSPENDED)
    await makes.report()
    node.now[0] += MINUTE
    await makes.report()
    assert await waiting(node) == []
    node.now[0] += MINUTE
    await makes.report()  # after two minutes, the second time
    (fourth,) = await waiting(node)
    await node.answer(ADMITTED)
    node.now[0] += fed.DAY
    await makes.report()
    assert await waiting(node) == []
    kept = await node.core.store.query("SELECT id, state FROM outgoing WHERE kind = 'b' ORDER BY number")
    assert kept == [(second, "admitted"), (fourth, "admitted")]  # what was refused is not left lying about


async def test_a_report_that_nobody_could_read_keeps_no_other_waiting(node: Lone) -> None:
    makes = reporter(node)
    unusable = FRA.keys(
        version=2, signing=to_base64(FRA.next_signing.public), kem=to_base64(b"\xff" * KEM_KEY_SIZE)
    )
    await node.core.ledger.append(fed.envelope(unusable, FRA.identity), membership=False)
    await changed(node, 1, "fra")
    await changed(node, 2, "jpn")
    await gathered(node, makes)
    (report,) = await waiting(node)
    assert await read(node, report, FRA) is None
    assert [each.id for each in await read(node, report, JPN) or []] == [bulletin_id(2)]
    assert await node.core.store.query("SELECT what, refused FROM attempts") == [(bulletin_id(1), 1)]
    usable = FRA.keys(version=3, signing=to_base64(SigningKey(fed.seed("fra third")).public))
    await node.core.ledger.append(fed.envelope(usable, FRA.identity), membership=False)
    node.now[0] += MINUTE
    await makes.report()
    (_, later) = await waiting(node)
    assert [each.id for each in await read(node, later, FRA) or []] == [bulletin_id(1)]


async def test_what_a_sink_does_not_take_is_reported_as_failed_there(node: Lone) -> None:
    makes = reporter(node)
    await node.keep(replacing(1, "retraction", 90, agency="fra", community=COM, received=AT))
    node.republisher.reached[:] = [1, 0]
    assert await makes.report() == PAUSE
    node.now[0] += STUCK + 5_000
    await makes.report()
    (report,) = await waiting(node)
    (said,) = await read(node, report, FRA) or []
    assert (said.applied, said.local, said.sinks) == (None, "applied", "failed")


async def test_our_own_changes_and_those_of_who_left_are_nobodys_to_report(node: Lone) -> None:
    makes = reporter(node)
    await node.keep(new_record(80, agency=US, community=COM, received=START))
    await changed(node, 1, US)
    await changed(node, 2, "bra")
    await makes.report()
    node.now[0] += fed.DAY
    assert await makes.report() == PAUSE
    assert await waiting(node) == []
    sql = "SELECT id FROM changes WHERE report IS NULL"
    assert await node.core.store.query(sql) == [(bulletin_id(2),)]
