"""A batch of frames held together, and a verdict on each. Pure: who reads the messages acts on them."""

from collections.abc import Iterator, Sequence

from schemas.directory import Directory
from schemas.frame import Frame
from subscribers.judging.authenticity import Pending, bind, prove, read_frame
from subscribers.judging.trust import judge
from subscribers.judging.verdicts import LogBehind, Reader, Refused, Verdict


class Reading:
    """The frames of one batch, in the order in which they came. Bounded by the batch."""

    def __init__(self, messages: Sequence[tuple[str, bytes]], *, each: bool) -> None:
        """`messages` are subjects and bytes; `each` as in `prove`."""
        self._frames: list[Frame | Refused] = [read_frame(subject, raw) for subject, raw in messages]
        self._each = each
        self._by: tuple[Directory, frozenset[str]] | None = None
        self._bound: list[Pending | LogBehind | Refused] = []
        self._proofs: list[str | None] = []

    def judge(self, reader: Reader, index: int, now: int) -> Verdict:
        """The verdict on one frame, as `trust.receive` gives it for a frame by itself. To be asked in order;
        apply each verdict before the next is asked for.
        """
        self._prove(reader.directory, reader.withheld)
        pending = self._bound[index]
        if not isinstance(pending, Pending):
            return pending
        return judge(reader, pending, by=self._proofs[index], now=now)

    def cited(self, directory: Directory) -> Iterator[tuple[int, str]]:
        """Authentic frames, each with the hash of the frame before it in its chain."""
        self._prove(directory, frozenset())
        for index, (pending, by) in enumerate(zip(self._bound, self._proofs, strict=True)):
            if isinstance(pending, Pending) and by is not None:
                yield index, pending.frame.header.prev

    def _prove(self, directory: Directory, withheld: frozenset[str]) -> None:
        if self._by is not None and self._by[0] is directory and self._by[1] == withheld:
            return
        # What the directory learned meanwhile may bind a key, or revoke one; a head may set one free.
        self._bound = [bind(directory, each) if isinstance(each, Frame) else each for each in self._frames]
        pending = [each if isinstance(each, Pending) else None for each in self._bound]
        self._proofs = prove(directory, pending, each=self._each, withheld=withheld)
        self._by = directory, withheld
