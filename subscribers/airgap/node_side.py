"""A node without a network: what it has for the hub goes out in parcels, what the hub has for it comes in.

The same messages take the same way as over a connection, through the same checks; a parcel only stands in for
it. What goes out is everything that has no receipt yet, so a parcel that gets lost costs nothing; what comes
in is numbered, and a missing parcel is refused to be passed over unless somebody says so.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from schemas.documents import parse_document, parse_membership
from schemas.errors import Code, OperationError
from schemas.limits import DOCUMENT_MAX
from schemas.parcel import NO_PARCEL, ParcelHeader, Piece
from schemas.receipts import ADMITTED
from schemas.signing import MEMBERSHIP_TYPE
from schemas.subjects import document_submission
from subscribers.airgap.parcels import checked, on_disk, pieces, written
from subscribers.api import Exported, Imported
from subscribers.directory.feed import DirectoryFeed
from subscribers.exchange.batch import Piece as FeedPiece
from subscribers.exchange.outbox import Outbox
from subscribers.exchange.traffic_feed import TrafficFeed
from subscribers.storage.store import Store

MIGRATIONS: Final = (
    """
    CREATE TABLE parcels(
        direction TEXT PRIMARY KEY, number INTEGER NOT NULL, digest TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)
_AT_ONCE: Final = 256
_DIRECTORY: Final = ("d.", "m.")


class _Last(NamedTuple):
    number: int = -1
    digest: str = NO_PARCEL


class AirGap:
    """Writes and takes in parcels; one at a time."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        directory: DirectoryFeed,
        traffic: TrafficFeed,
        endpoint: str,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._directory = directory
        self._traffic = traffic
        self._endpoint = endpoint
        self._clock = clock
        self._busy = asyncio.Lock()

    async def export(self, path: Path, documents: Sequence[Path]) -> Exported:
        """Everything that waits for the hub, and signed documents from files, into a new parcel at `path`.

        Raises OperationError `already_known`, `disk_full`, `not_found`; FormatError for a document.
        """
        async with self._busy:
            signed = [await asyncio.to_thread(_document, each) for each in documents]
            last = await self._last("out")
            header = ParcelHeader(
                endpoint=self._endpoint, direction="out", number=last.number + 1, previous=last.digest,
                received=(await self._last("in")).number, made=self._clock(),
            )  # fmt: skip
            submissions, after = 0, 0
            with written(path, header) as file:
                for each in signed:
                    on_disk(partial(file.add, Piece(document_submission(self._endpoint), each)), path)
                while waiting := await self._outbox.waiting(after, _AT_ONCE):
                    for submission in waiting:
                        on_disk(partial(file.add, Piece(submission.subject, submission.raw)), path)
                    after = waiting[-1].number
                    submissions += len(waiting)
                digest = on_disk(file.finish, path)
            await self._note("out", _Last(header.number, digest))
            return Exported(
                path=str(path), number=header.number, submissions=submissions, documents=len(signed)
            )

    async def take(self, path: Path, *, skip: bool) -> Imported:
        """Take in a parcel from the courier. One that was taken in before changes nothing. `skip`: although
        earlier ones are missing.

        Raises FormatError or OperationError `bad_parcel`, `truncated`, `gap`, `not_found`.
        """
        async with self._busy:
            header, digest = await checked(path, self._endpoint, "in")
            last = await self._last("in")
            missing = list(range(last.number + 1, header.number))
            self._check_order(header, last, skip=skip)
            counts, refused = await self._apply(path)
            if header.number > last.number:
                await self._note("in", _Last(header.number, digest))
            return Imported(
                number=header.number, missing=missing[:_AT_ONCE], directory=counts["directory"],
                traffic=counts["traffic"], admitted=counts["admitted"], refused=dict(refused),
            )  # fmt: skip

    async def last(self) -> tuple[int, int]:
        """The numbers of the last parcels out and in; -1 for none."""
        return (await self._last("out")).number, (await self._last("in")).number

    def _check_order(self, header: ParcelHeader, last: _Last, *, skip: bool) -> None:
        if header.number <= last.number or skip:
            return
        if header.number > last.number + 1:
            first = last.number + 1
            raise OperationError(
                Code.GAP,
                f"parcel {first} comes before parcel {header.number} and has not been taken in",
                "import it first: the courier keeps it until then; `--skip` goes on without it for good",
            )
        if header.previous != last.digest:
            raise OperationError(
                Code.FORK,
                f"parcel {header.number} follows another parcel {last.number} than the one taken in here",
                "ask the courier whether its directory was made anew; `--skip` takes it all the same",
            )

    async def _apply(self, path: Path) -> tuple[Counter[str], Counter[str]]:
        counts: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        # The whole directory first: a document may have come to the courier behind a frame that cites it.
        async for chunk in pieces(path):
            for piece in chunk:
                if piece.subject.startswith(_DIRECTORY):
                    await self._directory.take(piece.subject, piece.data)
                    counts["directory"] += 1
        await self._traffic.look_again()
        async for chunk in pieces(path):
            batch = [FeedPiece(*each) for each in chunk if not each.subject.startswith(_DIRECTORY)]
            for at in range(0, len(batch), _AT_ONCE):
                await self._flush(batch[at : at + _AT_ONCE], counts, refused)
        return counts, refused

    async def _flush(self, batch: list[FeedPiece], counts: Counter[str], refused: Counter[str]) -> None:
        for answer in await self._traffic.take(batch, live=False):
            counts["admitted"] += answer.code == ADMITTED
            if answer.code != ADMITTED:
                refused[answer.code] += 1
        counts["traffic"] += len(batch)

    async def _last(self, direction: str) -> _Last:
        rows = await self._store.query("SELECT number, digest FROM parcels WHERE direction = ?", (direction,))
        return _Last(*rows[0]) if rows else _Last()

    async def _note(self, direction: str, last: _Last) -> None:
        def write(connection: apsw.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO parcels VALUES (?, ?, ?)", (direction, *last))

        await self._store.transact(write)


def _document(path: Path) -> bytes:
    """A signed document or membership entry, well-formed."""
    try:
        with path.open("rb") as file:
            raw = file.read(DOCUMENT_MAX + 1)
    except OSError as error:
        raise OperationError(
            Code.NOT_FOUND, f"{path} cannot be read: {error.strerror}", "check the path"
        ) from None
    (parse_membership if MEMBERSHIP_TYPE.encode() in raw else parse_document)(raw)
    return raw
