"""A subscription that is changed by the menu that made it, and one that would be there twice."""

import time
from pathlib import Path

import pytest

from bots.dialogue.screens import welcome
from bots.searches.watching import Mode, Search, Subscription, same_as
from bots.times import Quiet
from schemas.vocabulary import Kind, Language, Severity
from subscribers.records import Filters
from tests.support.officers_bot import invite
from tests.support.quiet_house import Stage, staged

NIGHT = Quiet(1_380, 360)
FOREVER = time.time() + 1e6
ENDED = "This form has ended. /subscribe begins a new one."
PORTS = Search(
    name="ferry",
    words="ferry",
    filters=Filters(kinds=frozenset({Kind.CYBER}), regions=frozenset({"FR"})),
    mode=Mode.SILENT,
    quiet=NIGHT,
)


async def held(stage: Stage, *wanted: Search) -> list[Subscription]:
    for each in wanted:
        await stage.state.officers.subscribe(1, each)
    return await stage.state.officers.subscriptions(1)


async def walks(stage: Stage, *labels: str) -> str:
    shown = ""
    for each in labels:
        data = stage.button(each)
        assert data, (each, shown)
        shown = await stage.presses(data)
    return shown


async def test_a_subscription_is_changed_in_its_place(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        before = await held(stage, PORTS, Search(name="Other"))
        await stage.state.officers.snooze(1, before[0].id, FOREVER)
        await stage.state.officers.pause(1, before[0].id, paused=True)
        await stage.asks("/subscriptions")
        home = await walks(stage, "1. ferry", "✏️ Change")
        assert home.startswith(
            "✏️ Subscription “ferry”\nYou will be told of:\nCyber incident · France · the w"
        )
        assert "Until you save it, the subscription stays as it is" in home
        await walks(stage, "Severity", "High", "Back", "Region", "✅ France")
        assert "Germany (DE-BE)" in await stage.asks("DE-BE")
        await walks(stage, "Words")
        await stage.asks('"night ferry"')
        preview = await walks(stage, "Preview")
        assert "Cyber incident · from “High” up · Germany (DE-BE) · the words “night ferry”" in preview
        assert await held(stage) == [
            Subscription(before[0].id, 1, PORTS, paused=True, snoozed=FOREVER),
            before[1],
        ], "until it is saved"
        assert "✅ Saved: subscription “ferry”" in await walks(stage, "Save as “ferry”")
        filters = Filters(
            kinds=frozenset({Kind.CYBER}),
            regions=frozenset({"DE-BE"}),
            severity_at_least=Severity.HIGH,
        )
        after = PORTS.model_copy(update={"words": '"night ferry"', "filters": filters})
        changed = Subscription(before[0].id, 1, after, paused=True, snoozed=FOREVER)
        assert await held(stage) == [changed, before[1]]


async def test_one_that_is_called_by_what_it_looks_for_is_called_anew(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await held(stage, Search(name="drone", words="drone"))
        await stage.asks("/subscriptions")
        await walks(stage, "1. drone", "✏️ Change", "Words")
        await stage.asks("ferry")
        await walks(stage, "Preview", "Save as “ferry”")
        (kept,) = await held(stage)
        assert (kept.search.name, kept.search.words) == ("ferry", "ferry")


async def test_a_change_that_is_cancelled_leaves_it(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        before = await held(stage, PORTS)
        await stage.asks("/subscriptions")
        shown = await walks(stage, "1. ferry", "Change", "Severity", "FLASH", "Back", "Cancel")
        assert shown == "Cancelled. Nothing was changed."
        assert await held(stage) == before
        assert "Subscription “ferry”" in await walks(stage, "Open it")
        await stage.asks("/subscribe")
        await walks(stage, "Preview", "Save as “Everything”")
        assert len(await held(stage)) == 2, "what comes next is a new one"


async def test_a_half_made_change_survives_a_restart(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await held(stage, PORTS)
        await stage.asks("/subscriptions")
        await walks(stage, "1. ferry", "Change", "Severity", "High", "Back")
        preview = stage.button("Preview")
    async with staged(tmp_path, again=True) as stage:
        await stage.presses(preview)
        await walks(stage, "Save as")
        (kept,) = await held(stage)
        assert kept.filters.severity_at_least is Severity.HIGH


async def test_what_is_changed_no_more_is_not_made_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (one,) = await held(stage, PORTS)
        await stage.asks("/subscriptions")
        await walks(stage, "1. ferry", "Change", "Preview")
        save = stage.button("Save as")
        await stage.state.officers.unsubscribe(1, one.id)
        gone = "This subscription is no longer there. Nothing was saved."
        assert await stage.presses(save) == gone
        assert await stage.presses(f"sub:change:{one.id}") == gone
        assert await held(stage) == []
        code = await invite(stage.state, "Amina")
        other = await stage.state.officers.enrol(code, chat=8, person=8, language=Language.ENGLISH, now=1.0)
        assert other
        theirs = await stage.state.officers.subscribe(other.id, PORTS)
        assert await stage.presses(f"sub:change:{theirs.id}") == gone
        assert await stage.state.officers.change(1, theirs.id, Search()) is None
        assert await stage.state.officers.subscriptions(other.id) == [theirs]


async def test_a_button_of_another_draft_saves_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        before = await held(stage, PORTS)
        await stage.asks("/subscriptions")
        await walks(stage, "1. ferry", "Change", "Preview")
        save = stage.button("Save as")
        await stage.asks("/subscribe")
        assert (await stage.presses(save)).startswith("👁 Subscription “Everything”"), (
            "the draft that there is"
        )
        assert await held(stage) == before


async def test_the_same_is_not_saved_twice(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        before = await held(stage, Search(name="My drones", words="drones stadiums"))
        await stage.asks("/subscribe")
        await walks(stage, "Words")
        await stage.asks("Stadiums DRONES")
        told = "⚠️ You have this already: subscription “My drones”. No second one is saved."
        assert told in await walks(stage, "Preview")
        assert not stage.button("Save as")
        opened = await walks(stage, "Open it")
        assert opened.startswith("🔔 Subscription “My drones”")
        assert await stage.presses("sub:save:0") == told, "a button from before there was one"
        assert await held(stage) == before
        await walks(stage, "Back", "Severity", "High", "Back", "Preview", "Save as")
        assert len(await held(stage)) == 2


async def test_a_menu_whose_draft_was_saved_from_another_message_leads_to_what_was_saved(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage:
        await stage.asks("/subscribe")
        form, preview = stage.door.sent[-1][1], stage.button("Preview")
        await walks(stage, "Words")
        asking, back = stage.door.sent[-1][1], stage.button("Back")
        await stage.asks("drone or stade")
        await walks(stage, "Preview", "Save as")
        before = await held(stage)
        for data, rows in ((preview, form), (back, asking), ("sub:save:0", form), ("sub:drop", form)):
            shown = await stage.presses(data, rows)
            assert shown == "✅ Saved already: subscription “drone or stade”"
            assert "drone or stade" in await walks(stage, "Open it")
        assert await held(stage) == before
        await stage.state.officers.unsubscribe(1, before[0].id)
        assert await stage.presses(back, asking) == ENDED


async def test_a_menu_whose_draft_is_gone_says_so_and_saves_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.asks("/subscribe")
        form, preview = stage.door.sent[-1][1], stage.button("Preview")
        await walks(stage, "Words")
        asking, back = stage.door.sent[-1][1], stage.button("Back")
        await stage.presses("sub:drop", form)
        assert await stage.presses(preview, form) == ENDED
        assert await stage.presses(back, asking) == ENDED
        assert await held(stage) == []
        (officer,) = await stage.state.officers.all()
        way_in = welcome(officer).rows
        assert "New subscription" in await stage.presses("sub:home", way_in), "no menu of ours"


async def test_a_change_that_makes_it_the_same_as_another_is_not_saved(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        before = await held(stage, PORTS, Search(name="Other"))
        await stage.asks("/subscriptions")
        shown = await walks(stage, "2. Other", "Change", "Preview")
        assert "You have this already" not in shown, "it is itself"
        await walks(stage, "Back", "Words")
        await stage.asks("ferry")
        await walks(stage, "Kind", "Cyber incident", "Back", "Region")
        await stage.asks("FR")
        assert "You have this already: subscription “ferry”." in await walks(stage, "Preview")
        assert await held(stage) == before


@pytest.mark.parametrize(
    "words, same",
    [
        ("stadiums Drones", True),
        ("port | drones stadiums", False),
        ('"drones stadiums"', False),
        ("drones", False),
    ],
)
def test_what_looks_for_the_same_is_the_same_however_it_is_called(words: str, same: bool) -> None:
    one = Subscription(7, 1, Search(name="x", words="drones stadiums", mode=Mode.DIGEST))
    assert same_as(Search(words=words, quiet=NIGHT), [one]) == (one if same else None)
