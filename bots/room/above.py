"""The page of what this session's sign-in does not open: why, and the passkey that does, where one does."""

from aiohttp import web

from bots.room.pages import page
from bots.room.texts import PageWords
from bots.room.web import ROOM, SCRIPT, Room, Visitor, html
from bots.wording.words import words
from schemas.vocabulary import Tlp


def above_page(request: web.Request, guest: Visitor, called: str, tlp: Tlp, to: str) -> web.Response:
    """Of a bulletin or draft that is `called` so and marked `tlp`; `to` is where a passkey leads back."""
    room: Room = request.app[ROOM]
    helps = tlp.rank <= room.settings.room_ceiling.rank
    offered = helps and room.origin.named
    request[SCRIPT] = offered
    t = PageWords(words(guest.officer.language))
    text = page(
        "above",
        guest.officer.language,
        guest.session,
        script=offered,
        ref=called,
        why=t.above_passkey if helps else t.above_terminal,
        passkey=offered,
        to=to,
    )
    return html(text, web.HTTPForbidden.status_code)
