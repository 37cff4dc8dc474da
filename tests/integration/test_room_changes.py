"""A bulletin above the chat's ceiling is amended and retracted in the reading room; two release it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.officers.roles import Role
from bots.state.officers import Officer
from schemas.vocabulary import Kind, Relation, Tlp
from subscribers.records import Record
from tests.support.node import DirectNode
from tests.support.node_api import COMMUNITY, make_record
from tests.support.room import (
    Browser,
    RoomStage,
    at_the_desk,
    browser,
    csrf_in,
    published,
    running_room,
    seal_in,
    signed_in,
)

FRENCH = {"language": "fr", "official": True, "title": "Camionnette", "body": "Vue à midi."}
OWN = make_record(
    5,
    kind="threat",
    tlp="TLP:AMBER",
    title="Grey van",
    body="Seen at noon.",
    grading=None,
    translations=[FRENCH],
).model_copy(update={"own": True})
REF = OWN.bulletin.ref
FORM = {
    "tlp": "amber", "com": COMMUNITY, "kind": "amendment", "sev": "elevated", "lang": "en",
    "title": "Grey van", "body": "Seen at noon.", "sum": "", "grade": "", "like": "", "reg": "", "tac": "",
    "refs": REF, "event": "", "chan": "", "until": "", "cav": "", "tl": "", "tt": "",
}  # fmt: skip
CHANGES = ("amends", "retracts")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[RoomStage]:
    async with running_room(tmp_path, DirectNode(), two_person_release="above-green") as running:
        await running.node.arrive(OWN)
        yield running


def own(number: int, **fields: object) -> Record:
    return make_record(number, tlp="TLP:AMBER", **fields).model_copy(update={"own": True})


async def begun(guest: Browser, what: str) -> str:
    """The form of a change, begun on the bulletin's page."""
    _, text = await guest.get(f"/b/{REF}")
    assert f'action="/b/{REF}/change/{what}"' in text
    assert "Nothing goes out before it is released." in text
    assert (await guest.post(f"/b/{REF}/change/{what}", csrf="x"))[0] == 403
    status, text = await guest.post(f"/b/{REF}/change/{what}", csrf=csrf_in(text))
    assert status == 200
    assert 'action="/write/1/edit"' in text
    return text


async def released(stage: RoomStage, amina: Browser, claire: Browser, releaser: Officer) -> str:
    """The first draft goes out by two: not by one, and not on the chat service's word."""
    _, text = await amina.get("/write/1")
    assert "/write/1/release" not in text
    assert f'href="/b/{OWN.bulletin.id}"' in text, "which bulletin it changes"
    await amina.post("/write/1/send", csrf=csrf_in(text), seal=seal_in(text))
    _, text = await claire.get("/write/1")
    assert "/write/1/release" not in text
    token = await at_the_desk(stage, claire, releaser)
    _, text = await claire.get("/write/1")
    assert published(stage) == []
    return (await claire.post("/write/1/release", csrf=token, seal=seal_in(text)))[1]


async def test_an_own_amber_bulletin_is_amended_by_two(stage: RoomStage) -> None:
    async with browser(stage) as amina, browser(stage) as claire:
        await signed_in(stage, amina, "Amina")
        releaser = await signed_in(stage, claire, "Claire", Role.RELEASER)
        text = await begun(amina, "amends")
        for each in ('value="Grey van"', "Seen at noon.", "Français"):
            assert each in text
        assert 'name="com"' in text
        assert '<select id="com"' not in text, "for whom it is follows from what it changes"
        assert '<option value="green"' not in text, "nor is it marked lower"
        token = csrf_in(text)
        assert 'action="/write/1/edit"' in (await amina.post(f"/b/{REF}/change/amends", csrf=token))[1]
        changed = {**FORM, "body": "Seen at one."}
        status, text = await amina.change(1, token, **{**changed, "tlp": "green"})
        assert status == 422
        assert "It may not be marked lower than what it answers or changes." in text
        _, text = await amina.change(1, token, **changed)
        assert "The text was changed after it was translated" in text
        text = await released(stage, amina, claire, releaser)
        (record,) = published(stage)
        bulletin = record.bulletin
        for each in (
            "Released as",
            "To change or withdraw it, open its page",
            f'href="/b/{bulletin.ref}"',
        ):
            assert each in text
        assert "terminal" not in text
        assert (bulletin.kind, bulletin.tlp, bulletin.body) == (Kind.AMENDMENT, Tlp.AMBER, "Seen at one.")
        assert [(each.relation, each.id) for each in bulletin.links] == [(Relation.AMENDS, OWN.bulletin.id)]
        assert (bulletin.drafter, bulletin.releaser) == ("officer-1", "officer-2")
        _, text = await amina.get(f"/b/{bulletin.ref}")
        assert f"/b/{bulletin.ref}/change/retracts" in text


async def test_an_own_amber_bulletin_is_retracted_by_two(stage: RoomStage) -> None:
    async with browser(stage) as amina, browser(stage) as claire:
        await signed_in(stage, amina, "Amina")
        releaser = await signed_in(stage, claire, "Claire", Role.RELEASER)
        text = await begun(amina, "retracts")
        assert 'value="Retracted: Grey van"' in text
        why = {"kind": "retraction", "title": "Retracted: Grey van", "body": "It was our own van."}
        await amina.change(1, csrf_in(text), **{**FORM, **why})
        await released(stage, amina, claire, releaser)
        (record,) = published(stage)
        assert (record.bulletin.kind, record.bulletin.tlp) == (Kind.RETRACTION, Tlp.AMBER)
        assert [(each.relation, each.id) for each in record.bulletin.links] == [
            (Relation.RETRACTS, OWN.bulletin.id)
        ]
        assert "/change/" not in (await amina.get(f"/b/{record.bulletin.ref}"))[1]


async def test_what_cannot_be_changed_says_so_and_leads_back(stage: RoomStage) -> None:
    retracted = own(6).model_copy(update={"state": "retracted"})
    more = own(8, indicators=[{"pattern": "[ipv4-addr:value = '192.0.2.1']"}])
    theirs, red = make_record(7, tlp="TLP:AMBER"), make_record(9, tlp="TLP:RED", title="Red secret")
    await stage.node.arrive(retracted, theirs, more, red.model_copy(update={"own": True}))
    async with browser(stage) as amina, browser(stage) as ed:
        await signed_in(stage, amina, "Amina")
        await signed_in(stage, ed, "Ed", Role.READER)
        for guest, record, what, told in (
            (ed, OWN, CHANGES, "You do not write bulletins here. Your administrator can change that."),
            (amina, theirs, CHANGES, "Only bulletins of your own agency that stand can be amended"),
            (amina, retracted, CHANGES, "is already retracted."),
            (amina, more, ("amends",), "Amend it on your agency&#39;s terminal."),
        ):
            ref = record.bulletin.ref
            _, text = await guest.get(f"/b/{ref}")
            assert (f"/b/{ref}/change/" in text) is (record is more)
            for each in what:
                _, said = await guest.post(f"/b/{ref}/change/{each}", csrf=csrf_in(text))
                assert told in said
                assert f'href="/b/{ref}"' in said, "to what can be done there"
        ref, token = red.bulletin.ref, csrf_in((await amina.get("/write"))[1])
        status, text = await amina.post(f"/b/{ref}/change/amends", csrf=token)
        assert status == 403
        assert f"{ref} is not shown here" in text
        assert "Red secret" not in text
        assert (await amina.post(f"/b/{ref}/change/related", csrf=token))[0] == 404
        assert (await amina.post("/b/FRA-2026-0099/change/amends", csrf=token))[0] == 404
        assert "No drafts." in (await amina.get("/write"))[1]


async def test_what_was_amended_is_changed_under_the_marking_that_it_has_by_now(stage: RoomStage) -> None:
    first = own(10, title="Old word")
    links = [{"relation": "amends", "id": first.bulletin.id}]
    raised = make_record(11, kind="amendment", tlp="TLP:RED", title="Red secret", links=links)
    changed = {"state": "amended", "replaced_by": raised.bulletin.id}
    calm = own(12).model_copy(update={"state": "amended"})
    await stage.node.arrive(first.model_copy(update=changed), raised, calm)
    async with browser(stage) as amina:
        await signed_in(stage, amina, "Amina")
        _, text = await amina.get(f"/b/{calm.bulletin.ref}")
        assert "/change/" not in text, "a newer one stands in its place"
        status, text = await amina.post(f"/b/{first.bulletin.ref}/change/amends", csrf=csrf_in(text))
        assert status == 403
        assert "Old word" not in text
        assert "No drafts." in (await amina.get("/write"))[1]
