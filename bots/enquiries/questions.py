"""Questions that are open: the officer's own with who has answered, and those of others that this agency has
not answered. Of what may be shown as a stub the reference alone, for that says no more; of what is marked
higher nothing, for that it is a question would tell of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from bots.dialogue.screens import screen
from bots.drafting.pending import being_answered, it_waits
from bots.enquiries.desk import PAGE, Answer, Desk
from bots.enquiries.unsearched import TERMINAL
from bots.officers.roles import Right
from bots.parsing.actions import encode, short
from bots.showing.answerable import Answer as By
from bots.showing.details import valid_until
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Ceiling, Release, Sight
from bots.showing.rendered import Button, Rows, Showing
from bots.state.lists import Listed
from bots.state.officers import Officer
from bots.telling.awaiting import SIGN, Awaits, Eyes, answered_here, awaits, is_open, not_answered, until
from bots.telling.tally import ANSWERS_MAX, answered, standing
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.vocabulary import Kind, Tlp
from subscribers.records import Filters, Record

_LOOKED_AT: Final = 20
"""So many questions of others are looked at for an answer of this agency."""


async def asked(desk: Desk, officer: Officer) -> Answer:
    """The answer to `/asked`."""
    say, now = words(officer.language), desk.clock.now()
    requests = await _requests(desk, desk.ceiling.full)
    own = _mine(requests, desk.drafter(officer), now)[:PAGE]
    waiting = await _waiting(desk, requests, now)
    others = waiting[:PAGE]
    hidden = await _hidden(desk, officer, now)
    spans: list[Span] = []
    rows: list[tuple[Button, ...]] = []
    if not own and not others:
        none = say.text("No question that may be shown in chat is open. /ask begins one.")
        if desk.ceiling.full is Tlp.RED:
            none = say.text("No question is open. /ask begins one.")
        spans.append(Span("❓ " + none))
    if own:
        spans.append(Span("❓ " + say.text("Your open questions"), "b"))
    for each in own:
        spans += [*_entry(each, officer, say), Span("\n" + await _answers(desk, each, say))]
        label = say.text("Who answered {ref}", ref=each.bulletin.ref)
        rows.append((Button("📊 " + label, encode("tally", short(each.bulletin.id))),))
    if others:
        heading = not_answered(len(others), len(waiting[PAGE:]), say)
        spans.append(Span(("\n\n" if own else "") + heading, "b"))
        told, buttons = await _told(desk, officer, waiting)
        spans += told
        rows += buttons
    spans += [Span("\n\n" + each) for each in _silent_about(hidden, desk.ceiling, say)]
    rows += _ways(hidden, desk.ceiling)
    shown = [*own, *others]
    made = screen(spans, officer.language, tuple(rows))
    shows = (
        *(Showing(each.bulletin.ref, Sight.TITLE) for each in shown),
        *(Showing(each.bulletin.ref, Sight.STUB) for each in hidden[:PAGE]),
    )
    return Answer(
        replace(made, passing=True, shows=shows), listed=Listed(tuple(each.bulletin.id for each in shown))
    )


async def asked_next(desk: Desk, officer: Officer, after: str) -> Answer:
    """Those of others that are not answered and stand behind the one of that id."""
    say, now = words(officer.language), desk.clock.now()
    waiting = await _waiting(desk, await _requests(desk, desk.ceiling.full), now, after)
    if not waiting:
        nothing = f"{SIGN} " + say.text("Nothing more waits for you")
        return Answer(screen([Span(nothing)], officer.language))
    heading = say.count(
        "{number} more question that your agency has not answered",
        "{number} more questions that your agency has not answered",
        len(waiting),
    )
    spans, rows = await _told(desk, officer, waiting)
    made = screen([Span(f"{SIGN} 💬 {heading}", "b"), *spans], officer.language, rows)
    shown = waiting[:PAGE]
    shows = tuple(Showing(each.bulletin.ref, Sight.TITLE) for each in shown)
    return Answer(
        replace(made, passing=True, shows=shows), listed=Listed(tuple(each.bulletin.id for each in shown))
    )


async def _told(desk: Desk, officer: Officer, waiting: Sequence[Record]) -> tuple[list[Span], Rows]:
    """The first of them with their buttons, and one for those behind."""
    say = words(officer.language)
    answering = being_answered(await desk.state.drafts.waiting())
    spans: list[Span] = []
    rows: list[tuple[Button, ...]] = []
    for each in waiting[:PAGE]:
        begun = each.bulletin.id in answering
        spans += [*_entry(each, officer, say), *([Span("\n" + it_waits(say))] if begun else [])]
        rows.append((_opens(each, officer, say, begun=begun),))
    if waiting[PAGE:]:
        last = short(waiting[PAGE - 1].bulletin.id)
        rows.append((Button("⏭ " + say.text("The next questions"), encode("asked", last)),))
    return spans, tuple(rows)


async def _requests(desk: Desk, tlp: Tlp) -> list[Record]:
    """The newest, up to a marking that they have by now."""
    filters = Filters(kinds=frozenset({Kind.REQUEST}), tlp_at_most=tlp)
    marked = await as_marked_now((await desk.node.latest(filters, ANSWERS_MAX)).items, at(desk.node))
    return [each for each in marked if each.bulletin.tlp.rank <= tlp.rank]


def _mine(requests: Sequence[Record], drafter: str, now: float) -> list[Record]:
    return [each for each in requests if each.own and each.bulletin.drafter == drafter and is_open(each, now)]


async def _hidden(desk: Desk, officer: Officer, now: float) -> list[Record]:
    """Those that would be listed and may be shown as a stub alone."""
    every = await _requests(desk, desk.ceiling.stub)
    stubs = [each for each in every if desk.ceiling.allows(each.bulletin.tlp) is Release.STUB]
    return [*_mine(stubs, desk.drafter(officer), now), *await _waiting(desk, stubs, now)]


def _silent_about(hidden: Sequence[Record], ceiling: Ceiling, say: Words) -> Iterator[str]:
    """What is open and not shown here, and where it is read."""
    if hidden:
        left = len(hidden[PAGE:])
        number = _all_named(hidden, say)
        if left:
            number = say.sentences(_too_many(hidden, say), _not_named(left, say))
        waits = [say.text("{sign}: your agency has not answered it.", sign=SIGN)]
        number = "\n".join([number, *(waits if not all(each.own for each in hidden[:PAGE]) else ())])
        terminal = say.embed(TERMINAL)
        where = say.text("Read and answer it on your agency's terminal: {command}", command=terminal)
        if ceiling.room:
            where = say.text(
                "A button below opens each in the reading room. They are answered there, or on your agency's"
                " terminal: {command}",
                command=terminal,
            )
        yield f"🔒 {number}\n{where}"
    if ceiling.stub is not Tlp.RED:
        yield say.text(
            "Questions marked above {tlp} are not named in chat.", tlp=say.embed(ceiling.stub.value)
        )


def _all_named(hidden: Sequence[Record], say: Words) -> str:
    return say.count(
        "{number} more question is open that may not be shown in chat: {refs}",
        "{number} more questions are open that may not be shown in chat: {refs}",
        len(hidden),
        refs=_refs(hidden, say),
    )


def _refs(hidden: Sequence[Record], say: Words) -> str:
    """Others' questions are marked as what waits: the agency has not answered them."""
    marks = (("" if each.own else f"{SIGN} ", each.bulletin.ref) for each in hidden[:PAGE])
    return say.listed(mark + say.embed(ref) for mark, ref in marks)


def _too_many(hidden: Sequence[Record], say: Words) -> str:
    """More than are named: how many, and which are."""
    return say.count(
        "{number} more question is open that may not be shown in chat. Your own and the most urgent first,"
        " {named} of them: {refs}.",
        "{number} more questions are open that may not be shown in chat. Your own and the most urgent first,"
        " {named} of them: {refs}.",
        len(hidden),
        named=say.number(PAGE),
        refs=_refs(hidden, say),
    )


def _not_named(left: int, say: Words) -> str:
    return say.count(
        "{number} is not named, as a message has room for so many only; it moves up when one of these is"
        " answered.",
        "{number} are not named, as a message has room for so many only; they move up when some of these are"
        " answered.",
        left,
    )


def _ways(hidden: Sequence[Record], ceiling: Ceiling) -> Rows:
    if not ceiling.room:
        return ()
    return tuple(
        (Button("🔓 " + each.bulletin.ref, encode("room", each.bulletin.ref)),) for each in hidden[:PAGE]
    )


async def _waiting(desk: Desk, requests: Sequence[Record], now: float, after: str = "") -> list[Record]:
    """Others' questions that this agency has not answered, the most urgent first; behind the one of the id
    `after`, if that is one of them, answered or not.
    """
    unseen = Eyes(desk.ceiling, now)
    urgent = sorted((each for each in requests if awaits(each, unseen) is Awaits.ANSWER), key=until)
    place = next((at for at, each in enumerate(urgent, 1) if each.bulletin.id == after), 0)
    urgent = urgent[place:]
    found: list[Record] = []
    for each in urgent[:_LOOKED_AT]:
        ours = answered_here(await desk.node.replies(each.bulletin.id, ANSWERS_MAX))
        if awaits(each, replace(unseen, answered=ours)):
            found.append(each)
    return found


async def _may(desk: Desk, records: Sequence[Record]) -> list[Record]:
    marked = await as_marked_now(records, at(desk.node))
    return [each for each in marked if desk.ceiling.allows(each.bulletin.tlp) is Release.FULL]


async def _answers(desk: Desk, record: Record, say: Words) -> str:
    found = await _may(desk, standing(await desk.node.replies(record.bulletin.id, ANSWERS_MAX)))
    number = len(answered(found))
    return say.count("{number} agency has answered.", "{number} agencies have answered.", number)


def _entry(record: Record, officer: Officer, say: Words) -> Iterable[Span]:
    bulletin = record.bulletin
    yield Span("\n\n")
    yield from say.code(bulletin.ref)
    if bulletin.valid_until:
        yield Span(" · " + valid_until(bulletin, say, officer.zone))
    yield Span("\n")
    yield Span(say.embed(bulletin.text_in(officer.language).title), "b")


def _opens(record: Record, officer: Officer, say: Words, *, begun: bool) -> Button:
    """Answers it, where no answer waits for release."""
    key, ref = short(record.bulletin.id), record.bulletin.ref
    if officer.may(Right.DRAFT) and not begun:
        return Button("💬 " + say.text("Answer {ref}", ref=ref), encode("answer", By.REPLY, key))
    return Button("📖 " + say.text("Open {ref}", ref=ref), encode("bell", key))
