"""Which changes an agency is told of, kept in the transaction of the change, each once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from schemas.card import Card
from schemas.encoding import to_base64
from schemas.errors import LiaisonError
from schemas.vocabulary import Realm
from subscribers.directory.notices import history, last_number, newest, read
from subscribers.owning.communities import found
from subscribers.records import Notice
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.federation import (
    AT,
    BRA,
    COM,
    DAY,
    EXE,
    FRA,
    JPN,
    OTHER,
    REGISTRAR,
    UNX,
    Party,
    by_owners,
    code_of,
    directory,
    documents,
    entry,
    envelope,
    memberships,
    seed,
)


@asynccontextmanager
async def ledger_of(path: Path, agency: str, name: str = "node.db") -> AsyncIterator[Ledger]:
    async with await Store.open(path / name, bytes(32), tables.NODE) as store:
        yield await Ledger.load(store, agency)


async def grow(ledger: Ledger) -> None:
    """The federation's directory, as its node gets it."""
    for each in documents():
        await ledger.append(each, membership=False, now=AT)
    for log in memberships().values():
        for each in log:
            await ledger.append(each, membership=True, now=AT)


async def all_of(ledger: Ledger) -> list[Notice]:
    return await read(ledger.store, ledger.known(), ledger.cards, 0, 100)


async def test_members_are_told_from_their_own_entry_on(tmp_path: Path) -> None:
    """`unx` joined third: what came before is history."""
    async with ledger_of(tmp_path, "unx") as ledger:
        await grow(ledger)
        told = [each for each in await all_of(ledger) if each.kind == "membership"]
        assert [(each.community, each.agency, each.op, each.role, each.index) for each in told] == [
            (COM, "unx", "add", "reader", 2)
        ]
        assert told[0].by == ["fra", "jpn"]
        assert told[0].slug == COM
        before = await last_number(ledger.store)
        removal = by_owners(entry(memberships()[COM], op="remove", id="unx", nbf=AT + DAY))
        await ledger.append(removal, membership=True, now=AT + 1)
        (news,) = await read(ledger.store, ledger.known(), ledger.cards, before, 10)
        assert (news.op, news.agency, news.effective, news.number) == (
            "remove",
            "unx",
            "2026-02-01T08:30:00Z",
            before + 1,
        )
        assert (await newest(ledger.store, ledger.known(), ledger.cards, 1)) == [news]
        assert code_of(history, ledger.known().communities[EXE], ledger.known()) is None
        changes = history(ledger.known().communities[COM], ledger.known())
        assert [(each.op, each.agency, each.by) for each in changes][2:] == [
            ("add", "unx", ["fra", "jpn"]),
            ("remove", "unx", ["fra", "jpn"]),
        ]


async def test_a_community_of_nobody_has_no_history_yet() -> None:
    community, document = found(directory(), Realm.LIVE, ["fra"], AT, FRA.identity)
    known = directory([document])
    with pytest.raises(LiaisonError, match="not_found"):
        history(known.communities[community], known)


async def test_an_entry_that_is_refused_is_no_notice(tmp_path: Path) -> None:
    async with ledger_of(tmp_path, "jpn") as ledger:
        await grow(ledger)
        before = await last_number(ledger.store)
        alone = envelope(entry(memberships()[COM], id="bra"), FRA.identity)
        with pytest.raises(LiaisonError):
            await ledger.append(alone, membership=True, now=AT)
        assert await last_number(ledger.store) == before


async def test_keys_identities_and_roots_are_told_to_fellows(tmp_path: Path) -> None:
    signing = to_base64(JPN.next_signing.public)
    changes = [
        envelope(JPN.keys(version=2, signing=signing), JPN.identity),
        envelope(UNX.revoke(), UNX.identity),
        envelope(JPN.agency(version=2, name="Another name"), REGISTRAR),
        envelope(BRA.revoke(), BRA.identity),
        envelope(BRA.agency(version=2, name="Nobody's fellow"), REGISTRAR),
    ]
    async with ledger_of(tmp_path, "fra") as ledger:
        await grow(ledger)
        first = await last_number(ledger.store)
        for each in changes:
            await ledger.append(each, membership=False, now=AT)
        told = await read(ledger.store, ledger.known(), ledger.cards, first, 10)
        assert [(each.kind, each.agency, each.version) for each in told] == [
            ("keys", "jpn", 2),
            ("revoked", "unx", None),
            ("agency", "jpn", 2),
        ]
        assert told[-1].agency_name == "Another name"
        assert {each.kind for each in await all_of(ledger)} >= {"community", "membership"}
        owned = [each for each in await all_of(ledger) if each.kind == "community"]
        assert [(each.community, each.threshold) for each in owned] == [(COM, 2), (EXE, 1), (OTHER, 1)]
    assert seed("bra identity") != seed("jpn identity")


@pytest.mark.parametrize(
    "agency,id,op,expected",
    [
        ("fra", "bra", "add", [(COM, AT + DAY)]),  # its signature is the first
        ("jpn", "bra", "add", []),
        ("jpn", "jpn", "add", [(COM, AT + DAY)]),  # itself
        ("fra", "unx", "remove", []),
        ("unx", "unx", "add", []),  # no owner
    ],
)
async def test_whose_card_is_due(
    tmp_path: Path, agency: str, id: str, op: str, expected: list[tuple[str, int]]
) -> None:
    async with ledger_of(tmp_path, agency) as ledger:
        await grow(ledger)
        async with ledger.store.write() as tx:
            await tx.execute("DELETE FROM cards_due")
        fields = {"op": op, "id": id, "nbf": AT + DAY}
        await ledger.append(by_owners(entry(memberships()[COM], **fields)), membership=True, now=AT)
        assert await ledger.store.query("SELECT community, at FROM cards_due") == expected


@pytest.mark.parametrize("agency,expected", [("fra", {COM, EXE, OTHER}), ("unx", set()), ("bra", set())])
async def test_a_new_endpoint_is_given_the_card_by_whoever_added_its_agency(
    tmp_path: Path, agency: str, expected: set[str]
) -> None:
    other = Party("jpn-second", "JPX")
    async with ledger_of(tmp_path, agency) as ledger:
        await grow(ledger)
        async with ledger.store.write() as tx:
            await tx.execute("DELETE FROM cards_due")
        await ledger.append(JPN.successor(), membership=False, now=AT)
        assert await ledger.store.query("SELECT * FROM cards_due") == []  # that endpoint has the card
        second = envelope(other.keys(agency="jpn"), JPN.identity)
        await ledger.append(second, membership=False, now=AT)
        assert {each for (each,) in await ledger.store.query("SELECT community FROM cards_due")} == expected


async def test_what_is_founded_keeps_its_name_until_it_is_sealed(tmp_path: Path) -> None:
    card = Card(slug="cell", title="Cell")
    async with ledger_of(tmp_path, "fra") as ledger, ledger.store.write() as tx:
        await tx.execute("INSERT INTO founded VALUES (?, ?)", (COM, card.to_bytes()))
    async with ledger_of(tmp_path, "fra") as ledger:
        await grow(ledger)
        assert ledger.cards[COM] == ledger.sealed[COM] == card
        told = [each for each in await all_of(ledger) if each.community == COM]
        assert {each.title for each in told} == {"Cell"}
