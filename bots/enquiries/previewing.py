"""What a saved search would have told of, shown before it is kept."""

from bots.enquiries.desk import Answer
from bots.enquiries.finding import PREVIEW_DAYS, Finder, Preview
from bots.parsing.queries import Query
from bots.searches import menus as search_menus
from bots.searches.facets import describe, suggested_name
from bots.searches.loudness import heading, told
from bots.searches.saved_menus import louder, title
from bots.searches.watching import Search, same_as
from bots.showing.render import Reader, listing
from bots.state.lists import Listed
from bots.state.officers import Officer
from bots.wording.words import Words, words


async def previewed(finder: Finder, officer: Officer, draft: Search, changes: int = 0) -> Answer:
    """How many it would have found in the last 30 days, of what may be shown in chat, and the newest of
    them. `changes`: the subscription whose place it takes.
    """
    say, known = words(officer.language), await finder.node.communities()
    found = await finder.preview(Query(words=draft.words, filters=draft.filters))
    name = draft.name or suggested_name(draft, known, say)
    held = await finder.state.officers.subscriptions(officer.id)
    others = [each for each in held if each.id != changes]
    same = same_as(draft, others)
    withheld = finder.ceiling.withheld
    notes = told(draft, officer, louder(draft, others, officer, known), withheld=withheld)
    if same:
        notes.append(search_menus.already(title(same, known, say), say))
    if withheld is not None:
        notes.append(say.text("Counted: what may be shown in chat."))
    shown = listing(
        found.newest,
        finder.ceiling,
        Reader(officer.language, officer.zone),
        title="\n".join((f"👁 {heading(name, say)}", describe(draft, known, say), _counted(found, say))),
        note="\n".join(notes),
        rows=search_menus.preview_rows(officer, name, changes=changes, same=same),
    )
    return Answer(shown, listed=Listed(tuple(each.bulletin.id for each in found.newest)))


def _counted(found: Preview, say: Words) -> str:
    if found.more:
        return say.text(
            "More than {number} in the last {days} days; the newest:", number=found.number, days=PREVIEW_DAYS
        )
    if not found.number:
        return say.text("None in the last {days} days.", days=PREVIEW_DAYS)
    return say.count(
        "{number} in the last {days} days; the newest:",
        "{number} in the last {days} days; the newest:",
        found.number,
        days=PREVIEW_DAYS,
    )
