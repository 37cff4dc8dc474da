"""Where a draft stands, for who has a part in it: that it waits and for whom, or why no longer. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bots.dialogue.screens import plain_answer
from bots.drafting.choices import VERB
from bots.drafting.policy import Ruling, may_release
from bots.drafting.wizard import allowed
from bots.officers.roles import Right
from bots.parsing.actions import encode
from bots.showing.buttons import button_room_draft
from bots.showing.release import Ceiling
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.labels import N_
from bots.wording.words import Words, words
from schemas.vocabulary import Tlp

_NAMED: Final = 10
"""So many who may release are named."""


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
    told = [say.text("{draft} waits for release.", draft=labels.draft(kept.id, say))]
    if releasers:
        told.append(who_may(releasers, say))
    yield "⏳ " + say.sentences(*told)
    if not releasers:
        yield "⚠️ " + nobody(officer, say)
    if may_release(officer.role):
        yield _not_you(officer, kept, say, alone=alone)


def changed(officer: Officer, ruled: Ruling, *, returns: bool) -> str:
    """For the releaser who changed it: what became of it, and what may be done with it then."""
    say = words(officer.language)
    told = [say.text("You changed it, so it does not wait for release any more; its author was told.")]
    if returns and ruled is Ruling.RELEASE:
        told.append(say.text("When you are done, release it or send it back."))
    if returns and ruled is Ruling.SEND:
        told.append(say.text("When you are done, send it for release or send it back."))
    return "✏️ " + say.sentences(*told)


def changed_by(officer: Officer, by: str) -> str:
    """The same for its author."""
    say = words(officer.language)
    text = say.text("{name} changed it, so it does not wait for release any more.", name=say.embed(by))
    return "✏️ " + say.sentences(text, say.text("Look at it before it goes on."))


def pulled(officer: Officer, kept: Kept | None, by: str, *, changed: bool) -> Rendered | None:
    """What a writer is told when another has changed it while it waited, or taken it back; None when that is
    over.
    """
    if kept is None or kept.state != "open":
        return None
    say = words(officer.language)
    message = (
        N_("{name} changed {draft}: it does not wait for release any more.")
        if changed
        else N_("{name} took {draft} back: it does not wait for release any more.")
    )
    text = say.text(message, draft=labels.draft(kept.id, say), name=say.embed(by))
    rows: Rows = ()
    if officer.id == kept.owner:
        rows = ((Button("📝 " + say.text("Open"), encode(VERB, "open", kept.id)),),)
    return plain_answer(("✏️ " if changed else "↩️ ") + text, officer.language, rows)


def came_back(officer: Officer, kept: Kept | None, body: Mapping[str, Any], ceiling: Ceiling) -> Rendered:
    """What its writers are told when it was sent back, or the node refused it: by whom and why, as far as the
    ceiling allows, and the way to it for those whose it still is.
    """
    say, number = words(officer.language), int(body["draft"])
    called = labels.draft(number, say)
    told = "↩️ " + say.text("{draft} came back from {name}:", draft=called, name=say.embed(body["by"]))
    theirs = kept is not None and officer.id in kept.writers
    opened = Button("📝 " + say.text("Open"), encode(VERB, "open", number))
    if body["note"] and kept is not None and allowed(kept.body.tlp or Tlp.RED, ceiling):
        told += "\n" + say.embed(body["note"])
    elif body["note"]:
        why = [say.text("{draft} is marked above what may be in this chat.", draft=called)]
        if theirs and kept is not None and kept.returned and ceiling.room:
            why.append(say.text("What should be changed stands in the reading room."))
            opened = button_room_draft(number, ceiling.room, say)
        told += "\n🔒 " + say.sentences(*why)
    return plain_answer(told, officer.language, ((opened,),) if theirs else ())


def in_a_word(kept: Kept, say: Words) -> str:
    """Where a draft stands, for a list; '' of one that is only being written."""
    if kept.waiting:
        return say.text("waits for release")
    if kept.state == "releasing":
        return say.text("at the node")
    if kept.by_another:
        return say.text("changed, waits no longer")
    return say.text("came back") if kept.note else ""


def _not_you(officer: Officer, kept: Kept, say: Words, *, alone: bool) -> str:
    if alone:
        return say.text(
            "It was sent for release: another officer releases it, or you take it back and release it"
            " yourself."
        )
    if officer.id == kept.owner:
        return say.text("You wrote it: another officer must release it.")
    return say.text("You changed it: another officer must release it.")
