"""Questions that are open: the officer's own with who has answered, and those of others that this agency has
not answered. Of what may be shown in full: a number would tell of another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from bots.dialogue.screens import plain_answer, screen
from bots.enquiries.desk import PAGE, Answer, Desk
from bots.officers.roles import Right
from bots.parsing.actions import encode, short
from bots.showing.answerable import Answer as By
from bots.showing.details import valid_until
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Release
from bots.showing.rendered import Button, Showing
from bots.state.lists import Listed
from bots.state.officers import Officer
from bots.telling.tally import ANSWERS_MAX, answered, standing
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.encoding import from_instant
from schemas.vocabulary import Kind, Tlp
from subscribers.records import Filters, Record

_LOOKED_AT: Final = 20
"""So many questions of others are looked at for an answer of this agency."""
_MONTH: Final = 30 * 86_400.0


async def asked(desk: Desk, officer: Officer) -> Answer:
    """The answer to `/asked`."""
    say, now = words(officer.language), desk.clock.now()
    filters = Filters(kinds=frozenset({Kind.REQUEST}), tlp_at_most=desk.ceiling.full)
    requests = await _may(desk, (await desk.node.latest(filters, ANSWERS_MAX)).items)
    drafter = desk.drafter(officer)
    mine = (each for each in requests if each.own and each.bulletin.drafter == drafter)
    own = [each for each in mine if _open(each, now)][:PAGE]
    others = await _waiting(desk, requests, now)
    if not own and not others:
        lines = ["❓ " + say.text("No question is open. /ask begins one."), *_searched(desk, say)]
        return Answer(plain_answer("\n".join(lines), officer.language))
    spans: list[Span] = []
    rows: list[tuple[Button, ...]] = []
    if own:
        spans.append(Span("❓ " + say.text("Your open questions"), "b"))
    for each in own:
        spans += [*_entry(each, officer, say), Span("\n" + await _answers(desk, each, say))]
        rows.append((Button("📊 " + each.bulletin.ref, encode("tally", short(each.bulletin.id))),))
    if others:
        spans.append(Span(("\n\n" if own else "") + "💬 " + say.text("Your agency has not answered"), "b"))
    for each in others:
        spans += _entry(each, officer, say)
        rows.append((_opens(each, officer),))
    spans += [Span("\n\n" + each) for each in _searched(desk, say)]
    shown = [*own, *others]
    made = screen(spans, officer.language, tuple(rows))
    shows = tuple(Showing(each.bulletin.ref, Release.FULL) for each in shown)
    return Answer(
        replace(made, passing=True, shows=shows), listed=Listed(tuple(each.bulletin.id for each in shown))
    )


def _searched(desk: Desk, say: Words) -> tuple[str, ...]:
    """What the answer may be silent about."""
    if desk.ceiling.full is Tlp.RED:
        return ()
    return (say.text("Only bulletins that may be shown in chat are searched here."),)


async def _waiting(desk: Desk, requests: Sequence[Record], now: float) -> list[Record]:
    """Others' questions that this agency has not answered, the most urgent first."""
    urgent = sorted((each for each in requests if not each.own and _open(each, now)), key=_until)
    found: list[Record] = []
    for each in urgent[:_LOOKED_AT]:
        replies = standing(await desk.node.replies(each.bulletin.id, ANSWERS_MAX))
        if not answered(reply for reply in replies if reply.own):
            found.append(each)
    return found[:PAGE]


async def _may(desk: Desk, records: Sequence[Record]) -> list[Record]:
    marked = await as_marked_now(records, at(desk.node))
    return [each for each in marked if desk.ceiling.allows(each.bulletin.tlp) is Release.FULL]


async def _answers(desk: Desk, record: Record, say: Words) -> str:
    found = await _may(desk, standing(await desk.node.replies(record.bulletin.id, ANSWERS_MAX)))
    number = len(answered(found))
    return say.count("{number} agency has answered.", "{number} agencies have answered.", number)


def _open(record: Record, now: float) -> bool:
    """Whether answers are still wanted; without a deadline, for a month."""
    until = record.bulletin.valid_until
    ends = from_instant(until) / 1000 if until else from_instant(record.bulletin.issued) / 1000 + _MONTH
    return record.state != "retracted" and ends > now


def _until(record: Record) -> float:
    until = record.bulletin.valid_until
    return from_instant(until) / 1000 if until else float("inf")


def _entry(record: Record, officer: Officer, say: Words) -> Iterable[Span]:
    bulletin = record.bulletin
    yield Span("\n\n")
    yield from say.code(bulletin.ref)
    if bulletin.valid_until:
        yield Span(" · " + valid_until(bulletin, say, officer.zone))
    yield Span("\n")
    yield Span(say.embed(bulletin.text_in(officer.language).title), "b")


def _opens(record: Record, officer: Officer) -> Button:
    key, ref = short(record.bulletin.id), record.bulletin.ref
    if officer.may(Right.DRAFT):
        return Button("💬 " + ref, encode("answer", By.REPLY, key))
    return Button("📖 " + ref, encode("bell", key))
