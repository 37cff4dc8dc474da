"""FORMAT.md says what the code does: its numbers, tables and worked example are made again here."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest
from pydantic import BaseModel

from schemas import content, limits, operations, reply, signing
from schemas.bulletin import Bulletin
from schemas.card import Card
from schemas.content import BODY_SIZES, key_commitment
from schemas.directory import Directory
from schemas.documents import (
    Agency,
    Community,
    Enrolment,
    Hub,
    Identity,
    Keys,
    Membership,
    Object,
    Replace,
    Revoke,
    Role,
    Root,
    parse_enrolment,
)
from schemas.errors import Code
from schemas.json_schemas import FIELDS
from schemas.receipts import RECEIPT_MAX, read
from schemas.subjects import wraps_for
from subscribers.judging.trust import Announced, Beat, Carded, Opened, Reader, accept_wrap, receive
from subscribers.keys import KemKey
from tests.support.format_example import (
    AT,
    COMMUNITY,
    EXAMPLES,
    TEXT,
    World,
    block,
    examples_text,
    seed,
    signing_key,
)

TITLES: Final = (
    "Limits", "Encodings", "Signatures", "Subjects", "Bulletin", "Directory", "Membership", "Checkpoints",
    "Proofs", "Exports", "Frame", "Chains", "Content", "Epochs", "Wraps", "Replies", "History",
    "Onward release", "Receipts", "Operational records", "Attachments", "Parcels", "Evidence",
    "Order of checks", "Refusals",
    "Properties", "Worked example",
)  # fmt: skip


@pytest.fixture(scope="module")
def text() -> str:
    return TEXT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def section(text: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the table whose first heading is this."""
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return table


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_sections_have_the_titles_that_code_cites(text: str, root: Path) -> None:
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == TITLES
    cited = set()
    for package in ("schemas", "hub", "subscribers", "bots"):
        for path in (root / package).rglob("*.py"):
            prose = re.sub(r"\s+#?\s*", " ", path.read_text(encoding="utf-8"))
            for names in re.findall(r'FORMAT\.md, ((?:"[^"]+"(?:, | and )?)+)', prose):
                cited |= set(re.findall(r'"([^"]+)"', names))
            cited |= set(re.findall(r"FORMAT\.md, ([A-Z][a-z]+)", prose))
    assert cited
    assert cited <= set(TITLES)


def test_the_limits_are_those_of_the_code(text: str) -> None:
    said = {words(name)[0]: int(value) for name, value, _ in rows(section(text, "Limits"), "name")}
    assert said == {name: value for name, value in vars(limits).items() if name.isupper()}
    assert f"A receipt is at most {RECEIPT_MAX} bytes" in text


def test_every_code_is_explained_once(text: str) -> None:
    table = rows(section(text, "Refusals"), "code")
    assert [words(row[0])[0] for row in table] == [code.value for code in Code]
    assert all(all(row) for row in table)


def test_every_code_that_the_text_names_is_one(text: str) -> None:
    known = {code.value for code in Code}
    # snake_case words in backticks that are no field, limit or other name of the format
    other = {
        "valid_from",
        "valid_until",
        "key_id",
        "crypto_sign_open",
        "crypto_core_ed25519_is_valid_point",
        "K_aead",
        "reply_salt",
    }
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text)) - other
    assert named <= known


def test_the_header_table_is_the_code_s(text: str) -> None:
    table = rows(section(text, "Frame"), "field")
    for kind, fields in FIELDS.items():
        said = [words(name)[0] for name, _, kinds in table if kinds == "all" or kind in kinds.split(", ")]
        assert tuple(said) == fields


def test_the_bulletin_table_is_the_model_s(text: str) -> None:
    said = [word for row in rows(section(text, "Bulletin"), "field") for word in words(row[0])]
    assert len(said) == len(set(said))
    assert set(said) == set(Bulletin.model_fields)


def test_the_document_tables_are_the_models(text: str) -> None:
    directory = section(text, "Directory")
    models: dict[str, type[BaseModel]] = {
        "root": Root,
        "hub": Hub,
        "agency": Agency,
        "keys": Keys,
        "revoke": Revoke,
        "community": Community,
        "replace": Replace,
        "object": Object,
        "identity": Identity,
    }
    table = rows(directory, "`type`")
    assert [words(row[0])[0] for row in table] == list(models)
    for name, fields, _ in table:
        said = {word for word in words(fields) if word.isidentifier()}
        assert said | {"v", "type"} == set(models[words(name)[0]].model_fields)
    assert set(Role.model_fields) == {"v", "keys", "threshold"}
    said = {words(row[0])[0] for row in rows(section(text, "Membership"), "field")}
    assert said == set(Membership.model_fields)
    request = re.search(r"`(\{v: 1, type: \"enrolment\"[^`]+)`", directory)
    assert request is not None
    assert set(re.findall(r"[a-z]+(?=[:,}])", request[1])) == set(Enrolment.model_fields)
    assert set(re.findall(r'"([a-z]+)":', re.findall(r"`(\{\"rules\"[^`]+)`", text)[0])) | {"v"} == set(
        Card.model_fields
    )


def test_labels_types_and_sizes_are_those_of_the_code(text: str) -> None:
    labels = (content.COMMITMENT_LABEL, content.WRAP_LABEL, signing.FINGERPRINT_LABEL)
    for label in (*labels, reply.REPLY_LABEL, reply.REPLY_COMMITMENT_LABEL):
        assert label.decode().replace("\0", "\\0") in text
    types = {words(row[0])[0] for row in rows(section(text, "Signatures"), "payload type")}
    named = (signing.FRAME_TYPE.decode(), signing.DOCUMENT_TYPE, signing.MEMBERSHIP_TYPE)
    assert types == {
        *named,
        signing.ENROLMENT_TYPE,
        signing.HISTORY_TYPE,
        signing.RELEASE_TYPE,
        operations.OPERATION_TYPE,
        signing.RECEIPT_TYPE,
    }
    sizes = re.search(r"A body has one of seven sizes: (.*?) bytes", text, re.DOTALL)
    assert sizes is not None
    assert {int(size) for size in re.findall(r"\d+", sizes[1])} == BODY_SIZES


def test_the_worked_example_is_what_the_code_makes(text: str, world: World) -> None:
    assert block(world) in text
    assert EXAMPLES.read_text(encoding="utf-8") == examples_text(world)


def test_the_worked_example_is_read_to_the_end(world: World) -> None:
    """What the text shows opens for its reader, from the fingerprint to the bulletin."""
    directory = Directory.pinned(world.root, sha256(world.root).digest())
    for document in world.documents[1:]:
        directory = directory.apply(document)
    for entry in world.entries:
        directory = directory.apply_membership(entry)
    subject = world.place.traffic()
    reader = Reader(directory, "jpn", {}, {})
    announced = receive(reader, subject, world.announcement, AT)
    assert isinstance(announced, Announced)
    kem = KemKey(seed("jpn encryption"))
    known = {announced.epoch.announcement: announced.epoch}
    _, key = accept_wrap(world.wrap.to_bytes(), known, [kem], wraps_for(world.jpn).removeprefix("w."))
    assert bytes(key) == bytes(world.epoch_key)
    assert key_commitment(bytes(key)) == announced.epoch.kc
    chain = {(world.fra, COMMUNITY, "routine"): announced.chain}
    reader = Reader(directory, "jpn", chain, {announced.id: announced.epoch._replace(key=key)})  # type: ignore[arg-type]
    opened = receive(reader, subject, world.frame, AT)
    assert isinstance(opened, Opened)
    assert opened.bulletin == world.bulletin
    assert isinstance(receive(reader, subject, world.card_frame, AT), Carded)
    chain = {(world.fra, COMMUNITY, "routine"): opened.chain}
    assert isinstance(receive(Reader(directory, "jpn", chain, {}), subject, world.beat, AT), Beat)  # type: ignore[arg-type]
    answers = read(world.receipt, world.fra, signing_key("hub").public)
    assert [answer.sha256 for answer in answers] == [
        sha256(each).hexdigest() for each in (world.announcement, world.frame)
    ]
    enrolment = parse_enrolment(world.enrolment)
    assert enrolment.envelope.signed_by([signing_key("fra identity").public])
    assert directory.apply(world.revoke).revoked


def test_no_property_is_weaker_than_the_design(text: str) -> None:
    statuses = dict(rows(section(text, "Properties"), "property"))
    assert list(statuses.values()) == [
        "kept",
        "kept",
        "detected",
        "detected within two heartbeats; delivery not guaranteed",
        "refused or detected",
        "needs the owners' threshold; visible to all members",
        "kept out once the publisher sees the removal",
        "not kept",
        "window = the longer of encryption-key life and epoch-key retention; not per message",
        "not hidden from the hub; names, kind, severity, TLP are",
    ]
