"""Frames that wait in the quarantine: those of revoked keys, for a frame of a successor's to stand on them;
those that are ahead of the directory or of its newest head, for the rest of it.

They are refused and kept like everything else that is refused; here stands only where each of them is, by its
hash, so that a later frame which cites it brings it back, in the order of the chain, before itself. The wrap
of an epoch that one of them announces waits with it. FORMAT.md, "Directory" and "Epochs".
"""

from collections.abc import Collection, Container, Iterable, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

import apsw

from schemas.errors import Code
from schemas.frame import EPOCH, HEARTBEAT, Frame
from subscribers.judging.authenticity import read_frame
from subscribers.judging.refused import Refused
from subscribers.judging.verdicts import Refused as Refusal
from subscribers.judging.verdicts import Settled, Skipped
from subscribers.storage.store import Store

MIGRATIONS: Final = (
    """
    CREATE TABLE held(name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """,
)
ANCESTORS_MAX: Final = 1024
"""Frames that one batch may bring back: what is behind them in the chain stays where it is."""
AHEAD: Final = frozenset({Code.LOG_BEHIND, Code.STALE_HEAD})
"""Refusals that the directory, or a head of it, may yet put right."""
_WAIT: Final = AHEAD | {Code.REVOKED_KEY}
_WANTING: Final = frozenset(
    {
        Code.UNKNOWN_PUBLISHER,
        Code.UNKNOWN_KEY,
        Code.UNKNOWN_COMMUNITY,
        Code.NOT_MEMBER,
        Code.READ_ONLY_MEMBER,
    }
)
"""What a frame that cites no log itself is refused for where the log that its epoch cites is not here."""
_HASH_SIZE: Final = 32
_PRUNE: Final = (
    "DELETE FROM held WHERE number <= (SELECT max(number) FROM quarantine) - ?",
    "DELETE FROM quarantine WHERE number <= (SELECT max(number) FROM quarantine) - ?",
)


class Held(NamedTuple):
    """A frame or a wrap in the quarantine that may count yet."""

    name: str
    """A frame's hash, or `wrap_of` that of an announcement."""
    subject: str
    data: bytes


def wrap_of(announcement: str) -> str:
    """The name under which the wrap of an announced epoch is held."""
    return f"wrap {announcement}"


class Waits:
    """What waits, as one transaction sees it: `before` it, and what it adds to `held` and `released`."""

    def __init__(self, before: Mapping[str, Code], held: dict[str, Refused], released: list[str]) -> None:
        self._before = before
        self._held = held
        self._released = released

    def why(self, name: str) -> Code | None:
        """Why something waits; None when it does not."""
        if name in self._held:
            return self._held[name].code
        return None if name in self._released else self._before.get(name)

    def has(self, data: bytes) -> bool:
        """Whether these very bytes wait for the directory: what comes once more is read where it waits."""
        return bool(self._before or self._held) and self.why(sha256(data).hexdigest()) in AHEAD

    def release(self, name: str) -> Code | None:
        """It waits no longer; why it did."""
        code = self.why(name)
        if self._held.pop(name, None) is None and code is not None:
            self._released.append(name)
        return code

    def name_of(self, refused: Refused, *, wrap: bool) -> str:
        """The name under which something that was refused is to wait; nothing when it is not. `wrap`: it came
        where wraps do.
        """
        if refused.code in _WAIT:
            return sha256(refused.data).hexdigest()
        announcement = refused.data[:_HASH_SIZE].hex()
        joins = wrap and refused.code is Code.UNKNOWN_EPOCH and self.why(announcement) is not None
        return wrap_of(announcement) if joins else ""


def stands_on(verdict: Settled, *, looked: bool) -> str:
    """The hash of the frame without which one cannot be read; nothing for one that says itself how much of
    the directory it wants, or is refused whatever comes. `looked`: what waits was judged by the directory as
    it is; before that nobody passes it.
    """
    frame = verdict.frame
    if frame is None or (looked and frame.header.k in {EPOCH, HEARTBEAT}):
        return ""
    # A bulletin cites no log: whose its key is, and that it may speak here, may be in what its epoch cites.
    wants = isinstance(verdict, Refusal) and verdict.error.code in _WANTING
    return frame.header.prev if verdict.chain or isinstance(verdict, Skipped) or wants else ""


async def load(store: Store) -> dict[str, Code]:
    """The names of all that is held, oldest first, and why it was refused."""
    rows = await store.query("SELECT name, code FROM held JOIN quarantine USING (number) ORDER BY number")
    return {name: Code(code) for name, code in rows}


async def fetch(store: Store, names: Iterable[str], held: Container[str]) -> list[Held]:
    """These frames, in this order, each announcement with the wrap of its epoch."""
    found: list[Held] = []
    for name in names:
        if message := await _message(store, name):
            found.append(message)
            if (key := wrap_of(name)) in held and (wrap := await _message(store, key)):
                found.append(wrap)
    return found


async def ancestors(store: Store, held: Collection[str], last: str, most: int) -> list[Held]:
    """The frame with the hash `last` and those before it, as far as they are held, each announcement with the
    wrap of its epoch; oldest first, about `most`.
    """
    found: list[Held] = []
    while last in held and len(found) < most:
        message = await _message(store, last)
        frame = read_frame(message.subject, message.data) if message else None
        if message is None or not isinstance(frame, Frame):
            break
        name = wrap_of(last)
        if frame.header.k == EPOCH and name in held and (wrap := await _message(store, name)):
            found.append(wrap)
        found.append(message)
        last = frame.header.prev
    return found[::-1]


def save(connection: apsw.Connection, held: Iterable[tuple[str, int]], released: Iterable[str]) -> None:
    """Write down names with their numbers in the quarantine, and first take out of it what counts now."""
    for each in released:
        connection.execute(
            "DELETE FROM quarantine WHERE number = (SELECT number FROM held WHERE name = ?)", (each,)
        )
        connection.execute("DELETE FROM held WHERE name = ?", (each,))
    connection.executemany("INSERT OR REPLACE INTO held VALUES (?, ?)", held)


def prune(connection: apsw.Connection, most: int) -> None:
    """Leave the latest `most` refusals in the quarantine."""
    for sql in _PRUNE:
        connection.execute(sql, (most,))


async def _message(store: Store, name: str) -> Held | None:
    sql = "SELECT subject, data FROM quarantine JOIN held USING (number) WHERE name = ?"
    rows = await store.query(sql, (name,))
    return Held(name, *rows[0]) if rows else None  # none: pushed out of the quarantine by what came later
