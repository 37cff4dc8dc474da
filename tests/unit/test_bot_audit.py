"""The audit is only added to, and shows when somebody changed it all the same."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.officers.audit import COLUMNS, START, Act, Entry, as_csv, broken_at, link
from bots.officers.roles import Role
from bots.showing.release import Sight
from bots.state import State
from bots.state.audit import CHUNK, Glimpse, Wanted

TEXT = st.text(max_size=5)
ACTS = st.builds(Act, st.none() | st.integers(1, 9), TEXT, TEXT, TEXT, TEXT, TEXT)
SHOWN = Act(7, "Ed", "telegram", "/show", "FRA-2026-1001", "full")


def chained(acts: list[Act]) -> list[Entry]:
    entries, digest = [], START
    for number, act in enumerate(acts, 1):
        digest = link(digest, number, number * 10, act)
        entries.append(Entry(number, number * 10, act, digest))
    return entries


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    async with await State.open(tmp_path / "state") as opened:
        yield opened


@given(st.lists(ACTS, min_size=1, max_size=5), st.data())
def test_a_chain_shows_where_it_was_changed(acts: list[Act], data: st.DataObject) -> None:
    entries = chained(acts)
    assert broken_at(entries, 0, START) is None
    at = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(ACTS.filter(lambda act: act != acts[at]))
    forged = [*entries[:at], replace(entries[at], act=other), *entries[at + 1 :]]
    assert broken_at(forged, 0, START) == at + 1
    later = [*entries[:at], replace(entries[at], at=entries[at].at + 1), *entries[at + 1 :]]
    assert broken_at(later, 0, START) == at + 1
    if at + 1 < len(entries):
        assert broken_at([*entries[:at], *entries[at + 1 :]], 0, START) == at + 1


def test_a_name_is_no_formula_in_a_spreadsheet() -> None:
    entries = chained([Act(1, "=HYPERLINK(1)", "telegram", "/help", "", 'a "quoted", one')])
    columns, row = csv.reader(io.StringIO("".join(as_csv(entries))))
    assert tuple(columns) == COLUMNS
    assert row[3] == "'=HYPERLINK(1)"
    assert row[7] == 'a "quoted", one'
    assert row[1] == "1970-01-01T00:00:00.010Z"


async def test_what_is_written_at_once_is_numbered_and_whole(state: State) -> None:
    await asyncio.gather(*(state.audit.write([SHOWN, SHOWN], float(at)) for at in range(1, 21)))
    await state.audit.write([], 21.0)
    entries = await state.audit.all()
    assert [each.number for each in entries] == list(range(1, 41))
    assert await state.audit.verify() is None
    assert await state.audit.head() == (40, entries[-1].digest)


async def test_nobody_waits_for_ever_for_what_could_not_be_written(state: State) -> None:
    bad = replace(SHOWN, object=None)  # type: ignore[arg-type]
    asked = [asyncio.ensure_future(state.audit.write([each], 1.0)) for each in (bad, SHOWN)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(each, Exception) for each in told)
    await state.audit.write([SHOWN], 2.0)
    assert [each.at for each in await state.audit.all()] == [2000]


async def test_who_is_cancelled_takes_nobody_along(state: State) -> None:
    asked = [asyncio.ensure_future(state.audit.write([SHOWN], float(at))) for at in (1, 2)]
    await asyncio.sleep(0)
    asked[0].cancel()
    await asked[1]
    assert [each.at for each in await state.audit.all()] == [1000, 2000]


async def test_the_database_neither_changes_nor_drops_an_entry(state: State) -> None:
    await state.audit.write([SHOWN, SHOWN], 1.0)

    def tries(sql: str) -> Callable[[apsw.Connection], object]:
        return lambda connection: connection.execute(sql).fetchall()

    for sql in ("UPDATE audit SET outcome = 'none'", "DELETE FROM audit WHERE number = 2"):
        with pytest.raises(apsw.ConstraintError, match="only added to"):
            await state.store.transact(tries(sql))
    assert len(await state.audit.all()) == 2


async def test_who_writes_into_the_file_is_found_out(state: State) -> None:
    await state.audit.write([SHOWN] * 3, 1.0)

    def forge(connection: apsw.Connection) -> None:
        connection.execute("DROP TRIGGER audit_unchanged")
        connection.execute("UPDATE audit SET object = '' WHERE number = 2")

    await state.store.transact(forge)
    assert await state.audit.verify() == 2


async def test_old_entries_go_and_the_chain_goes_on(state: State) -> None:
    for at in (1.0, 2.0, 3.0):
        await state.audit.write([replace(SHOWN, name=f"at {at}")], at)
    assert await state.audit.prune(0.5) == 0
    assert await state.audit.prune(2.5) == 2
    assert await state.audit.verify() is None
    await state.audit.write([SHOWN], 4.0)
    assert [each.number for each in await state.audit.all()] == [3, 4]
    assert await state.audit.prune(9.0) == 2
    assert await state.audit.verify() is None
    await state.audit.write([SHOWN], 5.0)
    assert (await state.audit.head())[0] == 5
    assert await state.audit.verify() is None


async def test_pages_and_filters(state: State) -> None:
    officer = await state.officers.invite(
        "Irina", Role.READER, code="x" * 32, expires=9.0, zone="UTC", now=1.0
    )
    before = replace(SHOWN, officer=officer.id, name="Irina", object="FRA-2026-1002")
    await state.audit.write([SHOWN, before, replace(before, name="Irene"), SHOWN], 5.0)
    audit = state.audit
    assert [each.number for each in await audit.page(Wanted(officer="irina"), 9)] == [3, 2]
    assert [each.number for each in await audit.page(Wanted(about="FRA-2026-1001"), 9)] == [4, 1]
    assert [each.number for each in await audit.page(Wanted(), 2)] == [4, 3]
    assert [each.number for each in await audit.page(Wanted(), 2, before=3)] == [2, 1]
    assert await audit.page(Wanted(since=6.0), 9) == []
    assert await audit.last_seen() == {7: 5.0, officer.id: 5.0}
    await audit.write([replace(SHOWN, door="outbox"), replace(SHOWN, officer=None, door="machine")], 9.0)
    assert (await audit.last_seen())[7] == 5.0
    assert len(await audit.all()) <= CHUNK


async def test_what_was_shown_is_told_by_door_and_of_old_entries_by_their_verb(
    state: State,
) -> None:
    listed, read = (replace(SHOWN, door="room", verb=each, outcome="done") for each in ("listed", "read"))
    await state.audit.write([listed, SHOWN, replace(SHOWN, object="QDi.901", outcome="done")], 2.0)
    await state.audit.write([read, replace(listed, outcome="title"), replace(read, verb="acknowledged")], 3.0)
    ref = SHOWN.object
    assert sorted(await state.audit.shown(Wanted(SHOWN.name)), key=lambda each: (each.room, each.sight)) == [
        Glimpse(ref, Sight.FULL, 2.0, 2.0),
        Glimpse(ref, Sight.FULL, 3.0, 3.0, room=True),
        Glimpse(ref, Sight.TITLE, 2.0, 3.0, room=True),
    ]
    assert [each.first for each in await state.audit.shown(Wanted(SHOWN.name, since=3.0))] == [3.0, 3.0]
