"""The page of what this session's sign-in does not open: why, and the passkey that does, where one does."""

from aiohttp import web

from bots.officers.roles import Right
from bots.room.pages import page
from bots.room.texts import PageWords
from bots.room.web import ROOM, SCRIPT, Visitor, html
from bots.showing.ways import PASSKEY, without_passkey
from bots.wording.words import words
from schemas.vocabulary import Tlp


def above_page(request: web.Request, guest: Visitor, called: str, tlp: Tlp, to: str) -> web.Response:
    """Of a bulletin or draft that is `called` so and marked `tlp`; `to` is where a passkey leads back."""
    helps = tlp.rank <= request.app[ROOM].settings.room_ceiling.rank
    t = PageWords(words(guest.officer.language))
    why = t.above_passkey if helps else t.above_terminal
    text = _page(
        request, guest, to, helps=helps, title=t("above_title", ref=called), why=why, ref=called, back="/"
    )
    return html(text, web.HTTPForbidden.status_code)


def passkey_page(request: web.Request, guest: Visitor, called: str, why: str, to: str) -> web.Response:
    """Of a draft that is shown, and `why` not all may be done with it."""
    return html(_page(request, guest, to, helps=True, title=called, why=why, ref=called, back=f"/{to}"))


def _page(request: web.Request, guest: Visitor, to: str, *, helps: bool, **said: str) -> str:
    offered = helps and request.app[ROOM].origin.named
    request[SCRIPT] = offered
    say, administers = words(guest.officer.language), guest.officer.may(Right.ADMINISTER)
    link = without_passkey(say, administers=administers) if helps else ""
    t, by_chat = PageWords(say), guest.session.passkey and guest.session.vouched == "chat"
    return page(
        "above",
        guest.officer.language,
        guest.session,
        script=offered,
        passkey=offered,
        used=t.above_used if helps and by_chat else "",
        to=to,
        link=link,
        command=PASSKEY,
        **said,
    )
