"""A node process with something amiss, for tests: a clock that is off, or an end by SIGKILL at a named point.

Usage: python -m tests.support.node_launcher [--clock MS] [--ahead FILE] [--heartbeat SECONDS]
    [--kill POINT COUNT] --state STATE --jsonl FILE

`--clock` is added to the machine's clock, and so is what stands in the file of `--ahead`, whenever it is
asked: a test turns the clock on while the node runs. `--kill` ends the process at the COUNTth time that it
comes to POINT; it prints nothing more. Like `liaison-agency run --json` it prints one line when it is ready.
"""

import argparse
import asyncio
import functools
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from subscribers.clock import now_ms
from subscribers.core import Core
from subscribers.log import configure
from subscribers.node import Node
from subscribers.settings import NodeSettings

Step = Callable[..., Awaitable[Any]]


class Fuse:
    """Counts, and kills this process when it is through."""

    def __init__(self, count: int) -> None:
        self._left = count

    def burn(self) -> None:
        """One time nearer."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def after(self, step: Step) -> Step:
        """`step`, and then the fuse."""

        @functools.wraps(step)
        async def both(*given: Any, **named: Any) -> Any:  # whatever the step takes and gives
            result = await step(*given, **named)
            self.burn()
            return result

        return both

    def before(self, step: Step) -> Step:
        """The fuse, and then `step`."""

        @functools.wraps(step)
        async def both(*given: Any, **named: Any) -> Any:  # whatever the step takes and gives
            self.burn()
            return await step(*given, **named)

        return both


POINTS: Final[dict[str, Callable[[Core, Fuse], tuple[object, str, Step]]]] = {
    # what was received is in the archive, the hub has not been told
    "committed": lambda core, fuse: (core.traffic_feed, "take", fuse.after(core.traffic_feed.take)),
    # a bulletin is in the outbox, nothing of it was sent
    "journalled": lambda core, fuse: (core.outbox, "put", fuse.after(core.outbox.put)),
    # the local stream and the sink have it, the archive does not know that
    "republished": lambda core, fuse: (
        core.archive,
        "mark_republished",
        fuse.before(core.archive.mark_republished),
    ),
    # the hub has answered and the answer is committed, the outbox's memory has not taken it in
    "settled": lambda core, fuse: (core.outbox, "merge", fuse.before(core.outbox.merge)),
    # new keys lie on the disk, nobody has been told
    "keys-staged": lambda core, fuse: (core, "submit", fuse.before(core.submit)),
    # the hub has taken their document, it has not come back
    "keys-answered": lambda core, fuse: (
        core.link,
        "submit_document",
        fuse.after(core.link.submit_document),
    ),
    # their document is in the directory, the old keys are in use
    "keys-announced": lambda core, fuse: (core, "submit", fuse.after(core.submit)),
    # the new keys are in use, what waits is signed with the old ones
    "keys-switched": lambda core, fuse: (core.outbox, "renew", fuse.before(core.outbox.renew)),
    # the outbox has read what it will send next
    "sending": lambda core, fuse: (core.outbox, "waiting", fuse.after(core.outbox.waiting)),
}


async def _main(settings: NodeSettings, clock: Callable[[], int], kill: tuple[str, int] | None) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Node.running(settings, clock) as (node, local):
        if kill:
            point, count = kill
            owner, name, step = POINTS[point](node._core, Fuse(count))  # noqa: SLF001 - a test's launcher, and the only one who asks
            setattr(owner, name, step)
        print(json.dumps({"event": "ready", "nats": local.url}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--clock", type=int, default=0)
    parser.add_argument("--ahead", type=Path)
    parser.add_argument("--heartbeat", type=int, default=300)
    parser.add_argument("--kill", nargs=2, metavar=("POINT", "COUNT"))
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--jsonl", type=Path, required=True)
    asked = parser.parse_args()
    configure("json", "info")

    offset: int = asked.clock
    file: Path | None = asked.ahead

    def _clock() -> int:
        return now_ms() + offset + (int(file.read_text() or 0) if file and file.exists() else 0)

    given = NodeSettings(state=asked.state, jsonl=asked.jsonl, heartbeat_seconds=asked.heartbeat)
    asyncio.run(_main(given, _clock, (asked.kill[0], int(asked.kill[1])) if asked.kill else None))
