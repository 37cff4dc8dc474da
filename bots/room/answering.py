"""A bulletin is answered in the room: a draft under its marking, looked at and released as any other."""

from aiohttp import web

from bots.drafting.answering import Answering
from bots.drafting.turns import Stop
from bots.room.drafting import WAY, parts_of, turn_page
from bots.room.reading import ref_of
from bots.room.web import form, must_be_in
from bots.showing.answerable import Answer


async def answer(request: web.Request) -> web.Response:
    """Its draft: the form where words are wanted, else as readers will see it."""
    guest = await must_be_in(request)
    await form(request, guest)
    what = Answer(request.match_info["what"])
    try:
        kept = await Answering(await parts_of(request, guest)).draft(guest.officer, ref_of(request), what)
    except Stop as stop:
        return turn_page(guest, stop.turn)
    raise web.HTTPSeeOther(f"{WAY}/{kept.id}/edit" if what is Answer.REPLY else f"{WAY}/{kept.id}")
