"""A draft that is sealed to the originator of what it answers: what stands beside it, and what it must be.

Pure. FORMAT.md, "Replies": an acknowledgement or sighting with one link, in the routine chain, under an epoch
that no later member is given.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from schemas.bulletin import NEEDED_RELATION, Draft
from schemas.errors import Code, DraftError
from schemas.reply import KINDS
from schemas.vocabulary import History, Precedence

PRIVATE: Final = "private"
"""The mark's field, beside those of the draft that it is about."""


def split(given: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The other fields, and whether the draft is for the originator alone. DraftError `bad_draft` for what is
    neither true nor false.
    """
    fields = {name: value for name, value in given.items() if name != PRIVATE}
    private = given.get(PRIVATE, False)
    if not isinstance(private, bool):
        raise DraftError(Code.BAD_DRAFT, "`private` is neither true nor false", "say true, or leave it out")
    return fields, private


def target_of(draft: Draft, uploads: Sequence[str] = ()) -> str:
    """The id of the bulletin that a private reply answers. DraftError `bad_draft` for what is none."""
    fits = (
        draft.kind in KINDS
        and [each.relation for each in draft.links] == [NEEDED_RELATION[draft.kind]]
        and draft.precedence is Precedence.ROUTINE
        and draft.history is History.NONE
        and not uploads
    )
    if not fits:
        fix = "send an acknowledgement or sighting of one bulletin, below flash, without history and files"
        raise DraftError(Code.BAD_DRAFT, "it cannot be sealed to an originator alone", fix)
    return draft.links[0].id
