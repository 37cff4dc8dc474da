"""The courier machine: it has a network and the endpoint's transport credential, and no key to read or sign
with. It carries parcels to the hub and writes what the hub has for the endpoint into parcels.

A parcel stays here until the node says, in a parcel of its own, that it has taken it in. A message is
acknowledged to the hub once it is on this machine's disk.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, Self

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.encoding import from_base64
from schemas.errors import Code, FormatError, LiaisonError, OperationError
from schemas.parcel import NO_PARCEL, ParcelHeader, Piece
from schemas.receipts import read
from schemas.signing import KEY_SIZE
from schemas.subjects import DIRECTORY, TRAFFIC, document_submission, receipts_for, wrap_submission
from subscribers.airgap.parcels import ParcelFile, checked, on_disk, pieces
from subscribers.exchange.enrolment import ADMISSION, KEYS
from subscribers.exchange.hub_link import Admission, connect, feed_settled, feed_state, stored
from subscribers.exchange.hub_tls import FILES, HubTls
from subscribers.exchange.in_order import InOrder
from subscribers.keys import NatsUser, read_nats_user
from subscribers.local.files import write_private
from subscribers.private_files import read_private, write_private_directory
from subscribers.pull import Pull, ack, place

log = structlog.get_logger(__name__)

_NATS_KEY: Final = "nats.key"
_CREDENTIAL: Final = "credential"
_STATE: Final = "courier.json"
_FILE_MAX: Final = 64 * 1024
_CONNECT_LIMIT: Final = 30
_LOOK_LIMIT: Final = 20.0
"""Seconds: longer than the server waits for an acknowledgement before it gives a message once more."""
_LOOK_PAUSE: Final = 0.02
Progress = Callable[[str, int], None]
"""What is being done, and how many messages of it are through."""


class Exchanged(BaseModel):
    """What one exchange did."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    submitted: int
    """Messages that the hub's intake has stored."""
    answered: int
    """Of these, how many the hub has answered; the rest comes with the next exchange."""
    received: int
    """Messages in the new parcel."""
    carry: list[str]
    """Parcels that the node has not confirmed, oldest first: copy them all."""


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    made: int = -1
    """The number of the last parcel for the node."""
    digest: str = NO_PARCEL
    carried: int = -1
    """The number of the last parcel of the node that was carried to the hub."""


class Courier(NamedTuple):
    """A courier's directory, read."""

    directory: Path
    admission: Admission
    user: NatsUser

    @classmethod
    def read(cls, directory: Path) -> "Courier":
        """OperationError `not_found`, `forbidden`, `wrong_key` or `bad_settings`."""
        return cls(directory, Admission.read(directory / ADMISSION), read_nats_user(directory / _CREDENTIAL))

    def parcel(self, number: int) -> Path:
        """Where the parcel of that number is, or will be."""
        return self.directory / f"in-{number:06}.parcel"

    def carry(self) -> list[Path]:
        """The parcels that are here, oldest first."""
        return sorted(self.directory.glob(f"in-{'[0-9]' * 6}.parcel"))


def prepare(state: Path, directory: Path) -> None:
    """A courier's directory from the node's: the admission, the transport credential and what of TLS lies
    beside it, nothing else. 0700.

    OperationError `not_enrolled`, `already_known`, `forbidden` or `disk_full`.
    """
    if not (state / ADMISSION).exists():
        raise OperationError(
            Code.NOT_ENROLLED, f"{state} holds no admission", "run `liaison-agency enrol` first"
        )
    credential = read_private(state / KEYS / _NATS_KEY, _FILE_MAX)
    tls = {name: (state / name).read_bytes() for name in FILES if (state / name).is_file()}
    write_private_directory(directory, {ADMISSION: (state / ADMISSION).read_bytes(), **tls})
    write_private_directory(directory / _CREDENTIAL, {_NATS_KEY: credential})


async def exchange(
    courier: Courier, parcels: Sequence[Path], now: Callable[[], int], wait: float, progress: Progress
) -> Exchanged:
    """Carry the node's `parcels` to the hub, then write what the hub has into a new parcel. Safe to repeat.

    `wait` is how many seconds the hub's answers are waited for. Raises OperationError `hub_unreachable`,
    `bad_parcel`, `disk_full`; FormatError for a damaged parcel.
    """
    endpoint = courier.admission.endpoint
    headers = [(await checked(each, endpoint, "out"))[0] for each in parcels]
    state = _load(courier.directory)
    if any(header.received > state.made for header in headers):
        raise OperationError(
            Code.BAD_PARCEL,
            "it confirms a parcel that this courier has not made",
            "bring it to the courier that made it; nothing was deleted here",
        )
    async with _connected(courier) as nc:
        sent: set[str] = set()
        for path in parcels:
            sent |= await _carry(nc, path, endpoint, progress)
        for header in headers:
            state = state.model_copy(update={"carried": max(state.carried, header.number)})
            _forget(courier, header.received)
        _save(courier.directory, state)
        answered, received, state = await _fetch(courier, nc, state, sent, now, wait, progress)
    return Exchanged(
        submitted=len(sent),
        answered=answered,
        received=received,
        carry=[str(each) for each in courier.carry()],
    )


@contextlib.asynccontextmanager
async def _connected(courier: Courier) -> AsyncIterator[Client]:
    async def ignored(*_: object) -> None:
        pass

    try:
        async with asyncio.timeout(_CONNECT_LIMIT):
            tls = HubTls.beside(courier.directory)
            user, admission = courier.user, courier.admission
            nc = await connect(admission, user, ignored, ignored, tls, _CONNECT_LIMIT)
        try:
            yield nc
        finally:
            await nc.close()
    except (NatsError, OSError, TimeoutError) as error:
        fix = "check the hub's address in the admission file, and that the hub is up"
        raise OperationError(
            Code.HUB_UNREACHABLE, f"the hub has not answered: {type(error).__name__}", fix
        ) from None


async def _carry(nc: Client, path: Path, endpoint: str, progress: Progress) -> set[str]:
    sent = set()
    async for chunk in pieces(path):
        for piece in chunk:
            if not _may_submit(piece.subject, endpoint):
                raise OperationError(
                    Code.BAD_PARCEL,
                    "it holds what this endpoint may not submit",
                    "have the node export it again",
                )
            await stored(nc, piece.subject, piece.data)
            sent.add(sha256(piece.data).hexdigest())
            progress("submitted", len(sent))
    return sent


def _may_submit(subject: str, endpoint: str) -> bool:
    other = {document_submission(endpoint), wrap_submission(endpoint)}
    return subject in other or (subject.startswith("in.") and subject.endswith(f".{endpoint}"))


async def _fetch(
    courier: Courier,
    nc: Client,
    state: _State,
    sent: set[str],
    now: Callable[[], int],
    wait: float,
    progress: Progress,
) -> tuple[int, int, _State]:
    """What the hub has, the directory first: what follows is judged by it."""
    number, path = state.made + 1, courier.parcel(state.made + 1)
    if path.exists():  # finished, and ended before it was noted
        header, digest = await checked(path, courier.admission.endpoint, "in")
        state = state.model_copy(update={"made": header.number, "digest": digest})
        _save(courier.directory, state)
        number, path = state.made + 1, courier.parcel(state.made + 1)
    header = ParcelHeader(
        endpoint=courier.admission.endpoint, direction="in", number=number, previous=state.digest,
        received=state.carried, made=now(),
    )  # fmt: skip
    file = on_disk(lambda: ParcelFile(path, header), path)
    fetch = _Fetch(courier, file, sent, progress)
    try:
        async with Feed.of(nc, DIRECTORY, header.endpoint) as directory:
            await fetch.drain(directory)
            async with Feed.of(nc, TRAFFIC, header.endpoint) as traffic:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await fetch.drain(traffic, until=lambda: not fetch.open)
            await fetch.drain(directory)  # what our own documents have changed
    except BaseException:
        on_disk(file.pause, path)  # gone on with next time
        raise
    if file.count == 0:
        file.discard()
        return len(sent) - len(fetch.open), 0, state
    digest = on_disk(file.finish, path)
    state = state.model_copy(update={"made": number, "digest": digest})
    _save(courier.directory, state)
    return len(sent) - len(fetch.open), file.count, state


class Feed(NamedTuple):
    """One of the two feeds, pulled for as long as the connection stands: what was handed back between two
    looks could come again in another order.
    """

    nc: Client
    stream: str
    pull: Pull
    order: InOrder

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, nc: Client, stream: str, endpoint: str) -> AsyncIterator[Self]:
        """Pulled from now on."""
        await feed_settled(nc, stream)
        async with Pull(nc, stream=stream, durable=endpoint) as pull:
            yield cls(nc, stream, pull, InOrder())

    async def drain(self, until: Callable[[], bool]) -> AsyncIterator[list[Msg]]:
        """Lists of all that the hub has now, and of more until `until()` holds. Each is to be acknowledged
        before the next is asked for.
        """
        if not await self._has_more() and until():
            return
        async for messages in self.pull:
            self.order.follow(messages)
            yield messages
            if until() and not await self._has_more():
                return

    async def _has_more(self) -> bool:
        """Whether there is anything that was not given to us yet, or is on its way: how many are left behind
        a message was counted when that was given.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_LIMIT):
                while not self.pull.unread:
                    state = await feed_state(self.nc, self.stream)
                    if state.num_pending or not state.num_ack_pending:
                        return state.num_pending > 0
                    await asyncio.sleep(_LOOK_PAUSE)  # our acknowledgements are on their way, or a message is
        return self.pull.unread > 0


class _Fetch:
    """Takes both feeds into one parcel."""

    def __init__(self, courier: Courier, file: ParcelFile, sent: set[str], progress: Progress) -> None:
        self._endpoint = courier.admission.endpoint
        self._hub_key = from_base64(courier.admission.hub.key, KEY_SIZE)
        self._file = file
        self._progress = progress
        self.open = set(sent)
        """Submissions that have no answer yet."""

    async def drain(self, feed: Feed, until: Callable[[], bool] = lambda: True) -> None:
        """Everything that the hub has now; more, until `until()` holds."""
        async for messages in feed.drain(until):
            for message in messages:
                self._take(message)
            on_disk(self._file.sync, self._file.path)
            for message in messages:
                await ack(message)
            self._progress("received", self._file.count)

    def _take(self, message: Msg) -> None:
        piece = Piece(message.subject, message.data, place(message).sequence)
        try:
            on_disk(lambda: self._file.add(piece), self._file.path)
        except FormatError as error:  # nothing that a node could take: it must not hold up the rest
            log.warning("message left out", code=str(error.code))
        if message.subject == receipts_for(self._endpoint):
            with contextlib.suppress(LiaisonError):  # judged by the node; here it only ends the wait
                answers = read(message.data, self._endpoint, self._hub_key)
                self.open -= {each.sha256 for each in answers}


def _forget(courier: Courier, received: int) -> None:
    for path in courier.carry():
        if path <= courier.parcel(received):
            path.unlink()


def _load(directory: Path) -> _State:
    path = directory / _STATE
    if not path.exists():
        return _State()
    try:
        return _State.model_validate_json(read_private(path, _FILE_MAX))
    except ValidationError:
        raise OperationError(
            Code.STORE_CORRUPT, f"{path} is damaged", "make the courier's directory anew"
        ) from None


def _save(directory: Path, state: _State) -> None:
    write_private(directory / _STATE, json.dumps(state.model_dump()).encode())
