"""What chat may not show: the way that is named leads there, and tells no marking that may not be told."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bots.drafting.policy import Ruling, TwoPersons
from bots.drafting.review import Seen, reviewed
from bots.drafting.screens import above, locked
from bots.officers.roles import Role
from bots.parsing.actions import encode
from bots.showing.release import Ceiling
from bots.showing.render import Reader, render
from bots.showing.ways import Way, to_change, to_go_on, to_read, to_write, way
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.times import zone
from bots.wording.markup import plain
from bots.wording.words import words
from schemas.vocabulary import Language, Tlp
from tests.support.half_draft import HELD
from tests.support.node_api import make_record
from tests.support.quiet_house import staged

ROOM = Ceiling(room="https://room.example")
SAY = words(Language.ENGLISH)
TERMINAL = "\nWrite it on your agency’s terminal, with /draft in this program:\nliaison-agency chat"
LINK = "\nWrite it in the reading room, under “Write”: /room"
PASSKEY = (
    "\nWrite it in the reading room, under “Write”: https://room.example\nSign in there with a passkey made"
    " at your agency’s terminal: /room does not reach TLP:RED. Without such a passkey, "
)
ASK = (
    "ask your administrator for a link that makes one. The administrator types, on your agency’s machine:\n"
    "liaison-bot officer passkey NAME"
)
SELF = "make yourself a link for one. Type, on your agency’s machine:\nliaison-bot officer passkey NAME"
TWO = "\nA second officer must release it, and a terminal has one."
CHANGE_TERMINAL = "\nAmend or retract it on your agency’s terminal, in this program:\nliaison-agency chat"
CHANGE_LINK = (
    "\nAmend or retract it on its page in the reading room. /room is enough to do that and to send it for"
    " release; releasing it there takes a passkey made at your agency’s terminal."
)
CHANGE_PASSKEY = (
    "\nAmend or retract it on its page in the reading room. A passkey made at your agency’s terminal opens it"
    " there; /room signs you in up to TLP:AMBER+STRICT only. Without such a passkey, "
)
ALL = Ceiling(room=ROOM.room, by_link=Tlp.RED)
LOW = Ceiling(room=ROOM.room, by_passkey=Tlp.AMBER_STRICT)
AMBER = HELD.with_(tlp=Tlp.AMBER)


@pytest.mark.parametrize(
    "tlp, ceiling, two, told",
    [
        (Tlp.AMBER_STRICT, ROOM, False, LINK + TERMINAL),
        (Tlp.RED, ROOM, False, PASSKEY + ASK + TERMINAL),
        (Tlp.RED, ALL, False, LINK + TERMINAL),
        (Tlp.RED, LOW, False, TERMINAL),
        (Tlp.RED, Ceiling(), False, TERMINAL),
        (Tlp.RED, ROOM, True, PASSKEY + ASK),
        (Tlp.AMBER, ROOM, True, LINK),
    ],
)
def test_where_it_is_written(tlp: Tlp, ceiling: Ceiling, told: str, *, two: bool) -> None:
    assert plain(to_write(tlp, ceiling, SAY, two=two)) == told
    officer = Officer(1, "Ed", Role.DRAFTER, Language.ENGLISH, zone("UTC"), None, 1, 1, reachable=True)
    assert above(officer, tlp, ceiling, two=two).parts[0].plain.endswith(told)


def test_without_a_room_it_is_said_that_a_terminal_cannot_release_what_two_must() -> None:
    assert plain(to_write(Tlp.RED, Ceiling(), SAY, two=True)).startswith(TERMINAL + TWO)


@pytest.mark.parametrize(
    "tlp, ceiling, two, told",
    [
        (Tlp.AMBER, ROOM, True, CHANGE_LINK),
        (Tlp.AMBER, ROOM, False, CHANGE_LINK + CHANGE_TERMINAL),
        (Tlp.RED, ROOM, True, CHANGE_PASSKEY + ASK),
        (Tlp.RED, Ceiling(), False, CHANGE_TERMINAL),
        (Tlp.AMBER, Ceiling(room=ROOM.room, by_link=Tlp.GREEN, by_passkey=Tlp.GREEN), False, CHANGE_TERMINAL),
    ],
)
def test_where_it_is_changed(tlp: Tlp, ceiling: Ceiling, told: str, *, two: bool) -> None:
    assert plain(to_change(tlp, ceiling, SAY, two=two)) == told
    assert plain(to_change(Tlp.RED, Ceiling(), SAY, two=True)).startswith(CHANGE_TERMINAL + TWO)


def test_of_what_only_waits_the_way_tells_no_marking() -> None:
    waiting = (Tlp.AMBER_STRICT, Tlp.RED)
    for ceiling in (ROOM, ALL, LOW, Ceiling()):
        for told in (to_read, to_go_on, partial(to_change, two=True)):
            assert len({str(told(each, ceiling, SAY)) for each in waiting}) == 1, (ceiling, told)
        shown = {
            render(make_record(1, tlp=each.value), ceiling, Reader(Language.ENGLISH, zone("UTC")))
            .parts[0]
            .plain
            for each in waiting
        }
        assert len(shown) == 1
    assert "only a passkey" in to_read(Tlp.RED, ROOM, SAY)
    assert "only a passkey" not in to_read(Tlp.AMBER, ROOM, SAY) + to_read(Tlp.RED, ALL, SAY)
    assert "A passkey made at" in plain(to_go_on(Tlp.RED, ROOM, SAY))
    amber = plain(to_go_on(Tlp.AMBER, ROOM, SAY))
    assert "/room is enough to read and change it" in amber
    assert "releasing it there takes a passkey made at your agency’s terminal" in amber
    assert plain(to_go_on(Tlp.RED, ROOM, SAY)).endswith("Without such a passkey, " + ASK)
    assert plain(to_go_on(Tlp.RED, ROOM, SAY, administers=True)).endswith("Without such a passkey, " + SELF)
    assert to_go_on(Tlp.RED, Ceiling(), SAY) == ()
    assert to_read(Tlp.RED, Ceiling(), SAY) == "Read it on your agency's terminal."
    stubs = Ceiling(stub=Tlp.RED, room=ROOM.room, by_passkey=Tlp.AMBER)
    assert way(Tlp.RED, stubs) is Way.TERMINAL
    assert to_go_on(Tlp.RED, stubs, SAY) == ()
    assert to_read(Tlp.RED, stubs, SAY) == "Read it on your agency's terminal."


async def test_chat_sends_red_where_red_can_be_written(tmp_path: Path) -> None:
    async with staged(tmp_path, room="https://room.example") as stage:
        await stage.asks("/draft")
        assert (await stage.presses(stage.button("TLP:RED"))).endswith(PASSKEY + SELF + TERMINAL)
        await stage.asks("/draft")
        assert (await stage.presses(stage.button("TLP:AMBER+STRICT"))).endswith(LINK + TERMINAL)


async def test_at_a_terminal_two_release_where_the_policy_says_so(tmp_path: Path) -> None:
    async with staged(
        tmp_path, Tlp.RED, role=Role.RELEASER, two=TwoPersons.ABOVE_GREEN, within=True
    ) as stage:
        asked = await stage.asks("/draft")
        assert "👥 TLP:AMBER, TLP:AMBER+STRICT, TLP:RED" + TWO in asked
        kept = await stage.state.drafts.begin(1, AMBER, "once", stage.clock.now())
        shown = await stage.presses(encode("draft", "view", kept.id))
        assert "Drone over the stadium" in shown
        assert TWO in shown
        assert [stage.button(each) for each in ("Release", "Send for release")] == ["", ""]
        assert stage.button("Change")
        for data in (encode("draft", each, kept.id, AMBER.seal) for each in ("go", "send")):
            assert TWO in await stage.presses(data)
        assert stage.node.api.once == {}
        await stage.state.drafts.discard(kept, stage.clock.now())
        green = HELD.with_(tlp=Tlp.GREEN)
        kept = await stage.state.drafts.begin(1, green, "other", stage.clock.now())
        shown = await stage.presses(encode("draft", "view", kept.id))
        assert "Here you release alone: at a terminal the role counts" in shown
        assert "Released as" in await stage.presses(stage.button("Release"))


async def test_in_chat_nothing_is_said_of_terminals(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        kept = await stage.state.drafts.begin(1, HELD.with_(tlp=Tlp.GREEN), "once", stage.clock.now())
        assert "terminal" not in await stage.presses(encode("draft", "view", kept.id))


@pytest.mark.parametrize("tlp", ["TLP:AMBER+STRICT", "TLP:RED"])
async def test_what_only_waits_is_not_changed_here_and_its_marking_is_not_told(
    tmp_path: Path, tlp: str
) -> None:
    record = make_record(1, tlp=tlp).model_copy(update={"own": True})
    async with staged(tmp_path, room="https://room.example", stub=Tlp.AMBER) as stage:
        await stage.node.arrive(record)
        for order in ("amend", "retract"):
            told = await stage.asks(f"/{order} {record.bulletin.ref}")
            assert f"{record.bulletin.ref} is marked above what may be in this chat." in told
            assert "\nAmend or retract it on its page in the reading room." in told
            assert CHANGE_TERMINAL in told
            assert "RED" not in told
            (button,) = stage.door.sent[-1][1][0]
            assert button.url == f"https://room.example/app/{record.bulletin.ref}?in=en"


async def test_what_two_must_release_is_changed_in_the_room_alone(tmp_path: Path) -> None:
    record = make_record(1, tlp="TLP:AMBER").model_copy(update={"own": True})
    async with staged(tmp_path, room="https://room.example", two=TwoPersons.ABOVE_GREEN) as stage:
        await stage.node.arrive(record)
        for order in ("amend", "retract"):
            told = await stage.asks(f"/{order} {record.bulletin.ref}")
            assert told.endswith("is marked above what may be in this chat." + CHANGE_LINK)


def test_who_releases_what_is_not_for_chat_is_led_to_it() -> None:
    kept = Kept(7, 1, 1, AMBER, "waiting", 1, "", None, official=False, ref="", note="", via="", changed=0.0)
    releaser = Officer(2, "Amina", Role.RELEASER, Language.ENGLISH, zone("UTC"), None, 1, 1, reachable=True)
    for tlp, passkey in ((Tlp.AMBER, False), (Tlp.RED, True)):
        record = make_record(1, tlp=tlp.value, title=AMBER.title)
        shown = reviewed(releaser, kept, Seen(record, ROOM, Ruling.RELEASE), said="Daniel asks.")
        text = "".join(each.plain for each in shown.parts)
        assert text.startswith("Daniel asks.")
        assert "Draft 7 is marked above what may be in this chat." in text
        assert ("liaison-bot officer passkey NAME" in text) is passkey
        assert "terminal." not in text.replace("made at your agency’s terminal.", "")
        assert "Drone" not in text
        for each in (shown, locked(releaser, replace(kept, body=HELD.with_(tlp=tlp)), ROOM)):
            ((button,),) = each.rows
            assert button.url == "https://room.example/write/7"
