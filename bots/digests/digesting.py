"""Digests at the moment in which they are sent: filters and entitlements are asked for once more.

A digest was composed when its period ended. What an officer has stopped to watch for meanwhile, what was
retracted, and what they acknowledged, stands in it no longer.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bots.cells.cells import Cell, belongs
from bots.clock import Clock, moment
from bots.digests import contents as digests
from bots.digests import limits, stretches
from bots.digests.contents import Gathered, answers_to, gather, to_agency, with_questions
from bots.drafting.pending import Pending, being_answered, it_waits, pending
from bots.drafting.pending import rows as draft_rows
from bots.drafting.pending import sections as draft_sections
from bots.searches.watching import Sight, Subscription, on_shift, stands_in_digest
from bots.showing.buttons import Waits, asking, following, handing, how_to_open
from bots.showing.changes import changed_by
from bots.showing.overtaken import Find, as_marked_now
from bots.showing.release import Ceiling, Release
from bots.showing.render import Section, listing
from bots.showing.rendered import Rendered
from bots.state import State
from bots.state.lists import Listed
from bots.state.outbox import KEEP, Work
from bots.telling.aftermath import reader
from bots.telling.awaiting import Eyes, answered_here, awaits
from bots.wording.words import words
from schemas.vocabulary import Kind
from subscribers.records import Record

_FRESH: Final = 2.0
"""Seconds for which what was read serves other digests too."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """Makes digests, and makes them again when something in them has changed."""

    state: State
    ceiling: Ceiling
    clock: Clock
    _kept: dict[float, list[Record]] = field(default_factory=dict)

    async def listed(self, work: Work) -> Listed | None:
        """What a digest lists; None for one that is empty, of an officer who wants no empty ones."""
        told = json.loads(work.body)
        held = await self.state.officers.subscriptions(work.officer.id)
        cell = await self.state.cells.get(told.get("cell", 0))
        gathered = await self._gathered(work, told, held, cell)
        drafts = Pending()
        if told.get("kind") == "shift":
            drafts = pending(await self.state.drafts.waiting(), work.officer)
            gathered = replace(gathered, drafts=bool(drafts))
        if told.get("skip") and gathered == Gathered():
            return None
        say, kind = words(work.officer.language), told.get("kind", "digest")
        since = say.when(moment(told["since"]), work.officer.zone)
        sections = gathered.headed(say, whole=kind == "shift")
        if kind == "waits":
            title = digests.more(gathered, say)
            sections = tuple(("", ids) for _, ids in sections)
        elif kind == "shift":
            length = told["until"] - told["since"]
            title = "🤝 " + stretches.title(told.get("why", ""), since, length, say)
        else:
            found = len(gathered.news) + len(gathered.changes) + _within(gathered, told)
            title = digests.title(kind, found, say, since, cell.name if cell else "")
        ids = tuple(id for _, some in sections for id in some)
        return Listed(
            ids,
            title,
            "\n".join(self._notes(work, gathered, held, cell, kind)),
            sections,
            tuple(each.bulletin.id for each in gathered.waiting),
            tuple(each.bulletin.id for each in gathered.unanswered),
            also=tuple(id for id in ids if id in gathered.also),
            left=gathered.left,
            unnamed=gathered.unnamed,
            cell=cell.id if cell else 0,
            drafts=drafts.numbers,
            whole=kind == "shift" or bool(told.get("all")),
        )

    def _notes(
        self, work: Work, gathered: Gathered, held: list[Subscription], cell: Cell | None, kind: str
    ) -> Iterator[str]:
        """The last lines, but for those that say how to open what it lists."""
        say = words(work.officer.language)
        if work.repeated:
            yield say.text("Possibly a repeat: the connection broke while this was being sent.")
        elif kind == "waits":
            return
        elif kind == "event" and gathered == Gathered():
            yield say.text("Nothing new, and nothing waits.")
        if gathered.waits:
            yield limits.meaning(say)
        if not cell:
            yield limits.by_subscriptions(held, say, whole=kind == "shift", waits=gathered.waits)
        if kind == "shift":
            yield say.text("Another period: {example}", example=say.embed(stretches.EXAMPLE))

    async def rendered(self, work: Work, listed: Listed) -> Rendered:
        """The list as its bulletins stand now; those that are no longer kept here have gone from it, and
        what was retracted and never stood here but by its reference.
        """
        sections = listed.sections or (("", listed.records),)
        found = [
            (head, [each for each in await self._now(ids) if not self._over(each)], bool(ids))
            for head, ids in sections
        ]
        shown = [each for _, some, _ in found for each in some]
        acknowledged = await self.state.outbox.acknowledged_by(work.officer.id)
        still = await self._still(listed, shown, acknowledged)
        waiting = await self.state.drafts.waiting() if listed.drafts or listed.unanswered else []
        drafts = pending((each for each in waiting if each.id in listed.drafts), work.officer)
        begun = being_answered(waiting)
        reading, say = reader(work.officer), words(work.officer.language)
        waits = Waits(
            [each for each in shown if each.bulletin.id in listed.waiting],
            [each for each in shown if each.bulletin.id in listed.unanswered],
            acknowledged,
            answers=reading.answers,
            answering=begun,
        )
        return listing(
            [each for head, some, _ in found if not head for each in some],
            self.ceiling,
            reading,
            title=listed.title,
            note="\n".join(filter(None, (listed.note, *how_to_open(shown, self.ceiling, say)))),
            rows=(
                *draft_rows(drafts, say),
                *handing(waits, shown, self.ceiling, say, following(listed, say), asking(listed, say)),
            ),
            sections=[
                *draft_sections(drafts, await self._names(drafts), self.ceiling, say),
                *[
                    await self._section(work, head, some, still, begun)
                    for head, some, filled in found
                    if head and (some or not filled)
                ],
            ],
        )

    async def _section(
        self, work: Work, head: str, some: list[Record], still: set[str], begun: Collection[str]
    ) -> Section:
        """With what is said of each bulletin; `begun`: of these questions, that an answer waits."""
        ids = {each.bulletin.id for each in some}
        told = dict.fromkeys(ids.intersection(begun), it_waits(words(work.officer.language)))
        return Section(
            head,
            some,
            {**await self._answered(work, some), **told},
            await self._before(some, self.state.outbox.record),
            still & ids,
        )

    async def _names(self, drafts: Pending) -> dict[int, str]:
        """Of who wrote what the officer may release."""
        people = [await self.state.officers.get(each.owner) for each in drafts.others]
        return {each.id: each.name for each in people if each}

    async def _now(self, ids: Iterable[str]) -> list[Record]:
        find = self.state.outbox.record
        return await as_marked_now([each for id in ids if (each := await find(id)) is not None], find)

    async def _still(self, listed: Listed, shown: list[Record], acknowledged: set[str]) -> set[str]:
        """The ids of those that are `shown` where it is not said that they wait, and still do."""
        also, now = [each for each in shown if each.bulletin.id in listed.also], self.clock.now()
        kept = await self._lately(now, set()) if also else []
        eyes = Eyes(self.ceiling, now, acknowledged, answered_here(kept))
        return {each.bulletin.id for each in also if awaits(each, eyes)}

    def _over(self, record: Record) -> bool:
        """Whether it was retracted and nothing but its reference was told."""
        withheld = self.ceiling.allows(record.bulletin.tlp) is Release.WAITING
        return record.state == "retracted" and withheld

    async def _before(self, shown: list[Record], find: Find) -> dict[str, Record]:
        """By the ids of what changes something, what it changes: where that may be shown in full, under its
        own marking and under the one that it has by now.
        """
        before = {}
        for each in shown:
            old = await find(key) if (key := changed_by(each)) else None
            if old is None:
                continue
            (now,) = await as_marked_now([old], find)
            if all(self.ceiling.allows(one.bulletin.tlp) is Release.FULL for one in (old, now)):
                before[each.bulletin.id] = old
        return before

    async def _answered(self, work: Work, shown: list[Record]) -> dict[str, str]:
        """By the ids of the agency's own questions, how many have answered each so far."""
        own = [each for each in shown if each.own and each.bulletin.kind is Kind.REQUEST]
        kept = await self._lately(self.clock.now(), set()) if own else []
        say = words(work.officer.language)
        numbers = [(each.bulletin.id, answers_to(each, kept, self.ceiling)) for each in own]
        return {
            key: say.count("{number} agency has answered.", "{number} agencies have answered.", number)
            for key, number in numbers
        }

    async def counted(self, work: Work) -> list[Record]:
        """What a digest's chart counts: what it lists that came in its period and may be shown in full."""
        told = json.loads(work.body)
        held = await self.state.officers.subscriptions(work.officer.id)
        cell = await self.state.cells.get(told["cell"])
        gathered = await self._gathered(work, told, held, cell)
        ids = set(told["records"])
        asked = (*gathered.unanswered, *gathered.asked)
        found = (*gathered.waiting, *asked, *gathered.news, *gathered.changes)
        return [
            each
            for each in found
            if each.bulletin.id in ids and self.ceiling.allows(each.bulletin.tlp) is Release.FULL
        ]

    async def _lately(self, now: float, wanted: set[str]) -> list[Record]:
        """What came lately, with all that are `wanted` of it, read once for the many digests that leave at
        the same hour. `rendered` reads what it shows anew.
        """
        for at, found in self._kept.items():
            if 0 <= now - at < _FRESH and wanted <= {each.bulletin.id for each in found}:
                return found
        outbox = self.state.outbox
        found = await as_marked_now(await outbox.records(now - KEEP, now + 1), outbox.record)
        self._kept.clear()
        self._kept[now] = found
        return found

    async def _gathered(
        self, work: Work, told: dict[str, Any], held: list[Subscription], cell: Cell | None
    ) -> Gathered:
        now = self.clock.now()
        outbox = self.state.outbox
        kept = await self._lately(now, set(told["records"]))
        known = await outbox.told_to(work.officer.id)
        whole = told.get("kind") == "shift"
        by = on_shift(held) if whole or told.get("all") else held
        watched = {each.bulletin.id for each in kept if stands_in_digest(Sight(each, self.ceiling), by)}
        ids = watched | known if whole else watched
        if cell is not None:  # an event's bulletins are its readers', whatever they subscribe to
            may = [each for each in kept if self.ceiling.allows(each.bulletin.tlp) is Release.FULL]
            ids = {each.bulletin.id for each in may if belongs(each, cell)}
            watched, known = ids, set()
        period = [each for each in kept if each.bulletin.id in ids and each.bulletin.id in told["records"]]
        theirs = [each for each in kept if each.own or each.bulletin.id in watched | known]
        theirs += to_agency(kept, self.ceiling) if whole else []
        acknowledged = await outbox.acknowledged_by(work.officer.id)
        after = await self._now([told["after"]] if told.get("after") else [])
        gathered = gather(period, theirs, acknowledged, self.ceiling, now, after[0] if after else None)
        if told.get("kind") == "waits":  # its button stands under what is not acknowledged
            return replace(gathered, unanswered=(), unnamed=0)
        return with_questions(gathered, kept, self.ceiling, now) if whole else gathered


def _within(gathered: Gathered, told: dict[str, Any]) -> int:
    """How many of what waits came in the period."""
    ids = set(told["records"])
    return sum(each.bulletin.id in ids for each in (*gathered.waiting, *gathered.unanswered))


def composed(
    kind: str,
    records: list[Record],
    since: float,
    until: float,
    *,
    skip: bool = False,
    cell: int = 0,
    why: str = "",
) -> str:
    """The body of a digest's job: its bulletins by their ids, when its period begins and ends (Unix
    seconds), of which event it is, and `why` a hand-over begins there.
    """
    ids = [each.bulletin.id for each in records]
    told = {"kind": kind, "records": ids, "since": since, "until": until, "skip": skip, "cell": cell}
    return json.dumps({**told, "why": why})


def wanted_now(body: str) -> str:
    """The body of the same job where its officer asks for it, by a command or a button."""
    return json.dumps({**json.loads(body), "asked": True})


def behind(after: str, cell: int, now: float, *, whole: bool = False) -> str:
    """The body of the job that tells what waits behind a bulletin (by its id); `whole`, of a hand-over."""
    told = {"kind": "waits", "records": [], "since": now, "until": now, "cell": cell, "after": after}
    return wanted_now(json.dumps({**told, "all": whole}))


def was_asked(work: Work) -> bool:
    """Whether it is a digest, or its chart, that the officer asked for; all else comes by itself."""
    return work.verb in {"digest", "chart"} and bool(json.loads(work.body).get("asked"))
