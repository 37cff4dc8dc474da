"""Cases about places: logs, membership, chains, epochs, content and wraps, as a reader judges them."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from schemas.card import Card
from schemas.chain import ChainHead
from schemas.encoding import canonical_json, parse_json
from schemas.errors import Code
from schemas.frame import CARD, parse_frame
from schemas.limits import PAYLOAD_MAX
from schemas.merkle import Head
from schemas.signing import key_id
from schemas.vocabulary import History, Precedence, Realm
from subscribers.sealing import EpochKey
from tests.support import federation as fed
from tests.support.federation import AT, BRA, COM, EXE, FRA, JPN, OTHER, UNX, Party, Publisher
from tests.vectors.recipe import Case, after, committed, opened, padded_as, received, refused, sent, started

_OF_PEOPLE: Final = {
    "legal_basis": "Act on border protection, section 12",
    "review": "2027-01-01T00:00:00Z",
    "correction": "data.protection@interior.example",
}
CARD_OF_COM: Final = Card(slug="border-tactics", title="Tactics at borders", rules="Name no source.")


def trust_cases() -> Iterator[Case]:
    """All of them."""
    yield from _accepted()
    yield from _logs()
    yield from _members()
    yield from _chains()
    yield from _epochs()
    yield from _bodies()
    yield from _bulletins()


def _accepted() -> Iterator[Case]:
    p = started()
    payload = fed.bulletin(1).to_bytes()
    yield after(p, "good_bulletin", "a bulletin", opened(payload), p.bulletin(1))
    end = p.iat + 30 * fed.DAY
    gone = opened(payload, expired=True)
    yield after(p, "good_expired", "at `exp`: opened, and flagged", gone, p.bulletin(1), now=end)
    what = "a millisecond before `exp`"
    yield after(p, "good_not_yet_expired", what, opened(payload), p.bulletin(1), now=end - 1)
    e = Publisher()
    announced = {"verdict": "announced", "ep": 0, "due": True}
    yield received("good_announcement", "the anchor of a chain", announced, (e.subject, e.announcement()))
    carded = {"verdict": "carded", "slug": "border-tactics"}
    raw = p.sealed(CARD_OF_COM.to_bytes(), 2, kind=CARD)
    yield after(p, "good_card", "a card by an owner", carded, raw)
    flash = started(precedence=Precedence.FLASH)
    urgent = fed.bulletin(3, severity="flash").to_bytes()
    yield after(flash, "good_flash", "a flash bulletin", opened(urgent), flash.sealed(urgent, 3))
    drill = started(com=EXE)
    exercise = fed.bulletin(4, exercise=True).to_bytes()
    yield after(
        drill, "good_exercise", "a bulletin in an exercise", opened(exercise), drill.sealed(exercise, 4)
    )
    beat = {"verdict": "beat", "behind": []}
    yield after(p, "good_heartbeat", "a heartbeat, nothing missing", beat, p.beat())
    for size in (1023, 1024, 1025, 65535, 65536):
        sized = _of_size(size)
        yield after(
            p, f"good_payload_{size}", f"a payload of {size} bytes", opened(sized), p.sealed(sized, 5)
        )


def _of_size(size: int) -> bytes:
    extra = size - len(fed.bulletin(5, body="").to_bytes())
    body = min(extra, 18_000)
    texts: dict[str, Any] = {"body": "x" * body}
    translations = []
    for language in ("fr", "es", "ru"):
        if extra > body:
            text = {"language": language, "official": False, "title": "T", "summary": "", "body": ""}
            translations.append(text)
    texts["translations"] = translations
    for each in translations:
        lacking = size - len(fed.bulletin(5, **texts).to_bytes())
        each["body"] = "x" * min(lacking, 18_000)
    payload = fed.bulletin(5, **texts).to_bytes()
    if len(payload) != size:
        raise ValueError(f"{len(payload)} bytes instead of {size}")
    return payload


def _logs() -> Iterator[Case]:
    p = Publisher()
    logs = p.logs
    for field, name in (("dir", "directory"), ("mem", "membership")):
        ours = logs[field]
        other = Head(ours.size, sha256(b"another").digest())
        older = Head(ours.size - 1, sha256(b"another").digest())
        longer = Head(ours.size + 1, sha256(b"longer").digest())
        behind = {"verdict": "log_behind", "log": name, "size": longer.size}
        for label, head, what, expect in (
            ("split_view", other, "has our size and another root", refused(Code.SPLIT_VIEW)),
            ("split_view_older", older, "is shorter and never was ours", refused(Code.SPLIT_VIEW)),
            ("behind", longer, "is longer than ours", behind),
        ):
            cited: dict[str, Any] = {field: head}
            raw = p.announcement(**cited)
            says = f"the {name} log that an announcement cites {what}"
            yield received(f"log_{name}_{label}", says, expect, (p.subject, raw))
    q = started()
    wrong = q.beat(dir=Head(3, sha256(b"another").digest()))
    what = "a heartbeat cites another directory than ours"
    yield after(q, "log_split_view_in_heartbeat", what, refused(Code.SPLIT_VIEW), wrong)
    kid = key_id(FRA.next_signing.public).hex()
    longer = Head(logs["dir"].size + 1, sha256(b"longer").digest())
    newer = fed.replaced(p.announcement(dir=longer), FRA.next_signing, kid=kid)
    behind = {"verdict": "log_behind", "log": "directory", "size": longer.size}
    what = "an unknown key, in an announcement that cites a longer directory"
    yield received("log_behind_with_new_key", what, behind, (p.subject, newer))
    stranger = Party("jpn-second", "JPN")
    unknown = Publisher(stranger)
    first = unknown.announcement(dir=longer)
    what = "an endpoint without keys, in an announcement that cites a longer directory"
    yield received("log_behind_with_new_endpoint", what, behind, (unknown.subject, first))
    elsewhere = fed.replaced(p.announcement(dir=longer), FRA.signing, com="99" * 16)
    subject = p.place._replace(community="99" * 16).traffic()
    what = "in an unknown community, an announcement that cites a longer directory"
    yield received("log_behind_with_new_community", what, behind, (subject, elsewhere))
    forged = fed.forge(parse_frame(p.announcement(dir=longer)).header, b"", FRA.next_signing)
    what = "a forgery that cites a longer directory is not waited for"
    yield received("log_behind_forged", what, refused(Code.BAD_SIGNATURE), (p.subject, forged))


def _members() -> Iterator[Case]:
    p = started()
    log = fed.memberships()[COM]
    bra = fed.by_owners(fed.entry(log, id="bra"))
    later = fed.by_owners(fed.entry(log, id="bra", nbf=AT + 1))
    out = fed.by_owners(fed.entry(log, op="remove", id="fra", nbf=AT))
    soon = fed.by_owners(fed.entry(log, op="remove", id="fra", nbf=AT + 1))
    payload, no = fed.bulletin(1).to_bytes(), refused(Code.NOT_MEMBER)
    stranger, reader = Publisher(BRA), Publisher(UNX)
    message = (stranger.subject, stranger.announcement())
    yield received("member_stranger", "by an agency that is not in the community", no, message)
    what = "by an agency whose membership begins a millisecond later"
    yield received("member_not_yet", what, no, message, entries=[later])
    what = "by an agency that was removed"
    yield after(p, "member_removed", what, no, p.bulletin(1), before=(), entries=[out])
    what = "by an agency that will be removed a millisecond later"
    yield after(p, "member_until_removal", what, opened(payload), p.bulletin(1), entries=[soon])
    what = "by an agency that may only read"
    message = (reader.subject, reader.announcement())
    yield received("member_read_only", what, refused(Code.READ_ONLY_MEMBER), message)
    what = "the same, to an agency that the log does not name yet: it waits for its own entry"
    waits = {"verdict": "log_behind", "log": "membership", "size": len(log) + 1}
    yield received("member_before_our_own", what, waits, message, reader=BRA)
    what = "the same, to an agency that the log names last"
    no_right = refused(Code.READ_ONLY_MEMBER)
    yield received("member_after_our_own", what, no_right, message, reader=BRA, entries=[bra])
    q = started(BRA)
    card = q.sealed(CARD_OF_COM.to_bytes(), 2, kind=CARD)
    what = "a card by a member that does not own the community"
    yield after(q, "member_card_by_non_owner", what, no, card, entries=[bra])
    nowhere = fed.replaced(p.announcement(), FRA.signing, com="99" * 16)
    subject = p.place._replace(community="99" * 16).traffic()
    what = "in a community that the directory does not know"
    yield received("member_unknown_community", what, refused(Code.UNKNOWN_COMMUNITY), (subject, nowhere))
    drill = fed.replaced(p.announcement(), FRA.signing, rl="exercise")
    subject = p.place._replace(realm=Realm.EXERCISE).traffic()
    what = "as an exercise in a live community"
    yield received("member_wrong_realm", what, refused(Code.WRONG_REALM), (subject, drill))


def _chains() -> Iterator[Case]:
    p = started()
    first = p.send(p.bulletin(1))
    second = p.bulletin(2)
    other = p.bulletin(3)
    fork = refused(Code.FORK)
    yield after(p, "chain_replay", "the same frame again", refused(Code.REPLAYED), first)
    yield after(p, "chain_behind", "a frame from before the head", refused(Code.REPLAYED), p.sent[0])
    what = "another frame with the head's number"
    yield after(p, "chain_fork_at_head", what, fork, fed.replaced(first, FRA.signing, iat=AT + 1))
    what = "the next number on another past"
    yield after(p, "chain_fork_after_head", what, fork, fed.replaced(second, FRA.signing, prev="1" * 64))
    p.send(second)
    third, payload = p.bulletin(4), fed.bulletin(4).to_bytes()
    seen = sent(p)[:2]
    what = "a frame is missing: opened, and the gap reported"
    yield after(p, "chain_gap", what, opened(payload, missing=[2]), third, before=seen)
    what = "the missing frame comes after its successor"
    late = [*seen, (p.subject, third)]
    yield after(p, "chain_reordered", what, refused(Code.REPLAYED), second, before=late)
    what = "a bulletin before any announcement: from before we joined"
    skipped = {"verdict": "skipped", "code": "unknown_epoch", "moves": False}
    yield after(p, "chain_before_anchor", what, skipped, other, before=())
    yield after(p, "chain_heartbeat_before_anchor", "the same for a heartbeat", skipped, p.beat(), before=())
    past = p.beat(heads=(ChainHead(p.head.seq, "2" * 64), ChainHead()))
    what = "a heartbeat that names another past than it stands on"
    yield after(p, "chain_heartbeat_contradicts_itself", what, refused(Code.FORK, moves=True), past)
    flash = started(precedence=Precedence.FLASH, ep=1)
    ahead = flash.head.then(flash.bulletin(9))
    behind = {"verdict": "beat", "behind": [f"{FRA.endpoint} {COM} flash"]}
    both = [*sent(p), *sent(flash)]
    what = "the heartbeat names a flash frame that we have not seen"
    yield after(p, "chain_tail_suppressed", what, behind, p.beat(ahead), before=both)
    what = "the heartbeat names another flash chain than we saw"
    other_flash = ChainHead(flash.head.seq, "3" * 64)
    twofold = refused(Code.FORK, moves=True)
    yield after(p, "chain_heartbeat_shows_fork", what, twofold, p.beat(other_flash), before=both)
    what = "the heartbeat names a flash chain from before our anchor"
    quiet = {"verdict": "beat", "behind": []}
    yield after(p, "chain_heartbeat_of_unanchored", what, quiet, p.beat(flash.head))


def _epochs() -> Iterator[Case]:
    p = started()
    unknown, again = refused(Code.UNKNOWN_EPOCH, moves=True), refused(Code.NOT_NEXT, moves=True)
    what = "under an epoch that was never announced"
    yield after(p, "epoch_unannounced", what, unknown, fed.replaced(p.bulletin(1), FRA.signing, ep=7))
    flash = started(precedence=Precedence.FLASH, ep=1)
    crossed = p.sealed(fed.bulletin(1).to_bytes(), 1, ep=1, epoch_key=flash.key)
    what = "under an epoch that was announced in the other chain"
    both = [*sent(p), *sent(flash)]
    yield after(p, "epoch_of_other_chain", what, unknown, crossed, before=both, keys=[bytes(flash.key)])
    what = "an epoch that is announced a second time"
    yield after(p, "epoch_announced_twice", what, again, p.announcement(id=fed.uuid(0xEE), hist=History.NONE))
    q = started(ep=5)
    what = "an announcement with a number from before the anchor"
    yield after(q, "epoch_number_goes_back", what, again, q.announcement(ep=4))
    what = "its key was due to us and has not come"
    missing = refused(Code.MISSING_WRAP, moves=True)
    yield after(p, "epoch_wrap_missing", what, missing, p.bulletin(1), keys=())
    what = "under an epoch from before our anchor"
    skipped = {"verdict": "skipped", "code": "unknown_epoch", "moves": True}
    yield after(q, "epoch_before_anchor", what, skipped, fed.replaced(q.bulletin(1), FRA.signing, ep=4))
    joined = fed.by_owners(fed.entry(fed.memberships()[COM], id="bra"))
    what = "under an epoch that was announced before we joined"
    skipped = {"verdict": "skipped", "code": "missing_wrap", "moves": True}
    given = {"reader": BRA, "entries": [joined], "keys": ()}
    yield after(p, "epoch_before_membership", what, skipped, p.bulletin(1), **given)
    announced = {"verdict": "announced", "ep": 0, "due": False}
    message = (p.subject, p.sent[0])
    what = "an announcement that cites the log from before we joined: no wrap is due"
    yield received("epoch_not_due", what, announced, message, reader=BRA, entries=[joined])


def _moved(name: str, what: str, thief: Party, com: str) -> Case:
    p = started()
    body = parse_frame(p.bulletin(1)).body
    q = Publisher(thief, com=com)
    q.send(q.announcement(epoch_key=p.key))  # the thief knows the key, so it may well announce it as its own
    header = parse_frame(q.bulletin(1)).header._replace(pc=parse_frame(p.bulletin(1)).header.pc)
    raw = fed.forge(header, body, thief.signing)
    return after(q, name, what, refused(Code.DECRYPTION_FAILED, moves=True), raw, keys=[bytes(p.key)])


def _bodies() -> Iterator[Case]:
    p = started()
    payload = fed.bulletin(1).to_bytes()
    padded, pc = committed(payload)
    no = refused(Code.DECRYPTION_FAILED, moves=True)
    yield _moved("body_into_another_community", "a member takes a ciphertext elsewhere", JPN, OTHER)
    yield _moved("body_under_another_publisher", "a member passes a ciphertext off as its own", JPN, COM)
    body = parse_frame(p.bulletin(1)).body
    header = parse_frame(p.bulletin(2)).header
    what = "the ciphertext of another frame of the same chain"
    yield after(p, "body_of_another_frame", what, no, fed.forge(header, body, FRA.signing))
    header = parse_frame(p.bulletin(1)).header
    for name, at in (("nonce", 0), ("ciphertext", 24), ("tag", len(body) - 1)):
        raw = fed.forge(header, fed.changed(body, at), FRA.signing)
        yield after(p, f"body_{name}_flipped", f"one bit of the {name} changed, then signed", no, raw)
    other = p.sealed(payload, 1, epoch_key=EpochKey(fed.seed("another epoch")))
    yield after(p, "body_under_another_key", "sealed under another key than announced", no, other)
    size = len(payload).to_bytes(4, "big")
    start = 32 + 4
    rows = (
        ("dirty", "padding that is not all zeros", padded[:-1] + b"\x01"),
        ("room_too_large", "twice the room that is needed", padded + bytes(1024)),
        (
            "length_short",
            "a length that leaves text in the padding",
            padded.replace(size, b"\x00\x00\x00\x05", 1),
        ),
        (
            "length_beyond_room",
            "a length beyond the room",
            padded[:32] + b"\x00\x00\xff\xff" + padded[start:],
        ),
        ("length_beyond_limit", "a length beyond 64 KiB", padded[:32] + b"\xff\xff\xff\xff" + padded[start:]),
    )
    for name, what, plaintext in rows:
        raw = padded_as(p, 1, plaintext, pc, FRA.signing)
        yield after(p, f"padding_{name}", what, refused(Code.BAD_PADDING, moves=True), raw)
    mismatch = refused(Code.COMMITMENT_MISMATCH, moves=True)
    raw = padded_as(p, 1, padded, sha256(b"another").digest(), FRA.signing)
    yield after(
        p, "commitment_to_another_plaintext", "the header commits to another plaintext", mismatch, raw
    )
    resalted = bytes(32) + padded[32:]
    raw = padded_as(p, 1, resalted, pc, FRA.signing)
    yield after(p, "commitment_other_salt", "the salt is not the one committed to", mismatch, raw)


def _bulletins() -> Iterator[Case]:
    p = started()
    differs = refused(Code.CONTENT_MISMATCH, moves=True)
    good = fed.bulletin(1)
    fields = parse_json(good.to_bytes(), PAYLOAD_MAX)
    rows: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("id", "the bulletin has another id than its frame", {"id": fed.uuid(2)}),
        ("history", "the bulletin may not be given to later joiners, its epoch may", {"history": "none"}),
        ("severity", "a flash bulletin in the routine chain", {"severity": "flash"}),
        ("ref", "a reference with another agency's code", {"ref": "JPN-2026-0001"}),
    )
    for name, what, change in rows:
        payload = fed.bulletin(1, **change).to_bytes()
        yield after(p, f"bulletin_other_{name}", what, differs, p.sealed(payload, 1))
    flash = started(precedence=Precedence.FLASH)
    what = "a routine bulletin in the flash chain"
    yield after(flash, "bulletin_routine_in_flash", what, differs, flash.bulletin(1))
    drill, mismatch = started(com=EXE), refused(Code.EXERCISE_MISMATCH, moves=True)
    what = "an exercise's bulletin in a live community"
    payload = fed.bulletin(1, exercise=True).to_bytes()
    yield after(p, "bulletin_exercise_in_live", what, mismatch, p.sealed(payload, 1))
    what = "a live bulletin in an exercise"
    yield after(drill, "bulletin_live_in_exercise", what, mismatch, drill.bulletin(1))
    bad, json = refused(Code.BAD_DOCUMENT, moves=True), refused(Code.BAD_JSON, moves=True)
    text = good.to_bytes()
    red = {**fields, "tlp": "TLP:RED"}
    raws = (
        ("not_json", "not JSON", json, b"hello"),
        ("empty", "an empty payload", json, b""),
        ("of_one_byte", "a payload of one byte", json, b"{"),
        ("duplicate_key", "a key that stands twice", json, text.replace(b'"v":1', b'"v":1,"v":1')),
        ("unknown_field", "a field that the format does not know", bad, canonical_json({**fields, "x": 1})),
        ("version_2", "a bulletin of version 2", bad, canonical_json({**fields, "v": 2})),
        ("version_as_boolean", "true where the version belongs", bad, canonical_json({**fields, "v": True})),
        ("red_with_history", "TLP:RED that later joiners may have", bad, canonical_json(red)),
        (
            "boolean_as_number",
            "1 where true or false belongs",
            bad,
            canonical_json({**fields, "exercise": 1}),
        ),
        (
            "personal_without_law",
            "said of people without saying on what law",
            bad,
            canonical_json({**fields, "personal": {"review": good.issued, "correction": "c"}}),
        ),
        (
            "personal_review_never",
            "a review on a day that there is not",
            refused(Code.BAD_ENCODING, moves=True),
            canonical_json({**fields, "personal": {**_OF_PEOPLE, "review": "2026-02-30T00:00:00Z"}}),
        ),
    )
    for name, what, expect, payload in raws:
        yield after(p, f"bulletin_{name}", what, expect, p.sealed(payload, 1))
    personal = fed.bulletin(1, personal=_OF_PEOPLE).to_bytes()
    what = "what is said of people, on what law, until when"
    yield after(p, "good_personal", what, opened(personal), p.sealed(personal, 1))
    card = canonical_json({"v": 1, "slug": "Not A Slug", "title": "T", "rules": ""})
    yield after(p, "card_slug", "a card with an impossible short name", bad, p.sealed(card, 1, kind=CARD))
    what = "a bulletin in a card's frame"
    yield after(p, "card_holds_bulletin", what, bad, p.sealed(text, 1, kind=CARD))
    what = "a card in a bulletin's frame"
    yield after(p, "bulletin_holds_card", what, bad, p.sealed(CARD_OF_COM.to_bytes(), 1))
    spaced = CARD_OF_COM.to_bytes().replace(b'"v":1', b'"v": 1')
    what = "a card that is not in its one form"
    uneven = refused(Code.BAD_ENCODING, moves=True)
    yield after(p, "card_not_canonical", what, uneven, p.sealed(spaced, 1, kind=CARD))
