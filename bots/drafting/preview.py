"""What readers will see of a draft: the record that they would hold, shown by the function that shows
theirs. Pure.
"""

from dataclasses import dataclass
from typing import Final

from bots.drafting.draft import HalfDraft, complete
from bots.showing.release import Ceiling
from bots.showing.render import Marks, Reader, View, render
from bots.showing.rendered import Rendered
from schemas.attachments import Attachment
from schemas.bulletin import Bulletin
from schemas.encoding import instant
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language
from subscribers.records import Community, Record

NOBODY: Final = "00000000-0000-7000-8000-000000000000"
"""The id of a bulletin that is none yet."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What surrounds a bulletin: the community, this agency's id and name, and the moment (Unix seconds)."""

    community: Community
    agency: str
    agency_name: str
    now: float


def previewed(draft: HalfDraft, number: int, setting: Setting) -> Record:
    """The record that a reader would hold if the draft went out now. Its reference is not given yet: it
    says DRAFT and the draft's number. Raises DraftError for what could not go out.
    """
    ready = complete(draft)
    now = instant(int(setting.now) * 1000)
    files = [
        Attachment(name=each.name, media=each.media, size=each.size, sha256=each.sha256)
        for each in draft.attachments
    ]
    bulletin = Bulletin(
        **ready.model_dump(),
        id=NOBODY,
        ref=f"DRAFT-{now[:4]}-{number:04d}",
        issued=now,
        attachments=files,
    )
    return Record(
        bulletin=bulletin,
        community=setting.community.id,
        community_slug=setting.community.slug,
        community_title=setting.community.title,
        agency=setting.agency,
        agency_name=setting.agency_name,
        received=now,
        flags=frozenset({"private"} if draft.to else ()),
    )


def preview(
    record: Record, ceiling: Ceiling, reader: Reader, language: Language | None = None, *, to: str = ""
) -> Rendered:
    """The messages that a reader gets who asks for all of it, in `language` if it has that; `to` is the
    reference of what it answers.
    """
    return render(record, ceiling, reader, view=View.FULL, language=language, marks=Marks(to=to))


def community_of(draft: HalfDraft, communities: list[Community]) -> Community:
    """The community that the draft is for. OperationError `not_member` where the agency may not publish."""
    for each in communities:
        if each.id == draft.community and each.role == "member":
            return each
    raise OperationError(
        Code.NOT_MEMBER, "this agency may not publish in the community", "choose another community"
    )
