"""Cases about the hub's operational records."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.encoding import canonical_json
from schemas.errors import Code
from schemas.operations import OPERATION_TYPE, Operation, OperationKind, OperationState, sign_operation
from schemas.signing import ENROLMENT_TYPE, Signer, sign_envelope
from tests.support.federation import AT, FRA, HUB, REGISTRAR
from tests.vectors.recipe import Case, case, code

_LAG: Final = Operation(
    at=AT,
    kind=OperationKind.LAG,
    about=FRA.endpoint,
    state=OperationState.RAISED,
    value=1500,
    limit=1000,
    code="",
)
_REFUSED: Final = {"kind": OperationKind.REFUSED, "value": 25, "limit": 20, "code": "expired"}
_DISK: Final = {"kind": OperationKind.DISK, "about": "", "value": 5_000, "limit": 9_000}


def operation_cases() -> Iterator[Case]:
    """All of them."""
    for name, what, changes in (
        ("lag", "an endpoint that does not read", {}),
        ("cleared", "it reads again", {"state": OperationState.CLEARED, "value": 3}),
        ("refused", "an endpoint of which much is refused", _REFUSED),
        ("disk", "the hub's disk", _DISK),
        ("key", "a key that ends", {"kind": OperationKind.EXPIRY, "code": "key"}),
        ("certificate", "a certificate that ends", {**_DISK, "kind": "expiry", "code": "certificate"}),
    ):
        record = Operation.model_validate({**_LAG.model_dump(), **changes})
        told = {"kind": record.kind, "about": record.about, "state": record.state, "code": record.code}
        yield _read(name, what, told, sign_operation(record, HUB))
    yield from _forms()
    good = _LAG.to_bytes()
    yield _bad("by_another_key", "signed by somebody else", good, Code.BAD_SIGNATURE, signer=REGISTRAR)
    yield _bad(
        "of_another_type", "an envelope of another type", good, Code.BAD_DOCUMENT, type_=ENROLMENT_TYPE
    )
    yield _bad("spaced", "a payload with a space", good.replace(b":", b": ", 1), Code.BAD_ENCODING)


def _forms() -> Iterator[Case]:
    for name, what, changes in (
        ("kind_unknown", "a kind that there is not", {"kind": "mood"}),
        ("state_unknown", "neither raised nor cleared", {"state": "perhaps"}),
        ("about_nobody", "the lag of nobody", {"about": ""}),
        ("about_no_endpoint", "about what is no endpoint", {"about": "fra"}),
        ("disk_of_an_endpoint", "the disk of an endpoint", {"kind": "disk"}),
        (
            "certificate_of_an_endpoint",
            "an endpoint's certificate",
            {"kind": "expiry", "code": "certificate"},
        ),
        ("code_with_lag", "a lag with a code", {"code": "expired"}),
        ("code_unknown", "a refusal that there is not", {**_REFUSED, "code": "why_not"}),
        ("code_missing", "nothing said to expire", {"kind": "expiry"}),
        ("value_negative", "a number below zero", {"value": -1}),
        ("value_boolean", "true where a number belongs", {"value": True}),
        ("limit_text", "a number as text", {"limit": "1000"}),
        ("unknown_field", "one more field", {"note": "hello"}),
        ("version_2", "version 2", {"v": 2}),
    ):
        fields = {**_LAG.model_dump(mode="json"), **changes}
        yield _bad(name, what, canonical_json(fields), Code.BAD_DOCUMENT)


def _read(name: str, what: str, expect: dict[str, Any], record: bytes) -> Case:
    return case(f"operation_{name}", what, "operation", expect, record=record.decode(), key=HUB.public.hex())


def _bad(
    name: str, what: str, payload: bytes, refusal: Code, *, signer: Signer = HUB, type_: str = OPERATION_TYPE
) -> Case:
    return _read(name, what, code(refusal), sign_envelope(type_, payload, [signer]).to_bytes())
