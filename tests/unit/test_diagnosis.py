"""The doctor on a real core whose hub is away; with a hub: tests/integration/test_end_to_end.py."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.encoding import to_base64
from schemas.errors import LiaisonError
from schemas.signing import fingerprint
from subscribers.core import Core, apart
from subscribers.diagnosis import diagnose
from subscribers.exchange.hub_link import Admission
from subscribers.keys import Keyring
from subscribers.settings import NodeSettings
from tests.support.federation import AT, FRA, REGISTRAR, documents, envelope
from tests.support.identities import NEW, proposed, taken


def enrolled(state: Path, root: bytes = documents()[0]) -> NodeSettings:
    """A state directory with keys and an admission to a hub that nobody runs."""
    Keyring.create(state / "keys", "esp", "Agency esp", "ESP")
    admission = Admission.model_validate(
        {
            "v": 1,
            "agency": "esp",
            "endpoint": "A" * 56,
            "user_jwt": "jwt",
            "urls": ["nats://127.0.0.1:1"],
            "root": to_base64(root),
            "fingerprint": "",
            "hub": {"name": "Hub", "key": to_base64(bytes(32))},
        }
    )
    (state / "admission.json").write_text(json.dumps(admission.model_dump()))
    return NodeSettings(state=state)


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    async with Core.open(enrolled(tmp_path), lambda: AT) as opened:
        yield opened


async def findings(core: Core) -> dict[str, bool]:
    found = await diagnose(core)
    assert all(each.message for each in found)
    assert all(each.fix for each in found if not each.ok)
    return {each.check: each.ok for each in found}


async def test_a_node_that_has_never_met_its_hub(core: Core) -> None:
    assert await findings(core) == {
        "keys": False, "identity": False, "root": False, "head": False, "connection": False, "clock": False,
        "backlog": False, "outbox": True, "archive": True, "alarms": True, "history": True, "key-age": True,
        "recall": True, "copy": True, "disk": disk_has_room(core.state),
    }  # fmt: skip


async def test_keys_that_the_directory_holds_and_those_that_it_does_not(core: Core) -> None:
    identity = to_base64(core.keys.identity.public)
    agency = FRA.agency(id="esp", name="Agency esp", code="ESP", identity=identity)
    for each in (*documents()[1:], envelope(agency, REGISTRAR)):
        await core.ledger.append(each, membership=False)
    assert (await findings(core))["root"]
    signing, kem = to_base64(core.keys.signing.public), to_base64(core.keys.encryption.public)
    own = FRA.keys(agency="esp", endpoint="A" * 56, signing=signing, kem=kem)
    await core.ledger.append(envelope(own, core.keys.identity), membership=False)
    assert (await findings(core))["keys"]
    signing = to_base64(FRA.next_signing.public)
    other = FRA.keys(agency="esp", endpoint="A" * 56, version=2, signing=signing, kem=kem)
    await core.ledger.append(envelope(other, core.keys.identity), membership=False)
    assert not (await findings(core))["keys"]


async def test_an_identity_that_is_replaced(core: Core) -> None:
    identity = to_base64(core.keys.identity.public)
    agency = FRA.agency(id="esp", name="Agency esp", code="ESP", identity=identity)
    for each in (*documents()[1:], envelope(agency, REGISTRAR)):
        await core.ledger.append(each, membership=False)
    assert (await findings(core))["identity"]
    await core.ledger.append(proposed(agency="esp"), membership=False)
    (found,) = [each for each in await diagnose(core) if each.check == "identity"]
    assert not found.ok
    assert fingerprint(NEW.public) in found.message
    assert "identity object" in found.fix
    await core.ledger.append(taken(agency="esp", logs=[]), membership=False)
    (found,) = [each for each in await diagnose(core) if each.check == "identity"]
    assert not found.ok
    assert fingerprint(NEW.public) in found.message


async def test_only_one_core_on_a_state(core: Core) -> None:
    with pytest.raises(LiaisonError, match="already_running"):
        async with Core.open(NodeSettings(state=core.state)):
            pass


async def test_a_state_without_an_admission(tmp_path: Path) -> None:
    with pytest.raises(LiaisonError, match="not_enrolled"):
        async with Core.open(NodeSettings(state=tmp_path)):
            pass


def test_clocks_in_words() -> None:
    assert apart(3_600_000) == "this clock is 3600 s ahead of the hub's"
    assert apart(-3_600_000) == "this clock is 3600 s behind the hub's"


def disk_has_room(state: Path) -> bool:
    free = os.statvfs(state)
    return free.f_bavail * free.f_frsize >= 512 * 1024 * 1024
