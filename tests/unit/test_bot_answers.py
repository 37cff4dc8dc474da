"""A draft that answers a bulletin: under its marking, in its community, in all languages. Pure."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bots.drafting import answer_screens, wizard
from bots.drafting.answers import answering, spoken
from bots.drafting.draft import HalfDraft, Step, complete, following, missing
from bots.drafting.policy import Ruling
from bots.drafting.wizard import Unfit, Why
from bots.showing.answerable import Answer, answerable
from bots.showing.release import Ceiling
from bots.state.drafts import Kept
from bots.wording.words import words
from schemas.vocabulary import ChannelState, Kind, Language, Relation, Severity, Tlp
from tests.support.node_api import COMMUNITY, make_record

ADDRESS = {"address": "https://example.org/channel", "platform": "P", "state": "reported"}
CHANNEL = make_record(1, kind="channel", channel=ADDRESS, tlp="TLP:AMBER")
REQUEST = make_record(2, kind="request", title="Whose van?", severity="flash")
PARIS = ZoneInfo("Europe/Paris")
NOW = 1_772_000_000.0


def refused(draft: HalfDraft, slug: str) -> Why:
    with pytest.raises(Unfit) as unfit:
        wizard.mark(draft, slug, Ceiling(Tlp.RED, Tlp.RED))
    return unfit.value.why


def test_what_can_be_answered_and_with_what() -> None:
    assert answerable(CHANNEL) == (Answer.SEEN, Answer.BLOCKED, Answer.CONFIRMED)
    assert answerable(REQUEST) == (Answer.REPLY,)
    assert answerable(make_record(3)) == (Answer.SEEN,)
    for kind in ("notice", "response", "acknowledgement"):
        links = [{"relation": each, "id": REQUEST.bulletin.id} for each in ("responds-to", "acknowledges")]
        assert answerable(make_record(4, kind=kind, links=links)) == ()
    assert answerable(CHANNEL.model_copy(update={"own": True})) == ()
    assert answerable(CHANNEL.model_copy(update={"state": "retracted"})) == ()


def test_an_answer_by_button_is_whole_at_once_and_says_so_in_every_language() -> None:
    half = answering(CHANNEL, Answer.BLOCKED, Language.FRENCH)
    assert missing(half) == ()
    draft = complete(half)
    assert (draft.kind, draft.tlp, draft.severity) == (Kind.CHANNEL, Tlp.AMBER, Severity.INFO)
    assert draft.channel is not None
    assert (draft.channel.address, draft.channel.state) == (ADDRESS["address"], ChannelState.BLOCKED)
    assert [(each.relation, each.id) for each in draft.links] == [(Relation.RESPONDS_TO, CHANNEL.bulletin.id)]
    assert draft.title == "Bloqué\xa0: FRA-2026-0001"
    titles = {each.language: each.title for each in draft.translations}
    assert set(titles) == set(Language) - {Language.FRENCH}
    assert titles[Language.ENGLISH] == "Blocked: FRA-2026-0001"


def test_what_the_officer_writes_is_not_translated_by_the_bot() -> None:
    half = answering(make_record(3), Answer.SEEN, Language.ENGLISH)
    counted = spoken(wizard.typed(half, Step.NUMBER, "3", zone=PARIS, language=half.language, now=NOW))
    assert counted.summary == "Number seen: 3"
    written = spoken(counted.with_(body="By the port."))
    assert (written.summary, written.translations) == ("Number seen: 3", ())
    assert spoken(wizard.leave_out(written, Step.BODY)).translations == counted.translations
    assert spoken(wizard.leave_out(counted, Step.NUMBER)).summary == ""
    assert spoken(HalfDraft(title="Mine")) == HalfDraft(title="Mine")


def test_an_answer_is_not_marked_lower_than_the_question() -> None:
    half = answering(REQUEST, Answer.REPLY, Language.ENGLISH)
    assert (half.title, half.severity, half.community) == ("Answer: Whose van?", Severity.HIGH, COMMUNITY)
    assert missing(half) == (Step.BODY,)
    assert refused(half, "clear") is Why.FLOOR
    assert wizard.mark(half, "red", Ceiling(Tlp.RED, Tlp.RED)).tlp is Tlp.RED
    stays = wizard.leave_out(half, Step.REFERENCES)
    assert stays.links == half.links
    with pytest.raises(Unfit):
        wizard.choose(half, Step.KIND, "threat", NOW)


def test_when_it_was_seen_lies_behind() -> None:
    half = answering(make_record(3), Answer.SEEN, Language.ENGLISH)

    def seen(text: str) -> str | None:
        return wizard.typed(half, Step.SEEN, text, zone=PARIS, language=half.language, now=NOW).valid_from

    assert wizard.choose(half, Step.SEEN, "1", NOW).valid_from == "2026-02-25T05:13:20Z"
    assert seen("06:30") == "2026-02-25T05:30:00Z"
    assert seen("22:00") == "2026-02-24T21:00:00Z"
    assert seen("2026-02-20 22:00") == "2026-02-20T21:00:00Z"
    for text in ("soon", "2026-02-26 10:00", "2020-01-01 10:00", "2026-02-20", "99:00"):
        with pytest.raises(Unfit) as unfit:
            seen(text)
        assert unfit.value.why is Why.PAST
    for text in ("0", "many", "100000", "-1"):
        with pytest.raises(Unfit):
            wizard.typed(half, Step.NUMBER, text, zone=PARIS, language=half.language, now=NOW)


def test_a_question_asks_for_its_deadline_once_and_needs_no_text() -> None:
    half = HalfDraft(tlp=Tlp.GREEN, kind=Kind.REQUEST, community=COMMUNITY, title="Whose van?")
    assert following(half, Step.TITLE) is Step.VALID
    assert following(half, Step.VALID) is Step.SEVERITY
    asked = half.with_(severity=Severity.LOW)
    assert following(asked, Step.SEVERITY) is Step.BODY
    assert following(asked, Step.BODY) is None
    assert missing(asked) == ()
    assert wizard.choose(half, Step.VALID, "1+540", NOW, PARIS).valid_until == "2026-02-26T08:00:00Z"
    with pytest.raises(Unfit):
        wizard.choose(half, Step.VALID, "0+1", NOW, PARIS)


def test_it_is_sent_by_whoever_may_and_says_who_can_read_it() -> None:
    say = words(Language.ENGLISH)
    half = answering(make_record(3), Answer.SEEN, Language.ENGLISH)
    kept = Kept(
        7, 1, 1, half, "open", 1, "", None, official=False, ref="", note="", via="", changed=NOW
    )  # fmt: skip

    def labels(kept: Kept, ruled: Ruling) -> list[str]:
        return [
            each.text for row in answer_screens.rows(kept, ruled, say, returns=kept.waiting) for each in row
        ]

    assert labels(kept, Ruling.RELEASE)[0] == "🚀 Send"
    assert labels(kept, Ruling.SEND)[0] == "📨 Send for release"
    assert labels(kept, Ruling.NEVER) == []
    waiting = replace(kept, state="waiting")
    assert labels(waiting, Ruling.RELEASE) == ["🚀 Send", "↩️ Send back"]
    assert labels(waiting, Ruling.OTHER) == ["↩️ Take back"]
    assert answer_screens.audience(half, 14, say).startswith("👥 14 other agencies")
    alone = half.with_(to="originator")
    assert answer_screens.audience(alone, 14, say).startswith("🔏 Only France can read it.")
    assert "to" not in complete(alone).model_dump()
