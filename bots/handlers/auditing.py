"""`/audit`, `/audit NAME`, `/audit REFERENCE` and `/audit export [csv]` for administrators."""

import asyncio
import json
from typing import Final

from bots.clock import moment
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.handlers.common import administrators_only
from bots.officers import audited, called
from bots.officers.audit import Entry, as_csv
from bots.officers.seen import bulletins, since_then, summary, summed
from bots.parsing.actions import Action
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
_FILTERED: Final = 2
"""A button for older entries says of whom or what; those of earlier versions did not."""


@administrators_only
async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """The newest entries: all, or those of an officer or about a bulletin."""
    wish = clean(asked.after)
    if wish.lower() in {"export", "export csv"}:
        await _export(context, officer, asked.chat, EVERYTHING, table=wish.lower().endswith("csv"))
        return
    ref = reference(wish)
    if not wish or ref:
        await _begin(context, officer, asked.chat, Wanted(about=ref))
        return
    found = called.meant(wish, await context.state.officers.all())
    if name := await context.state.audit.called(wish):
        await _begin(context, officer, asked.chat, Wanted(name))
    elif len(found) == 1:
        await _begin(context, officer, asked.chat, Wanted(found[0].name))
    else:
        shown = audited.which(officer, found) if found else audited.unknown_filter(officer)
        await context.say(officer, asked.chat, shown)


@administrators_only
async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """Older entries, the file, or what an officer saw and did, also one who was removed. Of whom or what is
    in the button: an older message keeps its own.
    """
    await context.chat.toast(asked.press)
    action = asked.action
    match action.argument(0):
        case "export":
            wanted = await _told(context, action, 1)
            if wanted:
                await _export(context, officer, asked.chat, wanted, table=False)
                return
        case "of":
            if wanted := await _told(context, action, 1):
                await _begin(context, officer, asked.chat, wanted)
                return
        case "older":
            if len(action.arguments) > _FILTERED and (wanted := await _told(context, action, 2)):
                await context.did(officer, wanted.about or wanted.officer)
                await _show(context, officer, asked.chat, wanted, action.number(1))
                return
    await context.say(officer, asked.chat, audited.unknown_filter(officer))


async def _begin(context: Context, officer: Officer, chat: int, wanted: Wanted) -> None:
    """Its newest entries, which older ones may follow."""
    await context.did(officer, wanted.about or wanted.officer)
    await _show(context, officer, chat, wanted, None)


async def _told(context: Context, action: Action, at: int) -> Wanted | None:
    """Of whom or what a button tells, from its argument `at` on: nothing there for everything, a reference,
    or an officer by number and, in minutes, since when. None for what is neither.
    """
    about, *since = action.arguments[at:] or ("",)
    if not about:
        return EVERYTHING
    if ref := reference(about):
        return Wanted(about=ref)
    if not about.isdecimal():
        return None
    number = action.number(at)
    known = await context.state.officers.get(number)
    name = known.name if known else await context.state.audit.name_of(number)
    return Wanted(name, since=60.0 * action.number(at + 1) if since else 0.0) if name else None


async def _filter(context: Context, wanted: Wanted) -> tuple[str | int, ...]:
    """The same as arguments of a button; nothing for everything."""
    if wanted.about:
        return (wanted.about,)
    if not wanted.officer:
        return ()
    known = await context.state.officers.by_name(wanted.officer)
    number = known.id if known else await context.state.audit.number_of(wanted.officer)
    return (number, int(wanted.since // 60)) if wanted.since else (number,)


async def _show(context: Context, officer: Officer, chat: int, wanted: Wanted, before: int | None) -> None:
    found = await context.state.audit.page(wanted, audited.PAGE + 1, before)
    more = len(found) > audited.PAGE
    first = await _summary(context, officer, wanted) if wanted.officer and before is None else []
    told, about = await _filter(context, wanted), wanted.about or wanted.officer
    shown = audited.page(officer, found[: audited.PAGE], more=more, before=first, about=about, told=told)
    await context.say(officer, chat, shown)


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


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("audit", typed)
    book.button("audit", button)
