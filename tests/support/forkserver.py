"""A process that has loaded what the commands load, and forks one of them whenever it is asked.

To load pydantic's models, the chat library and all takes a command a second or more of the processor, and a
whole run of the tests makes hundreds of them. What is forked here runs the same function on the same
arguments, in a process of its own that can be killed like any other; only the loading is shared. That each
command also loads by itself is shown by those that tests start in the ordinary way, `liaison-demo` and all
that it starts among them.

Usage: python -m tests.support.forkserver SOCKET (a descriptor; `tests.support.forked` is at its other end)
"""

import gc
import io
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, NamedTuple

_ASKED_MAX: Final = 128 * 1024
_STREAMS: Final = 3
_NODE: Final = ("subscribers.client", "subscribers.node", "subscribers.commands.common")
_OFFICERS: Final = ("subscribers.client", "bots.room.process", "bots.doors.terminal.screen")
_CHAT: Final = ("bots.doors.telegram.app",)
LOADED: Final = {
    "liaison-root": ("hub.ceremony",),
    "liaison-hub": ("hub.serve", "hub.client"),
    "liaison-agency": _NODE,
    "liaison-bot": _OFFICERS,
    "liaison-witness": ("subscribers.witness.serving",),
    "tests.support.hub_launcher": ("hub.serve",),
    "tests.support.witness_launcher": ("subscribers.witness.serving",),
    "tests.support.node_launcher": _NODE,
    "tests.support.bot_process": _CHAT,
    "tests.support.gated": ("hub.process", "subscribers.serving", "bots.process", *_NODE, *_CHAT),
}
"""What is loaded before a command, or a module that is run as one, is first forked. Anything else is forked
and loads by itself.
"""


class Asked(NamedTuple):
    """What is to run, with its descriptors: standard input, output, errors, and where its end is told."""

    words: list[str]
    directory: str
    environment: dict[str, str]
    streams: tuple[int, ...]


def main(door: socket.socket) -> Callable[[], object] | None:
    """Fork as asked until nobody can ask. In each fork: what it is to do."""
    children: dict[int, tuple[int, int]] = {}
    with selectors.DefaultSelector() as watched:
        watched.register(door, selectors.EVENT_READ)
        while True:
            for key, _ in watched.select():
                if key.fileobj is not door:
                    watched.unregister(key.fd)
                    _bury(key.fd, *children.pop(key.fd))
                    continue
                if (asked := _asked(door)) is None:
                    for pid, _ in children.values():  # of tests that were killed: nobody else ends them
                        os.kill(pid, signal.SIGKILL)
                    return None
                _load(_name(asked.words))
                if (pid := os.fork()) == 0:
                    for kept in (door.fileno(), *children, *(tell for _, tell in children.values())):
                        os.close(kept)
                    door.detach()
                    return lambda: _run(asked)
                for number in asked.streams[:_STREAMS]:
                    os.close(number)
                tell = asked.streams[_STREAMS]
                os.write(tell, b"%d\n" % pid)
                handle = os.pidfd_open(pid)
                children[handle] = (pid, tell)
                watched.register(handle, selectors.EVENT_READ)


def _asked(door: socket.socket) -> Asked | None:
    data, streams, *_ = socket.recv_fds(door, _ASKED_MAX, _STREAMS + 1)
    if not data:
        return None
    words, directory, environment = json.loads(data)
    return Asked(words, directory, environment, tuple(streams))


@cache
def _load(name: str) -> Callable[[], Any] | None:
    """Load what a command needs. Its function, when it is one of the console scripts."""
    found = [each.load() for each in entry_points(group="console_scripts", name=name)]
    for module in LOADED.get(name, ()):
        import_module(module)
    gc.collect()
    gc.freeze()  # a collection in a fork would touch, and so copy, every page of it
    return found[0] if found else None


def _name(words: list[str]) -> str:
    """The command's name, or that of the module that Python is to run."""
    if words[0] == sys.executable and words[1:2] == ["-m"]:
        return words[2]
    path = Path(words[0])
    return path.name if path.parent == Path(sys.executable).parent else ""


def _unbuffered(number: int, errors: str) -> io.TextIOWrapper:
    """A stream as Python opens it with PYTHONUNBUFFERED; it is another kind of file than the server's."""
    raw = open(number, "wb", buffering=0, closefd=False)  # noqa: SIM115 - as above
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)


def _bury(handle: int, pid: int, tell: int) -> None:
    _, status = os.waitpid(pid, 0)
    try:
        os.write(tell, b"%d\n" % os.waitstatus_to_exitcode(status))
    except BrokenPipeError:
        """Who asked is gone."""
    os.close(tell)
    os.close(handle)


def _run(asked: Asked) -> object:
    for number, stream in enumerate(asked.streams[:_STREAMS]):
        os.dup2(stream, number)
    for stream in asked.streams:
        os.close(stream)
    os.chdir(asked.directory)
    name, words = _name(asked.words), asked.words
    if name not in LOADED:
        os.execvpe(words[0], words, asked.environment)  # noqa: S606 - what a test wants to run
    os.environ.clear()
    os.environ.update(asked.environment)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.stdout = _unbuffered(1, "strict")
    sys.stderr = _unbuffered(2, "backslashreplace")
    if words[1:2] == ["-m"]:
        sys.argv = words[2:]
        return runpy.run_module(name, run_name="__main__", alter_sys=True)
    sys.argv = words
    command = _load(name)
    return command() if command else None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if (work := main(socket.socket(fileno=int(sys.argv[1])))) is not None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        result = work()
        sys.exit(result if isinstance(result, int | str) else 0)
