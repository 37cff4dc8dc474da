"""The map from what the design asked to be tested to the vectors and tests that do it holds what it says."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TEXT = (TESTS / "vectors/README.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in TEXT.split("<!-- coverage -->")[1].split("<!-- /coverage -->")[0].strip().splitlines()[2:]
]


@pytest.mark.parametrize("asked, named", ROWS, ids=[row[0] for row in ROWS])
def test_each_thing_that_was_asked_for_is_there(asked: str, named: str) -> None:
    names = re.findall(r"`([^`]+)`", named)
    assert names, asked
    for name in names:
        file, _, test = name.partition("::")
        if test:
            (path,) = TESTS.rglob(file)
            assert re.search(rf"def {test}\(", path.read_text(encoding="utf-8")), name
        else:
            assert list((TESTS / "vectors").glob(f"*/{name}.json")), name


def test_nothing_is_asked_for_twice() -> None:
    assert len({asked for asked, _ in ROWS}) == len(ROWS) >= 50
