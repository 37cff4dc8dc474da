"""Examples of what the node says about what it holds: the part of `examples` about counts and provenance."""

from typing import Final

from schemas.json_schemas import Json

_WEEKS: Final = ("2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z", "2026-01-26T00:00:00Z")
COUNTED: Final[Json] = {
    "filters": {"since": _WEEKS[0], "until": "2026-02-02T00:00:00Z", "tlp_at_most": "TLP:GREEN"},
    "step": "week",
}
COUNTS: Final[Json] = {
    "tlp_at_most": "TLP:GREEN",
    "total": 4,
    "kinds": {"tactic": 3, "threat": 1},
    "severities": {"elevated": 3, "flash": 1},
    "bars": [
        {"at": _WEEKS[0], "severities": {"elevated": 1}},
        {"at": _WEEKS[1], "severities": {}},
        {"at": _WEEKS[2], "severities": {"elevated": 2, "flash": 1}},
    ],
}


def provenance(shown: Json) -> Json:
    """The chain of the example bulletin, from its record."""
    return {
        "id": shown["bulletin"]["id"],
        "ref": shown["bulletin"]["ref"],
        "tlp": shown["bulletin"]["tlp"],
        "community": shown["community"],
        "community_title": shown["community_title"],
        "agency": shown["agency"],
        "agency_name": shown["agency_name"],
        "fingerprint": "04417 91203 55120 78834 10046 93317 20075 66581",
        "identities": 1,
        "own": False,
        "received": shown["received"],
        "signature": "holds",
        "key": {
            "kid": "f342f93c9f63d778f9e97990067066d5",
            "version": 3,
            "since": "2026-01-30T08:30:00Z",
            "state": "current",
            "witnessed": True,
        },
        "vouching": {
            "root": 1,
            "issued": "2026-01-02T10:00:00Z",
            "registrars": 3,
            "threshold": 2,
            "witnesses": 2,
            "quorum": 2,
            "cosigned": 2,
            "head": 41,
            "seen": "2026-01-31T08:25:00Z",
            "stale": False,
        },
        "audience": {"owners": ["Direction de la veille"], "members": 4, "readers": 1, "private": False},
        "state": "current",
        "evidence": True,
    }
