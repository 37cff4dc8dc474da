"""Time zones by the names that people know: their cities and countries, in the officer's
language or English. Pure.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

from babel.core import get_global
from babel.dates import get_timezone_location

from bots.times import available
from bots.wording.places import plain, read
from bots.wording.words import Words
from schemas.errors import OperationError

UTC: Final = "UTC"


def city(zone: str, say: Words) -> str:
    """The city that a zone is named for, in this language."""
    return zone if zone == UTC else get_timezone_location(zone, locale=say.locale, return_city=True)


def called(text: str, say: Words) -> list[str]:
    """The zones (IANA names) of a city, a country, or a zone's own name; none for what is none of these."""
    wanted = plain(text)
    if found := _named(say).get(wanted):
        return [found]
    try:
        countries = read(text)
    except OperationError:
        return []
    return [zone for country in countries for zone in _of(country)]


def _of(country: str) -> Iterator[str]:
    zones = get_global("territory_zones").get(country.partition("-")[0], [])
    return (zone for zone in zones if zone in available())


@cache
def _named(say: Words) -> dict[str, str]:
    """By the whole name first: `Europe/Paris` is no city."""
    zones = [zone for held in get_global("territory_zones").values() for zone in held if zone in available()]
    cities = {plain(city(zone, say)): zone for zone in reversed(zones)}
    parts = {plain(zone.rpartition("/")[2]): zone for zone in zones}
    return {**parts, **cities, **{plain(zone): zone for zone in available()}}
