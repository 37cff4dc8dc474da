"""What every page of the room shares: who asks, what may be shown to them, and answers that are pages."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from aiohttp import web
from pydantic import SecretStr

from bots.clock import Clock
from bots.codes import new_key
from bots.officers.audit import Act
from bots.officers.limit import Limit
from bots.officers.roles import Right
from bots.parsing.commands import reference
from bots.room.desk import DOOR, RoomDesk
from bots.room.origin import Origin, is_loopback
from bots.room.pages import page
from bots.room.passkeys import Challenges
from bots.room.sessions import Session, Sessions
from bots.room.tries import BEHIND_PROXY, READING, SIGNING_IN, Tries
from bots.settings import BotSettings
from bots.showing.release import Ceiling
from bots.state import State
from bots.state.officers import Officer
from bots.state.room import Vouched
from bots.wording.words import closest
from schemas.encoding import check_uuid7, parse_json
from schemas.errors import FormatError
from schemas.vocabulary import Language, Tlp

BODY_MAX: Final = 64 * 1024
_DRAFT: Final = re.compile(r"write/[0-9]{1,9}")
SCRIPT: Final = web.RequestKey("script", bool)
"""Set on a request whose answer may run the room's script."""


@dataclass(frozen=True, slots=True)
class Room:
    """The parts of the running room. `token` is the bot's; without one nobody is let in by the Mini App."""

    settings: BotSettings
    origin: Origin
    state: State
    desk: RoomDesk
    clock: Clock
    token: SecretStr | None = None
    new_key: Callable[[], str] = new_key
    sessions: Sessions = field(init=False)
    challenges: Challenges = field(default_factory=Challenges)
    signing_in: Tries = field(default_factory=lambda: Tries(SIGNING_IN))
    behind_proxy: Tries = field(default_factory=lambda: Tries(BEHIND_PROXY))
    reading: Tries = field(default_factory=lambda: Tries(READING))

    def __post_init__(self) -> None:
        object.__setattr__(self, "sessions", Sessions(self.new_key))

    @property
    def cookie(self) -> str:
        """The session cookie's name. `__Host-` binds it to this host and to TLS, which loopback has not."""
        return "__Host-room" if self.origin.secure else "room"

    def top(self, vouched: Vouched) -> Tlp:
        """The highest marking that is shown to who is so known."""
        return self.settings.room_ceiling if vouched == "agency" else self.settings.room_chat_ceiling

    async def in_chat(self) -> Ceiling:
        """What chat shows, as its ceiling stands now."""
        limit = Limit(self.settings.release_ceiling(), self.state.memory)
        await limit.refresh()
        return limit.ceiling

    def tries(self, request: web.Request) -> tuple[Tries, str]:
        """Where failures to come in are counted, and as whose: by address, as the proxy says it if it is
        known to say so, else the other end of the line. What comes by a proxy that says nothing is one.
        """
        header = self.settings.room_address_header
        said = request.headers.get(header, "") if header else ""
        address = said.rpartition(",")[2].strip()[:64] or request.remote or ""
        shared = not said and is_loopback(address)
        return (self.behind_proxy, "") if shared else (self.signing_in, address)


ROOM: Final = web.AppKey("room", Room)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in officer."""

    officer: Officer
    session: Session
    top: Tlp


async def visitor(request: web.Request) -> Visitor | None:
    """Who asks; None for who is not signed in, no longer, or not an officer any more."""
    room = request.app[ROOM]
    token = request.cookies.get(room.cookie)
    session = room.sessions.find(token, room.clock.now())
    if session is None:
        return None
    officer = await room.state.officers.get(session.officer)
    if officer is None or not session.of(officer, await room.state.room.era(officer.id)):
        room.sessions.end(token)
        return None
    session = replace(session, writes=officer.may(Right.DRAFT))
    return Visitor(officer, session, room.top(session.vouched))


async def must_be_in(request: web.Request) -> Visitor:
    """Who asks. Others are sent to sign in; who asks faster than anybody reads is told so."""
    found = await visitor(request)
    if found is None:
        raise NotIn
    room = request.app[ROOM]
    if not room.reading.allows(found.officer.id, room.clock.now()):
        raise web.HTTPTooManyRequests
    return found


class NotIn(Exception):
    """Nobody is signed in."""


async def form(request: web.Request, guest: Visitor | None = None) -> Mapping[str, str]:
    """A posted form's texts; of `guest`, with that session's token in it. Raises HTTPForbidden."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    posted = await request.post()
    given = {name: value for name, value in posted.items() if isinstance(value, str)}
    if guest is not None and not guest.session.holds(given.get("csrf", "")):
        raise web.HTTPForbidden
    return given


async def json_body(request: web.Request) -> dict[str, Any]:
    """A posted JSON object, read strictly. Raises HTTPBadRequest."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        found = parse_json(await request.read(), BODY_MAX)
    except FormatError:
        raise web.HTTPBadRequest from None
    return found


def html(text: str, status: int = 200) -> web.Response:
    """A page."""
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def language_of(request: web.Request, officer: Officer | None) -> Language:
    """The officer's language; of who is not known yet, that of the link, or the browser's first."""
    if officer is not None:
        return officer.language
    if (asked := request.query.get("in", "")) in set(Language):
        return Language(asked)
    return closest(request.headers.get("Accept-Language", "").split(",")[0].split(";")[0])


def sign_in_page(request: web.Request, *, to: str = "", said: str = "", status: int = 200) -> web.Response:
    """The ways in. `to` is the place that was asked for, `said` the name of a text."""
    request[SCRIPT] = True
    origin, language = request.app[ROOM].origin, language_of(request, None)
    text = page(
        "sign_in",
        language,
        None,
        script=origin.named,
        to=to,
        said=said,
        passkeys=origin.named,
        again=target(to) if status == web.HTTPUnauthorized.status_code else "",
    )
    return html(text, status)


def asked_ref(text: str) -> str:
    """A reference or a bulletin's id from an address; '' when it is neither."""
    try:
        return reference(text) or check_uuid7(text)
    except FormatError:
        return ""


def asked_place(text: str) -> str:
    """What leads back after signing in: a reference, an id, or a draft's `write/2`; '' for anything else."""
    return text if _DRAFT.fullmatch(text) else asked_ref(text)


def target(place: str) -> str:
    """The page of such a place, or the list."""
    if not place:
        return "/"
    return f"/{place}" if _DRAFT.fullmatch(place) else f"/b/{place}"


async def let_in(
    request: web.Request,
    answer: web.Response,
    officer: Officer,
    vouched: Vouched,
    *,
    passkey: bool = False,
) -> web.Response:
    """Begin a session and give its cookie; an earlier one of this browser ends."""
    room = request.app[ROOM]
    room.sessions.end(request.cookies.get(room.cookie))
    era = await room.state.room.era(officer.id)
    token = room.sessions.begin(officer, vouched, era, room.clock.now(), passkey=passkey)
    await room.state.audit.write(
        [Act(officer.id, officer.name, DOOR, "sign-in", outcome=vouched)], room.clock.now()
    )
    answer.set_cookie(
        room.cookie, token, path="/", secure=room.origin.secure, httponly=True, samesite="Strict"
    )
    return answer
