"""What has arrived where, in the order and as often as it came; and waiting for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from schemas.vocabulary import Kind


class Arrivals:
    """Keys by place: an agency's id, or `integrator`. Times are of this process's monotonic clock, in
    seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = asyncio.Event()
        self.keys: dict[str, list[str]] = {}
        self.first: dict[tuple[str, str], float] = {}

    def add(self, place: str, key: str) -> None:
        """One arrival."""
        self.keys.setdefault(place, []).append(key)
        self.first.setdefault((place, key), self._clock())
        self._changed.set()

    async def until(self, ready: Callable[[], bool], deadline: float) -> bool:
        """Wait until `ready()` or for `deadline` seconds; whether it became so."""
        try:
            async with asyncio.timeout(deadline):
                while not ready():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def nudge(self) -> None:
        """Something else has changed that somebody may be waiting for."""
        self._changed.set()

    async def follow_tail(self, place: str, records: AsyncIterator[Mapping[str, Any]]) -> None:
        """Take in what `liaison-agency tail --json` shows: keys are bulletin ids."""
        async for record in records:
            self.add(place, record["bulletin"]["id"])

    async def follow_integrator(
        self, place: str, lines: AsyncIterator[str], key: Callable[[str], str]
    ) -> None:
        """Take in the lines of the plain NATS example; `key` names a line."""
        async for line in lines:
            self.add(place, key(line))


def key_of_line(stem: str, marker_size: int) -> Callable[[str], str]:
    """How to name a line of the integrator: by the marker in its title; a digest, which has none, by its
    subject.

    A line is `bulletin.<realm>.<community>.<kind>.<severity>.<tlp> <agency> <title>`.
    """

    def key(line: str) -> str:
        at = line.find(stem)
        if at >= 0:
            return line[at : at + marker_size]
        tokens = line.split(" ", 1)[0].split(".")
        if len(tokens) > 3 and tokens[3] == Kind.DIGEST:  # noqa: PLR2004 - the pattern above
            return digest_key(tokens[2])
        return line

    return key


def digest_key(community: str) -> str:
    """The key of a community's digest where its id is not shown."""
    return f"digest:{community}"
