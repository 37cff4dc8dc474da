"""What the page is told: the hub's view of a message, an agency's view of a bulletin in its own language.
Pure.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from schemas.frame import BULLETIN, CARD, EPOCH, HEARTBEAT

_KIND_IN_HEAD: Final = re.compile(r'"k":"([bceh])"')
_KINDS: Final = {BULLETIN: "bulletin", CARD: "card", EPOCH: "epoch", HEARTBEAT: "heartbeat"}
_FIRST_TOKEN: Final = {"w": "wrap", "r": "receipt", "q": "refused"}
_FRAME_TOKENS: Final = 5
_REFUSED_TOKENS: Final = 3
TEXT_MAX: Final = 600

Json = dict[str, Any]


def hub_row(line: Mapping[str, Any]) -> Json | None:
    """A line of `liaison-hub watch --json` as the page shows it; None for what it leaves out (the intake's
    copy).

    `what` is as much as the hub can tell: the signed header of a frame says which of four sorts it is.
    """
    subject = str(line.get("subject", ""))
    tokens = subject.split(".")
    if tokens[0] == "f" and len(tokens) == _FRAME_TOKENS:
        head = bytes.fromhex(str(line["head"])).decode("latin-1")
        found = _KIND_IN_HEAD.search(head)
        what = _KINDS[found[1]] if found else "frame"
        place = {"community": tokens[2], "precedence": tokens[3], "publisher": tokens[4]}
    elif tokens[0] in _FIRST_TOKEN:
        what = _FIRST_TOKEN[tokens[0]]
        place = {"publisher": tokens[1]}
        if what == "refused" and len(tokens) == _REFUSED_TOKENS:
            place["code"] = tokens[2]
    else:
        return None
    shown = {name: line.get(name) for name in ("seq", "at", "subject", "size", "sha256", "head", "tail")}
    return {"type": "hub", "what": what, **place, **shown}


def bulletin_row(agency: str, language: str, record: Mapping[str, Any]) -> Json:
    """A line of `liaison-agency tail --json` as that agency reads it: in its language where there is a text
    in it.
    """
    bulletin = record["bulletin"]
    text, sort = text_in(bulletin, language)
    return {
        "type": "bulletin",
        "agency": agency,
        "id": bulletin["id"],
        "ref": bulletin["ref"],
        "kind": bulletin["kind"],
        "severity": bulletin["severity"],
        "tlp": bulletin["tlp"],
        "title": text["title"],
        "text": (text.get("summary") or text.get("body") or "")[:TEXT_MAX],
        "language": text["language"],
        "written": bulletin["language"],
        "translation": sort,
        "from": record["agency"],
        "from_name": record["agency_name"],
        "community": record["community_slug"],
        "community_title": record["community_title"],
        "own": record["agency"] == agency,
        "regions": bulletin.get("regions", []),
        "relation": next((link["relation"] for link in bulletin.get("links", [])), ""),
    }


def text_in(bulletin: Mapping[str, Any], language: str) -> tuple[Mapping[str, Any], str]:
    """The text to show and what it is: `original`, `official` or `unofficial` (translation)."""
    if bulletin["language"] != language:
        for each in bulletin.get("translations", []):
            if each["language"] == language:
                return each, "official" if each["official"] else "unofficial"
    return bulletin, "original"


def local_row(line: str) -> Json:
    """A line of the plain NATS example: the subject and what follows it."""
    subject, _, rest = line.partition(" ")
    return {"type": "local", "subject": subject, "text": rest[:TEXT_MAX]}
