"""What the agency has answered of a question already, or is about to: nobody answers twice unknowingly.
Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bots.drafting.pending import it_waits
from bots.showing.answerable import answered_id
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.words import Words, words
from schemas.vocabulary import Kind
from subscribers.records import Record


@dataclass(frozen=True, slots=True)
class Answered:
    """The references of the agency's answers, and the drafts that wait to be: number, and who wrote it."""

    refs: Sequence[str] = ()
    waiting: Sequence[tuple[int, str]] = ()

    def said(self, say: Words) -> str:
        """In lines; none for a question that nobody has answered."""
        lines = []
        if self.refs:
            refs = say.listed(map(say.embed, self.refs))
            lines.append("💬 " + say.text("Your agency has answered this: {refs}", refs=refs))
        for number, name in self.waiting:
            draft = labels.draft(number, say)
            lines.append(f"{it_waits(say)} · {draft}" + (f" · {say.embed(name)}" if name else ""))
        return "\n".join(lines)


def titled(target: Record, officer: Officer) -> str:
    """Which bulletin is answered, in a line: its reference and its title."""
    say, bulletin = words(officer.language), target.bulletin
    ref = say.text("Answers {ref}", ref=say.embed(bulletin.ref))
    return f"↩️ {ref} · {say.embed(bulletin.text_in(officer.language).title)}"


def question_of(kept: Kept) -> str:
    """The question, by its id, that a draft answers in words; '' for any other draft."""
    answered = kept.body.answered
    return answered.id if answered and kept.body.kind is Kind.RESPONSE else ""


def answers_of(question: str, records: Iterable[Record]) -> tuple[str, ...]:
    """The references of the agency's own answers to a question that stand, among `records`."""
    return tuple(
        dict.fromkeys(
            each.bulletin.ref
            for each in records
            if each.own
            and each.state != "retracted"
            and each.bulletin.kind is Kind.RESPONSE
            and answered_id(each) == question
        )
    )


def others(kept: Kept, waiting: Iterable[Kept]) -> list[Kept]:
    """The other drafts of all that are `waiting` that answer the same."""
    question = question_of(kept)
    return [each for each in waiting if question and each.id != kept.id and question_of(each) == question]
