"""Who is in the room: sessions in memory, so that none outlives the process or lies on a disk.

Pure but for chance, which is passed in. A session ends after a quarter of an hour without a page, after an
hour in any case, and with its officer.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bots.state.officers import Officer
from bots.state.room import Vouched

IDLE_SECONDS: Final = 900.0
WHOLE_SECONDS: Final = 3_600.0
EACH_MAX: Final = 5
"""Sessions of one officer at once; the oldest makes room."""
ALL_MAX: Final = 5_000
_STEP_SECONDS: Final = 5.0
"""How far a clock may step back: more ends a session."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in officer. `csrf` stands in every form; `era` as in `RoomKeys`; times in Unix seconds."""

    officer: int
    name: str
    person: int | None
    vouched: Vouched
    era: int
    csrf: str
    began: float
    seen: float
    writes: bool = False
    """Whether its officer may write by now; for what the page offers."""
    passkey: bool = False
    """Whether it began with a passkey; for what the page says of that."""

    def of(self, officer: Officer, era: int) -> bool:
        """Whether `officer` is still the one who signed in, from the same chat, and that still counts."""
        now = (officer.id, officer.name, officer.person, era)
        return now == (self.officer, self.name, self.person, self.era)

    def holds(self, token: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(self.csrf.encode(), token.encode(errors="replace"))


class Sessions:
    """At most `most` sessions, by the SHA-256 of their ids. `new_key` gives 256 bits of chance in 43
    characters.
    """

    def __init__(self, new_key: Callable[[], str], most: int = ALL_MAX) -> None:
        self._new_key = new_key
        self._most = most
        self._held: dict[bytes, Session] = {}

    def begin(
        self, officer: Officer, vouched: Vouched, era: int, now: float, *, passkey: bool = False
    ) -> str:
        """The id of a new session."""
        self._sweep(now)
        mine = [key for key, each in self._held.items() if each.officer == officer.id]
        for key in mine[: max(0, len(mine) - EACH_MAX + 1)]:
            del self._held[key]
        while len(self._held) >= self._most:
            del self._held[next(iter(self._held))]
        token = self._new_key()
        self._held[_key(token)] = Session(
            officer.id,
            officer.name,
            officer.person,
            vouched,
            era,
            self._new_key(),
            now,
            now,
            passkey=passkey,
        )
        return token

    def find(self, token: str | None, now: float) -> Session | None:
        """The session of that id, which is seen now; None when there is none or it has ended."""
        if token is None or not _TOKEN.match(token):
            return None
        key = _key(token)
        session = self._held.get(key)
        if session is None:
            return None
        if not lasts(session, now):
            del self._held[key]
            return None
        self._held[key] = seen = replace(session, seen=now)
        return seen

    def end(self, token: str | None) -> None:
        """End a session; none is fine."""
        if token is not None:
            self._held.pop(_key(token), None)

    def _sweep(self, now: float) -> None:
        self._held = {key: each for key, each in self._held.items() if lasts(each, now)}


def lasts(session: Session, now: float) -> bool:
    """Whether a session goes on."""
    idle, whole = now - session.seen, now - session.began
    return -_STEP_SECONDS <= idle < IDLE_SECONDS and -_STEP_SECONDS <= whole < WHOLE_SECONDS


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
