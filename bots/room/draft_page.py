"""The page of a draft: where it stands, how readers will see it, and what its officer may do with it here."""

from dataclasses import dataclass

from aiohttp import web

from bots.drafting import answer_screens, translations, wizard
from bots.drafting.authors import author_for, written
from bots.drafting.draft import missing
from bots.drafting.looking import readers, waits
from bots.drafting.policy import Ruling, may_edit
from bots.drafting.review import not_taken_by
from bots.drafting.standing import in_a_word
from bots.drafting.texts import LABELS
from bots.drafting.turns import Parts
from bots.room.desk import DOOR
from bots.room.pages import page
from bots.room.texts import PageWords
from bots.room.view import RELATIONS, Reading, reading
from bots.room.web import ROOM, Visitor, html
from bots.showing.release import Ceiling
from bots.showing.render import Reader
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.words import Words, words
from schemas.errors import Code, DraftError, LiaisonError
from schemas.vocabulary import Language


@dataclass(frozen=True, slots=True)
class _Seen:
    """As readers will see it and who they are; or why it cannot go out as it is."""

    shown: Reading | None = None
    audience: str = ""
    told: str = ""


async def draft_page(
    request: web.Request, guest: Visitor, parts: Parts, kept: Kept, *, unsaid: bool = False
) -> web.Response:
    """`unsaid`: it was to be sent back, and no word said why."""
    officer = guest.officer
    say, hand = words(officer.language), parts.hand(officer, kept)
    t, called = PageWords(say), labels.draft(kept.id, say)
    lacking = [say.text(LABELS[each]) for each in missing(kept.body)]
    seen = _Seen() if lacking else await _seen(request, parts, officer, kept)
    ruled = Ruling.NEVER if kept.state == "releasing" else parts.ruling(officer, kept)
    author = await author_for(parts.state, kept, officer)
    elsewhere = any(each.via != DOOR for each in kept.body.attachments)
    known = trusted(guest, parts.chat, kept)
    text = page(
        "draft",
        officer.language,
        guest.session,
        place="write",
        kept=kept,
        called=called,
        state=in_a_word(kept, say),
        came=await _came(parts, kept, called, say),
        shown=seen.shown,
        told=t("draft_note", draft=called) if unsaid else seen.told,
        unsaid=unsaid,
        audience=seen.audience,
        links=[(say.text(RELATIONS[each.relation]), each) for each in kept.body.links],
        waits=await waits(parts, officer, kept),
        written=list(written(author, officer)) if author else [],
        lacking=say.text("Still missing: {steps}", steps=say.listed(lacking)) if lacking else "",
        returns=parts.may_return(officer, kept),
        releases=ruled is Ruling.RELEASE and seen.shown is not None,
        elsewhere=elsewhere,
        known=known,
        passkeys=request.app[ROOM].origin.named,
        sends=ruled is Ruling.SEND and seen.shown is not None,
        takes=ruled is Ruling.OTHER,
        changes=ruled is not Ruling.OTHER and may_edit(hand, waiting=kept.waiting),
        wrote=hand.wrote and kept.state == "open",
        translated=bool(kept.body.translations),
        older=translations.told(kept.body, say),
    )
    return html(text, 422 if unsaid else 200)


def trusted(guest: Visitor, chat: Ceiling | None, kept: Kept) -> bool:
    """Whether this session may release a draft with its marking; `chat` is the ceiling there.

    The chat service can make a session of its own. In chat it could speak in an officer's name anyway; above
    the chat's ceiling it shall not.
    """
    if guest.session.vouched == "agency":
        return True
    return chat is not None and wizard.allowed(kept.body.tlp, chat)


async def _seen(request: web.Request, parts: Parts, officer: Officer, kept: Kept) -> _Seen:
    asked = request.query.get("in", "")
    language = Language(asked) if asked in set(Language) else None
    try:
        record, place = await parts.previewed(kept), await parts.place(kept)
    except LiaisonError as error:
        if error.code is not Code.NOT_MEMBER and not isinstance(error, DraftError):
            raise
        return _Seen(told=not_taken_by(error.code, officer))
    audience = answer_screens.audience(kept.body, readers(place), words(officer.language))
    return _Seen(reading(record, Reader(officer.language, officer.zone), language), audience)


async def _came(parts: Parts, kept: Kept, called: str, say: Words) -> str:
    """That it was sent back and by whom, above what they said; '' where it was not."""
    if not kept.note:
        return ""
    by = await parts.state.officers.get(kept.releaser or 0)
    return say.text("{draft} came back from {name}:", draft=called, name=say.embed(by.name if by else "—"))
