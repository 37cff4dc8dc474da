"""What an agency tells the originator of an amendment or retraction: when it came, and what was done with it.
FORMAT.md, "Replies".

It is a claim of that agency, sealed and signed like every reply: it proves that the agency said so.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.bulletin import where
from schemas.documents import Milliseconds
from schemas.encoding import canonical_json
from schemas.errors import Code, FormatError
from schemas.limits import LIST_MAX
from schemas.particulars import Uuid7

KIND: Final = "report"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Applied(_Part):
    """One change. Times are the reporter's, in Unix milliseconds; `applied` is null exactly where something
    failed. `archive` is `absent` where there was nothing to change.
    """

    id: Uuid7
    received: Milliseconds
    applied: Milliseconds | None
    archive: Literal["applied", "absent"]
    local: Literal["applied", "failed"]
    sinks: Literal["applied", "failed", "none"]

    @model_validator(mode="after")
    def _failed_or_not(self) -> Self:
        if (self.applied is None) != ("failed" in {self.local, self.sinks}):
            raise ValueError("it is applied exactly where nothing failed")
        return self


class Report(_Part):
    """Some changes of one originator in one community."""

    v: Literal[1] = 1
    type: Literal["report"] = "report"
    changes: Annotated[list[Applied], Field(min_length=1, max_length=LIST_MAX)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({each.id for each in self.changes}) != len(self.changes):
            raise ValueError("a change stands there twice")
        return self

    def to_bytes(self) -> bytes:
        """Canonical JSON with every field."""
        return canonical_json(self.model_dump(mode="json"))


def parse_report(data: bytes, fields: dict[str, object]) -> Report:
    """A report from strict JSON, and the bytes that it was read from. FormatError `bad_document`,
    `bad_encoding`.
    """
    try:
        report = Report.model_validate(fields)
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, f"not a report: {where(error)}") from None
    if report.to_bytes() != data:
        raise FormatError(Code.BAD_ENCODING, "the report is not in its canonical form")
    return report
