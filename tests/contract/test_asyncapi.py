"""The AsyncAPI documents: valid by the official parser, in step with the code's subjects and verbs."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from jsonschema import Draft7Validator

from hub.grants import exports
from schemas.errors import Code
from schemas.operations import operations_for
from schemas.publish import PUBLISHED
from schemas.subjects import (
    FrameSubject,
    chunk_at,
    chunk_upload,
    document_submission,
    handover_submission,
    history_for,
    history_submission,
    local_bulletin,
    membership_log,
    pages_for,
    parse_frame_subject,
    quarantined,
    receipts_for,
    wrap_submission,
    wraps_for,
)
from schemas.vocabulary import Kind, Precedence, Realm, Severity, Tlp
from subscribers.service.roles import Verb

DOCUMENTS = [PUBLISHED / "hub.asyncapi.json", PUBLISHED / "agency" / "agency.asyncapi.json"]
CHECKER = Path(__file__).parent / "asyncapi"
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH")
ENDPOINT = "A" + "B" * 55
ADDRESS = "ab" * 32
COMMUNITY = "5f1d7a84c3e94b0e9d2a6c7b18f0e35a"


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def checker(root: Path) -> Path:
    """The official parser, installed once under build/ from its lock; skips where that cannot be done."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed, so the official AsyncAPI parser cannot run")
    place = root / "build" / "asyncapi"
    place.mkdir(parents=True, exist_ok=True)
    done = place / "installed"
    lock = (CHECKER / "package-lock.json").read_text(encoding="utf-8")
    with FileLock(place / "lock"):
        for file in CHECKER.iterdir():
            shutil.copy(file, place)
        if not done.exists() or done.read_text(encoding="utf-8") != lock:
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            result = subprocess.run(
                command, cwd=place, capture_output=True, text=True, check=False, timeout=240
            )
            if result.returncode and any(word in result.stderr for word in UNREACHABLE):
                pytest.skip("the npm registry cannot be reached, so the official AsyncAPI parser is not here")
            assert result.returncode == 0, result.stderr
            done.write_text(lock, encoding="utf-8")
    return place


def check(checker: Path, *paths: Path) -> list[dict[str, Any]]:
    command = ["node", "validate.mjs", *map(str, paths)]
    result = subprocess.run(command, cwd=checker, capture_output=True, text=True, check=False, timeout=200)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.timeout(600)
def test_the_official_parser_finds_nothing(checker: Path) -> None:
    for path, verdict in zip(DOCUMENTS, check(checker, *DOCUMENTS), strict=True):
        assert verdict["parsed"], verdict
        assert verdict["problems"] == []
        assert verdict["operations"] == len(load(path)["operations"])


@pytest.mark.timeout(600)
def test_the_official_parser_would_find_something(checker: Path, tmp_path: Path) -> None:
    broken = load(DOCUMENTS[0])
    broken["operations"]["receiveIntake"]["action"] = "listen"
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(broken), encoding="utf-8")
    (verdict,) = check(checker, path)
    assert verdict["problems"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_example_holds_by_its_payload(path: Path) -> None:
    document = load(path)
    components = {"components": {"schemas": document["components"]["schemas"]}}
    checked = 0
    for message in document["components"]["messages"].values():
        validator = Draft7Validator(
            {**message["payload"], **components}
            if "$ref" not in message["payload"]
            else {"allOf": [message["payload"]], **components}
        )
        for example in message.get("examples", []):
            validator.validate(example["payload"])
            checked += 1
    assert checked


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_reference_leads_somewhere(path: Path) -> None:
    document = load(path)
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        found: Any = document
        for step in reference.split("/"):
            found = found[step]


def test_the_hubs_addresses_are_the_subjects_of_the_code() -> None:
    document = load(DOCUMENTS[0])
    place = FrameSubject(Realm.LIVE, COMMUNITY, Precedence.FLASH, ENDPOINT)
    values = {
        "realm": "live",
        "community": COMMUNITY,
        "precedence": "flash",
        "endpoint": ENDPOINT,
        "code": Code.GAP.value,
        "address": ADDRESS,
    }
    addresses = (channel["address"] for channel in document["channels"].values())
    written = {each.format(**values) for each in addresses if each is not None}
    assert written == {
        place.intake(),
        place.traffic(),
        document_submission(ENDPOINT),
        wrap_submission(ENDPOINT),
        history_submission(ENDPOINT),
        handover_submission(ENDPOINT),
        history_for(ENDPOINT),
        pages_for(ENDPOINT),
        wraps_for(ENDPOINT),
        receipts_for(ENDPOINT),
        operations_for(ENDPOINT),
        membership_log(COMMUNITY),
        quarantined(ENDPOINT, Code.GAP),
        "d.doc",
        chunk_upload(ENDPOINT),
        chunk_at(ADDRESS),
    }
    assert parse_frame_subject(place.traffic()) == place


def test_what_the_hub_receives_is_what_it_exports_to_endpoints() -> None:
    document = load(DOCUMENTS[0])
    received = [
        document["channels"][operation["channel"]["$ref"].rpartition("/")[2]]["address"]
        for operation in document["operations"].values()
        if operation["action"] == "receive"
    ]
    offered = [each["subject"] for each in exports() if not each["subject"].startswith("$JS.")]
    patterns = [re.compile(subject.replace(".", r"\.").replace("*", "[^.]+") + r"\Z") for subject in offered]
    assert all(any(pattern.match(address) for pattern in patterns) for address in received)
    assert all(any(pattern.match(address) for address in received) for pattern in patterns)


def test_the_agencys_document_has_every_verb_and_the_local_subjects() -> None:
    document = load(DOCUMENTS[1])
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert {f"node.{verb.value}" for verb in Verb} <= addresses
    parameters = document["components"]["parameters"]
    values = {
        "realm": Realm.EXERCISE,
        "community": "border-tactics",
        "kind": Kind.CYBER,
        "severity": Severity.FLASH,
        "tlp": Tlp.AMBER_STRICT.slug,
    }
    for name, value in values.items():
        assert "enum" not in parameters[name] or value in parameters[name]["enum"]
    written = document["channels"]["bulletins"]["address"].format(**values)
    assert written == local_bulletin(
        Realm.EXERCISE, "border-tactics", Kind.CYBER, Severity.FLASH, Tlp.AMBER_STRICT
    )
