"""What the node does for its clients about what it holds: `insight.shapes.InsightApi`."""

from subscribers.core import Core
from subscribers.insight.counting import count
from subscribers.insight.likeness import like
from subscribers.insight.provenance import Known, kept_of, key_named, provenance
from subscribers.insight.shapes import Counts, Provenance, Step
from subscribers.records import Filters, Record


class Insight:
    """On top of the node's core. Refusals are LiaisonError."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def provenance(self, ref: str) -> Provenance:
        """Of one bulletin, by reference or id."""
        core = self._core
        record = await core.archive.get(ref)
        shown = await core.store.read(lambda connection: kept_of(connection, record.bulletin.id))
        directory, vouched = core.ledger.known(), core.ledger.vouched
        witnessed = vouched.reaches(directory, key_named(shown))
        return provenance(record, shown, Known(directory, vouched.kept, witnessed, core.clock()))

    async def like(self, ref: str, filters: Filters, limit: int) -> list[Record]:
        """Most like one bulletin, by reference or id."""
        core = self._core
        return await like(core.store, await core.archive.get(ref), filters, limit)

    async def counts(self, filters: Filters, step: Step) -> Counts:
        """In the archive."""
        return await count(self._core.store, filters, step)
