"""Publish the format: JSON Schemas and the AsyncAPI document of the hub, made from the code, kept in git.

`python -m schemas.publish` writes them, `--check` names those that are not what the code says and then exits
1. `examples.json` in the same directory comes from real signed data (tests/support/format_example.py). What
belongs to an agency's own NATS is published by subscribers/publish.py, through `run` below.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from schemas.asyncapi import hub_document
from schemas.json_schemas import Json, named, plain_schemas

PUBLISHED: Final = Path(__file__).parent / "published"
EXAMPLES: Final = "examples.json"
_USAGE: Final = "usage: publish [--check]\n"


def read_examples() -> Json:
    """Schema name to a real example."""
    found: Json = json.loads((PUBLISHED / EXAMPLES).read_text(encoding="utf-8"))
    return found


def documents() -> dict[str, Json]:
    """File name to document."""
    examples = read_examples()
    files = {
        f"{name}.schema.json": named(name, schema, [examples[name]])
        for name, schema in plain_schemas().items()
    }
    return {**files, "hub.asyncapi.json": hub_document(examples)}


def rendered(document: Json) -> str:
    """How a document stands in its file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def drifted(directory: Path, made: dict[str, Json]) -> list[str]:
    """Names in `directory` that are missing, differ, or belong to nothing."""
    present = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.json")}
    present.pop(EXAMPLES, None)
    wanted = {name: rendered(document) for name, document in made.items()}
    return sorted(name for name in present.keys() | wanted.keys() if present.get(name) != wanted.get(name))


def write(directory: Path, made: dict[str, Json]) -> None:
    """Bring `directory` to what the code says, and take away what belongs to nothing."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in drifted(directory, made):
        path = directory / name
        if name in made:
            path.write_text(rendered(made[name]), encoding="utf-8")
        else:
            path.unlink()


def run(arguments: Sequence[str], directory: Path, made: Callable[[], dict[str, Json]]) -> int:
    """The command, for one directory and what belongs into it: 0 done or no drift, 1 drift, 2 wrong usage."""
    match list(arguments):
        case []:
            write(directory, made())
            return 0
        case ["--check"]:
            names = drifted(directory, made())
            for name in names:
                sys.stderr.write(f"{directory.name}/{name} is not what the code says: run `make schemas`\n")
            return 1 if names else 0
        case ["--help" | "-h"]:
            sys.stdout.write(_USAGE)
            return 0
        case _:
            sys.stderr.write(_USAGE)
            return 2


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], PUBLISHED, documents))
