import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.merkle import Tree, paths, root_from_path

ENTRIES = [bytes((number,)) for number in range(33)]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_entry_leads_to_the_root(size: int) -> None:
    root, trails = paths(ENTRIES[:size])
    for index, trail in enumerate(trails):
        assert root_from_path(ENTRIES[index], index, size, trail) == root
        assert root_from_path(b"another", index, size, trail) != root


@pytest.mark.parametrize("size", range(2, 20))
def test_no_entry_stands_in_anothers_place(size: int) -> None:
    root, trails = paths(ENTRIES[:size])
    for index, trail in enumerate(trails):
        for other in range(size):
            if other != index:
                assert root_from_path(ENTRIES[index], other, size, trail) != root


def test_a_path_must_fit() -> None:
    root, trails = paths(ENTRIES[:5])
    assert root_from_path(ENTRIES[0], 0, 5, trails[0]) == root
    assert root_from_path(ENTRIES[0], 0, 5, trails[0][:-1]) is None
    assert root_from_path(ENTRIES[0], 0, 5, [*trails[0], root]) is None
    assert root_from_path(ENTRIES[0], 0, 5, [trails[0][0][:31], *trails[0][1:]]) is None
    assert root_from_path(ENTRIES[0], -1, 5, trails[0]) is None
    assert root_from_path(ENTRIES[0], 5, 5, trails[0]) is None
    assert root_from_path(ENTRIES[0], 0, 0, []) is None


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=70))
def test_tree_and_paths_agree(entries: list[bytes]) -> None:
    tree = Tree()
    for entry in entries:
        tree = tree.append(entry)
    root, trails = paths(entries)
    assert tree.head == (len(entries), root)
    assert all(
        root_from_path(entry, index, len(entries), trail) == root
        for index, (entry, trail) in enumerate(zip(entries, trails, strict=True))
    )


def test_a_tree_keeps_one_hash_for_each_bit_of_its_size() -> None:
    tree = Tree()
    for entry in ENTRIES:
        tree = tree.append(entry)
        assert len(tree.peaks) == tree.size.bit_count()
