"""Countries and time zones by the names that people type."""

import pytest

from bots.wording.places import coded, place, places, read
from bots.wording.words import SPOKEN, words
from bots.wording.zones import called, city
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language

ENGLISH, ARABIC = words(Language.ENGLISH), words(Language.ARABIC)


@pytest.mark.parametrize(
    "text,codes",
    [
        ("fr, DE-BE", ["FR", "DE-BE"]),
        ("France", ["FR"]),
        ("France et Belgique", ["FR", "BE"]),
        ("Papua New Guinea Guinea Niger Nigeria", ["PG", "GN", "NE", "NG"]),
        ("cote d'ivoire", ["CI"]),
        ("فرنسا وبلجيكا", ["FR", "BE"]),
        ("\u2067السعودية\u2069، فرنسا", ["SA", "FR"]),
        ("法国、比利时", ["FR", "BE"]),
        ("Соединенные Штаты", ["US"]),
        ("uk, USA, ET", ["GB", "US", "ET"]),
        ("FR FR", ["FR"]),
    ],
)
def test_countries_are_read_by_name_or_code(text: str, codes: list[str]) -> None:
    assert read(text) == codes


@pytest.mark.parametrize("text", ["", ",", "et", "nowhere", "France and nowhere", "QQ", "FR-", "150"])
def test_what_is_no_country_is_refused(text: str) -> None:
    if text == "et":  # alone it is Ethiopia
        assert read(text) == ["ET"]
        return
    with pytest.raises(OperationError) as refused:
        read(text)
    assert refused.value.code is Code.BAD_REQUEST


def test_a_search_takes_names_of_countries() -> None:
    assert coded('port region:France,be REGION:"Saudi Arabia"') == "port region:FR,BE region:SA"
    assert coded("region:nowhere kind:cyber") == "region:nowhere kind:cyber"


@pytest.mark.parametrize("language", SPOKEN)
def test_what_is_said_is_read_again(language: Language) -> None:
    say = words(language)
    for code in ("FR", "CI", "KP", "US", "BA"):
        assert read(place(code, say)) == [code]
    assert called(city("Asia/Almaty", say), say) == ["Asia/Almaty"]


def test_a_part_and_an_unknown_code_are_said_by_their_codes() -> None:
    assert places(["DE-BE", "QQ"], ENGLISH) == "Germany (DE-BE), QQ"
    assert places(["FR", "DE-BE"], ARABIC) == "\u2068فرنسا\u2069، \u2068ألمانيا (DE-BE)\u2069"


@pytest.mark.parametrize(
    "text,zones",
    [
        ("Paris", ["Europe/Paris"]),
        ("europe/paris", ["Europe/Paris"]),
        ("new york", ["America/New_York"]),
        ("Belgium", ["Europe/Brussels"]),
        ("utc", ["UTC"]),
        ("nowhere", []),
        ("", []),
    ],
)
def test_a_time_zone_is_named_by_its_city_or_country(text: str, zones: list[str]) -> None:
    assert called(text, ENGLISH) == zones


def test_a_country_of_several_time_zones_leaves_a_choice() -> None:
    assert "Asia/Almaty" in called("كازاخستان", ARABIC)
    assert len(called("Kazakhstan", ENGLISH)) > 1
    assert city("UTC", ARABIC) == "UTC"
