"""How an endpoint has its feeds set back after a loss. FORMAT.md, "History". Pure."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.encoding import canonical_json, parse_json
from schemas.errors import FormatError
from schemas.limits import INTEGER_MAX

_REQUEST_MAX: Final = 256


class RewindRequest(BaseModel):
    """Everything of the asker's feed after the sequence `rewind` of the hub's stream, once more."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1
    rewind: Annotated[int, Field(ge=0, le=INTEGER_MAX)]

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))


def rewind_of(data: bytes) -> int | None:
    """The sequence that untrusted bytes ask to be set back to; None when they ask for something else."""
    try:
        return RewindRequest.model_validate(parse_json(data, _REQUEST_MAX)).rewind
    except (FormatError, ValidationError):
        return None
