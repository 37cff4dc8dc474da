"""What is said of people is looked at again in time, or no longer found; who wrote it is reminded."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.encoding import instant
from schemas.errors import OperationError
from schemas.vocabulary import AlarmName
from subscribers.judging.alarms import Raised, listed
from subscribers.records import Filters, Page
from subscribers.storage.archive import NewRecord
from subscribers.storage.reviews import Overdue
from subscribers.telling.reviewing import Reviewer, reminders_of
from tests.support.archive import new_record, replacing
from tests.support.federation import AT, COM
from tests.support.lone_core import US, Lone, lone

DAY = 86_400_000


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Lone]:
    async with lone(tmp_path) as made:
        await made.keep(said(1, AT + DAY), said(2, AT + 2 * DAY, agency="fra"), about_nobody(3))
        yield made


def said(number: int, review: int, *, agency: str = US) -> NewRecord:
    """A bulletin about a person, ours unless another agency's."""
    made = new_record(
        number,
        agency=agency,
        community=COM,
        received=AT,
        kind="subject",
        subjects=[{"type": "person", "name": "Salim Example"}],
        personal={"legal_basis": "Act", "review": instant(review), "correction": "the office"},
    )
    return replace(made, own=agency == US)


def about_nobody(number: int) -> NewRecord:
    return new_record(number, agency=US, community=COM, received=AT)


async def found(node: Lone) -> set[str]:
    """What the words and the name find."""
    pages: list[Page] = [
        await node.core.archive.search("drone"),
        await node.core.archive.latest(Filters(subjects=frozenset({"Salim Example"}))),
    ]
    words, names = ({each.bulletin.ref for each in page.items} for page in pages)
    assert names == words - {"FRA-2026-0003"}
    return words


async def reminders(node: Lone) -> list[Raised]:
    return [
        each for each in await listed(node.core.store, 10, past=True) if each.key.name is AlarmName.REVIEW
    ]


async def test_what_is_past_its_review_is_no_longer_found_but_still_there(node: Lone) -> None:
    reviewer = Reviewer(node.core, node.republisher)
    assert await reviewer.look() == 3600.0
    assert await found(node) == {"FRA-2026-0001", "FRA-2026-0002", "FRA-2026-0003"}
    node.now[0] = AT + DAY - 1_000
    assert await reviewer.look() == 1.0
    node.now[0] = AT + DAY
    await reviewer.look()
    assert await found(node) == {"FRA-2026-0002", "FRA-2026-0003"}
    assert (await node.core.archive.get("FRA-2026-0001")).flags == {"review_due"}
    assert (await node.core.archive.get("FRA-2026-0002")).flags == frozenset()


async def test_who_wrote_it_is_reminded_until_it_is_amended(node: Lone) -> None:
    reviewer = Reviewer(node.core, node.republisher)
    node.now[0] = AT + 3 * DAY
    await reviewer.look()
    (standing,) = await reminders(node)
    assert (standing.key.community, standing.detail, standing.ended) == (COM, "FRA-2026-0001", None)
    await reviewer.look()
    assert [each.times for each in await reminders(node)] == [1], "once, not at every look"
    await node.keep(replace(replacing(4, "amendment", 1, agency=US, community=COM, received=AT), own=True))
    await reviewer.look()
    assert [each.ended for each in await reminders(node)] == [AT + 3 * DAY]


async def test_nobody_is_reminded_of_what_others_wrote(node: Lone) -> None:
    await node.keep(replace(replacing(4, "retraction", 1, agency=US, community=COM, received=AT), own=True))
    node.now[0] = AT + 3 * DAY
    await Reviewer(node.core, node.republisher).look()
    assert await reminders(node) == []
    with pytest.raises(OperationError):
        await node.core.archive.get("FRA-2026-0009")


def test_a_reminder_names_a_few() -> None:
    overdue = [Overdue("a", f"FRA-2026-{number:04}") for number in range(1, 8)] + [
        Overdue("b", "FRA-2026-0009")
    ]
    assert reminders_of(overdue) == {
        "a": "FRA-2026-0001, FRA-2026-0002, FRA-2026-0003, FRA-2026-0004, FRA-2026-0005 and 2 more",
        "b": "FRA-2026-0009",
    }
