"""Pages to come in by, and out: a link from the bot, the Mini App, a passkey.

An address alone never signs anybody in: chat services open links to look at them. It takes a POST from the
room's own page.
"""

from typing import Final

from aiohttp import web

from bots.room import passkeys
from bots.room.init_data import read_init_data
from bots.room.pages import page
from bots.room.web import (
    ROOM,
    SCRIPT,
    Room,
    asked_place,
    asked_ref,
    form,
    html,
    json_body,
    language_of,
    let_in,
    sign_in_page,
    target,
    visitor,
)

_CODE_MAX: Final = 64


async def link(request: web.Request) -> web.Response:
    """The page behind a one-time link: a button. Looking at it spends nothing and tells nothing."""
    code = request.match_info["code"]
    return html(page("link", language_of(request, None), None, code=code))


async def by_link(request: web.Request) -> web.Response:
    """Spend a link's code."""
    room = request.app[ROOM]
    code = (await form(request)).get("code", "")[:_CODE_MAX]
    _may_try(room, request)
    redeemed = await room.state.room.redeem(code, room.clock.now())
    officer = await room.state.officers.get(redeemed.officer) if redeemed else None
    if redeemed is None or officer is None:
        _refused(room, request)
        return sign_in_page(request, said="link_old", status=web.HTTPForbidden.status_code)
    where = target(redeemed.target) if redeemed.vouched == "chat" else "/keys"
    answer = web.Response(status=web.HTTPSeeOther.status_code, headers={"Location": where})
    return await let_in(request, answer, officer, redeemed.vouched)


async def app(request: web.Request) -> web.Response:
    """The page that opens as a Mini App: its script hands over what the chat service signed."""
    to = asked_ref(request.match_info.get("ref", ""))
    if await visitor(request) is not None:
        raise web.HTTPSeeOther(target(to))
    request[SCRIPT] = True
    return html(page("app", language_of(request, None), None, script=True, to=to, again=target(to)))


async def by_app(request: web.Request) -> web.Response:
    """Take the chat service's word, if it is signed, fresh, new, and names an officer."""
    room = request.app[ROOM]
    given = await json_body(request)
    _may_try(room, request)
    now, word = room.clock.now(), given.get("word")
    if room.token is None or not isinstance(word, str):
        raise _refused(room, request)
    opened = read_init_data(word, room.token, now)
    officer = await room.state.officers.by_person(opened.person) if opened else None
    if opened is None or officer is None:
        raise _refused(room, request)
    if not await room.state.room.once(opened.mark, until=opened.until, now=now):
        raise _refused(room, request)
    return await let_in(request, web.json_response({"next": _next(given)}), officer, "chat")


async def options(request: web.Request) -> web.Response:
    """What to ask a browser for that wants to sign in with a passkey."""
    room = request.app[ROOM]
    await json_body(request)
    _may_try(room, request)
    if not room.reading.allows(room.tries(request), room.clock.now()):
        raise web.HTTPTooManyRequests
    ticket = room.new_key()
    challenge = room.challenges.ask(ticket, room.clock.now())
    return web.json_response({"ticket": ticket, "options": passkeys.request(room.origin, challenge)})


async def by_passkey(request: web.Request) -> web.Response:
    """Let in who signed the challenge with a passkey that is known."""
    room = request.app[ROOM]
    given = await json_body(request)
    _may_try(room, request)
    now, answer = room.clock.now(), given.get("credential")
    challenge = room.challenges.take(str(given.get("ticket", "")), now)
    id_ = passkeys.named(answer)
    held = await room.state.room.passkey(id_) if id_ else None
    officer = await room.state.officers.get(held.officer) if held else None
    if challenge is None or held is None or officer is None:
        raise _refused(room, request)
    counter = passkeys.used(room.origin, held, challenge, answer)
    if counter is None:
        raise _refused(room, request)
    await room.state.room.note_use(held.id, counter, now)
    answered = web.json_response({"next": _next(given)})
    return await let_in(request, answered, officer, held.vouched, passkey=True)


async def out(request: web.Request) -> web.Response:
    """End the session."""
    guest, room = await visitor(request), request.app[ROOM]
    await form(request, guest)
    room.sessions.end(request.cookies.get(room.cookie))
    answer = sign_in_page(request, said="signed_out")
    answer.headers["Clear-Site-Data"] = '"cache"'
    answer.del_cookie(room.cookie, path="/", secure=room.origin.secure, httponly=True, samesite="Strict")
    return answer


def _next(given: dict[str, object]) -> str:
    return target(asked_place(str(given.get("to", ""))))


def _may_try(room: Room, request: web.Request) -> None:
    """Raises HTTPTooManyRequests after too many failures."""
    tries, key = room.tries(request)
    if tries.spent(key, room.clock.now()):
        raise web.HTTPTooManyRequests


def _refused(room: Room, request: web.Request) -> web.HTTPForbidden:
    """A failure, counted. All look alike."""
    tries, key = room.tries(request)
    tries.count(key, room.clock.now())
    return web.HTTPForbidden()
