"""`/audit`, `/audit NAME`, `/audit REFERENCE` and `/audit export [csv]` for administrators."""

import asyncio
import json
from typing import Final

from bots.clock import moment
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.handlers.common import administrators_only
from bots.officers import audited
from bots.officers.audit import Entry, as_csv
from bots.officers.seen import bulletins, since_then, summary, summed
from bots.parsing.commands import clean, reference
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Sight
from bots.state.audit import EVERYTHING, Wanted
from bots.state.officers import Officer
from bots.state.outbox import Shown
from bots.telling.aftermath import PASSING
from bots.wording.markup import Span
from schemas.errors import Code, LiaisonError
from subscribers.records import Record

COUNTED_MAX: Final = 200
EXPORT_MAX: Final = 100_000
"""So many entries make a file that the service takes; the machine's command gives all."""


@administrators_only
async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """The newest entries: all, or those of an officer or about a bulletin."""
    wish = clean(asked.after)
    if wish.lower() in {"export", "export csv"}:
        await _export(context, officer, asked.chat, EVERYTHING, table=wish.lower().endswith("csv"))
        return
    ref = reference(wish)
    name = ""
    if wish and not ref:
        known = await context.state.officers.by_name(wish)
        name = known.name if known else await context.state.audit.called(wish)
        if not name:
            await context.say(officer, asked.chat, audited.unknown_filter(officer))
            return
    await _begin(context, officer, asked.chat, Wanted(name, ref))


@administrators_only
async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """Older entries, the file, or what an officer saw and did, also one who was removed."""
    await context.chat.toast(asked.press)
    match asked.action.argument(0):
        case "export":
            these = "these" in asked.action.arguments
            wanted = await _kept(context, officer) if these else EVERYTHING
            await _export(context, officer, asked.chat, wanted, table=False)
            return
        case "of":
            number = asked.action.number(1)
            known = await context.state.officers.get(number)
            name = known.name if known else await context.state.audit.name_of(number)
            since = 60.0 * asked.action.number(2) if asked.action.arguments[2:] else 0.0
            if name:
                await _begin(context, officer, asked.chat, Wanted(name, since=since))
            else:
                await context.say(officer, asked.chat, audited.unknown_filter(officer))
            return
    wanted = await _kept(context, officer)
    await context.did(officer, wanted.about or wanted.officer)
    await _show(context, officer, asked.chat, wanted, asked.action.number(1))


async def _begin(context: Context, officer: Officer, chat: int, wanted: Wanted) -> None:
    """Its newest entries, which older ones may follow."""
    fields = {"officer": wanted.officer, "about": wanted.about, "since": wanted.since}
    await context.state.memory.set_data(_key(officer), fields)
    await context.did(officer, wanted.about or wanted.officer)
    await _show(context, officer, chat, wanted, None)


async def _kept(context: Context, officer: Officer) -> Wanted:
    """Of whom or what the officer last looked at entries."""
    kept = await context.state.memory.data(_key(officer))
    since = float(kept.get("since", 0.0))
    return Wanted(str(kept.get("officer", "")), str(kept.get("about", "")), since)


async def _show(context: Context, officer: Officer, chat: int, wanted: Wanted, before: int | None) -> None:
    found = await context.state.audit.page(wanted, audited.PAGE + 1, before)
    more = len(found) > audited.PAGE
    first = await _summary(context, officer, wanted) if wanted.officer and before is None else []
    shown, excerpt = found[: audited.PAGE], bool(wanted.officer or wanted.about)
    await context.say(officer, chat, audited.page(officer, shown, more=more, before=first, excerpt=excerpt))


async def _summary(context: Context, officer: Officer, wanted: Wanted) -> list[Span]:
    """What an officer has seen of bulletins, in numbers; the latest `COUNTED_MAX` are looked up."""
    glimpses = bulletins(await context.state.audit.shown(wanted))
    lately = sorted(glimpses, key=lambda each: -each.last)
    refs = list(dict.fromkeys(each.ref for each in lately if each.sight is Sight.FULL))[:COUNTED_MAX]
    records = await asyncio.gather(*(_known(context, ref) for ref in refs))
    marked = await as_marked_now([each for each in records if each], at(context.node))
    found = summed(glimpses, refs, {each.bulletin.ref: each for each in marked}, context.desk.ceiling)
    name, since = wanted.officer, wanted.since
    first = since_then(officer, name, since) if since else []
    return [*first, *(summary(officer, name, found) if found else [])]


async def _known(context: Context, ref: str) -> Record | None:
    try:
        return await context.node.show(ref)
    except LiaisonError as error:
        if error.code is not Code.NOT_FOUND:
            raise
        return None


async def _export(context: Context, officer: Officer, chat: int, wanted: Wanted, *, table: bool) -> None:
    """As a file: JSON lines, or a table."""
    about = wanted.about or wanted.officer
    await context.did(officer, about, outcome="exported")
    number, _ = await context.state.audit.head()
    after = max(0, number - EXPORT_MAX)
    entries: list[Entry] = []
    while chunk := await context.state.audit.all(wanted, after):
        entries += chunk
        after = chunk[-1].number
    if table:
        data = "".join(as_csv(entries))
    else:
        data = "".join(json.dumps(each.row(), ensure_ascii=False) + "\n" for each in entries)
    day = moment(context.clock.now()).strftime("%Y-%m-%d")
    caption = audited.caption(officer, about)
    name = f"audit-{day}.{'csv' if table else 'jsonl'}"
    message = await context.chat.file(chat, name, data.encode(), caption)
    now = context.clock.now()  # it goes like a stub, and at once with a lost phone
    await context.state.outbox.note(officer.id, Shown(chat, message, ends=now + PASSING), now)


def _key(officer: Officer) -> str:
    return f"audit:{officer.id}"


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("audit", typed)
    book.button("audit", button)
