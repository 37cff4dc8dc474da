"""The witness as it runs: one durable of the hub's directory, one answer to each offer that holds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import filelock
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from schemas.checkpoint import Checkpoint, Note, cosign, origin_of, parse_note
from schemas.encoding import from_base64
from schemas.errors import Code, LiaisonError, OperationError
from schemas.limits import DOCUMENT_MAX
from schemas.subjects import (
    DIRECTORY,
    DIRECTORY_DOCUMENTS,
    DIRECTORY_HEAD,
    DIRECTORY_OFFER,
    cosignature_submission,
)
from subscribers.clock import now_ms
from subscribers.exchange.hub_connection import HubUser, connect_as
from subscribers.exchange.hub_link import feed_settled, trouble_of, until_closed
from subscribers.exchange.hub_tls import PLAIN, HubTls
from subscribers.pull import Pull, ack, place
from subscribers.witness.judgement import Us, check_head, check_offer
from subscribers.witness.keys import ADMISSION, WitnessAdmission, WitnessKeys
from subscribers.witness.notebook import Notebook

log = structlog.get_logger(__name__)

_FIRST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 30.0
_STORED_WAIT: Final = 10.0
_QUIET: Final = frozenset({Code.ALREADY_KNOWN})


class Offered(NamedTuple):
    """An offer that holds. `sequence` is its place in the hub's stream."""

    note: Note
    sequence: int


class Witness:
    """Follows one directory. Made by `Witness.open`, which holds the lock on its state."""

    def __init__(
        self,
        keys: WitnessKeys,
        admission: WitnessAdmission,
        notebook: Notebook,
        clock: Callable[[], int],
        tls: HubTls = PLAIN,
    ) -> None:
        self._tls = tls
        self.notebook = notebook
        self._keys = keys
        self._admission = admission
        self._clock = clock
        root = from_base64(admission.root, DOCUMENT_MAX)
        self.name = keys.name
        self._us = Us(origin_of(sha256(root).digest()), keys.name, keys.witness.public)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, state: Path, clock: Callable[[], int]) -> AsyncIterator[Self]:
        """Everything read back and verified. OperationError `not_enrolled`, `already_running`, `wrong_key`,
        `store_corrupt`, `disk_full`.
        """
        keys, admission = WitnessKeys.load(state), WitnessAdmission.read(state / ADMISSION)
        with _lock(state):
            async with await Notebook.open_store(state, keys.store) as store:
                notebook = await Notebook.load(store, from_base64(admission.root, DOCUMENT_MAX))
                yield cls(keys, admission, notebook, clock, HubTls.beside(state))

    async def run(self) -> None:
        """Keep a connection and answer offers, until cancelled. Raises OperationError of the own disk."""
        wait = _FIRST_WAIT
        while True:
            before = self.notebook.last
            try:
                async with self._connection() as (nc, closed), asyncio.TaskGroup() as group:
                    group.create_task(until_closed(closed))
                    group.create_task(self._follow(nc))
            except* (NatsError, OSError, OperationError, TimeoutError) as errors:
                if own := errors.subgroup(_is_own):
                    raise own from None
                wait = _FIRST_WAIT if self.notebook.last != before else wait
                log.warning("hub connection lost", reason=trouble_of(errors), retry_seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[Client, asyncio.Event]]:
        closed = asyncio.Event()

        async def on_closed() -> None:
            closed.set()

        async def on_error(error: Exception) -> None:
            log.warning("hub connection in trouble", reason=type(error).__name__)

        ours = self._admission
        name, tls = f"liaison-witness {ours.endpoint[:8]}", self._tls
        user = HubUser(name, ours.urls, ours.user_jwt, self._keys.nats, tls)
        nc = await connect_as(user, on_closed, on_error)
        log.info("hub connected")
        try:
            yield nc, closed
        finally:
            await nc.close()

    async def _follow(self, nc: Client) -> None:
        await feed_settled(nc, DIRECTORY)
        durable = self._admission.endpoint
        async with Pull(nc, stream=DIRECTORY, durable=durable, lost=Code.HUB_UNREACHABLE) as pull:
            async for messages in pull:
                offered = await self.take(messages)
                if offered:
                    checkpoint, at = await self.bind(offered)
                    await self._submit(nc, self.sign(checkpoint, offered.note, at))
                for message in messages:
                    await ack(message)

    async def take(self, messages: Sequence[Msg]) -> Offered | None:
        """Judge what came, in its order; the newest offer that holds, if any. What does not hold is kept and
        told.
        """
        newest = None
        for message in messages:
            try:
                sequence = place(message).sequence
                newest = await self._one(message.subject, message.data, sequence) or newest
            except OperationError:
                raise
            except LiaisonError as error:
                if error.code in _QUIET:
                    continue
                await self._refuse(error, message)
        return newest

    async def _refuse(self, error: LiaisonError, message: Msg) -> None:
        log.error("refused", code=str(error.code), subject=message.subject, reason=error.message)
        await self.notebook.refuse(error, message.data, self._clock())

    async def _one(self, subject: str, data: bytes, sequence: int) -> Offered | None:
        book = self.notebook
        if subject == DIRECTORY_DOCUMENTS:
            await book.append(data, self._clock())
        elif subject == DIRECTORY_HEAD:
            check_head(book.directory, self._us, parse_note(data))
        elif subject == DIRECTORY_OFFER:
            note = parse_note(data)
            if sequence <= book.seen and book.last and note.checkpoint.head.size < book.last[0].size:
                check_head(book.directory, self._us, note)
                return None  # it comes again: an acknowledgement was lost
            check_offer(book.directory, self._us, book.last[0] if book.last else None, note)
            if (until := book.held_until(note.checkpoint.head.size)) > self._clock():
                log.warning("head held: an identity was replaced before its time", until=until)
                return None
            return Offered(note, sequence)
        return None

    async def bind(self, offered: Offered) -> tuple[Checkpoint, int]:
        """Put on disk what is about to be signed; the checkpoint, and when (Unix ms)."""
        checkpoint, at = offered.note.checkpoint, self._clock()
        await self.notebook.commit(checkpoint.head, at, offered.sequence)
        return checkpoint, at

    def sign(self, checkpoint: Checkpoint, note: Note, at: int) -> Note:
        """The note with our cosignature. Call after `bind`."""
        ours = cosign(checkpoint, self._keys.name, at // 1000, self._keys.witness)
        return note._replace(signatures=(*note.signatures[:1], ours))

    async def _submit(self, nc: Client, note: Note) -> None:
        subject = cosignature_submission(self._admission.endpoint)
        await nc.request(subject, note.to_bytes(), timeout=_STORED_WAIT)
        log.info("head cosigned", size=note.checkpoint.head.size)


async def state_of(state: Path, listed: int) -> dict[str, Any]:
    """For `status`: what the witness has seen, signed and refused, from its disk; whether it runs."""
    keys, admission = WitnessKeys.load(state), WitnessAdmission.read(state / ADMISSION)
    async with await Notebook.open_store(state, keys.store) as store:
        book = await Notebook.load(store, from_base64(admission.root, DOCUMENT_MAX))
        refusals = await book.refusals(listed)
    head, at = book.last or (None, None)
    identities, held = book.directory.identities, book.held_until(book.directory.head.size)
    return {
        "witness": keys.name,
        "endpoint": admission.endpoint,
        "running": _is_running(state),
        "named": any(each.name == keys.name for each in book.directory.root.witnesses),
        "documents": book.directory.head.size,
        "replacements": [
            {"agency": each.agency, "effective": each.nbf, "disputed": each.agency in identities.disputed}
            for each in identities.pending.values()
        ],
        "held_until": held if held > now_ms() else None,
        "cosigned": head and {"size": head.size, "root": head.root.hex(), "at": at},
        "refused": [each._asdict() for each in refusals],
    }


def _is_own(error: BaseException) -> bool:
    return isinstance(error, OperationError) and error.code is not Code.HUB_UNREACHABLE


@contextlib.contextmanager
def _lock(state: Path) -> Iterator[None]:
    try:
        with filelock.FileLock(state / "witness.lock", timeout=0):
            yield
    except filelock.Timeout:
        raise OperationError(
            Code.ALREADY_RUNNING, "another witness runs on this state", "stop it first: one key, one process"
        ) from None


def _is_running(state: Path) -> bool:
    try:
        with _lock(state):
            return False
    except OperationError:
        return True
