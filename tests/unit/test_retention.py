"""What is past its time goes whole, what is on hold stays, and why is written."""

import json
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Kind, Tlp
from subscribers.cli import app
from subscribers.keys import Keyring
from subscribers.recovery.copying import opened
from subscribers.settings import NodeSettings, RetentionRule
from subscribers.storage import tables
from subscribers.storage.archive import Archive, put
from subscribers.storage.retention import DAY, Hold, end, holds, is_purged, place, purge
from subscribers.storage.store import Row, Store, migrate
from tests.support.archive import START, bulletin_id, new_record, replacing
from tests.support.federation import random_from

KEY = bytes(range(32))
LATER = START + 100 * DAY
ALL = [RetentionRule(days=30)]


def filled(connection: apsw.Connection) -> None:
    """1 to 9 without 4, of which 2 has its words, 3 is red; 8 amends 1, 9 retracts 5."""
    migrate(connection, tables.NODE)
    put(connection, new_record(2, body="port strike"))
    put(connection, new_record(3, tlp="TLP:RED"))
    for n in (1, 5, 6, 7):
        put(connection, new_record(n))
    put(connection, replacing(8, "amendment", 1))
    put(connection, replacing(9, "retraction", 5))
    connection.execute("UPDATE republished SET number = 100")


@pytest.fixture
def archive(tmp_path: Path) -> apsw.Connection:
    made = apsw.Connection(str(tmp_path / "plain.db"))
    made.execute("PRAGMA foreign_keys = on").fetchall()
    filled(made)
    return made


def hold(name: str, ref: str | None = None, words: str | None = None, reason: str = "a court asks") -> Hold:
    return Hold(name, ref, words, reason, LATER, "root", None, None, None, 0)


def left(connection: apsw.Connection) -> set[int]:
    return {int(id[-12:], 16) for (id,) in connection.execute("SELECT id FROM bulletins")}


def count(connection: apsw.Connection, table: str) -> int:
    rows: list[Row] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - ours
    return int(rows[0][0])


def code_of(connection: apsw.Connection, made: Hold) -> Code:
    with pytest.raises(LiaisonError) as refused, connection:
        place(connection, made)
    return refused.value.code


def test_what_is_past_its_time_is_gone_whole(archive: apsw.Connection) -> None:
    assert purge(archive, ALL, START + 29 * DAY) == 0
    assert purge(archive, [], LATER) == 0
    assert purge(archive, ALL, LATER) == 8
    assert purge(archive, ALL, LATER) == 0
    for table in ("bulletins", "payloads", "links", "replacements", "facets", "terms", "bulletin_regions"):
        assert count(archive, table) == 0
    assert is_purged(archive, bulletin_id(1))
    assert not put(archive, new_record(1))  # the hub gives it again: it has had its time
    assert put(archive, new_record(20))
    assert archive.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize(
    "rule, gone",
    [
        (RetentionRule(days=30, tlp=Tlp.RED), {3}),
        (RetentionRule(days=30, kind=Kind.RETRACTION), {9}),
        (RetentionRule(days=30, personal=True), set()),
        (RetentionRule(days=30, personal=False, kind=Kind.AMENDMENT), {8}),
        (RetentionRule(days=200), set()),
    ],
)
def test_a_rule_takes_what_it_names(archive: apsw.Connection, rule: RetentionRule, gone: set[int]) -> None:
    before = left(archive)
    purge(archive, [rule], LATER)
    assert before - left(archive) == gone


def test_what_nobody_has_been_given_yet_waits(archive: apsw.Connection) -> None:
    archive.execute("UPDATE republished SET number = 2")
    assert purge(archive, ALL, LATER) == 2


def test_a_hold_keeps_a_bulletin_and_what_concerns_it(archive: apsw.Connection) -> None:
    assert place(archive, hold("one", ref="fra-2026-0001")) == 2
    assert place(archive, hold("two", words="strike")) == 1
    assert (
        place(archive, hold("three", ref="FRA-2026-0005")) == 2
    )  # retracted, and found by no words any more
    put(archive, new_record(30, body="another strike"))
    archive.execute("UPDATE republished SET number = 1000")
    purge(archive, ALL, LATER)
    assert left(archive) == {1, 2, 5, 8, 9, 30}
    assert {each.name: each.bulletins for each in holds(archive, past=False)} == {
        "one": 2,
        "two": 2,
        "three": 2,
    }
    end(archive, "two", "judge", "closed", LATER + 1)
    purge(archive, ALL, LATER)
    assert left(archive) == {1, 5, 8, 9}
    told = {each.name: each for each in holds(archive, past=True)}
    assert (told["two"].ended_by, told["two"].ended_why, told["two"].reason) == (
        "judge",
        "closed",
        "a court asks",
    )
    assert "two" not in {each.name for each in holds(archive, past=False)}


def test_a_hold_that_says_nothing_is_refused(archive: apsw.Connection) -> None:
    place(archive, hold("one", ref="FRA-2026-0001"))
    assert code_of(archive, hold("one", ref="FRA-2026-0002")) is Code.ALREADY_KNOWN
    assert code_of(archive, hold("x", ref="FRA-2026-9999")) is Code.NOT_FOUND
    assert code_of(archive, hold("x", words="...")) is Code.BAD_REQUEST
    for wrong in (hold("x"), hold("x", "a", "b"), hold("", "a"), hold("x", "a", reason=" ")):
        assert code_of(archive, wrong) is Code.BAD_REQUEST
    assert len(holds(archive, past=True)) == 1
    for name, why, code in (("one", "", Code.BAD_REQUEST), ("none", "over", Code.NOT_FOUND)):
        with pytest.raises(LiaisonError) as refused:
            end(archive, name, "root", why, LATER)
        assert refused.value.code is code


async def test_the_commands_work_beside_an_open_archive(tmp_path: Path) -> None:
    state = tmp_path / "agency"
    key = Keyring.create(state / "keys", "esp", "Agency esp", "ESP", random=random_from("hold")).archive
    with opened(state / "node.db", bytes(key), new=True) as made, made:
        filled(made)

    def run(*words: str) -> dict[str, object]:
        done = CliRunner().invoke(app, ["hold", *words, "--state", str(state), "--json"])
        assert done.exit_code == 0, done.output
        said: dict[str, object] = json.loads(done.output)
        return said

    async with await Store.open(state / "node.db", key, tables.NODE) as store:
        assert run("add", "case", "--ref", "FRA-2026-0003", "--reason", "order 4")["bulletins"] == 1
        rules = NodeSettings(retention=[{"days": 30}]).retention  # type: ignore[list-item] # as settings give it
        assert await store.transact(lambda connection: purge(connection, rules, LATER)) == 7
        assert await Archive(store).count() == 1
        assert run("end", "case", "--reason", "over") == {"hold": "case"}
        assert str(run("list", "--all")).count("over") == 1
        assert run("list") == {"holds": []}
    shown = CliRunner().invoke(app, ["hold", "list", "--all", "--state", str(state)])
    assert shown.exit_code == 0
    assert (
        CliRunner().invoke(app, ["hold", "end", "case", "--reason", "x", "--state", str(state)]).exit_code
        == 1
    )
