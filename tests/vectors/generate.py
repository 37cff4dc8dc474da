"""Make the project's own vectors again: `python -m tests.vectors.generate` writes cases/ and base.json.

Everything comes from fixed seeds, so the files come out the same each time and tests/vectors/test_vectors.py
notices a change. Only HPKE takes its own randomness: what it made is recorded in recorded_wraps.json and
recorded_replies.json, and `--record` makes those that the cases need and the file lacks.
"""

import json
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Final

from tests.support import federation as fed
from tests.vectors import rfc9162
from tests.vectors.ancestry_cases import ancestry_cases
from tests.vectors.attachment_cases import attachment_cases, blobs, bulletin_cases
from tests.vectors.directory_cases import directory_cases
from tests.vectors.frame_cases import frame_cases
from tests.vectors.head_cases import head_cases
from tests.vectors.hub_cases import hub_cases
from tests.vectors.identity_cases import identity_cases
from tests.vectors.log_cases import log_cases
from tests.vectors.operation_cases import operation_cases
from tests.vectors.recipe import Case
from tests.vectors.reply_cases import record as record_replies
from tests.vectors.reply_cases import reply_cases
from tests.vectors.runner import (
    ATTACHMENT_CASES,
    BASE,
    BLOBS,
    CASES,
    FOLDER,
    HUB_CASES,
    LOG_CASES,
    SHARING_CASES,
)
from tests.vectors.sharing_cases import sharing_cases
from tests.vectors.trust_cases import trust_cases
from tests.vectors.wrap_cases import record, wrap_cases

TREES: Final = FOLDER / "standards" / "rfc9162.json"


def trees() -> str:
    """The proofs of RFC 9162, as they stand in their file."""
    return json.dumps(rfc9162.table(), separators=(",", ":")).replace("]],", "]],\n") + "\n"


def cases() -> Iterator[Case]:
    """Every case."""
    yield from frame_cases()
    yield from trust_cases()
    yield from ancestry_cases()
    yield from directory_cases()
    yield from identity_cases()
    yield from head_cases()
    yield from operation_cases()
    yield from wrap_cases()
    yield from reply_cases()
    yield from bulletin_cases()


FOLDERS: Final = {
    CASES: cases,
    LOG_CASES: log_cases,
    SHARING_CASES: sharing_cases,
    HUB_CASES: hub_cases,
    ATTACHMENT_CASES: attachment_cases,
}


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


def files(made_from: Callable[[], Iterator[Case]]) -> dict[str, str]:
    """Name in its folder to content, of what one of `FOLDERS` holds."""
    made = [(f"{case['name']}.json", text(_told(case))) for case in made_from()]
    if len(dict(made)) != len(made):
        raise ValueError("two cases have the same name")
    return dict(made)


def _told(made: Case) -> Case:
    return {name: value for name, value in made.items() if name != "blobs"}


def main() -> int:
    """Write them all, and remove what no longer is one."""
    if "--record" in sys.argv[1:]:
        record()
        record_replies()
    BASE.write_text(text(base()), encoding="utf-8")
    TREES.write_text(trees(), encoding="utf-8")
    for folder, made_from in FOLDERS.items():
        made = files(made_from)
        folder.mkdir(exist_ok=True)
        for name, content in made.items():
            (folder / name).write_text(content, encoding="utf-8")
        for path in folder.glob("*.json"):
            if path.name not in made:
                path.unlink()
        print(f"{len(made)} {folder.name}")
    BLOBS.mkdir(exist_ok=True)
    for path in BLOBS.glob("*.bin"):
        path.unlink()
    for name, data in blobs().items():
        (BLOBS / f"{name}.bin").write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
