"""The hub's audit: who ordered what, and what came of it, as a chain of digests. Pure.

An entry has no bulletin text, for the hub has none, and no key: who, when, at which hub, which order, about
whom, and what came of it. Each entry's digest covers the one before, so that whoever changes, drops or moves
an entry has to write anew all that follow; whoever noted the last digest elsewhere sees that, and a cut-off
end too. The bot's audit has the same shape (`bots`, decision 0036).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.encoding import canonical_json, instant, parse_json
from schemas.errors import Code, FormatError, OperationError

START: Final = bytes(32)
"""What the first entry's digest stands on."""
ENTRY_MAX: Final = 16 * 1024
WHO_MAX: Final = 64

Verb = Literal[
    "start", "stop", "settings", "admit", "admit-witness", "suspend", "resume", "submit", "quarantine"
]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was ordered or happened. `who` is a person as their command said, or `hub`; `object` an
    agency, an endpoint or a document's hash; `outcome` is `done` or the code of a refusal.
    """

    who: str
    verb: Verb
    object: str = ""
    outcome: str = "done"
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """An act as it was written down: `number` counts from 1 without a gap, `at` is Unix milliseconds, `hub`
    names the process.
    """

    number: int
    at: int
    hub: str
    act: Act
    digest: bytes

    def row(self) -> dict[str, Any]:
        """For people and machines, in one order."""
        act = self.act
        return {
            "number": self.number,
            "at": instant(self.at),
            "ms": self.at,
            "hub": self.hub,
            "who": act.who,
            "verb": act.verb,
            "object": act.object,
            "outcome": act.outcome,
            "detail": dict(act.detail),
            "digest": self.digest.hex(),
        }

    def to_bytes(self) -> bytes:
        """As it is kept: canonical JSON of `row`."""
        return canonical_json(self.row())


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    number: Annotated[int, Field(ge=1)]
    at: str
    ms: Annotated[int, Field(ge=0)]
    hub: str
    who: str
    verb: Verb
    object: str
    outcome: str
    detail: dict[str, Any]
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def link(before: bytes, number: int, at: int, hub: str, act: Act) -> bytes:
    """The digest of an entry: SHA-256 over the digest before it and the entry as canonical JSON."""
    fields = [number, at, hub, act.who, act.verb, act.object, act.outcome, dict(act.detail)]
    return sha256(before + canonical_json(fields)).digest()


def entry(before: bytes, number: int, at: int, hub: str, act: Act) -> Entry:
    """An entry behind the one with the digest `before`."""
    return Entry(number, at, hub, act, link(before, number, at, hub, act))


def parse(data: bytes) -> Entry:
    """What `Entry.to_bytes` made, and nothing else. FormatError."""
    try:
        row = _Row.model_validate(parse_json(data, ENTRY_MAX))
    except ValidationError:
        raise FormatError(Code.BAD_DOCUMENT, "not an entry of the audit") from None
    act = Act(row.who, row.verb, row.object, row.outcome, row.detail)
    made = Entry(row.number, row.ms, row.hub, act, bytes.fromhex(row.digest))
    if made.to_bytes() != data:
        raise FormatError(Code.BAD_ENCODING, "an entry of the audit that is not in its one form")
    return made


@dataclass(slots=True)
class Check:
    """Follows the chain from behind entry `number` with its `digest`."""

    number: int = 0
    digest: bytes = START

    def follow(self, lines: Iterable[bytes]) -> None:
        """Go on over entries as they are kept. OperationError `store_corrupt` names the first that does not
        follow.
        """
        for data in lines:
            number = self.number + 1
            try:
                found = parse(data)
            except FormatError as bad:
                raise _broken(number, f"cannot be read: {bad.code}") from bad
            if found.number != number:
                raise _broken(number, f"is missing: entry {found.number} stands in its place")
            if found.digest != link(self.digest, number, found.at, found.hub, found.act):
                raise _broken(number, "or one before it was changed")
            self.number, self.digest = number, found.digest


def named(text: object) -> str:
    """Who a request says that it comes from, fit for an entry: what a command says is no proof."""
    said = text if isinstance(text, str) else ""
    return "".join(each for each in said if each.isprintable())[:WHO_MAX] or "unknown"


def _broken(number: int, what: str) -> OperationError:
    return OperationError(
        Code.STORE_CORRUPT,
        f"the audit does not hold: entry {number} {what}",
        "keep the NATS store as it is, compare it with an export, and ask who had access to the machine",
    )
