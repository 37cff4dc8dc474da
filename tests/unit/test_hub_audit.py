from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hub.operating.meter import Meter, Taken
from hub.operating.scribe import act_of, refusals, told_settings
from hub.operating.trail import START, Act, Check, Entry, entry, named, parse
from hub.settings import HubSettings
from schemas.errors import FormatError, OperationError

ACTS = [
    Act("hub", "start", detail={"version": "1"}),
    Act("ann", "admit", "fra", detail={"endpoints": ["A1"], "sha256": "0" * 64}),
    Act("bob", "suspend", "fra", "not_found"),
    Act("hub", "quarantine", "A1", detail={"code": "expired", "count": 3}),
]


def chain() -> list[Entry]:
    made: list[Entry] = []
    for act in ACTS:
        before = made[-1].digest if made else START
        made.append(entry(before, len(made) + 1, 1_000 * len(made), "hub", act))
    return made


def lines(entries: list[Entry]) -> list[bytes]:
    return [each.to_bytes() for each in entries]


def test_a_whole_chain_holds_and_reads_back() -> None:
    check = Check()
    check.follow(lines(chain()))
    assert (check.number, check.digest) == (4, chain()[-1].digest)
    assert [parse(each) for each in lines(chain())] == chain()


def test_a_check_goes_on_behind_what_was_noted() -> None:
    check = Check(2, chain()[1].digest)
    check.follow(lines(chain())[2:])
    assert check.number == 4


def _changed(made: list[Entry]) -> list[bytes]:
    made[1] = replace(made[1], act=replace(made[1].act, who="eve"))
    return lines(made)


def _rewritten(made: list[Entry]) -> list[bytes]:
    made[1] = entry(made[0].digest, 2, made[1].at, "hub", Act("eve", "admit", "fra"))
    return lines(made)


def _dropped(made: list[Entry]) -> list[bytes]:
    return lines([made[0], *made[2:]])


def _moved(made: list[Entry]) -> list[bytes]:
    return lines([made[0], made[2], made[1], made[3]])


def _junk(made: list[Entry]) -> list[bytes]:
    return [lines(made)[0], b"{}", *lines(made)[2:]]


def _spaced(made: list[Entry]) -> list[bytes]:
    kept = lines(made)
    return [kept[0], kept[1].replace(b":", b": ", 1), *kept[2:]]


@pytest.mark.parametrize(
    "tampered, number, what",
    [
        (_changed, 2, "was changed"),
        (_rewritten, 3, "was changed"),
        (_dropped, 2, "is missing"),
        (_moved, 2, "is missing"),
        (_junk, 2, "cannot be read"),
        (_spaced, 2, "cannot be read"),
    ],
)
def test_tampering_is_noticed_and_named(
    tampered: Callable[[list[Entry]], list[bytes]], number: int, what: str
) -> None:
    check = Check()
    with pytest.raises(OperationError, match=rf"entry {number} .*{what}") as refused:
        check.follow(tampered(chain()))
    assert refused.value.code == "store_corrupt"
    assert check.number == number - 1


def test_an_order_is_told_by_what_came_of_it() -> None:
    done = act_of("suspend", {"who": "fra", "by": "ann\x1b[2J"}, {"result": {"endpoints": ["A1", "A2"]}})
    assert done == Act("ann[2J", "suspend", "fra", "done", {"endpoints": ["A1", "A2"]})
    refused = act_of("suspend", {"who": "xyz"}, {"error": {"code": "not_found"}})
    assert refused == Act("unknown", "suspend", "xyz", "not_found", {})
    admitted = act_of("admit", {"request": "cQ=="}, {"result": {"agency": "fra", "endpoint": "A1"}})
    assert (admitted.object, admitted.detail["endpoints"]) == ("fra", ["A1"])
    assert len(admitted.detail["sha256"]) == 64


def test_refusals_are_summed_up_once() -> None:
    meter, told = Meter(), Counter[tuple[str, str]]()
    meter.settled(
        [Taken("A1", "expired", 1, 0), Taken("A1", "expired", 1, 0), Taken("A2", "admitted", 1, 0)], 1
    )
    assert refusals(meter, told) == [Act("hub", "quarantine", "A1", detail={"code": "expired", "count": 2})]
    assert refusals(meter, told) == []
    meter.settled([Taken("A1", "expired", 1, 0)], 1)
    assert [each.detail["count"] for each in refusals(meter, told)] == [1]


def test_no_password_of_a_url_is_kept(tmp_path: Path) -> None:
    told = told_settings(HubSettings(state=tmp_path, nats="nats://u:secret@a:4222, nats://b:4222"))
    assert told["nats"] == "nats://a:4222,nats://b:4222"
    assert told_settings(HubSettings(state=tmp_path))["nats"] is None


@pytest.mark.parametrize("member", [None, "hub-1"])
def test_settings_are_read_back_as_they_were_written(tmp_path: Path, member: str | None) -> None:
    told = told_settings(HubSettings(state=tmp_path, member=member, traces_ratio=0.01))
    written = entry(START, 1, 1_000, "hub", Act("hub", "settings", detail={"now": told}))
    assert parse(written.to_bytes()) == written


def test_a_name_is_cut_to_what_fits() -> None:
    assert named(7) == "unknown"
    assert len(named("x" * 500)) == 64


def test_what_is_no_entry_is_refused() -> None:
    with pytest.raises(FormatError, match="not an entry"):
        parse(b'{"number":0}')
