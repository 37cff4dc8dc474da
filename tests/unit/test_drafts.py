"""What is checked before a draft leaves, and how drafts are read from files."""

from typing import Any

import pytest

from schemas.bulletin import Draft, parse_draft
from schemas.errors import Code, LiaisonError
from schemas.limits import PAYLOAD_MAX
from schemas.vocabulary import Realm
from subscribers.writing.draft_files import read_draft
from subscribers.writing.drafts import check, check_regions, identify
from tests.support.federation import AT, code_of, uuid

PLAIN = {"kind": "threat", "title": "Title", "language": "en", "severity": "low", "tlp": "TLP:GREEN"}


def draft(**fields: Any) -> Draft:  # any field of a draft
    return parse_draft({**PLAIN, **fields})


def linked(number: int) -> Draft:
    return draft(kind="amendment", links=[{"relation": "amends", "id": uuid(number)}])


def test_a_member_may_publish() -> None:
    check(draft(), Realm.LIVE, "member", [])
    check(draft(exercise=True), Realm.EXERCISE, "member", [])
    check(linked(1), Realm.LIVE, "member", [uuid(1)])


@pytest.mark.parametrize(
    "given,realm,role,known,code",
    [
        (draft(), Realm.LIVE, None, [], Code.NOT_MEMBER),
        (draft(), Realm.LIVE, "reader", [], Code.READ_ONLY_MEMBER),
        (draft(exercise=True), Realm.LIVE, "member", [], Code.EXERCISE_MISMATCH),
        (draft(), Realm.EXERCISE, "member", [], Code.EXERCISE_MISMATCH),
        (linked(1), Realm.LIVE, "member", [uuid(2)], Code.DANGLING_REFERENCE),
    ],
)
def test_what_is_refused(given: Draft, realm: Realm, role: str | None, known: list[str], code: Code) -> None:
    assert code_of(check, given, realm, role, known) is code


@pytest.mark.parametrize("region", ["ZZ", "JJ", "ZZ-1", "XA"])
def test_a_country_that_there_is_not_is_for_exercises_alone(region: str) -> None:
    assert code_of(check_regions, draft(regions=["FR-IDF", region])) is Code.BAD_DRAFT
    check_regions(draft(regions=[region], exercise=True))


def test_all_other_countries_are_taken() -> None:
    check_regions(draft(regions=["FR", "FR-IDF", "KZ", "XK", "GB-SCT", "UN", "EU", "CN", "SS"]))


def test_identity() -> None:
    bulletin = identify(draft(), id=uuid(7), code="FRA", number=42, now=AT)
    assert (bulletin.id, bulletin.ref, bulletin.issued) == (uuid(7), "FRA-2026-0042", "2026-01-31T08:30:00Z")
    assert identify(draft(), id=uuid(7), code="FRA", number=123456, now=AT).ref == "FRA-2026-123456"


MARKDOWN = """---
kind: channel
tlp: TLP:AMBER
severity: high
language: en
exercise: true
valid_until: 2026-03-01T00:00:00Z
regions: [FR, DE-BE]
grading: {system: admiralty, reliability: B, credibility: 2}
channel: {address: example.org/no, state: reported}
translations:
  - {language: fr, official: false, title: Le titre}
---

# The title

The body.

# Not a title
"""


def test_markdown_becomes_a_draft() -> None:
    given = parse_draft(read_draft(MARKDOWN.encode()))
    assert given.title == "The title"
    assert given.body == "The body.\n\n# Not a title"
    assert given.exercise is True
    assert given.grading
    assert given.grading.credibility == 2
    assert given.regions == ["FR", "DE-BE"]
    assert given.translations[0].official is False
    assert given.valid_until == "2026-03-01T00:00:00Z"


def test_other_shapes_of_markdown() -> None:
    facts = "---\nkind: threat\ntitle: No\n---"
    assert read_draft(facts.encode()) == {"kind": "threat", "title": "No", "body": ""}
    assert read_draft(f"\ufeff{facts}\r\n# Heading\r\nText".encode())["body"] == "# Heading\nText"
    assert read_draft(b"---\nbody: given\n---\nignored")["body"] == "given"


def test_json_is_read_strictly() -> None:
    assert read_draft(b' {"kind": "threat"}') == {"kind": "threat"}
    assert code_of(read_draft, b'{"kind": "a", "kind": "b"}') is Code.BAD_JSON


@pytest.mark.parametrize(
    "data,code,place",
    [
        (b'{\n "title": "Secret"\n "kind": "threat"}', Code.BAD_JSON, "not JSON, at line 3, column 2"),
        (b'{"title": "Secret', Code.BAD_JSON, "not JSON, at line 1, column 11"),
        (b'{\n"title": "Secret \xff"}', Code.BAD_JSON, "not JSON, at line 2: it is not UTF-8"),
        (b'{"title": 1.5}', Code.BAD_JSON, "numbers must be whole"),
        (b"---\nkind: threat\ntitle: Secret: one\n---\n", Code.BAD_DRAFT, "not YAML, at line 3"),
        (b"---\nkind: threat\nlink: &a Secret\nother: *a\n---\n", Code.BAD_DRAFT, "not YAML, at line 4"),
    ],
)
def test_where_a_draft_is_broken_is_told_and_nothing_of_it(data: bytes, code: Code, place: str) -> None:
    with pytest.raises(LiaisonError) as refused:
        read_draft(data)
    assert refused.value.code is code
    assert place in refused.value.message
    assert "Secret" not in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"just text",
        b"---\nkind: threat\n",
        b"---\n- a list\n---\n",
        b"---\n{[\n---\n",
        b"---\nkind: \xff\n---",
    ],
)
def test_files_that_are_no_drafts(data: bytes) -> None:
    with pytest.raises(LiaisonError) as refused:
        read_draft(data)
    assert refused.value.code is Code.BAD_DRAFT
    assert refused.value.fix


def test_a_file_that_is_too_long() -> None:
    assert code_of(read_draft, b"x" * (PAYLOAD_MAX + 1)) is Code.TOO_LARGE
