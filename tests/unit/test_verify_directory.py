"""`liaison-agency verify-directory`: files and a fingerprint, and no node anywhere."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.checkpoint import Checkpoint, origin_of
from schemas.exports import Export, Proof, prove
from schemas.merkle import Log
from subscribers.cli import app
from subscribers.directory.verification import report
from tests.support import federation as fed
from tests.vectors.log_cases import GOOD, LOG, NOW, by, export, note, signed

TOLD = sha256(fed.documents()[0]).hexdigest()
AT = "2026-01-31T12:00:00Z"
LATE = "2026-03-31T12:00:00Z"


class Files:
    """Files in a directory, and the command on one of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put(self, name: str, content: Export | Proof | bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.to_bytes())
        return path

    def verify(self, content: Export | Proof | bytes, *words: str | Path) -> tuple[int, str]:
        given = [] if "--at" in words else ["--at", AT]
        path = self.put("file.json", content)
        arguments = ["verify-directory", str(path), "--root-fingerprint", TOLD, *given, *map(str, words)]
        result = CliRunner().invoke(app, arguments)
        return result.exit_code, result.output

    def told(self, content: Export | Proof | bytes, *words: str | Path) -> tuple[int, dict[str, Any]]:
        status, text = self.verify(content, "--json", *words)
        return status, json.loads(text)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def checks(found: dict[str, Any]) -> dict[str, str]:
    return {each["check"]: each["code"] or "ok" for each in found["checks"]}


def test_a_whole_directory_is_verified(files: Files) -> None:
    status, said = files.verify(export())
    assert (status, said.splitlines()[-1]) == (0, "verified")
    assert "13 documents; signed by the hub and by 2 of 3 witnesses, of whom 2 must" in " ".join(said.split())
    status, found = files.told(export())
    assert (status, found["verified"]) == (0, True)
    assert found["head"] == [LOG.size, LOG.root(LOG.size).hex()]
    assert checks(found) == {"root": "ok", "documents": "ok", "checkpoint": "ok", "freshness": "ok"}


def test_a_fingerprint_may_be_typed_as_it_is_read_aloud(files: Files) -> None:
    spaced = " ".join(TOLD[at : at + 8] for at in range(0, 64, 8)).upper()
    assert files.verify(export(), "--root-fingerprint", spaced)[0] == 0


def test_an_agency_is_shown_with_its_proofs(files: Files) -> None:
    for content in (export(), prove(export(), "jpn")):
        status, said = files.verify(content, "--agency", "jpn")
        assert status == 0
        assert "Agency jpn (jpn, JPN)" in said
        assert fed.JPN.endpoint in said
        assert LOG.inclusion(3, LOG.size)[0].hex() in said
    status, found = files.told(export(), "--agency", "jpn")
    assert found["proof"] == prove(export(), "jpn").model_dump(mode="json")


def test_revoked_keys_are_named(files: Files) -> None:
    documents = [*export().documents, fed.envelope(fed.JPN.revoke(), fed.JPN.identity).decode()]
    status, said = files.verify(export(documents=documents), "--agency", "jpn")
    assert (status, f"revoked   {fed.JPN.kid}" in said) == (0, True)


def test_it_must_continue_what_was_held_before(files: Files) -> None:
    old = files.put("old.json", export(4, documents=export().documents[:6], memberships=[]))
    point = files.put("old.note", GOOD)
    status, found = files.told(export(), "--since", old, "--since", point)
    assert (status, [each["said"].split()[4] for each in found["checks"][-3:]]) == (
        0,
        ["4", "6", str(LOG.size)],
    )
    status, found = files.told(prove(export(), "jpn", since=4), "--since", old)
    assert (status, checks(found)["since"]) == (0, "ok")
    status, found = files.told(export(4, documents=export().documents[:6], memberships=[]), "--since", point)
    assert (status, checks(found)["since"]) == (1, "rollback")


def test_each_failure_is_named(files: Files) -> None:
    whole = export()
    for content, words, check, code in (
        (whole, ("--root-fingerprint", "0" * 64), "documents", "root_mismatch"),
        (whole, ("--at", LATE), "freshness", "stale_head"),
        (export(note=None), (), "checkpoint", "bad_checkpoint"),
        (export(note=note(signed(), by(0)).decode()), (), "documents", "witness_shortfall"),
        (export(documents=whole.documents[:-1]), (), "documents", "log_behind"),
    ):
        status, found = files.told(content, *words)
        assert (status, found["verified"], checks(found)[check]) == (1, False, code)
        assert "NOT VERIFIED" in files.verify(content, *words)[1]


def test_what_is_no_such_file_is_refused_with_its_code(files: Files) -> None:
    assert "bad_json" in files.verify(b"hello")[1]
    assert "unknown_agency" in files.verify(export(), "--agency", "nobody")[1]
    assert "not_found" in files.verify(export(), "--since", files.directory / "nowhere")[1]
    assert "bad_encoding" in files.verify(export(), "--at", "yesterday")[1]
    old = files.directory / "old.json"
    old.write_bytes(b"hello")
    assert files.verify(export(), "--since", old)[1].startswith(f"bad_checkpoint: {old}: ")
    short = files.verify(export(), "--root-fingerprint", "12 3F")[1]
    assert "64 hex digits, and 4 came (give --root-fingerprint as `liaison-root show` prints it" in short


def test_a_root_without_witnesses_says_so() -> None:
    documents = fed.documents()
    first = fed.envelope(fed.root(witnesses=[], quorum=0), fed.ROOTS[0], fed.ROOTS[1])
    told = sha256(first).digest()
    log = Log([first, documents[1]])
    point = Checkpoint(origin_of(told), log.head)
    content = Export(
        documents=[first.decode(), documents[1].decode()],
        memberships=[],
        note=note(signed(point), checkpoint=point).decode(),
    )
    lines = {each.check: each.said for each in report(content, told, NOW).lines}
    assert lines["freshness"] == "the root asks for no witnesses, so nobody says when"


def test_a_freshness_without_end_is_told_all_the_same() -> None:
    first = fed.envelope(fed.root(freshness=2**53 - 1), fed.ROOTS[0], fed.ROOTS[1])
    told = sha256(first).digest()
    log = Log([first, fed.documents()[1]])
    point = Checkpoint(origin_of(told), log.head)
    cosigned = note(signed(point), by(0, checkpoint=point), by(1, checkpoint=point), checkpoint=point)
    content = Export(
        documents=[first.decode(), fed.documents()[1].decode()], memberships=[], note=cosigned.decode()
    )
    lines = {each.check: each.said for each in report(content, told, NOW).lines}
    assert lines["freshness"] == "until 9999-12-31T23:59:59Z"
