"""No image of a process that holds keys is ever written to disk, and no other process of its user looks in.

The limit is inherited by what is started from here (its NATS server). The flag is the process's own, and
holds where cores are piped to a collector, which heeds no limit. prctl(2), PR_SET_DUMPABLE. Only the standard
library: the hub has a twin.
"""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4


def forbid() -> None:
    """Called first by every command, before a key is read."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
