"""A host of its own for the hub: a network namespace with a link to each agency, and each can be cut.

The namespace has no name, so it ends with the process that holds it, and its links with it.
"""

import asyncio
import contextlib
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hub.tether import tethered
from tests.support.disks import needs, run

_PATIENCE: Final = 10.0


@dataclass
class Host:
    """The namespace, held by the process `holder`. `addresses` are its own, one on each agency's link."""

    holder: int
    addresses: dict[str, str] = field(default_factory=dict)
    _net: int = field(default_factory=lambda: 50 + secrets.randbelow(200))

    def inside(self, *words: str | Path) -> tuple[str, ...]:
        """The command line that runs `words` on this host."""
        return (shutil.which("nsenter") or "nsenter", f"--net=/proc/{self.holder}/ns/net", *map(str, words))

    def link(self, agency: str) -> str:
        """A new link; this host's address on it."""
        near, far = self._ends(agency)
        ours, theirs = (f"10.{self._net}.{len(self.addresses) + 1}.{host}/30" for host in (1, 2))
        run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", str(self.holder))
        run("ip", "address", "add", ours, "dev", near)
        run("ip", "link", "set", near, "up")
        run(*self.inside("ip", "address", "add", theirs, "dev", far))
        run(*self.inside("ip", "link", "set", far, "up"))
        self.addresses[agency] = theirs.partition("/")[0]
        return self.addresses[agency]

    @contextlib.contextmanager
    def cut(self, *agencies: str) -> Iterator[None]:
        """Nothing passes these links, and nobody is told: packets go nowhere."""
        try:
            self._switch(agencies, "down")
            yield
        finally:
            self._switch(agencies, "up")

    def _switch(self, agencies: tuple[str, ...], to: str) -> None:
        for each in agencies:
            run(*self.inside("ip", "link", "set", self._ends(each)[1], to))

    def _ends(self, agency: str) -> tuple[str, str]:
        return f"ln{self.holder}{agency}"[:15], f"lf{self.holder}{agency}"[:15]


@contextlib.asynccontextmanager
async def apart() -> AsyncIterator[Host]:
    """A host, linked with nobody yet. Raises `disks.Unavailable`."""
    needs("ip", "nsenter", "unshare")
    unshare = shutil.which("unshare") or ""
    run(unshare, "--net", "true")  # root of a container may not be allowed to
    holder = await asyncio.create_subprocess_exec(*tethered(unshare, "--net", "sleep", "infinity"))
    try:
        await _until_apart(holder.pid)
        host = Host(holder.pid)
        run(*host.inside("ip", "link", "set", "lo", "up"))
        yield host
    finally:
        with contextlib.suppress(ProcessLookupError):
            holder.kill()
        await holder.wait()


async def _until_apart(pid: int) -> None:
    async with asyncio.timeout(_PATIENCE):
        while _net_of(pid) == _net_of("self"):  # noqa: ASYNC110 - the kernel does not tell
            await asyncio.sleep(0.01)


def _net_of(pid: int | str) -> Path:
    return Path(f"/proc/{pid}/ns/net").readlink()
