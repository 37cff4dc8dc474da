"""A draft that awaited a text, and a conversation that took its place: what is sent then goes elsewhere, so
the officer is told, with the way back.
"""

from dataclasses import dataclass
from typing import Final

from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.context import Context
from bots.dialogue.screens import plain_answer
from bots.drafting.choices import VERB
from bots.drafting.draft import Step
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.words import words

WRITING: Final = "drafting"
"""The next line is for a draft."""
RETURNING: Final = "drafting.note"
"""The next line is what a releaser says who sends a draft back."""
_BY_BUTTON: Final = frozenset(
    {Step.MARKING, Step.COMMUNITY, Step.KIND, Step.SEVERITY, Step.LIKELIHOOD, Step.LANGUAGE}
)
"""Questions that no line answers."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """What the next line is for: a question of a draft, or a releaser's note on it."""

    draft: int
    step: Step | None


async def awaited(context: Context, officer: Officer) -> Awaited | None:
    """None where no line is awaited for a draft."""
    steps = context.steps(officer)
    at = await steps.at()
    if at not in (WRITING, RETURNING):
        return None
    held = await steps.data()
    step = Step(held["step"]) if at == WRITING and held.get("step") else None
    if at == WRITING and (step is None or step in _BY_BUTTON):
        return None
    return Awaited(int(held["draft"]), step)


async def lost(
    context: Context, officer: Officer, asked: Typed | Pressed, before: Awaited
) -> Rendered | None:
    """What to say when `asked` was something else and took the conversation's place; None when it did not."""
    if _own(asked, before) or await context.steps(officer).at() in (WRITING, RETURNING):
        return None
    kept = await context.state.drafts.get(before.draft)
    if kept is None or kept.state in ("released", "discarded"):
        return None
    return left(officer, kept, before)


def left(officer: Officer, kept: Kept, before: Awaited) -> Rendered:
    """That it is awaited no longer, and a button that asks for it again. Nothing of its text is shown."""
    say, answered = words(officer.language), kept.body.answered
    if answered is not None and before.step is Step.BODY:
        text = say.text(
            "The answer to {ref} is not awaited any more: what you send now is not taken for it.",
            ref=say.embed(answered.ref),
        )
    else:
        text = say.text(
            "{draft} awaits nothing any more: what you send now is not taken for it.",
            draft=labels.draft(kept.id, say),
        )
    return _on(officer, kept, text, before.step, "back")


def stays(officer: Officer, kept: Kept, step: Step | None) -> Rendered:
    """That a draft is open as before, under the bulletin whose reference was sent meanwhile: it was not taken
    for an answer.
    """
    say = words(officer.language)
    text = say.sentences(
        say.text("{draft} stays open.", draft=labels.draft(kept.id, say)),
        say.text("A reference alone opens its bulletin and is not kept in the draft."),
    )
    return _on(officer, kept, text, step, "open")


def _on(officer: Officer, kept: Kept, text: str, step: Step | None, without: str) -> Rendered:
    """A sentence, and a button that asks for `step` again, or does what stands for none."""
    say = words(officer.language)
    data = encode(VERB, "ask", kept.id, step.value) if step else encode(VERB, without, kept.id)
    return plain_answer("📝 " + text, officer.language, ((Button("📝 " + say.text("Go on with it"), data),),))


def _own(asked: Typed | Pressed, before: Awaited) -> bool:
    """Whether it was the draft's own button, its line, or the list of drafts, which has a button for it."""
    if isinstance(asked, Typed):
        return not asked.is_command or asked.command == "drafts"
    return asked.action.verb == VERB and asked.action.arguments[1:2] == (str(before.draft),)
