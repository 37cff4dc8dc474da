"""Requests about history for late joiners, and about what goes on to other communities: pure."""

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.limits import SUMMARY_MAX
from schemas.particulars import Body
from subscribers.service.request import Request
from subscribers.service.request import Word as _Word


class ReleaseAsk(Request):
    """`release-ask`: that the bulletin `ref` may go on to `community`"""

    ref: _Word
    community: _Word
    note: Annotated[Body, StringConstraints(max_length=SUMMARY_MAX)] = ""


class ReleaseAnswer(Request):
    """`release-answer`: grant what the request `ref` asks for, for so many days; without them decline it"""

    ref: _Word
    days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = None
    note: Annotated[Body, StringConstraints(max_length=SUMMARY_MAX)] = ""


class ReleaseCarry(Request):
    """`release-carry`: publish what the request `ref` was granted"""

    ref: _Word


class HistoryWanted(Request):
    """`history-request`"""

    community: _Word
