"""What is typed without a command, looked for as `/search` does and under the same ceiling. Of the words
nothing is kept: a button carries what it needs (`bots.parsing.carried`).
"""

from typing import Final

from bots.dialogue import screens
from bots.enquiries.desk import PAGE, Answer
from bots.enquiries.finding import PLAIN, Finder, hits, typed_query
from bots.parsing.carried import carry
from bots.parsing.queries import Query
from bots.showing.buttons import opening
from bots.showing.render import Reader, listing
from bots.showing.rendered import Button, Rows
from bots.state.lists import Listed
from bots.state.officers import Officer
from bots.wording.words import words
from schemas.vocabulary import Tlp

PAGES_MAX: Final = 20
"""More are not turned by button: a node answers 100 at once."""
_LABEL_MAX: Final = 30


async def look_for(finder: Finder, officer: Officer, text: str, page: int = 0) -> Answer | None:
    """The newest bulletins that answer to `text`; None when a later page has none. Raises OperationError
    `bad_request` for what cannot be looked for.
    """
    known = await finder.node.communities() if "community:" in text.lower() else []
    query = typed_query(text, finder.clock.now(), known, words(officer.language))
    found = await finder.look(query, PAGE * (page + 1))
    some = found.items[PAGE * page :]
    if not some and not found.cursor:
        return None if page else await _nothing(finder, officer, query)
    say, rows, notes = words(officer.language), opening(some), [screens.open_one(officer)]
    if found.cursor and (turn := carry(PLAIN, page + 1, text)) and page + 1 < PAGES_MAX:
        rows += ((Button(say.text("More") + " ▾", turn),),)
    elif found.cursor:
        notes.append(say.text("There are more: /search with these words turns the pages."))
    title = "🗂 " + say.text("More") if page else hits(found, say)
    if not page and (reading := await finder.reading(query, some)):
        title, rows = f"{title}\n{reading.said(say)}", (*rows, *reading.rows(say))
    reader = Reader(officer.language, officer.zone)
    shown = listing(some, finder.ceiling, reader, title=title, note="\n".join(notes), rows=rows)
    return Answer(shown, listed=Listed(tuple(each.bulletin.id for each in some)))


async def look_exactly(finder: Finder, officer: Officer, text: str) -> Answer | None:
    """The newest bulletins that have the words as they were typed; None where none has them any more."""
    found = (await finder.exactly(Query(words=text)))[: PAGE * 2]
    if not found:
        return None
    say = words(officer.language)
    title = "🔎 " + say.text("Exactly “{words}”, newest first", words=say.embed(text))
    note, reader = screens.open_one(officer), Reader(officer.language, officer.zone)
    shown = listing(found, finder.ceiling, reader, title=title, note=note, rows=opening(found))
    return Answer(shown, listed=Listed(tuple(each.bulletin.id for each in found)))


async def _nothing(finder: Finder, officer: Officer, query: Query) -> Answer:
    say = words(officer.language)
    rows: Rows = ()
    lines = [say.text("Nothing found.")]
    if better := await finder.suggested(Query(words=query.words)):
        lines.append(say.text("Did you mean: {words}", words=say.embed(better)))
        if again := carry(PLAIN, 0, better):
            rows = ((Button("🔎 " + better[:_LABEL_MAX], again),),)
    if finder.ceiling.full is not Tlp.RED:
        lines.append(say.text("Only bulletins that may be shown in chat are searched here."))
    lines.append(say.text("That was no command, so its words were looked for. /help lists the commands."))
    return Answer(screens.plain_answer("\n".join(lines), officer.language, rows))
