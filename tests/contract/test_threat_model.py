"""The threat model names the tests that hold each promise: they must be there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
KEPT = TEXT.split("## What is kept")[1].split("\n## ")[0]
PROMISES = [row for row in KEPT.splitlines() if row.startswith("| ") and not row.startswith("| property")]


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row.split("|")[1].strip()[:40])
def test_each_promise_names_tests_that_exist(row: str) -> None:
    named = re.findall(r"`((?:tests/[\w/]+|test_[\w*]+)(?:\.py)?)`", row.split("|")[3])
    assert named, "a promise without a test is a hope"
    for name in named:
        found = [ROOT / name] if name.startswith("tests/") else list((ROOT / "tests").rglob(name))
        assert found, f"{name} is nowhere"
        assert all(path.exists() for path in found), f"{name} is nowhere"


def test_every_test_that_is_named_anywhere_exists() -> None:
    for name in set(re.findall(r"`(test_\w+\.py)`", TEXT)):
        assert list((ROOT / "tests").rglob(name)), f"{name} is nowhere"


def test_what_is_not_kept_is_said() -> None:
    assert TEXT.split("## What is not kept")[1].count("\n- **") >= 8
