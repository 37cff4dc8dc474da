"""Making a saved search, naming it, and the list of those that there are: pure decisions and screens."""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.dialogue import zone_screens
from bots.officers.roles import Role
from bots.parsing.actions import Action, decode, encode
from bots.parsing.queries import Facet
from bots.searches import menus as search_menus
from bots.searches import saved_menus
from bots.searches.drafts import TYPED, pressed, typed
from bots.searches.facets import (
    BUTTON_MAX,
    NAME_MAX,
    describe,
    facet_button,
    facet_label,
    fit_name,
    suggested_name,
)
from bots.searches.loudness import told
from bots.searches.menus import Offer
from bots.searches.recents import recent
from bots.searches.watching import Mode, Search, Subscription
from bots.showing.release import Ceiling
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.times import Quiet
from bots.wording.words import SPOKEN, words
from bots.wording.zones import called
from schemas.errors import Code, FormatError, OperationError
from schemas.vocabulary import Kind, Language, Realm, Severity, Tlp
from subscribers.records import Community, Filters
from tests.support.node_api import COMMUNITY, make_record

ED = Officer(1, "Ed", Role.READER, Language.ENGLISH, ZoneInfo("Europe/Paris"), Quiet(1320, 360), 1, 1, True)  # noqa: FBT003 - a row of the table
ENGLISH = words(Language.ENGLISH)
NOON = 1_782_907_200.0
ALPHA = Community(
    id=COMMUNITY, slug="alpha", title="Alpha", realm=Realm.LIVE, role="member", owner=False, members=[]
)


def search(words: str = "", name: str = "", **given: object) -> Search:
    return Search(words=words, name=name, filters=Filters.model_validate(given))


def labels(shown: Rendered) -> list[str]:
    return [each.text for row in shown.rows for each in row]


@pytest.mark.parametrize(
    "data,after",
    [
        ("sub:tk:cyber", search(kinds={Kind.CYBER})),
        ("sub:tr:DE-BE", search(regions={"DE-BE"})),
        ("sub:ts:flash", search(severity_at_least=Severity.FLASH)),
        ("sub:tl:zh", search(languages={Language.CHINESE})),
        (f"sub:tc:{COMMUNITY}", search(communities={COMMUNITY})),
        ("sub:to:events:1", search(events={"Second"})),
        ("sub:to:subjects:0", search(subjects={"First"})),
        ("sub:tm:silent", Search(mode=Mode.SILENT)),
        ("sub:tq:1380:360", Search(quiet=Quiet(1380, 360))),
        ("sub:tq:yours", Search()),
        ("sub:home", Search()),
    ],
)
def test_a_button_changes_the_draft_and_its_second_press_undoes_a_choice(data: str, after: Search) -> None:
    once = pressed(decode(data), Search(), ["First", "Second"])
    assert once == after
    if data.split(":")[1] in {"tk", "tr", "tl", "tc", "to"}:
        assert pressed(decode(data), once, ["First", "Second"]) == Search()


def test_words_are_taken_away_by_a_button() -> None:
    assert pressed(Action("sub", ("nowords",)), search("drone"), []) == Search()


@pytest.mark.parametrize(
    "data",
    ["sub:tk:nothing", "sub:ts", "sub:tr:france", "sub:to:events:2", "sub:to:kinds:0", "sub:tm:loud",
     "sub:tq:1440:0", "sub:tq:1", "sub:tl:de"],
)  # fmt: skip
def test_a_forged_button_is_refused(data: str) -> None:
    with pytest.raises(FormatError):
        pressed(decode(data), Search(), ["First", "Second"])


@pytest.mark.parametrize(
    "what,text,after",
    [
        ("regions", "france, DE-BE", search(regions={"FR", "DE-BE"})),
        ("tactics", "t1566 T1204.002", search(tactics={"T1566", "T1204.002"})),
        ("subjects", "qdi.001", search(subjects={"QDi.001"})),
        ("events", "Great  Games", search(events={"Great Games"})),
        ("words", " forged   passports ", search("forged passports")),
        ("hours", "23:00 - 6:00", Search(quiet=Quiet(1380, 360))),
        ("hours", "off", Search(quiet=Quiet(0, 0))),
        ("name", " Drones\u200f in  France ", search(name="Drones in France")),
    ],
)
def test_what_is_typed_is_added(what: str, text: str, after: Search) -> None:
    assert typed(what, text, Search(), NOON, ENGLISH) == after


@pytest.mark.parametrize("what", [*TYPED, "other"])
@pytest.mark.parametrize("text", ["", "\u200f", "?!" * 150])
def test_what_cannot_be_read_is_refused(what: str, text: str) -> None:
    if what == "name" and "?" in text:
        assert len(typed(what, text, Search(), NOON, ENGLISH).name) == NAME_MAX
        return
    with pytest.raises(OperationError) as refused:
        typed(what, text, Search(), NOON, ENGLISH)
    assert refused.value.code is Code.BAD_REQUEST


@pytest.mark.parametrize("what", TYPED)
def test_the_examples_are_good(what: str) -> None:
    assert typed(what, TYPED[what], Search(), NOON, ENGLISH) != Search()


@pytest.mark.parametrize(
    "wanted,name",
    [
        (search(), "Everything"),
        (search("drone", regions={"FR", "BE"}), "drone · Belgium, France"),
        (search(kinds={Kind.CYBER, Kind.THREAT, Kind.EVENT}), "Cyber incident, Major event"),
        (search(events={"Games"}, tactics={"T1566"}, kinds={Kind.CYBER}), "Games · T1566 · Cyber incident"),
        (search(severity_at_least=Severity.HIGH), "High"),
        (search(communities={COMMUNITY}), "Alpha"),
        (search("x" * 80), "x" * (NAME_MAX - 1) + "…"),
        (search("drone | stadium", kinds={Kind.CYBER}, regions={"FR"}), "drone or stadium · Cyber incident"),
    ],
)  # fmt: skip
def test_a_name_is_suggested_from_what_is_looked_for(wanted: Search, name: str) -> None:
    assert suggested_name(wanted, [ALPHA], ENGLISH) == name


@given(st.text(max_size=100))
def test_a_name_is_one_short_line(text: str) -> None:
    name = fit_name(text)
    assert len(name) <= NAME_MAX
    assert name == " ".join(name.split())
    assert name.isprintable()


def test_a_search_is_described_on_one_line() -> None:
    wanted = search("port", kinds={Kind.CYBER}, regions={"FR"}, communities={COMMUNITY, "f" * 32})
    assert describe(wanted, [ALPHA], ENGLISH) == (
        f"Cyber incident · Alpha, {'f' * 32} · France · the words “port”"
    )
    assert describe(Search(), [], ENGLISH) == "all kinds"
    many = search(regions={f"FR-{number}" for number in range(10, 20)})
    assert describe(many, [], ENGLISH).endswith("France (FR-14), France (FR-15), and 4 more")
    assert facet_label(Facet(field="since", value="2026-06-30T23:00:00Z"), [], ED) == "from Jul 1, 2026"
    assert facet_label(Facet(field="until", value="2026-06-30T12:00:00Z"), [], ED) == "until Jun 30, 2026"


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("kept", ["port ferri semaine derniere", 'port | "stade de france" | gare', "x" * 90])
def test_words_on_a_button_are_cut_within_their_quotation_marks(language: Language, kept: str) -> None:
    shown = facet_button(Facet(field="words", value=kept), [], replace(ED, language=language))
    first, last = words(language).text("“{name}”", name="|").split("|")
    assert len(shown) <= BUTTON_MAX
    assert "…" + last in re.sub("[\u2066-\u2069]", "", shown)
    assert shown.count(first.strip()) == shown.count(last.strip()) > 0


def test_what_fits_a_button_is_not_cut_and_a_long_title_says_that_it_is() -> None:
    assert facet_button(Facet(field="words", value="ferry"), [], ED) == "the words “ferry”"
    event = facet_button(Facet(field="events", value="The Great Games of All Agencies"), [], ED)
    assert event == "The Great Games of All Agenci…"


def test_the_screen_of_words_says_how_far_or_reaches() -> None:
    shown = search_menus.asking_words(ED, Search()).parts[0].plain
    assert "drone stadium or drone stade is read as “drone” + “stadium” or “drone” + “stade”." in shown


def test_only_what_may_be_shown_is_offered() -> None:
    games = {"name": "Great Games"}
    subject = [{"type": "person", "name": "X", "reference": "QDi.001"}, {"type": "person", "name": "Y"}]
    tactic = [{"taxonomy": "mitre-attack", "id": "T1566", "name": "Phishing"}]
    shown = make_record(1, event=games, regions=["FR"], subjects=subject, tactics=tactic)
    again = make_record(2, event={"name": "GREAT GAMES"}, regions=["FR", "KZ"])
    amber = make_record(3, event={"name": "Secret"}, regions=["DE"], tlp="TLP:AMBER")
    gone = make_record(4, event={"name": "Mistaken"}).model_copy(update={"state": "retracted"})
    found = {
        field: recent([shown, again, amber, gone], Ceiling(), field)
        for field in ("events", "regions", "subjects", "tactics")
    }
    assert found == {
        "events": [Offer("Great Games", "Great Games")],
        "regions": [Offer("FR", "FR"), Offer("KZ", "KZ")],
        "subjects": [Offer("QDi.001", "X QDi.001"), Offer("Y", "Y")],
        "tactics": [Offer("T1566", "T1566 Phishing")],
    }


def test_a_choice_without_choices_says_so_and_how_to_type_one() -> None:
    empty = search_menus.choosing_regions(ED, Search(), []).parts[0].plain
    assert "several with commas: France, DE-BE. A bulletin must name one of them." in empty
    assert "there is no button" in empty
    assert "there is no button" in search_menus.choosing_named(ED, "tactics", [], []).parts[0].plain
    offered = search_menus.choosing_regions(ED, search(regions={"DE-BE"}), ["FR"])
    assert labels(offered) == ["✅ Germany (DE-BE)", "France", "◀️ Back"]
    assert "there is no button" not in offered.parts[0].plain
    many = search(regions={f"FR-{number}" for number in range(10, 50)})
    assert labels(search_menus.choosing_regions(ED, many, ["DE"]))[-2] == "✅ France (FR-49)"
    left = search_menus.choosing_communities(ED, search(communities={"f" * 32}), [ALPHA])
    assert labels(left) == ["Alpha", f"✅ {'f' * 32}", "◀️ Back"], "one that the agency left can be taken away"


def test_what_is_saved_names_what_may_still_sound() -> None:
    quiet = Search(name="Drones", quiet=Quiet(1380, 360))
    others = [Subscription(1, 1, search(name="Ports", severity_at_least=Severity.HIGH))]
    assert saved_menus.louder(quiet, others, ED, []) == []  # the officer's own hours are longer
    loud = saved_menus.louder(Search(), [Subscription(1, 1, Search(name="All", quiet=Quiet(0, 0)))], ED, [])
    assert loud == ["All"]
    text = search_menus.saved(ED, Subscription(2, 1, quiet), [], loud, withheld=Tlp.AMBER).parts[0].plain
    assert "✅ Saved: subscription “Drones”" in text
    assert "🔔 May still sound in these hours: subscription “All”. Open one to give it quiet hours" in text
    assert "🔴 In them a flash sounds that this subscription wants, whatever its marking." in text
    assert "So does one marked TLP:AMBER or higher, which chat does not show: you get its reference." in text
    assert "🌐 Bulletins are shown to you in English if they have such a text" in text


def lines_of(wanted: Search, others: list[str] | None, withheld: Tlp | None) -> str:
    return "\n".join(told(wanted, ED, others, withheld=withheld))


def test_what_wakes_the_officer_is_said_as_far_as_it_holds() -> None:
    night = Quiet(1380, 360)
    alone = lines_of(Search(quiet=night), [], None)
    assert "No other subscription of yours sounds in them." in alone
    assert "which chat does not show" not in alone
    loud = lines_of(Search(quiet=Quiet(0, 0)), None, Tlp.AMBER)
    assert loud.endswith("🌙 Quiet hours: none")
    digest = lines_of(Search(mode=Mode.DIGEST, quiet=night), None, Tlp.AMBER)
    assert digest.endswith("🔴 A flash sounds all the same.")
    inside = lines_of(search("drone"), None, Tlp.AMBER)
    assert "kind, severity, community, region, language and marking decide." in inside
    assert "not looked for" not in lines_of(search("drone"), None, None)
    assert "Quiet hours: yours (22:00–06:00, Europe/Paris)" in inside


def test_back_leads_one_step_back() -> None:
    one = Subscription(15, 1, search(name="Ports"))

    def back(shown: Rendered) -> list[str]:
        return [each.data for row in shown.rows for each in row if "◀️" in each.text]

    draft, place = Search(), ["mine", "15"]
    for shown in (
        search_menus.choosing_communities(ED, draft, [ALPHA]),
        search_menus.choosing_regions(ED, draft, []),
        search_menus.asking_words(ED, draft),
        search_menus.choosing_hours(ED, draft),
    ):
        assert back(shown) == ["sub:home"]
    assert back(search_menus.naming(ED, "x")) == ["sub:see"]
    assert back(search_menus.saved(ED, one, [])) == back(search_menus.dropped(ED)) == ["mine:list:0"]
    assert back(saved_menus.opened(ED, one, [], NOON, place=10)) == ["mine:list:10"]
    assert back(saved_menus.choosing_hours(ED, one)) == back(saved_menus.deleting(ED, one, []))
    assert back(saved_menus.deleting(ED, one, [])) == ["mine:open:15"]
    assert back(zone_screens.asking(ED, ["sub"])) == ["sub:quiet"]
    assert back(zone_screens.taken(ED, ["dig"], NOON)) == ["dig:home"]
    assert back(zone_screens.taken(ED, place, NOON)) == ["mine:hours:15", "mine:open:15"]
    taken = zone_screens.taken(ED, ["sub"], NOON)
    assert [each.data for row in taken.rows for each in row] == ["sub:see", "sub:quiet"]


HELD = [Subscription(number, 1, search(name=f"Search {number}")) for number in range(1, 24)]


@pytest.mark.parametrize(
    "first,shown,turns",
    [(0, (1, 10), ["▶️"]), (10, (11, 20), ["◀️", "▶️"]), (20, (21, 23), ["◀️"]), (999, (21, 23), ["◀️"])],
)
def test_every_subscription_is_within_reach(first: int, shown: tuple[int, int], turns: list[str]) -> None:
    found = labels(saved_menus.subscribed(ED, HELD, [], NOON, first))
    rows = [f"{number}. Search {number}" for number in range(shown[0], shown[1] + 1)]
    assert found == [*rows, *turns, "➕ New subscription"]


def test_one_without_a_name_is_listed_by_what_it_looks_for() -> None:
    one = Subscription(7, 1, search(regions={"FR"}), paused=True, snoozed=NOON + 60)
    text = saved_menus.subscribed(ED, [one], [], NOON).parts[0].plain
    assert "1. 🔔 France · ⏸ paused · 😴 snoozed until Jul 1, 2026, 14:01 UTC+2" in text
    assert "⏰ End the snooze" in labels(saved_menus.opened(ED, one, [], NOON))
    assert "⏰ End the snooze" not in labels(saved_menus.opened(ED, one, [], NOON + 61))


@pytest.mark.parametrize("language", SPOKEN)
def test_every_screen_is_one_message_whose_buttons_come_back(language: Language) -> None:
    officer = Officer(1, "Ed", Role.READER, language, ED.zone, None, 1, 1, True)  # noqa: FBT003 - a row of the table
    draft = search(
        "大" * 200, name="n" * NAME_MAX, regions={f"F{a}-{b}" for a in "ABCDEF" for b in range(99)}
    )
    one = Subscription(999_999_999, 1, draft)
    offers = [Offer("v", "名" * 200)] * 10
    for shown in (
        search_menus.subscribing(officer, Search(name="x"), [ALPHA] * 60),
        search_menus.choosing_communities(officer, draft, [ALPHA] * 60),
        search_menus.choosing_kinds(officer, draft),
        search_menus.choosing_severity(officer, draft),
        search_menus.choosing_regions(officer, draft, ["FR"]),
        search_menus.choosing_languages(officer, draft),
        *(
            search_menus.choosing_named(officer, each, offers, ["v"])
            for each in ("events", "tactics", "subjects")
        ),
        search_menus.asking_words(officer, draft),
        search_menus.choosing_mode(officer, draft),
        search_menus.choosing_hours(officer, draft),
        search_menus.naming(officer, "x"),
        search_menus.saved(officer, one, [ALPHA], ["n" * NAME_MAX] * 50, withheld=Tlp.AMBER_STRICT),
        saved_menus.subscribed(officer, [one] * 12, [], NOON),
        saved_menus.opened(officer, one, [], NOON, ["n" * NAME_MAX] * 50),
        zone_screens.asking(officer, ["mine", "999999999"], called("US", words(language)), wrong=True),
        zone_screens.taken(officer, ["sub"], NOON),
        saved_menus.choosing_hours(officer, one),
        saved_menus.deleting(officer, one, []),
    ):
        assert len(shown.parts) == 1
        for button in (each for row in shown.rows for each in row):
            action = decode(button.data)
            assert encode(action.verb, *action.arguments) == button.data
