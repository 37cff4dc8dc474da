"""Bulletins that chat may show in full: the officers of the demo have most others by reference alone.

Keys are their titles. For tasks 1, 4, 6, 7 and 9 of docs/officer-tasks.md, and for the search of task 3.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from hub.demo.drafts import Planned, varied
from hub.demo.plan import Sent
from schemas.encoding import instant
from schemas.vocabulary import Kind, Relation, Severity, Tlp

_FIGHTERS: Final = "foreign-fighters"
_GAMES: Final = "games-2026"


ANSWERS_SECONDS: Final = 10 * 3_600
"""So long a question stays open. In every round there is another, so that there is always one to answer."""


def bulletins(after: int = 0) -> list[Planned]:
    """They stand after so many others, which none of them answers; the last amends the first."""
    amended = _planned("un-cell", _FIGHTERS, _PORT_ANEW)
    return [
        _planned("un-cell", _FIGHTERS, _PORT),
        _planned("un-cell", _FIGHTERS, _MAIL),
        _planned("fr-dvt", _GAMES, _DRONE),
        _planned("un-cell", _FIGHTERS, _FLASH),
        replace(amended, relation=Relation.AMENDS, answers=after),
    ]


def question(number: int, now: float) -> Planned:
    """The question of a round (its number, from 1) that begins at `now` (Unix seconds), with a deadline."""
    title, body = _QUESTIONS[(number - 1) % len(_QUESTIONS)]
    until = instant(int(now + ANSWERS_SECONDS) // 60 * 60_000)
    asked = _planned("un-cell", _FIGHTERS, {**_ASKED, "title": title, "body": body, "valid_until": until})
    times = (number - 1) // len(_QUESTIONS) + 1
    return varied([asked], times)[0]


def _planned(agency: str, community: str, draft: Mapping[str, Any]) -> Planned:
    kind, severity = Kind(draft["kind"]), Severity(draft["severity"])
    return Planned(agency, Sent(draft["title"], community, kind, severity, Tlp(draft["tlp"])), draft)


_ASKED: Final[Mapping[str, Any]] = {
    "kind": "request",
    "language": "en",
    "severity": "elevated",
    "tlp": "TLP:GREEN",
}
_QUESTIONS: Final = (
    ("Has anybody seen a white van with a blue stripe?", "It was near a border crossing on three evenings."),
    ("Who has met forged crew cards of a ferry line?", "Two were found; the stamp is a year too old."),
    ("Has anybody had the same invoice by mail?", "It names a travel agent that does not exist."),
    ("Who knows the pilot of a small drone with four red lamps?", "It was over a stadium on two evenings."),
)
_PORT: Final[Mapping[str, Any]] = {
    "kind": "notice",
    "language": "en",
    "severity": "elevated",
    "tlp": "TLP:GREEN",
    "title": "Ferry port: the gates filmed on three evenings",
    "body": "Two persons filmed the gates of a ferry port on three evenings and left in a white van.",
    "regions": ["FR"],
}
_PORT_ANEW: Final[Mapping[str, Any]] = {
    **_PORT,
    "kind": "amendment",
    "severity": "high",
    "title": "Ferry port: the gates filmed on four evenings",
    "body": "Two persons filmed the gates of a ferry port on four evenings; their van was hired in Lille.",
}
_MAIL: Final[Mapping[str, Any]] = {
    "kind": "tactic",
    "language": "en",
    "severity": "elevated",
    "tlp": "TLP:GREEN",
    "title": "Mail to travel agents with an invoice that opens a remote shell",
    "body": "Three travel agents received an invoice as an attachment. Opening it installs a remote shell.",
    "tactics": [{"taxonomy": "mitre-attack", "id": "T1566.001", "name": "Spearphishing Attachment"}],
}
_DRONE: Final[Mapping[str, Any]] = {
    "kind": "tactic",
    "language": "fr",
    "severity": "elevated",
    "tlp": "TLP:GREEN",
    "title": "Drone au-dessus d'un stade pendant l'entraînement",
    "body": "Un petit drone a survolé le stade deux soirs de suite. Son pilote n'a pas été trouvé.",
    "regions": ["FR", "BE"],
    "translations": [
        {
            "language": "en",
            "official": True,
            "title": "Drone above a stadium during training",
            "body": "A small drone flew over the stadium on two evenings. Its pilot was not found.",
        }
    ],
}
_FLASH: Final[Mapping[str, Any]] = {
    "kind": "threat",
    "language": "en",
    "severity": "flash",
    "tlp": "TLP:GREEN",
    "title": "Threat against a railway station announced for this morning",
    "body": "A caller announced an attack on a station for this morning. Look for luggage left alone.",
    "grading": {"system": "admiralty", "reliability": "C", "credibility": 3},
    "likelihood": "likely",
    "translations": [
        {
            "language": "ar",
            "official": True,
            "title": "تهديد معلن ضد محطة قطارات هذا الصباح",
            "body": "أعلن متصل عن هجوم على محطة قطارات هذا الصباح. ابحثوا عن أمتعة متروكة.",
        },
        {
            "language": "fr",
            "official": True,
            "title": "Menace annoncée contre une gare pour ce matin",
            "body": "Une attaque contre une gare est annoncée ce matin. Cherchez les bagages laissés seuls.",
        },
    ],
}
