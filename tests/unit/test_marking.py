"""An amendment that is marked higher raises the marking of what it amends, in whichever order they come."""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest

from schemas.vocabulary import Tlp
from subscribers.records import Filters
from subscribers.storage import tables
from subscribers.storage.archive import Archive, NewRecord
from subscribers.storage.store import Store
from tests.support.archive import OTHER_COMMUNITY, bulletin_id, new_record, replacing

AGAIN = next(each for each in tables.NODE if "UPDATE bulletins AS t SET tlp" in each)
"""What marks those anew that were there before."""
GREEN = Filters(tlp_at_most=Tlp.GREEN)
RAISES = replacing(2, "amendment", 1, tlp="TLP:AMBER")
ORDERS = [
    ([new_record(1), RAISES], Tlp.AMBER),
    ([new_record(1), RAISES, replacing(3, "amendment", 1, tlp="TLP:CLEAR")], Tlp.AMBER),
    ([new_record(1), replacing(2, "amendment", 1), replacing(3, "amendment", 2, tlp="TLP:RED")], Tlp.RED),
    ([new_record(1), replacing(2, "amendment", 1, tlp="TLP:CLEAR")], Tlp.GREEN),
    ([new_record(1), replacing(2, "amendment", 1, tlp="TLP:RED", agency="kz")], Tlp.GREEN),
    ([new_record(1), replacing(2, "amendment", 1, tlp="TLP:RED", community=OTHER_COMMUNITY)], Tlp.GREEN),
    ([new_record(1), replacing(2, "retraction", 1, tlp="TLP:RED")], Tlp.GREEN),
]


async def held(folder: Path, new: Sequence[NewRecord]) -> tuple[Store, Archive]:
    store = await Store.open(folder / "node.db", bytes(32), tables.NODE)
    for each in new:
        async with store.write() as tx:
            await Archive(store).insert(tx, each)
    return store, Archive(store)


@pytest.mark.parametrize("new,marked", ORDERS)
async def test_the_highest_marking_of_its_originator_counts(
    tmp_path: Path, new: list[NewRecord], marked: Tlp
) -> None:
    for number, order in enumerate(permutations(new)):
        folder = tmp_path / str(number)
        folder.mkdir()
        store, archive = await held(folder, order)
        async with store:
            assert (await archive.get("FRA-2026-0001")).bulletin.tlp is marked
            found = [each.bulletin.id for each in (await archive.search("number1", GREEN)).items]
            assert (bulletin_id(1) in found) == (
                marked.rank <= Tlp.GREEN.rank and new[-1].bulletin.kind != "retraction"
            )


async def test_who_might_read_it_before_is_told_of_the_change(tmp_path: Path) -> None:
    store, archive = await held(tmp_path, [new_record(1), RAISES])
    async with store:
        (change,) = await archive.changes(bulletin_id(2))
        assert change.tlp is Tlp.GREEN


async def test_what_was_kept_before_is_marked_anew(tmp_path: Path) -> None:
    store, archive = await held(tmp_path, [new_record(1), RAISES])
    async with store:
        await store.transact(
            lambda connection: [
                connection.execute(
                    "UPDATE bulletins SET tlp = ? WHERE id = ?", (Tlp.GREEN.rank, bulletin_id(1))
                ),
                connection.execute(AGAIN),
            ]
        )
        assert (await archive.get("FRA-2026-0001")).bulletin.tlp is Tlp.AMBER
