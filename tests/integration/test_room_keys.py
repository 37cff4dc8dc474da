"""A passkey made from chat shows and releases less than one made at the terminal; the room says so."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from yarl import URL

from bots.officers.roles import Role
from bots.state.room import Vouched
from schemas.vocabulary import Kind, Tlp
from tests.support.half_draft import HELD
from tests.support.node import DirectNode
from tests.support.node_api import make_record
from tests.support.passkeys import held
from tests.support.room import Browser, RoomStage, at_the_desk, browser, running_room, signed_in

VOUCHED: Final[tuple[Vouched, ...]] = ("chat", "agency")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[RoomStage]:
    async with running_room(tmp_path, DirectNode(), two_person_release="above-green") as running:
        yield running


async def test_who_used_one_made_from_chat_reads_so_where_it_is_not_enough(stage: RoomStage) -> None:
    said = "The passkey that you signed in with was made from chat: it is not enough for this."
    await stage.node.arrive(make_record(43, tlp="TLP:RED"))
    amina = await stage.enrol("Amina", role=Role.DRAFTER)
    body = HELD.with_(kind=Kind.NOTICE, tlp=Tlp.AMBER)
    kept = await stage.state.drafts.begin(amina.id, body, "once", stage.clock.now())
    assert await stage.state.drafts.send(kept, (), stage.clock.now())
    pages = (f"/write/{kept.id}/passkey", "/b/FRA-2026-0043")
    async with browser(stage) as omar:
        releaser = await signed_in(stage, omar, "Omar", Role.RELEASER)
        for page in pages:
            text = (await omar.get(page))[1]
            assert "Without such a passkey, ask" in text
            assert said not in text, "they came by a link"
        now, era = stage.clock.now(), await stage.state.room.era(releaser.id)
        token = stage.room.sessions.begin(releaser, "chat", era, now, passkey=True)
        omar.session.cookie_jar.update_cookies({stage.room.cookie: token}, URL(stage.origin))
        for page in pages:
            assert said in (await omar.get(page))[1]
        await at_the_desk(stage, omar, releaser)
        assert "FRA-2026-0043 is not shown here" not in (await omar.get(pages[1]))[1]


async def test_a_releaser_reads_what_each_of_their_passkeys_releases(stage: RoomStage) -> None:
    told = (
        "Made from chat: shows bulletins up to TLP:AMBER+STRICT. It does not release drafts above TLP:GREEN.",
        "terminal: shows bulletins up to TLP:RED. It releases drafts up to TLP:RED.",
    )
    async with browser(stage) as omar, browser(stage) as amina:
        text = await _keys(stage, omar, "Omar", Role.RELEASER)
        assert all(each in text for each in told)
        text = await _keys(stage, amina, "Amina", Role.DRAFTER)
        assert "It releases" not in text
        assert "does not release" not in text, "whatever it is made by"


async def _keys(stage: RoomStage, guest: Browser, name: str, role: Role) -> str:
    """The page of passkeys of an officer who has one of each."""
    officer = await signed_in(stage, guest, name, role)
    assert "delete it on your device too" not in (await guest.get("/keys"))[1], "there is none"
    for number, vouched in enumerate(VOUCHED):
        id_ = bytes([officer.id, number])
        await stage.state.room.add(replace(held(), id=id_, officer=officer.id, vouched=vouched))
    text = (await guest.get("/keys"))[1]
    assert "delete it on your device too" in text
    assert "Another one made from chat would do no more" in text
    return text
