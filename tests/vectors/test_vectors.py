"""The project's own vectors: each case comes out as its file says, and the generator makes the same files."""

import json
from pathlib import Path

import pytest

from tests.vectors import generate
from tests.vectors.attachment_cases import blobs
from tests.vectors.runner import BASE, BLOBS, run

PATHS = sorted(path for folder in generate.FOLDERS for path in folder.glob("*.json"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    assert case["name"] == path.stem
    assert run(case) == case["expect"], case["what"]


def test_the_files_are_what_the_generator_makes() -> None:
    """After a change that is meant: `python -m tests.vectors.generate`."""
    for folder, cases in generate.FOLDERS.items():
        made = generate.files(cases)
        assert made.keys() == {path.name for path in folder.glob("*.json")}
        assert [
            name for name, text in made.items() if (folder / name).read_text(encoding="utf-8") != text
        ] == []
    assert {path.stem: path.read_bytes() for path in BLOBS.glob("*.bin")} == blobs()
    assert generate.TREES.read_text(encoding="utf-8") == generate.trees()
    assert BASE.read_text(encoding="utf-8") == generate.text(generate.base())
