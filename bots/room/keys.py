"""The page of an officer's own passkeys: add one, remove one."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from bots.clock import moment
from bots.drafting.policy import may_release
from bots.officers.audit import Act
from bots.room import passkeys
from bots.room.desk import DOOR
from bots.room.pages import page
from bots.room.texts import PageWords
from bots.room.web import ROOM, SCRIPT, Room, Visitor, form, html, json_body, must_be_in, sign_in_page
from bots.showing.release import Ceiling
from bots.state.room import PASSKEYS_MAX, Passkey
from bots.wording.words import words

_ID_MAX: Final = 1_400


async def listed(request: web.Request) -> web.Response:
    """The passkeys, and the button that adds one."""
    guest, room = await must_be_in(request), request.app[ROOM]
    held = await room.state.room.passkeys(guest.officer.id)
    request[SCRIPT] = room.origin.named
    chat = await room.in_chat()
    text = page(
        "keys",
        guest.officer.language,
        guest.session,
        script=room.origin.named,
        place="keys",
        keys=[_row(room, guest, each, chat) for each in held],
        full=len(held) >= PASSKEYS_MAX,
        top=guest.top.value,
        taken=_taken(guest, held),
    )
    return html(text)


async def options(request: web.Request) -> web.Response:
    """What to ask the browser for."""
    guest, room = await must_be_in(request), request.app[ROOM]
    _own(guest, await json_body(request))
    held = await room.state.room.passkeys(guest.officer.id)
    challenge = room.challenges.ask(guest.session.csrf, room.clock.now())
    return web.json_response(passkeys.creation(room.origin, guest.officer, challenge, held))


async def add(request: web.Request) -> web.Response:
    """Keep a passkey that the browser has made. It shows what the session that made it was shown."""
    guest, room = await must_be_in(request), request.app[ROOM]
    given, now = await json_body(request), room.clock.now()
    _own(guest, given)
    challenge = room.challenges.take(guest.session.csrf, now)
    if challenge is None:
        raise web.HTTPForbidden
    made = passkeys.created(
        room.origin, guest.officer, guest.session.vouched, challenge, given.get("credential"), now
    )
    if made is None:
        raise web.HTTPForbidden
    await room.state.room.add(made)
    await _written(room, guest, "passkey-add")
    return web.json_response({"next": "/keys"})


async def remove(request: web.Request) -> web.Response:
    """Forget a passkey."""
    guest, room = await must_be_in(request), request.app[ROOM]
    given = (await form(request, guest)).get("id", "")
    if not given or len(given) > _ID_MAX:
        raise web.HTTPBadRequest
    try:
        id_ = base64url_to_bytes(given)
    except ValueError:
        raise web.HTTPBadRequest from None
    await room.state.room.forget(guest.officer.id, id_)
    await _written(room, guest, "passkey-remove")
    raise web.HTTPSeeOther("/keys")


async def leave(request: web.Request) -> web.Response:
    """End every session of the officer, this one too."""
    guest, room = await must_be_in(request), request.app[ROOM]
    await form(request, guest)
    await room.state.room.end_sessions(guest.officer.id)
    return sign_in_page(request, said="signed_out")


async def _written(room: Room, guest: Visitor, verb: str) -> None:
    act = Act(guest.officer.id, guest.officer.name, DOOR, verb, outcome=guest.session.vouched)
    await room.state.audit.write([act], room.clock.now())


def _own(guest: Visitor, given: dict[str, Any]) -> None:
    if not guest.session.holds(str(given.get("csrf", ""))):
        raise web.HTTPForbidden


def _taken(guest: Visitor, held: Sequence[Passkey]) -> str:
    """The name of what is said where the device has one already: whether another would show more, and whether
    one that the chat's word made may stand in its way.
    """
    if guest.session.vouched != "agency":
        return "keys_taken_same"
    return "keys_taken_chat" if any(each.vouched != "agency" for each in held) else "keys_taken"


def _row(room: Room, guest: Visitor, each: Passkey, chat: Ceiling) -> dict[str, str]:
    say = words(guest.officer.language)
    zone, top, agency = guest.officer.zone, room.top(each.vouched), each.vouched == "agency"
    t = PageWords(say)
    about = [t("keys_agency" if agency else "keys_chat", tlp=top.value)]
    if may_release(guest.officer.role):
        released = top if agency else min(top, chat.full, key=lambda tlp: tlp.rank)
        about.append(t("keys_whole" if agency else "keys_short", tlp=released.value))
    return {
        "id": bytes_to_base64url(each.id),
        "made": say.when(moment(each.created), zone),
        "used": say.when(moment(each.used), zone),
        "about": say.sentences(*about),
    }
