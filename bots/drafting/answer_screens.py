"""An answer by button before it goes: who will read it, and what may be added. Pure."""

from collections.abc import Sequence
from typing import Final

from bots.drafting.choices import VERB, filled
from bots.drafting.draft import HalfDraft, Step
from bots.drafting.policy import Ruling
from bots.drafting.texts import LABELS
from bots.parsing.actions import encode, short
from bots.showing.answerable import Answer
from bots.showing.rendered import Button, Rows
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.words import Words, words
from subscribers.records import Record

_SEEN: Final = (Step.SEEN, Step.REGIONS, Step.NUMBER, Step.BODY)
_SIGNS: Final = {Step.SEEN: "🕒 ", Step.REGIONS: "📍 ", Step.NUMBER: "🔢 ", Step.BODY: "📝 "}


def rows(kept: Kept, ruled: Ruling, say: Words, *, returns: bool = False) -> Rows:
    """Send it, add to it, say for whom it is, throw it away: as far as the officer may. `returns`: they may
    send it back.
    """
    seal, half = kept.body.seal, kept.body
    discard = Button("🗑 " + say.text("Discard"), encode(VERB, "gone", kept.id))
    if ruled is Ruling.NEVER:
        return ()
    if ruled is Ruling.OTHER:
        return ((Button("↩️ " + say.text("Take back"), encode(VERB, "take", kept.id)),),)
    first = Button("🚀 " + say.text("Send"), encode(VERB, "go", kept.id, seal))
    if ruled is Ruling.SEND:
        first = Button("📨 " + say.text("Send for release"), encode(VERB, "send", kept.id, seal))
    back = (Button("↩️ " + say.text("Send back"), encode(VERB, "back", kept.id)),) if returns else ()
    if kept.waiting:
        return ((first,), back) if back else ((first,),)
    steps = _SEEN if half.quick is Answer.SEEN else (Step.BODY,)
    adds = tuple(_add(kept, each, say) for each in steps)
    pairs = tuple(adds[at : at + 2] for at in range(0, len(adds), 2))
    head = () if ruled is Ruling.ELSEWHERE else ((first,),)
    return (*head, *pairs, *_whom(kept, say), (*back, discard))


def audience(half: HalfDraft, readers: int, say: Words) -> str:
    """Who can read it once it is out; `readers` other agencies are in the community."""
    if half.to and half.answered:
        return "🔏 " + say.text(
            "Only {agency} can read it. The others see that your agency sent something, and when.",
            agency=say.embed(half.answered.by or half.answered.ref),
        )
    return "👥 " + say.count(
        "{number} other agency in the community can read it.",
        "{number} other agencies in the community can read it.",
        readers,
    )


def advice(half: HalfDraft, say: Words) -> str:
    """What a typed line is taken for."""
    if half.body:
        return ""
    return say.text("A line that you send now is added to it.")


def said_before(officer: Officer, earlier: Sequence[Record]) -> str:
    """What the agency said of the same already, newest first; of a channel, that this takes its place."""
    if not earlier:
        return ""
    say, newest = words(officer.language), earlier[0].bulletin
    ref = say.embed(newest.ref)
    if newest.channel is None:
        return "👀 " + say.text("Your agency has said so already: {ref}. This is said beside it.", ref=ref)
    state = say.text(labels.CHANNEL_STATES[newest.channel.state])
    return "📡 " + say.text(
        "So far your agency says: {state} ({ref}). This takes its place.", state=state, ref=ref
    )


def take_back(published: str, say: Words) -> Rows:
    """Under what was sent to the community: it can be withdrawn, openly."""
    return ((Button("↩️ " + say.text("Withdraw"), encode("answer", "back", short(published))),),)


def _add(kept: Kept, step: Step, say: Words) -> Button:
    done = "✅ " if filled(kept.body, step) else _SIGNS[step]
    return Button(done + say.text(LABELS[step]), encode(VERB, "ask", kept.id, step))


def _whom(kept: Kept, say: Words) -> Rows:
    if kept.body.quick is not Answer.SEEN:
        return ()
    text = (
        "👥 " + say.text("To the community") if kept.body.to else "🔏 " + say.text("To its originator alone")
    )
    return ((Button(text, encode(VERB, "to", kept.id)),),)
