"""Run a program as it should run in life: nobody's rights, none to be gained, one directory to write to."""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

USER: Final = 10001
"""As in deploy/Dockerfile, and in the script below."""

_CONFINE: Final = """
set -e
drop='setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all'
writable=$1 python=$2
mount --bind "$writable" "$writable"
if ! $drop test -x "$python/bin"; then  # an interpreter in root's home: shown alone, in an empty home
  mkdir "$writable/python"
  mount --bind "$python" "$writable/python"
  mount -t tmpfs -o mode=0755 none "/$(echo "$python" | cut -d/ -f2)"
  mkdir -p "$python"
  mount --move "$writable/python" "$python"
fi
while read -r _ place kind _; do
  case "$kind" in proc|sysfs|devtmpfs|devpts|mqueue|cgroup*) continue;; esac
  case "$place" in "$writable"|/dev/*|/proc/*|/sys/*) continue;; esac
  mount -o remount,bind,ro "$place"
done < /proc/self/mounts
export TMPDIR="$writable" HOME="$writable"
shift 2
exec $drop "$@"
"""


def confined(writable: Path) -> tuple[str, ...]:
    """What to put before a command; empty where this machine or this user cannot confine (`why_not`). Not for
    pytest's own directories: they are closed to everybody else, and closed anew by every run.
    """
    return () if why_not() else _before(writable)


@contextlib.contextmanager
def open_place() -> Iterator[Path]:
    """A directory that anybody may enter, gone afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        place = Path(name)
        place.chmod(0o711)
        yield place


@functools.cache
def why_not() -> str:
    """The reason why nothing can be confined here; empty when it can."""
    if os.geteuid() != 0:
        return "only root can give up rights and mount file systems read-only"
    if not all(map(shutil.which, ("unshare", "setpriv", "mount"))):
        return "util-linux is not installed"
    with open_place() as place:
        probe = [*_before(place / "in"), sys.executable, "-c", "import hub.cli"]
        tried = subprocess.run(
            probe, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
        )
    return f"this machine does not let us: {tried.stderr.strip()}" if tried.returncode else ""


def _before(writable: Path) -> tuple[str, ...]:
    writable.mkdir(parents=True, exist_ok=True)
    os.chown(writable, USER, USER)
    shell = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _CONFINE, "confine")
    return (*shell, str(writable), sys.base_prefix)
