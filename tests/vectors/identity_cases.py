"""Cases about identity keys: replaced, objected to, taken up, and what counts before and after."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from schemas.documents import LogSize
from schemas.encoding import to_base64
from schemas.errors import Code
from schemas.limits import COOL_DOWN, COOL_DOWN_MAX, IDENTITY_LOGS_MAX
from subscribers.keys import SigningKey
from tests.support import federation as fed
from tests.support.federation import AT, BRA, COM, FRA, JPN, OTHER, REGISTRAR, ROOTS, envelope
from tests.support.identities import (
    LATER,
    NEW,
    NEWER,
    added,
    identity,
    object_,
    objected,
    overriding,
    proposed,
    replace,
    taken,
)
from tests.vectors.directory_cases import NEXT
from tests.vectors.recipe import NOW, Case, case, code

BEFORE = (proposed(),)
DISPUTED = (proposed(), objected())
AFTER = (proposed(), taken())


def identity_cases() -> Iterator[Case]:
    """All of them."""
    yield from _begun()
    yield from _disputed()
    yield from _ended()
    yield from _taken_up()
    yield from _afterwards()
    yield from _logs()
    yield from _cooldowns()


def _case(name: str, what: str, expected: Code | None, document: bytes, before: Sequence[bytes] = ()) -> Case:
    given: dict[str, Any] = {"documents": [each.decode() for each in before]} if before else {}
    if expected is not None:
        return case(name, what, "document", code(expected), **given, document=document.decode())
    head = fed.directory([*before, document]).head
    expect = {"size": head.size, "root": head.root.hex()}
    return case(name, what, "document", expect, **given, document=document.decode())


def _begun() -> Iterator[Case]:
    theirs = to_base64(JPN.identity.public)
    rows: tuple[tuple[str, str, Code | None, bytes, Sequence[bytes]], ...] = (
        ("", "the registrar begins to replace an identity", None, proposed(), ()),
        (
            "by_agency",
            "the agency by itself",
            Code.BELOW_THRESHOLD,
            envelope(replace(), FRA.identity, NEW),
            (),
        ),
        ("by_root", "the root role alone", Code.BELOW_THRESHOLD, envelope(replace(), *ROOTS), ()),
        ("unknown_agency", "of an agency that there is not", Code.UNKNOWN_AGENCY, proposed(agency="xyz"), ()),
        ("too_early", "a millisecond less than the cool-down", Code.TOO_EARLY, proposed(nbf=LATER - 1), ()),
        ("while_one_waits", "a second one while one waits", Code.NOT_NEXT, proposed(NEWER), BEFORE),
        ("by_present_key", "by the key that it has", Code.BAD_KEY, proposed(identity=_text(FRA)), ()),
        ("by_other", "by another agency's key", Code.BAD_KEY, proposed(identity=theirs), ()),
        (
            "after_objection_by_key",
            "by the key that was objected to",
            Code.BAD_KEY,
            overriding(NEW),
            DISPUTED,
        ),
        ("by_former_key", "back to the key before", Code.BAD_KEY, proposed(identity=_text(FRA)), AFTER),
        ("again", "once more, after one was done", None, proposed(NEWER), AFTER),
    )
    for name, what, expected, document, before in rows:
        yield _case(f"replace_{name}" if name else "replace", what, expected, document, before)
    bad = to_base64(bytes(32))
    yield _case("replace_key_no_good", "by a key of small order", Code.BAD_KEY, proposed(identity=bad))


def _text(party: fed.Party) -> str:
    return to_base64(party.identity.public)


def _disputed() -> Iterator[Case]:
    lone = envelope(replace(NEWER, nbf=AT + 3 * COOL_DOWN), REGISTRAR)
    roots = envelope(replace(NEWER, nbf=AT + 3 * COOL_DOWN), *ROOTS[:2])
    short = overriding(nbf=AT + 3 * COOL_DOWN - 1)
    second = envelope(object_(NEWER), FRA.identity)
    back = envelope(object_(NEWER), REGISTRAR)
    rows: tuple[tuple[str, str, Code | None, bytes, Sequence[bytes]], ...] = (
        ("by_registrar", "by the registrar alone", Code.BELOW_THRESHOLD, lone, DISPUTED),
        ("by_root", "by the root role alone", Code.BELOW_THRESHOLD, roots, DISPUTED),
        ("too_early", "with less than three cool-downs", Code.TOO_EARLY, short, DISPUTED),
        ("overridden", "by both roles, in three cool-downs", None, overriding(), DISPUTED),
        ("objection", "the key objects again", Code.BELOW_THRESHOLD, second, (*DISPUTED, overriding())),
        ("taken_back", "the registrar takes it back", None, back, (*DISPUTED, overriding())),
    )
    for name, what, expected, document, before in rows:
        yield _case(f"dispute_{name}", f"after an objection: {what}", expected, document, before)
    third = SigningKey(fed.seed("fra third identity"))
    lone = proposed(third, nbf=AT + 3 * COOL_DOWN)
    before = (*DISPUTED, overriding(), back)
    what = "a dispute that a replacement taken back does not end"
    yield _case("dispute_goes_on", what, Code.BELOW_THRESHOLD, lone, before)
    ended = (*DISPUTED, overriding(), taken(NEWER, issued=AT + 3 * COOL_DOWN))
    what = "a dispute that ended when the key was replaced"
    yield _case("dispute_over", what, None, proposed(third), ended)


def _ended() -> Iterator[Case]:
    rows: tuple[tuple[str, str, Code | None, bytes, Sequence[bytes]], ...] = (
        ("", "the present key objects", None, objected(), BEFORE),
        ("by_registrar", "the registrar takes it back", None, envelope(object_(), REGISTRAR), BEFORE),
        ("by_new_key", "the new key objects", Code.BAD_SIGNATURE, envelope(object_(), NEW), BEFORE),
        ("by_root", "the root role objects", Code.BAD_SIGNATURE, envelope(object_(), *ROOTS), BEFORE),
        ("by_other", "another agency objects", Code.BAD_SIGNATURE, envelope(object_(), JPN.identity), BEFORE),
        ("to_nothing", "where none waits", Code.UNKNOWN_KEY, objected(), ()),
        ("to_another", "to a key that nobody proposed", Code.UNKNOWN_KEY, objected(NEWER), BEFORE),
        ("again", "a second time", Code.UNKNOWN_KEY, objected(issued=AT + 1), DISPUTED),
        ("too_late", "when it was done", Code.UNKNOWN_KEY, objected(), AFTER),
        (
            "unknown_agency",
            "of an agency that there is not",
            Code.UNKNOWN_AGENCY,
            objected(agency="xyz"),
            BEFORE,
        ),
    )
    for name, what, expected, document, before in rows:
        yield _case(f"object_{name}" if name else "object", what, expected, document, before)


def _taken_up() -> Iterator[Case]:
    both = envelope(identity(issued=AT), NEW, FRA.identity)
    alone = taken(issued=LATER - 1)
    backwards = taken(logs=list(reversed(identity().logs)))
    twice = taken(logs=[LogSize(com=COM, size=3), LogSize(com=COM, size=4)])
    many = [LogSize(com=f"{n:032x}", size=0) for n in range(IDENTITY_LOGS_MAX + 1)]
    rows: tuple[tuple[str, str, Code | None, bytes, Sequence[bytes]], ...] = (
        ("", "the new key is taken up in time", None, taken(), BEFORE),
        ("agreed", "before the time, with the present key", None, both, BEFORE),
        ("too_early", "a millisecond before the time", Code.TOO_EARLY, alone, BEFORE),
        (
            "by_present_key",
            "signed by the present key alone",
            Code.BAD_SIGNATURE,
            envelope(identity(), FRA.identity),
            BEFORE,
        ),
        (
            "by_registrar",
            "signed by the registrar",
            Code.BAD_SIGNATURE,
            envelope(identity(), REGISTRAR),
            BEFORE,
        ),
        ("without_replace", "that nobody announced", Code.UNKNOWN_KEY, taken(), ()),
        ("of_another_key", "another key than was announced", Code.UNKNOWN_KEY, taken(NEWER), BEFORE),
        ("objected", "after the objection", Code.UNKNOWN_KEY, taken(), DISPUTED),
        (
            "taken_back",
            "after it was taken back",
            Code.UNKNOWN_KEY,
            taken(),
            (*BEFORE, envelope(object_(), REGISTRAR)),
        ),
        ("again", "a second time", Code.UNKNOWN_KEY, taken(issued=LATER + 1), AFTER),
        (
            "overridden",
            "in spite of an objection",
            None,
            taken(NEWER, issued=AT + 3 * COOL_DOWN),
            (*DISPUTED, overriding()),
        ),
        (
            "unknown_agency",
            "of an agency that there is not",
            Code.UNKNOWN_AGENCY,
            taken(agency="xyz"),
            BEFORE,
        ),
        ("logs_out_of_order", "communities in another order", Code.BAD_DOCUMENT, backwards, BEFORE),
        ("logs_twice", "a community twice", Code.BAD_DOCUMENT, twice, BEFORE),
        ("logs_too_many", "257 communities", Code.BAD_DOCUMENT, _many(many), BEFORE),
    )
    for name, what, expected, document, before in rows:
        yield _case(f"identity_{name}" if name else "identity", what, expected, document, before)


def _many(logs: Sequence[LogSize]) -> bytes:
    fields = {**identity().model_dump(mode="json"), "logs": [each.model_dump() for each in logs]}
    return envelope(fields, NEW)


def _afterwards() -> Iterator[Case]:
    keys = FRA.keys(version=2, signing=NEXT)
    founded = fed.community(id="99" * 16, owners=["fra"], threshold=1)
    renamed = FRA.agency(version=2, name="F")
    fresh = renamed.model_copy(update={"identity": to_base64(NEW.public)})
    taken_over = BRA.agency(id="can", code="CAN", identity=_text(FRA))
    rows: tuple[tuple[str, str, Code | None, bytes, Sequence[bytes]], ...] = (
        (
            "keys_while_waiting",
            "keys by the present key, while a replacement waits",
            None,
            envelope(keys, FRA.identity),
            BEFORE,
        ),
        (
            "keys_by_new_key_while_waiting",
            "keys by the new key, before it counts",
            Code.BAD_SIGNATURE,
            envelope(keys, NEW),
            BEFORE,
        ),
        ("keys_by_new_key", "keys by the new key", None, envelope(keys, NEW), AFTER),
        (
            "keys_by_former_key",
            "keys by the key before",
            Code.BAD_SIGNATURE,
            envelope(keys, FRA.identity),
            AFTER,
        ),
        (
            "revoke_by_new_key",
            "the new key revokes what the one before has bound",
            None,
            envelope(FRA.revoke(), NEW),
            AFTER,
        ),
        (
            "revoke_by_former_key",
            "the key before revokes",
            Code.BAD_SIGNATURE,
            envelope(FRA.revoke(), FRA.identity),
            AFTER,
        ),
        ("community_by_new_key", "a community by the new key", None, envelope(founded, NEW), AFTER),
        (
            "community_by_former_key",
            "a community by the key before",
            Code.BELOW_THRESHOLD,
            envelope(founded, FRA.identity),
            AFTER,
        ),
        ("agency_with_new_key", "another name, with the new key", None, envelope(fresh, REGISTRAR), AFTER),
        (
            "agency_with_former_key",
            "another name, with the key before",
            Code.BAD_KEY,
            envelope(renamed, REGISTRAR),
            AFTER,
        ),
        (
            "agency_with_key_that_waits",
            "another name, with the key that waits",
            Code.BAD_KEY,
            envelope(fresh, REGISTRAR),
            BEFORE,
        ),
        (
            "agency_new_with_former_key",
            "a new agency with the key before",
            Code.BAD_KEY,
            envelope(taken_over, REGISTRAR),
            AFTER,
        ),
    )
    for name, what, expected, document, before in rows:
        yield _case(f"replaced_{name}", what, expected, document, before)


def _logs() -> Iterator[Case]:
    rows: tuple[tuple[str, str, str, bytes, Sequence[bytes], Code | None], ...] = (
        ("new_key", "the next entry by the new key", OTHER, added(OTHER, "bra", NEW), AFTER, None),
        (
            "former_key",
            "the next entry by the key before",
            OTHER,
            added(OTHER, "bra", FRA.identity),
            AFTER,
            Code.BELOW_THRESHOLD,
        ),
        (
            "two_owners",
            "by the new key and another owner",
            COM,
            added(COM, "bra", NEW, JPN.identity),
            AFTER,
            None,
        ),
        (
            "two_owners_former",
            "by the key before and another owner",
            COM,
            added(COM, "bra", FRA.identity, JPN.identity),
            AFTER,
            Code.BELOW_THRESHOLD,
        ),
        (
            "while_waiting",
            "by the present key, while a replacement waits",
            OTHER,
            added(OTHER, "bra", FRA.identity),
            BEFORE,
            None,
        ),
        (
            "while_waiting_new_key",
            "by the new key, before it counts",
            OTHER,
            added(OTHER, "bra", NEW),
            BEFORE,
            Code.BELOW_THRESHOLD,
        ),
    )
    for name, what, com, entry, before, expected in rows:
        yield _entry(name, what, com, entry, before, expected)


def _entry(
    name: str, what: str, com: str, entry: bytes, before: Sequence[bytes], expected: Code | None
) -> Case:
    given = {"documents": [each.decode() for each in before], "community": com, "now": NOW}
    if expected is not None:
        return case(f"log_{name}", what, "membership", code(expected), **given, entry=entry.decode())
    log = fed.directory(before, [entry]).communities[com]
    expect = {"size": log.head.size, "root": log.head.root.hex(), "members": log.members(NOW)}
    return case(f"log_{name}", what, "membership", expect, **given, entry=entry.decode())


def _cooldowns() -> Iterator[Case]:
    hour = 3_600_000
    fields = {**fed.root().model_dump(mode="json"), "version": 2}
    longer = envelope(fed.root(version=2, cooldown=COOL_DOWN + hour), *ROOTS[:2])
    shorter = envelope(fed.root(version=2, cooldown=COOL_DOWN - 1), *ROOTS[:2])
    back = envelope(fed.root(version=3), *ROOTS[:2])
    written = envelope({**fields, "cooldown": COOL_DOWN}, *ROOTS[:2])
    none = envelope({**fields, "cooldown": 0}, *ROOTS[:2])
    endless = envelope({**fields, "cooldown": COOL_DOWN_MAX + 1}, *ROOTS[:2])
    rows: tuple[tuple[str, str, Code | None, bytes, Sequence[bytes]], ...] = (
        ("longer", "a root with a longer one", None, longer, ()),
        ("shorter", "a root with a shorter one", Code.BAD_DOCUMENT, shorter, ()),
        ("back_to_default", "a root that goes back to COOL_DOWN", Code.BAD_DOCUMENT, back, (longer,)),
        ("written_out", "COOL_DOWN written out", Code.BAD_ENCODING, written, ()),
        ("of_nothing", "none at all", Code.BAD_DOCUMENT, none, ()),
        ("endless", "one that is longer than any may be", Code.BAD_DOCUMENT, endless, ()),
        ("counts", "a replacement with the time before", Code.TOO_EARLY, proposed(), (longer,)),
        ("kept", "a replacement with the longer time", None, proposed(nbf=LATER + hour), (longer,)),
        ("of_replace", "taken up in the time that it began with", None, taken(), (proposed(), longer)),
    )
    for name, what, expected, document, before in rows:
        yield _case(f"cooldown_{name}", what, expected, document, before)
    first = envelope(fed.root(cooldown=1), *ROOTS[:2])
    head = {"size": 1, "root": sha256(b"\x00" + first).hexdigest()}
    given = {"document": first.decode(), "fingerprint": sha256(first).hexdigest()}
    yield case("cooldown_first_root", "a first root with a shorter one", "pinned", head, **given)
