"""A bulletin is answered or changed in the room: a draft under its marking, looked at and released as any
other.
"""

from dataclasses import replace

from aiohttp import web

from bots.drafting.answering import Answering
from bots.drafting.turns import Stop
from bots.drafting.writing import Writing
from bots.room.drafting import WAY, parts_of, turn_page
from bots.room.reading import ref_of
from bots.room.web import Visitor, form, must_be_in, target
from bots.showing.answerable import Answer
from schemas.vocabulary import Relation


async def answer(request: web.Request) -> web.Response:
    """Its draft: the form where words are wanted, else as readers will see it."""
    guest = await must_be_in(request)
    await form(request, guest)
    what = Answer(request.match_info["what"])
    try:
        kept = await Answering(await parts_of(request, guest)).draft(guest.officer, ref_of(request), what)
    except Stop as stop:
        return _stopped(guest, stop, ref_of(request))
    raise web.HTTPSeeOther(f"{WAY}/{kept.id}/edit" if what is Answer.REPLY else f"{WAY}/{kept.id}")


async def change(request: web.Request) -> web.Response:
    """The form of a draft that amends or retracts it."""
    guest = await must_be_in(request)
    await form(request, guest)
    what = Relation(request.match_info["what"])
    try:
        kept = await Writing(await parts_of(request, guest)).changed(guest.officer, ref_of(request), what)
    except Stop as stop:
        return _stopped(guest, stop, ref_of(request))
    raise web.HTTPSeeOther(f"{WAY}/{kept.id}/edit")


def _stopped(guest: Visitor, stop: Stop, ref: str) -> web.Response:
    """Why not, with the way back to the bulletin; of what is above this session, its page says it."""
    if stop.turn.refused:
        raise web.HTTPSeeOther(target(ref))
    return turn_page(guest, replace(stop.turn, ref=ref))
