"""Whether a head follows from everything that this witness has seen. Pure.

The witness holds the whole log, so consistency needs no proof: its own replica had one root at each size.
"""

from typing import Final, NamedTuple

from schemas.checkpoint import Checkpoint, Note, check_note
from schemas.directory import Directory
from schemas.encoding import from_base64, to_base64
from schemas.errors import Code, TrustError
from schemas.merkle import Head
from schemas.signing import KEY_SIZE

_COMPARE: Final = "do not go on: compare this head with other witnesses and the hub's operator"


class Us(NamedTuple):
    """This witness as the root may name it; `origin` is the log's."""

    origin: str
    name: str
    key: bytes


def check_head(directory: Directory, us: Us, note: Note) -> Checkpoint:
    """That the log's key signed this head and that it is one that our replica had. TrustError
    `bad_checkpoint`, `log_behind` (documents were withheld, or do not hold) or `split_view`.
    """
    hub_key = from_base64(directory.hub.key, KEY_SIZE) if directory.hub else b""
    head = check_note(note, us.origin, hub_key, (), 0).head
    if head.size > directory.head.size:
        raise TrustError(
            Code.LOG_BEHIND,
            f"a head of {head.size} documents, of which {directory.head.size} came and hold",
            "see what was refused; ask the hub's operator for the rest",
        )
    if directory.roots[head.size] != head.root:
        raise TrustError(
            Code.SPLIT_VIEW, f"another head at {head.size} documents than the log that we have", _COMPARE
        )
    return note.checkpoint


def check_offer(directory: Directory, us: Us, last: Head | None, note: Note) -> Checkpoint:
    """The checkpoint to cosign, when it is not behind the `last` one that we signed. TrustError as
    `check_head`, `rollback`, or `unknown_key` while the root does not name us.
    """
    checkpoint = check_head(directory, us, note)
    if last and checkpoint.head.size < last.size:
        raise TrustError(
            Code.ROLLBACK, f"a head of {checkpoint.head.size} after one of {last.size} documents", _COMPARE
        )
    if (us.name, to_base64(us.key)) not in {(each.name, each.key) for each in directory.root.witnesses}:
        raise TrustError(
            Code.UNKNOWN_KEY,
            "the root does not name this witness with this key",
            "ask the secretariat; nothing is cosigned until it does",
        )
    return checkpoint
