"""Whom the root names as witnesses of the directory's head, as the ceremonies are told."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from pydantic import ValidationError

from schemas.documents import Root, Witness
from schemas.encoding import from_base64
from schemas.errors import Code, FormatError, LiaisonError
from schemas.limits import COOL_DOWN, WITNESSES_MAX
from schemas.signing import KEY_SIZE, check_public_key

_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([smhd])\Z")
_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Watch(NamedTuple):
    """Who witnesses the directory's head, how many of them a reader wants, for how long (ms) their word
    holds, and how long (ms) the replacement of an identity key takes.
    """

    witnesses: list[Witness]
    quorum: int
    freshness: int
    cooldown: int = COOL_DOWN

    @classmethod
    def parse(
        cls, witnesses: Sequence[str], quorum: int, freshness: str, cool_down: str | None = None
    ) -> Self:
        """From `NAME=BASE64KEY` each, a count, and `24h` twice. FormatError `bad_request`, TrustError
        `bad_key`.
        """
        waits = COOL_DOWN if cool_down is None else span(cool_down)
        return cls(list(map(_witness, witnesses)), quorum, span(freshness), waits).checked()

    def checked(self) -> Self:
        """Itself, when a root may say so. FormatError `bad_request`."""
        names, keys = ({getattr(each, name) for each in self.witnesses} for name in ("name", "key"))
        if not self.quorum <= len(names) == len(keys) == len(self.witnesses) <= WITNESSES_MAX:
            raise FormatError(
                Code.BAD_REQUEST,
                f"a quorum of {self.quorum} of {len(self.witnesses)} witnesses",
                f"name each witness and key once, at most {WITNESSES_MAX}, and no fewer than the quorum",
            )
        return self


def next_watch(
    current: Root,
    witnesses: Sequence[str] | None,
    quorum: int | None,
    freshness: str | None,
    cool_down: str | None = None,
) -> Watch:
    """The root's witnesses and times with what is to change, and the rest as it is. FormatError
    `bad_request`.
    """
    watch = Watch(
        current.witnesses if witnesses is None else list(map(_witness, witnesses)),
        current.quorum if quorum is None else quorum,
        current.freshness if freshness is None else span(freshness),
        current.cooldown if cool_down is None else span(cool_down),
    ).checked()
    if watch.cooldown < current.cooldown:
        raise FormatError(
            Code.BAD_REQUEST, "the cool-down of identities never gets shorter", "leave --cool-down out"
        )
    return watch


def span(text: str) -> int:
    """Milliseconds, from `30m`. FormatError `bad_request`."""
    found = _SPAN.match(text)
    if not found:
        raise FormatError(Code.BAD_REQUEST, f"{text!r} is no time", "write 30m, 24h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def _witness(text: str) -> Witness:
    name, _, key = text.partition("=")
    try:
        check_public_key(from_base64(key, KEY_SIZE))
        return Witness(name=name, key=key)
    except (ValidationError, LiaisonError):
        raise FormatError(
            Code.BAD_REQUEST,
            f"{text!r} is no witness",
            "write NAME=KEY, as the witness gives it: a name without spaces, an Ed25519 key in base64",
        ) from None
