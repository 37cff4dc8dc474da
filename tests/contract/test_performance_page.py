"""docs/performance.md says what was measured, and its model reckons as it says."""

import json

from tests.bench import model
from tests.bench.model import Costs, Load, reckon
from tests.bench.report import DOCS, number, rendered, taken_over
from tests.support import federation

PAGE = (DOCS / "performance.md").read_text(encoding="utf-8")
KEPT = json.loads((DOCS / "performance.json").read_text(encoding="utf-8"))


def test_the_page_shows_the_results_that_are_kept() -> None:
    assert rendered(PAGE, KEPT) == PAGE, "make performance"
    assert "<!-- end: model -->" in PAGE


def test_a_part_that_was_measured_again_takes_its_rows_over() -> None:
    first, *rest = KEPT["rows"]
    fresh = {**first, "value": 17.0}
    assert taken_over(KEPT, [fresh])["rows"] == [fresh, *rest]


def test_numbers_have_three_digits() -> None:
    assert [number(each) for each in (0.01234, 0.1234, 1.234, 123.4, 12_345.6)] == [
        "0.012", "0.123", "1.23", "123", "12,346",
    ]  # fmt: skip


def test_the_model_by_hand() -> None:
    load = Load(endpoints=10, bulletins=1_000, sites=2, readers=5, spoken=2, epochs=1, peak=4)
    cost = Costs(admit=100, deliver=50, wrap=200, receive=300, archive=700, archived=2_000)
    found = {each.what: each.value for each in reckon(load, cost)}
    frames, written, wraps = 1_000 + 480 + 20, 1_000 * 2_625 + 480 * 808 + 20 * 745, 2 * 10 * 5
    assert found["wraps a day"] == wraps
    assert found["heartbeats a day"] == 480
    assert found["frames a day"] == frames
    assert found["frames a second at the peak"] == (4_000 + 500) / 86_400
    assert found["of that for good"] == written / 1e9
    assert found["written a day, at each site"] == (written + wraps * 1_216 + frames * 606) / 1e9
    assert found["sent to readers a day"] == (written * 5 + wraps * 1_216 + frames * 606) / 1e9
    assert found["admission, of one hub's capacity"] == 100 * frames * 100 / 1e6 / 86_400
    assert found["wrapping, at each endpoint a day"] == wraps * 200 / 1e6 / 10
    assert found["receiving them, at each endpoint a day"] == 500 * 1_000 / 1e6
    assert found["archive of each endpoint, a year"] == 500 * 2_000 * 365 / 1e9


def test_the_models_sizes_are_those_of_messages() -> None:
    publisher = federation.Publisher()
    assert len(publisher.send(publisher.announcement())) == model.ANNOUNCEMENT
    assert abs(len(publisher.send(publisher.bulletin(1, body="word " * 300))) - model.FRAME) < 10
    assert abs(len(publisher.send(publisher.beat())) - model.BEAT) < 10
