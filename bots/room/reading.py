"""Pages to read: the list, a bulletin, its print view, its files; and the button that acknowledges."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final
from urllib.parse import quote, urlencode

from aiohttp import web

from bots.clock import moment
from bots.parsing.commands import words as cleaned
from bots.room.above import above_page
from bots.room.desk import Above, Opened, Question, places
from bots.room.pages import page
from bots.room.texts import PageWords
from bots.room.web import ROOM, Visitor, asked_ref, form, html, must_be_in, target
from bots.showing.buttons import ANSWERS
from bots.wording import labels
from bots.wording.labels import N_
from bots.wording.words import Words, words
from schemas.errors import Code, OperationError
from schemas.vocabulary import Kind, Language, Relation, Severity

FILE_SECONDS: Final = 30.0
"""How long a page waits for the beginning of a file that the node is still fetching."""
_CURSOR_MAX: Final = 200
_CHANGES: Final = {Relation.AMENDS: N_("Amend"), Relation.RETRACTS: N_("Retract")}


async def bulletins(request: web.Request) -> web.Response:
    """The list: newest first, or those with the given words; filters by kind, severity and community."""
    guest, room = await must_be_in(request), request.app[ROOM]
    asked = question(request.query)
    found = await room.desk.look(guest.officer, guest.top, asked)
    say = words(guest.officer.language)
    chosen = {
        "words": asked.words,
        "kind": asked.kind.value if asked.kind else "",
        "severity": asked.severity.value,
        "community": asked.community,
    }
    total = found.total
    text = page(
        "list",
        guest.officer.language,
        guest.session,
        place="list",
        asked=chosen,
        kinds=[(each.value, labels.kind(each, say)) for each in Kind],
        severities=[(each.value, _from_up(each, say)) for each in Severity],
        communities=places(found.communities),
        entries=found.entries,
        flash=found.flash,
        found=None
        if total is None
        else say.count("{number} bulletin found", "{number} bulletins found", total),
        older=_older(chosen, found.cursor),
        top=guest.top.value,
    )
    return html(text)


async def bulletin(request: web.Request) -> web.Response:
    """One bulletin."""
    guest, ref = await must_be_in(request), ref_of(request)
    try:
        opened = await request.app[ROOM].desk.open(guest.officer, guest.top, ref, _language(request))
    except Above as above:
        return above_page(request, guest, above.ref, above.tlp, above.ref)
    return html(_shown(guest, opened, printed=""))


async def printing(request: web.Request) -> web.Response:
    """The same for paper: without buttons, with who printed it and when."""
    guest, ref = await must_be_in(request), ref_of(request)
    room, officer = request.app[ROOM], guest.officer
    try:
        opened = await room.desk.open(officer, guest.top, ref, _language(request))
    except Above as above:
        return above_page(request, guest, above.ref, above.tlp, above.ref)
    say = words(officer.language)
    time = say.when(moment(room.clock.now()), officer.zone)
    printed = PageWords(say)("printed", name=officer.name, time=time)
    return html(_shown(guest, opened, printed=printed))


async def acknowledge(request: web.Request) -> web.Response:
    """Acknowledge, and show the bulletin again."""
    guest, ref = await must_be_in(request), ref_of(request)
    await form(request, guest)
    try:
        shown = await request.app[ROOM].desk.acknowledge(guest.officer, guest.top, ref)
    except Above as above:
        return above_page(request, guest, above.ref, above.tlp, above.ref)
    raise web.HTTPSeeOther(target(shown))


async def file(request: web.Request) -> web.StreamResponse:
    """An attachment, as it comes from the node: never opened in the room, never kept.

    The length is said first and the last bytes come only when the node has held all of them against the
    bulletin, so that a browser takes what failed for a download that broke off.
    """
    guest, ref = await must_be_in(request), ref_of(request)
    try:
        held, pieces = await request.app[ROOM].desk.file(guest.officer, guest.top, ref, _number(request))
    except Above as above:
        return above_page(request, guest, above.ref, above.tlp, above.ref)
    async with aclosing(pieces):
        first = await _first(pieces)
        answer = web.StreamResponse(
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(held.size),
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(held.name, safe='')}",
            }
        )
        await answer.prepare(request)
        await answer.write(first)
        async for piece in pieces:
            await answer.write(piece)
        await answer.write_eof()
    return answer


def question(query: Mapping[str, str]) -> Question:
    """What the address of a list asks for. Raises HTTPBadRequest for what the form cannot say."""
    kind, severity, community = (query.get(name, "") for name in ("kind", "severity", "community"))
    cursor = query.get("cursor") or None
    fits = (
        kind in {"", *Kind}
        and severity in {"", *Severity}
        and (not community or (len(community) == len("0" * 32) and community.isalnum()))
        and len(cursor or "") <= _CURSOR_MAX
    )
    if not fits:
        raise web.HTTPBadRequest
    return Question(
        words=cleaned(query.get("q", "")),
        kind=Kind(kind) if kind else None,
        severity=Severity(severity) if severity else Severity.INFO,
        community=community,
        cursor=cursor,
    )


def _shown(guest: Visitor, opened: Opened, *, printed: str) -> str:
    say = words(guest.officer.language)
    drafts = [(f"answer/{each.value}", say.text(ANSWERS[each][1])) for each in opened.answers]
    if opened.changes:
        drafts += [(f"change/{each.value}", say.text(name)) for each, name in _CHANGES.items()]
    return page(
        "bulletin",
        guest.officer.language,
        guest.session,
        shown=opened.reading,
        links=opened.links,
        replies=opened.replies,
        acknowledged=opened.acknowledged,
        drafts=drafts,
        printed=printed,
    )


async def _first(pieces: AsyncGenerator[bytes, None]) -> bytes:
    try:
        async with asyncio.timeout(FILE_SECONDS):
            return await anext(pieces, b"")
    except TimeoutError:
        raise OperationError(Code.MISSING_CHUNK, "the file is still on its way", "try again later") from None


def _from_up(severity: Severity, say: Words) -> str:
    name = labels.severity(severity, say)
    if severity is Severity.INFO:
        return say.text("all severities")
    return say.text("from “{severity}” up", severity=name)


def _older(chosen: dict[str, str], cursor: str | None) -> str:
    if cursor is None:
        return ""
    asked = {"q": chosen["words"], **{each: chosen[each] for each in ("kind", "severity", "community")}}
    return "/?" + urlencode({**{name: value for name, value in asked.items() if value}, "cursor": cursor})


def ref_of(request: web.Request) -> str:
    """The reference in the address. Raises HTTPNotFound for what is none."""
    ref = asked_ref(request.match_info["ref"])
    if not ref:
        raise web.HTTPNotFound
    return ref


def _language(request: web.Request) -> Language | None:
    asked = request.query.get("in", "")
    if asked not in {"", *Language}:
        raise web.HTTPBadRequest
    return Language(asked) if asked else None


def _number(request: web.Request) -> int:
    return int(request.match_info["number"])
