"""What a larger federation would need, reckoned from the unit costs that were measured. Pure.

Every figure of `docs/performance.md`, "A larger federation", comes from here; `tests/bench/report.py` writes
them there.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

DAY: Final = 86_400
_KILO, _MEGA, _GIGA = 10**3, 10**6, 10**9
FRAME: Final = 2_625
"""Bytes of a frame with a bulletin of one to two KiB."""
ANNOUNCEMENT: Final = 745
BEAT: Final = 808
WRAP: Final = 1_216
RECEIPT: Final = 606
"""Bytes of one answer in a full receipt; one alone has 332."""
BEATS: Final = 24
"""Heartbeats of an idle chain in a day (FORMAT.md, "Heartbeats": one an hour at the least)."""


class Load(NamedTuple):
    """A federation for a day. `readers` is how many endpoints read a bulletin, `spoken` in how many
    communities an endpoint publishes, `epochs` how often a chain takes a new key, `peak` the busiest minute
    against the mean.
    """

    endpoints: int = 10_000
    bulletins: int = 1_000_000
    sites: int = 3
    readers: int = 100
    spoken: int = 5
    epochs: int = 1
    peak: int = 10


class Costs(NamedTuple):
    """Measured: microseconds for one frame at the hub, one delivery to a reader, one wrap, one bulletin
    received, one put into the archive; bytes of one in the archive.
    """

    admit: float
    deliver: float
    wrap: float
    receive: float
    archive: float
    archived: float

    @classmethod
    def of(cls, values: Mapping[str, float]) -> "Costs":
        """From the results by name. KeyError for one that is missing."""
        return cls(
            admit=_MEGA / values["hub_admission"],
            deliver=_KILO * values["fan_out_300_last"] / 300,
            wrap=_KILO * values["rotation_300"] / 300,
            receive=_MEGA / values["receive"],
            archive=values["scale_archive_insert"],
            archived=values["scale_archive_bytes"],
        )


class Figure(NamedTuple):
    """One line: what, how it is reckoned, and how much."""

    what: str
    formula: str
    value: float
    unit: str


def reckon(load: Load, cost: Costs) -> Iterator[Figure]:
    """The figures, from how many messages there are to what each machine has to do."""
    chains = load.endpoints * load.spoken
    wraps = chains * load.epochs * load.readers
    beats = chains * BEATS
    frames = load.bulletins + beats + chains * load.epochs
    yield Figure("chains that are spoken on", "endpoints x spoken", chains, "")
    yield Figure("wraps a day", "chains x epochs x readers", wraps, "")
    yield Figure("heartbeats a day", f"chains x {BEATS}", beats, "")
    yield Figure("frames a day", "bulletins + heartbeats + chains x epochs", frames, "")
    yield Figure(
        "frames a second at the peak",
        "bulletins x peak / 86,400 + the others / 86,400",
        (load.bulletins * load.peak + frames - load.bulletins) / DAY,
        "1/s",
    )
    yield from _bytes(load, wraps, beats, chains)
    yield from _time(load, cost, frames, wraps)


def _bytes(load: Load, wraps: int, beats: int, chains: int) -> Iterator[Figure]:
    written = load.bulletins * FRAME + beats * BEAT + chains * load.epochs * ANNOUNCEMENT
    answers = (load.bulletins + beats + chains * load.epochs) * RECEIPT
    sent = written * load.readers + wraps * WRAP + answers
    busy = sent + (load.peak - 1) * load.bulletins * FRAME * load.readers
    kept = written + wraps * WRAP + answers
    yield Figure(
        "written a day, at each site",
        "frames x their size + wraps x 1,216 + answers x 606",
        kept / _GIGA,
        "GB",
    )
    yield Figure(
        "of that for good", "frames x their size; wraps and receipts go after 180 days", written / _GIGA, "GB"
    )
    yield Figure(
        "sent to readers a day", "frames x their size x readers + wraps + answers", sent / _GIGA, "GB"
    )
    yield Figure(
        "out of each site, mean", "sent x 8 / 86,400 / sites", sent * 8 / DAY / load.sites / _MEGA, "Mbit/s"
    )
    yield Figure(
        "out of each site, peak", "the same, bulletins x peak", busy * 8 / DAY / load.sites / _MEGA, "Mbit/s"
    )
    yield Figure(
        "between sites, mean",
        "written x (sites - 1) x 8 / 86,400",
        kept * (load.sites - 1) * 8 / DAY / _MEGA,
        "Mbit/s",
    )


def _time(load: Load, cost: Costs, frames: int, wraps: int) -> Iterator[Figure]:
    busy = frames + (load.peak - 1) * load.bulletins
    own = load.bulletins * load.readers / load.endpoints
    yield Figure(
        "admission, of one hub's capacity",
        "frames x admit / 86,400",
        100 * frames * cost.admit / _MEGA / DAY,
        "%",
    )
    yield Figure(
        "admission at the peak", "the same, bulletins x peak", 100 * busy * cost.admit / _MEGA / DAY, "%"
    )
    yield Figure(
        "deliveries, cores in all",
        "frames x readers x deliver / 86,400",
        frames * load.readers * cost.deliver / _MEGA / DAY,
        "cores",
    )
    yield Figure(
        "wrapping, at each endpoint a day",
        "wraps x wrap / endpoints",
        wraps * cost.wrap / _MEGA / load.endpoints,
        "s",
    )
    yield Figure("bulletins at each endpoint a day", "bulletins x readers / endpoints", own, "")
    yield Figure(
        "receiving them, at each endpoint a day",
        "that x (receive + archive)",
        own * (cost.receive + cost.archive) / _MEGA,
        "s",
    )
    yield Figure(
        "archive of each endpoint, a year", "that x archived x 365", own * cost.archived * 365 / _GIGA, "GB"
    )
