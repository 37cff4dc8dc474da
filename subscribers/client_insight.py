"""The part of the Python API about what the node holds: where a bulletin comes from, how many there are, and
which are like it.
"""

from typing import Final

from pydantic import TypeAdapter

from subscribers.client_asking import Asking
from subscribers.insight.shapes import Counts, Provenance, Step
from subscribers.records import Filters, Record
from subscribers.service.roles import Verb

_PROVENANCE: Final = TypeAdapter(Provenance)
_COUNTS: Final = TypeAdapter(Counts)
_LIKE: Final = TypeAdapter(list[Record])
_EVERYTHING: Final = Filters()


class Looking(Asking):
    """Looking into the archive."""

    async def provenance(self, ref: str) -> Provenance:
        """Whose key signed a bulletin, who vouches for that, and who may read it. Raises LiaisonError
        `not_found`.
        """
        return await self._ask(Verb.PROVENANCE, _PROVENANCE, {"ref": ref})

    async def like(self, ref: str, filters: Filters = _EVERYTHING, limit: int = 5) -> list[Record]:
        """The bulletins with most words in common with one, best first. Raises LiaisonError `not_found`."""
        fields = {
            "ref": ref,
            "filters": filters.model_dump(mode="json", exclude_defaults=True),
            "limit": limit,
        }
        return await self._ask(Verb.LIKE, _LIKE, fields)

    async def counts(self, filters: Filters, step: Step = "week") -> Counts:
        """How many bulletins there are by kind, severity and day or week; `filters` say since when and until
        when.
        """
        fields = {"filters": filters.model_dump(mode="json", exclude_none=True), "step": step}
        return await self._ask(Verb.COUNTS, _COUNTS, fields)
