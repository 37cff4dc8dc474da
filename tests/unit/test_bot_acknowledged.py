"""What an officer acknowledged in one place keeps its button in no other."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.showing.release import Ceiling
from bots.state import State
from bots.state.outbox import Sent, Shown, Work, remember
from bots.telling.calling import Caller
from bots.telling.last_moment import Teller
from schemas.vocabulary import Language
from subscribers.records import Record
from tests.support.node_api import make_record
from tests.unit.test_bot_farewell import Quick, enrolled

ENGLISH = Language.ENGLISH
GREEN = make_record(1, severity="high")


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    async with await State.open(tmp_path / "state") as opened:
        yield opened


async def shown(state: State, officer: int, record: Record, *messages: int, part: int = 0) -> None:
    for each in messages:
        place = Shown(officer, each, record.bulletin.id, "en", part)
        await state.outbox.note(officer, place, time.time())


async def works(state: State) -> list[tuple[Work, Sent]]:
    """All that waits, each with its message, one after the other; it counts as done then."""
    found = []
    while due := await state.outbox.candidates(time.time() + 1, (), 9):
        for each in due:
            sent = await state.outbox.message(each.target or 0)
            assert sent is not None
            found.append((each, sent))
            await state.outbox.finish(each)
    return found


async def test_the_officers_other_messages_of_it_lose_the_button_once(state: State) -> None:
    ed, irina = await enrolled(state, "Ed", 1, ENGLISH), await enrolled(state, "Irina", 2, ENGLISH)
    await shown(state, ed, GREEN, 11, 12, 13)
    await shown(state, ed, GREEN, 14, part=1)
    await shown(state, ed, make_record(2), 15)
    await shown(state, irina, GREEN, 21)
    await state.outbox.acknowledge(GREEN.bulletin.id, ed, time.time(), pressed=12)
    assert [(each.body, sent.message) for each, sent in await works(state)] == [
        ("acknowledged", 11),
        ("acknowledged", 13),
    ]
    await shown(state, ed, GREEN, 16)  # it says so from the beginning
    await state.outbox.acknowledge(GREEN.bulletin.id, ed, time.time())
    assert await works(state) == []


@pytest.mark.parametrize(
    "record, labels",
    [
        (GREEN, ["✅ Acknowledged"]),
        (make_record(1, tlp="TLP:AMBER"), ["✅ Acknowledged"]),
        (GREEN.model_copy(update={"state": "retracted"}), []),
        (GREEN.model_copy(update={"flags": frozenset({"expired"})}), []),
        (make_record(1, body="A long line of a long text.\n\n" * 300), []),
    ],
    ids=["in full", "a stub", "retracted", "expired", "of several messages"],
)
async def test_the_buttons_are_those_of_what_is_acknowledged(
    state: State, record: Record, labels: list[str]
) -> None:
    ed, now = await enrolled(state, "Ed", 1, ENGLISH), time.time()
    await state.store.transact(lambda connection: remember(connection, record, now))
    await shown(state, ed, record, 11)
    await state.outbox.acknowledge(record.bulletin.id, ed, now)
    ((work, sent),) = await works(state)
    teller = Teller(state, Ceiling(), Caller(state, Quick(), Ceiling()))
    rows = await teller.buttons(work, sent, record)
    assert [each.text for row in rows for each in row if "cknowledge" in each.text] == labels
    assert bool(rows) is bool(labels)
