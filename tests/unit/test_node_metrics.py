"""What a node's watchers are told, of a real core whose hub is away; a process: test_owners.py."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from prometheus_client.parser import text_string_to_metric_families

from schemas.chain import ChainKey
from schemas.encoding import to_base64
from schemas.errors import Code, OperationError
from schemas.pulse import Pulse
from schemas.vocabulary import Precedence
from subscribers.core import Core
from subscribers.exchange.hub_tls import HubTls
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName
from subscribers.judging.refused import Refused
from subscribers.keyring.key_life import DAY
from subscribers.keyring.rotation import Rotation
from subscribers.watching.certificates import UNREADABLE, ends
from subscribers.watching.metrics import families, prometheus
from subscribers.watching.vitals import Vitals, Watch
from subscribers.watching.web import Watchers, may_ask
from tests.conftest import ROOT
from tests.support.federation import AT, COM, FRA, REGISTRAR, documents, envelope
from tests.unit.test_diagnosis import enrolled

_PUT = """INSERT INTO outgoing(id, ref, kind, community, subject, history, payload, state, code)
    VALUES (?, 'ESP-2026-0001', ?, ?, 's', 'none', NULL, ?, ?)"""


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    """A node that has waited, refused, been refused and heard France."""
    settings = enrolled(tmp_path)
    settings.hub_ca = certificate(tmp_path / "ca.pem", ends=AT + 10 * DAY)
    async with Core.open(settings, lambda: AT) as core:
        identity = to_base64(core.keys.identity.public)
        agency = FRA.agency(id="esp", name="Agency esp", code="ESP", identity=identity)
        signing, kem = to_base64(core.keys.signing.public), to_base64(core.keys.encryption.public)
        own = FRA.keys(agency="esp", endpoint="A" * 56, signing=signing, kem=kem)
        for each in (*documents()[1:], envelope(agency, REGISTRAR), envelope(own, core.keys.identity)):
            await core.ledger.append(each, membership=False)
        queued = [(made(AT - 9_000), "b", COM, "queued", None), (made(AT - 99_000), "h", COM, "queued", None)]
        refused = [(made(AT - number), "b", COM, "refused", "not_member") for number in (1, 2)]
        async with core.store.write() as tx:
            await tx.executemany(_PUT, [*queued, *refused])
        await core.ledger.refuse([Refused(AT, Code.BAD_WRAP, "no such wrap", "w.X", b"raw")])
        await core.ledger.alarm([Alarm(AlarmKey(AlarmName.FORK, COM, FRA.endpoint), AT, "two")])
        for precedence, seen in ((Precedence.ROUTINE, AT - 5_000), (Precedence.FLASH, AT - 70_000)):
            core.ledger.pulses[ChainKey(FRA.endpoint, COM, precedence)] = (Pulse(AT, AT), seen)
        core.ledger.pulses[ChainKey("A" * 55 + "B", COM, Precedence.ROUTINE)] = (Pulse(AT, AT), AT)
        yield Watch(core, Rotation(core, settings))


def made(at: int) -> str:
    """A UUIDv7 of this time."""
    digits = f"{at:012x}7{'0' * 3}8{'0' * 15}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def certificate(path: Path, ends: int) -> Path:
    """A certificate that ends then."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    end = datetime.fromtimestamp(ends / 1000, UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = builder.not_valid_before(end - timedelta(days=90)).not_valid_after(end).sign(key, None)
    path.write_bytes(signed.public_bytes(Encoding.PEM))
    return path


def read(vitals: Vitals) -> dict[str, list[tuple[dict[str, str], float]]]:
    """What Prometheus makes of it."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(prometheus(vitals)):
        for each in family.samples:
            name = each.name.removeprefix("liaison_node_")
            found.setdefault(name, []).append((dict(each.labels), each.value))
    return found


async def test_what_prometheus_reads_is_how_the_node_is(watch: Watch) -> None:
    told = read(await watch.vitals())
    assert told["hub_connected"] == [({}, 0)]
    assert "feed_waiting" not in told, "not known, which is not 0"
    assert told["outbox_waiting"] == [({}, 1)], "a heartbeat is no bulletin"
    assert told["outbox_oldest_seconds"] == [({}, 9)]
    assert told["outbox_refused"] == [({"code": "not_member"}, 2)]
    assert told["quarantined"] == [({"code": "bad_wrap"}, 1)]
    assert ({"alarm": "fork"}, 1) in told["alarms"]
    assert told["last_heard_timestamp_seconds"] == [({"agency": "fra"}, (AT - 5_000) / 1000)]
    assert told["bulletins"] == [({}, 0)]
    assert told["store_bytes"][0][1] > 0
    assert told["certificate_end_timestamp_seconds"] == [({"certificate": "hub_ca"}, (AT + 10 * DAY) // 1000)]
    assert told["key_end_timestamp_seconds"][0][1] > AT / 1000


async def test_no_community_and_no_endpoint_is_told(watch: Watch) -> None:
    text = prometheus(await watch.vitals())
    for secret in (COM, FRA.endpoint, "ESP-2026"):
        assert secret not in text


async def test_every_metric_says_what_it_is_and_is_on_the_dashboard(watch: Watch) -> None:
    there = list(families((await watch.vitals())._replace(lag={"traffic": 7})))
    assert all(each.documentation.endswith(".") for each in there)
    dashboard = json.loads((ROOT / "docs/dashboards/node.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert {name for each in asked for name in re.findall(r"liaison_\w+", each)} == {
        each.name for each in there if each.samples
    }


def test_a_certificate_that_cannot_be_read_is_over(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_bytes(b"nothing")
    found = ends(HubTls(tmp_path / "missing.pem", tmp_path / "cert.pem", tmp_path / "key.pem"))
    assert found == {"hub_ca": UNREADABLE, "hub_cert": UNREADABLE}


async def test_watchers_see_the_node_come_up_and_take_no_other_name(watch: Watch) -> None:
    async with Watchers("127.0.0.1", 0) as watchers, aiohttp.ClientSession(watchers.url) as session:

        async def asked(path: str, **headers: str) -> tuple[int, str]:
            async with session.get(path, headers=headers) as answer:
                return answer.status, await answer.text()

        assert await asked("/healthz") == (200, "ok\n")
        for path in ("/readyz", "/metrics"):
            assert await asked(path) == (503, "node_unreachable\n")
        watchers.open(watch)
        assert await asked("/readyz") == (200, "ready\n")
        status, text = await asked("/metrics")
        assert (status, "liaison_node_outbox_waiting 1.0" in text) == (200, True)
        assert (await asked("/metrics", Host="evil.example"))[0] == 421
        taken = Watchers("127.0.0.1", int(watchers.url.rpartition(":")[2]))
        with pytest.raises(OperationError, match="no metrics at") as refused:
            await taken.__aenter__()
        assert refused.value.code is Code.BAD_SETTINGS


@pytest.mark.parametrize(
    "listening, host, may",
    [
        ("127.0.0.1", "localhost:9100", True),
        ("::1", "[::1]:9100", True),
        ("127.0.0.1", "evil.example:9100", False),
        ("localhost", "evil.example", False),
        ("10.0.0.7", "node.internal:9100", True),
        ("node.internal", "node.internal:9100", True),
    ],
)
def test_on_loopback_only_loopbacks_names_are_answered(listening: str, host: str, *, may: bool) -> None:
    assert may_ask(listening, host) is may
