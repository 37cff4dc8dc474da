"""Bulletin: what an agency says."""

from typing import Any

from . import fields
from .attachments import ATTACHMENT
from .encoding import AGENCY_CODE, UUID7, strict_json, time
from .fields import array, line, matching, one_of, record, text
from .limits import ATTACHMENTS_MAX, BODY_MAX, PAYLOAD_MAX, SALT_SIZE, SIGNATURE_SIZE, SUMMARY_MAX
from .refusals import demand

Bulletin = dict[str, Any]

_LANGUAGE = one_of("ar", "zh", "en", "fr", "ru", "es")
_LANGUAGES_MAX = 6

_TRANSLATION = record(
    {"language": _LANGUAGE, "official": fields.boolean, "title": line},
    defaulted={"summary": text(SUMMARY_MAX), "body": text(BODY_MAX)},
)
_TACTIC = record(
    {
        "taxonomy": one_of("mitre-attack", "disarm", "liaison"),
        "id": matching(r"TA?[0-9]{2,4}(?:\.[0-9]{3})?|LT-[0-9]{4}"),
    },
    optional={"name": line},
)
_SUBJECT = record(
    {"type": one_of("person", "organisation", "foreign-fighter"), "name": line},
    defaulted={"aliases": array(line)},
    optional={"reference": matching(r"[A-Z]{2}[ie]\.[0-9]{3}")},
)
_GRADES = {
    "admiralty": record(
        {
            "system": one_of("admiralty"),
            "reliability": one_of(*"ABCDEF"),
            "credibility": fields.integer(1, 6),
        }
    ),
    "europol-4x4": record(
        {
            "system": one_of("europol-4x4"),
            "reliability": one_of(*"ABCX"),
            "credibility": fields.integer(1, 4),
        }
    ),
}
_EVENT = record({"name": line}, optional={"venue": line, "starts": fields.time, "ends": fields.time})
_CHANNEL = record(
    {"address": line, "state": one_of("reported", "confirmed", "blocked", "returned")},
    optional={"platform": line},
)
_PATTERN_CHARACTERS = "[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
_INDICATOR = record(
    {"pattern": matching(rf"\[{_PATTERN_CHARACTERS}{{1,1998}}\]")},
    optional={"description": line},
)
_LINK = record(
    {
        "relation": one_of(
            "amends", "retracts", "responds-to", "acknowledges", "sights", "contains", "related"
        ),
        "id": matching(UUID7),
    }
)


_RELEASE = record(
    {
        "header": fields.string,
        "signature": fields.base64_of(SIGNATURE_SIZE),
        "digest": fields.hex_of(32),
        "salt": fields.hex_of(SALT_SIZE),
        "payload": fields.string,
        "grant": fields.string,
    }
)


def _grading(value: Any) -> None:
    demand(isinstance(value, dict), "bad_document")
    system = value.get("system")
    demand(isinstance(system, str) and system in _GRADES, "bad_document")
    _GRADES[value["system"]](value)


_BULLETIN = record(
    {
        "id": matching(UUID7),
        "ref": matching(AGENCY_CODE + r"-[0-9]{4}-[0-9]{4,7}"),
        "issued": fields.time,
        "kind": one_of(
            "tactic",
            "threat",
            "subject",
            "channel",
            "narrative",
            "cyber",
            "event",
            "request",
            "response",
            "sighting",
            "acknowledgement",
            "amendment",
            "retraction",
            "digest",
            "notice",
        ),
        "title": line,
        "language": _LANGUAGE,
        "severity": one_of("info", "low", "elevated", "high", "flash"),
        "tlp": one_of("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"),
    },
    defaulted={
        "v": one_of(1),
        "summary": text(SUMMARY_MAX),
        "body": text(BODY_MAX),
        "translations": array(_TRANSLATION, 0, _LANGUAGES_MAX - 1),
        "caveats": array(line, 0, 8),
        "history": one_of("none", "members"),
        "tactics": array(_TACTIC),
        "subjects": array(_SUBJECT),
        "regions": array(matching(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")),
        "indicators": array(_INDICATOR),
        "links": array(_LINK, 0, 512),
        "exercise": fields.boolean,
        "attachments": array(ATTACHMENT, 0, ATTACHMENTS_MAX),
    },
    optional={
        "pap": one_of("PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"),
        "grading": _grading,
        "likelihood": one_of(
            "almost-no-chance",
            "very-unlikely",
            "unlikely",
            "roughly-even-chance",
            "likely",
            "very-likely",
            "almost-certain",
        ),
        "personal": record({"legal_basis": line, "review": fields.time, "correction": line}),
        "event": _EVENT,
        "channel": _CHANNEL,
        "valid_from": fields.time,
        "valid_until": fields.time,
        "drafter": line,
        "releaser": line,
        "onward": record({"bulletin": matching(UUID7), "community": fields.hex_of(16)}),
        "grant": fields.string,
        "release": _RELEASE,
    },
)

_LINK_OF_KIND = {
    "response": "responds-to",
    "acknowledgement": "acknowledges",
    "amendment": "amends",
    "retraction": "retracts",
    "sighting": "sights",
    "digest": "contains",
}
_DEFAULTS: Bulletin = {
    "history": "none",
    "exercise": False,
    "translations": [],
    "links": [],
    "subjects": [],
    "attachments": [],
}


def read_bulletin(payload: bytes) -> Bulletin:
    """A bulletin, with the defaults that rules of this text look at filled in."""
    written = strict_json(payload, PAYLOAD_MAX)
    _BULLETIN(written)
    bulletin = _DEFAULTS | written
    languages = [bulletin["language"], *(each["language"] for each in bulletin["translations"])]
    demand(len(set(languages)) == len(languages), "bad_document")
    names = [attachment["name"] for attachment in bulletin["attachments"]]
    demand(len(set(names)) == len(names), "bad_document")
    demand(bulletin["tlp"] != "TLP:RED" or bulletin["history"] == "none", "bad_document")
    kind = bulletin["kind"]
    relations = {link["relation"] for link in bulletin["links"]}
    demand(kind not in _LINK_OF_KIND or _LINK_OF_KIND[kind] in relations, "bad_document")
    demand((bulletin.get("channel") is not None) == (kind == "channel"), "bad_document")
    demand(kind != "event" or bulletin.get("event") is not None, "bad_document")
    demand(kind != "subject" or bool(bulletin["subjects"]), "bad_document")
    demand(bulletin.get("onward") is None or kind == "request", "bad_document")
    demand(bulletin.get("grant") is None or kind == "response", "bad_document")
    asked_or_given = (bulletin.get(name) is not None for name in ("onward", "grant"))
    demand(bulletin.get("release") is None or not any(asked_or_given), "bad_document")
    _demand_order(bulletin, "valid_from", "valid_until")
    _demand_order(bulletin.get("event") or {}, "starts", "ends")
    return bulletin


def _demand_order(value: dict[str, Any], first: str, last: str) -> None:
    begins, ends = value.get(first), value.get(last)
    demand(begins is None or ends is None or time(begins) <= time(ends), "bad_document")
