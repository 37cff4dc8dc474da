"""What is typed, line by line: from a person with a prompt, or from a program until its end."""

import asyncio
import codecs
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Collection
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Final

from bots.dialogue.asking import Handed

LINE_MAX: Final = 65_536
_CHUNK: Final = 65_536


async def piped(source: int) -> AsyncIterator[str]:
    """Lines of the file descriptor `source` until its end; without a prompt.

    Read by a thread of its own: a loop cannot wait for a plain file, and a thread of the loop's executor
    would hold up the end of the process until there is a line.
    """
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[str | None](1)

    def hand(line: str | None) -> None:
        asyncio.run_coroutine_threadsafe(queue.put(line), loop).result()

    def read() -> None:
        decoder, held = codecs.getincrementaldecoder("utf-8")("replace"), ""
        # Once the session is over nobody takes a line any more, and the loop is closed.
        with contextlib.suppress(RuntimeError, CancelledError):
            while chunk := os.read(source, _CHUNK):
                *whole, held = (held + decoder.decode(chunk)).split("\n")
                for line in whole:
                    hand(line)
                held = held[:LINE_MAX]
            if held:
                hand(held)
            hand(None)

    threading.Thread(target=read, name="typed", daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line[:LINE_MAX]


async def prompted(commands: Collection[str]) -> AsyncIterator[str]:
    """Lines that a person types, with editing, completion of `commands`, and what arrives meanwhile above
    the line. Ends with Ctrl-D or Ctrl-C. What was typed is forgotten with the session.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.patch_stdout import patch_stdout
    from prompt_toolkit.shortcuts import CompleteStyle

    completer = WordCompleter([f"/{each}" for each in sorted(commands)], sentence=True)
    session: PromptSession[str] = PromptSession(
        completer=completer, complete_while_typing=False, complete_style=CompleteStyle.READLINE_LIKE
    )
    with patch_stdout(raw=True):
        while True:
            try:
                yield await session.prompt_async("› ", handle_sigint=False)
            except (EOFError, KeyboardInterrupt):
                return


async def joined(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Lines that end with a backslash go on with the next one."""
    held: list[str] = []
    async for line in lines:
        if line.endswith("\\"):
            held.append(line[:-1])
            continue
        yield "\n".join((*held, line))
        held.clear()
    if held:
        yield "\n".join(held)


def handed(line: str) -> Handed | None:
    """The file that a line such as `@map.pdf` names; None for any other line, and where there is no such
    file.
    """
    if not line.startswith("@"):
        return None
    try:
        path = Path(line[1:].strip()).expanduser()
        return Handed(str(path), path.name, path.stat().st_size) if path.is_file() else None
    except (
        OSError,
        RuntimeError,
        ValueError,
    ):  # too long for a name, somebody's home that is none, a zero byte
        return None
