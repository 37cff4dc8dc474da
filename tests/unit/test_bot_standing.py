"""Where a draft stands is told to who has a part in it: that it waits and for whom, or why no longer."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

from bots.dialogue.asking import Pressed, meant
from bots.drafting.draft import HalfDraft
from bots.drafting.policy import Ruling, TwoPersons
from bots.drafting.review import tell_writers
from bots.drafting.review import told as message
from bots.officers.roles import Role
from bots.parsing.actions import encode
from bots.showing.release import Ceiling
from bots.state.drafts import Kept
from bots.state.officers import Officer
from schemas.vocabulary import Kind, Language, Tlp
from tests.support.half_draft import HELD
from tests.support.node_api import make_record
from tests.support.officers_bot import invite
from tests.support.quiet_house import Stage, staged

NOTICE = HELD.with_(kind=Kind.NOTICE)


async def enrolled(stage: Stage, name: str, chat: int, role: Role) -> Officer:
    officer = await stage.state.officers.enrol(
        await invite(stage.state, name, role=role),
        chat=chat,
        person=chat,
        language=Language.ENGLISH,
        now=time.time(),
    )
    assert officer is not None
    return officer


async def ed(stage: Stage) -> Officer:
    officer = await stage.state.officers.by_person(9)
    assert officer is not None
    return officer


async def waiting(stage: Stage, owner: Officer, body: HalfDraft = NOTICE, by: Officer | None = None) -> Kept:
    """A draft of `owner` that was sent for release, changed by somebody else before, if so."""
    drafts = stage.state.drafts
    kept = await drafts.begin(owner.id, body.with_(title="A drone"), f"once-{time.time_ns()}", time.time())
    changed = await drafts.write(kept, (by or owner).id, body, time.time())
    assert changed is not None
    assert await drafts.send(changed, (), time.time())
    found = await drafts.get(kept.id)
    assert found is not None
    return found


async def test_an_author_is_told_that_it_waits_and_for_whom_and_takes_it_back(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.DRAFTER) as stage:
        await enrolled(stage, "Farah", 11, Role.RELEASER)
        await enrolled(stage, "Omar", 12, Role.ADMINISTRATOR)
        kept = await waiting(stage, await ed(stage))
        assert "waits for release" in await stage.asks("/drafts")
        shown = await stage.presses(stage.button(f"Draft {kept.id}"))
        assert "⏳ Draft 1 waits for release. Who may release it: Farah, Omar." in shown
        assert "another officer must" not in shown
        back = stage.button("Take back")
        assert "Your drafts" in await stage.presses(stage.button("◀️"))
        assert "Take back" not in await stage.presses(back)
        again = await stage.state.drafts.get(kept.id)
        assert again is not None
        assert again.state == "open"


async def test_nobody_else_may_release_it(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.DRAFTER) as stage:
        kept = await waiting(stage, await ed(stage))
        shown = await stage.presses(encode("draft", "view", kept.id))
        assert "Draft 1 waits for release.\n⚠️ Nobody else may release it." in shown


async def test_who_only_changed_it_is_told_so_and_why_another_releases_it(tmp_path: Path) -> None:
    for two, told in {
        TwoPersons.ALWAYS: "You changed it: another officer must release it.",
        TwoPersons.OFF: "another officer releases it, or you take it back and release it yourself.",
    }.items():
        async with staged(tmp_path / two, role=Role.RELEASER, two=two) as stage:
            dan = await enrolled(stage, "Daniel", 11, Role.DRAFTER)
            await enrolled(stage, "Omar", 12, Role.RELEASER)
            me = await ed(stage)
            kept = await waiting(stage, dan, by=me)
            shown = await stage.presses(encode("draft", "view", kept.id))
            assert told in shown
            assert "You wrote it" not in shown
            assert "Who may release it: Omar." in shown
            assert "Written by Daniel" in shown
            if two is TwoPersons.ALWAYS:
                own = await waiting(stage, me)
                shown = await stage.presses(encode("draft", "view", own.id))
                assert "You wrote it: another officer must release it." in shown
                assert "Written by" not in shown
                continue
            await stage.presses(stage.button("Take back"))
            await stage.presses(encode("draft", "view", kept.id))
            assert "Released as" in await stage.presses(stage.button("🚀 Release"))


async def told(stage: Stage) -> list[tuple[int, str, str]]:
    """Whom delivery tells what of drafts, and who did it."""
    rows = await stage.state.store.query(
        "SELECT officer, body ->> '$.what', body ->> '$.by' FROM jobs WHERE verb = 'draft' ORDER BY id"
    )
    return [(int(officer), str(what), str(by)) for officer, what, by in rows]


async def test_a_releasers_change_is_told_to_the_author_and_shown_to_both(tmp_path: Path) -> None:
    for two, onward in {
        TwoPersons.OFF: "When you are done, release it or send it back.",
        TwoPersons.ALWAYS: "When you are done, send it for release or send it back.",
    }.items():
        async with staged(tmp_path / two, role=Role.RELEASER, two=two) as stage:
            dan = await enrolled(stage, "Daniel", 11, Role.DRAFTER)
            await enrolled(stage, "Omar", 12, Role.RELEASER)
            kept = await waiting(stage, dan)
            await stage.presses(encode("draft", "ask", kept.id, "title"))
            home = await stage.asks("Two drones")
            pulled = (
                f"You changed it, so it does not wait for release any more; its author was told. {onward}"
            )
            assert pulled in home
            assert "Written by Daniel" in home
            assert "Written by Daniel, Ed" not in home
            assert await told(stage) == [(dan.id, "changed", "Ed")]
            await stage.presses(encode("draft", "ask", kept.id, "title"))
            await stage.asks("Three drones")
            assert len(await told(stage)) == 1, "it waited no longer"
            listed = await stage.asks("/drafts")
            assert "Three drones · ✏️ changed, waits no longer\n✍️ Written by Daniel" in listed
            shown = await stage.presses(encode("draft", "view", kept.id))
            assert pulled in shown
            assert bool(stage.button("🚀 Release")) is (two is TwoPersons.OFF)
            assert bool(stage.button("Send for release")) is (two is TwoPersons.ALWAYS)
            stage.door.sent.clear()
            await stage.house.reception.pressed(
                Pressed(meant(encode("draft", "open", kept.id)), 11, 11, 1, "9")
            )
            assert "Ed changed it, so it does not wait for release any more." in stage.door.sent[-1][0]
            assert not stage.button("Send back")


async def test_who_changed_it_sends_it_back_and_stays_one_of_its_hands(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER, two=TwoPersons.ALWAYS) as stage:
        dan = await enrolled(stage, "Daniel", 11, Role.DRAFTER)
        kept = await waiting(stage, dan)
        await stage.presses(encode("draft", "ask", kept.id, "title"))
        await stage.asks("Two drones")
        assert "what should be changed?" in await stage.presses(stage.button("Send back"))
        assert "Draft 1 was sent back." in await stage.asks("Name the city.")
        assert (await told(stage))[1:] == [(dan.id, "returned", "Ed")]
        assert "No drafts." in await stage.asks("/drafts")
        again = await stage.state.drafts.get(kept.id)
        assert again is not None
        assert (again.state, again.note, again.editor) == ("open", "Name the city.", (await ed(stage)).id)
        assert not again.by_another
        for verb in (("open",), ("view",), ("ask", "title"), ("undo",), ("gone",), ("take",), ("back",)):
            shown = await stage.presses(encode("draft", verb[0], kept.id, *verb[1:]))
            assert "Draft 1 was sent back and is with its author: Daniel." in shown, verb
        assert await stage.state.drafts.get(kept.id) == again
        assert [each.id for each in await stage.state.drafts.of(dan.id)] == [kept.id]
        assert "came back" in await seen_by(stage, 11, encode("draft", "list"))
        assert "Send for release" in await seen_by(stage, 11, encode("draft", "view", kept.id))
        assert await stage.state.drafts.send(again, (), time.time())
        shown = await stage.presses(encode("draft", "view", kept.id))
        assert "You changed it: another officer must release it." in shown
        await stage.presses(stage.button("Take back"))
        assert (await told(stage))[2:] == [(dan.id, "taken", "Ed")]


async def seen_by(stage: Stage, person: int, press: str) -> str:
    """What somebody else is shown for a button, and the names of the buttons there."""
    stage.door.sent.clear()
    await stage.house.reception.pressed(Pressed(meant(press), person, person, 1, "9"))
    return "\n".join([each[0] for each in stage.door.sent] + [str(each[1:]) for each in stage.door.sent])


async def test_what_another_releaser_sends_back_is_its_authors_alone(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER, two=TwoPersons.ALWAYS) as stage:
        dan = await enrolled(stage, "Daniel", 11, Role.DRAFTER)
        omar = await enrolled(stage, "Omar", 12, Role.RELEASER)
        kept = await waiting(stage, dan, by=omar)
        await stage.presses(encode("draft", "back", kept.id))
        await stage.asks("Name the city.")
        assert await told(stage) == [(dan.id, "returned", "Ed"), (omar.id, "returned", "Ed")]
        assert await stage.state.drafts.of(omar.id) == []
        back = await stage.state.drafts.get(kept.id)
        assert back is not None
        (body, _) = [json.loads(each.body) for each in tell_writers(kept, "returned", await ed(stage))]
        for officer, opened in ((dan, [encode("draft", "open", kept.id)]), (omar, [])):
            shown = message(officer, body, back, Ceiling(), Ruling.NEVER)
            assert shown is not None
            assert [each.data for row in shown.rows for each in row] == opened
        await stage.state.drafts.discard(back, time.time(), tell_writers(back, "discarded", dan))
        assert len(await told(stage)) == 2, "it was nobody else's any more"


async def test_why_it_came_back_is_in_the_room_where_chat_may_not_say_it(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        dan = await enrolled(stage, "Daniel", 11, Role.DRAFTER)
        kept = await waiting(stage, dan, NOTICE.with_(tlp=Tlp.RED))
        (job,) = tell_writers(kept, "returned", await ed(stage), note="Name the city.")
        back = replace(kept, state="open", note="Name the city.")
        for room, why, data in (
            ("https://room.example", " What should be changed stands in the reading room.", ""),
            ("", "", encode("draft", "open", kept.id)),
        ):
            shown = message(dan, json.loads(job.body), back, Ceiling(room=room), Ruling.NEVER)
            assert shown is not None
            line = "🔒 Draft 1 is marked above what may be in this chat." + why
            assert shown.parts[0].plain == f"↩️ Draft 1 came back from Ed:\n{line}"
            ((button,),) = shown.rows
            assert (button.data, button.url) == (data, f"{room}/write/1" if room else "")


async def test_nobody_sends_back_what_is_not_theirs_to_return(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        me = await ed(stage)
        own = await stage.state.drafts.begin(me.id, NOTICE, "once", time.time())
        shown = await stage.presses(encode("draft", "back", own.id))
        assert "what should be changed?" not in shown
        assert await told(stage) == []


async def test_an_undo_says_that_it_waits_no_longer(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        own = await waiting(stage, await ed(stage))
        shown = await stage.presses(encode("draft", "undo", own.id))
        assert "The last change is undone. It does not wait for release any more." in shown
        assert await told(stage) == [], "nobody else wrote it"
        dan = await enrolled(stage, "Daniel", 11, Role.DRAFTER)
        other = await waiting(stage, dan)
        shown = await stage.presses(encode("draft", "undo", other.id))
        assert "You changed it, so it does not wait" in shown
        assert await told(stage) == [(dan.id, "changed", "Ed")]


async def test_the_message_is_for_as_long_as_it_is_so(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        me, dan = await ed(stage), await enrolled(stage, "Daniel", 11, Role.DRAFTER)
        kept = await waiting(stage, dan)
        opened = replace(kept, state="open", editor=me.id)
        for what, line in {
            "changed": "✏️ Ed changed Draft 1: it does not wait for release any more.",
            "taken": "↩️ Ed took Draft 1 back: it does not wait for release any more.",
        }.items():
            (job,) = tell_writers(kept, what, me)
            body = json.loads(job.body)
            shown = message(dan, body, opened, Ceiling(), Ruling.NEVER)
            assert shown is not None
            assert shown.parts[0].plain == line
            assert [each.data for row in shown.rows for each in row] == [encode("draft", "open", kept.id)]
            former = message(replace(dan, id=77), body, opened, Ceiling(), Ruling.NEVER)
            assert former is not None
            assert former.rows == (), "who has no hand in it any more cannot open it"
            for over in (kept, None):
                assert message(dan, body, over, Ceiling(), Ruling.NEVER) is None


async def test_an_author_is_told_when_another_discards_it(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        me, dan = await ed(stage), await enrolled(stage, "Daniel", 11, Role.DRAFTER)
        own = await stage.state.drafts.begin(me.id, NOTICE, "once", time.time())
        await stage.presses(encode("draft", "gone", own.id))
        assert await told(stage) == []
        kept = await waiting(stage, dan, by=me)
        assert "is discarded" in await stage.presses(encode("draft", "gone", kept.id))
        assert await told(stage) == [(dan.id, "discarded", "Ed")]
        (job,) = tell_writers(kept, "discarded", me)
        over = await stage.state.drafts.get(kept.id)
        shown = message(dan, json.loads(job.body), over, Ceiling(), Ruling.NEVER)
        assert shown is not None
        assert shown.parts[0].plain == "🗑 Ed discarded Draft 2."


async def test_a_reference_alone_is_no_reason_to_send_back(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        await stage.node.arrive(make_record(42, title="Malachite"))
        kept = await waiting(stage, await enrolled(stage, "Daniel", 11, Role.DRAFTER))
        await stage.presses(encode("draft", "back", kept.id))
        for reference, answer in (
            ("FRA-2026-0042", "Malachite"),
            ("FRA-2026-0099", "There is no such bulletin here."),
        ):
            shown = await stage.asks(reference)
            assert answer in shown
            assert (
                "Draft 1: what should be changed? Send a line. A reference alone opens its bulletin and is"
                " not taken for that line." in shown
            )
        assert await told(stage) == []
        assert "Draft 1 was sent back." in await stage.asks("See FRA-2026-0042.")
        again = await stage.state.drafts.get(kept.id)
        assert again is not None
        assert again.note == "See FRA-2026-0042."


async def test_a_reference_does_not_send_back_what_waits_no_longer(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        await stage.node.arrive(make_record(42, title="Malachite"))
        kept = await waiting(stage, await enrolled(stage, "Daniel", 11, Role.DRAFTER))
        await stage.presses(encode("draft", "back", kept.id))
        assert await stage.state.drafts.take_back(kept, "", (), time.time())
        shown = await stage.asks("FRA-2026-0042")
        assert "Malachite" in shown
        assert "Draft 1 does not wait for release any more" in shown


async def test_the_list_of_drafts_keeps_the_question_what_should_be_changed(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        dan = await enrolled(stage, "Daniel", 11, Role.DRAFTER)
        red = await waiting(stage, dan, NOTICE.with_(tlp=Tlp.RED))
        kept = await waiting(stage, dan)
        wanted = f"Draft {kept.id}: what should be changed? Send a line."
        await stage.presses(encode("draft", "look", red.id))
        assert wanted in await stage.presses(encode("draft", "back", kept.id))
        listed = await stage.asks("/drafts")
        assert "For you to release" in listed
        assert listed.endswith(wanted)
        assert f"Draft {kept.id} was sent back." in await stage.asks("Name the town halls.")
        assert not (await stage.asks("/drafts")).endswith(wanted)
        told_why = await stage.asks("Name the town halls.")
        assert "A short while ago you began or opened something that is above" in told_why, "a red one was"
        assert re.search(r"From \d\d:\d\d UTC(\+\d+)? on, plain words", told_why)


async def test_the_list_of_drafts_says_what_became_of_the_one_to_be_sent_back(tmp_path: Path) -> None:
    async with staged(tmp_path, role=Role.RELEASER) as stage:
        kept = await waiting(stage, await enrolled(stage, "Daniel", 11, Role.DRAFTER))
        await stage.presses(encode("draft", "back", kept.id))
        assert await stage.state.drafts.take_back(kept, "", (), time.time())
        assert "Draft 1 does not wait for release any more" in await stage.asks("/drafts")
