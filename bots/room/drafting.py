"""Pages to write: the officer's drafts, a draft as readers will see it, its form, and what becomes of it.

What may be done, and what is done, is the drafting desk's to say (`bots.drafting`), under the ceiling of the
session. Answers of the desk are sentences; here they stand on a page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from aiohttp import web

from bots.codes import new_id
from bots.drafting import wizard
from bots.drafting.draft import HalfDraft, Step
from bots.drafting.policy import may_draft
from bots.drafting.releasing import Releasing
from bots.drafting.standing import in_a_word
from bots.drafting.texts import LABELS, REASONS
from bots.drafting.turns import Parts, Stop, Turn
from bots.drafting.wizard import Unfit, Why
from bots.drafting.writing import Writing
from bots.officers.roles import Right
from bots.room.above import above_page, passkey_page
from bots.room.desk import DOOR
from bots.room.desk import places as placed
from bots.room.draft_form import UNMARKED, Wrong, fields_of, kinds, languages, markings, read
from bots.room.draft_page import draft_page, trusted
from bots.room.pages import page
from bots.room.texts import PageWords
from bots.room.web import ROOM, Visitor, form, html, must_be_in
from bots.showing.release import Ceiling
from bots.showing.ways import PASSKEY, without_passkey
from bots.state.drafts import Kept
from bots.wording import labels
from bots.wording.words import NAMES, Words, words
from schemas.vocabulary import Likelihood, Severity, Tlp
from subscribers.records import Community

WAY: Final = "/write"
_ALL: Final = Ceiling(Tlp.RED, Tlp.RED)
_OUT: Final = frozenset({"release", "again"})
"""What makes the agency speak."""


async def listed(request: web.Request) -> web.Response:
    """The officer's drafts, and what waits for them to release: those that this session is shown."""
    guest = await must_be_in(request)
    parts = await parts_of(request, guest)
    say = words(guest.officer.language)
    own = await parts.state.drafts.of(guest.officer.id)
    mine = {each.id for each in own}
    waiting = await parts.state.drafts.waiting() if parts.is_releaser(guest.officer) else []
    groups = [
        (say.text("Your drafts"), _rows(own, parts.ceiling, say)),
        (say.text("For you to release"), _rows([e for e in waiting if e.id not in mine], parts.ceiling, say)),
    ]
    text = page(
        "drafts",
        guest.officer.language,
        guest.session,
        place="write",
        groups=[each for each in groups if each[1]],
        withheld=_withheld({each.id: each for each in (*own, *waiting)}.values(), parts.ceiling, say),
        may=may_draft(guest.officer.role),
    )
    return html(text)


async def begin(request: web.Request) -> web.Response:
    """An empty form."""
    guest = await must_be_in(request)
    parts = await parts_of(request, guest)
    try:
        parts.must_draft(guest.officer)
    except Stop as stop:
        return turn_page(guest, stop.turn)
    return await _form(request, guest, parts, HalfDraft(language=guest.officer.language), None, ())


async def create(request: web.Request) -> web.Response:
    """A new draft of what was filled in."""
    guest = await must_be_in(request)
    given = await form(request, guest)
    parts = await parts_of(request, guest)
    try:
        parts.must_draft(guest.officer)
        half, wrong = await _read(parts, guest, given, HalfDraft(language=guest.officer.language))
        if wrong:
            return await _form(request, guest, parts, half, None, wrong, given)
        kept = await Writing(parts).new(guest.officer, half)
    except Stop as stop:
        return turn_page(guest, stop.turn)
    raise web.HTTPSeeOther(f"{WAY}/{kept.id}")


async def draft(request: web.Request) -> web.Response:
    """A draft as readers will see it, and what the officer may do with it; how to come in for it, where this
    session does not reach it.
    """
    guest = await must_be_in(request)
    parts = await parts_of(request, guest)
    try:
        kept = await replace(parts, ceiling=_ALL).readable(guest.officer, _key(request))
        if not wizard.allowed(kept.body.tlp, parts.ceiling):
            called = labels.draft(kept.id, words(guest.officer.language))
            return above_page(request, guest, called, kept.body.tlp or Tlp.RED, f"write/{kept.id}")
        return await draft_page(request, guest, parts, kept)
    except Stop as stop:
        return turn_page(guest, stop.turn)


async def passkey(request: web.Request) -> web.Response:
    """What releasing a draft takes, with the button that leads back: where the text is, no script runs."""
    guest = await must_be_in(request)
    parts = await parts_of(request, guest)
    try:
        kept = await parts.readable(guest.officer, _key(request))
    except Stop as stop:
        return turn_page(guest, stop.turn)
    if trusted(guest, parts.chat, kept):
        raise web.HTTPSeeOther(f"{WAY}/{kept.id}")
    say = words(guest.officer.language)
    called = labels.draft(kept.id, say)
    return passkey_page(request, guest, called, PageWords(say).draft_passkey, f"write/{kept.id}")


async def edit(request: web.Request) -> web.Response:
    """Its form."""
    guest = await must_be_in(request)
    parts = await parts_of(request, guest)
    try:
        kept = await parts.editable(guest.officer, _key(request))
    except Stop as stop:
        return turn_page(guest, stop.turn)
    return await _form(request, guest, parts, kept.body, kept, ())


async def save(request: web.Request) -> web.Response:
    """What was filled in."""
    guest = await must_be_in(request)
    given = await form(request, guest)
    parts = await parts_of(request, guest)
    try:
        kept = await parts.editable(guest.officer, _key(request))
        half, wrong = await _read(parts, guest, given, kept.body)
        if wrong or _overtaken(kept, given):
            return await _form(request, guest, parts, half, kept, wrong, given)
        if half != kept.body:
            await Writing(parts).written(guest.officer, kept, half)
    except Stop as stop:
        return turn_page(guest, stop.turn)
    raise web.HTTPSeeOther(f"{WAY}/{kept.id}")


async def give_back(request: web.Request) -> web.Response:
    """Send back with what should be changed; without it the page asks for it. It makes nothing public: so
    whoever may look at it here may do it, also where what vouches for the session does not release.
    """
    guest = await must_be_in(request)
    given = await form(request, guest)
    parts, key, officer = await parts_of(request, guest), _key(request), guest.officer
    try:
        turn = await Releasing(parts).send_back(officer, key, given.get("note", ""))
        if turn.returning:
            return await draft_page(request, guest, parts, await parts.readable(officer, key), unsaid=True)
    except Stop as stop:
        turn = stop.turn
    return turn_page(guest, turn, key)


async def act(request: web.Request) -> web.Response:
    """Send, release, take back, ask again, undo or discard; what came of it."""
    guest = await must_be_in(request)
    given = await form(request, guest)
    parts, key, officer = await parts_of(request, guest), _key(request), guest.officer
    releasing, writing, seal = Releasing(parts), Writing(parts), given.get("seal", "")
    what = request.match_info["what"]
    try:
        if what in _OUT and not trusted(guest, parts.chat, await parts.readable(officer, key)):
            raise web.HTTPForbidden
        match what:
            case "send":
                turn: Turn | None = await releasing.send(officer, key, seal)
            case "release":
                official, sure = given.get("official") == "1", given.get("sure") == "1"
                turn = await releasing.release(officer, key, seal, official=official, sure=sure)
                if turn.doubted:
                    return _sure(guest, turn, key, "release", seal=seal, official=given.get("official", ""))
            case "again":
                turn = await releasing.again(officer, key)
            case "take":
                turn = await releasing.take_back(officer, key)
            case "undo":
                turn = await writing.undo(officer, key)
            case _ if given.get("sure") != "1":
                return _sure(guest, await writing.discarding(officer, key), key, "discard")
            case _:
                turn = await writing.discard(officer, key)
    except Stop as stop:
        turn = stop.turn
    if turn is None:
        raise web.HTTPSeeOther(f"{WAY}/{key}")
    return turn_page(guest, turn, key)


# --- inside -----------------------------------------------------------------------------------------------


async def parts_of(request: web.Request, guest: Visitor) -> Parts:
    """The desk's parts under this session's ceiling. Officers are told by the bot, which looks by itself."""
    room = request.app[ROOM]
    policy, ceiling = room.settings.two_person_release, Ceiling(guest.top, guest.top)
    return Parts(
        room.desk.node,
        room.state,
        ceiling,
        policy,
        room.clock,
        new_id,
        _nobody_here,
        DOOR,
        chat=await room.in_chat(),
    )


def _nobody_here() -> None:
    """Delivery is another process's."""


def _key(request: web.Request) -> int:
    return int(request.match_info["draft"])


async def _read(
    parts: Parts, guest: Visitor, given: Mapping[str, str], half: HalfDraft
) -> tuple[HalfDraft, list[Wrong]]:
    writing, officer = Writing(parts), guest.officer
    now, places = parts.clock.now(), await writing.places()
    before = fields_of(half, officer.zone)["refs"]
    half, wrong = read(given, half, places, parts.ceiling, zone=officer.zone, now=now)
    try:
        if (named := given.get("refs", "").strip()) != before:
            half = half.with_(links=await writing.links(wizard.leave_out(half, Step.REFERENCES), named))
    except Unfit as unfit:
        wrong.append((Step.REFERENCES, unfit.why))
    return half, wrong


async def _form(
    request: web.Request,
    guest: Visitor,
    parts: Parts,
    half: HalfDraft,
    kept: Kept | None,
    wrong: Sequence[Wrong],
    given: Mapping[str, str] | None = None,
) -> web.Response:
    """The form: as it stands, or as it was sent with what is wrong in it."""
    officer = guest.officer
    say, places = words(officer.language), await Writing(parts).places()
    higher, command = _higher(request, guest, say)
    values = {**fields_of(half, officer.zone), "tl": "", "tt": ""}
    if given is not None:
        values |= {name: given[name] for name in values if name in given}
    overtaken = kept is not None and given is not None and _overtaken(kept, given)
    text = page(
        "draft_form",
        officer.language,
        guest.session,
        place="write",
        to=f"{WAY}/{kept.id}/edit" if kept else f"{WAY}/new",
        back=f"{WAY}/{kept.id}" if kept else WAY,
        values=values,
        seal=kept.body.seal if kept else "",
        overtaken=overtaken,
        called=labels.draft(kept.id, say) if kept else "",
        waiting=kept is not None and kept.waiting,
        wrong=[(say.text(LABELS[step]), _reason(step, why, say)) for step, why in wrong if why in REASONS],
        choices=_choices(half, places, parts.ceiling, say),
        fixed=half.follows,
        translations=say.listed(NAMES[each.language] for each in half.translations),
        label={each.value: say.text(LABELS[each]) for each in Step},
        higher=higher,
        command=command,
    )
    return html(text, 409 if overtaken else 422 if wrong else 200)


def _overtaken(kept: Kept, given: Mapping[str, str]) -> bool:
    """Whether somebody changed it while this form was open, whose words would go without a word."""
    return given.get("seal") != kept.body.seal


def _reason(step: Step, why: Why, say: Words) -> str:
    unmarked = (step, why) == UNMARKED
    return say.text("Choose the marking first: whom may it be told?") if unmarked else say.text(REASONS[why])


def _higher(request: web.Request, guest: Visitor, say: Words) -> tuple[str, str]:
    """Why the markings above those of this session are not to choose, and what gives them, with a command."""
    t, tlp = PageWords(say), guest.top.value
    if guest.top is Tlp.RED:
        return "", ""
    if guest.top.rank >= request.app[ROOM].top("agency").rank:
        return t("hint_marking_terminal", tlp=tlp), ""
    link = without_passkey(say, administers=guest.officer.may(Right.ADMINISTER))
    return say.sentences(t("hint_marking", tlp=tlp), link), PASSKEY


def _choices(
    half: HalfDraft, places: Sequence[Community], ceiling: Ceiling, say: Words
) -> dict[str, list[tuple[str, str]]]:
    return {
        "tlp": markings(ceiling, half.floor),
        "com": placed(places),
        "kind": [(each.value, labels.kind(each, say)) for each in kinds(half)],
        "sev": [(each.value, labels.severity(each, say)) for each in Severity],
        "lang": [(each.value, NAMES[each]) for each in NAMES],
        "like": [
            ("", say.text("not stated")),
            *((each.value, say.text(labels.LIKELIHOODS[each])) for each in Likelihood),
        ],
        "tl": [("", say.text("none")), *((each.value, NAMES[each]) for each in languages(half))],
    }


def _rows(held: Sequence[Kept], ceiling: Ceiling, say: Words) -> list[tuple[int, str, str, str]]:
    """Number, name, title and state of those that may be shown."""
    return [
        (each.id, labels.draft(each.id, say), each.body.title, in_a_word(each, say))
        for each in held
        if wizard.allowed(each.body.tlp, ceiling)
    ]


def _withheld(held: Iterable[Kept], ceiling: Ceiling, say: Words) -> str:
    """The drafts that this session does not reach, and what does; '' where there are none."""
    above = [each.id for each in held if not wizard.allowed(each.body.tlp, ceiling)]
    drafts = say.listed(labels.draft(each, say) for each in above)
    return PageWords(say)("drafts_above", drafts=drafts) if above else ""


def _sure(guest: Visitor, turn: Turn, key: int, what: str, **again: str) -> web.Response:
    """Whether it is meant: what is thrown away or released does not come back. `again` is said once more."""
    said = [line for line in turn.shown.parts[-1].plain.splitlines() if line.strip()]
    language = guest.officer.language
    return html(
        page(
            "draft_sure", language, guest.session, place="write", lines=said, key=key, what=what, again=again
        )
    )


def turn_page(guest: Visitor, turn: Turn, key: int | None = None) -> web.Response:
    """What the desk said, as plain text, and the way on."""
    lines = [line for line in turn.shown.parts[-1].plain.splitlines() if line.strip()]
    text = page(
        "draft_said",
        guest.officer.language,
        guest.session,
        place="write",
        lines=lines,
        to=f"{WAY}/{key}" if key is not None and turn.draft is not None else WAY,
        ref=turn.ref,
    )
    return html(text)
