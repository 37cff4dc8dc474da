"""What is shown when a draft is looked at, sent, released or sent back. Pure.

A draft itself appears here only as the messages that `bots.showing.render` made of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bots.dialogue.screens import plain_answer, screen
from bots.drafting import answer_screens, standing, translations
from bots.drafting.answered import titled
from bots.drafting.authors import Author, written
from bots.drafting.choices import VERB
from bots.drafting.policy import Ruling
from bots.drafting.preview import preview
from bots.officers.roles import Right
from bots.parsing.actions import encode
from bots.showing.answerable import RELATIONS
from bots.showing.buttons import button_room_draft, opening
from bots.showing.release import Ceiling, Release, Sight
from bots.showing.render import Reader
from bots.showing.rendered import Button, Part, Rendered, Rows, Showing
from bots.showing.ways import to_go_on, two_needed
from bots.state.drafts import Kept
from bots.state.jobs import Job, Priority
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.labels import N_
from bots.wording.markup import UNITS_MAX, Span, plain, units
from bots.wording.words import NAMES, Words, words
from schemas.bulletin import Bulletin
from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Kind, Language, Severity
from subscribers.records import Published, Record

_REFUSALS: Final = {
    Code.NOT_MEMBER: N_("Your agency may not publish in this community. Choose another one."),
    Code.READ_ONLY_MEMBER: N_("Your agency may not publish in this community. Choose another one."),
    Code.DANGLING_REFERENCE: N_(
        "A bulletin that it speaks of is not in your archive. Change the references."
    ),
    Code.BAD_REQUEST: N_("A file is still on its way to the hub. Try again in a minute."),
    Code.NOT_FOUND: N_("A file is no longer at your agency's node. Send it again."),
    Code.TOO_LARGE: N_("It is too large. Shorten the text or leave out translations."),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is looked at: the record that stands for the one which readers will hold, what may be shown and
    done here, and how many other agencies are to read it, if that is known.
    """

    record: Record
    ceiling: Ceiling
    ruled: Ruling
    readers: int | None = None
    answers: str = ""
    """Which bulletin it answers, in a line."""
    author: Author | None = None
    """Who wrote it, for a releaser."""
    target: Record | None = None
    """What it answers, to be opened."""
    single: bool = False
    """At a door with one officer, whose role there is not the one in chat."""
    stands: Sequence[str] = ()
    """What became of it since it was sent, for who wrote it or changed it."""
    returns: bool = False
    """It may be sent back."""


def reviewed(
    officer: Officer,
    kept: Kept,
    looked: Seen,
    *,
    said: str = "",
    language: Language | None = None,
) -> Rendered:
    """The draft exactly as readers will see it (in `language`, if it has that), then what may be done with
    it. Of what the ceiling withholds, only where that is done.
    """
    say, record, ceiling, ruled = words(officer.language), looked.record, looked.ceiling, looked.ruled
    if ceiling.allows(record.bulletin.tlp) is not Release.FULL:
        return _elsewhere(officer, kept, looked, said)
    reader = Reader(officer.language, officer.zone)
    to = next((each.ref for each in kept.body.links if each.relation in RELATIONS), "")
    previewed = preview(record, ceiling, reader, language, to=to)
    parts, shows = previewed.parts, previewed.shows
    name = labels.draft(kept.id, say)
    community = say.embed(record.community_title)
    lines = [said] if said else []
    lines.append(
        "👁 " + say.text("{draft}, as readers in {community} will see it.", draft=name, community=community)
    )
    if looked.author:
        lines += written(looked.author, officer)
    if looked.answers:
        lines.append(looked.answers)
        shows = (*(each for each in shows if each.ref != to), Showing(to, Sight.TITLE))
    if looked.readers is not None:
        lines.append(answer_screens.audience(kept.body, looked.readers, say))
    if not kept.body.quick:
        lines.append(say.text("Its reference is given when it is released; until then it says DRAFT."))
    lines += [older] if (older := translations.told(kept.body, say)) else []
    translated = bool(record.bulletin.translations) and not kept.body.quick
    lines += looked.stands
    lines += _advice(ruled, say, translated=translated)
    if looked.single and ruled is Ruling.RELEASE:
        lines.append(_single(say))
    if kept.body.quick and not kept.waiting:
        lines += filter(None, [answer_screens.advice(kept.body, say)])
    if kept.body.quick:
        rows = answer_screens.rows(kept, ruled, say, returns=looked.returns)
    else:
        rows = _rows(looked, kept, say)
        rows += _languages(kept, record.bulletin, language or officer.language)
    if ruled is Ruling.OTHER:
        rows = (*rows, (Button("◀️ " + say.text("Your drafts"), encode(VERB, "list")),))
    if looked.target:
        rows = (*rows, *opening([looked.target]))
    control = plain_answer("\n".join(lines), officer.language, rows)
    shown = _as_one(parts, control.parts) if kept.body.quick else (*parts, *control.parts)
    return Rendered(shown, rows, protect=True, silent=True, passing=True, shows=shows)


def _elsewhere(officer: Officer, kept: Kept, looked: Seen, said: str) -> Rendered:
    """A draft that is not for this chat: that it is there, who wrote it, and the way to it."""
    say, ceiling, bulletin = words(officer.language), looked.ceiling, looked.record.bulletin
    released, name = ceiling.allows(bulletin.tlp), labels.draft(kept.id, say)
    lines = [said] if said else []
    if released is Release.STUB:
        facts = (labels.severity(bulletin.severity, say), labels.kind(bulletin.kind, say), bulletin.tlp.value)
        lines.append(f"{labels.SIGNS[bulletin.severity]} " + " · ".join(map(say.embed, facts)))
    lines.append("🔒 " + say.text("{draft} is marked above what may be in this chat.", draft=name))
    if looked.author:
        lines += written(looked.author, officer)
    where = to_go_on(bulletin.tlp, ceiling, say, administers=officer.may(Right.ADMINISTER))
    spans = (Span("\n".join(lines)), *where)
    rows: Rows = ()
    if ceiling.room:
        rows = ((button_room_draft(kept.id, ceiling.room, say),),)
    shows = (Showing(bulletin.ref, Sight(released)),)
    shown = screen(spans, officer.language, rows)
    return replace(shown, protect=True, silent=True, passing=True, shows=shows)


def _as_one(parts: Sequence[Part], control: Sequence[Part]) -> tuple[Part, ...]:
    """One message where they fit: an answer by button is short, and is shown again after each addition."""
    spans = (*parts[-1].spans, Span("\n\n"), *control[0].spans)
    if len(parts) > 1 or units(plain(spans)) > UNITS_MAX:
        return (*parts, *control)
    return (Part.of(spans),)


def _advice(ruled: Ruling, say: Words, *, translated: bool) -> list[str]:
    match ruled:
        case Ruling.RELEASE:
            last = [say.text("Once released it cannot be taken back, only amended or retracted.")]
            if translated:
                last.append(
                    say.text(
                        "Its translations are shown as official only if your agency answers for them: choose"
                        " with the button."
                    )
                )
            return last
        case Ruling.SEND:
            last = [say.text("Another officer must release it.")]
            if translated:
                last.append(say.text("Whoever releases it says whether its translations are official."))
            return last
        case Ruling.ELSEWHERE:
            return [two_needed(say)]
        case Ruling.OTHER | Ruling.NEVER:
            return []


def _single(say: Words) -> str:
    return say.text(
        "Here you release alone: at a terminal the role counts that your agency’s node gave it, not the one"
        " you have in chat."
    )


def _rows(looked: Seen, kept: Kept, say: Words) -> Rows:
    seal, ruled, translated = kept.body.seal, looked.ruled, bool(looked.record.bulletin.translations)
    back = (Button("↩️ " + say.text("Send back"), encode(VERB, "back", kept.id)),) if looked.returns else ()
    change = Button("✏️ " + say.text("Change"), encode(VERB, "open", kept.id))
    rows: list[tuple[Button, ...]] = []
    if ruled is Ruling.RELEASE:
        plain = say.text("Release, translations not official") if translated else say.text("Release")
        rows.append((Button("🚀 " + plain, encode(VERB, "go", kept.id, seal)),))
        if translated:
            official = say.text("Release, translations official")
            rows.append((Button("🚀 " + official, encode(VERB, "go", kept.id, seal, "o")),))
        rows.append((*back, change))
    if ruled is Ruling.SEND:
        rows.append((Button("📨 " + say.text("Send for release"), encode(VERB, "send", kept.id, seal)),))
        rows.append((*back, change))
    if ruled is Ruling.ELSEWHERE:
        rows.append((change,))
    if ruled is Ruling.OTHER:
        rows.append((Button("↩️ " + say.text("Take back"), encode(VERB, "take", kept.id)),))
    return tuple(rows)


def _languages(kept: Kept, bulletin: Bulletin, asked: Language) -> Rows:
    """The languages in which it is not shown now."""
    shown = bulletin.text_in(asked).language
    texts = (bulletin.language, *(each.language for each in bulletin.translations))
    others = [
        Button("🌐 " + NAMES[each], encode(VERB, "view", kept.id, each.value))
        for each in texts
        if each is not shown
    ]
    return tuple(tuple(others[at : at + 3]) for at in range(0, len(others), 3))


def released(
    officer: Officer, kept: Kept, published: Published, audience: str, *, page: bool = False
) -> Rendered:
    """It is out; `audience` says who can read it. `page`: no command is typed there, and it is changed on a
    page of its own.
    """
    say = words(officer.language)
    spans = [
        Span("✅ " + say.text("Released as {ref}.", ref=say.embed(published.ref)), "b"),
    ]
    if published.state == "queued":
        spans.append(Span("\n" + say.text("It goes out when the hub answers your agency's node.")))
    spans.append(Span("\n" + audience))
    if kept.body.to:
        return screen(spans, officer.language)
    if kept.body.kind is Kind.REQUEST:
        spans.append(Span("\n" + say.text("Answers come to whoever asked. /asked shows who has answered.")))
    if page:
        on = say.text("To change or withdraw it, open its page here. It is there once the hub has answered.")
        return screen([*spans, Span("\n" + on)], officer.language)
    if kept.body.quick:
        return screen(spans, officer.language, answer_screens.take_back(published.id, say))
    spans += [
        Span("\n" + say.text("To change or withdraw it:")),
        Span("\n"),
        *say.code(f"/amend {published.ref}"),
        Span("\n"),
        *say.code(f"/retract {published.ref}"),
    ]
    return screen(spans, officer.language)


def not_taken(error: LiaisonError, officer: Officer) -> str:
    """Why the node does not take it, and what to do: a sentence."""
    say = words(officer.language)
    if error.code in _REFUSALS:
        return "⚠️ " + say.text(_REFUSALS[error.code])
    return "⚠️ " + not_taken_by(error.code, officer)


def not_taken_by(code: str, officer: Officer) -> str:
    """That the node refused with a code, and whom to ask: not an administrator to ask theirs."""
    say = words(officer.language)
    if officer.may(Right.ADMINISTER):
        return say.text(
            "The node does not take it ({code}). Change the draft; if that does not help, run"
            " {command} on your agency's machine.",
            code=code,
            command=say.embed("liaison-agency doctor"),
        )
    return say.text(
        "The node does not take it ({code}). Change the draft, or ask your administrator.", code=code
    )


def unfit(officer: Officer, kept: Kept, error: LiaisonError) -> Rendered:
    """It could not go out as it is."""
    say = words(officer.language)
    rows = ((Button("✏️ " + say.text("Change"), encode(VERB, "open", kept.id)),),)
    return plain_answer(not_taken(error, officer), officer.language, rows)


def unsure(officer: Officer, kept: Kept) -> Rendered:
    """The node did not answer."""
    say = words(officer.language)
    text = say.text("The node did not answer, and may have taken it. Ask again: it goes out once, at most.")
    rows = ((Button("🔁 " + say.text("Ask again"), encode(VERB, "again", kept.id)),),)
    return plain_answer("⏳ " + text, officer.language, rows)


def sent(officer: Officer, kept: Kept, releasers: Sequence[str], *, page: bool = False) -> Rendered:
    """It waits for those who release, by their names. `page`: what becomes of it is not told here."""
    say = words(officer.language)
    name = labels.draft(kept.id, say)
    if not releasers:
        row = (Button("👁 " + say.text("Preview"), encode(VERB, "view", kept.id)),)
        return plain_answer("⚠️ " + standing.nobody(officer, say), officer.language, (row,))
    rows = ((Button("↩️ " + say.text("Take back"), encode(VERB, "take", kept.id)),),)
    told = say.text("{draft} was sent for release.", draft=name)
    may = standing.who_may(releasers, say)
    then = (
        say.text("You are told in chat when it is released or sent back.")
        if page
        else say.text("You are told here when it is released or sent back.")
    )
    return plain_answer(f"📨 {told} {may} {then}", officer.language, rows)


# --- what others are told, by way of the outbox -----------------------------------------------------------


def ask_releaser(kept: Kept, record: Record, writer: Officer, officer: int, readers: int) -> Job:
    """Tell a releaser of a draft that waits; once for each time that it was sent. A flash goes first."""
    body = {
        "what": "asked",
        "draft": kept.id,
        "revision": kept.revision,
        "by": writer.name,
        "seal": kept.body.digest,
        "readers": readers,
    }
    told = json.dumps({**body, "record": record.model_dump(mode="json", exclude_defaults=True)})
    urgency = Priority.FLASH if record.bulletin.severity is Severity.FLASH else Priority.ALERT
    return Job(f"draft:{kept.id}:{kept.revision}:{officer}", officer, urgency, "draft", body=told)


def tell_writers(kept: Kept, what: str, by: Officer, *, note: str = "") -> list[Job]:
    """Tell those whose draft it is, but not `by`, who did it now."""
    return [tell_writer(kept, what, by, each, note=note) for each in kept.writers if each != by.id]


def tell_writer(kept: Kept, what: str, by: Officer, officer: int, *, ref: str = "", note: str = "") -> Job:
    """Tell its writer what became of a draft: `released`, `returned` or `discarded`; `changed` or `taken`
    back by another while it waited.
    """
    told = json.dumps({"what": what, "draft": kept.id, "by": by.name, "ref": ref, "note": note})
    key = f"draft:{kept.id}:{kept.revision}:{officer}:{what}"
    return Job(key, officer, Priority.ALERT, "draft", body=told)


def told(
    officer: Officer,
    body: Mapping[str, Any],
    kept: Kept | None,
    ceiling: Ceiling,
    hand: Ruling,
    author: Author | None = None,
    *,
    hushed: bool = False,
) -> Rendered | None:
    """The message of such a job, as things stand now; None when there is nothing to say any more. With
    `already` in `body`, what else answers the same is said; with
    `target`, a record, what it answers is named and can be opened.

    A colleague waits for whoever is asked to release: that sounds, unless it is `hushed`; a flash always.
    """
    say = words(officer.language)
    name, by = labels.draft(body["draft"], say), say.embed(body["by"])
    match body["what"]:
        case "asked":
            if kept is None or not kept.waiting or kept.body.digest != body["seal"]:
                return None
            if body.get("revision", kept.revision) != kept.revision:
                return None  # taken back and sent again since, which is told by itself
            asked = "📨 " + say.text("{name} asks you to release this.", name=by)
            asked += f"\n{already}" if (already := body.get("already")) else ""
            record = Record.model_validate_json(json.dumps(body["record"]))
            if author and author.names == (body["by"],):
                author = replace(author, names=())
            target: Record | None = body.get("target")
            about = titled(target, officer) if target else ""
            number, returns = body.get("readers"), hand is Ruling.RELEASE
            looked = Seen(record, ceiling, hand, number, about, author, target=target, returns=returns)
            silent = hushed and record.bulletin.severity is not Severity.FLASH
            return replace(reviewed(officer, kept, looked, said=asked), silent=silent)
        case "released":
            ref = say.embed(body["ref"])
            text = say.text("{draft} was released by {name} as {ref}.", draft=name, name=by, ref=ref)
            return plain_answer("✅ " + text, officer.language)
        case "changed" | "taken" as what:
            return standing.pulled(officer, kept, body["by"], changed=what == "changed")
        case "discarded":
            text = say.text("{name} discarded {draft}.", draft=name, name=by)
            return plain_answer("🗑 " + text, officer.language)
        case _:
            return standing.came_back(officer, kept, body, ceiling)
