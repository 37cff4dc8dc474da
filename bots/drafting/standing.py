"""Where a draft stands, for who has a part in it: that it waits and for whom. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from bots.drafting.policy import may_release
from bots.officers.roles import Right
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording.words import Words, words

_NAMED: Final = 10
"""So many who may release are named."""


def name(kept: Kept, say: Words) -> str:
    """What a draft is called."""
    return say.text("Draft {number}", number=kept.id)


def who_may(releasers: Sequence[str], say: Words) -> str:
    """Who may release it, by their names."""
    names = say.listed(map(say.embed, releasers[:_NAMED]))
    if left := len(releasers[_NAMED:]):
        names += " " + say.count("and {number} more", "and {number} more", left)
    return say.text("Who may release it: {names}.", names=names)


def nobody(officer: Officer, say: Words) -> str:
    """That there is no second officer, and who names one."""
    if officer.may(Right.ADMINISTER):
        return say.text("Nobody else may release it. Make a colleague a releaser: /officers")
    return say.text("Nobody else may release it. Ask your administrator to name a second releaser.")


def waits(officer: Officer, kept: Kept, releasers: Sequence[str], *, alone: bool) -> Iterator[str]:
    """For who wrote or changed it: that it waits, for whom, and why not for them. `alone`: of this marking
    one officer may release what they wrote.
    """
    say = words(officer.language)
    told = [say.text("{draft} waits for release.", draft=name(kept, say))]
    if releasers:
        told.append(who_may(releasers, say))
    yield "⏳ " + say.sentences(*told)
    if not releasers:
        yield "⚠️ " + nobody(officer, say)
    if may_release(officer.role):
        yield _not_you(officer, kept, say, alone=alone)


def _not_you(officer: Officer, kept: Kept, say: Words, *, alone: bool) -> str:
    if alone:
        return say.text(
            "It was sent for release: another officer releases it, or you take it back and release it"
            " yourself."
        )
    if officer.id == kept.owner:
        return say.text("You wrote it: another officer must release it.")
    return say.text("You changed it: another officer must release it.")
