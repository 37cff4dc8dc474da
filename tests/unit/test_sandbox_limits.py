"""Flood control and planned faults, without a server."""

from __future__ import annotations

import pytest

from bots.sandbox.faults import Fault, FaultKind, Faults
from bots.sandbox.guard import own_host, own_origin
from bots.sandbox.limits import UNLIMITED, FloodControl, Limits, Rate


def test_a_chat_takes_a_burst_then_one_a_second() -> None:
    flood = FloodControl(Limits(overall=None, chat=Rate(1.0, 3), group=None))
    assert [flood.spend(7, group=False, now=100.0) for _ in range(4)] == [0, 0, 0, 1]
    assert flood.spend(7, group=False, now=100.5) == 1
    assert flood.spend(7, group=False, now=101.0) == 0
    assert flood.spend(8, group=False, now=101.0) == 0


def test_a_group_takes_twenty_a_minute() -> None:
    flood = FloodControl(Limits())
    waits = [flood.spend(-5, group=True, now=100.0) for _ in range(21)]
    assert waits == [0] * 20 + [3]
    assert flood.spend(-5, group=True, now=103.0) == 0


def test_all_chats_together_take_thirty_a_second() -> None:
    flood = FloodControl(Limits())
    assert [flood.spend(chat, group=False, now=5.0) for chat in range(1, 32)] == [0] * 30 + [1]
    assert flood.spend(31, group=False, now=6.0) == 0


def test_a_refused_message_costs_nothing() -> None:
    flood = FloodControl(Limits(overall=Rate(1.0, 2), chat=Rate(1.0, 1), group=None))
    assert flood.spend(1, group=False, now=0.0) == 0
    assert flood.spend(1, group=False, now=0.0) == 1
    assert flood.spend(2, group=False, now=0.0) == 0


def test_an_edit_counts_overall_only() -> None:
    flood = FloodControl(Limits(overall=Rate(1.0, 2), chat=Rate(1.0, 1), group=None))
    assert [flood.spend(None, group=False, now=0.0) for _ in range(3)] == [0, 0, 1]


def test_no_limits() -> None:
    flood = FloodControl(UNLIMITED)
    assert {flood.spend(1, group=False, now=0.0) for _ in range(1000)} == {0}


def test_faults_are_used_up_in_order_and_by_chat() -> None:
    faults = Faults()
    faults.plan(Fault(FaultKind.TOO_MANY, "sendmessage", times=2, retry_after=7))
    faults.plan(Fault(FaultKind.BLOCKED, "*", chat_id=5))
    assert faults.take("getMe", None) is None
    first = faults.take("sendMessage", 4)
    assert first is not None
    refusal = first.refusal()
    assert refusal is not None
    assert refusal.parameters == {"retry_after": 7}
    assert faults.take("sendMessage", 4) is first
    assert faults.take("sendMessage", 4) is None
    blocked = faults.take("sendMessage", 5)
    assert blocked is not None
    assert blocked.kind is FaultKind.BLOCKED
    assert faults.planned == ()


@pytest.mark.parametrize("options", [{"times": 0}, {"retry_after": 0}, {"kind": FaultKind.MIGRATE}])
def test_senseless_faults_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"a .*fault needs"):
        Fault(**{"kind": FaultKind.TOO_MANY, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host,fine",
    [
        ("127.0.0.1:80", True),
        ("localhost:80", True),
        ("[::1]:80", True),
        ("localhost", True),
        ("localhost:81", False),
        ("example.org:80", False),
        ("127.0.0.1.example.org:80", False),
        ("127.0.0.1:80@example.org", False),
        ("127.0.0.1:x", False),
        ("", False),
    ],
)
def test_only_the_servers_own_name_is_a_good_host(host: str, fine: bool) -> None:
    assert own_host(host, 80) is fine
    assert own_origin(f"http://{host}", 80) is fine
    assert own_origin(f"https://{host}", 80) is False
    assert own_origin("null", 80) is False
