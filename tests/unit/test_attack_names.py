"""A community's name is chosen by whoever founded it: it must never stand for another community, nor steer a
terminal.
"""

from pathlib import Path

import pytest
from rich.console import Console

from hub.operating.live import screen
from hub.tables import print_quarantine
from schemas.card import Card
from schemas.subjects import is_slug
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store

OURS = "5f1d7a84c3e94b0e9d2a6c7b18f0e35a"
THEIRS = "5f1d7a8400000000000000000000000b"
THIRD = "5f1d7a8400000000000000000000000c"


@pytest.fixture
async def ledger(tmp_path: Path) -> Ledger:
    async with await Store.open(tmp_path / "node.db", bytes(32), tables.NODE) as store:
        return await Ledger.load(store)


def names(ledger: Ledger, *cards: tuple[str, str]) -> dict[str, str]:
    """The short names that a node gives, when cards come in this order."""
    changes = ledger.changes()
    for community, slug in cards:
        changes.name(community, Card(slug=slug, title="T"))
    return {community: card.slug for community, card in changes.cards.items()}


def test_no_community_is_called_as_another_is_identified(ledger: Ledger) -> None:
    given = names(ledger, (THEIRS, OURS), (OURS, "border"))
    assert given[THEIRS] != OURS
    assert given[OURS] == "border"
    assert names(ledger, (OURS, OURS)) == {OURS: OURS}


def test_names_differ_however_the_ids_were_chosen(ledger: Ledger) -> None:
    slug = "border"
    squatted = f"{slug}-{OURS[:8]}"
    given = names(ledger, (THEIRS, slug), (THIRD, squatted), (OURS, slug))
    assert len(set(given.values())) == 3
    assert all(map(is_slug, given.values()))
    assert names(ledger, (THEIRS, slug), (THIRD, slug), (OURS, slug)).keys() == {THEIRS, THIRD, OURS}
    assert len(set(names(ledger, (THEIRS, slug), (THIRD, slug), (OURS, slug)).values())) == 3


def test_names_do_not_style_or_break_what_commands_print(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "[/bold] [link=https://example.test]a[/link] [/]"
    endpoint = {
        "public": "P", "suspended": False, "registered": True, "traffic_waiting": 0, "directory_waiting": 0,
        "last_heard": None, "admitted": 0, "refused": {}, "uploaded": 0,
    }  # fmt: skip
    facts = {
        "hub": evil, "nats": "n", "server": "2", "uptime_s": 1, "fingerprint": "f", "admitted": 0,
        "refused": {}, "intake_waiting": 0, "directory": {"size": 1}, "streams": {}, "replacements": [],
        "leases": {evil: evil}, "disk": {"free": 1, "total": 1},
        "agencies": [{"id": "a", "name": evil, "endpoints": [endpoint]}],
    }  # fmt: skip
    Console().print(screen(facts))
    print_quarantine(
        [{"at": "t", "agency": "a", "code": "c", "message": evil, "size": 1, "sha256": "0" * 64}]
    )
    assert "[/bold]" in capsys.readouterr().out


def test_a_card_is_passed_on_as_it_was_sealed(ledger: Ledger) -> None:
    changes = ledger.changes()
    changes.name(OURS, Card(slug="balkans", title="Balkan route"))
    changes.name(THEIRS, Card(slug="balkans", title="Another route"))
    assert changes.cards[THEIRS].slug != "balkans"
    assert changes.sealed[THEIRS].slug == "balkans"
