"""The reader in `tests/second_reader`, written from FORMAT.md and the vectors alone, agrees with them all."""

import ast
import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.second_reader.example import check_example
from tests.second_reader.run import FOLDERS, OPERATIONS, outcome, read_cases
from tests.vectors.runner import FOLDER, base

HERE: Final = Path(__file__).resolve().parents[1] / "second_reader"
SCHEMAS: Final = HERE.parents[1] / "schemas"
OURS: Final = {"schemas", "hub", "subscribers", "bots", "tests"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_agrees_with_every_vector(folder: str) -> None:
    cases = list(read_cases(FOLDER / folder))
    assert {case["op"] for case in cases} <= set(OPERATIONS)
    wrong = {case["name"]: found for case in cases if (found := outcome(base(), case)) != case["expect"]}
    assert wrong == {}


def test_what_is_left_to_it_is_what_no_reader_does() -> None:
    """tests/vectors/README.md: of all vectors those in `hub/` alone are a hub's and no reader's."""
    found = {
        folder.name: {json.loads(each.read_text("utf-8"))["op"] for each in folder.glob("*.json")}
        for folder in {each.parent for each in FOLDER.glob("*/*.json")}
        if folder.name != "standards"
    }
    assert found.pop("hub") == {"admit"}
    assert set(found) == set(FOLDERS)
    assert set().union(*found.values()) == set(OPERATIONS)
    table = re.findall(
        r"^\| (`[a-z_`, ]+) \| [^|]+ \|$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )
    told = {name for row in table for name in re.findall(r"`([a-z_]+)`", row)}
    assert set(OPERATIONS) | {"admit"} <= told


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
