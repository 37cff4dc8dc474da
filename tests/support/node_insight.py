"""`InsightApi` on the records of a `MemoryNode`."""

from collections.abc import Callable, Sequence

from schemas.encoding import from_instant
from schemas.errors import Code, OperationError
from schemas.vocabulary import Severity
from subscribers.insight.counting import Tally, length, steps, summed
from subscribers.insight.likeness import weights
from subscribers.insight.shapes import Audience, Counts, Provenance, SigningKey, Step, Vouching
from subscribers.records import Filters, Record

SEEN = "2026-03-01T08:20:00Z"
KEY = SigningKey(
    kid="f342f93c9f63d778f9e97990067066d5",
    version=2,
    since="2026-02-01T10:00:00Z",
    state="current",
    witnessed=True,
)
VOUCHING = Vouching(
    root=1, issued="2026-01-02T10:00:00Z", registrars=3, threshold=2, witnesses=2, quorum=2, cosigned=2,
    head=41, seen=SEEN,
)  # fmt: skip


def make_provenance(record: Record, **fields: object) -> Provenance:
    """The chain of a record that has nothing against it, changed by `fields`."""
    given = {
        "id": record.bulletin.id,
        "ref": record.bulletin.ref,
        "tlp": record.bulletin.tlp,
        "community": record.community,
        "community_title": record.community_title,
        "agency": record.agency,
        "agency_name": record.agency_name,
        "fingerprint": "04417 91203 55120 78834 10046 93317 20075 66581",
        "identities": 1,
        "own": record.own,
        "received": record.received,
        "signature": "holds",
        "key": KEY,
        "vouching": VOUCHING,
        "audience": Audience(owners=["France"], members=4, readers=1, private="private" in record.flags),
        "state": record.state,
        "evidence": True,
    }
    return Provenance.model_validate({**given, **fields})


class MemoryInsight:
    """Counts what matches; every chain is whole, unless `told` has another for the bulletin's id."""

    def __init__(
        self, records: Callable[[], Sequence[Record]], matches: Callable[[Record, Filters], bool]
    ) -> None:
        self._records = records
        self._matches = matches
        self.told: dict[str, Provenance] = {}

    async def provenance(self, ref: str) -> Provenance:
        for each in self._records():
            if ref in {each.bulletin.ref, each.bulletin.id}:
                return self.told.get(each.bulletin.id) or make_provenance(each)
        raise OperationError(Code.NOT_FOUND, "no such bulletin in this archive", "look elsewhere")

    async def like(self, ref: str, filters: Filters, limit: int) -> list[Record]:
        records = {each.bulletin.id: each for each in self._records()}
        asked = await self.provenance(ref)
        wanted = weights(records[asked.id].bulletin)
        shared = {
            id: sum(wanted[term] for term in weights(each.bulletin) if term in wanted)
            for id, each in records.items()
            if id != asked.id and self._matches(each, filters)
        }
        best = sorted((id for id in shared if shared[id]), key=lambda id: -shared[id])
        return [records[id] for id in best[:limit]]

    async def counts(self, filters: Filters, step: Step) -> Counts:
        steps(filters, step)
        first = from_instant(filters.since or "")
        last = from_instant(filters.until or "")
        tallies = [
            Tally(
                each.bulletin.kind,
                list(Severity).index(each.bulletin.severity),
                (at - first) // length(filters, step),
                1,
            )
            for each in self._records()
            if self._matches(each, filters)
            and each.state != "retracted"
            and first <= (at := from_instant(each.bulletin.issued)) < last
        ]
        return summed(tallies, filters, step)
