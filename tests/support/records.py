"""Records made by hypothesis: every field that an originator may fill, with text in many scripts."""

from typing import Any, Final

from hypothesis import strategies as st

from schemas.bulletin import Bulletin
from schemas.vocabulary import (
    GradingSystem,
    Kind,
    Language,
    Likelihood,
    Pap,
    Severity,
    Tlp,
)
from subscribers.records import Record

MARK = "ǂ"
"""Stands in every text of a bulletin that `records(marked=True)` makes: where it is seen, the text is
seen.
"""
TARGET = "01a20659-6cc7-7000-9000-000000000000"
_ALPHABET = st.sampled_from("abcXYZ019 .-'\"<>&;/ éßЖщالشرق中文字𝔸😀👩\u200d\u0301\u200f")


def _line(most: int = 60) -> st.SearchStrategy[str]:
    return st.text(_ALPHABET, max_size=most - 1).map(lambda text: MARK + text.replace("\u2028", ""))


def _text(most: int) -> st.SearchStrategy[str]:
    paragraph = st.text(_ALPHABET, min_size=1, max_size=120).map(lambda text: MARK + text)
    border = st.sampled_from(["\n\n", "\n", " ", ""])
    whole = st.lists(st.tuples(paragraph, border), max_size=8).map(
        lambda parts: "".join(a + b for a, b in parts)
    )
    return st.tuples(whole, st.integers(1, 30)).map(lambda made: (made[0] * made[1])[:most])


def _gradings() -> st.SearchStrategy[dict[str, object]]:
    admiralty = st.fixed_dictionaries(
        {
            "system": st.just(GradingSystem.ADMIRALTY),
            "reliability": st.sampled_from("ABCDEF"),
            "credibility": st.integers(1, 6),
        }
    )
    europol = st.fixed_dictionaries(
        {
            "system": st.just(GradingSystem.EUROPOL),
            "reliability": st.sampled_from("ABCX"),
            "credibility": st.integers(1, 4),
        }
    )
    return admiralty | europol


# Made once: to make a strategy takes longer than to draw from it.
_NAME: Final = _line()
_TITLE: Final = _line(200)
_SUMMARY: Final = _text(1000)
_BODY: Final = _text(20_000)
_TACTIC: Final = {"taxonomy": st.just("mitre-attack"), "id": st.just("T1566"), "name": _NAME}
_SUBJECT: Final = {"type": st.just("person"), "name": _TITLE}
_INDICATOR: Final = {"pattern": st.just(f"[ipv4-addr:value = '{MARK}']")}
_DRAWN: Final[dict[str, st.SearchStrategy[Any]]] = {
    "kind": st.sampled_from([each for each in Kind if each is not Kind.DIGEST]),
    "title": _TITLE,
    "summary": _SUMMARY,
    "body": _BODY,
    "severity": st.sampled_from(Severity),
    "tlp": st.sampled_from(Tlp),
    "caveats": st.lists(_TITLE, max_size=8),
    "pap": st.none() | st.sampled_from(Pap),
    "grading": st.none() | _gradings(),
    "likelihood": st.none() | st.sampled_from(Likelihood),
    "tactics": st.lists(st.fixed_dictionaries(_TACTIC), max_size=4),
    "subjects": st.lists(st.fixed_dictionaries(_SUBJECT), min_size=1, max_size=30),
    "regions": st.lists(st.sampled_from(["FR", "FR-75", "DE-BE", "KZ"]), max_size=4),
    "event": st.fixed_dictionaries({"name": _TITLE, "venue": _TITLE}),
    "indicators": st.lists(st.fixed_dictionaries(_INDICATOR), max_size=3),
    "valid_until": st.none() | st.just("2027-01-01T00:00:00Z"),
    "exercise": st.booleans(),
    "drafter": _NAME,
    "id": st.integers(0, 2**48 - 1).map(lambda number: f"01a20659-6cc7-7000-8000-{number:012x}"),
    "ref": st.integers(1, 9999).map(lambda number: f"FRA-2026-{number:04d}"),
}
_LANGUAGES: Final = st.permutations(list(Language))
_TRANSLATED: Final = {
    "official": st.booleans(),
    "title": _NAME,
    "summary": _text(300),
    "body": _text(3_000),
}
_TRANSLATIONS: Final = st.lists(st.fixed_dictionaries(_TRANSLATED), max_size=3)
_FEW: Final = st.integers(0, 3)
_CHANNEL: Final = st.fixed_dictionaries({"address": _TITLE, "platform": _NAME, "state": st.just("reported")})
_AROUND: Final[st.SearchStrategy[dict[str, Any]]] = st.fixed_dictionaries(
    {
        "community_title": _NAME,
        "agency_name": _NAME,
        "own": st.booleans(),
        "state": st.sampled_from(["current", "amended", "retracted"]),
    }
)


@st.composite
def records(draw: st.DrawFn, /, **fixed: object) -> Record:
    """Any record that the node could hold; `fixed` fields of the bulletin are as given."""
    language, *others = draw(_LANGUAGES)
    fields: dict[str, Any] = {
        **{name: draw(each) for name, each in _DRAWN.items()},
        "language": language,
        "translations": [
            {"language": each, **made} for each, made in zip(others, draw(_TRANSLATIONS), strict=False)
        ],
        "attachments": [
            {"name": f"{MARK}{number}", "media": "text/plain", "size": 9, "sha256": "ab" * 32}
            for number in range(draw(_FEW))
        ],
        "links": [
            {"relation": relation, "id": TARGET}
            for relation in ("amends", "retracts", "responds-to", "acknowledges", "sights")
        ],
        "v": 1,
        "issued": "2026-03-01T08:30:00Z",
    }
    if fields["kind"] is Kind.CHANNEL:
        fields["channel"] = draw(_CHANNEL)
    return Record(
        bulletin=Bulletin.model_validate({**fields, **fixed}),
        community="0123456789abcdef0123456789abcdef",
        community_slug="alpha",
        agency="fr-dgx",
        received="2026-03-01T08:30:01Z",
        **draw(_AROUND),
    )
