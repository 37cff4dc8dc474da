import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.merkle import EMPTY_ROOT, Head, Log, Tree, check_consistency, paths, root_from_path
from tests.vectors import rfc9162
from tests.vectors.rfc9162 import ENTRIES


@pytest.mark.parametrize("size", range(34))
def test_roots_and_proofs_are_those_of_the_rfc(size: int) -> None:
    log = Log(ENTRIES)
    root = rfc9162.root(ENTRIES[:size])
    assert log.root(size) == root
    assert Log(ENTRIES[:size]).head == (size, root)
    for index in range(size):
        path = log.inclusion(index, size)
        assert path == rfc9162.path(index, ENTRIES[:size])
        assert root_from_path(ENTRIES[index], index, size, path) == root
    for old in range(1, size + 1):
        proof = log.consistency(old, size)
        assert proof == rfc9162.proof(old, ENTRIES[:size])
        assert check_consistency(Head(old, rfc9162.root(ENTRIES[:old])), Head(size, root), proof)
    assert log.consistency(0, size) == []
    assert check_consistency(Head(0, EMPTY_ROOT), Head(size, root), [])


@pytest.mark.parametrize("size", range(1, 34))
def test_no_other_past_is_consistent(size: int) -> None:
    log = Log(ENTRIES)
    for old in range(1, size + 1):
        past, now = Head(old, log.root(old)), Head(size, log.root(size))
        proof = log.consistency(old, size)
        assert not check_consistency(past._replace(root=bytes(32)), now, proof)
        assert not check_consistency(past, now._replace(root=bytes(32)), proof)
        assert not check_consistency(past, now, [*proof, bytes(32)])
        if proof:
            assert not check_consistency(past, now, proof[:-1])
            assert not check_consistency(past, now, [proof[0][:31], *proof[1:]])
        for place in range(len(proof)):
            assert not check_consistency(past, now, [*proof[:place], bytes(32), *proof[place + 1 :]])
        for other in range(1, size + 1):
            if other != old:
                assert not check_consistency(Head(other, past.root), now, proof)


def test_what_no_proof_can_show() -> None:
    log = Log(ENTRIES)
    now = log.head
    assert not check_consistency(now, Head(5, log.root(5)), [])
    assert not check_consistency(Head(-1, EMPTY_ROOT), now, [])
    assert not check_consistency(Head(0, bytes(32)), now, [])
    assert not check_consistency(Head(0, EMPTY_ROOT), now, [bytes(32)])
    assert not check_consistency(now, now, [bytes(32)])


def test_what_is_not_in_the_log_has_no_proof() -> None:
    log = Log(ENTRIES[:5])
    for wrong in (
        lambda: log.root(6),
        lambda: log.root(-1),
        lambda: log.inclusion(5, 5),
        lambda: log.inclusion(-1, 5),
        lambda: log.inclusion(0, 6),
        lambda: log.consistency(4, 3),
        lambda: log.consistency(-1, 3),
        lambda: log.consistency(1, 6),
    ):
        with pytest.raises(ValueError, match="no such"):
            wrong()


@given(st.lists(st.binary(max_size=40), max_size=300), st.data())
def test_a_log_is_a_tree_that_proves(entries: list[bytes], data: st.DataObject) -> None:
    log, tree, heads = Log(), Tree(), [Head(0, EMPTY_ROOT)]
    for entry in entries:
        log.append(entry)
        tree = tree.append(entry)
        heads.append(tree.head)
    assert log.head == tree.head
    new = data.draw(st.integers(0, len(entries)))
    old = data.draw(st.integers(0, new))
    assert log.root(new) == heads[new].root
    assert check_consistency(heads[old], heads[new], log.consistency(old, new))
    if new:
        index = data.draw(st.integers(0, new - 1))
        path = log.inclusion(index, new)
        assert root_from_path(entries[index], index, new, path) == heads[new].root


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


def test_a_log_does_not_shrink_even_to_the_same_root() -> None:
    root = rfc9162.root(ENTRIES[:2])
    assert not check_consistency(Head(2, root), Head(1, root), [])
    assert not check_consistency(Head(-1, root), Head(1, root), [])
