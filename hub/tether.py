"""Start a program that ends with its parent: run as a script, `tether.py PARENT_PID PROGRAM ARGUMENT...`.

A hub that is killed outright cannot stop its server, and one that is left behind keeps the store from the
next. On Linux the kernel ends it, if the child asks for that itself; a fresh interpreter does, because code
between fork and exec of a process with threads may deadlock. Only the standard library: it runs outside the
package, and so has a twin on the agency's side.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def tethered(program: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs `program` until it ends or this process does."""
    return (sys.executable, "-I", "-S", str(Path(__file__)), str(os.getpid()), program, *arguments)


def main(arguments: list[str]) -> None:
    """Become PROGRAM, tied to the life of the process PARENT_PID."""
    parent, program = int(arguments[0]), arguments[1]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was told
        sys.exit(1)
    os.execv(program, arguments[1:])  # noqa: S606 - becoming the program is the point; no shell is meant


if __name__ == "__main__":
    main(sys.argv[1:])
