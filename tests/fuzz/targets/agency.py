"""What an agency's node, its clients and its officers are given: files, requests, answers, spans of time."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from pydantic import TypeAdapter

from schemas.bulletin import parse_draft
from schemas.encoding import canonical_json
from schemas.errors import LiaisonError
from schemas.signing import MEMBERSHIP_TYPE
from schemas.vocabulary import Severity
from subscribers.exchange.hub_link import Admission, read_feed
from subscribers.keyring.backup import open_backup, parse_shares, threshold_of
from subscribers.owning.communities import parse_span
from subscribers.owning.proposals import examine
from subscribers.records import Page, read_record
from subscribers.requester import read_answer
from subscribers.service.examples import answer_examples, record, request_examples
from subscribers.service.requests import MODELS, parse_request
from subscribers.service.roles import Verb
from subscribers.storage.archive_query import Cursor
from subscribers.telling.digest import parse_period
from subscribers.witness.keys import WitnessAdmission
from subscribers.writing.draft_files import read_draft
from tests.fuzz import samples
from tests.fuzz.mutate import after, changed_envelope, changed_json, spliced
from tests.fuzz.target import Target
from tests.support import federation

_VERBS: Final = tuple(MODELS)
_PAGE: Final = TypeAdapter(Page)
_NOW: Final = federation.AT
_QUESTION: Final = b"7 bytes"


@dataclass(frozen=True, slots=True)
class _Held:
    """A file that is in memory, as far as the readers of one file look at it."""

    data: bytes
    name: str = "file"

    def read_bytes(self) -> bytes:
        return self.data


def _draft_file(data: bytes) -> None:
    parse_draft(read_draft(data))


def _request(data: bytes) -> None:
    if data:
        parse_request(_VERBS[data[0] % len(_VERBS)], data[1:])


def _requests() -> list[bytes]:
    given = request_examples(samples.examples())
    return [bytes([_VERBS.index(verb)]) + canonical_json(each) for verb, each in given.items()]


def _backup_file(data: bytes) -> None:
    assert 1 <= threshold_of(data) <= 16


def _backup_files() -> list[bytes]:
    outside = {"v": 1, "type": "liaison-backup", "agency": "fra", "made": 1, "threshold": 2, "count": 3}
    return [canonical_json({**outside, "sealed": "QUJD"}) + b"\n", _ONE_SHARE]


_ONE_SHARE: Final = canonical_json(
    {
        "v": 1,
        "type": "liaison-backup",
        "agency": "fra",
        "made": 1,
        "threshold": 1,
        "count": 1,
        "sealed": "QUJD",
    }
)
_WORDS: Final = (
    "academic", "acid", "agency", "warmth", "zero", "device", "duckling", "enlarge", "academic acid academic",
)  # fmt: skip


def _share(data: bytes) -> None:
    open_backup(_ONE_SHARE, [data.decode("utf-8", "replace")], "a passphrase")


def _shares() -> list[bytes]:
    """One of the vectors of SLIP-39 with a letter changed, as a sheet and as its words."""
    words = (
        b"duckling enlarge academic academic agency result length solution fridge kidney "
        b"coal piece deal husband erode duke ajar critical decision keyboar"
    )
    numbered = b"\n".join(b"%2d %b" % (place, word) for place, word in enumerate(words.split(), 1))
    return [words, b"LIAISON BACKUP\n\n" + numbered]


def _spans(data: bytes) -> None:
    """What is typed for times and shares; the first byte says which."""
    text = data[1:].decode("utf-8", "replace")
    match data[:1]:
        case b"s":
            assert parse_span(text) >= 0
        case b"n":
            threshold, count = parse_shares(text)
            assert 1 <= threshold <= count
        case _:
            period = parse_period(text, _NOW)
            assert period.since < period.until <= _NOW


def _some_spans() -> list[bytes]:
    spans = (b"s90m", b"s24h", b"s2d", b"n3-of-5", b"n1-of-1")
    periods = (
        b"hour",
        b"day",
        b"week",
        b"2025-11-22",
        b"2025-W47",
        b"2025-11-22T06:00:00Z/2025-11-22T18:00:00Z",
    )
    return [*spans, *(b"p" + each for each in periods), b"p9999-12-31", b"p9999-W52"]


_DIRECTORY: Final = federation.directory()
_PROPOSED_AT: Final = federation.AT + federation.DAY


def _proposal(data: bytes) -> None:
    standing = examine(_DIRECTORY, data, _PROPOSED_AT, 0)
    assert standing.envelope.to_bytes() == data
    assert set(standing.signed) <= set(standing.owners)


def _proposals() -> list[bytes]:
    log = _DIRECTORY.communities[federation.COM]
    entry = {
        "v": 1, "com": federation.COM, "index": log.tree.size, "prev": log.last, "issued": _PROPOSED_AT,
        "op": "add", "id": "bra", "role": "member", "nbf": _PROPOSED_AT + federation.DAY,
    }  # fmt: skip
    founding = federation.community(id="ab" * 16)
    return [
        federation.envelope(entry, federation.FRA.identity, type=MEMBERSHIP_TYPE),
        federation.envelope(
            {**entry, "op": "remove", "id": "unx"}, federation.JPN.identity, type=MEMBERSHIP_TYPE
        ),
        federation.envelope(founding, federation.FRA.identity, federation.JPN.identity),
        *(each.encode() for each in samples.vectors("membership", "entry")[:8]),
    ]


def _admission(data: bytes) -> None:
    Admission.read(cast("Path", _Held(data)))


def _admissions() -> list[bytes]:
    return [canonical_json({**samples.examples()["admission"], "root": "QUJD"})]


def _witness_admission(data: bytes) -> None:
    WitnessAdmission.read(cast("Path", _Held(data)))


def _witness_admissions() -> list[bytes]:
    fields = {**samples.examples()["admission"], "root": "QUJD", "witness": "witness-1.example"}
    del fields["agency"]
    return [canonical_json(fields)]


def _cursor(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for ranked in (False, True):
        try:
            assert Cursor.decode(text, _QUESTION, ranked=ranked).encode(_QUESTION, ranked=ranked) == text
        except LiaisonError:
            continue


def _cursors() -> list[bytes]:
    return [Cursor(1 << 40, 3).encode(_QUESTION, ranked=ranked).encode() for ranked in (False, True)]


def _answer(data: bytes) -> None:
    read_answer(data, _PAGE)


def _answers() -> list[bytes]:
    refused = {"error": {"code": "not_found", "message": "m", "fix": "f"}}
    return [canonical_json(each) for each in (*answer_examples(samples.examples())[Verb.LATEST], refused)]


def _record(data: bytes) -> None:
    found = read_record(data)
    assert found.bulletin.severity in Severity


def _records() -> list[bytes]:
    return [canonical_json(json.loads(record(samples.examples()).model_dump_json(exclude_none=True)))]


def _feed(data: bytes) -> None:
    state = read_feed(data)
    assert int(state.ts.timestamp() * 1000) < 2**53


def _feeds() -> list[bytes]:
    return [
        b'{"num_pending":3,"num_ack_pending":0,"ts":"2026-01-31T08:30:00.5Z","config":{"durable_name":"x"}}'
    ]


_MARKDOWN: Final = (
    b"---\nkind: tactic\ntlp: TLP:AMBER\nseverity: high\nlanguage: fr\nregions: [FR]\n---\n# Title\n\nx\n",
    b"---\nkind: event\ntlp: TLP:GREEN\nlanguage: en\ntitle: T\nexercise: true\nevent:\n  name: N\n---\n",
    b"---\nkind: threat\ntlp: 'TLP:RED'\nlanguage: ru\ntranslations:\n- {language: en}\n---\nx\n",
    b"---\nkind: threat\ntlp: TLP:RED\nlanguage: en\ngrading: {system: admiralty, credibility: 2}\n---\n",
)
_YAML: Final = (
    b"---\n", b": ", b"- ", b"[", b"]", b"{", b"}", b"&a ", b"*a", b"!!int ", b"|\n  ", b">\n  ", b"? ",
    b'"\\U', b"'", b"# ", b"<<: ", b"%YAML 1.1\n", b"...\n", b"\t", b"credibility: ", b"\xc2\xb2",
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"tlp: TLP:RED\n",
)  # fmt: skip

TARGETS: Final = (
    Target(
        "draft_file",
        _draft_file,
        ("subscribers/writing/draft_files.py",),
        lambda: list(_MARKDOWN),
        spliced(_YAML),
        longest=512,
    ),
    Target(
        "request",
        _request,
        ("subscribers/service/requests.py",),
        _requests,
        after(1, changed_json),
        longest=1024,
    ),
    Target(
        "backup_file",
        _backup_file,
        ("subscribers/keyring/backup.py",),
        _backup_files,
        changed_json,
        longest=512,
    ),
    Target(
        "backup_share",
        _share,
        ("subscribers/keyring/backup.py",),
        _shares,
        spliced(tuple(f" {each}".encode() for each in _WORDS)),
        longest=512,
    ),
    Target(
        "spans",
        _spans,
        ("subscribers/telling/digest.py", "subscribers/owning/communities.py"),
        _some_spans,
        longest=64,
    ),
    Target(
        "proposal",
        _proposal,
        ("subscribers/owning/proposals.py",),
        _proposals,
        changed_envelope([each.identity for each in federation.PARTIES], 0.1),
        longest=1024,
    ),
    Target(
        "admission",
        _admission,
        ("subscribers/exchange/hub_link.py",),
        _admissions,
        changed_json,
        longest=1024,
    ),
    Target(
        "witness_admission",
        _witness_admission,
        ("subscribers/witness/keys.py",),
        _witness_admissions,
        changed_json,
        longest=1024,
    ),
    Target("cursor", _cursor, ("subscribers/storage/archive_query.py",), _cursors, longest=64),
    Target("answer", _answer, ("subscribers/requester.py",), _answers, changed_json, longest=3072),
    Target("record", _record, ("subscribers/records.py",), _records, changed_json, longest=2048),
    Target("feed", _feed, ("subscribers/exchange/hub_link.py",), _feeds, changed_json, longest=256),
)
