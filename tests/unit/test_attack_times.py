"""Times at the ends of the calendar: a bulletin may say any that exists, and nobody's bot may stop at one."""

from zoneinfo import ZoneInfo

import pytest

from bots.showing.release import Ceiling
from bots.showing.render import Reader, View, listing, render
from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Language, Tlp
from subscribers.telling.digest import parse_period
from tests.support.node_api import make_record

ALL = Ceiling(Tlp.RED, Tlp.RED)
ENDS = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")


@pytest.mark.parametrize("zone", ["Asia/Kabul", "America/Lima", "Pacific/Kiritimati", "UTC"])
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("instant", ENDS)
def test_a_time_at_the_end_of_the_calendar_is_shown(instant: str, language: Language, zone: str) -> None:
    record = make_record(tlp=Tlp.GREEN, valid_until=ENDS[1])
    record = record.model_copy(
        update={"bulletin": record.bulletin.model_copy(update={"issued": instant, "valid_until": instant})}
    )
    reader = Reader(language, ZoneInfo(zone))

    for view in View:
        assert render(record, ALL, reader, view=view).parts
    assert listing([record], ALL, reader, title="all").parts


@pytest.mark.parametrize(
    "period", ["9999-12-31", "9999-W52", "0001-01-01/9999-12-31", "٩٩٩٩-١٢-٣١", "0000-W00"]
)
def test_a_period_at_the_end_of_the_calendar_is_refused(period: str) -> None:
    with pytest.raises(LiaisonError) as refused:
        parse_period(period, 1_800_000_000_000)
    assert refused.value.code is Code.BAD_REQUEST
