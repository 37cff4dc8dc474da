"""Which officer is meant by what was typed: the name, or the beginning of it or of one of its words. Pure."""

from collections.abc import Sequence

from bots.state.officers import Officer


def meant(typed: str, officers: Sequence[Officer]) -> list[Officer]:
    """The officer of that name; otherwise all whose name, or whose name from one of its words on, begins so.

    Not what stands within a word: a name that is not there must not be taken for another's.
    """
    wanted = " ".join(typed.split()).casefold()
    if not wanted:
        return []
    names = [(each, " ".join(each.name.split()).casefold()) for each in officers]
    same = [each for each, name in names if name == wanted]
    return same or [each for each, name in names if f" {wanted}" in f" {name}"]
