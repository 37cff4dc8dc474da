"""Changes in the directory reach the officers whom they concern: in their language, once, and no further than
the ceiling allows.
"""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bots.officers.roles import Role
from bots.showing.release import Ceiling
from bots.showing.render import Reader
from bots.state.officers import Officer
from bots.telling.notices import plan, render_notice
from bots.wording.words import SPOKEN
from schemas.vocabulary import Language, Tlp
from subscribers.records import Filters, Notice
from tests.support.node import DirectNode
from tests.support.officers_bot import BotStage, bot_on, running_sandbox, says, text_of
from tests.support.world import eventually

COMMUNITY = "c0" * 16
OPEN = Ceiling(Tlp.GREEN, Tlp.AMBER)


def notice(number: int = 1, **fields: Any) -> Notice:  # fields of a model
    given = {
        "number": number,
        "at": "2026-03-01T08:30:00Z",
        "kind": "membership",
        "community": COMMUNITY,
        "slug": "balkans",
        "title": "Balkan route",
        "agency": "kz-cab",
        "agency_name": "Kazakhstan",
        "op": "add",
        "role": "member",
        "by": ["fr-dgx", "ch-fedpol"],
        "effective": "2026-03-01T13:00:00Z",
        "index": 4,
    }
    return Notice.model_validate({**given, **fields})


def told(given: Notice, language: Language = Language.ENGLISH, ceiling: Ceiling = OPEN) -> str:
    rendered = render_notice(given, ceiling, Reader(language, ZoneInfo("Europe/Paris")))
    (part,) = rendered.parts
    return part.plain


def officer(number: int, role: Role = Role.READER) -> Officer:
    zone = ZoneInfo("UTC")
    return Officer(number, f"O{number}", role, Language.ENGLISH, zone, None, number, number, reachable=True)


def test_who_is_told() -> None:
    subscriptions = {
        1: [Filters()],
        2: [Filters(communities=frozenset({"balkans"}))],
        3: [Filters(communities=frozenset({COMMUNITY}))],
        4: [Filters(communities=frozenset({"elsewhere"}))],
    }
    everybody = [*map(officer, range(1, 6)), officer(6, Role.ADMINISTRATOR)]
    assert [each.officer for each in plan(notice(), everybody, subscriptions)] == [1, 2, 3, 6]
    keys = notice(kind="keys", community=None, slug="", title="", op=None, by=[])
    assert [each.officer for each in plan(keys, everybody, subscriptions)] == [6]


@pytest.mark.parametrize("language", SPOKEN)
def test_a_change_names_who_by_whom_and_when(language: Language) -> None:
    for fields in ({}, {"role": "reader"}, {"op": "remove"}):
        text = told(notice().model_copy(update=fields), language)
        for word in ("Kazakhstan", "Balkan route", "fr-dgx", "ch-fedpol", "14:00", "UTC+1"):
            assert word in text
        assert ("community propose remove balkans kz-cab" in text) is (fields.get("op") != "remove")


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("kind", ["community", "keys", "revoked", "identity", "agency", "root"])
def test_every_kind_has_words(kind: str, language: Language) -> None:
    given = notice(kind=kind, op=None, effective=None, version=3, threshold=2)
    text = told(given, language)
    assert ("Kazakhstan" in text) is (kind not in {"community", "root"})
    assert "{" not in text


ALOUD = "12345 67890 12345 67890 12345 67890 12345 67890"


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("kind", ["replacing", "objected", "withdrawn", "identity"])
@pytest.mark.parametrize("disputed", [False, True])
def test_what_becomes_of_an_identity_is_said(kind: str, disputed: bool, language: Language) -> None:
    given = notice(kind=kind, op=None, by=[], community=None, fingerprint=ALOUD, disputed=disputed)
    text = told(given, language)
    assert "Kazakhstan" in text
    assert ("14:00" in text) is (kind == "replacing")
    assert (ALOUD in text) is (kind in {"replacing", "identity"})
    assert [each.officer for each in plan(given, [officer(1)], {})] == [1]


@pytest.mark.parametrize("language", SPOKEN)
def test_below_its_marking_a_chat_learns_only_that_something_waits(language: Language) -> None:
    rendered = render_notice(
        notice(),
        Ceiling(Tlp.CLEAR, Tlp.AMBER),
        Reader(language, ZoneInfo("UTC")),
        repeated=True,
    )
    (part,) = rendered.parts
    assert rendered.passing
    for word in ("Kazakhstan", "kz-cab", "Balkan", "balkans", "fr-dgx", "14:00", "community"):
        assert word not in part.plain + part.html


async def follows(stage: BotStage, number: int) -> None:
    """Return once the bot knows how far the node's notices went."""

    async def there() -> bool:
        return (await stage.state.memory.data("notices")).get("number") == number

    await eventually(there)


async def test_officers_are_told_once_whatever_is_restarted(tmp_path: Path) -> None:
    node = DirectNode()
    node.api.owners.told = [notice(1, agency_name="Before the bot")]
    async with running_sandbox() as (sandbox, client):
        async with bot_on(sandbox, client, tmp_path, node) as stage:
            chief = await stage.enrol("Claire", administrator=True)
            await stage.enrol("Ed")
            await follows(stage, 1)
            node.api.owners.told += [notice(2), notice(3, op="remove", agency_name="Gone")]
            first = await chief.next_message(says("Kazakhstan"))
            assert "Balkan route" in text_of(first)
            await chief.next_message(says("Gone"))
        async with bot_on(sandbox, client, tmp_path, node) as stage:
            node.api.owners.told.append(notice(4, agency_name="After"))
            await chief.next_message(says("After"))
            messages = [text_of(each) for each in await chief.transcript()]
    for name, times in (("Kazakhstan", 1), ("Gone", 1), ("After", 1), ("Before the bot", 0)):
        assert sum(name in each for each in messages) == times


async def test_a_node_that_began_anew_is_followed(tmp_path: Path) -> None:
    node = DirectNode()
    node.api.owners.told = [notice(number) for number in range(1, 8)]
    async with running_sandbox() as (sandbox, client):
        async with bot_on(sandbox, client, tmp_path, node) as stage:
            chief = await stage.enrol("Claire", administrator=True)
            await follows(stage, 7)
            node.api.owners.told.append(notice(8, agency_name="Last of the old"))
            await chief.next_message(says("Last of the old"))
        node.api.owners.told = [notice(1, agency_name="Restored")]
        async with bot_on(sandbox, client, tmp_path, node) as stage:
            await follows(stage, 1)
            node.api.owners.told.append(notice(2, agency_name="First of the new"))
            await chief.next_message(says("First of the new"))
