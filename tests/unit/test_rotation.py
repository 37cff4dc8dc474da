"""What a node does to its keys by itself, on a real core whose hub is away: nothing new, and nothing kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
import pytest

from schemas.encoding import to_base64
from schemas.errors import Code, LiaisonError
from schemas.merkle import Head
from schemas.vocabulary import History
from subscribers.core import Core
from subscribers.exchange.composer import OwnChain, OwnEpoch
from subscribers.judging.trust import Epoch, EpochId
from subscribers.keyring.epoch_keys import age
from subscribers.keyring.key_life import DAY
from subscribers.keyring.rotation import Rotation
from subscribers.sealing import EpochKey
from subscribers.settings import NodeSettings
from subscribers.storage.journal import save_chain
from subscribers.storage.store import Row
from tests.support.federation import AT, COM, FRA, REGISTRAR, documents, envelope, random_from
from tests.unit.test_diagnosis import enrolled


@asynccontextmanager
async def known(path: Path) -> AsyncIterator[Core]:
    """A core whose first keys are in its directory."""
    async with Core.open(enrolled(path), lambda: AT) as opened:
        identity = to_base64(opened.keys.identity.public)
        agency = FRA.agency(id="esp", name="Agency esp", code="ESP", identity=identity)
        for each in (*documents()[1:], envelope(agency, REGISTRAR)):
            await opened.ledger.append(each, membership=False)
        await announce(opened, 1, AT)
        yield opened


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    async with known(tmp_path) as opened:
        yield opened


async def announce(core: Core, version: int, issued: int) -> None:
    """The directory gets the keys that are staged, or those that are current."""
    ring = core.rack.staged or core.keys
    public = {"signing": to_base64(ring.signing.public), "kem": to_base64(ring.encryption.public)}
    made = FRA.keys(agency="esp", endpoint=core.endpoint, version=version, issued=issued, **public)
    await core.ledger.append(envelope(made, core.keys.identity), membership=False)


def rotation(core: Core, days: int, **settings: int) -> Rotation:
    """The keys' keeper, so many days after the beginning."""
    chosen = NodeSettings(state=core.state, **settings)  # type: ignore[arg-type]
    return Rotation(core, chosen, clock=lambda: AT + days * DAY)


async def test_a_replaced_key_is_destroyed_when_its_overlap_is_over(core: Core) -> None:
    old = core.keys.encryption.kid.hex()
    core.rack.stage(random_from("rotation"), encryption=True)
    await announce(core, 2, AT + DAY)
    assert core.staged_is_known()
    core.rack.promote()
    await rotation(core, 7).tick()
    assert set(core.rack.old) == {old}
    await rotation(core, 8).tick()
    assert core.rack.old == {}
    assert list((core.state / "keys" / "past").iterdir()) == []


async def test_what_is_due_waits_for_the_hub(core: Core) -> None:
    before = core.keys.signing.public
    await rotation(core, 31).tick()
    assert core.keys.signing.public == before
    assert core.rack.staged is None
    with pytest.raises(LiaisonError) as refused:
        await rotation(core, 31).rotate(encryption=True)
    assert refused.value.code is Code.HUB_UNREACHABLE
    with pytest.raises(LiaisonError) as refused:
        await rotation(core, 31).revoke(core.rack.kid, "", rotate=True, stop=False)
    assert refused.value.code is Code.HUB_UNREACHABLE
    assert core.rack.staged is None


async def test_old_keys_are_warned_of(core: Core) -> None:
    assert rotation(core, 80).warning() == ""
    assert "in 2 days" in rotation(core, 88).warning()
    await rotation(core, 91).tick()  # and said in the log


async def test_keys_that_the_directory_has_are_taken_up_at_the_start(tmp_path: Path) -> None:
    async with known(tmp_path) as core:
        staged = core.rack.stage(random_from("rotation"), encryption=True)
        await announce(core, 2, AT + DAY)
        assert core.keys.signing != staged.signing
    async with Core.open(NodeSettings(state=tmp_path), lambda: AT) as again:
        assert again.keys.signing == staged.signing
        assert again.rack.staged is None


async def test_a_revoked_voice_is_told_before_anything_is_sealed(core: Core) -> None:
    core.check_voice()
    document = FRA.revoke(agency="esp", kid=core.rack.kid)
    await core.ledger.append(envelope(document, core.keys.identity), membership=False)
    with pytest.raises(LiaisonError) as refused:
        core.check_voice()
    assert refused.value.code is Code.REVOKED_KEY


async def learn(core: Core, publisher: str, ep: int) -> EpochId:
    """An epoch with its key."""
    name = EpochId(publisher, COM, ep)
    changes = core.ledger.changes()
    announcement = bytes([ep]) * 32
    changes.learn(name, Epoch("routine", announcement, bytes(32), "none", due=True, key=EpochKey(bytes(32))))
    await core.store.transact(changes.save)
    core.ledger.merge(changes)
    return name


async def test_old_epoch_keys_go_by_age_and_the_newest_stays(core: Core) -> None:
    names = [await learn(core, FRA.endpoint, number) for number in range(3)]
    assert await rotation(core, 0, epoch_key_days=10).delete_epoch_keys() == 0
    late = await learn(core, FRA.endpoint, 3)
    assert await rotation(core, 400).delete_epoch_keys() == 0  # kept unless the setting says otherwise
    assert await rotation(core, 9, epoch_key_days=10).delete_epoch_keys() == 0
    assert await rotation(core, 10, epoch_key_days=10).delete_epoch_keys() == 3
    assert [core.ledger.epochs[name].key is None for name in (*names, late)] == [True, True, True, False]
    sql = "SELECT count(*) FROM epochs WHERE key IS NOT NULL"
    assert await core.store.query(sql) == [(1,)]
    assert await rotation(core, 9999, epoch_key_days=10).delete_epoch_keys() == 0


async def test_what_our_own_chain_seals_under_stays(core: Core) -> None:
    own = [await learn(core, core.endpoint, number) for number in range(2)]
    using = OwnEpoch(0, EpochKey(bytes(32)), Head(0, bytes(32)), b"", core.rack.kid, AT)
    chain = OwnChain(epochs={History.NONE: using})

    def write(connection: apsw.Connection) -> list[Row]:
        save_chain(connection, (COM, "routine"), chain)
        age(connection, AT, DAY, core.endpoint)
        return age(connection, AT + 2 * DAY, DAY, core.endpoint)

    assert await core.store.transact(write) == []
    assert own[0].ep == 0
