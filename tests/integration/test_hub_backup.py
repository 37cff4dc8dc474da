"""A hub is backed up while it runs, restored into an empty directory, and goes on with chains that are ahead
of it.
"""

from pathlib import Path

import pytest

from hub.recovery.copies import make, restore, verify
from hub.serve import running
from hub.settings import HubSettings
from schemas.errors import Code, LiaisonError
from schemas.frame import BULLETIN, EPOCH
from tests.support.frames import Chain
from tests.support.hub_world import hub_world

WORD = "correct horse battery staple"


async def test_the_streams_come_back_and_chains_go_on_where_their_publishers_are(tmp_path: Path) -> None:
    out, new = tmp_path / "hub.backup", HubSettings(state=tmp_path / "new", port=0)
    async with hub_world(tmp_path) as (hub, running_hub):
        france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
        circle = await hub.community(france, kenya)
        chain = Chain(france.kit, circle)
        before = [chain.make(hub.now, EPOCH), chain.make(hub.now, BULLETIN, b"one")]
        for each in before:
            assert await france.send(chain, each) == "admitted"
        told = await make(hub.settings, out, WORD, hub.now)
        assert verify(out, WORD) == told
        assert told.messages["TRAFFIC"] >= len(before)
        with pytest.raises(LiaisonError) as again:
            await make(hub.settings, out, WORD, hub.now)
        assert again.value.code is Code.ALREADY_KNOWN
        lost = chain.make(hub.now, BULLETIN, b"two, which the copy does not have")
        assert await france.send(chain, lost) == "admitted"
        directory = running_hub.office.directory.head
        for station in (france, kenya):
            await station.close()
    with pytest.raises(LiaisonError) as spoilt:
        await restore(new, out, "another passphrase", hub.now)
    assert spoilt.value.code is Code.WRONG_KEY
    assert not new.state.exists()
    assert await restore(new, out, WORD, hub.now) == told
    with pytest.raises(LiaisonError) as full:
        await restore(new, out, WORD, hub.now)
    assert full.value.code is Code.ALREADY_KNOWN
    async with running(new) as back:
        assert back.office.directory.head == directory
        for station in (france, kenya):
            station.url = back.url
            await station.connect()
        skipped = chain.make(hub.now, BULLETIN, b"three, after one that the hub has lost")
        assert await france.send(chain, skipped) == "admitted"
        gap = Chain(france.kit, circle, seq=chain.seq + 1, prev="ab" * 32)
        assert await france.send(gap, gap.make(hub.now, BULLETIN, b"no second time")) == "gap"
        await kenya.until(lambda: skipped in kenya.frames())
        assert kenya.frames()[-1] == skipped
        for station in (france, kenya):
            await station.close()
    async with running(new) as back:  # it still knows which chains have gone on
        france.url = back.url
        await france.connect()
        assert await france.send(gap, gap.make(hub.now, BULLETIN, b"nor after a restart")) == "gap"
        assert await france.send(chain, chain.make(hub.now, BULLETIN, b"four")) == "admitted"
        await france.close()
