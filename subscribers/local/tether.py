"""Start a program that ends with its parent: run as a script, `tether.py PARENT_PID PROGRAM ARGUMENT...`.

A node that is killed outright cannot stop its server. On Linux the kernel does it, if the child asks for it
itself; elsewhere the next start of the node ends the server that was left behind. Only the standard library:
it runs outside the package.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


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
