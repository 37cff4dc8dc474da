"""The reader in `tests/second_reader`, written from FORMAT.md and the vectors alone, agrees with them all."""

import ast
import json
from pathlib import Path
from typing import Final

import pytest

from tests.second_reader.example import check_example
from tests.second_reader.run import OPERATIONS, outcome
from tests.vectors.runner import CASES, LOG_CASES, base

HERE: Final = Path(__file__).resolve().parents[1] / "second_reader"
SCHEMAS: Final = HERE.parents[1] / "schemas"
OURS: Final = {"schemas", "hub", "subscribers", "bots", "tests"}


@pytest.mark.parametrize("folder", [CASES, LOG_CASES], ids=["cases", "log"])
def test_it_agrees_with_every_vector(folder: Path) -> None:
    cases = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]
    assert {case["op"] for case in cases} <= set(OPERATIONS)
    wrong = {case["name"]: found for case in cases if (found := outcome(base(), case)) != case["expect"]}
    assert wrong == {}


def test_it_agrees_with_the_worked_example() -> None:
    assert [name for name, wanted, found in check_example(SCHEMAS) if wanted != found] == []


def test_it_imports_nothing_of_the_project() -> None:
    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                named = {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                named = {(node.module or "").partition(".")[0]}
            else:
                continue
            assert not named & OURS, path.name
