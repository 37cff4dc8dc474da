"""The finder: searches by words and restrictions, page by page, and what a search would have found before it
is saved. Knows nothing of the chat service.

Everything asked of the node is asked under the ceiling: neither hits nor their number say what a withheld
bulletin contains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bots.clock import Clock
from bots.dialogue import screens
from bots.enquiries.desk import PAGE, Answer, page_key
from bots.enquiries.merging import any_of
from bots.enquiries.read_as import Reading, has_exactly, read_as
from bots.enquiries.suggest import did_you_mean, vocabulary
from bots.parsing.actions import encode
from bots.parsing.carried import carry
from bots.parsing.queries import Query, facets, parse, without
from bots.ports import NodeClient
from bots.searches.alternatives import alternatives, fewer, with_strokes
from bots.searches.facets import facet_button
from bots.searches.matching import QUIET_KINDS
from bots.showing.buttons import opening
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Ceiling, Release
from bots.showing.render import Reader, listing
from bots.showing.rendered import Button, Rows
from bots.state import State
from bots.state.lists import Listed
from bots.state.officers import Officer
from bots.state.outbox import KEEP
from bots.state.titles import titled
from bots.wording.places import coded
from bots.wording.words import Words, words
from schemas.encoding import instant
from schemas.vocabulary import Kind, Tlp
from subscribers.records import Community, Filters, Page, Record

PLAIN: Final = "plain"
"""The verb of a button that carries the words it looks for."""
EXACTLY: Final = "exactly"
"""The verb of one that shows what has its words as they were typed."""
PREVIEW_DAYS: Final = 30
COUNTED_MAX: Final = 100
"""More than these are not counted one by one."""
_NEWEST: Final = 3
_DAY: Final = 86_400.0
_CHIPS: Final = 2
_TOKEN: Final = 10**9
_LABEL_MAX: Final = 30
_DROPPED_MAX: Final = 3
"""Buttons that drop a word."""
_TRIED_MAX: Final = 8
"""So many words are tried without: each is a search."""


def typed_query(text: str, now: float, known: Sequence[Community], say: Words) -> Query:
    """What is looked for, as it is typed at `now` (Unix seconds): countries by name, "or" in the officer's
    language. Raises OperationError.
    """
    query = parse(coded(text), now, known)
    return query.model_copy(update={"words": with_strokes(query.words, say)}) if query.words else query


@dataclass(frozen=True, slots=True)
class Preview:
    """What a search would have found: how many, whether there are more, and the newest."""

    number: int
    more: bool
    newest: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Finder:
    """Answers to searches. The node's refusals come through as LiaisonError."""

    node: NodeClient
    state: State
    ceiling: Ceiling
    clock: Clock

    async def find(self, officer: Officer, query: Query) -> Answer:
        """The newest bulletins that answer to it, with a button for each restriction to take it away."""
        page = await self.look(query, PAGE)
        say = words(officer.language)
        token = int(self.clock.now() * 1_000) % _TOKEN
        kept = {"verb": "find", "query": query.model_dump_json(), "token": token}
        known = await self.node.communities() if query.filters.communities else []
        if not page.items and not page.cursor:
            return await self._nothing(officer, query, kept, known)
        title, chips = hits(page, say), _chips(query, token, officer, known)
        if reading := await self.reading(query, page.items):
            title, chips = f"{title}\n{reading.said(say)}", (*reading.rows(say), *chips)
        shown = Shown(title, kept, chips)
        return await self._page(officer, page, shown)

    async def next_page(self, officer: Officer) -> Answer | None:
        """The part after the last list of a search; None when there is none."""
        kept = await self.state.memory.data(page_key(officer))
        if kept.get("verb") != "find" or not kept.get("cursor"):
            return None
        page = await self.look(Query.model_validate_json(kept["query"]), PAGE, kept["cursor"])
        if not page.items:
            return None
        return await self._page(officer, page, Shown("🗂 " + words(officer.language).text("More"), kept))

    async def asked(self, officer: Officer, token: int) -> Query | None:
        """The search that a list's buttons speak of; None when another came after it."""
        kept = await self.state.memory.data(page_key(officer))
        if kept.get("verb") != "find" or kept.get("token") != token:
            return None
        return Query.model_validate_json(kept["query"])

    async def without(self, officer: Officer, token: int, index: int) -> Answer | None:
        """The same search with one restriction less; None when there is no such any more."""
        query = await self.asked(officer, token)
        if query is None or index >= len(found := facets(query)):
            return None
        return await self.find(officer, without(query, found[index]))

    async def fewer(self, officer: Officer, token: int, index: int) -> Answer | None:
        """The same search with one word less; None when there is no such any more."""
        query = await self.asked(officer, token)
        if query is None or index >= len(found := fewer(query.words)):
            return None
        return await self.find(officer, query.model_copy(update={"words": found[index][1]}))

    async def better(self, officer: Officer, token: int) -> Answer | None:
        """The same search with the words that were suggested; None when there are none any more."""
        kept = await self.state.memory.data(page_key(officer))
        query = await self.asked(officer, token)
        if query is None or not kept.get("better"):
            return None
        return await self.find(officer, query.model_copy(update={"words": kept["better"]}))

    async def reading(self, query: Query, found: Sequence[Record]) -> Reading | None:
        """What its words were read as, where `found` has them in another form; and whether anything has them
        as they were typed. Within restrictions no button says so: it could not carry them.
        """
        read = read_as(query.words, found) if query.words else None
        if read is None:
            return None
        again = carry(EXACTLY, 0, query.words) if query.filters == Filters() else None
        return Reading(query.words, read, again if again and await self.exactly(query) else "")

    async def exactly(self, query: Query) -> list[Record]:
        """Those of the newest hits that have all its words as they were typed."""
        page = await self.look(query, COUNTED_MAX)
        return [each for each in page.items if has_exactly(query.words, each)]

    async def preview(self, query: Query) -> Preview:
        """What it would have found in the last 30 days, of what may be shown in chat."""
        since = instant(int((self.clock.now() - PREVIEW_DAYS * _DAY) * 1_000))
        lately = query.model_copy(update={"filters": query.filters.model_copy(update={"since": since})})
        page = await self.look(lately, COUNTED_MAX)
        return Preview(len(page.items), page.cursor is not None, tuple(page.items[:_NEWEST]))

    async def look(self, query: Query, limit: int, cursor: str | None = None) -> Page:
        """What answers to it, of what may be shown here in full."""
        filters = query.filters.model_copy(
            update={
                "tlp_at_most": min(query.filters.tlp_at_most, self.ceiling.full, key=lambda each: each.rank),
                "kinds": query.filters.kinds or frozenset(Kind) - QUIET_KINDS,
            }
        )

        async def search(words: str, limit: int, cursor: str | None = None) -> Page:
            return await self.node.search(words, filters=filters, limit=limit, cursor=cursor)

        sought = alternatives(query.words)
        if len(sought) > 1:
            page = await any_of(search, sought, limit, cursor)
        elif query.words:
            page = await search(query.words, limit, cursor)
        else:
            page = await self.node.latest(filters, limit, cursor)
        return await self._shown(page)

    async def _shown(self, page: Page) -> Page:
        """Without what an amendment has put above the ceiling since: that it was found would tell of it."""
        items = [
            each
            for each in await as_marked_now(page.items, at(self.node))
            if self.ceiling.allows(each.bulletin.tlp) is Release.FULL
        ]
        left = None if page.total is None else page.total - len(page.items) + len(items)
        return page.model_copy(update={"items": items, "total": left})

    async def _nothing(
        self, officer: Officer, query: Query, kept: dict[str, object], known: list[Community]
    ) -> Answer:
        say, token = words(officer.language), kept["token"]
        lines = [say.text("Nothing found.")]
        rows = _chips(query, token, officer, known)
        better = await self.suggested(query)
        if better:
            lines.append(say.text("Did you mean: {words}", words=say.embed(better)))
            # Without restrictions the button carries its words, whatever was searched since.
            own = carry(PLAIN, 0, better) if query.filters == Filters() else None
            again = own or encode("find", "better", token)
            rows = ((Button("🔎 " + better[:_LABEL_MAX], again),), *rows)
        rows = (*await self._droppable(query, token, say), *rows)
        if rows:
            lines.append(say.text("Take a restriction away with its button."))
        if query.filters.since is None:
            lines.append(narrowed(say))
        elif fewer(query.words):
            lines.append(say.text("Or send fewer words."))
        if self.ceiling.full is not Tlp.RED:
            lines.append(say.text("Only bulletins that may be shown in chat are searched here."))
        await self.state.memory.set_data(page_key(officer), {**kept, "better": better})
        return Answer(screens.plain_answer("\n".join(lines), officer.language, rows))

    async def _droppable(self, query: Query, token: object, say: Words) -> Rows:
        """A button for each word without which something would be found that may be shown."""
        found: list[tuple[Button]] = []
        for index, (word, left) in enumerate(fewer(query.words)[:_TRIED_MAX]):
            if (
                len(found) < _DROPPED_MAX
                and (await self.look(query.model_copy(update={"words": left}), PAGE)).items
            ):
                short = word if len(word) <= _LABEL_MAX else word[: _LABEL_MAX - 1] + "…"
                label = "✖️ " + say.text("“{name}”", name=short)
                found.append((Button(label, encode("find", "less", token, index)),))
        return tuple(found)

    async def suggested(self, query: Query) -> str | None:
        """Words of late titles that may have been meant instead, and find something that may be shown."""
        if not query.words:
            return None
        lately = await titled(self.state.store, self.clock.now() - KEEP)
        better = did_you_mean(query.words, vocabulary(lately, self.ceiling))
        if better is None:
            return None
        found = await self.look(query.model_copy(update={"words": better}), 1)
        return better if found.items else None

    async def _page(self, officer: Officer, page: Page, shown: "Shown") -> Answer:
        say = words(officer.language)
        await self.state.memory.set_data(page_key(officer), {**shown.kept, "cursor": page.cursor})
        last = [Button(say.text("More") + " ▾", encode("next"))] if page.cursor else []
        if shown.chips:
            last.append(
                Button("🔔 " + say.text("Subscribe to this"), encode("find", "save", shown.kept["token"]))
            )
        rows = (*opening(page.items), *shown.chips, *((tuple(last),) if last else ()))
        note = screens.open_one(officer)
        reader = Reader(officer.language, officer.zone)
        rendered = listing(page.items, self.ceiling, reader, title=shown.title, note=note, rows=rows)
        return Answer(rendered, listed=Listed(tuple(each.bulletin.id for each in page.items)))


@dataclass(frozen=True, slots=True)
class Shown:
    """How a page is shown: its title, what is remembered of its question, and the restrictions' buttons."""

    title: str
    kept: dict[str, object]
    chips: Rows = ()


def _chips(query: Query, token: object, officer: Officer, known: list[Community]) -> Rows:
    buttons = [
        Button("✖️ " + facet_button(each, known, officer), encode("find", "cut", token, index))
        for index, each in enumerate(facets(query))
    ]
    return tuple(tuple(buttons[at : at + _CHIPS]) for at in range(0, len(buttons), _CHIPS))


def narrowed(say: Words) -> str:
    """That filters may do what words did not: where words fail, the time often does not."""
    return say.text(
        "Or send fewer words, with filters: {since} for the last seven days, {kind}, {region}.",
        since=say.embed("since:7d"),
        kind=say.embed("kind:cyber"),
        region=say.embed("region:FR"),
    )


def hits(page: Page, say: Words) -> str:
    """How many were found, over a list of them."""
    if page.total is None:
        return "🔎 " + say.text("Found, newest first")
    return "🔎 " + say.count("{number} bulletin found", "{number} bulletins found", page.total)
