"""Cases about a backlog: which frames of a batch are authentic, and what a revoked key's frames count for."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.chain import ChainHead
from schemas.errors import Code
from schemas.frame import parse_frame
from schemas.signing import key_id
from schemas.vocabulary import Precedence
from tests.support import federation as fed
from tests.support.federation import AT, COM, FRA, JPN, Publisher
from tests.vectors.recipe import Case, caught_up, opened, refused, sent, started

FORGED: Final = refused(Code.BAD_SIGNATURE)
REVOKED: Final = refused(Code.REVOKED_KEY)
Verdicts = Sequence[dict[str, Any]]


def ancestry_cases() -> Iterator[Case]:
    """All of them."""
    yield from _runs()
    yield from _broken_runs()
    yield from _other_chains()
    yield from _keys()
    yield from _revoked()
    yield from _refused_revoked()


def _announced(ep: int = 0) -> dict[str, Any]:
    return {"verdict": "announced", "ep": ep, "due": True}


def _read(number: int, *, missing: Sequence[int] = ()) -> dict[str, Any]:
    return opened(fed.bulletin(number).to_bytes(), missing=missing)


def _case(
    name: str, what: str, publisher: Publisher, expect: Verdicts, **more: Any
) -> Case:  # goes on as it is
    keys = [fed.seed(f"epoch {publisher.party.id} {publisher.com} {ep}") for ep in range(publisher.ep + 1)]
    given = {"messages": sent(publisher), "keys": keys, **more}
    return caught_up(f"catch_up_{name}", what, expect, given.pop("messages"), **given)


def _run(*numbers: int) -> Publisher:
    p = started()
    for number in numbers:
        p.send(p.bulletin(number))
    return p


def _runs() -> Iterator[Case]:
    p = _run(1, 2, 3)
    whole = [_announced(), _read(1), _read(2), _read(3)]
    yield _case("unbroken", "a run of good frames", p, whole)
    q = _run(1)
    q.send(fed.unsigned(q.bulletin(2)))
    q.send(q.bulletin(3))
    what = "a frame whose signature is wrong and whose hash the next frame cites"
    yield _case("ancestor_without_signature", what, q, whole)
    q = _run(1, 2)
    q.send(fed.unsigned(q.bulletin(3)))
    yield _case("tail_without_signature", "the last signature of a run is wrong", q, [*whole[:3], FORGED])
    q = _run(1)
    q.send(fed.unsigned(q.bulletin(2)))
    q.send(fed.unsigned(q.bulletin(3)))
    what = "the last two signatures of a run are wrong"
    yield _case("tails_without_signature", what, q, [*whole[:2], FORGED, FORGED])


def _broken_runs() -> Iterator[Case]:
    p = _run(1)
    p.send(fed.unsigned(p.bulletin(2)))
    p.head = ChainHead(2, "1" * 64)
    p.send(p.bulletin(3))
    broken = [_announced(), _read(1), FORGED, _read(3, missing=[2])]
    yield _case("link_broken", "the next frame cites another hash than that of the forged one", p, broken)
    p = _run(1)
    p.send(fed.unsigned(p.bulletin(2)))
    p.head = ChainHead(3, p.head.hash)
    p.send(p.bulletin(3))
    broken = [_announced(), _read(1), FORGED, _read(3, missing=[2, 3])]
    yield _case("number_skipped", "the next frame cites the forged one, two numbers further on", p, broken)
    p = _run(1)
    fork = p.bulletin(9)
    p.send(p.bulletin(2))
    mine, p.head = p.sent[-1], ChainHead(1, parse_frame(p.sent[1]).hash).then(fork)
    after = p.bulletin(3)
    messages = [(p.subject, raw) for raw in (*p.sent[:2], mine, fork, after)]
    no = refused(Code.FORK)
    forked = [_announced(), _read(1), _read(2), no, no]
    yield _case(
        "fork_inside",
        "two frames in one place, and the run goes on from the later",
        p,
        forked,
        messages=messages,
    )
    p = _run(1)
    p.send(fed.unsigned(p.bulletin(2)))
    p.send(p.bulletin(3))
    first, second, third, fourth = sent(p)
    late = [_announced(), _read(1), _read(3, missing=[2]), FORGED]
    what = "a forged frame that comes after the frame which cites it"
    yield _case("reordered", what, p, late, messages=[first, second, fourth, third])
    p = _run(1)
    p.iat = AT + 10
    p.send(p.bulletin(2))
    p.iat = AT
    p.send(p.bulletin(3))
    out = fed.by_owners(fed.entry(fed.memberships()[COM], op="remove", id="fra", nbf=AT + 5))
    judged = [_announced(), _read(1), refused(Code.NOT_MEMBER), _read(3, missing=[2])]
    what = "an ancestor made after its publisher was removed: each is judged at its own time"
    yield _case("ancestor_not_member", what, p, judged, entries=[out])


def _other_chains() -> Iterator[Case]:
    p, q = started(), started(JPN)
    keys = [bytes(p.key), bytes(q.key)]
    good = fed.bulletin(2, JPN).to_bytes()
    messages = [*sent(p), *sent(q)]
    for number, publisher in ((1, p), (2, q), (3, p)):
        raw = publisher.bulletin(number)
        messages.append((publisher.subject, publisher.send(fed.unsigned(raw) if number == 1 else raw)))
    woven = [_announced(), _announced(), _read(1), opened(good), _read(3)]
    what = "another publisher's frame stands between two frames of a run"
    yield _case("other_publisher_between", what, p, woven, messages=messages, keys=keys)
    p, q = started(), started(JPN)
    forged = p.send(fed.unsigned(p.bulletin(1)))
    q.head = p.head
    messages = [*sent(p)[:1], *sent(q), (p.subject, forged), (q.subject, q.bulletin(2))]
    stolen = [_announced(), _announced(), FORGED, opened(good, missing=[1])]
    what = "another publisher cites a forged frame as its own past"
    yield _case("cited_by_other_publisher", what, p, stolen, messages=messages, keys=keys)
    p, flash = started(), started(precedence=Precedence.FLASH, ep=1)
    forged = p.send(fed.unsigned(p.bulletin(1)))
    flash.head = p.head
    urgent = fed.bulletin(3, severity="flash").to_bytes()
    messages = [*sent(p)[:1], *sent(flash), (p.subject, forged), (flash.subject, flash.sealed(urgent, 3))]
    keys = [bytes(p.key), bytes(flash.key)]
    crossed = [_announced(), _announced(1), FORGED, opened(urgent, missing=[1])]
    what = "the flash chain cites a forged frame of the routine chain"
    yield _case("cited_by_other_chain", what, p, crossed, messages=messages, keys=keys)


def _keys() -> Iterator[Case]:
    p = started()
    p.send(fed.unsigned(p.bulletin(1)))
    p.rekey()
    p.send(p.bulletin(2))
    whole = [_announced(), _read(1), _announced(1), _read(2)]
    what = "a successor's frame stands on a frame of the replaced key"
    yield _case("replaced_key", what, p, whole, documents=[FRA.successor()])
    p = _run(1)
    newer = fed.replaced(p.bulletin(2), FRA.next_signing, kid=key_id(FRA.next_signing.public).hex())
    p.send(fed.unsigned(newer))
    p.send(p.bulletin(3))
    older = [_announced(), _read(1), FORGED, _read(3, missing=[2])]
    what = "a forgery in the name of the newer key, cited under the replaced one"
    yield _case("older_key_vouches", what, p, older, documents=[FRA.successor()])
    p = _run(1)
    p.send(fed.unsigned(fed.replaced(p.bulletin(2), FRA.signing, kid=JPN.kid)))
    p.send(p.bulletin(3))
    other = [_announced(), _read(1), refused(Code.UNKNOWN_KEY), _read(3, missing=[2])]
    yield _case("ancestor_of_other_key", "an ancestor that names another endpoint's key", p, other)


def _revoked() -> Iterator[Case]:
    documents = [FRA.successor(), FRA.revocation()]
    p = _run(1, 2)
    yield _case(
        "revoked",
        "frames of a revoked key, and none of its successor's",
        p,
        [REVOKED] * 3,
        documents=documents,
    )
    p.rekey()
    p.send(p.bulletin(3))
    whole = [_announced(), _read(1), _read(2), _announced(1), _read(3)]
    what = "frames of a revoked key, and its successor's on them"
    yield _case("revoked_ancestors", what, p, whole, documents=documents)
    q = _run(1)
    q.send(fed.unsigned(q.bulletin(2)))
    q.rekey()
    q.send(q.bulletin(3))
    what = "a revoked key's frame whose signature is wrong, in the past of its successor's"
    yield _case("revoked_ancestor_without_signature", what, q, whole, documents=documents)


def _refused_revoked() -> Iterator[Case]:
    documents = [FRA.successor(), FRA.revocation()]
    p = _run(1)
    thief = _run(1)
    thief.iat = AT - fed.DAY
    backdated = (thief.subject, thief.bulletin(9))
    p.rekey()
    p.send(p.bulletin(3))
    first, second, third, fourth = sent(p)
    whole = [_announced(), _read(1), REVOKED, _announced(1), _read(3)]
    what = "a backdated frame of the revoked key that is nobody's ancestor"
    yield _case(
        "revoked_backdated",
        what,
        p,
        whole,
        documents=documents,
        messages=[first, second, backdated, third, fourth],
    )
    thief = started()
    thief.head = p.head
    later = (thief.subject, thief.bulletin(9))
    what = "a frame of the revoked key on its successor's"
    whole = [_announced(), _read(1), _announced(1), _read(3), REVOKED]
    yield _case("revoked_after_successor", what, p, whole, documents=documents, messages=[*sent(p), later])
    p = _run(1)
    p.rekey()
    p.sent[-1] = fed.unsigned(p.sent[-1])
    what = "the only frame of the successor's has a wrong signature"
    yield _case("revoked_successor_forged", what, p, [REVOKED, REVOKED, FORGED], documents=documents)
    newer = FRA.revoke(kid=key_id(FRA.next_signing.public).hex())
    both = [*documents, fed.envelope(newer, FRA.identity)]
    p = _run(1)
    p.rekey()
    yield _case(
        "revoked_successor_revoked", "the successor is revoked as well", p, [REVOKED] * 3, documents=both
    )
    p = _run(1)
    p.signer, p.ep = FRA.next_signing, 1
    announced = p.send(p.announcement())
    p.signer, p.ep = FRA.signing, 0
    p.send(p.bulletin(2))
    out = [FRA.successor(), fed.envelope(FRA.revoke(kid=parse_frame(announced).header.kid), FRA.identity)]
    whole = [_announced(), _read(1), REVOKED, _read(2, missing=[2])]
    what = "a frame of a revoked key, cited under the key before it"
    yield _case("revoked_cited_by_predecessor", what, p, whole, documents=out)
