"""The bot's languages: real gettext catalogues, read from the committed `.po` files when the bot starts.

Reading `.po` at start (0.1 s) keeps one source of truth: no compiled file can drift from what translators
edited.
"""

import gettext
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from bots.wording.markup import Span, Spans, isolate
from schemas.vocabulary import Language

SPOKEN: Final = tuple(Language)
"""The languages that the bot itself speaks: all six in which bulletins come."""
NAMES: Final = {
    Language.ARABIC: "العربية",
    Language.CHINESE: "中文",
    Language.ENGLISH: "English",
    Language.FRENCH: "Français",
    Language.RUSSIAN: "Русский",
    Language.SPANISH: "Español",
}
RIGHT_TO_LEFT: Final = frozenset({Language.ARABIC})
_COMMAS: Final = {Language.ARABIC: "، ", Language.CHINESE: "、"}


class Words:
    """One language's texts. `text` and `count` fill `{named}` places; values are plain text, never markup."""

    def __init__(self, language: Language, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self.locale = Locale.parse(language.value)
        self._catalogue = catalogue

    @property
    def rtl(self) -> bool:
        """Written from right to left."""
        return self.language in RIGHT_TO_LEFT

    def text(self, message: str, /, **values: object) -> str:
        """The translation of an English message of the catalogue."""
        return self._catalogue.gettext(message).format(**values)

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        """The plural form for `number`, which fills `{number}` with its thousands apart."""
        shown = format_decimal(number, locale=self.locale)
        return self._catalogue.ngettext(one, many, number).format(number=shown, **values)

    def aside(self, text: str) -> Span:
        """A remark, in italics where the script has them: Arabic and Chinese have none."""
        upright = self.language in (Language.ARABIC, Language.CHINESE)
        return Span(text, "" if upright else "i")

    def listed(self, items: Iterable[str]) -> str:
        """Things of one kind one after the other, with this language's comma."""
        return _COMMAS.get(self.language, ", ").join(items)

    def sentences(self, *told: str) -> str:
        """Sentences one after the other; Chinese has no space between them."""
        return ("" if self.language is Language.CHINESE else " ").join(told)

    def embed(self, text: str) -> str:
        """A name or code of unknown direction, fit to stand within a line of this language."""
        return isolate(text, rtl=self.rtl)

    def code(self, text: str) -> Spans:
        """Something to copy: in the style of code, marks of direction outside it."""
        before, _, after = self.embed(text).partition(text)
        return (Span(before), Span(text, "code"), Span(after))

    def when(self, at: datetime, zone: ZoneInfo) -> str:
        """Date and time as this language writes them, in `zone`, with its offset from UTC."""
        try:
            local = at.astimezone(zone)
        except OverflowError:  # "until the end of 9999", east of Greenwich: anybody may write that
            local = at
        # The medium Arabic date is digits and slashes, and a chat takes `/03` for a command.
        day = format_date(local, "long" if self.rtl else "medium", locale=self.locale)
        joined = str(get_datetime_format("medium", locale=self.locale))  # such as `{1}, {0}`
        return f"{joined.format(self._clock_of(local), day)} {self._offset_of(local)}"

    def hour(self, at: datetime, zone: ZoneInfo) -> str:
        """The time alone, of a moment within the day, in `zone`, with its offset from UTC."""
        local = at.astimezone(zone)
        return f"{self._clock_of(local)} {self._offset_of(local)}"

    def day(self, at: datetime) -> str:
        """Day and month, as short as this language writes them."""
        return str(format_skeleton("MMMd", at, locale=self.locale))

    def number(self, number: int) -> str:
        """A whole number with its thousands apart."""
        return str(format_decimal(number, locale=self.locale))

    def clock(self, minute: int) -> str:
        """A time of day from minutes after midnight, such as `07:30`."""
        moment = datetime(2000, 1, 1, minute // 60, minute % 60)  # noqa: DTZ001 - a wall clock has no zone
        return str(format_time(moment, "HH:mm", locale=self.locale))

    def _clock_of(self, local: datetime) -> str:
        return self.clock(local.hour * 60 + local.minute)

    def _offset_of(self, local: datetime) -> str:
        minutes = int((local.utcoffset() or timedelta()).total_seconds()) // 60
        hours, rest = divmod(abs(minutes), 60)
        ahead = f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
        return self.embed(f"UTC{ahead}" if minutes else "UTC")


@cache
def words(language: Language) -> Words:
    """The texts in `language`."""
    source = files("bots") / "locales" / language.value / "LC_MESSAGES" / "bot.po"
    compiled = io.BytesIO()
    with source.open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=language.value, abort_invalid=True))
    compiled.seek(0)
    return Words(language, gettext.GNUTranslations(compiled))


def warm() -> None:
    """Read every catalogue and the dates' patterns now: the first alert after a start shall not wait for
    them.
    """
    for language in SPOKEN:
        words(language).when(datetime(2000, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))


def closest(code: str | None) -> Language:
    """The bot's language for a chat client's `language_code` (an IETF tag such as `zh-hans`, may be
    absent); English for all others.
    """
    wanted = (code or "").split("-")[0].lower()
    return next((each for each in SPOKEN if each.value == wanted), Language.ENGLISH)
