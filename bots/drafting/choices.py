"""The buttons under a draft's questions: what is offered, and what may stay without an answer. Pure."""

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from bots.drafting.deadlines import at as moment_at
from bots.drafting.draft import OFFERED, HalfDraft, Step
from bots.drafting.wizard import AGO, DAYTIMES, HOURS, SOON
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rows
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.labels import N_
from bots.wording.words import NAMES, Words, words
from schemas.vocabulary import GradingSystem, Kind, Language, Likelihood, Severity, Tlp
from subscribers.records import Community

VERB: Final = "draft"
COMMUNITIES_SHOWN: Final = 40
OPTIONAL: Final = (
    Step.SUMMARY,
    Step.LIKELIHOOD,
    Step.REGIONS,
    Step.TACTICS,
    Step.REFERENCES,
    Step.EVENT,
    Step.VALID,
    Step.CAVEATS,
    Step.LANGUAGE,
    Step.TRANSLATION,
    Step.FILES,
)
LEAVABLE: Final = frozenset({*OPTIONAL, Step.GRADING, Step.SEEN, Step.NUMBER}) - {Step.LANGUAGE}
"""Questions that may stay without an answer."""


def filled(half: HalfDraft, step: Step) -> bool:
    """Whether there is an answer to a question."""
    held: dict[Step, object] = {
        Step.MARKING: half.tlp,
        Step.COMMUNITY: half.community,
        Step.KIND: half.kind,
        Step.SEVERITY: half.severity,
        Step.GRADING: half.grading,
        Step.CHANNEL: half.channel,
        Step.EVENT: half.event,
        Step.TITLE: half.title,
        Step.BODY: half.body,
        Step.SUMMARY: half.summary,
        Step.LIKELIHOOD: half.likelihood,
        Step.REGIONS: half.regions,
        Step.TACTICS: half.tactics,
        Step.REFERENCES: half.links,
        Step.VALID: half.valid_until,
        Step.CAVEATS: half.caveats,
        Step.LANGUAGE: True,
        Step.TRANSLATION: half.translations,
        Step.FILES: half.attachments,
        Step.SEEN: half.valid_from,
        Step.NUMBER: half.number,
    }
    return bool(held[step])


def choices(officer: Officer, kept: Kept, step: Step, communities: Sequence[Community]) -> Rows:
    """What may be pressed in answer to a question, and the ways round it."""
    say = words(officer.language)
    shown, width = offered(officer, kept, step, communities)
    buttons = [Button(text, to("set", kept, step, value)) for text, value in shown]
    rows = [tuple(buttons[at : at + width]) for at in range(0, len(buttons), width)]
    last: list[Button] = []
    if leavable(kept.body, step):
        last.append(Button("⏭ " + say.text("Leave out"), to("skip", kept, step)))
    if step is not Step.MARKING:
        last.append(Button("◀️ " + say.text("Back"), to("open", kept)))
    return (*rows, tuple(last)) if last else tuple(rows)


Offered = Sequence[tuple[str, str]]
"""Texts of buttons with their values."""


def offered(
    officer: Officer, kept: Kept, step: Step, communities: Sequence[Community]
) -> tuple[Offered, int]:
    """What may be pressed in answer to a question; and so many stand beside each other."""
    say = words(officer.language)
    match step:
        case Step.MARKING:
            return [(each.value, each.slug) for each in Tlp if each.rank >= kept.body.floor.rank], 1
        case Step.COMMUNITY:
            return [(each.title, each.id) for each in communities[:COMMUNITIES_SHOWN]], 1
        case Step.KIND:
            return [(labels.kind(each, say), each.value) for each in OFFERED], 2
        case Step.SEVERITY:
            signs = labels.SIGNS
            return [(f"{signs[each]} {labels.severity(each, say)}", each.value) for each in Severity], 1
        case Step.LIKELIHOOD:
            return [(say.text(labels.LIKELIHOODS[each]), each.value) for each in Likelihood], 1
        case Step.LANGUAGE | Step.TRANSLATION:
            own = kept.body.language if step is Step.TRANSLATION else None
            return [(NAMES[each], each.value) for each in Language if each is not own], 2
        case Step.GRADING:
            scale = [key for key in labels.RELIABILITY if key[0] is GradingSystem.ADMIRALTY]
            return [(f"{key[1]} · {say.text(labels.RELIABILITY[key])}", key[1]) for key in scale], 1
        case Step.VALID | Step.SEEN:
            return _times(officer, kept, step)
        case _:
            return [], 1


def _times(officer: Officer, kept: Kept, step: Step) -> tuple[Offered, int]:
    say = words(officer.language)
    if step is Step.SEEN:
        ago = (say.count("{number} hour ago", "{number} hours ago", each) for each in AGO if each)
        return list(zip((say.text("now"), *ago), map(str, AGO), strict=True)), 2
    if kept.body.kind is Kind.REQUEST:
        return [*_hours(SOON, say), *_daytimes(kept, officer.zone, say)], 2
    return _hours(HOURS, say), 3


def leavable(half: HalfDraft, step: Step) -> bool:
    """Whether a question may stay without an answer."""
    if step is Step.BODY:
        return half.quick is not None or half.kind is Kind.REQUEST
    return step in LEAVABLE and not (step is Step.EVENT and half.kind is Kind.EVENT)


def _hours(hours: Sequence[int], say: Words) -> list[tuple[str, str]]:
    return [(say.count("{number} hour", "{number} hours", each), str(each)) for each in hours]


def _daytimes(kept: Kept, zone: ZoneInfo, say: Words) -> list[tuple[str, str]]:
    """Hours of today and tomorrow that were ahead when the draft was last touched."""
    names = (N_("today {time}"), N_("tomorrow {time}"))
    ahead = ((days, minute, moment_at(days, minute, zone, kept.changed)) for days, minute in DAYTIMES)
    return [
        (say.text(names[days], time=say.clock(minute)), f"{days}+{minute}")
        for days, minute, at in ahead
        if at is not None and at > kept.changed
    ]


def to(what: str, kept: Kept, *arguments: object) -> str:
    """What a button of a draft says when it comes back."""
    return encode(VERB, what, kept.id, *arguments)
