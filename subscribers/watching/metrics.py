"""A node's vitals as Prometheus text: one place says which metrics there are.

Labels are agencies' ids, codes, alarms' names and feeds. A community is no label: who watches an agency's
machines need not know what it shares with whom.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from subscribers.watching.vitals import Vitals

TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECOND: Final = 1000


def prometheus(vitals: Vitals) -> str:
    """Exposition format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Vitals(vitals))
    return generate_latest(registry).decode()


def families(vitals: Vitals) -> Iterator[Metric]:
    """Every metric, with its values."""
    yield from _whole(vitals)
    lag = "Messages that wait at the hub, by feed; none without a connection."
    yield _labelled("feed_waiting", lag, "feed", vitals.lag)
    yield _labelled("outbox_refused", "Own bulletins that were refused, by code.", "code", vitals.refused)
    yield _labelled("quarantined", "What came and was refused here, by code.", "code", vitals.quarantined)
    yield _labelled("alarms", "Alarms that stand and nobody acknowledged.", "alarm", vitals.alarms)
    yield _labelled(
        "last_heard_timestamp_seconds", "When a frame of an agency last came.", "agency", _times(vitals.heard)
    )
    yield _labelled(
        "certificate_end_timestamp_seconds",
        "When a certificate of the connection to the hub ends; 0 for one that cannot be read.",
        "certificate",
        _times(vitals.certificates),
    )


class _Vitals(Collector):
    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterable[Metric]:
        return families(self._vitals)


def _whole(vitals: Vitals) -> Iterator[Metric]:
    waits = 0 if vitals.oldest is None else max(0, vitals.now - vitals.oldest) / _SECOND
    yield _gauge("uptime_seconds", "How long this process has run.", vitals.uptime_s)
    yield _gauge("hub_connected", "1 while the connection to the hub stands.", vitals.connected)
    yield _gauge("outbox_waiting", "Own bulletins that wait for the hub.", vitals.outbox)
    yield _gauge("outbox_oldest_seconds", "How long the first of them has waited.", waits)
    yield _gauge("outbox_held_seconds", "How long the hub still takes no routine ones.", vitals.held_s)
    yield _gauge("bulletins", "Bulletins in the archive.", vitals.bulletins)
    yield _gauge("store_bytes", "Size of the node's database.", vitals.store_bytes)
    yield _gauge("disk_free_bytes", "Room on the disk of the node's directory.", vitals.disk_free)
    yield _gauge("disk_bytes", "Size of that disk.", vitals.disk_bytes)
    yield _gauge("directory_documents", "Documents in the directory.", vitals.documents)
    yield _gauge("head_stale", "1 while no witness vouches for the directory.", vitals.head_stale)
    if vitals.keys_until is not None:
        end = vitals.keys_until / _SECOND
        yield _gauge("key_end_timestamp_seconds", "When the encryption key passes its age.", end)


def _times(found: dict[str, int]) -> dict[str, float]:
    return {name: at / _SECOND for name, at in found.items()}


def _labelled(name: str, what: str, label: str, values: dict[str, int] | dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"liaison_node_{name}", what, labels=[label])
    for each, value in sorted(values.items()):
        family.add_metric([each], value)
    return family


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"liaison_node_{name}", what, value=value)
