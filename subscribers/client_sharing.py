"""The part of the Python API about sharing further: history for late joiners, and bulletins that go on to
another community.
"""

from typing import Final

from pydantic import TypeAdapter

from subscribers.client_asking import Asking
from subscribers.records import HistoryReport
from subscribers.roles import Verb

_HISTORY: Final = TypeAdapter(HistoryReport)


class Sharing(Asking):
    """History, and what goes on to other communities."""

    async def history(self) -> HistoryReport:
        """How far the history of communities has come, and what this node passed on to others."""
        return await self._ask(Verb.HISTORY, _HISTORY, {})

    async def history_request(self, community: str) -> HistoryReport:
        """Ask for what members may read from before this agency joined; again, for what is still missing."""
        return await self._ask(Verb.HISTORY_REQUEST, _HISTORY, {"community": community})
