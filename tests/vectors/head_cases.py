"""Cases about keys that a reader does not believe yet: no head that it accepted reaches what they rest on."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.checkpoint import Checkpoint
from schemas.encoding import to_base64
from schemas.errors import Code
from schemas.limits import COOL_DOWN
from schemas.merkle import Head, Log
from tests.support import federation as fed
from tests.support import identities
from tests.support.federation import AT, FRA, FRESHNESS, Publisher
from tests.vectors.log_cases import ORIGIN, SECONDS, by, note, signed
from tests.vectors.recipe import NOW, Case, b64, caught_up, opened, received, refused, started

STALE: Final = refused(Code.STALE_HEAD)
ANNOUNCED: Final = {"verdict": "announced", "ep": 0, "due": True}
LATE: Final = AT + FRESHNESS
"""The head that was cosigned at `AT` is stale from here on."""


def head_cases() -> Iterator[Case]:
    """All of them."""
    yield from _rotated()
    yield from _backlogs()
    yield from _replaced()


def _head(size: int, documents: list[bytes], seconds: int = SECONDS) -> str:
    """A note of that many documents of the base and these, cosigned."""
    log = Log([*fed.documents(), *documents])
    point = Checkpoint(ORIGIN, Head(size, log.root(size)))
    return b64(note(signed(point), by(0, seconds, point), by(1, seconds, point), checkpoint=point))


def _rotated() -> Iterator[Case]:
    size, documents = len(fed.documents()), [FRA.successor()]
    before, with_it = _head(size, documents), _head(size + 1, documents)
    p = Publisher()
    old, new = p.announcement(), Publisher(signer=FRA.next_signing).announcement()
    for name, what, expect, raw, head, now in (
        ("fresh_new_key", "a key from behind the head, which is fresh", ANNOUNCED, new, before, NOW),
        ("just_fresh_new_key", "the same a millisecond before it is stale", ANNOUNCED, new, before, LATE - 1),
        ("stale_new_key", "the same when it is stale", STALE, new, before, LATE),
        ("stale_known_key", "a key that the stale head reaches", ANNOUNCED, new, with_it, LATE),
        ("stale_old_key", "the key before it, under the stale head", ANNOUNCED, old, before, LATE),
    ):
        given: dict[str, Any] = {"documents": documents, "now": now, "note": head}
        yield received(f"head_{name}", what, expect, (p.subject, raw), **given)


def _backlogs() -> Iterator[Case]:
    size, documents = len(fed.documents()), [FRA.successor()]
    head = _head(size, documents)
    for name, what, second, expect in (
        (
            "vouches_for_itself",
            "frames of a believed key, behind which one comes that is not",
            lambda raw: raw,
            [ANNOUNCED, opened(fed.bulletin(1).to_bytes()), STALE],
        ),
        (
            "vouches_for_nothing",
            "a wrong signature, cited by a frame whose key is not believed",
            fed.unsigned,
            [ANNOUNCED, refused(Code.BAD_SIGNATURE), STALE],
        ),
    ):
        p = started()
        p.send(second(p.bulletin(1)))
        p.signer = FRA.next_signing
        p.send(p.bulletin(2))
        messages = [(p.subject, raw) for raw in p.sent]
        given: dict[str, Any] = {"documents": documents, "keys": [bytes(p.key)], "now": LATE, "note": head}
        yield caught_up(f"head_{name}", what, expect, messages, **given)


def _replaced() -> Iterator[Case]:
    size = len(fed.documents())
    keys = FRA.keys(version=2, signing=to_base64(FRA.next_signing.public))
    documents = [identities.proposed(), identities.taken(), fed.envelope(keys, identities.NEW)]
    then, seconds = identities.LATER + 1000, SECONDS + COOL_DOWN // 1000
    p = Publisher(at=fed.directory(documents), iat=then, signer=FRA.next_signing)
    for name, what, expect, reached in (
        ("unseen_identity", "a key that a replaced identity has bound, behind a fresh head", STALE, size + 1),
        ("seen_identity", "the same when the head reaches the identity", ANNOUNCED, size + 2),
    ):
        given: dict[str, Any] = {
            "documents": documents,
            "now": then,
            "note": _head(reached, documents, seconds),
        }
        yield received(f"head_{name}", what, expect, (p.subject, p.announcement()), **given)
