"""The facts of `status` as Prometheus text: one place says which metrics there are.

Labels are agencies' ids, endpoints' keys, codes and streams' names. A community's name is no label, nor is
its id: a hub that is watched from outside should not tell who shares what with whom.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schemas.encoding import from_instant
from schemas.receipts import ADMITTED

TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_WHO: Final = ("agency", "endpoint")


def prometheus(facts: dict[str, Any]) -> str:
    """Exposition format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Facts(facts))
    return generate_latest(registry).decode()


def families(facts: dict[str, Any]) -> Iterator[Metric]:
    """Every metric, with its values from `facts` (`hub.health.status`)."""
    yield from _whole(facts)
    yield from _streams(facts["streams"])
    yield from _endpoints(facts["agencies"])


class _Facts(Collector):
    def __init__(self, facts: dict[str, Any]) -> None:
        self._facts = facts

    def collect(self) -> Iterable[Metric]:
        return families(self._facts)


def _whole(facts: dict[str, Any]) -> Iterator[Metric]:
    answers = CounterMetricFamily("liaison_answers", "Submissions answered, by code.", labels=["code"])
    for code, count in {ADMITTED: facts["admitted"], **facts["refused"]}.items():
        answers.add_metric([code], count)
    yield answers
    latency = facts["latency"]
    buckets = [(str(bound), count) for bound, count in latency["buckets"]]
    took = HistogramMetricFamily("liaison_admission_seconds", "From the intake to the answer, in seconds.")
    took.add_metric([], [*buckets, ("+Inf", latency["count"])], latency["sum"])
    yield took
    yield _gauge("liaison_intake_waiting", "Submissions that wait for admission.", facts["intake_waiting"])
    yield _gauge("liaison_uptime_seconds", "How long this process has run.", facts["uptime_s"])
    yield _gauge("liaison_disk_free_bytes", "Room on the disk of the hub's directory.", facts["disk"]["free"])
    yield _gauge("liaison_disk_bytes", "Size of that disk.", facts["disk"]["total"])
    yield _gauge("liaison_directory_documents", "Documents in the directory.", facts["directory"]["size"])
    yield _gauge("liaison_upload_limit_bytes", "What an endpoint may upload in a day.", facts["upload_limit"])
    held = GaugeMetricFamily("liaison_lease_held", "1 for who holds a lease.", labels=["lease", "holder"])
    for lease, holder in facts["leases"].items():
        held.add_metric([lease, holder], 1)
    yield held


def _streams(streams: dict[str, dict[str, Any]]) -> Iterator[Metric]:
    told = {
        "messages": ("liaison_stream_messages", "Messages in a stream."),
        "bytes": ("liaison_stream_bytes", "Bytes in a stream."),
        "limit": ("liaison_stream_limit_bytes", "The most a stream may hold; 0 where there is no limit."),
    }
    for field, (name, what) in told.items():
        family = GaugeMetricFamily(name, what, labels=["stream"])
        for stream, each in streams.items():
            family.add_metric([stream], each[field])
        yield family
    behind = GaugeMetricFamily("liaison_stream_replicas_behind", "Replicas not current.", labels=["stream"])
    for stream, each in streams.items():
        behind.add_metric([stream], len(each["behind"]))
    yield behind


def _endpoints(agencies: list[dict[str, Any]]) -> Iterator[Metric]:
    known = [(agency["id"], each) for agency in agencies for each in agency["endpoints"]]
    gauges = {
        "traffic_waiting": ("liaison_endpoint_waiting", "Messages of TRAFFIC that an endpoint has not read."),
        "directory_waiting": ("liaison_endpoint_directory_waiting", "The same of DIRECTORY."),
        "suspended": ("liaison_endpoint_suspended", "1 while an endpoint is suspended."),
        "uploaded": ("liaison_endpoint_uploaded_bytes", "What an endpoint has uploaded today."),
    }
    for field, (name, what) in gauges.items():
        gauge = GaugeMetricFamily(name, what, labels=_WHO)
        for agency, each in known:
            gauge.add_metric([agency, each["public"]], each[field])
        yield gauge
    heard = GaugeMetricFamily(
        "liaison_endpoint_last_heard_timestamp_seconds", "When an endpoint last sent something.", labels=_WHO
    )
    admitted = CounterMetricFamily("liaison_endpoint_admitted", "Submissions admitted.", labels=_WHO)
    refused = CounterMetricFamily("liaison_endpoint_refused", "Those refused.", labels=(*_WHO, "code"))
    size = CounterMetricFamily("liaison_endpoint_received_bytes", "Bytes of all of them.", labels=_WHO)
    for agency, each in known:
        labels = [agency, each["public"]]
        if each["last_heard"]:
            heard.add_metric(labels, from_instant(each["last_heard"]) / 1000)
        admitted.add_metric(labels, each["admitted"])
        size.add_metric(labels, each["bytes"])
        for code, count in each["refused"].items():
            refused.add_metric([*labels, code], count)
    yield from (heard, admitted, refused, size)


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)
