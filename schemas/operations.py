"""Operational records: what the hub tells an endpoint of its own service, signed and in clear. FORMAT.md,
"Operational records". Pure.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from schemas.bulletin import where
from schemas.documents import Milliseconds
from schemas.encoding import canonical_json, parse_json
from schemas.errors import Code, FormatError, TrustError
from schemas.limits import DOCUMENT_MAX, INTEGER_MAX
from schemas.signing import Signer, parse_envelope, sign_envelope

OPERATION_TYPE: Final = "application/vnd.liaison.operation.v1+json"
KEY: Final = "key"
CERTIFICATE: Final = "certificate"
_REFUSALS: Final = frozenset(str(each) for each in Code)

Count = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
About = Annotated[str, StringConstraints(pattern=r"^(A[A-Z2-7]{55})?$")]


class OperationKind(StrEnum):
    """What is amiss."""

    LAG = "lag"
    SILENCE = "silence"
    QUOTA = "quota"
    REFUSED = "refused"
    DISK = "disk"
    EXPIRY = "expiry"


class OperationState(StrEnum):
    """Whether it is, or is over."""

    RAISED = "raised"
    CLEARED = "cleared"


class Operation(BaseModel):
    """One record. `about` is an endpoint, or empty for the hub; `value` and `limit` are in the kind's
    unit.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1
    type: Literal["operation"] = "operation"
    at: Milliseconds
    kind: Annotated[OperationKind, Field(strict=False)]
    about: About
    state: Annotated[OperationState, Field(strict=False)]
    value: Count
    limit: Count
    code: str

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        of_hub = self.kind is OperationKind.DISK or self.code == CERTIFICATE
        codes = {OperationKind.REFUSED: _REFUSALS, OperationKind.EXPIRY: frozenset({KEY, CERTIFICATE})}
        if of_hub == bool(self.about) or self.code not in codes.get(self.kind, frozenset({""})):
            raise ValueError("about and code are not those of its kind")
        return self

    def to_bytes(self) -> bytes:
        """Canonical JSON: what the envelope carries."""
        return canonical_json(self.model_dump(mode="json"))


def operations_for(endpoint: str) -> str:
    """Where the hub puts an endpoint's operational records."""
    return f"o.{endpoint}"


def sign_operation(operation: Operation, signer: Signer) -> bytes:
    """The envelope that is published."""
    return sign_envelope(OPERATION_TYPE, operation.to_bytes(), [signer]).to_bytes()


def read_operation(data: bytes, hub_key: bytes) -> Operation:
    """A record from untrusted bytes, signed by the hub. FormatError, or TrustError `bad_signature`."""
    envelope = parse_envelope(data, OPERATION_TYPE)
    try:
        operation = Operation.model_validate(parse_json(envelope.payload, DOCUMENT_MAX))
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, where(error)) from None
    if operation.to_bytes() != envelope.payload:
        raise FormatError(Code.BAD_ENCODING, "the record is not in its canonical form")
    if not envelope.signed_by([hub_key]):
        raise TrustError(Code.BAD_SIGNATURE, "the record is not signed by the hub's key in the directory")
    return operation
