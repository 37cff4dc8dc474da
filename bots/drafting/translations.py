"""Which text a translation was made of, so that it is said when that text has changed since. Pure."""

import hashlib

from bots.drafting.draft import HalfDraft
from bots.wording.words import NAMES, Words
from schemas.vocabulary import Language


def made_now(draft: HalfDraft, *languages: Language) -> HalfDraft:
    """The same, with its translations into `languages` known to be of the text as it stands."""
    others = [each for each in draft.sources or () if each[0] not in languages]
    return draft.with_(sources=(*others, *((each, _text(draft)) for each in languages)))


def outdated(draft: HalfDraft) -> tuple[Language, ...]:
    """The languages whose translations were made of another text, as far as that is known."""
    known, text = dict(draft.sources or ()), _text(draft)
    spoken = (each.language for each in draft.translations)
    return tuple(each for each in spoken if known.get(each, text) != text)


def told(draft: HalfDraft, say: Words) -> str:
    """That translations are older than the text, for who writes and who releases; '' where none is."""
    found = outdated(draft)
    if not found:
        return ""
    return "⚠️ " + say.text(
        "The text was changed after it was translated ({languages}): see whether the translation still says"
        " the same.",
        languages=say.listed(NAMES[each] for each in found),
    )


def _text(draft: HalfDraft) -> str:
    """What a translation says in another language: a title is one line."""
    return hashlib.sha256(f"{draft.title}\n{draft.body}".encode()).hexdigest()
