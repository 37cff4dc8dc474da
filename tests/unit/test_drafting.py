"""A bulletin written in conversation: the order of questions, what is read and refused, who may release."""

import itertools
import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bots.drafting import screens, wizard
from bots.drafting.changing import changeable, changing
from bots.drafting.draft import (
    OFFERED,
    Attached,
    HalfDraft,
    Named,
    Step,
    complete,
    following,
    missing,
    steps,
)
from bots.drafting.policy import Hand, Ruling, TwoPersons, may_draft, may_edit, may_release, ruling
from bots.drafting.preview import Setting, community_of, preview, previewed
from bots.drafting.review import Seen, ask_releaser, reviewed, sent, told
from bots.drafting.wizard import Unfit, Why, allowed, taxonomy
from bots.officers.roles import Role
from bots.showing.release import Ceiling, Sight
from bots.showing.render import Reader, View, render
from bots.showing.rendered import Showing
from bots.state.drafts import Kept
from bots.state.officers import Officer
from schemas.bulletin import Bulletin
from schemas.errors import Code, DraftError, OperationError
from schemas.particulars import Channel, Event, Translation
from schemas.vocabulary import (
    ChannelState,
    Kind,
    Language,
    Likelihood,
    Realm,
    Relation,
    Severity,
    Taxonomy,
    Tlp,
)
from subscribers.records import Community, Record
from tests.support.node_api import COMMUNITY, SLUG, make_record

NOW = 1_772_353_800.0  # 2026-03-01T08:30:00Z
ZONE = ZoneInfo("Europe/Paris")
FULL = HalfDraft(
    tlp=Tlp.GREEN,
    community=COMMUNITY,
    kind=Kind.THREAT,
    severity=Severity.HIGH,
    title="Drone over the stadium",
    body="A drone was seen.",
)
FRENCH = Translation(language=Language.FRENCH, official=False, title="Drone", body="Un drone.")
PLACE = Community(
    id=COMMUNITY, slug=SLUG, title="Alpha", realm=Realm.LIVE, role="member", owner=False, members=[]
)
ANSWERED = Named(
    relation=Relation.SIGHTS, id="01a21bf8-1849-70d6-ad28-a6037137e9fa", ref="FRA-2026-0001", least=Tlp.AMBER
)
SETTING = Setting(PLACE, "fr-dgx", "France", NOW)
ROLE = Role.ADMINISTRATOR
READER = Reader(Language.ENGLISH, ZONE)


def officer(number: int) -> Officer:
    return Officer(
        number, f"Officer {number}", ROLE, Language.ENGLISH, ZONE, None, number, number, reachable=True
    )


def read(step: Step, text: str, draft: HalfDraft = FULL, language: Language = Language.FRENCH) -> HalfDraft:
    return wizard.typed(draft, step, text, zone=ZONE, language=language, now=NOW)


def refused(step: Step, text: str, draft: HalfDraft = FULL) -> Why:
    with pytest.raises(Unfit) as unfit:
        read(step, text, draft)
    return unfit.value.why


# --- the order of questions --------------------------------------------------------------------------------


def test_the_marking_comes_first_whatever_else_is_known() -> None:
    held = FULL.with_(tlp=None)
    assert missing(held) == (Step.MARKING,)
    assert all(following(held, each) is Step.MARKING for each in Step)


def test_the_questions_follow_one_another_to_the_end() -> None:
    draft, asked = HalfDraft(), [Step.MARKING]
    answers: dict[Step, dict[str, object]] = {
        Step.MARKING: {"tlp": Tlp.GREEN},
        Step.COMMUNITY: {"community": COMMUNITY},
        Step.KIND: {"kind": Kind.EVENT},
        Step.SEVERITY: {"severity": Severity.LOW},
        Step.GRADING: {},
        Step.EVENT: {"event": Event(name="Games")},
        Step.TITLE: {"title": "T"},
        Step.BODY: {"body": "B"},
    }
    while True:
        draft = draft.with_(**answers[asked[-1]])
        step = following(draft, asked[-1])
        if step is None:
            break
        asked.append(step)
    assert asked == list(steps(draft)) == list(answers)
    assert missing(draft) == ()


def test_an_answered_question_is_not_asked_again_and_an_extra_one_leads_home() -> None:
    assert following(FULL, Step.KIND) is None
    assert following(FULL, Step.REGIONS) is None
    assert following(FULL.with_(body=""), Step.SEVERITY) is Step.BODY
    assert following(FULL.with_(severity=None), Step.BODY) is Step.SEVERITY


@pytest.mark.parametrize("kind", OFFERED)
def test_each_kind_can_be_completed(kind: Kind) -> None:
    more: dict[Kind, dict[str, object]] = {
        Kind.CHANNEL: {"channel": Channel(address="t.example/x", state=ChannelState.REPORTED)},
        Kind.EVENT: {"event": Event(name="Games", venue="Stadium")},
    }
    draft = FULL.with_(kind=kind, **more.get(kind, {}))
    assert missing(draft) == ()
    assert complete(draft).kind is kind


# --- the marking -------------------------------------------------------------------------------------------


def test_a_marking_above_what_is_shown_in_full_is_turned_away() -> None:
    for full, wanted in itertools.product(Tlp, Tlp):
        ceiling = Ceiling(full, Tlp.RED)
        if wanted.rank <= full.rank:
            assert wizard.mark(HalfDraft(), wanted.slug, ceiling).tlp is wanted
            assert allowed(wanted, ceiling)
        else:
            with pytest.raises(Unfit) as unfit:
                wizard.mark(HalfDraft(), wanted.slug, ceiling)
            assert unfit.value.why is Why.CEILING
            assert not allowed(wanted, ceiling)
    assert allowed(None, Ceiling())
    with pytest.raises(Unfit) as unfit:
        wizard.mark(HalfDraft(), "purple", Ceiling())
    assert unfit.value.why is Why.CHOICE


# --- what buttons say --------------------------------------------------------------------------------------


def test_buttons_choose_from_what_is_offered_alone() -> None:
    def chosen(step: Step, value: str) -> HalfDraft:
        return wizard.choose(FULL, step, value, NOW)

    assert chosen(Step.KIND, "notice").kind is Kind.NOTICE
    assert chosen(Step.SEVERITY, "flash").severity is Severity.FLASH
    assert chosen(Step.LIKELIHOOD, "likely").likelihood is Likelihood.LIKELY
    assert chosen(Step.LANGUAGE, "zh").language is Language.CHINESE
    assert chosen(Step.VALID, "24").valid_until == "2026-03-02T08:30:00Z"
    graded = chosen(Step.GRADING, "B2").grading
    assert graded is not None
    assert (graded.reliability, graded.credibility) == ("B", 2)
    forged = [
        (Step.KIND, "subject"),
        (Step.KIND, "x"),
        (Step.SEVERITY, "worst"),
        (Step.LANGUAGE, "xx"),
        (Step.VALID, "-1"),
        (Step.TITLE, "Words"),
    ]
    for step, value in forged:
        with pytest.raises(Unfit) as unfit:
            chosen(step, value)
        assert unfit.value.why is Why.CHOICE
    for value in ("0", "99999"):
        with pytest.raises(Unfit) as unfit:
            chosen(Step.VALID, value)
        assert unfit.value.why is Why.TIME


def test_another_kind_drops_the_channel_and_another_language_its_translation() -> None:
    draft = FULL.with_(
        kind=Kind.CHANNEL,
        channel=Channel(address="x", state=ChannelState.REPORTED),
        translations=(FRENCH,),
    )
    assert wizard.choose(draft, Step.KIND, "threat", NOW).channel is None
    assert wizard.choose(draft, Step.KIND, "channel", NOW).channel is not None
    assert wizard.choose(draft, Step.LANGUAGE, "fr", NOW).translations == ()
    assert wizard.language_of("ru") is Language.RUSSIAN
    with pytest.raises(Unfit):
        wizard.language_of("xx")


# --- what is typed -----------------------------------------------------------------------------------------


def test_texts_are_tidied_and_bounded() -> None:
    assert read(Step.TITLE, "  Drone\n over\u202e the\u2066 stadium ").title == "Drone over the stadium"
    assert read(Step.BODY, "One.\n\nTwo.\u2069").body == "One.\n\nTwo."
    assert read(Step.SUMMARY, "Short.").summary == "Short."
    assert refused(Step.TITLE, " ") is Why.LINE
    assert refused(Step.TITLE, "x" * 201) is Why.LINE
    assert refused(Step.BODY, "\u202e") is Why.TEXT
    assert refused(Step.BODY, "a\x00b") is Why.TEXT
    assert refused(Step.SUMMARY, "x" * 1001) is Why.TEXT
    assert refused(Step.KIND, "threat") is Why.CHOICE


def test_lists_and_codes_are_read_as_people_type_them() -> None:
    assert read(Step.REGIONS, "fr, DE-BE").regions == ("DE-BE", "FR")
    assert refused(Step.REGIONS, "Nowhere") is Why.REGIONS
    tactics = read(Step.TACTICS, "t1566.001, T0049 LT-0007 ta01 TA0043 T0801").tactics
    assert [(each.id, each.taxonomy) for each in tactics] == [
        ("T1566.001", Taxonomy.ATTACK),
        ("T0049", Taxonomy.DISARM),
        ("LT-0007", Taxonomy.LIAISON),
        ("TA01", Taxonomy.DISARM),
        ("TA0043", Taxonomy.ATTACK),
        ("T0801", Taxonomy.ATTACK),
    ]
    assert taxonomy("T0199") is Taxonomy.DISARM
    assert refused(Step.TACTICS, "phishing") is Why.TACTICS
    graded = read(Step.GRADING, "b 2").grading
    assert graded is not None
    assert graded.reliability == "B"
    assert refused(Step.GRADING, "G7") is Why.GRADING
    assert read(Step.CAVEATS, "One\n\nTwo").caveats == ("One", "Two")
    assert refused(Step.CAVEATS, "\n".join("abcdefghi")) is Why.CAVEATS


def test_an_end_is_read_in_the_officers_zone() -> None:
    assert read(Step.VALID, "2026-03-02 10:00").valid_until == "2026-03-02T09:00:00Z"
    assert read(Step.VALID, "2026-03-02").valid_until == "2026-03-02T23:00:00Z"
    for text in ("2026-02-01", "2030-01-01", "soon", "9999-12-31"):
        assert refused(Step.VALID, text) is Why.TIME


def test_places_channels_and_translations_have_a_line_each() -> None:
    event = read(Step.EVENT, "Games\nStadium").event
    assert event == Event(name="Games", venue="Stadium")
    assert read(Step.EVENT, "Games").event == Event(name="Games")
    channel = read(Step.CHANNEL, "t.example/x\nTelegram").channel
    assert channel is not None
    assert (channel.platform, channel.state) == ("Telegram", ChannelState.REPORTED)
    again = read(Step.TRANSLATION, "Autre\nTexte", FULL.with_(translations=(FRENCH,)))
    assert [(each.title, each.official) for each in again.translations] == [("Autre", False)]
    assert refused(Step.TRANSLATION, "A title alone") is Why.TRANSLATION
    assert refused(Step.TRANSLATION, "A\nB", FULL.with_(language=Language.FRENCH)) is Why.TRANSLATION


def test_what_is_optional_can_be_left_out() -> None:
    changed = Named(relation=Relation.AMENDS, id="019c132c-df40-7a10-8000-000000000001", ref="FRA-2026-0001")
    other = changed.model_copy(update={"relation": Relation.RELATED})
    draft = FULL.with_(event=Event(name="Games"), regions=("FR",), links=(changed, other))
    assert wizard.leave_out(draft, Step.REGIONS).regions == ()
    assert wizard.leave_out(draft, Step.EVENT).event is None
    assert wizard.leave_out(draft, Step.REFERENCES).links == (changed,)
    assert wizard.leave_out(draft.with_(kind=Kind.EVENT), Step.EVENT).event is not None
    assert wizard.leave_out(draft, Step.TITLE) == draft


def test_a_forwarded_message_becomes_the_body_and_says_where_from() -> None:
    made = wizard.forwarded(HalfDraft(), "Seen at noon.", "Forwarded from Amina")
    assert (made.body, made.caveats) == ("Seen at noon.", ("Forwarded from Amina",))
    assert made.tlp is None
    assert wizard.forwarded(HalfDraft(), "Seen.", "").caveats == ()


# --- the whole ---------------------------------------------------------------------------------------------


def test_translations_are_unofficial_unless_the_releaser_says_otherwise() -> None:
    draft = FULL.with_(translations=(FRENCH.model_copy(update={"official": True}),))
    assert [each.official for each in complete(draft).translations] == [False]
    assert [each.official for each in complete(draft, official=True).translations] == [True]
    named = complete(draft, drafter="officer-1", releaser="officer-2")
    assert (named.drafter, named.releaser) == ("officer-1", "officer-2")
    assert complete(draft).drafter is None


def test_the_questions_leave_nothing_to_guess() -> None:
    officer = Officer(1, "Ed", Role.DRAFTER, Language.ENGLISH, ZONE, None, 1, 1, True)  # noqa: FBT003 - a row of the table
    kept = Kept(7, 1, 1, FULL, "open", 1, "", None, official=False, ref="", note="", via="", changed=0.0)

    def asked(step: Step, body: HalfDraft = FULL, ceiling: Ceiling | None = None) -> str:
        held = replace(kept, body=body)
        return screens.question(officer, held, step, (), ceiling or Ceiling()).parts[0].plain

    marking = asked(Step.MARKING).split("\n")
    assert marking[2] == "TLP:GREEN: May be told within your professional community, not in public."
    assert marking[5] == "🔒 TLP:RED: For you alone. Tell nobody else."
    assert marking[6].startswith("🔒 is not written in this chat")
    assert "🔒" not in asked(Step.MARKING, ceiling=Ceiling(full=Tlp.RED, stub=Tlp.RED))
    assert "TLP:GREEN" not in asked(Step.MARKING, FULL.with_(links=(ANSWERED,)))
    assert "Title and text in English" in asked(Step.TITLE)
    assert "All that it needs is there" in screens.home(officer, kept, [PLACE]).parts[0].plain
    french = screens.translating(officer, kept, Language.FRENCH).parts[0].plain
    assert french.startswith("📝 Français: Send one message: the title on the first line")


def test_who_says_that_translations_are_official_is_said_before_it_goes() -> None:
    officer = Officer(1, "Ed", Role.DRAFTER, Language.ENGLISH, ZONE, None, 1, 1, True)  # noqa: FBT003 - a row of the table
    both = FULL.with_(translations=(FRENCH,))
    kept = Kept(7, 1, 1, both, "open", 1, "", None, official=False, ref="", note="", via="", changed=0.0)

    def control(ruled: Ruling, body: HalfDraft = both) -> str:
        record = previewed(body, 7, SETTING)
        seen = Seen(record, Ceiling(), ruled)
        return reviewed(officer, replace(kept, body=body), seen).parts[-1].plain

    assert "Whoever releases it says whether its translations are official." in control(Ruling.SEND)
    assert "only if your agency answers for them" in control(Ruling.RELEASE)
    assert "translations" not in control(Ruling.SEND, FULL) + control(Ruling.RELEASE, FULL)
    assert "until then it says DRAFT" in control(Ruling.SEND)
    assert "You are told here when it is released" in sent(officer, kept, ["Amina"]).parts[0].plain


def test_any_change_is_another_revision() -> None:
    changes = [
        FULL.with_(title="Other"),
        FULL.with_(tlp=Tlp.CLEAR),
        FULL.with_(translations=(FRENCH,)),
        FULL.with_(
            attachments=(
                Attached(
                    id="019c132c-df40-7a10-8000-000000000001",
                    name="a",
                    media="text/plain",
                    size=1,
                    sha256="0" * 64,
                ),
            )
        ),
    ]
    assert len({each.digest for each in (FULL, *changes)}) == 5
    assert FULL.digest == HalfDraft.model_validate_json(FULL.model_dump_json()).digest
    assert FULL.digest.startswith(FULL.seal)


def test_the_preview_is_what_a_reader_is_shown() -> None:
    draft = FULL.with_(translations=(FRENCH,), regions=("FR",), caveats=("Not for the press",))
    record = previewed(draft, 7, SETTING)
    assert record.bulletin.ref == "DRAFT-2026-0007"
    held = record.model_copy(
        update={
            "bulletin": Bulletin.model_validate(
                {**complete(draft).model_dump(), "id": "019c132c-df40-7a10-8000-000000000001"}
                | {"ref": "DRAFT-2026-0007", "issued": record.bulletin.issued}
            )
        }
    )
    for ceiling in (Ceiling(), Ceiling(Tlp.CLEAR, Tlp.CLEAR)):
        shown, read = preview(record, ceiling, READER), render(held, ceiling, READER, view=View.FULL)
        assert (shown.parts, shown.shows) == (read.parts, read.shows)
    withheld = preview(record, Ceiling(Tlp.CLEAR, Tlp.CLEAR), READER)
    assert "stadium" not in "".join(each.plain for each in withheld.parts)


def test_what_cannot_go_out_is_refused_before_it_is_shown() -> None:
    with pytest.raises(DraftError):
        previewed(FULL.with_(title=""), 7, SETTING)
    reading = PLACE.model_copy(update={"role": "reader"})
    assert community_of(FULL, [PLACE]) == PLACE
    for places in ([], [reading]):
        with pytest.raises(OperationError) as left:
            community_of(FULL, places)
        assert left.value.code is Code.NOT_MEMBER


def test_what_the_ceiling_withholds_is_neither_shown_nor_released_from_a_message() -> None:
    secret = FULL.with_(tlp=Tlp.AMBER, title="Malachite", summary="Malachite", caveats=("Malachite",))
    record = previewed(secret, 7, SETTING)
    kept = Kept(
        7, 1, 1, secret, "waiting", 1, "", None, official=False, ref="", note="Malachite", via="", changed=0.0
    )
    writer, releaser = officer(1), officer(2)
    job = ask_releaser(kept, record, writer, releaser.id, 3)
    for language, ceiling in itertools.product(Language, (Ceiling(), Ceiling(Tlp.CLEAR, Tlp.CLEAR))):
        reader = replace(releaser, language=language)
        shown = told(reader, json.loads(job.body), kept, ceiling, Ruling.RELEASE)
        assert shown is not None
        assert shown.shows == (Showing(record.bulletin.ref, Sight(ceiling.allows(Tlp.AMBER))),)
        assert "Malachite" not in "".join(each.plain + each.html for each in shown.parts)
        assert shown.rows == ()
        listed = screens.listed(reader, [kept], [kept], ceiling)
        assert "Malachite" not in listed.parts[0].plain + str(listed.rows)
        assert "Malachite" not in screens.locked(reader, kept, ceiling).parts[0].plain
    open_ = told(releaser, json.loads(job.body), kept, Ceiling(Tlp.AMBER), Ruling.RELEASE)
    assert open_ is not None
    assert open_.shows == (Showing(record.bulletin.ref, Sight.FULL),)
    assert "Malachite" in open_.parts[0].plain
    answer = replace(kept, body=FULL.with_(links=(ANSWERED,)))
    answering = reviewed(
        releaser, answer, Seen(record, Ceiling(Tlp.AMBER), Ruling.RELEASE, answers="↩️ Malachite")
    )
    assert answering.shows == (
        Showing(record.bulletin.ref, Sight.FULL),
        Showing(ANSWERED.ref, Sight.TITLE),
    )
    assert next(button.data for row in open_.rows for button in row) == f"draft:go:7:{secret.seal}"


def test_a_message_about_a_draft_that_has_changed_is_not_sent() -> None:
    kept = Kept(7, 1, 1, FULL, "waiting", 1, "", None, official=False, ref="", note="", via="", changed=0.0)
    body = json.loads(ask_releaser(kept, previewed(FULL, 7, SETTING), officer(1), 2, 3).body)
    for now in (None, replace(kept, state="open"), replace(kept, body=FULL.with_(title="Other"))):
        assert told(officer(2), body, now, Ceiling(), Ruling.RELEASE) is None


# --- changing what is out ----------------------------------------------------------------------------------


def own(**fields: object) -> Record:
    return make_record(3, **fields).model_copy(update={"own": True})


def test_an_amendment_begins_from_the_bulletin_and_a_retraction_from_its_title() -> None:
    record = own(
        title="Drone",
        body="Seen.",
        regions=["FR"],
        valid_until="2026-03-02T00:00:00Z",
        links=[{"relation": "related", "id": "019c132c-df40-7a10-8000-000000000001"}],
    )
    amended = changing(record, Relation.AMENDS, now=NOW)
    assert amended is not None
    assert (amended.title, amended.body, amended.regions) == ("Drone", "Seen.", ("FR",))
    assert amended.valid_until == "2026-03-02T00:00:00Z"
    assert [each.relation for each in amended.links] == [Relation.AMENDS, Relation.RELATED]
    assert complete(amended).kind is Kind.AMENDMENT
    assert Step.KIND not in steps(amended)
    over = changing(record, Relation.AMENDS, now=NOW + 2 * 86_400)
    assert over is not None
    assert over.valid_until is None
    withdrawn = changing(record, Relation.RETRACTS, now=NOW)
    assert withdrawn is not None
    assert (withdrawn.title, withdrawn.body) == ("Retracted: Drone", "")
    assert missing(withdrawn) == (Step.BODY,)


@pytest.mark.parametrize("relation", [Relation.AMENDS, Relation.RETRACTS])
def test_what_changes_a_bulletin_is_not_marked_lower_and_answers_nothing(relation: Relation) -> None:
    half = changing(own(tlp="TLP:AMBER"), relation, now=NOW)
    assert half is not None
    assert (half.floor, half.answered) == (Tlp.AMBER, None)
    assert wizard.mark(half, "red", Ceiling(full=Tlp.RED)).tlp is Tlp.RED
    with pytest.raises(Unfit):
        wizard.mark(half, "green", Ceiling(full=Tlp.RED))


def test_a_change_is_offered_of_what_stands_and_was_said_to_all() -> None:
    assert changeable(own())
    links = [{"relation": "retracts", "id": "019c132c-df40-7a10-8000-000000000001"}]
    for each in (
        make_record(3),
        own().model_copy(update={"state": "amended"}),
        own().model_copy(update={"state": "retracted"}),
        own().model_copy(update={"flags": frozenset({"private"})}),
        own(kind="retraction", links=links),
    ):
        assert not changeable(each)


def test_what_an_amendment_would_lose_is_amended_elsewhere() -> None:
    indicators = [{"pattern": "[ipv4-addr:value = '192.0.2.1']"}]
    assert changing(own(indicators=indicators), Relation.AMENDS, now=NOW) is None
    assert changing(own(pap="PAP:RED"), Relation.AMENDS, now=NOW) is None
    assert changing(own(indicators=indicators), Relation.RETRACTS, now=NOW) is not None


# --- who may -----------------------------------------------------------------------------------------------


def test_who_writes_and_who_releases() -> None:
    roles = ("reader", "officer", "drafter", "releaser", "administrator", "anything")
    assert [may_draft(each) for each in roles] == [False, False, True, True, True, False]
    assert [may_release(each) for each in roles] == [False, False, False, True, True, False]


@pytest.mark.parametrize("policy", TwoPersons)
@pytest.mark.parametrize("tlp", Tlp)
def test_two_persons_release_where_the_policy_says_so(policy: TwoPersons, tlp: Tlp) -> None:
    needed = {
        TwoPersons.OFF: False,
        TwoPersons.ABOVE_GREEN: tlp in {Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED},
        TwoPersons.ALWAYS: True,
    }[policy]
    assert policy.needed(tlp) is needed
    writer = Hand(owner=1, editor=1, officer=1, role="releaser")
    assert ruling(policy, tlp, writer, waiting=False) is (Ruling.SEND if needed else Ruling.RELEASE)
    drafter = Hand(owner=1, editor=1, officer=1, role="drafter")
    assert ruling(policy, tlp, drafter, waiting=False) is Ruling.SEND
    for owner, editor, officer, role in itertools.product((1, 2), (1, 2), (1, 2, 3), ("drafter", "releaser")):
        ruled = ruling(policy, tlp, Hand(owner, editor, officer, role), waiting=True)
        if officer in (owner, editor):
            assert ruled is Ruling.OTHER
        else:
            assert ruled is (Ruling.NEVER if role == "drafter" else Ruling.RELEASE)
    assert ruling(policy, tlp, Hand(1, 1, 1, "reader"), waiting=True) is Ruling.NEVER
    assert ruling(policy, tlp, Hand(1, 1, 2, "releaser"), waiting=False) is Ruling.NEVER
    assert ruling(policy, tlp, Hand(1, 1, 1, "reader"), waiting=False) is Ruling.NEVER


def test_a_draft_is_changed_by_its_writers_and_by_a_releaser_to_whom_it_was_sent() -> None:
    assert may_edit(Hand(1, 2, 1, "drafter"), waiting=False)
    assert may_edit(Hand(1, 2, 2, "releaser"), waiting=False)
    assert may_edit(Hand(1, 1, 3, "releaser"), waiting=True)
    assert not may_edit(Hand(1, 1, 3, "releaser"), waiting=False)
    assert not may_edit(Hand(1, 1, 3, "drafter"), waiting=True)
    assert not may_edit(Hand(1, 1, 1, "reader"), waiting=False)
