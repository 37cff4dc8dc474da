"""A draft as a form: its fields read by the same rules as in conversation, and filled in again. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from bots.clock import moment
from bots.drafting import wizard
from bots.drafting.draft import OFFERED, HalfDraft, Step
from bots.drafting.wizard import Unfit, Why
from bots.showing.release import Ceiling
from schemas.encoding import from_instant
from schemas.vocabulary import Kind, Language, Realm, Tlp
from subscribers.records import Community

Wrong = tuple[Step, Why]
UNMARKED: Final = (Step.MARKING, Why.CHOICE)
_CLOSED: Final = (Step.KIND, Step.SEVERITY, Step.LANGUAGE)
_TYPED: Final = (Step.TITLE, Step.BODY, Step.SUMMARY, Step.GRADING, Step.REGIONS, Step.TACTICS, Step.CAVEATS)


def fields_of(half: HalfDraft, zone: ZoneInfo) -> dict[str, str]:
    """What stands in the form, by the names of its fields."""
    until = (
        moment(from_instant(half.valid_until) / 1000).astimezone(zone).strftime("%Y-%m-%d %H:%M")
        if half.valid_until
        else ""
    )
    return {
        "tlp": half.tlp.slug if half.tlp else "",
        "com": half.community or "",
        "kind": half.kind.value if half.kind else "",
        "sev": half.severity.value if half.severity else "",
        "lang": half.language.value,
        "title": half.title,
        "body": half.body,
        "sum": half.summary,
        "grade": f"{half.grading.reliability}{half.grading.credibility}" if half.grading else "",
        "like": half.likelihood.value if half.likelihood else "",
        "reg": ", ".join(half.regions),
        "tac": ", ".join(each.id for each in half.tactics),
        "refs": ", ".join(each.ref for each in half.links),
        "event": "\n".join(filter(None, (half.event.name, half.event.venue))) if half.event else "",
        "chan": "\n".join(filter(None, (half.channel.address, half.channel.platform)))
        if half.channel
        else "",
        "until": until,
        "cav": "\n".join(half.caveats),
    }


def read(
    given: Mapping[str, str],
    half: HalfDraft,
    places: Sequence[Community],
    ceiling: Ceiling,
    *,
    zone: ZoneInfo,
    now: float,
) -> tuple[HalfDraft, list[Wrong]]:
    """The draft with what could be read, and what could not. References are not looked up here.

    A field that is left as it was keeps its value, though it could not be typed so (a time that has passed).
    """
    wrong: list[Wrong] = []
    was = fields_of(half, zone)
    fields = {name: value.replace("\r\n", "\n").strip() for name, value in given.items()}
    for step in (
        Step.MARKING,
        Step.COMMUNITY,
        *_CLOSED,
        *_TYPED,
        Step.LIKELIHOOD,
        Step.EVENT,
        Step.CHANNEL,
        Step.VALID,
    ):
        name = step.value
        value = fields.get(name, "")
        if value == was[name]:
            continue
        try:
            half = _one(half, step, value, places, ceiling, zone, now)
        except Unfit as unfit:
            wrong.append((step, unfit.why))
    if half.tlp is None and not any(step is Step.MARKING for step, _ in wrong):
        # What has no marking yet may be in any chat, and here the text comes with it.
        wrong.insert(0, UNMARKED)
    return _translated(half, fields, wrong, zone, now), wrong


def _one(
    half: HalfDraft,
    step: Step,
    value: str,
    places: Sequence[Community],
    ceiling: Ceiling,
    zone: ZoneInfo,
    now: float,
) -> HalfDraft:
    if step is Step.MARKING:
        return wizard.mark(half, value, ceiling)
    if step is Step.COMMUNITY:
        return placed(half, value, places)
    if step in _CLOSED:
        return wizard.choose(half, step, value, now)
    if step is Step.CHANNEL and half.kind is not Kind.CHANNEL:
        return half.with_(channel=None)
    if not value and step not in (Step.TITLE, Step.BODY):
        return half.with_(event=None) if step is Step.EVENT else wizard.leave_out(half, step)
    if step is Step.LIKELIHOOD:
        return wizard.choose(half, step, value, now)
    return wizard.typed(half, step, value, zone=zone, language=half.language, now=now)


def placed(half: HalfDraft, community: str, places: Sequence[Community]) -> HalfDraft:
    """In a community that the agency may publish to. Raises Unfit."""
    place = next((each for each in places if each.id == community and each.role == "member"), None)
    if place is None:
        raise Unfit(Why.CHOICE)
    return half.with_(community=place.id, exercise=place.realm is Realm.EXERCISE)


def _translated(
    half: HalfDraft, fields: Mapping[str, str], wrong: list[Wrong], zone: ZoneInfo, now: float
) -> HalfDraft:
    """The translation of the form, in place of the one in that language; without a text it goes."""
    chosen, text = fields.get("tl", ""), fields.get("tt", "")
    if not chosen:
        return half
    try:
        language = wizard.language_of(chosen)
        if text:
            return wizard.typed(half, Step.TRANSLATION, text, zone=zone, language=language, now=now)
        others = tuple(each for each in half.translations if each.language is not language)
        return half.with_(translations=others)
    except Unfit as unfit:
        wrong.append((Step.TRANSLATION, unfit.why))
        return half


def markings(ceiling: Ceiling, floor: Tlp) -> list[tuple[str, str]]:
    """Those that may be chosen here, from `floor` up: value and text."""
    chosen = (each for each in Tlp if wizard.allowed(each, ceiling) and each.rank >= floor.rank)
    return [(each.slug, each.value) for each in chosen]


def kinds(half: HalfDraft) -> tuple[Kind, ...]:
    """Those that may be chosen: what changes a bulletin stays what it is."""
    return (half.kind,) if half.kind and half.kind not in OFFERED else OFFERED


def languages(half: HalfDraft) -> list[Language]:
    """Those of a translation."""
    return [each for each in Language if each is not half.language]
