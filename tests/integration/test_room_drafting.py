"""A bulletin above the chat's ceiling is written in the reading room, and two persons release it."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.officers.audit import MACHINE, Act
from bots.officers.roles import Role
from bots.state.officers import Officer
from schemas.vocabulary import Language, Tlp
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

FILLED = {
    "tlp": "amber", "com": COMMUNITY, "kind": "threat", "sev": "high", "lang": "en", "title": "Malachite <b>",
    "body": "Seen at noon.", "sum": "", "grade": "B2", "like": "likely", "reg": "fr, DE-BE", "tac": "T1566",
    "refs": "", "event": "Cup\nStadium", "chan": "", "until": "", "cav": "Not for the press", "tl": "fr",
    "tt": "Malachite\nVu à midi.",
}  # fmt: skip


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[RoomStage]:
    async with running_room(tmp_path, DirectNode(), two_person_release="above-green") as running:
        yield running


async def test_the_form_says_why_higher_markings_are_missing(stage: RoomStage) -> None:
    hint = "Above TLP:AMBER+STRICT it takes a passkey made at your agency’s terminal."
    async with browser(stage) as amina:
        officer = await signed_in(stage, amina, "Amina")
        _, text = await amina.get("/write/new")
        assert hint in text
        assert "ask your administrator for a link that makes one" in text
        assert '<code dir="ltr">liaison-bot officer passkey NAME</code>' in text
        await at_the_desk(stage, amina, officer)
        _, text = await amina.get("/write/new")
        assert '<option value="red">TLP:RED</option>' in text
        assert hint not in text
    async with browser(stage) as farah:
        await signed_in(stage, farah, "Farah", Role.ADMINISTRATOR)
        _, text = await farah.get("/write/new")
        assert "make yourself a link for one" in text
        assert "ask your administrator" not in text


async def test_nothing_is_chosen_for_the_writer(stage: RoomStage) -> None:
    """A text that was meant for few would else go out under the lowest marking, or stand in the chat."""
    async with browser(stage) as amina:
        await signed_in(stage, amina, "Amina")
        _, text = await amina.get("/write/new")
        for name in ("tlp", "com", "kind", "sev"):
            asked = rf'<select id="{name}"[^>]* required[^>]*>\s*<option value="" selected>'
            assert re.search(asked, text), name
        token = csrf_in(text)
        status, text = await amina.post("/write/new", csrf=token, **{**FILLED, "tlp": ""})
        assert status == 422
        assert "Choose the marking first: whom may it be told?" in text
        assert "Seen at noon." in text
        assert "No drafts." in (await amina.get("/write"))[1]
        _, text = await amina.post("/write/new", csrf=token, **{**FILLED, "kind": "", "com": ""})
        assert re.search("Still missing: .*Community.*Kind", text)


async def test_amber_is_written_and_released_by_two(stage: RoomStage) -> None:
    async with browser(stage) as amina, browser(stage) as claire:
        await signed_in(stage, amina, "Amina")
        releaser = await signed_in(stage, claire, "Claire", Role.RELEASER)
        _, text = await amina.get("/write/new")
        assert "TLP:AMBER+STRICT" in text
        assert "TLP:RED" not in text  # what the chat vouches for goes no further
        token = csrf_in(text)
        status, text = await amina.post("/write/new", csrf=token, **{**FILLED, "grade": "G9", "refs": "XXX"})
        assert status == 422
        assert "such as B2" in text
        assert "There is no such bulletin here" in text
        assert 'value="Malachite &lt;b&gt;"' in text
        status, text = await amina.post("/write/new", csrf=token, **FILLED)
        assert status == 200
        for each in (
            "Malachite &lt;b&gt;",
            "DRAFT-",
            "Seen at noon.",
            "Not for the press",
            "Send for release",
        ):
            assert each in text, each
        seal = seal_in(text)
        assert (await amina.post("/write/1/send", csrf="x", seal=seal))[0] == 403
        _, text = await amina.post("/write/1/send", csrf=token, seal=seal)
        for each in ("Who may release it: ", "You are told in chat when it is released"):
            assert each in text
        _, text = await claire.get("/write")
        assert "For you to release" in text
        _, text = await claire.get("/write/1")
        assert "passkey made at your agency" in text
        assert "/write/1/release" not in text
        forged = csrf_in(text)  # the chat service can make such a session
        assert (await claire.post("/write/1/release", csrf=forged, seal=seal))[0] == 403
        other = await at_the_desk(stage, claire, releaser)
        await sent_back(stage, claire, other)
        _, text = await amina.get("/write/1/edit")
        await amina.change(1, token, **{**FILLED, "title": "Malachite in Paris", "tl": ""})
        _, text = await amina.get("/write/1")
        came_back(text, (await amina.get("/write"))[1])
        await amina.post("/write/1/send", csrf=token, seal=seal_in(text))
        _, text = await claire.post("/write/1/release", csrf=other, seal=seal)
        assert "It has changed since." in text
        assert published(stage) == []
        _, text = await claire.get("/write/1")
        _, text = await claire.post("/write/1/release", csrf=other, seal=seal_in(text), official="1")
        (record,) = published(stage)
        bulletin = record.bulletin
        for each in (
            "Released as",
            "To change or withdraw it, open its page",
            f'href="/b/{bulletin.ref}"',
        ):
            assert each in text
        assert "/retract" not in text, "chat answers that it is above what may be there"
        assert (bulletin.tlp, bulletin.title, bulletin.regions) == (
            Tlp.AMBER,
            "Malachite in Paris",
            ["DE-BE", "FR"],
        )
        assert (bulletin.drafter, bulletin.releaser) == ("officer-1", "officer-2")
        assert [(each.language, each.official) for each in bulletin.translations] == [(Language.FRENCH, True)]
        assert "Draft 1 was released by " in (await amina.get("/write/1"))[1]
        assert "No drafts." in (await amina.get("/write"))[1]
        rows = await stage.state.store.query(
            "SELECT name, door, verb, object, outcome FROM audit WHERE verb = 'release'"
        )
        assert rows == [("Claire", "room", "release", bulletin.ref, "queued")]
        await asked_once_more(stage, amina, claire, token, other)


def came_back(text: str, listed: str) -> None:
    """The page of a draft that was sent back, and the list, say so; with the reason stands who gave it."""
    assert "Draft 1 came back from Claire:" in text.replace("\u2068", "").replace("\u2069", "")
    assert "Name the city." in text
    assert '<strong class="state">came back</strong>' in listed


async def sent_back(stage: RoomStage, claire: Browser, token: str) -> None:
    """Not without a reason: its author would not know what to change."""
    status, text = await claire.post("/write/1/back", csrf=token, note=" ")
    assert status == 422
    assert '<p class="warning" role="alert">Draft 1: what should be changed? Send a line.</p>' in text
    assert await standing(stage) == "waiting"
    _, text = await claire.post("/write/1/back", csrf=token, note="Name the city.")
    assert "was sent back" in text


async def standing(stage: RoomStage, draft: int = 1) -> str:
    kept = await stage.state.drafts.get(draft)
    assert kept is not None
    return kept.state


async def asked_once_more(stage: RoomStage, amina: Browser, claire: Browser, token: str, other: str) -> None:
    """What came from a phone that was shut out since is released after a question."""
    _, text = await amina.post("/write/new", csrf=token, **FILLED)
    await amina.post("/write/2/send", csrf=token, seal=seal_in(text))
    lost = Act(None, "", MACHINE, "officer lost", "Amina")
    await stage.state.audit.write([lost], time.time())
    _, text = await claire.get("/write/2")
    assert "phone was shut out after this was written" in text
    seal = seal_in(text)
    _, text = await claire.post("/write/2/release", csrf=other, seal=seal)
    assert "release it all the same?" in text
    assert len(published(stage)) == 1
    _, text = await claire.post("/write/2/release", csrf=other, seal=seal_in(text), sure="1")
    assert "Released as" in text


async def test_a_form_is_saved_undone_and_thrown_away(stage: RoomStage) -> None:
    async with browser(stage) as guest:
        await signed_in(stage, guest, "Amina")
        token = csrf_in((await guest.get("/write/new"))[1])
        await guest.post("/write/new", csrf=token, **FILLED)
        more = {
            **FILLED,
            "body": "",
            "kind": "channel",
            "chan": "t.example/x",
            "event": "",
            "tt": "",
            "until": "never",
        }
        status, text = await guest.change(1, token, **more)
        assert status == 422
        assert "never" in text
        status, text = await guest.change(1, token, **{**more, "body": "Other", "until": ""})
        assert status == 200
        assert "t.example/x" in text
        kept = await stage.state.drafts.get(1)
        assert kept is not None
        assert (kept.body.event, kept.body.translations) == (None, ())
        await guest.post("/write/1/undo", csrf=token)
        kept = await stage.state.drafts.get(1)
        assert kept is not None
        assert kept.body.body == "Seen at noon."
        assert "Vu à midi." in (await guest.get("/write/1?in=fr"))[1]
        _, text = await guest.post("/write/1/discard", csrf=token)
        assert "Its text is deleted." in text
        _, text = await guest.post("/write/1/discard", csrf=token, sure="1")
        assert "is discarded" in text
        assert (await guest.get("/write/9"))[1].count("no longer here") == 1
        assert (await guest.get("/write/x"))[0] == 404


async def test_what_is_above_a_session_is_not_written_or_seen_in_it(tmp_path: Path) -> None:
    async with (
        running_room(tmp_path, DirectNode(), room_chat_ceiling="TLP:GREEN") as stage,
        browser(stage) as guest,
    ):
        officer = await signed_in(stage, guest, "Amina")
        token = csrf_in((await guest.get("/write/new"))[1])
        status, _ = await guest.post("/write/new", csrf=token, **FILLED)
        assert status == 422
        async with browser(stage) as at_desk:
            await at_desk.follow(await stage.key_link(officer))
            theirs = csrf_in((await at_desk.get("/write/new"))[1])
            assert "Malachite" in (await at_desk.post("/write/new", csrf=theirs, **FILLED))[1]
        _, text = await guest.get("/write")
        assert "Malachite" not in text
        assert "Not shown under this sign-in: Draft 1." in text
        assert "No drafts." not in text
        for path in ("/write/1", "/write/1/edit"):
            assert "Malachite" not in (await guest.get(path))[1]
        status, text = await guest.get("/write/1")
        assert status == 403
        assert "Draft 1 is not shown here" in text
        assert "ask your administrator for a link that makes one. The administrator types" in text
        assert 'data-to="write/1"' in text, "and back to it"
        async with browser(stage) as stranger:
            assert 'data-to="write/1"' in (await stranger.get("/write/1"))[1]
        async with browser(stage) as another:
            await signed_in(stage, another, "Bela")
            assert "is not shown here" not in (await another.get("/write/1"))[1], "nothing to come in for"


async def test_what_is_withheld_from_chat_is_answered_where_it_is_read(stage: RoomStage) -> None:
    question = make_record(1, kind="request", title="Seen a grey van?", tlp="TLP:AMBER")
    threat = make_record(2, kind="threat", title="Van with false plates", tlp="TLP:AMBER")
    await stage.node.arrive(question, threat)
    async with browser(stage) as amina, browser(stage) as reader:
        await signed_in(stage, amina, "Amina")
        await signed_in(stage, reader, "Ed", Role.READER)
        _, text = await amina.get(f"/b/{question.bulletin.ref}")
        token = csrf_in(text)
        status, text = await amina.post(f"/b/{question.bulletin.ref}/answer/reply", csrf=token)
        assert status == 200
        assert "Answer: Seen a grey van?" in text
        answer = {"tlp": "amber", "com": COMMUNITY, "kind": "response", "sev": "info", "lang": "en"}
        text = (await amina.change(1, token, **{**FILLED, **answer, "body": "Yes, twice."}))[1]
        assert "Yes, twice." in text
        _, text = await amina.post(f"/b/{threat.bulletin.ref}/answer/seen", csrf=token)
        assert f"Seen here: {threat.bulletin.ref}" in text
        _, text = await reader.get(f"/b/{question.bulletin.ref}")
        assert "/answer/" not in text


CHANGING = ("/write/1/edit", "/write/1/undo", "/write/1/discard")
"""What takes a draft that waits out of waiting."""


async def sent(stage: RoomStage, amina: Browser, tlp: str) -> str:
    """A draft that waits for release; the token of its writer's forms."""
    await signed_in(stage, amina, "Amina")
    token = csrf_in((await amina.get("/write/new"))[1])
    _, text = await amina.post("/write/new", csrf=token, **{**FILLED, "tlp": tlp})
    assert all(each in text for each in CHANGING)
    await amina.post("/write/1/send", csrf=token, seal=seal_in(text))
    return token


async def test_who_wrote_what_waits_is_told_for_whom_and_takes_it_back(stage: RoomStage) -> None:
    async with browser(stage) as amina:
        await stage.enrol("Claire", role=Role.RELEASER)
        token = await sent(stage, amina, "amber")
        _, text = await amina.get("/write/1")
        for each in ('<strong class="state">waits for release</strong>', "Who may release it:", "Claire"):
            assert each in text
        assert not any(each in text for each in CHANGING), "nothing that silently takes it back"
        assert "To change or discard it, take it back first." in text
        assert "Once a change is saved" in (await amina.get("/write/1/edit"))[1]
        _, text = await amina.post("/write/1/take", csrf=token)
        assert all(each in text for each in CHANGING)
        assert "waits for release" not in text
        assert "Once a change is saved" not in (await amina.get("/write/1/edit"))[1]


async def test_a_session_by_the_chats_word_is_told_what_it_may_and_sends_back(stage: RoomStage) -> None:
    async with browser(stage) as amina, browser(stage) as omar:
        releaser = await signed_in(stage, omar, "Omar", Role.RELEASER)
        await sent(stage, amina, "amber")
        _, text = await omar.get("/write/1")
        assert "To read, change or send it back, /room is enough." in text
        assert "/write/1/release" not in text
        assert "Once a change is saved, it no longer waits for release until it is sent again." in text
        assert "room.js" not in text, "no script where a draft's text is"
        assert 'href="/write/1/passkey"' in text
        _, asked = await omar.get("/write/1/passkey")
        assert 'data-to="write/1"' in asked
        assert "ask your administrator" in asked
        assert "liaison-bot officer passkey NAME" in asked
        assert "make yourself a link for one" in await asked_of(stage, "Farah", Role.ADMINISTRATOR)
        assert "Malachite" not in asked
        assert "/write/1/release" in await through(stage, releaser)
        _, text = await omar.post("/write/1/back", csrf=csrf_in(text), note="Name the city.")
        assert "was sent back" in text
        assert await standing(stage) == "open"
        assert "no longer here" in (await omar.get("/write/9/passkey"))[1]


async def asked_of(stage: RoomStage, name: str, role: Role) -> str:
    """The page that asks such an officer for a passkey."""
    async with browser(stage) as guest:
        await signed_in(stage, guest, name, role)
        return (await guest.get("/write/1/passkey"))[1]


async def through(stage: RoomStage, releaser: Officer) -> str:
    """The page that asks for a passkey, for who has come in by one: the draft itself."""
    async with browser(stage) as desk:
        await at_the_desk(stage, desk, releaser)
        return (await desk.get("/write/1/passkey"))[1]


async def test_before_release_it_is_said_who_reads_it_and_what_official_means(stage: RoomStage) -> None:
    async with browser(stage) as amina, browser(stage) as claire:
        await signed_in(stage, claire, "Claire", Role.RELEASER)
        await sent(stage, amina, "green")
        _, text = await claire.get("/write/1")
        release = text.index('action="/write/1/release"')
        for each in ("in the community can read it", "only if your agency answers for them: choose"):
            assert text.index(each) < release, each
        assert "Release, translations not official" in text
        assert '<button type="submit" name="official" value="1">Release, translations official' in text
        assert re.search(r'name="note"[^>]* required', text)
        await claire.post("/write/1/release", csrf=csrf_in(text), seal=seal_in(text))
        (record,) = published(stage)
        assert [each.official for each in record.bulletin.translations] == [False]


async def test_no_form_takes_the_place_of_what_was_changed_elsewhere_meanwhile(stage: RoomStage) -> None:
    async with browser(stage) as amina, browser(stage) as other:
        officer = await signed_in(stage, amina, "Amina")
        await other.follow(await stage.link(officer))
        _, text = await amina.get("/write/new")
        await amina.post("/write/new", csrf=csrf_in(text), **FILLED)
        old = (await amina.get("/write/1/edit"))[1]
        token = csrf_in((await other.get("/write"))[1])
        await other.change(1, token, **{**FILLED, "body": "Seen at noon, in Lens."})
        late = {**FILLED, "title": "Malachite in Paris"}
        status, text = await amina.post("/write/1/edit", csrf=csrf_in(old), seal=seal_in(old), **late)
        assert status == 409
        assert "It was changed elsewhere while this form was open" in text
        assert "Malachite in Paris" in text
        assert "Seen at noon, in Lens." in (await amina.get("/write/1"))[1]
        status, text = await amina.post("/write/1/edit", csrf=csrf_in(text), seal=seal_in(text), **late)
        assert status == 200
        assert "Malachite in Paris" in text


async def test_whoever_changes_what_waits_reads_that_it_waits_no_longer_and_sends_it_back(
    stage: RoomStage,
) -> None:
    async with browser(stage) as amina, browser(stage) as claire:
        await signed_in(stage, claire, "Claire", Role.RELEASER)
        await sent(stage, amina, "amber")
        token = csrf_in((await claire.get("/write/1"))[1])
        change = {**FILLED, "tlp": "amber", "title": "Malachite in Paris"}
        _, text = await claire.change(1, token, **change)
        assert "You changed it, so it does not wait for release any more; its author was told." in text
        assert 'action="/write/1/back"' in text
        await claire.post("/write/1/back", csrf=token, note="Name the city.")
        author, listed = await amina.get("/write/1"), await amina.get("/write")
        came_back(author[1], listed[1])
        assert "No drafts." in (await claire.get("/write"))[1]
        with_author = "Draft 1 was sent back and is with its author: Amina."
        pages = [await claire.get("/write/1"), await claire.get("/write/1/edit")]
        pages += [
            await claire.post(f"/write/1/{what}", csrf=token, seal=seal_in(author[1]), sure="1", **change)
            for what in ("edit", "undo", "discard", "send", "take", "release", "back")
        ]
        for _, text in pages:
            assert with_author in text.replace("\u2068", "").replace("\u2069", "")
            assert "/write/1/" not in text, "nothing is to be done with it"
        assert await standing(stage) == "open"
        await stage.enrol("Omar", role=Role.RELEASER)
        await amina.post("/write/1/send", csrf=csrf_in(author[1]), seal=seal_in(author[1]))
        _, text = await claire.get("/write/1")
        assert "You changed it: another officer must release it." in text
        assert "/write/1/release" not in text
