"""Events: which bulletins are theirs, how they are typed, when they end, what is kept of them."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bots.cells import menu, screens
from bots.cells.bundle import keep, pack
from bots.cells.cells import Cell, begins, belongs, cell_of, ends, wanted
from bots.cells.orders import Change, Close, New, OnDuty, read
from bots.duty.duties import Add, Board
from bots.duty.ringing import Pace, Ways
from bots.duty.roster import Duty, Shift
from bots.officers.roles import Role
from bots.state.officers import Officer
from schemas.errors import OperationError
from schemas.vocabulary import Language, Severity
from subscribers.records import Filters, Record
from tests.support.node_api import SLUG, make_record

GAMES = Cell(1, "games", "Summer Games", first=date(2026, 3, 28), last=date(2026, 3, 29))
PARIS, KATHMANDU = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Kathmandu")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text,order",
    [
        ("", ""),
        ("Summer Games", "Summer Games"),
        ("new Games Summer Games", New("games", "Summer Games")),
        ("games close", Close("games")),
        (
            "games dates 2026-03-28 2026-03-29",
            Change("games", (("first", date(2026, 3, 28)), ("last", date(2026, 3, 29)))),
        ),
        ("games venues North, South Arena", Change("games", (("venues", ("North", "South Arena")),))),
        ("games rings high", Change("games", (("least", Severity.HIGH),))),
        ("games report 07:00", Change("games", (("report", 420),))),
        ("games report off", Change("games", (("report", None),))),
        ("games community alpha", Change("games", (("community", "alpha"),))),
        ("games community none", Change("games", (("community", ""),))),
        (
            "games duty add Ed daily 08:00-20:00",
            OnDuty("games", Add("Ed", Shift(0, 0, 480, 1200, frozenset(range(7))))),
        ),
    ],
)
def test_what_is_typed(text: str, order: object) -> None:
    assert read(text) == order


@pytest.mark.parametrize(
    "text", ["new ! Games", "games dates 2026-03-29 2026-03-28", "games dates x y", "games report 25:00"]
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(OperationError):
        read(text)


def named(number: int, name: str, **fields: object) -> Record:
    return make_record(number, event={"name": name}, **fields)


def test_a_bulletin_belongs_to_the_event_that_it_names_or_in_whose_community_it_is() -> None:
    assert belongs(named(1, "SUMMER games"), GAMES)
    assert not belongs(named(1, "Winter Games"), GAMES)
    assert not belongs(make_record(1), GAMES)
    whole = Cell(2, "all", "Everything", community=SLUG, least=Severity.HIGH)
    assert belongs(make_record(1), whole)
    assert cell_of(named(1, "Summer Games"), [GAMES, whole]) == whole  # it rings sooner
    assert cell_of(named(1, "Summer Games"), [GAMES]) == GAMES
    assert cell_of(make_record(1), [GAMES]) is None
    assert [each.events for each in wanted(GAMES, Filters())] == [{"Summer Games"}]
    assert [each.communities for each in wanted(whole, Filters())] == [frozenset(), {SLUG}]


def test_it_ends_at_midnight_after_its_last_day_by_the_agencys_clocks() -> None:
    assert (begins(GAMES, PARIS), ends(GAMES, PARIS)) == (at("2026-03-27T23:00"), at("2026-03-29T22:00"))
    assert ends(GAMES, KATHMANDU) == at("2026-03-29T18:15")
    assert ends(Cell(1, "x", "X"), PARIS) is None
    assert begins(Cell(1, "x", "X"), PARIS) is None


def test_a_bundle_is_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    records = [named(2, "Summer Games"), named(1, "Summer Games")]
    data = pack(GAMES, records, at("2026-03-30T00:00"))
    assert data == pack(GAMES, records[::-1], at("2026-03-30T00:00"))
    keep(tmp_path / "bundles", "games.zip", data)
    file = tmp_path / "bundles" / "games.zip"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as packed:
        manifest = json.loads(packed.read("manifest.json"))
        lines = packed.read("bulletins.jsonl")
    assert manifest["files"]["bulletins.jsonl"]["sha256"] == sha256(lines).hexdigest()
    assert {Record.model_validate_json(each).bulletin.ref for each in lines.splitlines()} == {
        "FRA-2026-0001",
        "FRA-2026-0002",
    }
    assert (manifest["bulletins"], manifest["closed"]) == (2, "2026-03-30T00:00:00Z")


@pytest.mark.parametrize(
    "zone, at_noon, report, closed",
    [
        (PARIS, "2026-03-28T12:00", "at 07:00", "Mar 28, 2026, 13:00 UTC+1"),
        (KATHMANDU, "2026-03-28T12:00", "at 11:45 (Asia/Kathmandu)", "Mar 28, 2026, 17:45 UTC+5:45"),
        (KATHMANDU, "2026-07-28T12:00", "at 10:45 (Asia/Kathmandu)", "Jul 28, 2026, 17:45 UTC+5:45"),
    ],
)
def test_its_hours_are_told_by_the_officers_clock(
    zone: ZoneInfo, at_noon: str, report: str, closed: str
) -> None:
    ed = Officer(1, "Ed", Role.ADMINISTRATOR, Language.ENGLISH, zone, None, 1, 1, reachable=True)
    now, ways = at(at_noon), Ways(Pace(), PARIS)
    cell, board = replace(GAMES, report=420), Board(1, "", (), Duty(now, ()), {})
    shown = screens.shown(ed, cell, board, ways, follows=True).parts[0].plain
    assert shown.endswith(f"Situation report every day {report}")
    over = replace(cell, closed=now)
    assert f"Closed, {closed}" in screens.shown(ed, over, board, ways, follows=True).parts[0].plain
    assert f"Closed, {closed}" in screens.listed(ed, [over], ways, now).parts[0].plain
    # What is ordered is meant in the agency's zone, which the menu names to who lives in another.
    named = "" if zone is PARIS else " (Europe/Paris)"
    assert f"every day at 07:00{named}\n" in menu.changing(ed, cell, PARIS).parts[0].plain
