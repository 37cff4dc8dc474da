"""AsyncAPI 3.0: the building blocks, and the document of the hub's subjects. FORMAT.md, "Subjects"."""

from typing import Any, Final

from schemas.history import HANDOVER_MAX
from schemas.json_schemas import Json, envelope_schema, receipt_schema
from schemas.limits import CHUNK_MAX, FRAME_MAX, PAGE_MAX, WRAP_SIZE
from schemas.operations import operations_for
from schemas.pages import PageRequest
from schemas.subjects import (
    CHUNKS,
    DIRECTORY,
    DIRECTORY_DOCUMENTS,
    INTAKE,
    QUARANTINE,
    TRAFFIC,
    chunk_at,
    chunk_upload,
    document_submission,
    handover_submission,
    history_for,
    history_submission,
    membership_log,
    pages_for,
    receipts_for,
    wrap_submission,
    wraps_for,
)
from schemas.vocabulary import Precedence, Realm
from schemas.wraps import BUNDLE_MAX

VERSION: Final = "1.0.0"
"""Of the wire format: version 1."""
FRAME: Final = "application/vnd.liaison.frame.v1"

PARAMETERS: Final[Json] = {
    "realm": {"description": "Live traffic or an exercise.", "enum": [each.value for each in Realm]},
    "community": {"description": "The community's id: 16 random bytes in hex."},
    "precedence": {
        "description": "The one bit about urgency.",
        "enum": [each.value for each in Precedence],
    },
    "endpoint": {"description": "PK: the NATS account key of the endpoint, 56 characters, A first."},
    "code": {"description": "The code of the refusal."},
    "address": {"description": "SHA-256 of the bytes, in hex."},
}


def document(title: str, description: str, server: Json, parts: Json) -> Json:
    """An AsyncAPI document; `parts` holds channels, operations and components."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": VERSION,
            "description": description,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"nats": {"protocol": "nats", **server}},
        **parts,
    }


def channel(address: str, message: str, description: str, stream: str = "") -> Json:
    """A subject pattern with its one message; the tokens in braces must be among `PARAMETERS`."""
    names = [token[1:-1] for token in address.split(".") if token.startswith("{")]
    found: Json = {
        "address": address,
        "description": description,
        "messages": {message: reference("messages", message)},
    }
    if names:
        found["parameters"] = {name: reference("parameters", name) for name in names}
    if stream:
        found["x-jetstream-stream"] = stream
    return found


def operation(action: str, name: str, message: str, summary: str) -> Json:
    """What the described application does on the channel `name`: `send` or `receive`."""
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{name}/messages/{message}"}],
    }


def reference(kind: str, name: str) -> Json:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def binary(title: str, description: str, content_type: str, size: int) -> Json:
    """A message that is bytes, `size` at most."""
    payload = {"type": "string", "format": "binary", "maxLength": size}
    return {"title": title, "summary": description, "contentType": content_type, "payload": payload}


def hub_document(examples: Json) -> Json:
    """What the hub's NATS carries, seen from the hub. `examples` maps a schema's name to a value."""
    endpoint = "{endpoint}"
    place = "{realm}.{community}.{precedence}.{endpoint}"
    # name: (address, message, stream, action, what it is)
    rows: dict[str, tuple[str, str, str, str, str]] = {
        "intake": (f"in.{place}", "frame", INTAKE, "receive", "A frame, from its publisher's own account."),
        "documents": (
            document_submission(endpoint),
            "envelope",
            INTAKE,
            "receive",
            "A directory document or a membership entry, handed in.",
        ),
        "bundles": (wrap_submission(endpoint), "bundle", INTAKE, "receive", "Wraps of one epoch's key."),
        "requests": (
            history_submission(endpoint),
            "envelope",
            INTAKE,
            "receive",
            "A request for old keys, handed in.",
        ),
        "handovers": (
            handover_submission(endpoint),
            "handover",
            INTAKE,
            "receive",
            "Old keys of one publisher for one reader.",
        ),
        "past": (pages_for(endpoint), "question", "", "receive", "Which old frames the endpoint wants."),
        "asked": (
            history_for(endpoint),
            "envelope",
            TRAFFIC,
            "send",
            "A request for old keys, to the holder that it names.",
        ),
        "uploads": (
            chunk_upload(endpoint),
            "chunk",
            "",
            "receive",
            "A chunk of an attachment, to be stored; the reply is a receipt.",
        ),
        "chunks": (
            chunk_at("{address}"),
            "chunk",
            CHUNKS,
            "send",
            "A chunk under its SHA-256; asked for by direct get of this subject.",
        ),
        "traffic": (f"f.{place}", "frame", TRAFFIC, "send", "A frame that was admitted."),
        "wraps": (wraps_for(endpoint), "wrap", TRAFFIC, "send", "One wrap, for its one reader."),
        "receipts": (receipts_for(endpoint), "receipt", TRAFFIC, "send", "Signed answers to submissions."),
        "operations": (
            operations_for(endpoint),
            "envelope",
            TRAFFIC,
            "send",
            "Operational records: what the hub says of its own service.",
        ),
        "directory": (DIRECTORY_DOCUMENTS, "envelope", DIRECTORY, "send", "The directory, in order."),
        "membership": (
            membership_log("{community}"),
            "envelope",
            DIRECTORY,
            "send",
            "A community's membership log, in order.",
        ),
        "quarantine": (
            "q.{endpoint}.{code}",
            "refused",
            QUARANTINE,
            "send",
            "A refused submission as it came; only the hub's operators can read it.",
        ),
    }
    channels = {name: channel(row[0], row[1], row[4], row[2]) for name, row in rows.items()}
    operations = {
        f"{row[3]}{name.capitalize()}": operation(row[3], name, row[1], row[4]) for name, row in rows.items()
    }
    channels["pages"] = {
        "address": None,
        "description": "The reply subject of a question for old frames.",
        "messages": {"page": reference("messages", "page")},
    }
    operations["receivePast"]["reply"] = {
        "address": {"location": "$message.header#/reply", "description": "NATS's own reply subject."},
        "channel": {"$ref": "#/channels/pages"},
        "messages": [{"$ref": "#/channels/pages/messages/page"}],
    }
    messages = {
        "frame": binary("Frame", "A signed frame (FORMAT.md, Frame).", FRAME, FRAME_MAX),
        "bundle": binary(
            "Bundle of wraps",
            "1 to 256 wraps (FORMAT.md, Wraps).",
            "application/vnd.liaison.wraps.v1",
            BUNDLE_MAX,
        ),
        "handover": binary(
            "Handover",
            "1 to 256 old keys (FORMAT.md, History).",
            "application/vnd.liaison.handover.v1",
            HANDOVER_MAX,
        ),
        "question": _structured(
            "Question for a page", "Answered by a page.", "PageRequest", examples["page-request"]
        ),
        "page": binary(
            "Page",
            "Old frames, or a refusal (FORMAT.md, History).",
            "application/vnd.liaison.page.v1",
            PAGE_MAX,
        ),
        "chunk": binary(
            "Chunk",
            "A chunk of an attachment, or a list of addresses (FORMAT.md, Attachments).",
            "application/octet-stream",
            CHUNK_MAX,
        ),
        "wrap": binary("Wrap", "One wrap (FORMAT.md, Wraps).", "application/vnd.liaison.wrap.v1", WRAP_SIZE),
        "envelope": _structured("Envelope", "A DSSE envelope.", "Envelope", examples["envelope"]),
        "receipt": _structured("Receipt", "Signed answers.", "Receipt", examples["receipt"]),
        "refused": binary(
            "Refused submission", "The bytes that were refused.", "application/octet-stream", BUNDLE_MAX
        ),
    }
    used = {token[1:-1] for row in rows.values() for token in row[0].split(".") if token.startswith("{")}
    components = {
        "parameters": {name: PARAMETERS[name] for name in PARAMETERS if name in used},
        "messages": messages,
        "schemas": {
            "Envelope": envelope_schema(),
            "Receipt": receipt_schema(),
            "PageRequest": PageRequest.model_json_schema(mode="serialization"),
        },
    }
    return document(
        "Liaison hub",
        "The subjects of the hub's NATS. Each endpoint has an account of its own; the server itself puts the "
        "account's key into the last token. Endpoints read through durables that the hub makes.",
        {"host": "hub.example:4222", "description": "NATS in operator mode; a user nkey and its JWT."},
        {"channels": channels, "operations": operations, "components": components},
    )


def _structured(title: str, summary: str, schema: str, example: Any) -> Json:  # noqa: ANN401 - any JSON value
    return {
        "title": title,
        "summary": summary,
        "payload": reference("schemas", schema),
        "examples": [{"name": title.lower(), "payload": example}],
    }
