"""The part of the Python API about sharing further: history for late joiners, and bulletins that go on to
another community.
"""

from typing import Final

from pydantic import TypeAdapter

from subscribers.client_asking import Asking
from subscribers.records import HistoryReport, Published, ReleaseReport
from subscribers.service.roles import Verb

_RELEASES: Final = TypeAdapter(ReleaseReport)
_PUBLISHED: Final = TypeAdapter(Published)
_CARRIED: Final = TypeAdapter(list[Published])
_HISTORY: Final = TypeAdapter(HistoryReport)


class Sharing(Asking):
    """History, and what goes on to other communities."""

    async def history(self) -> HistoryReport:
        """How far the history of communities has come, and what this node passed on to others."""
        return await self._ask(Verb.HISTORY, _HISTORY, {})

    async def history_request(self, community: str) -> HistoryReport:
        """Ask for what members may read from before this agency joined; again, for what is still missing."""
        return await self._ask(Verb.HISTORY_REQUEST, _HISTORY, {"community": community})

    async def releases(self) -> ReleaseReport:
        """Which bulletins others asked to let go on, what was answered, and what was carried here."""
        return await self._ask(Verb.RELEASES, _RELEASES, {})

    async def release_ask(self, ref: str, community: str, note: str = "") -> Published:
        """Ask the originator of a bulletin to let it go on to another community."""
        fields = {"ref": ref, "community": community, "note": note}
        return await self._ask(Verb.RELEASE_ASK, _PUBLISHED, fields)

    async def release_grant(self, ref: str, days: int = 30, note: str = "") -> Published:
        """Let this agency's bulletin go on as the request `ref` asks, for so many days."""
        return await self._ask(Verb.RELEASE_ANSWER, _PUBLISHED, {"ref": ref, "days": days, "note": note})

    async def release_decline(self, ref: str, note: str = "") -> Published:
        """Say no to the request `ref`."""
        return await self._ask(Verb.RELEASE_ANSWER, _PUBLISHED, {"ref": ref, "note": note})

    async def release_carry(self, ref: str) -> list[Published]:
        """Publish in the other community what the request `ref` was granted, with what was said since."""
        return await self._ask(Verb.RELEASE_CARRY, _CARRIED, {"ref": ref})
