"""The countries that there are, by the alpha-2 codes of ISO 3166. Pure."""

from functools import cache
from typing import Final

from babel import Locale

_NOWHERE: Final = frozenset({"XA", "XB", "ZZ"})
"""Codes of the Unicode list that stand for no place."""


def is_country(code: str) -> bool:
    """Whether the code is a country's, or that of Kosovo, the EU or the UN, as Unicode lists them."""
    return code in _countries()


@cache
def _countries() -> frozenset[str]:
    return frozenset(filter(str.isalpha, map(str, Locale("en").territories))) - _NOWHERE
