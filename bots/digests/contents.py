"""What a digest, a hand-over of a shift or a situation report says: in which order, and nothing twice. Pure.

First what still waits for the officer (as `bots.telling.awaiting` has it), then what is new, then what was
changed. What is withheld stands where it would stand whatever it says: its place tells neither kind nor
severity.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bots.showing.release import Ceiling, Release
from bots.telling.awaiting import SIGN, Awaits, Eyes, answered_here, awaits, is_open, not_answered, until
from bots.telling.tally import answered, standing
from bots.wording.words import Words
from schemas.vocabulary import Kind, Severity
from subscribers.records import Record

WAITING_MAX: Final = 10
"""So many of what waits are named: the oldest are not what a shift begins with."""
_SEVERITIES: Final = list(Severity)
_CHANGES: Final = frozenset({Kind.AMENDMENT, Kind.RETRACTION})


@dataclass(frozen=True, slots=True)
class Gathered:
    """Bulletins in their sections, worst first."""

    waiting: tuple[Record, ...] = ()
    """What the officer has not acknowledged."""
    unanswered: tuple[Record, ...] = ()
    """Others' questions that the agency has not answered, the most urgent first."""
    news: tuple[Record, ...] = ()
    changes: tuple[Record, ...] = ()
    asked: tuple[Record, ...] = ()
    """The agency's own open questions, of which a hand-over tells."""
    left: int = 0
    """So many more wait behind those that `waiting` names."""
    unnamed: int = 0
    """So many more questions are not answered than `unanswered` names."""
    drafts: bool = False
    """Whether a hand-over tells of drafts that wait for release."""
    also: frozenset[str] = frozenset()
    """The ids of all that wait and that neither names: some may be `news` or `changes`."""

    def headed(self, say: Words, *, whole: bool = False) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The ids of each section under its heading; empty ones are left out, and one that is alone and new
        needs no heading. `whole`, for a hand-over: what came, what changed and what waits are all named, also
        where there is nothing of it.
        """
        alone = not (self.waits or self.changes or self.asked or whole)
        found = (
            (f"{SIGN} " + self._waits(say), self.waiting),
            (not_answered(len(self.unanswered), self.unnamed, say), self.unanswered),
            ("❓ " + say.text("Open questions of your agency"), self.asked),
            ("" if alone else "🆕 " + say.text("New"), self.news),
            ("✏️ " + say.text("Changed"), self.changes),
        )
        nothing = self._nothing(say) if whole else ("",) * len(found)
        named = (
            (head, some) if some else (none, ()) for (head, some), none in zip(found, nothing, strict=True)
        )
        return tuple((head, tuple(each.bulletin.id for each in some)) for head, some in named if head or some)

    @property
    def waits(self) -> bool:
        """Whether anything does."""
        return bool(self.waiting or self.unanswered)

    def _nothing(self, say: Words) -> tuple[str, ...]:
        """What stands in the place of each section that is empty. What waits may be new, or a change."""
        nothing = "" if self.drafts else f"{SIGN} " + say.text("Nothing waits for you")
        if not self.waits:
            return nothing, "", "", "🆕 " + say.text("Nothing new"), "✏️ " + say.text("Nothing has changed")
        new = "🆕 " + say.text("Nothing new but what waits")
        return "", "", "", new, "✏️ " + say.text("Nothing has changed but what waits")

    def _waits(self, say: Words) -> str:
        if not self.left:
            return say.text("Still waits for you")
        named = len(self.waiting)
        return say.count(
            "Still waits for you: {number} bulletin. Here are the worst {named}; a button shows the next.",
            "Still waits for you: {number} bulletins. Here are the worst {named}; a button shows the next.",
            named + self.left,
            named=say.number(named),
        )


def gather(
    period: Iterable[Record],
    kept: Sequence[Record],
    acknowledged: Collection[str],
    ceiling: Ceiling,
    now: float,
    after: Record | None = None,
) -> Gathered:
    """Bulletins of a period, and what waits of all that are `kept`; `acknowledged` are the ids of those that
    the officer acknowledged. With `after`, what waits behind that one, whether it waits itself or not.
    """
    eyes = Eyes(ceiling, now, acknowledged, answered_here(kept))
    awaited = [(each, awaits(each, eyes)) for each in _once(kept)]
    unread = [each for each, what in awaited if what is Awaits.ACKNOWLEDGEMENT]
    behind = [each for each in unread if after is None or _rank(each, ceiling) > _rank(after, ceiling)]
    waiting = sorted(behind, key=lambda each: _rank(each, ceiling))[:WAITING_MAX]
    asked = sorted((each for each, what in awaited if what is Awaits.ANSWER), key=until)
    named = {each.bulletin.id for each in (*waiting, *asked[:WAITING_MAX])}
    news, changes = _told(period, waiting, named, ceiling)
    return Gathered(
        tuple(waiting),
        tuple(asked[:WAITING_MAX]),
        news,
        changes,
        left=len(behind) - len(waiting),
        unnamed=len(asked[WAITING_MAX:]),
        also=frozenset(each.bulletin.id for each, what in awaited if what) - named,
    )


def _told(
    period: Iterable[Record], waiting: Sequence[Record], named: Collection[str], ceiling: Ceiling
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """What is new in a period and what changes something, without those `named` (by their ids) above."""
    rest = [each for each in _once(period) if each.bulletin.id not in named and each.state != "retracted"]
    shown = [each for each in rest if ceiling.allows(each.bulletin.tlp) is not Release.WAITING]
    changes = [each for each in shown if each.bulletin.kind in _CHANGES]
    words = {each.bulletin.id for each in (*changes, *waiting)}
    # An amendment has all the words of what it amends.
    news = [each for each in rest if each not in changes and each.replaced_by not in words]
    ranked = [sorted(some, key=lambda each: _rank(each, ceiling)) for some in (news, changes)]
    return tuple(ranked[0]), tuple(ranked[1])


def to_agency(kept: Iterable[Record], ceiling: Ceiling) -> list[Record]:
    """The questions of others that await the agency, so every officer, whatever they subscribe to. Not what
    chat may not show as a stub, as that would tell that it is a question; not those of an exercise.
    """
    return [
        each
        for each in kept
        if each.bulletin.kind is Kind.REQUEST
        and not each.own
        and not each.bulletin.exercise
        and ceiling.allows(each.bulletin.tlp) is not Release.WAITING
    ]


def with_questions(gathered: Gathered, kept: Iterable[Record], ceiling: Ceiling, now: float) -> Gathered:
    """The same with the agency's own questions that are open, of all that are `kept`, the most urgent first:
    of those that are shown as a stub the reference, of what is marked higher nothing.
    """
    own = [each for each in _once(kept) if each.own and each.bulletin.kind is Kind.REQUEST]
    may = [each for each in own if ceiling.allows(each.bulletin.tlp) is not Release.WAITING]
    asked = tuple(sorted((each for each in may if is_open(each, now)), key=until)[:WAITING_MAX])
    ids = {each.bulletin.id for each in asked}
    news = tuple(each for each in gathered.news if each.bulletin.id not in ids)
    return replace(gathered, asked=asked, news=news)


def answers_to(record: Record, kept: Iterable[Record], ceiling: Ceiling) -> int:
    """How many agencies have answered a question, of the answers that may be shown in full."""
    found = (
        each
        for each in kept
        if any(link.id == record.bulletin.id for link in each.bulletin.links)
        and ceiling.allows(each.bulletin.tlp) is Release.FULL
    )
    return len(answered(standing(found)))


def title(kind: str, found: int, say: Words, when: str, event: str = "") -> str:
    """The first line of a `digest`, or of the report on an `event`, which has a name. `when` is when it
    begins, in words.
    """
    match kind:
        case "event":
            name = say.embed(event)
            return "🏟 " + say.text("{event}: situation report, since {since}", event=name, since=when)
        case _ if found:
            number = say.count(
                "{number} bulletin since {since}", "{number} bulletins since {since}", found, since=when
            )
            return "🗞 " + number
        case _:
            return "🗞 " + say.text("Nothing new since {since}", since=when)


def more(gathered: Gathered, say: Words) -> str:
    """The first line of what waits behind what was told."""
    named = len(gathered.waiting)
    if not named:
        return f"{SIGN} " + say.text("Nothing more waits for you")
    if not gathered.left:
        return f"{SIGN} " + say.count(
            "{number} more bulletin waits for you", "{number} more bulletins wait for you", named
        )
    return f"{SIGN} " + say.count(
        "{number} more bulletin waits for you. Here are the worst {named}; a button shows the next.",
        "{number} more bulletins wait for you. Here are the worst {named}; a button shows the next.",
        named + gathered.left,
        named=say.number(named),
    )


def _rank(record: Record, ceiling: Ceiling) -> tuple[int, str, str]:
    """Worst first, then oldest first; what is withheld comes last, by its age alone. No two are equal."""
    bulletin = record.bulletin
    withheld = ceiling.allows(bulletin.tlp) is Release.WAITING
    return (1 if withheld else -_SEVERITIES.index(bulletin.severity), bulletin.issued, bulletin.id)


def _once(records: Iterable[Record]) -> list[Record]:
    return list({each.bulletin.id: each for each in records}.values())
