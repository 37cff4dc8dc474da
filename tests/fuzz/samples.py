"""What fuzzing begins with: the vectors, the published examples and the samples, taken apart."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.fuzz.target import ROOT

_CASES: Final = ROOT / "tests/vectors/cases"
_LOG: Final = ROOT / "tests/vectors/log"
_EXAMPLES: Final = ROOT / "schemas/published/examples.json"
_BULLETINS: Final = ROOT / "schemas/samples/bulletins.json"


@cache
def base() -> dict[str, Any]:
    """The federation of the vectors."""
    found: dict[str, Any] = json.loads((ROOT / "tests/vectors/base.json").read_text(encoding="utf-8"))
    return found


def vectors(op: str, field: str, folder: Path = _CASES) -> list[Any]:
    """One field of every vector of an operation."""
    cases = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json")))
    return [case[field] for case in cases if case["op"] == op and field in case]


def texts(op: str, field: str) -> list[bytes]:
    """The same as bytes, where it is text."""
    return [each.encode() for each in vectors(op, field)]


def decoded(op: str, field: str, folder: Path = _CASES) -> list[bytes]:
    """The same, where it is base64."""
    return [base64.b64decode(each) for each in vectors(op, field, folder)]


def notes() -> list[bytes]:
    """Checkpoints."""
    return decoded("checkpoint", "note", _LOG)


def frames() -> list[bytes]:
    """Frames whose bodies are of the smallest size."""
    found = (base64.b64decode(each[1]) for each in vectors("receive", "message"))
    return [each for each in found if len(each) < 2_500]


@cache
def examples() -> dict[str, Any]:
    """The examples that are published with the schemas."""
    found: dict[str, Any] = json.loads(_EXAMPLES.read_text(encoding="utf-8"))
    return found


@cache
def bulletins() -> list[dict[str, Any]]:
    """The sample bulletins, as they are written."""
    found: list[dict[str, Any]] = json.loads(_BULLETINS.read_text(encoding="utf-8"))
    return found
