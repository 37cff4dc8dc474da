import json
import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from hub.operating.live import amount, screen, span
from hub.operating.meter import BOUNDS, Latency, Meter, Taken
from hub.operating.metrics import families, prometheus
from hub.operating.trail import Act, Entry
from hub.operating.web import may_ask
from hub.tables import audit_table
from schemas.encoding import from_instant
from tests.conftest import ROOT

AT = "2026-11-26T08:00:00Z"
KEY = "A" + "B2" * 27 + "C"
"""As long as an account's."""


def facts() -> dict[str, Any]:
    meter = Meter()
    meter.settled([Taken("A1", "admitted", 900, 0), Taken("A1", "expired", 100, 0)], 40)
    endpoint = {
        "public": "A1",
        "suspended": False,
        "registered": True,
        "traffic_waiting": 1500,
        "directory_waiting": 2,
        "last_heard": AT,
        "admitted": meter.endpoints["A1"].admitted,
        "refused": dict(meter.endpoints["A1"].refused),
        "bytes": meter.endpoints["A1"].bytes,
        "uploaded": 4096,
    }
    quiet = {**endpoint, "public": "A2", "last_heard": None, "refused": {}, "uploaded": 0, "suspended": True}
    stream = {"messages": 7, "bytes": 700, "last": 9, "limit": 1024, "leader": "n1", "behind": ["n3"]}
    return {
        "at": "2026-11-26T08:10:00Z",
        "hub": "Centre [red]",
        "nats": "nats://127.0.0.1:4222",
        "server": "2.15.1",
        "fingerprint": "ab" * 32,
        "uptime_s": 7200,
        "admitted": 1,
        "refused": {"expired": 1},
        "latency": meter.latency.facts(),
        "intake_waiting": 3,
        "streams": {"TRAFFIC": stream, "DIRECTORY": {**stream, "limit": 0, "leader": None}},
        "leases": {"registrar": "hub-1"},
        "disk": {"free": 2**30, "total": 2**34},
        "upload_limit": 2**32,
        "directory": {"size": 12, "root": "cd" * 32},
        "agencies": [{"id": "fra", "name": "[b]France", "code": "FRA", "endpoints": [endpoint, quiet]}],
        "replacements": [{"agency": "fra", "effective": AT, "disputed": True}],
        "communities": [{"id": "ef" * 16, "realm": "live", "owners": ["fra"], "members": {"fra": "member"}}],
    }


def samples() -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(prometheus(facts())):
        for each in family.samples:
            found.setdefault(each.name, []).append((dict(each.labels), each.value))
    return found


def test_what_prometheus_reads_is_what_status_says() -> None:
    read = samples()
    assert ({"code": "expired"}, 1.0) in read["liaison_answers_total"]
    assert read["liaison_endpoint_waiting"][0] == ({"agency": "fra", "endpoint": "A1"}, 1500.0)
    assert read["liaison_endpoint_last_heard_timestamp_seconds"] == [
        ({"agency": "fra", "endpoint": "A1"}, from_instant(AT) / 1000)
    ]
    assert read["liaison_stream_replicas_behind"][0] == ({"stream": "TRAFFIC"}, 1.0)
    assert read["liaison_lease_held"] == [({"lease": "registrar", "holder": "hub-1"}, 1.0)]
    assert ({"le": "0.05"}, 2.0) in read["liaison_admission_seconds_bucket"]
    assert ({"le": "0.025"}, 0.0) in read["liaison_admission_seconds_bucket"]
    assert read["liaison_admission_seconds_sum"] == [({}, 0.08)]


def test_no_community_and_no_name_stands_in_a_label() -> None:
    told = prometheus(facts())
    assert "ef" * 16 not in told
    assert "France" not in told
    assert "Centre" not in told


def test_every_metric_says_what_it_is() -> None:
    for each in families(facts()):
        assert each.name.startswith("liaison_")
        assert each.documentation.endswith(".")


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    dashboard = json.loads((ROOT / "docs/dashboards/hub.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    named = {name for expression in asked for name in re.findall(r"liaison_\w+", expression)}
    there = set(samples())
    assert named <= there
    histograms = {"liaison_admission_seconds_count", "liaison_admission_seconds_sum"}
    assert there - named <= histograms, "and shows all of them"
    for expression in asked:
        for inside in re.findall(r"\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)\s*[!=]", inside)) <= {"code", "stream", "agency", "endpoint"}


def test_a_latency_counts_in_its_bucket_and_above() -> None:
    latency = Latency()
    for took in (0, 5, 6, 70_000, 4_000_000, -9):
        latency.add(took)
    told = latency.facts()
    assert told["buckets"][0] == [0.005, 3]
    assert told["buckets"][1] == [0.01, 4]
    assert told["buckets"][-1] == [BOUNDS[-1], 5]
    assert told["count"] == 6


def test_the_terminal_shows_who_lags_and_who_is_behind() -> None:
    console = Console(width=240, record=True, file=None, quiet=False, color_system=None)
    with console.capture() as capture:
        console.print(screen(facts(), from_instant("2026-11-26T08:10:00Z")))
    shown = capture.get()
    for text in (
        "Centre [red]",
        "[b]France",
        "1502",
        "10 min ago",
        "never",
        "suspended",
        "expired 1",
        "n3",
        "none",
    ):
        assert text in shown
    assert "against its objection" in shown
    assert "registrar: hub-1" in shown


def test_a_narrow_terminal_cuts_off_nothing_that_is_to_be_copied() -> None:
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        told = facts()
        told["agencies"][0]["endpoints"][0]["public"] = KEY
        console.print(screen(told))
        console.print(audit_table([Entry(1, 0, "hub", Act("hub", "settings", "a, b, c, d, e"), b"").row()]))
    shown = capture.get()
    assert "…" not in shown
    for text in (KEY, AT, "1970-01-01T00:00:00Z", "settings"):
        assert text in shown
    assert "more" in shown, "the first settings are all of them"


@pytest.mark.parametrize(
    "size, told", [(0, "0 B"), (1023, "1023 B"), (2048, "2.0 KiB"), (2**60, "1048576.0 TiB")]
)
def test_amounts_are_told_in_their_unit(size: int, told: str) -> None:
    assert amount(size) == told


@pytest.mark.parametrize(
    "seconds, told", [(0, "0 s"), (119, "119 s"), (120, "2 min"), (90_000, "25 h"), (200_000, "2 d")]
)
def test_times_are_told_in_their_unit(seconds: int, told: str) -> None:
    assert span(seconds) == told


@pytest.mark.parametrize(
    "listening, host, may",
    [
        ("127.0.0.1", "127.0.0.1:9100", True),
        ("127.0.0.1", "localhost:9100", True),
        ("::1", "[::1]:9100", True),
        ("127.0.0.1", "[::1]", True),
        ("127.0.0.1", "evil.example:9100", False),
        ("127.0.0.2", "127.0.0.2:9100", True),
        ("localhost", "evil.example", False),
        ("10.0.0.7", "hub.internal:9100", True),
        ("hub.internal", "hub.internal:9100", True),
    ],
)
def test_on_loopback_only_loopbacks_names_are_answered(listening: str, host: str, *, may: bool) -> None:
    assert may_ask(listening, host) is may
