"""What is typed while a draft awaits a button: pressed, kept where it fits, or not kept; and that is said."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from typing_extensions import override

from bots.drafting import stray
from bots.drafting.draft import HalfDraft, Step, following
from schemas.vocabulary import Kind, Severity, Tlp
from subscribers.records import Community
from tests.support.node import DirectNode
from tests.support.node_api import COMMUNITY, make_record
from tests.support.quiet_house import staged

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC).timestamp()
ASKING = HalfDraft(tlp=Tlp.GREEN, kind=Kind.REQUEST)


class TwoPlaces(DirectNode):
    @override
    async def communities(self) -> list[Community]:
        (place,) = await super().communities()
        return [place, place.model_copy(update={"id": "f" * 32, "slug": "beta", "title": "Béta · north"})]


def test_a_button_is_pressed_by_its_name() -> None:
    offered = [("🟠 High", "high"), ("TLP:GREEN", "green"), ("Béta · north", "f" * 32), ("⚪", "none")]
    for text, value in {"high": "high", " tlp:green ": "green", "BETA north": "f" * 32}.items():
        assert stray.pressed(text, offered) == value
    for text in ("highest", "", "⚪", "a white van"):
        assert stray.pressed(text, offered) is None


def kept(half: HalfDraft, text: str) -> tuple[HalfDraft, Step] | None:
    return stray.kept(half, text, zone=PARIS, now=NOW)


def test_words_are_kept_where_they_fit() -> None:
    dated = ASKING.with_(valid_until="2026-11-27T19:00:00Z")
    titled = dated.with_(title="A van?")
    assert kept(ASKING, "tonight 20:00") == (dated, Step.VALID)
    assert kept(dated, "A van?") == (titled, Step.TITLE)
    assert kept(ASKING.with_(kind=Kind.THREAT), "18:00") == (
        ASKING.with_(kind=Kind.THREAT, title="18:00"),
        Step.TITLE,
    )
    whole = titled.with_(body="White.")
    assert kept(titled, "White.") == (whole, Step.BODY)
    assert kept(whole, "More.") is None
    assert kept(dated, "x" * 201) == (dated.with_(body="x" * 201), Step.BODY), "too long for a title"
    for half, text in ((titled, " "), (titled, "a\x00b"), (whole, "tonight 20:00")):
        assert kept(half, text) is None
    retraction = ASKING.with_(kind=Kind.RETRACTION, body="It was an error.")
    assert kept(retraction, "Words") is None


def test_what_is_asked_comes_first_then_whom_and_until_when() -> None:
    answers: dict[Step, dict[str, object]] = {
        Step.TITLE: {"title": "A van?"},
        Step.COMMUNITY: {"community": COMMUNITY},
        Step.VALID: {},
        Step.SEVERITY: {"severity": Severity.LOW},
        Step.BODY: {},
    }
    half, step, asked = ASKING, following(ASKING, Step.MARKING), list[Step]()
    while step is not None:
        asked.append(step)
        half = half.with_(**answers[step])
        step = following(half, step)
    assert asked == list(answers), "a deadline is asked for once, and may be left out"
    chosen = ASKING.with_(community=COMMUNITY)
    assert following(chosen, Step.KIND) is Step.TITLE, "a draft that became a question on the way"


async def test_nothing_typed_on_the_way_to_a_question_is_lost(tmp_path: Path) -> None:
    async with staged(tmp_path, node=TwoPlaces()) as stage:
        told = await stage.asks("/ask Has anybody seen a van?")
        assert "What you wrote behind /ask was not kept." in told
        assert "van" not in await stage.kept()
        assert "Send your question" in await stage.presses(stage.button("TLP:GREEN"))
        long = await stage.asks("A van with a blue stripe. " * 9)
        assert "That is no single line" in long
        assert "Kept as “Text”." in long
        assert "For which community?" in await stage.asks("Has anybody seen a van?")
        dated = await stage.asks("tomorrow 20:00")
        assert "✅ Kept as “Answers by”." in dated
        assert "For which community?" in dated
        unkept = await stage.asks("With a blue stripe.")
        assert "That was not kept: choose a button, then send it." in unkept
        assert "For which community?" in unkept
        assert "How urgent is it?" in await stage.asks("beta north")
        home = await stage.asks("elevated")
        for part in (
            "TLP:GREEN · Béta · north",
            "Elevated",
            "Answers by",
            "Has anybody seen a van?",
            "stripe",
        ):
            assert part in home
        assert "That was not kept" in await stage.asks("hello")
        assert "as readers in Béta · north will see it" in await stage.presses(stage.button("Preview"))


async def test_a_reference_opens_its_bulletin_and_the_draft_stays_open(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.node.arrive(make_record(42, title="Malachite"))
        stays = "Draft 1 stays open. A reference alone opens its bulletin and is not kept in the draft."
        await stage.asks("/draft")
        shown = await stage.asks("FRA-2026-0042")
        assert "Malachite" in shown
        assert stays in shown
        assert "Choose the marking" in await stage.presses(stage.button("Go on with it"))
        await stage.presses(stage.button("TLP:GREEN"))
        assert stays in await stage.asks("fra 2026 42")
        await stage.presses(stage.button("Go on with it"))
        for answer in ("Notice", "For information", "Leave out"):
            await stage.presses(stage.button(answer))
        shown = await stage.asks("FRA-2026-0042")
        assert "Malachite" in shown
        assert stays in shown
        assert "Send the text" in await stage.asks("Expo 2027 3"), "no bulletin: a title"
        shown = await stage.asks("FRA-2026-0099")
        assert "There is no such bulletin here." in shown
        assert stays in shown
        assert "Send the text" in await stage.presses(stage.button("Go on with it"))
        home = await stage.asks("Seen at noon.")
        assert "Expo 2027 3" in home
        assert "2026" not in home
        await stage.asks("FRA-2026-0042")
        assert "All that it needs is there" in await stage.presses(stage.button("Go on with it"))
        await stage.presses(stage.button("References"))
        assert "References · FRA-2026-0042" in await stage.asks("FRA-2026-0042")
        rows = await stage.state.store.query(
            "SELECT DISTINCT verb FROM audit WHERE object = 'FRA-2026-0042' AND outcome = 'full'"
        )
        assert rows == [("line",)], "it was looked up, not written"
