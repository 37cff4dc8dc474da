"""The newest head that the witnesses vouched for, as the node keeps it beside its directory."""

from hashlib import sha256
from typing import Final

import apsw

from schemas.checkpoint import ALWAYS_FRESH, origin_of, parse_note
from schemas.directory import Directory
from schemas.encoding import instant
from subscribers.directory.heads import KeptHead, judge_head, until
from subscribers.judging.alarms import AlarmKey, AlarmName, end_alarms
from subscribers.storage.store import Store

MIGRATIONS: Final = (
    """
    CREATE TABLE head(
        one INTEGER PRIMARY KEY CHECK (one = 1), note BLOB NOT NULL, times TEXT NOT NULL
    ) STRICT;
    """,
)
_UNTIL_FRESH: Final = (AlarmName.STALE_HEAD, AlarmName.WITNESS_SHORTFALL)


class Vouched:
    """The memory image of the head's table, and at which size of the directory each signing key came."""

    def __init__(self) -> None:
        self.kept: KeptHead | None = None
        self.origin = ""
        """The directory's name in checkpoints."""
        self._came: dict[str, int] = {}
        self._identities: dict[str, int] = {}
        """At which size each agency's identity was last replaced."""
        self._leaning: dict[str, int] = {}
        """Signing keys that such an identity has bound, with that size."""

    async def load(self, store: Store) -> None:
        """What was committed."""
        for note, times in await store.query("SELECT note, times FROM head"):
            self.kept = KeptHead(parse_note(note), tuple(map(int, times.split())))

    def grown(self, before: Directory | None, after: Directory, data: bytes) -> None:
        """The directory has taken the document `data`."""
        if before is None:
            self.origin = origin_of(sha256(data).digest())
            return
        for kid in after.signers.keys() - before.signers.keys():
            self._came[kid] = after.head.size
            if replaced := self._identities.get(after.signers[kid].agency):
                self._leaning[kid] = replaced
        changed = {} if after.identities is before.identities else before.identities.held
        for agency, held in changed.items():
            if len(after.identities.held[agency]) > len(held):
                self._identities[agency] = after.head.size

    def withheld(self, directory: Directory, now: int) -> frozenset[str]:
        """Signing keys that are not taken up at `now`: those that came after the newest head, while that is
        stale; and always those that rest on a replaced identity which no witness has vouched for. A node that
        has had no head yet believes what it was begun with.
        """
        if self.kept is None:
            return frozenset()
        size = self.kept.head.size
        waiting = self._leaning if directory.root.quorum else {}
        withheld = frozenset(kid for kid, replaced in waiting.items() if replaced > size)
        if now < until(directory, self.kept):
            return withheld
        return withheld | {kid for kid, came in self._came.items() if came > size}

    def sealing_until(self, directory: Directory) -> int:
        """Unix ms from which nothing is sealed to a key that was not sealed to before: when the head is
        stale, and at once while an identity was replaced behind it. The keys that such an identity binds, and
        the members that it lets in, may be the work of whoever wrote the documents for this node alone.
        """
        behind = max(self._identities.values(), default=0)
        if directory.root.quorum and self.kept is not None and behind > self.kept.head.size:
            return 0
        return until(directory, self.kept)

    def vouches(self, directory: Directory, agency: str) -> bool:
        """Whether the newest head reaches the identity that counts for an agency, so that others believe keys
        which it binds; without witnesses always.
        """
        reached = self.kept.head.size if self.kept else 0
        return not directory.root.quorum or self._identities.get(agency, 0) <= reached

    def reaches(self, directory: Directory, kid: str) -> bool:
        """Whether the newest head that a quorum vouched for has the document that binds a signing key."""
        kept = self.kept
        if kept is None or len(kept.times) < max(1, directory.root.quorum):
            return False
        return self._came.get(kid, kept.head.size + 1) <= kept.head.size

    def shown_until(self, directory: Directory) -> str | None:
        """When the head becomes stale, for people; None when it never does."""
        moment = until(directory, self.kept)
        return None if moment >= ALWAYS_FRESH else instant(moment)

    async def take(self, store: Store, directory: Directory, data: bytes, now: int) -> bool:
        """Check and keep a head; whether it is news. FormatError, or TrustError as `heads.judge_head`."""
        kept = judge_head(directory, self.origin, self.kept, parse_note(data), now)
        if kept is None:
            return False

        def write(connection: apsw.Connection) -> None:
            times = " ".join(map(str, kept.times))
            connection.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?)", (kept.note.to_bytes(), times))
            if now < until(directory, kept):
                end_alarms(connection, map(AlarmKey, _UNTIL_FRESH), now)

        await store.transact(write)
        self.kept = kept
        return True
