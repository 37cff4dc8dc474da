from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.operating.doctor import judge
from hub.operating.machine import look
from hub.operating.notices import Limits
from hub.settings import HubSettings
from hub.stream_limits import StreamLimits
from hub.streams import drift, stream_configs
from schemas.encoding import from_instant, instant
from tests.support.hub_world import prepare_hub
from tests.unit.test_hub_notices import PK, facts

NOW = from_instant("2026-11-26T12:00:00Z")
LIMITS = Limits()


def examination() -> dict[str, Any]:
    """Of a hub with which nothing is wrong."""
    stream: dict[str, Any] = {"behind": [], "leader": None}
    status = {
        **facts(NOW),
        "server": "2.15.1",
        "intake_waiting": 3,
        "streams": {"TRAFFIC": stream},
        "cluster": None,
    }
    lists = ("missing_at_server", "without_keys", "without_agency", "without_durable", "without_account")
    return {
        "status": status,
        "head": {"cosigned": ["w"], "quorum": 1},
        "clock": NOW,
        "server_clock": NOW - 900,
        "newest": NOW - 60_000,
        "drift": [],
        "accounts": {name: [] for name in lists},
    }


def endpoint(exam: dict[str, Any]) -> dict[str, Any]:
    """The one that there is."""
    found: dict[str, Any] = exam["status"]["agencies"][0]["endpoints"][0]
    return found


def wrong(exam: dict[str, Any], now: int = NOW) -> list[tuple[str, str]]:
    found = judge(exam, LIMITS, now)
    for each in found:
        assert bool(each.code) == bool(each.fix) == (not each.ok)
        assert each.message
    return [(each.check, each.code) for each in found if not each.ok]


def test_of_a_hub_with_which_nothing_is_wrong_nothing_is_told() -> None:
    assert wrong(examination()) == []
    waits = examination()
    waits["accounts"]["without_keys"] = ["fra A1"]
    assert wrong(waits) == [], "an agency that was admitted a moment ago"


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "check, code, change",
    [
        ("server", "bad_settings", lambda e: e["status"].update(server="2.11.9")),
        ("clock", "clock_skew", lambda e: e.update(server_clock=NOW - 9_000)),
        ("clock", "clock_skew", lambda e: e.update(newest=NOW + 3_600_000)),
        ("streams", "bad_settings", lambda e: e["drift"].append("TRAFFIC is not there")),
        ("accounts", "store_corrupt", lambda e: e["accounts"]["missing_at_server"].append("fra A1")),
        ("accounts", "store_corrupt", lambda e: e["accounts"]["without_durable"].append("fra A1")),
        ("accounts", "unknown_agency", lambda e: e["accounts"]["without_agency"].append("fra A1")),
        ("accounts", "not_found", lambda e: e["accounts"]["without_account"].append("fra A1")),
        ("backlog", "hub_unreachable", lambda e: e["status"].update(intake_waiting=9_999)),
        ("replicas", "log_behind", lambda e: e["status"]["streams"]["TRAFFIC"].update(behind=["n2"])),
        ("witnesses", "witness_shortfall", lambda e: e.update(head={"cosigned": [], "quorum": 1})),
        ("lag", "log_behind", lambda e: endpoint(e).update(traffic_waiting=9999)),
        ("expiry", "expired", lambda e: e["status"]["certificates"].update(x=instant(NOW + 1000))),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_is_named_with_its_code(check: str, code: str, change: Change) -> None:
    exam = examination()
    change(exam)
    assert wrong(exam) == [(check, code)]


def test_the_clock_of_this_machine_counts_too() -> None:
    assert wrong(examination(), NOW + 60_000) == [("clock", "clock_skew")]


def test_a_certificate_that_cannot_be_read_is_named() -> None:
    exam = examination()
    exam["status"]["certificates"] = {"tls.pem": instant(0)}
    assert wrong(exam) == [("expiry", "expired"), ("certificates", "bad_settings")]


def test_a_duty_that_nobody_does_is_named() -> None:
    exam = examination()
    cluster = {"members": ["a", "b"], "duties": {"office": "a", "partition-0": None}}
    exam["status"]["cluster"] = cluster
    assert wrong(exam) == [("leases", "not_found")]
    cluster["duties"] = {"office": "a"}
    assert wrong(exam) == []


def test_who_lags_is_named_by_its_agency() -> None:
    exam = examination()
    endpoint(exam)["traffic_waiting"] = 4321
    (found,) = [each for each in judge(exam, LIMITS, NOW) if not each.ok]
    assert found.message == f"fra {PK}: 4321 messages wait"


def test_what_differs_in_a_stream_is_named() -> None:
    (wanted,) = [each for each in stream_configs(StreamLimits()) if each["name"] == "INTAKE"]
    assert drift(wanted, {**wanted, "persist_mode": "default", "placement": None}) == []
    assert drift(wanted, {**wanted, "discard": "old"}) == ["discard is 'old', and should be 'new'"]


def test_a_machine_is_looked_at_without_a_running_hub(tmp_path: Path) -> None:
    settings = prepare_hub(tmp_path).settings
    settings = settings.model_copy(update={"alarm_disk_bytes": 0})
    assert [each.check for each in look(settings) if not each.ok] == []
    open_to_all = settings.accounts_directory / "receipt.key"
    open_to_all.chmod(0o640)
    settings = settings.model_copy(
        update={"alarm_disk_bytes": 2**60, "tls_cert": tmp_path / "a", "tls_key": tmp_path}
    )
    found = {each.check: each for each in look(settings) if not each.ok}
    assert {check: each.code for check, each in found.items()} == {
        "keys": "forbidden",
        "permissions": "forbidden",
        "disk": "disk_full",
        "tls": "bad_settings",
    }
    assert str(open_to_all) in found["permissions"].message


def test_where_there_is_no_hub_that_is_said(tmp_path: Path) -> None:
    found = {each.check: each.code for each in look(HubSettings(state=tmp_path)) if not each.ok}
    assert (found["keys"], found["documents"]) == ("not_found", "not_found")


def test_where_there_is_no_directory_that_is_said(tmp_path: Path) -> None:
    found = {each.check: each for each in look(HubSettings(state=tmp_path / "none")) if not each.ok}
    assert {found[check].code for check in ("permissions", "disk")} == {"not_found"}
    assert str(tmp_path / "none") in found["permissions"].message
