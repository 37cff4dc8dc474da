"""What is checked before a draft leaves, and how it gets its identity. Pure."""

from collections.abc import Collection, Sequence

from schemas.attachments import Attachment
from schemas.bulletin import Bulletin, Draft
from schemas.encoding import instant
from schemas.errors import Code, DraftError, TrustError
from schemas.vocabulary import Realm
from subscribers.writing.countries import is_country


def check(draft: Draft, realm: Realm, role: str | None, known: Collection[str]) -> None:
    """Whether this draft may go to a community of `realm` in which we have `role`. `known` holds the ids of
    linked bulletins that we have.

    Raises TrustError `not_member` or `read_only_member`, DraftError `exercise_mismatch` or
    `dangling_reference`.
    """
    if role is None:
        raise TrustError(
            Code.NOT_MEMBER,
            "this agency is not a member of the community",
            "ask one of its owners to add you",
        )
    if role == "reader":
        raise TrustError(
            Code.READ_ONLY_MEMBER,
            "this agency may only read in the community",
            "ask one of its owners for the role of member",
        )
    if draft.realm is not realm:
        raise DraftError(
            Code.EXERCISE_MISMATCH,
            f"the community is for {realm} bulletins",
            "set `exercise` accordingly, or choose another community",
        )
    missing = [link.id for link in draft.links if link.id not in known]
    if missing:
        raise DraftError(
            Code.DANGLING_REFERENCE,
            f"it links to a bulletin that is not in this archive: {missing[0]}",
            "check the id",
        )


def check_regions(draft: Draft) -> None:
    """Whether each of its regions lies in a country that there is, but in an exercise. A reader asks no such
    thing of others' bulletins: countries come and go. DraftError `bad_draft`.
    """
    for region in () if draft.exercise else draft.regions:
        if not is_country(region[:2]):
            raise DraftError(
                Code.BAD_DRAFT,
                f"the region {region} is in no country of ISO 3166",
                "write FR or FR-IDF: who follows a region would not hear of it",
            )


def identify(
    draft: Draft, attachments: Sequence[Attachment] = (), *, id: str, code: str, number: int, now: int
) -> Bulletin:
    """The bulletin, with its attachments: `id` a UUIDv7, the reference `<code>-<year>-<number>`, issued now
    (Unix milliseconds).
    """
    issued = instant(now)
    ref, attached = f"{code}-{issued[:4]}-{number:04d}", list(attachments)
    return Bulletin(**draft.model_dump(), id=id, ref=ref, issued=issued, attachments=attached)
