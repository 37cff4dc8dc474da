"""Signatures of a batch, verified beside the hub's one Python thread: by a process of its own when there are
many, on threads while that one is not there.

Under load the thread that decides, signs receipts and talks to NATS has no time left. On threads of the same
process a verification gives up the interpreter and has to queue for it again, behind the thread that it was
to relieve: measured, both then take twice as long (docs/decisions/0048).
"""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from hub.tether import tethered
from hub.verifier import NUMBER, Claim, pack

_log = structlog.get_logger(__name__)

MANY: Final = 32
"""From so many claims on the process is asked; the first such batch starts it, and does not wait for it."""
_INLINE: Final = 4
"""Fewer than this are verified at once: a hop costs more than it saves."""
_THREADS: Final = 2
_ANSWER_SECONDS: Final = 10.0


class Verifying:
    """Verifies claims, several batches at once if asked; `close` when it is no longer wanted."""

    def __init__(self, *, many: int = MANY) -> None:
        self._many = many
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="verify")
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self._gone: list[asyncio.subprocess.Process] = []
        self._number = 0
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int:
        """The process's id; 0 while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    async def check(self, claims: Sequence[Claim]) -> list[bool]:
        """Which of them hold, in their order."""
        if len(claims) < _INLINE:
            return [claim.holds() for claim in claims]
        if len(claims) >= self._many and (process := self._process):
            try:
                return await self._ask(process, claims)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as failed:
                _log.warning("the verifier ended", reason=type(failed).__name__)
        elif len(claims) >= self._many and self._starting is None:
            await self._bury()
            self._starting = asyncio.create_task(self._start(), name="verifier")
        return await self._on_threads(claims)

    async def close(self) -> None:
        """End the process and the threads. Safe to repeat."""
        if self._starting:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._process:
            self._forget(self._process)
        await self._bury()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, process: asyncio.subprocess.Process, claims: Sequence[Claim]) -> list[bool]:
        """The process's answer. Raises OSError, TimeoutError or IncompleteReadError."""
        if process.stdin is None or process.stdout is None:
            raise BrokenPipeError
        self._number += 1
        number = self._number
        try:
            process.stdin.write(pack(number, claims))
            # Nothing is waited for between writing and queueing up: answers come in the order of asking.
            async with asyncio.timeout(_ANSWER_SECONDS), self._turn:
                await process.stdin.drain()
                answer = await process.stdout.readexactly(NUMBER.size + len(claims))
            if NUMBER.unpack_from(answer)[0] != number:
                raise BrokenPipeError
        except BaseException:
            # Also when it is given up: the answer that then comes must not be taken for the next one's.
            self._forget(process)
            raise
        return [held == 1 for held in answer[NUMBER.size :]]

    async def _on_threads(self, claims: Sequence[Claim]) -> list[bool]:
        loop, middle = asyncio.get_running_loop(), len(claims) // _THREADS
        halves = claims[:middle], claims[middle:]
        done = await asyncio.gather(*(loop.run_in_executor(self._threads, _all, half) for half in halves))
        return [held for half in done for held in half]

    async def _start(self) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(sys.executable, "-m", "hub.verifier"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        except OSError as failed:
            _log.warning("no verifier: signatures are verified on threads", reason=type(failed).__name__)

    async def _bury(self) -> None:
        """Wait for those that were killed."""
        while self._gone:
            process = self._gone.pop()
            if process.stdin:
                process.stdin.close()
            await process.wait()

    def _forget(self, process: asyncio.subprocess.Process) -> None:
        """End it at once; the next large batch starts another."""
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if process is self._process:
            self._process = self._starting = None
            self._gone.append(process)


def _all(claims: Sequence[Claim]) -> list[bool]:
    return [claim.holds() for claim in claims]
