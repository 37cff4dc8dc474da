"""An endpoint worked by hand: its own keys and credentials, and any bytes that one likes.

The agency's node must not run meanwhile: both would read the same durables.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import nats
import uuid_utils
from nats.aio.client import Client

from schemas import receipts
from schemas.bulletin import Bulletin
from schemas.chain import ChainHead
from schemas.directory import Directory
from schemas.encoding import from_base64, instant
from schemas.errors import LiaisonError
from schemas.limits import DOCUMENT_MAX
from schemas.receipts import Answer
from schemas.signing import KEY_SIZE, key_id
from schemas.subjects import (
    DIRECTORY,
    DIRECTORY_DOCUMENTS,
    TRAFFIC,
    FrameSubject,
    receipts_for,
    wrap_submission,
)
from schemas.vocabulary import History, Precedence, Realm
from schemas.wraps import bundle
from subscribers.exchange.composer import readers_of
from subscribers.exchange.hub_link import feed_state
from subscribers.pull import Pull, ack
from subscribers.sealing import EpochKey, announce, seal, wrap
from subscribers.storage import tables
from subscribers.storage.store import Store
from tests.support.world import DEADLINE, PATIENCE, Member, draft, eventually

HOUR = 3_600_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Hand:
    """Made by `by_hand`. `directory` follows the hub's; `answers` are the verified receipts so far."""

    member: Member
    nc: Client
    directory: Directory
    answers: list[Answer] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    failed: Exception | None = None
    """Why nothing more will arrive."""

    @property
    def endpoint(self) -> str:
        return self.member.endpoint

    async def send(self, subject: str, raw: bytes) -> str:
        """Send these bytes there; the code of the hub's signed receipt for them. NoRespondersError where
        there is no way in.
        """
        seen = len(self.answers)
        answer = (await self.nc.request(subject, raw, timeout=DEADLINE)).data
        assert b'"error"' not in answer, answer
        return await self.answer(raw, seen)

    async def answer(self, raw: bytes, after: int = 0) -> str:
        """The code of the receipt for these bytes, once it is here."""
        digest = sha256(raw).hexdigest()
        found: list[str] = []

        def here() -> bool:
            found[:] = [each.code for each in self.answers[after:] if each.sha256 == digest]
            return bool(found)

        await self.until(here)
        return found[-1]

    async def until(self, true: Callable[[], bool]) -> None:
        """Return when something that arrived makes this true."""
        async with asyncio.timeout(DEADLINE), self.news:
            await self.news.wait_for(lambda: self.failed or true())
        if self.failed and not true():
            raise self.failed

    async def nothing_left(self) -> None:
        """Return when the hub knows that all it has given was read: none of it is given to the node again."""

        async def is_read() -> bool:
            states = [await feed_state(self.nc, each) for each in (TRAFFIC, DIRECTORY)]
            return not any(each.num_ack_pending or each.num_pending for each in states)

        await eventually(is_read, DEADLINE)

    async def read(self, stream: str) -> None:
        try:
            await self._read(stream)
        except Exception as error:
            async with self.news:
                self.failed = error
                self.news.notify_all()
            raise

    async def _read(self, stream: str) -> None:
        async with Pull(self.nc, stream=stream, durable=self.endpoint) as pull:
            async for messages in pull:
                async with self.news:
                    for message in messages:
                        self._take(message.subject, message.data)
                        await ack(message)
                    self.news.notify_all()

    def _take(self, subject: str, data: bytes) -> None:
        if subject == receipts_for(self.endpoint):
            assert self.directory.hub
            self.answers += receipts.read(data, self.endpoint, from_base64(self.directory.hub.key, KEY_SIZE))
        elif subject == DIRECTORY_DOCUMENTS:
            with contextlib.suppress(LiaisonError):  # the root, and what a wider filter repeats
                self.directory = self.directory.apply(data)
        elif subject.startswith("m."):
            with contextlib.suppress(LiaisonError):
                self.directory = self.directory.apply_membership(data)


@dataclass
class Speech:
    """A chain of an endpoint in a community. What is built is not on the chain until it is `said`."""

    hand: Hand
    place: FrameSubject
    ep: int = 0
    key: EpochKey = field(default_factory=EpochKey.generate)
    head: ChainHead = field(default_factory=ChainHead)

    @classmethod
    def to(cls, hand: Hand, community: str, realm: Realm = Realm.LIVE) -> "Speech":
        return cls(hand, FrameSubject(realm, community, Precedence.ROUTINE, hand.endpoint))

    def announcement(self) -> bytes:
        """The frame that begins the epoch."""
        hand, now = self.hand, now_ms()
        return announce(
            self.place,
            head=self.head,
            ep=self.ep,
            dir=hand.directory.head,
            mem=hand.directory.communities[self.place.community].head,
            hist=History.NONE,
            epoch_key=self.key,
            **self._common(now, now + HOUR),
        )

    def bulletin(
        self, title: str, *, place: FrameSubject | None = None, iat: int | None = None, **fields: object
    ) -> bytes:
        """A sealed and signed bulletin, next in the chain."""
        iat = now_ms() if iat is None else iat
        common = self._common(iat, iat + HOUR)
        what = Bulletin(
            **draft(title, **fields).model_dump(),
            id=common["id"],
            ref=f"{self.hand.member.code}-2026-0001",
            issued=instant(iat),
        )
        where = place or self.place
        return seal(
            where, kind="b", head=self.head, ep=self.ep, payload=what.to_bytes(), epoch_key=self.key, **common
        )

    async def say(self, raw: bytes) -> str:
        """Send a frame where it belongs; the hub's answer. Once admitted it is on the chain."""
        code = await self.hand.send(self.place.intake(), raw)
        if code == receipts.ADMITTED:
            self.head = self.head.then(raw)
        return code

    async def begin(self) -> None:
        """Announce the epoch and give its key to everybody who may read."""
        raw = self.announcement()
        assert await self.say(raw) == receipts.ADMITTED
        announcement = sha256(raw).digest()
        readers = readers_of(self.hand.directory, self.place.community, now_ms())
        wraps = [
            wrap(self.key, announcement, each) for each in readers if each.endpoint != self.hand.endpoint
        ]
        assert await self.hand.send(wrap_submission(self.hand.endpoint), bundle(wraps)) == receipts.ADMITTED

    def _common(self, iat: int, exp: int) -> dict[str, Any]:
        signer = self.hand.member.keys.signing
        kid = key_id(signer.public).hex()
        return {"kid": kid, "id": str(uuid_utils.uuid7()), "iat": iat, "exp": exp, "signer": signer}


@contextlib.asynccontextmanager
async def by_hand(member: Member) -> AsyncIterator[Hand]:
    """A connection with the endpoint's own credentials, its two durables read."""
    await member.node.stop()
    admission, keys = member.admission, member.keys
    nc = await nats.connect(
        admission.urls,
        user_jwt_cb=lambda: bytearray(admission.user_jwt.encode()),
        signature_cb=keys.nats.signature,
        allow_reconnect=False,
        connect_timeout=PATIENCE,
    )
    hand = Hand(member, nc, Directory.pinned(from_base64(admission.root, DOCUMENT_MAX)))
    tasks = []
    try:
        # Everything before this connection was acknowledged by the node, so the logs are read from its own
        # store.
        async for membership, data in _stored(member):
            hand.directory = (
                hand.directory.apply_membership(data) if membership else hand.directory.apply(data)
            )
        tasks = [asyncio.create_task(hand.read(stream)) for stream in (TRAFFIC, DIRECTORY)]
        yield hand
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await nc.close()


async def _stored(member: Member) -> AsyncIterator[tuple[bool, bytes]]:
    async with await Store.open(member.state / "node.db", member.keys.archive, tables.NODE) as store:
        rows = await store.query("SELECT membership, data FROM directory ORDER BY number")
    for membership, data in rows[1:]:
        yield bool(membership), bytes(data)
