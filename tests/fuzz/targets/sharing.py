"""What comes of history, onward release and operating: requests, keys handed over, pages, grants,
releases, records.
"""

from typing import Final

from schemas.bulletin import parse_bulletin
from schemas.history import parse_handover, parse_request
from schemas.onward import check_onward, parse_grant
from schemas.operations import OPERATION_TYPE, read_operation
from schemas.pages import parse_page, parse_page_request
from schemas.signing import parse_envelope
from tests.fuzz import samples
from tests.fuzz.mutate import changed_envelope, changed_json
from tests.fuzz.target import ROOT, Target
from tests.support import federation
from tests.support.federation import AT, FRA, JPN, OTHER
from tests.support.onward import Scene
from tests.vectors.operation_cases import operation_cases
from tests.vectors.sharing_cases import sharing_cases

_CASES: Final = ROOT / "tests/vectors/sharing"
_DIRECTORY: Final = federation.directory()
_SIGNERS: Final = tuple(each.signing for each in federation.PARTIES)


def _request(data: bytes) -> None:
    signed = parse_request(data)
    assert signed.envelope.to_bytes() == data
    assert signed.request.to_bytes() == signed.envelope.payload


def _requests() -> list[bytes]:
    found = (each["request"].encode() for each in sharing_cases() if each["op"] == "request")
    return [each for each in found if len(each) < 2_000]


def _handover(data: bytes) -> None:
    assert parse_handover(data).to_bytes() == data


def _handovers() -> list[bytes]:
    return [each for each in samples.decoded("handover", "handover", _CASES) if len(each) < 4_000]


def _page(data: bytes) -> None:
    """The first byte says after which sequence."""
    assert parse_page(data[1:], data[0] if data else 0).to_bytes() == data[1:]


def _pages() -> list[bytes]:
    return [b"\2" + each for each in samples.decoded("page", "page", _CASES)]


def _page_request(data: bytes) -> None:
    asked = parse_page_request(data)
    assert parse_page_request(asked.to_bytes()) == asked


def _page_requests() -> list[bytes]:
    return [b'{"after":7,"com":"' + b"c0" * 16 + b'","v":1}', b'{"com":"' + b"0" * 32 + b'","after":0}']


def _grant(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
    signed = parse_grant(text)
    assert signed.envelope.to_bytes().decode() == text


def _grants() -> list[bytes]:
    grants = (parse_bulletin(each["bulletin"].encode()).grant for each in _of("grant_"))
    return [each.encode() for each in grants if each]


def _release(data: bytes) -> None:
    bulletin = parse_bulletin(data)
    check_onward(_DIRECTORY, OTHER, AT, "jpn", bulletin)
    if bulletin.release is not None:
        assert bulletin.title == Scene().original.title


def _releases() -> list[bytes]:
    return [each["bulletin"].encode() for each in _of("release_")]


def _of(prefix: str) -> list[dict[str, str]]:
    return [each for each in sharing_cases() if each["name"].startswith(prefix)]


def _operation(data: bytes) -> None:
    record = read_operation(data, federation.HUB.public)
    assert parse_envelope(data, OPERATION_TYPE).payload == record.to_bytes()


def _operations() -> list[bytes]:
    return [each["record"].encode() for each in operation_cases()]


TARGETS: Final = (
    Target(
        "operation",
        _operation,
        ("schemas/operations.py",),
        _operations,
        changed_envelope((federation.HUB,), 0.5),
        longest=1024,
    ),
    Target(
        "history_request",
        _request,
        ("schemas/history.py",),
        _requests,
        changed_envelope((FRA.signing, JPN.signing), 0.1),
        longest=2048,
    ),
    Target("handover", _handover, ("schemas/history.py",), _handovers, longest=4096),
    Target("page", _page, ("schemas/pages.py",), _pages, longest=1024),
    Target("page_request", _page_request, ("schemas/pages.py",), _page_requests, changed_json, longest=256),
    Target("grant", _grant, ("schemas/onward.py",), _grants, changed_envelope(_SIGNERS, 0.1), longest=3072),
    Target("release", _release, ("schemas/onward.py",), _releases, changed_json, longest=6144),
)
