"""What the operator chooses of the hub's streams: how large, how long, and where they lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StreamLimits:
    """What the operator may choose: bytes and days."""

    intake_bytes: int = 1024**3
    quarantine_bytes: int = 256 * 1024**2
    quarantine_days: int = 90
    chunk_bytes: int = 4 * 1024**3
    chunk_days: int = 90
    replicas: int = 1
    shared: bool = False
    """By several hubs (`hub.partitions`)."""
    placement: Mapping[str, str | list[str]] = field(default_factory=dict)  # `cluster`, `tags`

    @property
    def spread(self) -> dict[str, Any]:
        """On how many servers a stream lies, and on which, as the JetStream API takes it."""
        where = {"placement": dict(self.placement)} if self.placement else {}
        return {"num_replicas": self.replicas, **where}
