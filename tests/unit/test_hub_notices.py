from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from hub.operating.certificates import UNREADABLE, ends
from hub.operating.notices import (
    DAY,
    MINUTE,
    Limits,
    Recent,
    Topic,
    after,
    changes,
    for_each,
    readings,
)
from schemas.encoding import from_instant, instant
from schemas.operations import Operation, OperationKind, OperationState
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName
from subscribers.judging.operational import NAMES, take

PK = "A" + "B" * 55
NOW = from_instant("2026-11-26T12:00:00Z")
LIMITS = Limits()
GIB = 1024**3


def facts(
    now: int = NOW, /, *, free: int = 100 * GIB, certificates: Iterable[str] = (), **of: object
) -> dict[str, Any]:
    endpoint = {
        "public": PK,
        "registered": True,
        "suspended": False,
        "traffic_waiting": 0,
        "directory_waiting": 0,
        "last_heard": instant(now),
        "uploaded": 0,
        "refused": {},
        "keys_issued": instant(now),
        **of,
    }
    return {
        "at": instant(now),
        "disk": {"free": free},
        "certificates": {str(n): each for n, each in enumerate(certificates)},
        "upload_limit": 4 * GIB,
        "agencies": [{"id": "fra", "endpoints": [endpoint]}],
    }


class Watch:
    """What is told, look after look."""

    def __init__(self) -> None:
        self.standing: set[Topic] = set()
        self.recent = Recent()

    def told(self, seen: dict[str, Any]) -> list[tuple[str, str]]:
        now = from_instant(seen["at"])
        due = changes(self.standing, readings(seen, LIMITS, self.recent), now)
        self.standing = after(self.standing, due)
        return [(str(record.kind), str(record.state)) for record in due]


@pytest.mark.parametrize(
    "kind, amiss, between, well",
    [
        ("lag", {"traffic_waiting": 900, "directory_waiting": 100}, {"traffic_waiting": 500}, {}),
        ("silence", {"last_heard": instant(NOW - 121 * MINUTE)}, None, {"last_heard": instant(NOW)}),
        ("quota", {"uploaded": 4 * GIB}, {"uploaded": int(3.5 * GIB)}, {"uploaded": 2 * GIB}),
        ("disk", {"free": GIB - 1}, {"free": GIB + 1}, {"free": 2 * GIB}),
        ("expiry", {"keys_issued": instant(NOW - 340 * DAY)}, None, {"keys_issued": instant(NOW)}),
        ("expiry", {"certificates": [instant(NOW + DAY)]}, None, {"certificates": [instant(NOW + 60 * DAY)]}),
    ],
)  # fmt: skip
def test_each_is_told_once_and_over_once(
    kind: str, amiss: dict[str, Any], between: dict[str, Any] | None, well: dict[str, Any]
) -> None:
    watch = Watch()
    assert watch.told(facts()) == watch.told(facts(**(between or {}))) == []
    assert watch.told(facts(last_heard=None)) == [], "an endpoint that has not begun is not silent"
    assert watch.told(facts(**amiss)) == [(kind, "raised")]
    assert watch.told(facts(**amiss)) == watch.told(facts(**(between or amiss))) == []
    assert watch.told(facts(**amiss)) == []
    assert watch.told(facts(**well)) == [(kind, "cleared")]
    assert watch.told(facts(**well)) == []


def test_refusals_count_within_ten_minutes() -> None:
    watch = Watch()

    def refused(minute: int, **codes: int) -> list[tuple[str, str]]:
        return watch.told(facts(NOW + minute * MINUTE, refused=codes))

    assert refused(0, expired=500) == []  # before this hub looked
    assert refused(4, expired=510, not_member=9) == []
    assert refused(8, expired=511, not_member=9) == [("refused", "raised")]
    assert refused(13, expired=511, not_member=9) == []
    assert refused(19, expired=511, not_member=9) == [("refused", "cleared")]


def test_the_most_frequent_refusal_is_named() -> None:
    recent = Recent()
    list(readings(facts(), LIMITS, recent))
    seen = readings(facts(refused={"expired": 5, "not_member": 20}), LIMITS, recent)
    (record,) = changes((), seen, NOW)
    assert (record.code, record.value, record.about) == ("not_member", 25, PK)


def test_what_is_watched_no_longer_is_over() -> None:
    watch = Watch()
    watch.told(facts(traffic_waiting=5000, refused={}))
    watch.standing.add(Topic(OperationKind.REFUSED, PK))
    assert watch.told(facts(traffic_waiting=5000, suspended=True)) == [
        ("lag", "cleared"),
        ("refused", "cleared"),
    ]
    assert watch.told(facts(traffic_waiting=5000, registered=False)) == []


def test_what_stands_is_read_back_from_what_was_told() -> None:
    watch, records = Watch(), list[Operation]()
    for seen in (facts(traffic_waiting=5000, free=0), facts(free=0)):
        due = changes(watch.standing, readings(seen, LIMITS, watch.recent), NOW)
        records += due
        watch.standing = after(watch.standing, due)
    assert after((), records) == watch.standing == {Topic(OperationKind.DISK, "")}


def test_operators_hear_all_and_an_endpoint_what_it_can_hear_of_itself() -> None:
    seen = list(readings(facts(), LIMITS, Recent()))
    heard = for_each(seen, {"A1"})
    assert heard["A1"] == seen
    assert {each.topic.kind for each in heard[PK]} == {
        OperationKind.LAG,
        OperationKind.QUOTA,
        OperationKind.REFUSED,
        OperationKind.EXPIRY,
    }
    assert heard.keys() == {"A1", PK}
    assert for_each(seen, {PK}) == {PK: seen}, "once, though it is both"


def record(kind: OperationKind, state: OperationState = OperationState.RAISED, code: str = "") -> Operation:
    about = "" if kind is OperationKind.DISK else PK
    return Operation(at=NOW, kind=kind, about=about, state=state, value=7 * GIB, limit=GIB, code=code)


def test_a_node_raises_and_ends_by_the_last_word_of_a_batch() -> None:
    alarms, ended = list[Alarm](), list[tuple[AlarmKey, int]]()
    lag = AlarmKey(AlarmName.HUB_LAG, publisher=PK)
    take(record(OperationKind.LAG), alarms, ended, NOW)
    take(record(OperationKind.LAG, OperationState.CLEARED), alarms, ended, NOW)
    assert ([each.key for each in alarms], ended) == ([lag], [(lag, NOW)])
    take(record(OperationKind.LAG), alarms, ended, NOW)
    assert ended == []


@pytest.mark.parametrize("kind", OperationKind)
def test_every_kind_is_an_alarm_with_its_figures(kind: OperationKind) -> None:
    code = {OperationKind.REFUSED: "expired", OperationKind.EXPIRY: "key"}.get(kind, "")
    alarms, ended = list[Alarm](), list[tuple[AlarmKey, int]]()
    take(record(kind, code=code), alarms, ended, NOW)
    (alarm,) = alarms
    assert alarm.key.name is NAMES[kind]
    assert any(each.isdigit() for each in alarm.detail)
    assert code in alarm.detail


def test_the_first_end_of_a_file_counts_and_one_without_certificate_is_told(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    start, days = datetime(2026, 1, 1, tzinfo=UTC), (30, 10)
    made = b""
    for each in days:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = (
            builder.serial_number(each).not_valid_before(start).not_valid_after(start + timedelta(days=each))
        )
        made += builder.sign(key, None).public_bytes(Encoding.PEM)
    good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
    good.write_bytes(made)
    bad.write_bytes(b"nothing")
    assert ends([good, bad, tmp_path / "absent"]) == {
        str(good): "2026-01-11T00:00:00Z",
        str(bad): UNREADABLE,
        str(tmp_path / "absent"): UNREADABLE,
    }
