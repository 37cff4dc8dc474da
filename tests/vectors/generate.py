"""Make the project's own vectors again: `python -m tests.vectors.generate` writes cases/ and base.json.

Everything comes from fixed seeds, so the files come out the same each time and tests/vectors/test_vectors.py
notices a change. Only HPKE takes its own randomness: its wraps are recorded in recorded_wraps.json, and
`--record` makes those that the cases need and the file lacks.
"""

import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from tests.support import federation as fed
from tests.vectors.ancestry_cases import ancestry_cases
from tests.vectors.directory_cases import directory_cases
from tests.vectors.frame_cases import frame_cases
from tests.vectors.recipe import Case
from tests.vectors.runner import BASE, CASES
from tests.vectors.trust_cases import trust_cases
from tests.vectors.wrap_cases import record, wrap_cases


def cases() -> Iterator[Case]:
    """Every case."""
    yield from frame_cases()
    yield from trust_cases()
    yield from ancestry_cases()
    yield from directory_cases()
    yield from wrap_cases()


def base() -> dict[str, Any]:
    """What every case starts from."""
    documents = fed.documents()
    agencies = {
        party.id: {
            "endpoint": party.endpoint,
            "identity": bytes(party.identity).hex(),
            "signing": bytes(party.signing).hex(),
            "kem": bytes(party.kem).hex(),
        }
        for party in fed.PARTIES
    }
    return {
        "what": "The directory and membership logs that every case starts from, with all private keys",
        "fingerprint": sha256(documents[0]).hexdigest(),
        "agencies": agencies,
        "documents": [each.decode() for each in documents],
        "entries": [each.decode() for log in fed.memberships().values() for each in log],
    }


def text(value: dict[str, Any]) -> str:
    """A file's content."""
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"


def files() -> dict[str, str]:
    """Name in cases/ to content."""
    made = [(f"{case['name']}.json", text(case)) for case in cases()]
    if len(dict(made)) != len(made):
        raise ValueError("two cases have the same name")
    return dict(made)


def main() -> int:
    """Write them all, and remove what no longer is one."""
    if "--record" in sys.argv[1:]:
        record()
    BASE.write_text(text(base()), encoding="utf-8")
    CASES.mkdir(exist_ok=True)
    made = files()
    for name, content in made.items():
        (CASES / name).write_text(content, encoding="utf-8")
    for path in CASES.glob("*.json"):
        if path.name not in made:
            path.unlink()
    print(f"{len(made)} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
