import pytest

from schemas.directory import Directory
from schemas.documents import Keys
from schemas.encoding import to_base64
from schemas.errors import Code, LiaisonError
from schemas.limits import DOCUMENT_MAX
from schemas.merkle import Tree
from tests.support.federation import (
    AT,
    COM,
    FRA,
    JPN,
    REGISTRAR,
    ROOTS,
    by_owners,
    code_of,
    directory,
    documents,
    entry,
    envelope,
    memberships,
    root,
)


def test_the_log_is_a_merkle_tree_of_the_documents() -> None:
    tree, known = Tree(), directory()
    for size, document in enumerate(documents()):
        assert known.roots[size] == tree.head.root
        tree = tree.append(document)
    assert known.head == tree.head
    assert known.roots[-1] == tree.head.root
    assert len(known.roots) == known.head.size + 1


def test_who_is_who() -> None:
    known = directory()
    assert known.identity("fra") == FRA.identity.public
    assert [keys.endpoint for keys in known.endpoints_of("fra")] == [FRA.endpoint]
    assert known.kid_of(known.endpoints[FRA.endpoint]) == FRA.kid
    assert known.has_key(FRA.endpoint, FRA.signing.public)
    assert not known.has_key(FRA.endpoint, JPN.signing.public)
    assert not known.has_key("A" * 56, FRA.signing.public)
    with pytest.raises(LiaisonError) as error:
        known.identity("xyz")
    assert error.value.code is Code.UNKNOWN_AGENCY


def test_a_refused_document_changes_nothing() -> None:
    known = directory()
    before = (known.head, dict(known.agencies), known.seen)
    assert code_of(known.apply, envelope(FRA.agency(version=9), REGISTRAR)) is Code.NOT_NEXT
    assert (known.head, dict(known.agencies), known.seen) == before


def test_keys_follow_each_other() -> None:
    rotated = FRA.keys(version=2, signing=to_base64(FRA.next_signing.public))
    known = directory([envelope(rotated, FRA.identity)])
    assert known.endpoints[FRA.endpoint].version == 2
    assert known.has_key(FRA.endpoint, FRA.next_signing.public)
    assert not known.has_key(FRA.endpoint, FRA.signing.public)
    old = known.signers[FRA.kid]
    assert isinstance(old, Keys), "frames that the old key signed before can still be read"
    assert old.version == 1


def test_a_revoked_key_is_nobodys() -> None:
    known = directory([envelope(FRA.revoke(), FRA.identity)])
    assert FRA.kid in known.revoked
    assert known.endpoints_of("fra") == []


def test_membership_entries_do_not_enter_the_tree_of_documents() -> None:
    known = directory()
    added = by_owners(entry(memberships()[COM], id="bra", nbf=AT))
    grown = known.apply_membership(added)
    assert grown.head == known.head
    assert grown.communities[COM].head.size == known.communities[COM].head.size + 1
    assert code_of(grown.apply_membership, added) is Code.NOT_NEXT


def test_a_document_beyond_the_limit() -> None:
    assert code_of(lambda: directory().check(bytes(DOCUMENT_MAX + 1))) is Code.TOO_LARGE
    assert code_of(lambda: directory().check(bytes(DOCUMENT_MAX))) is Code.BAD_JSON


def test_a_root_may_follow_before_there_is_a_hub() -> None:
    first, second = (envelope(root(version=version), ROOTS[0], ROOTS[1]) for version in (1, 2))
    grown = Directory.pinned(first).apply(second)
    assert (grown.root.version, grown.hub) == (2, None)


def test_without_a_fingerprint_the_first_root_is_believed() -> None:
    """For the hub, which made it."""
    assert Directory.pinned(documents()[0]).head.size == 1
