"""The hub's whole way, from the intake through admission to traffic, by the real hub over its real server.

The hub stands still (SIGSTOP) while its intake is filled with frames of several publishers, and is let go:
measured is until the last of them is admitted, written, answered and acknowledged, everything on the disk.
The floor is what the same calls cost one after the other, put on as many cores as there are: it publishes
what the hub publishes, the frames and receipts that were made beforehand.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

import nats
from nacl.bindings import crypto_sign_open
from nats.aio.client import Client

from hub.accounts import Accounts, Service
from hub.batch import Outgoing, publish_batch
from hub.durables import ADMISSION
from hub.fairness import TURN
from hub.issuing import issue
from hub.jetstream import ABSENT, JetStreamRefused, api
from hub.pull import Pull
from hub.router import BATCH
from hub.stream_limits import StreamLimits
from hub.streams import INTAKE, RECEIPT_TTL, TTL_HEADER, stream_configs
from schemas.frame import parse_frame, signed_message
from schemas.receipts import ADMITTED, Answer
from schemas.signing import Signer
from schemas.subjects import receipts_for
from tests.bench.hops import server
from tests.bench.many import Many, hub_of
from tests.bench.measure import Result
from tests.support.frames import Chain

PUBLISHERS: Final = 100
"""Endpoints that speak at once, each on a chain of its own: an endpoint's allowance is a hundred a second."""
TEXT: Final = bytes(1_000)
"""What a frame carries: with this it has 1,583 bytes, the least that a frame with a bulletin has."""
_POLL: Final = 0.02
_PATIENCE: Final = 120.0
_NOTE: Final = (
    "fetch, json.loads, two SHA-256, Ed25519, publish frames and receipts in synced batches: "
    "one by one, times the cores"
)

Messages = list[tuple[str, bytes]]


async def measure(directory: Path, *, frames: int, rounds: int) -> list[Result]:
    """`hub_admission`: frames a second, in the round of `rounds` that has the median ratio. The machine's
    speed changes within seconds, so a round's floor is what was measured before and after it.
    """
    measured: list[tuple[float, float]] = []
    async with (
        hub_of(directory, agencies=min(PUBLISHERS, frames)) as many,
        server(directory) as url,
        _floor(url) as floor,
    ):
        chains = _chains(many)

        async def one_by_one() -> float:
            now = many.world.now
            return await _one_by_one(floor, chains, _made(chains, now, frames), now)

        before = await one_by_one()
        async for spent in admitted(many, frames, rounds):
            after = await one_by_one()
            measured.append((spent, (before + after) / 2))
            before = after
    ours, theirs = sorted(measured, key=lambda each: each[1] / each[0])[len(measured) // 2]
    value, bound = frames / ours, frames / theirs * (os.cpu_count() or 1)
    return [Result("hub_admission", "frames/s", value, bound, value / bound, _NOTE)]


async def admitted(many: Many, frames: int, rounds: int) -> AsyncIterator[float]:
    """Seconds for which the hub needs for so many frames of members of its first community; the first round
    warms up, and is left out.
    """
    chains = _chains(many)
    async with inside(many) as nc:
        for each in range(1 + rounds):
            spent = await _routed(nc, many.pid, _made(chains, many.world.now, frames))
            if each:
                yield spent


def _chains(many: Many) -> list[Chain]:
    """Of so many members of the first community, which begins with the first."""
    return [Chain(member.kit, many.circles[0]) for member in many.members[:PUBLISHERS]]


@asynccontextmanager
async def inside(many: Many) -> AsyncIterator[Client]:
    """A connection of the hub's own account: it fills the intake and sees how far the hub has come."""
    accounts = Accounts.load(many.world.settings.accounts_directory)
    nc = Client()
    await nc.connect(many.url, **accounts.credentials(Service.HUB).options())
    try:
        yield nc
    finally:
        await nc.close()


def _made(chains: Sequence[Chain], now: int, frames: int) -> Messages:
    """So many frames, of all chains by turns, each with its subject in the intake."""
    return [
        (chain.subject.intake(), chain.make(now, text=TEXT))
        for chain in (chains[number % len(chains)] for number in range(frames))
    ]


async def _filled(nc: Client, messages: Messages) -> int:
    """Put them into the intake; the sequence of the last one."""
    for subject, data in messages[:-1]:
        await nc.publish(subject, data)
    subject, data = messages[-1]
    return int(json.loads((await nc.request(subject, data, timeout=_PATIENCE)).data)["seq"])


async def _routed(nc: Client, pid: int, messages: Messages) -> float:
    """Seconds for which the hub needs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        last = await _filled(nc, messages)
    finally:
        start = time.perf_counter()
        os.kill(pid, signal.SIGCONT)
    async with asyncio.timeout(_PATIENCE):
        while True:
            if await _acknowledged(nc) >= last:
                break
            await asyncio.sleep(_POLL)
    return time.perf_counter() - start


async def _acknowledged(nc: Client) -> int:
    """The sequence up to which the intake is done with; 0 before the hub has begun."""
    try:
        return int((await api(nc, f"CONSUMER.INFO.{INTAKE}.{ADMISSION}"))["ack_floor"]["stream_seq"])
    except JetStreamRefused as refused:
        if refused.reason not in ABSENT:
            raise
        return 0


@asynccontextmanager
async def _floor(url: str) -> AsyncIterator[Client]:
    """A connection to a plain server with two streams as the hub makes them."""
    nc = await nats.connect(url, max_reconnect_attempts=100, reconnect_time_wait=0.1)
    try:
        for config in stream_configs(StreamLimits())[:2]:
            await api(nc, f"STREAM.CREATE.{config['name']}", config)
        durable = {"durable_name": ADMISSION, "ack_policy": "all", "max_ack_pending": 4 * BATCH}
        body = {"stream_name": INTAKE, "config": durable}
        await api(nc, f"CONSUMER.DURABLE.CREATE.{INTAKE}.{ADMISSION}", body)
        yield nc
    finally:
        await nc.close()


async def _one_by_one(nc: Client, chains: Sequence[Chain], messages: Messages, now: int) -> float:
    """Seconds for fetching all of them, then verifying, then publishing."""
    messages = _by_turns(messages, len(chains))
    receipts = _receipts(messages, chains[0].kit.signing, now)
    keys = {chain.kit.endpoint: chain.kit.signing.public for chain in chains}
    signed = []
    for subject, data in messages:  # what only taking a frame apart gives, beforehand
        frame = parse_frame(data)
        message = signed_message(frame.header_bytes, frame.body)
        key = keys[subject.rsplit(".", 1)[-1]]
        signed.append((frame.header_bytes, frame.body, frame.signature + message, key))
    await _filled(nc, messages)
    start, fetched = time.perf_counter(), []
    async with Pull(nc, INTAKE, ADMISSION, batch=BATCH) as pull:
        async for some in pull:
            fetched += some
            await some[-1].ack()
            if len(fetched) >= len(messages):
                break
    outgoing = []
    for each, (header, body, message, key) in zip(fetched, signed, strict=True):
        json.loads(header)
        sha256(body).digest()
        crypto_sign_open(message, key)
        name = {"Nats-Msg-Id": sha256(each.data).hexdigest()}
        outgoing.append(Outgoing("f" + each.subject.removeprefix("in"), each.data, name))
    for begin, answers in receipts.items():
        await publish_batch(nc, [*outgoing[begin : begin + BATCH], *answers], batch_id=uuid4().hex)
    return time.perf_counter() - start


def _receipts(messages: Messages, signer: Signer, now: int) -> dict[int, list[Outgoing]]:
    """For each batch, by where it begins, the hub's answers to all of it."""
    made = {}
    for begin in range(0, len(messages), BATCH):
        answers = [
            Answer(subject.rsplit(".", 1)[-1], sha256(data).hexdigest(), ADMITTED, now)
            for subject, data in messages[begin : begin + BATCH]
        ]
        made[begin] = [
            Outgoing(receipts_for(to), data, {TTL_HEADER: RECEIPT_TTL})
            for to, data in issue(answers, signer).items()
        ]
    return made


def _by_turns(messages: Messages, publishers: int) -> Messages:
    """As the hub takes them, so that a batch answers to as few."""
    places = range(len(messages))
    in_turns = sorted(places, key=lambda place: (place // (TURN * publishers), place % publishers, place))
    return [messages[place] for place in in_turns]
