"""Requests about what the node holds: pure."""

from subscribers.insight.shapes import Step
from subscribers.records import Filters
from subscribers.service.request import Request
from subscribers.service.request import Word as _Word


class ProvenanceRequest(Request):
    """`provenance`"""

    ref: _Word


class CountsRequest(Request):
    """`counts`: how many bulletins of each kind and severity, by days or weeks from `filters.since` to
    `filters.until`, which must both be given.
    """

    filters: Filters
    step: Step = "week"
