"""The newest head of the directory that the witnesses vouch for, and what this node does once it is stale.
Pure. FORMAT.md, "Checkpoints"; docs/decisions/0016.
"""

from typing import NamedTuple

from schemas.checkpoint import ALWAYS_FRESH, Cosigned, Note, check_not_ahead, check_note, fresh_until
from schemas.directory import Directory
from schemas.encoding import from_base64
from schemas.errors import Code, TrustError
from schemas.limits import CLOCK_SKEW_MAX
from schemas.merkle import Head
from schemas.signing import KEY_SIZE


class KeptHead(NamedTuple):
    """A verified note: the newest that there was. `times` as in `schemas.checkpoint.Cosigned`."""

    note: Note
    times: tuple[int, ...]

    @property
    def head(self) -> Head:
        """Size and root."""
        return self.note.checkpoint.head


def judge_head(
    directory: Directory, origin: str, kept: KeptHead | None, note: Note, now: int
) -> KeptHead | None:
    """The head to keep; None when the note is no news. `now` in Unix milliseconds. TrustError
    `bad_checkpoint`, `witness_shortfall`, `from_the_future`, `log_behind`, `split_view` or `rollback`.
    """
    root, head = directory.root, note.checkpoint.head
    had = head.size <= directory.head.size and directory.roots[head.size] == head.root
    earlier = kept is not None and head.size < kept.head.size
    hub_key = from_base64(directory.hub.key, KEY_SIZE) if directory.hub else b""
    try:
        cosigned = check_note(note, origin, hub_key, root.witnesses, root.quorum)
    except TrustError:
        if had and earlier:
            return None  # sent again from the log's past, when other witnesses or another hub key counted
        raise
    if head.size > directory.head.size:
        raise TrustError(
            Code.LOG_BEHIND,
            f"a head of {head.size} documents, of which {directory.head.size} came and hold",
            "see the quarantine; then ask the hub's operator what was withheld",
        )
    if not had:
        raise TrustError(
            Code.SPLIT_VIEW,
            "the witnesses vouch for another directory than the hub has shown us",
            "stop, and compare the log's heads with another agency by another way",
        )
    check_not_ahead(cosigned, root.quorum, now)
    found = KeptHead(note, cosigned.times)
    if kept is not None and head.size <= kept.head.size:
        return _again(kept, found, root.quorum)
    return found


def _again(kept: KeptHead, found: KeptHead, quorum: int) -> KeptHead | None:
    """A head no longer than the one that is kept. An honest witness never goes back, by more than clocks
    differ.
    """
    if found.head.size < kept.head.size:
        if quorum and _time(found, quorum) > _time(kept, quorum) + CLOCK_SKEW_MAX:
            raise TrustError(
                Code.ROLLBACK,
                "the witnesses vouch for an older directory than they did before",
                "stop, and ask the witnesses: one was set back, or its key is in other hands",
            )
        return None
    return found if found.times > kept.times else None


def _time(kept: KeptHead, quorum: int) -> int:
    """When the last of a quorum saw it; 0 where there is none, for other witnesses count now."""
    return kept.times[quorum - 1] if len(kept.times) >= quorum else 0


def until(directory: Directory, kept: KeptHead | None) -> int:
    """Unix ms from which the node has no fresh head; `ALWAYS_FRESH` under a quorum of 0."""
    root = directory.root
    if not root.quorum:
        return ALWAYS_FRESH
    if kept is None or len(kept.times) < root.quorum:
        return 0
    return fresh_until(Cosigned(kept.head, kept.times), root.quorum, root.freshness)


def stale(fix_for: str) -> TrustError:
    """The refusal of what a stale head does not allow."""
    return TrustError(
        Code.STALE_HEAD,
        f"the witnesses have not vouched for the directory in time: {fix_for}",
        "see `liaison-agency doctor`; wait for the witnesses, or call the secretariat",
    )
