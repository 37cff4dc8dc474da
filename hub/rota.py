"""Who of the hubs of a cluster is on duty for what. Pure; `hub.lease` keeps it in NATS.

One record for all, changed by compare-and-set, so that every hub sees the same one. A hub beats by counting
up its number. Another takes it for dead when it has itself beaten `PATIENCE` times, and its number stood
still all the while: time in which nobody could write, because NATS changed its leader, counts for nobody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.partitions import SLOTS
from schemas.errors import Code, OperationError

OFFICE: Final = "office"
"""The one duty for all that there is once: directory, accounts, heads, the operators' requests."""
PATIENCE: Final = 8
NAME: Final = r"[a-z0-9][a-z0-9-]{0,31}"
"""What a hub of a cluster may be called."""

_Name = Annotated[str, Field(pattern=f"^{NAME}$")]


def partition_duty(partition: int) -> str:
    """The name of the duty to admit what is in a partition."""
    return f"partition-{partition}"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1]
    partitions: int = Field(ge=1, le=SLOTS)
    beats: dict[_Name, int]
    duties: dict[str, _Name]


@dataclass(frozen=True)
class Rota:
    """`beats` are the members with their numbers, `duties` who does what; what nobody does is not in it."""

    partitions: int
    beats: Mapping[str, int] = field(default_factory=dict)
    duties: Mapping[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As it is kept."""
        record = _Record(v=1, partitions=self.partitions, beats=dict(self.beats), duties=dict(self.duties))
        return record.model_dump_json().encode()

    @classmethod
    def parse(cls, data: bytes) -> "Rota":
        """What `to_bytes` made. OperationError `store_corrupt`."""
        try:
            record = _Record.model_validate_json(data)
        except ValidationError:
            raise OperationError(
                Code.STORE_CORRUPT,
                "the hubs' rota cannot be read",
                "run the same version of the hub everywhere; with all hubs stopped, delete the stream ROTA",
            ) from None
        return cls(record.partitions, record.beats, record.duties)

    @property
    def names(self) -> Iterator[str]:
        """Every duty there is."""
        yield OFFICE
        yield from map(partition_duty, range(self.partitions))

    def of(self, member: str) -> frozenset[str]:
        """The duties of a member."""
        return frozenset(duty for duty, who in self.duties.items() if who == member)

    @property
    def complete(self) -> bool:
        """Whether somebody is on every duty."""
        return all(duty in self.duties for duty in self.names)


@dataclass(frozen=True)
class Watch:
    """What a member remembers of the others: their numbers, and how often it has beaten since they
    changed.
    """

    seen: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def look(self, rota: Rota) -> "Watch":
        """What it remembers after one more beat of its own, before which the rota was this."""
        fresh = {}
        for member, number in rota.beats.items():
            before, silent = self.seen.get(member, (number, -1))
            fresh[member] = (number, silent + 1 if before == number else 0)
        return Watch(fresh)

    @property
    def dead(self) -> frozenset[str]:
        """Whom it takes for dead."""
        return frozenset(member for member, (_, silent) in self.seen.items() if silent >= PATIENCE)

    def of_those_in(self, rota: Rota) -> "Watch":
        """Without whom is no longer there: one that comes back counts from the beginning."""
        return Watch({member: each for member, each in self.seen.items() if member in rota.beats})


def turn(rota: Rota, me: str, dead: frozenset[str], *, partitions: int) -> Rota:
    """The rota after a beat of `me`: the dead are off, what is free is taken, and what is more than a fair
    share is given back for others to take.

    OperationError `bad_settings` when the others divide the intake otherwise.
    """
    beats = {member: number for member, number in rota.beats.items() if member == me or member not in dead}
    if beats.keys() - {me} and rota.partitions != partitions:
        raise OperationError(
            Code.BAD_SETTINGS,
            f"this hub has {partitions} partitions, the others have {rota.partitions}",
            "give all hubs the same number, and change it only with all of them stopped",
        )
    beats[me] = beats.get(me, 0) + 1
    after = Rota(partitions, beats)
    duties = {
        duty: who for duty in after.names if (who := rota.duties.get(duty)) is not None and who in beats
    }
    shared = [duty for duty in after.names if duty != OFFICE]
    fair = partitions // len(beats) + (sorted(beats).index(me) < partitions % len(beats))
    mine = [duty for duty in shared if duties.get(duty) == me]
    for duty in mine[fair:]:
        del duties[duty]
    free = [duty for duty in shared if duty not in duties]
    for duty in free[: max(fair - len(mine), 0)]:
        duties[duty] = me
    duties.setdefault(OFFICE, me)
    return Rota(partitions, beats, duties)


def leave(rota: Rota, me: str) -> Rota:
    """The rota without `me`: others take over at their next beat."""
    return Rota(
        rota.partitions,
        {member: number for member, number in rota.beats.items() if member != me},
        {duty: who for duty, who in rota.duties.items() if who != me},
    )
