"""Requests about what the node holds: pure."""

from typing import Annotated

from pydantic import Field

from subscribers.insight.shapes import LIKE_MAX, Step
from subscribers.records import Filters
from subscribers.service.request import Request
from subscribers.service.request import Word as _Word


class ProvenanceRequest(Request):
    """`provenance`"""

    ref: _Word


class LikeRequest(Request):
    """`like`: the bulletins that have most words in common with one, best first."""

    ref: _Word
    filters: Filters = Filters()
    limit: Annotated[int, Field(ge=1, le=LIKE_MAX, strict=True)] = 5


class CountsRequest(Request):
    """`counts`: how many bulletins of each kind and severity, by days or weeks from `filters.since` to
    `filters.until`, which must both be given.
    """

    filters: Filters
    step: Step = "week"
