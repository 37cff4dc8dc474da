"""Who wrote a draft that waits for release, and whether the phone it was written on was shut out since: then
it may be whoever found the phone who wrote it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bots.clock import moment
from bots.dialogue.screens import screen
from bots.drafting.choices import VERB
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered
from bots.state import State
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.markup import Span
from bots.wording.words import Words, words


@dataclass(frozen=True, slots=True)
class Author:
    """The names of who began a draft and of who changed it last, and when a phone of one of them was shut out
    (Unix seconds), None unless that was after the draft's last change.
    """

    names: tuple[str, ...]
    shut: float | None = None


async def author_for(state: State, kept: Kept, officer: Officer) -> Author | None:
    """Who else wrote a draft, for an officer who has not begun it; None for who has."""
    if officer.id == kept.owner:
        return None
    author = await author_of(state, kept)
    return replace(author, names=tuple(each for each in author.names if each != officer.name))


async def author_of(state: State, kept: Kept) -> Author:
    """As the audit and the list of officers have it."""
    names = [await name_of(state, each) for each in dict.fromkeys((kept.owner, kept.editor))]
    times = [at for each in names if (at := await state.lost.shut_out_at(each)) is not None]
    last = max(times, default=0.0)
    return Author(tuple(filter(None, names)), last if last > kept.changed else None)


async def name_of(state: State, officer: int) -> str:
    """Also of one who was removed; '' for one whom nobody remembers."""
    found = await state.officers.get(officer)
    return found.name if found else await state.audit.name_of(officer)


async def by_whom(state: State, drafts: Iterable[Kept]) -> list[tuple[int, str]]:
    """The numbers of drafts, each with the name of who began it."""
    people = [(each.id, await state.officers.get(each.owner)) for each in drafts]
    return [(number, officer.name if officer else "") for number, officer in people]


def written(author: Author, officer: Officer) -> Iterator[str]:
    """What a releaser is told of the author, in lines."""
    say = words(officer.language)
    if author.names:
        yield "✍️ " + say.text("Written by {names}", names=say.listed(map(say.embed, author.names)))
    if author.shut is not None:
        yield "⚠️ " + say.text(
            "Its author’s phone was shut out after this was written ({time}): ask before you release.",
            time=_time(author.shut, officer, say),
        )


def doubt(officer: Officer, kept: Kept, author: Author, *, official: bool) -> Rendered:
    """Whether a draft is to be released although the phone it came from was shut out since."""
    say = words(officer.language)
    name = labels.draft(kept.id, say)
    lines = [say.text("{draft}: release it all the same?", draft=name)]
    lines += written(author, officer)
    lines.append(
        say.text("Whoever found that phone may have written it. Ask the author by another way first.")
    )
    sure = encode(VERB, "go", kept.id, kept.body.seal, "oy" if official else "y")
    rows = (
        (Button("🚀 " + say.text("Yes, release it"), sure),),
        (Button("◀️ " + say.text("Back"), encode(VERB, "view", kept.id)),),
    )
    return screen([Span("\n".join(lines))], officer.language, rows)


def _time(at: float, officer: Officer, say: Words) -> str:
    return say.embed(say.when(moment(at), officer.zone))
