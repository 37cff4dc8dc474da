"""What waits for release, told where what waits is told: to whoever may release it, to who wrote it, and at
the question that it answers. Pure.

A draft is named by its number. What else is said of it, its marking allows in this chat; never its words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bots.drafting.choices import VERB
from bots.drafting.policy import may_release
from bots.parsing.actions import encode
from bots.showing.release import Ceiling, Release
from bots.showing.render import Section
from bots.showing.rendered import Button, Rows
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.words import Words
from schemas.vocabulary import Kind, Relation

LOOK: Final = "look"
"""Opens a draft below, and leaves the message with the button as it is."""
NAMED_MAX: Final = 10
"""So many drafts are named; /drafts has them all."""
_SIGN: Final = "⏳ "


@dataclass(frozen=True, slots=True)
class Pending:
    """The drafts that wait for release, or for the node's answer: the officer's own, and those of others that
    the officer may release.
    """

    own: tuple[Kept, ...] = ()
    others: tuple[Kept, ...] = ()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.own or self.others)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of those that are named."""
        return tuple(each.id for each in (*self.others[:NAMED_MAX], *self.own[:NAMED_MAX]))


def pending(waiting: Iterable[Kept], officer: Officer) -> Pending:
    """Those of all that are `waiting` of which an officer is told."""
    drafts = list(waiting)
    own = tuple(each for each in drafts if officer.id in each.writers)
    others = tuple(each for each in drafts if each not in own) if may_release(officer.role) else ()
    return Pending(own, others)


def being_answered(waiting: Iterable[Kept]) -> frozenset[str]:
    """The questions, by their ids, to which an answer of the agency waits for release, whatever its marking:
    that there is one says nothing of it.
    """
    answers = (each.body for each in waiting if each.body.kind is Kind.RESPONSE)
    return frozenset(
        link.id for each in answers for link in each.links if link.relation is Relation.RESPONDS_TO
    )


def it_waits(say: Words) -> str:
    """The line under such a question."""
    return "📨 " + say.text("An answer of your agency waits for release")


def sections(drafts: Pending, people: Mapping[int, str], ceiling: Ceiling, say: Words) -> list[Section]:
    """Under their headings; `people` are the names of officers by their numbers."""
    release, wait = say.text("Waits for your release"), say.text("Your drafts that wait for release")
    found = ((release, drafts.others), (wait, drafts.own))
    return [
        Section(_SIGN + head, (), lines=_lines(some, people, ceiling, say)) for head, some in found if some
    ]


def rows(drafts: Pending, say: Words) -> Rows:
    """A button for each that is named, which opens it below."""
    named = (*drafts.others[:NAMED_MAX], *drafts.own[:NAMED_MAX])
    buttons = [Button("📝 " + labels.draft(each.id, say), encode(VERB, LOOK, each.id)) for each in named]
    return tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


def _lines(some: Sequence[Kept], people: Mapping[int, str], ceiling: Ceiling, say: Words) -> tuple[str, ...]:
    lines = ["📝 " + _line(each, people, ceiling, say) for each in some[:NAMED_MAX]]
    if left := len(some[NAMED_MAX:]):
        lines.append(say.count("and {number} more", "and {number} more", left) + ": /drafts")
    return tuple(lines)


def _line(kept: Kept, people: Mapping[int, str], ceiling: Ceiling, say: Words) -> str:
    half, said = kept.body, [labels.draft(kept.id, say)]
    if name := people.get(kept.owner):
        said.append(say.embed(name))
    if half.tlp is not None and ceiling.allows(half.tlp) is Release.FULL:
        said += [labels.kind(half.kind, say)] if half.kind else []
        said.append(say.embed(half.tlp.value))
        if half.answered:
            said.append(say.text("Answers {ref}", ref=say.embed(half.answered.ref)))
    if not kept.waiting:
        said.append(say.text("at the node"))
    return " · ".join(said)
