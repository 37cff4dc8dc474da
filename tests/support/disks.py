"""Disks that fail: too small, without power, slow. Made for a test, and gone with it; they need root.

A disk that cannot be made here raises `Unavailable`, with the reason.
"""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]
_SHUTDOWN: Final = 0x8004587D
"""`EXT4_IOC_SHUTDOWN`, of the kernel's fs/ext4/ext4.h."""
_WITHOUT_THE_LOG: Final = struct.pack("I", 2)
_PATIENCE: Final = 30.0


class Unavailable(Exception):
    """Why there is no such disk here."""


def run(*words: str | Path) -> None:
    """A command that must succeed; raises `Unavailable` with what it said."""
    done = subprocess.run([*map(str, words)], capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise Unavailable(f"{words[0]}: {said or done.returncode}")


def needs(*programs: str) -> None:
    """Raises `Unavailable` unless this is root, with these programs."""
    if os.geteuid() != 0:
        raise Unavailable("this takes root")
    for each in programs:
        if not shutil.which(each):
            raise Unavailable(f"{each} is not installed")


def unmount(path: Path) -> None:
    """Whatever stands in the way."""
    subprocess.run(["umount", str(path)], capture_output=True, check=False)
    subprocess.run(["umount", "--lazy", str(path)], capture_output=True, check=False)


def fill(filler: Path) -> None:
    """Take all the room that there is, without writing it where the file system can do that."""
    handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        size = 0
        for block in (1 << 26, 1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(handle, size, block)
                    size += block
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Powered:
    """An ext4 on a loop device, until its power is cut."""

    image: Path
    path: Path

    def cut(self) -> None:
        """From now on nothing reaches the image: what was not synced is gone, and every call fails."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, _WITHOUT_THE_LOG)
        finally:
            os.close(handle)

    def restore(self) -> None:
        """The same disk after the cut: the file system reads its journal, and is what was synced. Nobody may
        hold a file of it open any more.
        """
        deadline = time.monotonic() + _PATIENCE
        while subprocess.run(["umount", str(self.path)], capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.path} is held by a process that does not end")
            time.sleep(0.05)
        self.mount()

    def mount(self) -> None:
        """As it is in the image."""
        run("mount", "-t", "ext4", "-o", "loop", self.image, self.path)


@contextlib.contextmanager
def powered(path: Path, mebibytes: int) -> Iterator[Powered]:
    """A disk whose power can be cut, at `path`; its image lies beside it."""
    needs("mount", "umount", "mkfs.ext4")
    path.mkdir(exist_ok=True)
    image = path.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(mebibytes << 20)
    run("mkfs.ext4", "-q", "-F", "-m", "0", image)
    disk = Powered(image, path)
    disk.mount()
    try:
        yield disk
    finally:
        unmount(path)
        image.unlink()


@contextlib.contextmanager
def slow(path: Path, seconds: float) -> Iterator[Path]:
    """A disk at `path` on which each write to the medium (fsync) takes so long; its files lie beside it."""
    needs("mount", "umount")
    if not Path("/dev/fuse").exists():
        raise Unavailable("there is no /dev/fuse")
    path.mkdir(exist_ok=True)
    behind = path.with_suffix(".behind")
    behind.mkdir()
    words = (sys.executable, "-m", "tests.support.slow_disk", str(behind), str(path), str(seconds))
    process = subprocess.Popen(words, cwd=_ROOT, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not path.is_mount():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                _, said = process.communicate()
                last = said.decode("utf-8", "replace").strip().splitlines()
                raise Unavailable(f"no FUSE here: {last[-1] if last else 'it did not mount'}")
            time.sleep(0.02)
        yield path
    finally:
        unmount(path)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        process.kill()
        process.communicate()
