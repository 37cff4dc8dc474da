"""Made-up bulletins for the archive's tests."""

from typing import Any

from schemas.bulletin import Bulletin, parse_bulletin
from schemas.encoding import canonical_json, instant
from subscribers.storage.archive import NewRecord

START = 1_767_225_600_000
"""2026-01-01, in Unix milliseconds."""
COMMUNITY = "0123456789abcdef" * 2
OTHER_COMMUNITY = "fedcba9876543210" * 2


def bulletin_id(n: int) -> str:
    """The id of the n-th made-up bulletin."""
    return f"01900000-0000-7000-8000-{n:012x}"


def bulletin(n: int, **fields: Any) -> Bulletin:  # fields of any kind
    """The n-th made-up bulletin, issued n minutes after the start, changed by `fields`."""
    made: dict[str, Any] = {
        "v": 1,
        "id": bulletin_id(n),
        "ref": f"FRA-2026-{n:04}",
        "issued": instant(START + n * 60_000),
        "kind": "threat",
        "title": f"Drone sighting number{n}",
        "language": "en",
        "severity": "low",
        "tlp": "TLP:GREEN",
    }
    return parse_bulletin(canonical_json(made | fields))


def new_record(
    n: int,
    *,
    agency: str = "fr-dgx",
    community: str = COMMUNITY,
    received: int | None = None,
    **fields: object,
) -> NewRecord:
    """The n-th made-up bulletin as it came, a second after it was issued."""
    made = bulletin(n, **fields)
    came = START + n * 60_000 + 1_000 if received is None else received
    return NewRecord(made, made.to_bytes(), community, agency, came)


def replacing(n: int, kind: str, *targets: int, **fields: Any) -> NewRecord:  # fields of any kind
    """The n-th made-up bulletin: an amendment or a retraction of `targets`."""
    relation = {"amendment": "amends", "retraction": "retracts"}[kind]
    links = [{"relation": relation, "id": bulletin_id(target)} for target in targets]
    return new_record(n, kind=kind, links=links, **fields)
