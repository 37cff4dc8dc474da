"""Pages from templates: escaped by themselves, and a name that is missing is an error. The only place that
makes HTML.
"""

from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined

from bots.room.sessions import Session
from bots.room.texts import PageWords
from bots.wording.words import words
from schemas.vocabulary import Language

_FOLDER: Final = files("bots") / "room"


@cache
def _environment() -> Environment:
    """Templates are read once, when the room starts."""
    found = {
        each.name: each.read_text("utf-8")
        for each in (_FOLDER / "templates").iterdir()
        if each.name.endswith(".html")
    }
    return Environment(
        loader=DictLoader(found),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(
    name: str, language: Language, session: Session | None, *, script: bool = False, **values: object
) -> str:
    """The template `name` for one reader. Texts are `t`; everything in `values` is escaped."""
    say = words(language)
    return (
        _environment()
        .get_template(f"{name}.html")
        .render(
            {"place": "", **values},
            t=PageWords(say),
            lang=say.language.value,
            dir="rtl" if say.rtl else "ltr",
            session=session,
            script=script,
        )
    )


@cache
def asset(name: str) -> bytes:
    """One of the room's own two files."""
    return (_FOLDER / "static" / name).read_bytes()
