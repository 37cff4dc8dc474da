"""How old our keys are, what is due, and who cannot read what we would publish. Pure; the clock is passed in.

Everything is read from the directory: the `issued` of our own `keys` documents says when our keys were made,
since we made them. Of others it is their word, so it only ever warns (FORMAT.md, "Directory").
"""

from collections.abc import Callable, Container, Iterator
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from schemas.directory import Directory
from schemas.documents import KEM_KEY_SIZE, Keys
from schemas.encoding import from_base64, instant
from schemas.particulars import Instant
from schemas.wraps import kem_key_id

DAY: Final = 86_400_000
WARN_BEFORE: Final = 7 * DAY
"""How long before a key passes its age people are told (milliseconds)."""

KeyUse = Literal["signing", "encryption"]
KeyState = Literal["current", "overlap", "expired", "replaced", "revoked"]
Problem = Literal["no_keys", "revoked", "unusable_key", "old_keys", "never_seen"]
"""The first three keep an endpoint from reading; the others are worth knowing before something is sent."""

_LOCKED_OUT: Final[frozenset[Problem]] = frozenset({"no_keys", "revoked", "unusable_key"})


class Policy(NamedTuple):
    """How long keys live, in milliseconds. `rotate` 0: the node rotates nothing by itself."""

    rotate: int = 30 * DAY
    overlap: int = 7 * DAY
    longest: int = 90 * DAY


class KeyInfo(BaseModel):
    """A public view of one key. `until`: for a current one when it is to be replaced, for one in overlap when
    it is destroyed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kid: str
    use: KeyUse
    endpoint: str
    state: KeyState
    made: Instant
    age_days: int
    until: Instant | None = None


class Reader(BaseModel):
    """An endpoint of a community, or an agency there without one: whether it can read, and what is odd."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    agency: str
    role: Literal["member", "reader"]
    endpoint: str | None = None
    can_read: bool
    problems: tuple[Problem, ...] = ()


def keys_of(directory: Directory, agency: str, policy: Policy, now: int) -> list[KeyInfo]:
    """Every key that an agency's endpoints have had, the current ones first, then the newest first."""
    endpoints = dict.fromkeys(each.endpoint for each in directory.signers.values() if each.agency == agency)
    found = [info for endpoint in endpoints for info in _keys_of(directory, endpoint, policy, now)]
    return sorted(found, key=lambda each: (each.state == "current", each.made), reverse=True)


def is_due(directory: Directory, endpoint: str, policy: Policy, now: int) -> bool:
    """Whether the node should rotate by itself now."""
    if not policy.rotate or endpoint not in directory.endpoints:
        return False
    return now >= _made(directory, endpoint) + policy.rotate


def good_until(directory: Directory, endpoint: str, policy: Policy) -> int | None:
    """When the encryption key passes its age (Unix ms); None while the directory has none."""
    return _made(directory, endpoint) + policy.longest if endpoint in directory.endpoints else None


def overdue(directory: Directory, endpoint: str, policy: Policy, now: int) -> str:
    """What to tell people of the age of our keys; empty when there is nothing."""
    until = good_until(directory, endpoint, policy)
    if until is None or (left := until - now) >= WARN_BEFORE:
        return ""
    if left <= 0:
        return "the encryption key is older than it may be"
    return f"the encryption key passes its age in {-(-left // DAY)} days"


def expired_kems(directory: Directory, endpoint: str, policy: Policy, now: int) -> set[str]:
    """The kids of replaced encryption keys whose overlap is over: their secret halves must go."""
    infos = _keys_of(directory, endpoint, policy, now)
    return {each.kid for each in infos if each.use == "encryption" and each.state == "expired"}


def readers(
    directory: Directory,
    community: str,
    now: int,
    policy: Policy,
    seen: Container[str],
    usable: Callable[[Keys], bool],
) -> list[Reader]:
    """Every reader of a community, the ones that cannot read first. `seen` are endpoints that published
    anything that reached us; `usable` says whether a published key can be encrypted to.
    """
    found: list[Reader] = []
    by_agency: dict[str, list[Keys]] = {}
    for each in directory.endpoints.values():
        by_agency.setdefault(each.agency, []).append(each)
    made = _ages(directory)
    for agency, role in directory.communities[community].members(now).items():
        word: Literal["member", "reader"] = "reader" if role == "reader" else "member"
        theirs = by_agency.get(agency, [])
        if not theirs:
            found.append(Reader(agency=agency, role=word, can_read=False, problems=("no_keys",)))
        live = [each for each in theirs if directory.kid_of(each) not in directory.revoked]
        # An endpoint that was given up is no news while its agency has another one that reads.
        for keys in live or theirs:
            problems: tuple[Problem, ...] = ()
            if directory.kid_of(keys) in directory.revoked:
                problems += ("revoked",)
            elif not usable(keys):
                problems += ("unusable_key",)
            if now - made[keys.endpoint, keys.kem] > policy.longest:
                problems += ("old_keys",)
            if word == "member" and keys.endpoint not in seen:
                problems += ("never_seen",)
            can_read = not _LOCKED_OUT & set(problems)
            found.append(
                Reader(agency=agency, role=word, endpoint=keys.endpoint, can_read=can_read, problems=problems)
            )
    return sorted(
        found, key=lambda each: (each.can_read, not each.problems, each.agency, each.endpoint or "")
    )


def locked_out(found: list[Reader]) -> list[str]:
    """The agencies of which no endpoint can read, in alphabetical order."""
    able = {each.agency for each in found if each.can_read}
    return sorted({each.agency for each in found} - able)


def _ages(directory: Directory) -> dict[tuple[str, str], int]:
    """When each endpoint first published each encryption key."""
    made: dict[tuple[str, str], int] = {}
    for each in directory.signers.values():
        made.setdefault((each.endpoint, each.kem), each.issued)
    return made


def _history(directory: Directory, endpoint: str) -> list[tuple[str, Keys]]:
    # The directory keeps signers in the order of their documents.
    return [(kid, each) for kid, each in directory.signers.items() if each.endpoint == endpoint]


def _made(directory: Directory, endpoint: str) -> int:
    """When the encryption key that is current was first published."""
    return _ages(directory)[endpoint, directory.endpoints[endpoint].kem]


def _keys_of(directory: Directory, endpoint: str, policy: Policy, now: int) -> Iterator[KeyInfo]:
    history = _history(directory, endpoint)
    for kid, each in history:
        current = directory.endpoints[endpoint] == each
        state: KeyState = "revoked" if kid in directory.revoked else "current" if current else "replaced"
        yield _info(kid, "signing", each, state, each.issued, None, now)
    first: dict[str, Keys] = {}
    for _, each in history:
        first.setdefault(each.kem, each)
    kems = list(first.values())
    # An endpoint whose keys the directory does not hold yet has none.
    for each, successor in zip(kems, [*kems[1:], None], strict=False):
        kid = kem_key_id(from_base64(each.kem, KEM_KEY_SIZE)).hex()
        if directory.endpoints[endpoint].kem == each.kem:
            until = each.issued + (policy.rotate or policy.longest)
            yield _info(kid, "encryption", each, "current", each.issued, until, now)
        else:
            until = (successor or directory.endpoints[endpoint]).issued + policy.overlap
            over: KeyState = "expired" if now >= until else "overlap"
            yield _info(kid, "encryption", each, over, each.issued, until, now)


def _info(
    kid: str, use: KeyUse, keys: Keys, state: KeyState, made: int, until: int | None, now: int
) -> KeyInfo:
    return KeyInfo(
        kid=kid,
        use=use,
        endpoint=keys.endpoint,
        state=state,
        made=instant(made),
        age_days=max(0, now - made) // DAY,
        until=None if until is None else instant(until),
    )
