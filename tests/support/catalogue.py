"""The messages that the bot's source asks for, and the committed catalogues: `python -m
tests.support.catalogue` adds what is new to each `.po` (to be translated by hand) and drops what is gone.
"""

from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from bots.wording.words import SPOKEN
from schemas.vocabulary import Language

BOTS = Path(__file__).resolve().parent.parent.parent / "bots"
KEYWORDS = {"text": None, "count": (1, 2), "N_": None}
STARTED = datetime(2026, 11, 23, tzinfo=UTC)
MessageId = str | tuple[str, ...]


def asked_for() -> dict[MessageId, list[str]]:
    """Every message in the source, in order of appearance, with the modules that ask for it."""
    found: dict[MessageId, list[str]] = {}
    for source in sorted(BOTS.rglob("*.py")):
        name = source.relative_to(BOTS.parent).as_posix()
        if "sandbox" in source.parts:
            continue
        for _, message, _, _ in extract_from_file("python", source, keywords=KEYWORDS):
            if name not in found.setdefault(message, []):
                found[message].append(name)
    return found


def path_of(language: Language) -> Path:
    return BOTS / "locales" / language.value / "LC_MESSAGES" / "bot.po"


def read(language: Language) -> Catalog:
    with path_of(language).open("rb") as stream:
        return read_po(stream, locale=language.value, abort_invalid=True)


def updated(language: Language, old: Catalog) -> Catalog:
    """The catalogue with exactly the messages that the source asks for; known translations stay."""
    fresh = Catalog(
        locale=language.value,
        domain="bot",
        header_comment=f"# The bot's texts in {language.name.title()}. Part of Liaison, Apache-2.0.",
        project="Liaison",
        version="1",
        msgid_bugs_address="see SECURITY.md",
        last_translator="Liaison",
        language_team=language.value,
        creation_date=STARTED,
        revision_date=STARTED,
        fuzzy=False,
    )
    for message, modules in asked_for().items():
        known = old.get(message[0] if isinstance(message, tuple) else message)
        source = message if language is Language.ENGLISH else None
        fresh.add(
            message, string=known.string if known else source, locations=[(name, 0) for name in modules]
        )
    return fresh


def write(catalogue: Catalog, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        write_po(stream, catalogue, width=100, omit_header=False, include_lineno=False, sort_output=False)


if __name__ == "__main__":
    for each in SPOKEN:
        write(updated(each, read(each)), path_of(each))
