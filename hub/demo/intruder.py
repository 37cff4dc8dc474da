"""A former member that still has its connection to the hub, and tries everything with it.

It holds real credentials and a real signing key, its own. Each attempt must be refused with its code: by the
hub's admission, or by NATS before that.
"""

import asyncio
import base64
import json
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import nats
import nats.errors
from nacl.signing import SigningKey
from nats.aio.client import Client

from hub.jwt import KeyKind, NKey
from schemas.content import BODY_SIZES
from schemas.errors import Code
from schemas.frame import BULLETIN, GENESIS, VERSION, Header, header_bytes, join, signed_message
from schemas.signing import key_id
from schemas.subjects import FrameSubject
from schemas.vocabulary import Precedence, Realm

_ANSWER_SECONDS: Final = 30.0
_DAY: Final = 24 * 3_600_000
_HEADER_SIZE_AT: Final = slice(1, 3)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is tried: the code with which the hub must refuse it, and the bytes."""

    code: Code
    what: str
    raw: bytes


class Identity:
    """The former member's own keys, read from its state directory, and its place at the hub."""

    def __init__(self, state: Path, admission: Path) -> None:
        told = json.loads(admission.read_bytes())
        self.endpoint: str = told["endpoint"]
        self.urls: list[str] = told["urls"]
        self.jwt: str = told["user_jwt"]
        self.user = NKey(KeyKind.USER, _seed(state / "keys" / "nats.key"))
        self.signing = SigningKey(_seed(state / "keys" / "signing.key"))


def attempts(identity: Identity, community: str, other: str, now: int) -> list[Attempt]:
    """Frames that must be refused. `community` it was put out of, `other` it never was in; `now` Unix ms."""

    def frame(**changes: Any) -> bytes:  # noqa: ANN401 - the header's fields
        return _frame(identity, community, now, **changes)

    honest = frame()
    tampered = honest[:-1] + bytes([honest[-1] ^ 1])
    size = int.from_bytes(honest[_HEADER_SIZE_AT], "big")
    return [
        Attempt(Code.NOT_MEMBER, "a bulletin to the community that put it out", honest),
        Attempt(Code.BAD_SIGNATURE, "a bulletin changed after it was signed", tampered),
        Attempt(Code.UNKNOWN_KEY, "a bulletin under a key that nobody has vouched for", frame(kid="0" * 32)),
        Attempt(Code.SUBJECT_MISMATCH, "a bulletin whose header names another community", frame(com=other)),
        Attempt(Code.BAD_VERSION, "a frame of a version that does not exist", b"\x63" + honest[1:]),
        Attempt(Code.BAD_HEADER, "a frame whose header is not in its one form", _spaced(honest, size)),
        Attempt(Code.TRUNCATED, "the first half of a frame", honest[: 3 + size // 2]),
    ]


async def connect(identity: Identity) -> Client:
    """Its connection, as its node would make it. Raises nats.errors.Error when it is cut off."""

    async def quiet(_: Exception) -> None:
        """The call that fails says it."""

    return await nats.connect(
        identity.urls,
        user_jwt_cb=lambda: bytearray(identity.jwt.encode()),
        signature_cb=lambda nonce: base64.b64encode(identity.user.sign(nonce.encode())),
        allow_reconnect=False,
        connect_timeout=int(_ANSWER_SECONDS),
        error_cb=quiet,
        name="former-member",
    )


async def break_in(
    identity: Identity, community: str, other: str, now: Callable[[], int] | None = None
) -> tuple[list[Attempt], list[str]]:
    """Try everything: what reached the hub, to be refused there, and what NATS itself did not let through."""
    subject = FrameSubject(Realm.LIVE, community, Precedence.ROUTINE, identity.endpoint).intake()
    elsewhere = FrameSubject(Realm.LIVE, other, Precedence.ROUTINE, identity.endpoint).intake()
    tried = attempts(identity, community, other, (now or _now)())
    stopped: list[str] = []
    nc = await connect(identity)
    try:
        for attempt in tried:
            await nc.request(subject, attempt.raw, timeout=_ANSWER_SECONDS)
        try:
            await nc.request(elsewhere, tried[0].raw, timeout=1)
        except (nats.errors.Error, TimeoutError):
            stopped.append("a bulletin to a community that it never was in")
    finally:
        await nc.close()
    return tried, stopped


async def cut_off(identity: Identity) -> bool:
    """Whether the hub no longer lets it connect."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            nc = await connect(identity)
    except (nats.errors.Error, OSError, TimeoutError):
        return True
    await nc.close()
    return False


def _frame(identity: Identity, community: str, now: int, **changes: Any) -> bytes:  # noqa: ANN401
    header = Header(
        v=VERSION,
        k=BULLETIN,
        rl=Realm.LIVE,
        pr=Precedence.ROUTINE,
        com=community,
        pub=identity.endpoint,
        kid=key_id(bytes(identity.signing.verify_key)).hex(),
        ep=1,
        seq=0,
        prev=GENESIS,
        id=_uuid7(now),
        iat=now,
        exp=now + _DAY,
        pc="5" * 64,
    )
    data = header_bytes(header._replace(**changes))
    body = os.urandom(min(BODY_SIZES))
    return join(data, identity.signing.sign(signed_message(data, body)).signature, body)


def _spaced(raw: bytes, size: int) -> bytes:
    """The same header with a space in it: JSON all the same, but not in its one form."""
    header = raw[3 : 3 + size].replace(b'"v":1', b'"v": 1')
    return raw[:1] + len(header).to_bytes(2, "big") + header + raw[3 + size :]


def _seed(file: Path) -> bytes:
    """The seed in a key file of `liaison-agency init`: `liaison/1 <name> <hex>`."""
    return bytes.fromhex(file.read_text("ascii").split()[2])


def _uuid7(now: int) -> str:
    digits = f"{now:012x}7{uuid.uuid4().hex[13:]}"
    return str(uuid.UUID(digits))


def _now() -> int:
    return time.time_ns() // 1_000_000
