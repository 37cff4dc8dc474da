"""The reader in TypeScript, built once for all that use it."""

import asyncio
import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from tests.support.forked import ROOT

HERE: Final = ROOT / "subscribers" / "js"
LIMIT: Final = 120.0
"""Seconds for one of its programs."""
_NO_REGISTRY: Final = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ETIMEDOUT", "ENETUNREACH")
"""What npm says where it does not reach its registry."""


def has_node() -> bool:
    """Whether Node.js is installed."""
    return bool(shutil.which("node") and shutil.which("npm"))


async def run(*words: str) -> tuple[int, str]:
    """A command in the reader's directory: its exit status and everything that it said."""
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=HERE,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(LIMIT):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def _sources() -> str:
    """One value for everything that the built reader is made of."""
    names = ("package-lock.json", "package.json", "tsconfig.json", "*.ts", "src/*.ts", "test/*.ts", "page/*")
    files = sorted(path for name in names for path in HERE.glob(name))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Other workers of this test run wait: they share the directory."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "js.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def build() -> Path:
    """The reader's programs, from its lock file, compiled once for each state of the sources.

    Skips the test where npm reaches no registry.
    """
    with _alone():
        stamp, wanted = HERE / "build" / "stamp", _sources()
        if not stamp.exists() or stamp.read_text() != wanted:
            status, said = await run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
            if status and any(reason in said for reason in _NO_REGISTRY):
                pytest.skip("npm does not reach its registry")
            assert status == 0, said
            status, said = await run("npm", "run", "build")
            assert status == 0, said
            stamp.write_text(wanted)
    return HERE / "build"
