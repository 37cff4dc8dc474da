"""A request and the answers to it for each verb of the node's service: the examples in what is published."""

import json
from typing import Final

from schemas.bulletin import Bulletin
from schemas.json_schemas import Json
from schemas.vocabulary import AlarmName, Kind, Realm, Severity
from subscribers.judging.alarm_texts import TEXTS
from subscribers.records import Change, Filters, Notice, Proposal, Record
from subscribers.service import insight_examples as insight
from subscribers.service.roles import Role, Verb, verbs

_FILE: Final[Json] = {
    "name": "map.pdf",
    "media": "application/pdf",
    "size": 180_224,
    "sha256": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
}
_UPLOAD: Final[Json] = {
    **_FILE,
    "id": "019c132c-df40-7a10-8b5e-3f0a6d2c9e72",
    "state": "stored",
    "taken": 180_224,
    "blobs": 4,
    "sent": 4,
}


def record(known: Json) -> Record:
    """The example bulletin as another agency holds it."""
    bulletin = Bulletin.model_validate_json(json.dumps(known["bulletin"]))
    return Record(
        bulletin=bulletin,
        community=known["document-community"]["id"],
        community_slug=known["card"]["slug"],
        community_title=known["card"]["title"],
        agency="fra",
        agency_name="Direction de la veille",
        received="2026-01-31T08:30:01Z",
    )


def notice(known: Json) -> Json:
    """An addition as a member is told of it."""
    given = Notice(
        number=42,
        at="2026-01-31T08:30:01Z",
        kind="membership",
        community=known["document-community"]["id"],
        slug=known["card"]["slug"],
        title=known["card"]["title"],
        **_change(),
    )
    shown: Json = given.model_dump(mode="json", exclude_none=True)
    return shown


def releases(known: Json) -> Json:
    """A request that was granted, and a bulletin that was carried here."""
    where = {"community": known["card"]["slug"], "target": "ab" * 16, "target_slug": "border"}
    asked = {"request": "JPN-2026-0007", "carrier": "jpn", "asked": "2026-01-31T08:30:01Z"}
    about = {"ref": "FRA-2026-0042", "originator": "fra", "state": "granted", "until": "2026-03-02T08:34:00Z"}
    here = {"ref": "JPN-2026-0008", "carrier": "jpn", "community": "border", "originator": "fra"}
    return {
        "asked": [{**asked, **about, **where, "yours_to_answer": False, "to_carry": 1}],
        "here": [{**here, "granted": "2026-01-31T08:34:00Z"}],
    }


def history(known: Json) -> Json:
    """A past that is nearly all there, and one that was passed on."""
    where = {"community": known["document-community"]["id"], "slug": known["card"]["slug"]}
    counts = {"fetched": 812, "total": 812, "opened": 40, "waiting": 2, "withheld": 12, "missing": 0}
    wanted = {**where, "asked": "2026-01-31T08:30:01Z", "state": "waiting", **counts}
    given = {**where, "agency": "jpn", "epochs": 31, "last": "2026-01-31T08:34:00Z"}
    return {"wanted": [wanted], "given": [given]}


def change(known: Json) -> Json:
    """A retraction as it is told to those who have the bulletin."""
    held = record(known)
    given = Change(
        bulletin=held.bulletin.id,
        ref=held.bulletin.ref,
        state="retracted",
        change="019c132c-df99-7a10-8b5e-3f0a6d2c9e71",
        change_ref="FRA-2026-0043",
        community=held.community,
        community_slug=held.community_slug,
        agency=held.agency,
        kind=held.bulletin.kind,
        severity=held.bulletin.severity,
        tlp=held.bulletin.tlp,
        exercise=False,
        received="2026-02-01T08:30:00Z",
    )
    shown: Json = given.model_dump(mode="json")
    return shown


def _compliance(known: Json) -> Json:
    told = change(known)
    times = {"received": told["received"], "applied": told["received"], "reported": "2026-02-01T08:30:06Z"}
    done = {"archive": "applied", "local": "applied", "sinks": "none"}
    applied = {"agency": "jpn", "agency_name": "Japan", "role": "member", "state": "applied", **times, **done}
    silent = {"agency": "unx", "agency_name": "Union", "role": "member", "state": "waiting"}
    return {
        "id": told["change"],
        "ref": told["change_ref"],
        "kind": "retraction",
        "bulletins": [told["bulletin"]],
        "community": told["community"],
        "community_slug": told["community_slug"],
        "issued": told["received"],
        "members": [applied, silent],
        "applied": 1,
        "waiting": 1,
    }


def _change() -> Json:
    return {
        "index": 3,
        "op": "add",
        "agency": "jpn",
        "agency_name": "Japan",
        "role": "reader",
        "effective": "2026-02-01T08:30:00Z",
        "by": ["fra", "unx"],
    }


def _file(known: Json) -> str:
    return json.dumps(known["envelope"], separators=(",", ":"), sort_keys=True)


def _proposal(known: Json) -> Json:
    given = Proposal(
        what="add",
        community=known["document-community"]["id"],
        slug=known["card"]["slug"],
        realm=Realm.LIVE,
        agency="jpn",
        agency_name="Japan",
        role="reader",
        effective="2026-02-01T08:30:00Z",
        index=3,
        owners=["fra", "unx"],
        threshold=2,
        signed=["fra"],
        may_sign=["unx"],
        lacking=1,
        file=_file(known),
    )
    shown: Json = given.model_dump(mode="json")
    return shown


def request_examples(known: Json) -> dict[Verb, Json]:
    """One request for each verb."""
    ref, slug = known["bulletin"]["ref"], known["card"]["slug"]
    filters = Filters(kinds=frozenset({Kind.TACTIC}), severity_at_least=Severity.ELEVATED)
    looked = {"filters": filters.model_dump(mode="json", exclude_defaults=True), "limit": 5}
    given: dict[Verb, Json] = {
        Verb.SEARCH: {"words": "relay checkpoint", **looked},
        Verb.LATEST: looked,
        Verb.SHOW: {"ref": ref},
        Verb.EVIDENCE: {"ref": ref, "membership": False},
        Verb.EVIDENCE_REFUSED: {"number": 7},
        Verb.DIRECTORY: {"after": 6, "memberships": True},
        Verb.FETCH: {"ref": ref, "name": "map.pdf"},
        Verb.FETCH_DATA: {"ref": ref, "name": "map.pdf", "offset": 65536},
        Verb.PUBLISH: {
            "draft": {**known["draft"], "once": "019c132c-df40-7a10-8000-00000000d0ce"},
            "community": slug,
            "attachments": [_UPLOAD["id"]],
        },
        Verb.ATTACH: _FILE,
        Verb.ATTACH_DATA: {"id": _UPLOAD["id"], "offset": 65536, "data": "JVBERi0xLjcK"},
        Verb.ATTACH_STATUS: {"id": _UPLOAD["id"]},
        Verb.ACKNOWLEDGE: {"ref": ref, "note": "Seen here too.", "officer": "duty-2", "private": True},
        Verb.SIGHT: {
            "ref": ref,
            "note": "The same make, at the same hour.",
            "regions": ["JP-13"],
            "seen": "2026-01-31T21:10:00Z",
        },
        Verb.REPLIES: {"ref": ref, "limit": 20},
        Verb.COMPLIANCE: {"ref": ref},
        Verb.PROVENANCE: {"ref": ref},
        Verb.COUNTS: insight.COUNTED,
        Verb.LIKE: {"ref": ref, "limit": 5},
        Verb.COMMUNITY_CREATE: {"slug": slug, "title": known["card"]["title"], "realm": "live"},
        Verb.COMMUNITY_ADD: {"community": slug, "agency": "jpn", "role": "reader"},
        Verb.COMMUNITY_REMOVE: {"community": slug, "agency": "jpn"},
        Verb.COMMUNITY_LOG: {"community": slug},
        Verb.COMMUNITY_FOUND: {
            "slug": slug,
            "title": known["card"]["title"],
            "owners": ["jpn", "unx"],
            "threshold": 2,
        },
        Verb.COMMUNITY_PROPOSE: {"community": slug, "op": "add", "agency": "jpn", "after": 86_400_000},
        Verb.COMMUNITY_PROPOSAL: {"file": _file(known)},
        Verb.COMMUNITY_SIGN: {"file": _file(known)},
        Verb.COMMUNITY_SUBMIT: {"file": _file(known)},
        Verb.NOTICES: {"after": 41, "limit": 20},
        Verb.RELEASES: {},
        Verb.RELEASE_ASK: {"ref": "FRA-2026-0042", "community": slug, "note": "For the border."},
        Verb.RELEASE_ANSWER: {"ref": "JPN-2026-0007", "days": 30},
        Verb.RELEASE_CARRY: {"ref": "JPN-2026-0007"},
        Verb.HISTORY: {},
        Verb.HISTORY_REQUEST: {"community": slug},
        Verb.DIGEST: {"community": slug, "period": "2026-01-31"},
        Verb.READERS: {"community": slug},
        Verb.KEY_ROTATE: {"encryption": True},
        Verb.KEY_REVOKE: {"kid": "f342f93c9f63d778f9e97990067066d5", "reason": "laptop lost", "rotate": True},
        Verb.ALARMS: {"limit": 20, "past": True},
        Verb.ALARM_ACK: {"number": 7},
        Verb.OUTBOX: {"limit": 20},
        Verb.OUTBOX_DRAFT: {"ref": ref},
        Verb.OUTBOX_DROP: {"ref": ref},
        Verb.QUARANTINE: {"limit": 20},
        Verb.PARCEL_EXPORT: {"path": "/media/usb/out-000007.parcel"},
        Verb.PARCEL_IMPORT: {"path": "/media/usb/in-000007.parcel"},
        Verb.CLIENT_ADD: {"name": "siem", "role": "reader", "ceiling": "TLP:GREEN"},
        Verb.CLIENT_REMOVE: {"name": "siem"},
    }
    return {verb: given.get(verb, {}) for verb in Verb}


def answer_examples(known: Json) -> dict[Verb, list[Json]]:
    """An answer and a refusal for each verb."""
    shown = record(known).model_dump(mode="json", exclude_none=True)
    page = {"items": [shown], "cursor": "AAAAAAAAAAAAAAAAAAAAAAAA"}
    published = {
        "id": known["bulletin"]["id"],
        "ref": known["bulletin"]["ref"],
        "community": shown["community"],
        "state": "queued",
    }
    community = {
        "id": shown["community"],
        "slug": shown["community_slug"],
        "title": shown["community_title"],
        "realm": "live",
        "role": "member",
        "owner": True,
        "members": ["fra", "jpn"],
    }
    proposal = _proposal(known)
    client = {"name": "siem", "role": "reader", "ceiling": "TLP:GREEN"}
    status = {
        "agency": "fra",
        "endpoint": known["document-keys"]["endpoint"],
        "connected": True,
        "outbox": 0,
        "archived": 1,
        "quarantined": 0,
        "alarms": 1,
        "directory_size": 7,
        "last_frame": "2026-01-31T08:30:01Z",
    }
    refused = {
        "number": 7,
        "when": "2026-01-31T08:30:01Z",
        "code": "bad_signature",
        "message": "the signature does not hold",
    }
    reader = {
        "agency": "jpn",
        "role": "reader",
        "endpoint": status["endpoint"],
        "can_read": True,
        "problems": ["old_keys"],
    }
    key = {
        "kid": "f342f93c9f63d778f9e97990067066d5",
        "use": "signing",
        "endpoint": status["endpoint"],
        "state": "current",
        "made": "2026-01-31T08:30:00Z",
        "age_days": 3,
    }
    identity = {
        "agency": "fra",
        "agency_name": "Direction de la veille",
        "own": True,
        "fingerprint": "04417 91203 55120 78834 10046 93317 20075 66581",
        "next_fingerprint": "71152 00389 46620 18447 90331 27750 64218 35906",
        "effective": "2026-02-03T08:30:00Z",
        "disputed": False,
    }
    known_text = known["directory-export"]["documents"][-1]
    what, do = TEXTS[AlarmName.GAP]
    alarm = {
        "number": 7,
        "name": "gap",
        "first": "2026-01-31T08:30:01Z",
        "last": "2026-01-31T08:34:00Z",
        "times": 2,
        "what": what,
        "do": do,
        "detail": "routine frames 3 to 4 have not come",
        "community": shown["community"],
        "community_slug": shown["community_slug"],
        "agency": "fra",
        "frame": "ab" * 32,
    }
    results: dict[Verb, object] = {
        Verb.WHOAMI: {**client, "verbs": [verb.value for verb in verbs(Role.READER)]},
        Verb.SEARCH: page,
        Verb.LATEST: page,
        Verb.SHOW: shown,
        Verb.EVIDENCE: known["evidence"],
        Verb.EVIDENCE_REFUSED: known["evidence"],
        Verb.COMMUNITIES: [community],
        Verb.STATUS: status,
        Verb.DIRECTORY: {
            "items": [
                {"membership": False, "data": known["directory-export"]["documents"][-1]},
                {"membership": True, "data": known["directory-export"]["memberships"][0]},
            ],
            "next": 8,
            "note": known["directory-export"]["note"],
        },
        Verb.FETCH: {**_FILE, "ready": True, "chunks": 3, "fetched": 3},
        Verb.FETCH_DATA: {"offset": 65536, "data": "JVBERi0xLjcK", "last": True},
        Verb.PUBLISH: published,
        Verb.ATTACH: {**_UPLOAD, "state": "staging", "taken": 65536, "sent": 0},
        Verb.ATTACH_DATA: {**_UPLOAD, "state": "sending", "sent": 0},
        Verb.ATTACH_STATUS: _UPLOAD,
        Verb.ACKNOWLEDGE: published,
        Verb.SIGHT: published,
        Verb.REPLIES: [shown],
        Verb.COMPLIANCE: [_compliance(known)],
        Verb.PROVENANCE: insight.provenance(shown),
        Verb.COUNTS: insight.COUNTS,
        Verb.LIKE: [shown],
        Verb.COMMUNITY_CREATE: community,
        Verb.COMMUNITY_ADD: community,
        Verb.COMMUNITY_REMOVE: community,
        Verb.COMMUNITY_LOG: [{**_change(), "issued": "2026-01-31T08:29:00Z"}],
        Verb.COMMUNITY_FOUND: proposal,
        Verb.COMMUNITY_PROPOSE: proposal,
        Verb.COMMUNITY_PROPOSAL: proposal,
        Verb.COMMUNITY_SIGN: proposal,
        Verb.COMMUNITY_SUBMIT: proposal,
        Verb.NOTICES: [notice(known)],
        Verb.RELEASES: releases(known),
        Verb.RELEASE_ASK: published,
        Verb.RELEASE_ANSWER: published,
        Verb.RELEASE_CARRY: [published],
        Verb.HISTORY: history(known),
        Verb.HISTORY_REQUEST: history(known),
        Verb.DIGEST: published,
        Verb.READERS: [reader],
        Verb.KEYS: [key],
        Verb.KEY_ROTATE: [key],
        Verb.KEY_REVOKE: [{**key, "state": "revoked"}],
        Verb.IDENTITY: [identity],
        Verb.IDENTITY_NEW: {"fingerprint": identity["next_fingerprint"], "request": known_text},
        Verb.IDENTITY_OBJECT: {"agency": "fra", "document": known_text, "submitted": True},
        Verb.IDENTITY_TAKE_UP: {"agency": "fra", "document": known_text, "submitted": True},
        Verb.ALARMS: [alarm],
        Verb.ALARM_ACK: {**alarm, "acked": "2026-01-31T09:00:00Z"},
        Verb.OUTBOX: [{**published, "state": "refused", "code": "expired"}],
        Verb.OUTBOX_DRAFT: known["draft"],
        Verb.OUTBOX_DROP: None,
        Verb.QUARANTINE: [refused],
        Verb.DOCTOR: [{"check": "clock", "ok": True, "message": "within a second of the hub's", "fix": ""}],
        Verb.PARCEL_EXPORT: {
            "path": "/media/usb/out-000007.parcel",
            "number": 7,
            "submissions": 3,
            "documents": 0,
        },
        Verb.PARCEL_IMPORT: {
            "number": 7,
            "missing": [],
            "directory": 2,
            "traffic": 41,
            "admitted": 3,
            "refused": {},
        },
        Verb.CLIENTS: [client],
        Verb.CLIENT_ADD: {**client, "seed_file": "/var/lib/liaison/local/clients/siem.nk"},
        Verb.CLIENT_REMOVE: None,
    }
    error = {
        "code": "forbidden",
        "message": "the role reader may not ask for this",
        "fix": "have it given another role",
    }
    return {verb: [{"result": result}, {"error": error}] for verb, result in results.items()}
