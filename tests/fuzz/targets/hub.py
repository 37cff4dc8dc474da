"""What the hub is given: submissions, control requests, its own files, what is typed at a ceremony."""

import base64
from typing import Final

from hub.ceremony import Share
from hub.claims import said
from hub.control import bytes_of, limit_of, text_of
from hub.jwt import KeyKind, NKey, check_public
from hub.registrar import submit
from hub.watch import Watch
from schemas.encoding import canonical_json, parse_json, to_base64
from schemas.errors import Code, FormatError
from schemas.limits import INTEGER_MAX
from schemas.rewind import RewindRequest, rewind_of
from tests.fuzz import samples
from tests.fuzz.mutate import changed_envelope, changed_json
from tests.fuzz.target import Target
from tests.support import federation

_DIRECTORY: Final = federation.directory()
_SIGNERS: Final = (
    *(each.identity for each in federation.PARTIES),
    *federation.ROOTS,
    federation.REGISTRAR,
)
_ACCOUNTS: Final = {each.endpoint: each.id for each in federation.PARTIES}
_REQUEST_MAX: Final = 256 * 1024


def _submission(data: bytes) -> None:
    recorded = submit(_DIRECTORY, data, agency="fra", accounts=_ACCOUNTS, now=federation.AT)
    assert recorded.repeated or recorded.directory is not _DIRECTORY


def _submissions() -> list[bytes]:
    log = _DIRECTORY.communities[federation.COM]
    return [
        federation.FRA.revocation(),
        federation.FRA.successor(),
        federation.envelope(
            federation.community(id="ab" * 16), federation.FRA.identity, federation.JPN.identity
        ),
        federation.by_owners(
            federation.entry([b""] * log.tree.size, index=log.tree.size, prev=log.last, id="bra")
        ),
        *samples.texts("membership", "entry")[:6],
    ]


def _control(data: bytes) -> None:
    asked = parse_json(data, _REQUEST_MAX)
    assert limit_of(asked) >= 1
    assert text_of(asked, "who")
    assert len(bytes_of(asked, "request")) <= len(data)


def _controls() -> list[bytes]:
    return [canonical_json({"who": "fra", "request": to_base64(b"{}"), "limit": 7}), b"{}"]


def _claims(data: bytes) -> None:
    assert isinstance(said(data.decode("utf-8", "replace")), dict)


def _some_claims() -> list[bytes]:
    middle = base64.urlsafe_b64encode(b'{"iat":1,"jti":"x","nats":{}}').rstrip(b"=")
    return [b"e30." + middle + b".AA", b"a.b.c", b"e30.W10.AA"]


def _nkey(data: bytes) -> None:
    """A seed where it begins like one, a user's public key otherwise."""
    if data.startswith(b"S"):
        key = NKey.from_seed(data)
        assert check_public(key.kind, key.public) == key.public
    else:
        text = data.decode("utf-8", "replace")
        assert check_public(KeyKind.USER, text) == text


def _nkeys() -> list[bytes]:
    keys = [NKey.generate(kind, federation.random_from("nkey")) for kind in KeyKind]
    return [text for key in keys for text in (key.seed, key.public.encode())]


def _ceremony_words(data: bytes) -> None:
    """`m-of-n`, and witnesses with their freshness; the first byte says which."""
    text = data[1:].decode("utf-8", "replace")
    if data[:1] == b"s":
        share = Share.parse(text)
        assert 1 <= share.threshold <= share.keys
    else:
        span, *witnesses = text.split("\n")
        assert Watch.parse(witnesses, len(witnesses), span).freshness > 0


def _some_words() -> list[bytes]:
    key = to_base64(federation.WITNESSES[0].public).encode()
    return [b"s2-of-3", b"s1-of-1", b"w24h\nwitness-0.example=" + key, b"w7d"]


def _rewind(data: bytes) -> None:
    after = rewind_of(data)
    if after is None:
        raise FormatError(Code.BAD_REQUEST, "something else is asked for")
    assert rewind_of(RewindRequest(rewind=after).to_bytes()) == after


def _rewinds() -> list[bytes]:
    return [RewindRequest(rewind=after).to_bytes() for after in (0, 7, INTEGER_MAX)] + [
        b'{"rewind":-1,"v":1}'
    ]


TARGETS: Final = (
    Target(
        "submission",
        _submission,
        ("hub/registrar.py",),
        _submissions,
        changed_envelope(_SIGNERS, 0.1),
        longest=3072,
    ),
    Target("control", _control, ("hub/control.py",), _controls, changed_json, longest=256),
    Target("claims", _claims, ("hub/claims.py",), _some_claims, longest=256),
    Target("rewind", _rewind, ("schemas/rewind.py",), _rewinds, changed_json, longest=300),
    Target("nkey", _nkey, ("hub/jwt.py",), _nkeys, longest=96),
    Target("ceremony_words", _ceremony_words, ("hub/ceremony.py", "hub/watch.py"), _some_words, longest=256),
)
