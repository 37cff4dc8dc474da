"""What commands that put a lost machine back say is to be done next."""

from pathlib import Path

from hub.dialling import silent
from hub.recovery.cli import next_steps
from hub.settings import HubSettings
from schemas.errors import Code
from subscribers.commands.keys import after_recovery

THERE = "nats://127.0.0.1:4222"


def test_a_restored_hub_serves_before_it_is_refilled() -> None:
    told = next_steps(HubSettings(state=Path("NEW")))
    assert told.index("liaison-hub serve --state NEW --host 127.0.0.1") < told.index("liaison-hub refill")
    assert told.index("liaison-hub suspend") < told.index("then serve where the agencies look")
    assert "--nats" not in told


def test_a_hub_with_a_server_of_its_own_is_served_with_that() -> None:
    assert f"serve --state NEW --nats {THERE}" in next_steps(HubSettings(state=Path("NEW"), nats=THERE))


def test_who_does_not_answer_is_who_is_to_be_seen_to() -> None:
    for own, fix in ((True, "liaison-hub init --nats-config"), (False, "see that `liaison-hub serve` runs")):
        trouble = silent([THERE], own=own)
        assert trouble.code is Code.HUB_UNREACHABLE
        assert THERE in trouble.message
        assert fix in trouble.fix


def test_a_new_machine_has_the_lost_ones_suspended_and_not_itself() -> None:
    told = after_recovery("NEW", ["OLD", "OLDER"], all_endpoints=True)
    assert told.count("liaison-hub suspend") == 2
    assert "suspend OLD\n" in told
    assert "suspend OLDER\n" in told
    assert "Not NEW" in told


def test_one_that_has_no_others_has_nobody_suspended() -> None:
    assert "suspend" not in after_recovery("NEW", [], all_endpoints=True)


def test_a_copied_machine_is_suspended_itself() -> None:
    told = after_recovery("OURS", [], all_endpoints=False)
    assert "liaison-hub suspend OURS" in told
