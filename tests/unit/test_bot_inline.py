"""What may be offered in any chat for a reference: TLP:CLEAR within the ceiling, or nothing."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bots.settings import BotSettings
from bots.showing.inline import offered
from bots.showing.release import Ceiling
from bots.showing.render import Reader
from bots.wording.markup import UNITS_MAX, units
from schemas.vocabulary import Language, Tlp
from subscribers.records import Record
from tests.support.node_api import make_record
from tests.support.records import records

READER = Reader(Language.ENGLISH, ZoneInfo("UTC"))


@given(records(), st.sampled_from(Tlp), st.sampled_from(Language))
def test_nothing_but_what_anybody_may_be_told(record: Record, full: Tlp, language: Language) -> None:
    found = offered(record, Ceiling(full, Tlp.RED), Reader(language, ZoneInfo("UTC")))
    public = record.bulletin.tlp is Tlp.CLEAR and record.state != "retracted"
    assert (found is not None) == (public and not record.flags & {"expired", "private"})
    if found:
        assert found.key == record.bulletin.id
        assert record.bulletin.ref in found.part.plain
        assert units(found.part.plain) <= UNITS_MAX


def test_what_has_had_its_time_is_not_passed_on() -> None:
    clear = make_record(1, tlp=Tlp.CLEAR)
    assert offered(clear, Ceiling(), READER) is not None
    for change in ({"state": "retracted"}, {"flags": {"expired"}}, {"flags": {"private"}}):
        assert offered(clear.model_copy(update=change), Ceiling(), READER) is None


def test_inline_mode_is_off_unless_it_is_switched_on() -> None:
    assert not BotSettings.model_fields["inline"].default
