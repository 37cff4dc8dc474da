"""Publish what an agency's own NATS carries: the bulletins' subjects and the node's service, made from the
models.

`python -m subscribers.publish` writes JSON Schemas and the AsyncAPI document into schemas/published/agency,
`--check` names those that have drifted and then exits 1.
"""

import sys
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from schemas.asyncapi import channel, document, operation, reference
from schemas.bulletin import Draft
from schemas.errors import Code
from schemas.evidence import Evidence
from schemas.json_schemas import Json, between_fields, named
from schemas.publish import PUBLISHED, read_examples, run
from schemas.subjects import BULLETINS
from schemas.vocabulary import AlarmName, Kind, Realm, Severity, Tlp
from subscribers.api import (
    AlarmEntry,
    ClientAdded,
    DirectoryPage,
    Exported,
    Finding,
    Imported,
    OutboxEntry,
    QuarantineEntry,
    WhoAmI,
)
from subscribers.exchange.hub_link import Admission
from subscribers.files.shapes import Download, FilePiece, Upload
from subscribers.insight.shapes import Counts, Provenance
from subscribers.keyring.identity_api import IdentityDocument, IdentityRequest, IdentityState
from subscribers.keyring.key_life import KeyInfo, Reader
from subscribers.records import (
    Change,
    Community,
    Compliance,
    HistoryReport,
    MembershipChange,
    NodeStatus,
    Notice,
    Page,
    Proposal,
    Published,
    Record,
    ReleaseReport,
)
from subscribers.service.examples import answer_examples, change, notice, record, request_examples
from subscribers.service.requests import MODELS
from subscribers.service.roles import ClientIdentity, Role, Verb, verbs

DIRECTORY: Final[Path] = PUBLISHED / "agency"

ALARMS: Final = "alarm.{alarm}"
ANSWERS: Final[dict[Verb, Any]] = {
    Verb.WHOAMI: WhoAmI,
    Verb.SEARCH: Page,
    Verb.LATEST: Page,
    Verb.SHOW: Record,
    Verb.EVIDENCE: Evidence,
    Verb.EVIDENCE_REFUSED: Evidence,
    Verb.COMMUNITIES: list[Community],
    Verb.STATUS: NodeStatus,
    Verb.DIRECTORY: DirectoryPage,
    Verb.FETCH: Download,
    Verb.FETCH_DATA: FilePiece,
    Verb.PUBLISH: Published,
    Verb.ATTACH: Upload,
    Verb.ATTACH_DATA: Upload,
    Verb.ATTACH_STATUS: Upload,
    Verb.ACKNOWLEDGE: Published,
    Verb.SIGHT: Published,
    Verb.REPLIES: list[Record],
    Verb.COMPLIANCE: list[Compliance],
    Verb.PROVENANCE: Provenance,
    Verb.COUNTS: Counts,
    Verb.LIKE: list[Record],
    Verb.COMMUNITY_CREATE: Community,
    Verb.COMMUNITY_ADD: Community,
    Verb.COMMUNITY_REMOVE: Community,
    Verb.READERS: list[Reader],
    Verb.COMMUNITY_LOG: list[MembershipChange],
    Verb.COMMUNITY_FOUND: Proposal,
    Verb.COMMUNITY_PROPOSE: Proposal,
    Verb.COMMUNITY_PROPOSAL: Proposal,
    Verb.COMMUNITY_SIGN: Proposal,
    Verb.COMMUNITY_SUBMIT: Proposal,
    Verb.NOTICES: list[Notice],
    Verb.RELEASES: ReleaseReport,
    Verb.RELEASE_ASK: Published,
    Verb.RELEASE_ANSWER: Published,
    Verb.RELEASE_CARRY: list[Published],
    Verb.HISTORY: HistoryReport,
    Verb.HISTORY_REQUEST: HistoryReport,
    Verb.DIGEST: Published,
    Verb.ALARMS: list[AlarmEntry],
    Verb.ALARM_ACK: AlarmEntry,
    Verb.OUTBOX: list[OutboxEntry],
    Verb.OUTBOX_DRAFT: Draft,
    Verb.OUTBOX_DROP: None,
    Verb.QUARANTINE: list[QuarantineEntry],
    Verb.DOCTOR: list[Finding],
    Verb.KEYS: list[KeyInfo],
    Verb.KEY_ROTATE: list[KeyInfo],
    Verb.KEY_REVOKE: list[KeyInfo],
    Verb.IDENTITY: list[IdentityState],
    Verb.IDENTITY_NEW: IdentityRequest,
    Verb.IDENTITY_OBJECT: IdentityDocument,
    Verb.IDENTITY_TAKE_UP: IdentityDocument,
    Verb.PARCEL_EXPORT: Exported,
    Verb.PARCEL_IMPORT: Imported,
    Verb.CLIENTS: list[ClientIdentity],
    Verb.CLIENT_ADD: ClientAdded,
    Verb.CLIENT_REMOVE: None,
}
"""What stands under `result` in the answer to each verb."""

_SUMMARIES: Final = {
    Verb.WHOAMI: "Who the node says that the client is.",
    Verb.SEARCH: "Bulletins with these words, newest first unless ranked.",
    Verb.LATEST: "The newest bulletins.",
    Verb.EVIDENCE: "What proves a bulletin to a third party: an evidence file.",
    Verb.EVIDENCE_REFUSED: "What proves that a refused frame was signed: an evidence file.",
    Verb.SHOW: "One bulletin by reference or id.",
    Verb.COMMUNITIES: "The communities that the agency belongs to.",
    Verb.STATUS: "How the node is doing.",
    Verb.DIRECTORY: "The directory as the node verified it, by parts, with the newest checkpoint.",
    Verb.FETCH: "Have the node fetch an attachment from the hub; how far it is.",
    Verb.FETCH_DATA: "The bytes of an attachment that the node has fetched.",
    Verb.PUBLISH: "Take a draft into the outbox, with files that the hub has.",
    Verb.ATTACH: "Begin to give the node a file for a bulletin, or go on with one.",
    Verb.ATTACH_DATA: "The next bytes of such a file.",
    Verb.ATTACH_STATUS: "How far such a file is, here and at the hub.",
    Verb.ACKNOWLEDGE: "Publish an acknowledgement of a bulletin, to the community or its originator.",
    Verb.SIGHT: "Publish a sighting of what a bulletin speaks of, to the community or its originator.",
    Verb.COMPLIANCE: "Who has applied an amendment or retraction of this agency, by what they say.",
    Verb.PROVENANCE: "Whose key signed a bulletin, who vouches for it, and who may read it.",
    Verb.COUNTS: "How many bulletins there are, by kind, severity and day or week.",
    Verb.LIKE: "The bulletins that have most words in common with one, best first.",
    Verb.REPLIES: "What was answered to a bulletin, newest first.",
    Verb.COMMUNITY_CREATE: "Found a community.",
    Verb.COMMUNITY_ADD: "Let an agency in.",
    Verb.COMMUNITY_REMOVE: "Put an agency out.",
    Verb.READERS: "Who can read what is published in a community, and who cannot.",
    Verb.COMMUNITY_LOG: "Every change in a community: who, by whose signatures, from when on.",
    Verb.COMMUNITY_FOUND: "Begin a community that several owners must sign.",
    Verb.COMMUNITY_PROPOSE: "Begin a change that several owners must sign.",
    Verb.COMMUNITY_PROPOSAL: "What a proposal says, and who has signed it.",
    Verb.COMMUNITY_SIGN: "Sign a proposal as an owner.",
    Verb.COMMUNITY_SUBMIT: "Hand in a proposal that enough owners have signed.",
    Verb.NOTICES: "Changes in the directory that concern the agency.",
    Verb.RELEASES: "Which bulletins others asked to let go on, what was answered, and what was carried here.",
    Verb.RELEASE_ASK: "Ask the originator of a bulletin to let it go on to another community.",
    Verb.RELEASE_ANSWER: "Grant such a request, or decline it.",
    Verb.RELEASE_CARRY: "Publish in the other community what was granted, with what was said since.",
    Verb.HISTORY: "How far the history of communities has come, and what was passed on to others.",
    Verb.HISTORY_REQUEST: "Ask for what members may read from before the agency joined.",
    Verb.DIGEST: "Publish the digest of a community for a period, once.",
    Verb.ALARMS: "What the node holds against somebody.",
    Verb.ALARM_ACK: "Say that somebody has seen to an alarm.",
    Verb.OUTBOX: "Own bulletins that wait for the hub's answer, or that were refused.",
    Verb.OUTBOX_DRAFT: "The text of one of them, as it can be published again.",
    Verb.OUTBOX_DROP: "Forget a refused one.",
    Verb.QUARANTINE: "The latest frames that the node refused.",
    Verb.DOCTOR: "What is wrong, and how to mend it.",
    Verb.KEYS: "The agency's keys, by their ids and ages.",
    Verb.KEY_ROTATE: "Make new keys for the node and go over to them.",
    Verb.KEY_REVOKE: "Have a signing key of the agency refused everywhere.",
    Verb.IDENTITY: "The agency's identity key, and every agency's that is about to be replaced.",
    Verb.IDENTITY_NEW: "A new identity key, ready on the node's machine, and its request to the secretariat.",
    Verb.IDENTITY_OBJECT: "Object to the replacement of the agency's identity key that waits.",
    Verb.IDENTITY_TAKE_UP: "Take up the new identity key now.",
    Verb.PARCEL_EXPORT: "What waits for the hub, into a file on the node's machine.",
    Verb.PARCEL_IMPORT: "Take in a file of the courier.",
    Verb.CLIENTS: "The agency's local clients.",
    Verb.CLIENT_ADD: "Make a local client and its key.",
    Verb.CLIENT_REMOVE: "Remove a local client.",
}
_ERROR: Final[Json] = {
    "title": "Refusal",
    "description": "Why a request was refused: a stable code, what is wrong, and what to do.",
    "type": "object",
    "properties": {
        "code": {"enum": [code.value for code in Code]},
        "message": {"type": "string"},
        "fix": {"type": "string"},
    },
    "required": ["code", "message", "fix"],
    "additionalProperties": False,
}

_ONCE: Final[Json] = {
    "title": "Once",
    "description": "A fresh UUIDv7 that names this publication. Asked again by the same client under the "
    "same name, the node tells what became of it, and publishes nothing.",
    "type": "string",
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
}
_PRIVATE: Final[Json] = {
    "title": "Private",
    "description": "Seal this acknowledgement or sighting to the originator of what it answers: it has one "
    "link, no files, no history, and is below flash. The others see that something was sent, and when.",
    "type": "boolean",
    "default": False,
}


def request_schema(verb: Verb, ref: str) -> Json:
    """The request of a verb; the draft in `publish` is spelled out."""
    schema: Json = MODELS[verb].model_json_schema(mode="validation", ref_template=ref)
    if verb is Verb.PUBLISH:
        draft = Draft.model_json_schema(mode="validation", ref_template=ref)
        draft["properties"] |= {"once": _ONCE, "private": _PRIVATE}
        schema["$defs"] = {**draft.pop("$defs"), "Draft": {**draft, "allOf": between_fields(given=True)}}
        schema["properties"]["draft"] = {"$ref": ref.format(model="Draft")}
    schema["title"] = f"Request {verb.value}"
    schema["description"] = f"What is sent to `node.{verb.value}`. {_SUMMARIES[verb]}"
    return schema


def answer_schema(verb: Verb, ref: str) -> Json:
    """The answer to a verb: `result`, or `error`."""
    result: Json = TypeAdapter(ANSWERS[verb]).json_schema(mode="validation", ref_template=ref)
    inner = result.pop("$defs", {})
    return {
        "title": f"Answer {verb.value}",
        "description": f"What `node.{verb.value}` answers. {_SUMMARIES[verb]}",
        "$defs": {**inner, "Refusal": _ERROR},
        "oneOf": [_only("result", result), _only("error", {"$ref": ref.format(model="Refusal")})],
    }


def _only(name: str, schema: Json) -> Json:
    return {
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": False,
    }


def documents() -> dict[str, Json]:
    """File name to document."""
    known = read_examples()
    requests, answers = request_examples(known), answer_examples(known)
    ref = "#/$defs/{model}"
    made = {
        "record": named(
            "agency:record",
            Record.model_json_schema(ref_template=ref),
            [record(known).model_dump(mode="json")],
        ),
        "admission": named(
            "agency:admission", Admission.model_json_schema(ref_template=ref), [known["admission"]]
        ),
    }
    for verb in Verb:
        name = verb.value
        made[f"request-{name}"] = named(f"agency:request:{name}", request_schema(verb, ref), [requests[verb]])
        made[f"answer-{name}"] = named(f"agency:answer:{name}", answer_schema(verb, ref), answers[verb])
    files = {f"{name}.schema.json": schema for name, schema in made.items()}
    return {**files, "agency.asyncapi.json": agency_document(known)}


def agency_document(known: Json) -> Json:
    """The subjects of an agency's own NATS and the node's service, seen from the node."""
    ref = "#/components/schemas/{model}"
    requests, answers = request_examples(known), answer_examples(known)
    schemas: Json = {}

    def register(name: str, schema: Json) -> Json:
        schemas.update(schema.pop("$defs", {}))
        schemas[name] = schema
        return reference("schemas", name)

    address = "bulletin.{realm}.{community}.{kind}.{severity}.{tlp}"
    channels = {
        "bulletins": channel(
            address,
            "bulletin",
            "A bulletin that the agency holds; clients get those up to their TLP ceiling.",
            BULLETINS,
        ),
        "changes": channel(
            "change.{realm}.{community}.{kind}.{severity}.{tlp}",
            "change",
            "What became of a bulletin that the agency holds, under that bulletin's own kind, severity and "
            "marking, live. The amendment or retraction itself is on its own subject, and in the durable.",
        ),
        "alarms": channel(ALARMS, "alarm", "An alarm that is new, to every client that is connected."),
    }
    operations: Json = {
        "sendBulletin": operation("send", "bulletins", "bulletin", "Every bulletin that was archived, once."),
        "sendChange": operation("send", "changes", "change", "Every change that holds, when it is applied."),
        "sendAlarm": operation("send", "alarms", "alarm", "Every alarm when it is raised, not its repeats."),
        "sendNotice": operation("send", "notices", "notice", "Every notice, live."),
    }
    channels |= {
        "notices": channel(
            "notice.{place}",
            "notice",
            "A change in the directory that concerns the agency, as it is taken in. Not kept here: "
            "`node.notices` has them all, by their numbers.",
        ),
    }
    shown = record(known).model_dump(mode="json", exclude_none=True)
    messages: Json = {
        "bulletin": {
            "title": "Bulletin",
            "summary": "The bulletin, where it came from, and what became of it. `Nats-Msg-Id` is its id.",
            "payload": register("Record", Record.model_json_schema(ref_template=ref)),
            "examples": [{"name": "bulletin", "payload": shown}],
        },
        "change": {
            "title": "Change",
            "summary": "Which bulletin was amended or retracted, and by which other.",
            "payload": register("Change", Change.model_json_schema(ref_template=ref)),
            "examples": [{"name": "change", "payload": change(known)}],
        },
        "alarm": {
            "title": "Alarm",
            "summary": "Who did what to whom, and what to do. `node.alarms` tells the ones before.",
            "payload": register("AlarmEntry", AlarmEntry.model_json_schema(ref_template=ref)),
            "examples": [{"name": "alarm", "payload": answers[Verb.ALARM_ACK][0]["result"]}],
        },
        "notice": {
            "title": "Notice",
            "summary": "Who was added, removed or given new keys, by whose signatures, from when on.",
            "payload": register("Notice", Notice.model_json_schema(ref_template=ref)),
            "examples": [{"name": "notice", "payload": notice(known)}],
        },
    }
    for verb in Verb:
        word = "".join(part.capitalize() for part in verb.value.split("-"))
        least = next(role for role in Role if verb in verbs(role))
        asked, told = f"ask{word}", f"tell{word}"
        channels[asked] = channel(
            f"node.{verb.value}", asked, f"{_SUMMARIES[verb]} From the role {least.value} on."
        )
        channels[told] = {
            "address": None,
            "description": "The reply subject of the request.",
            "messages": {told: reference("messages", told)},
        }
        operations[f"answer{word}"] = {
            **operation("receive", asked, asked, _SUMMARIES[verb]),
            "reply": {
                "address": {"location": "$message.header#/reply", "description": "NATS's own reply subject."},
                "channel": {"$ref": f"#/channels/{told}"},
                "messages": [{"$ref": f"#/channels/{told}/messages/{told}"}],
            },
        }
        messages[asked] = {
            "title": f"Request {verb.value}",
            "payload": register(f"Request{word}", request_schema(verb, ref)),
            "examples": [{"name": "request", "payload": requests[verb]}],
        }
        messages[told] = {
            "title": f"Answer {verb.value}",
            "payload": register(f"Answer{word}", answer_schema(verb, ref)),
            "examples": [{"name": "answer", "payload": each} for each in answers[verb]],
        }
    components = {"parameters": _parameters(), "messages": messages, "schemas": dict(sorted(schemas.items()))}
    return document(
        "Liaison agency node",
        "An agency's own NATS. Each client has an account of its own with a role and a TLP ceiling. It reads "
        "bulletins live by subscribing, or at least once through the durable of its name on BULLETINS.",
        {"host": "127.0.0.1:4333", "description": "One user nkey for each client."},
        {"channels": channels, "operations": operations, "components": components},
    )


def _parameters() -> Json:
    words = {"realm": Realm, "kind": Kind, "severity": Severity}
    described = {name: {"enum": [each.value for each in word]} for name, word in words.items()}
    return {
        **described,
        "community": {"description": "The community's short name."},
        "alarm": {"enum": [each.value for each in AlarmName]},
        "place": {"description": "The community's short name; @directory for what belongs to none."},
        "tlp": {"enum": [each.slug for each in Tlp]},
    }


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], DIRECTORY, documents))
