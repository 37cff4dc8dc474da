"""Records made by hypothesis: every field that an originator may fill, with text in many scripts."""

from typing import Any, Literal

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


@st.composite
def records(draw: st.DrawFn, /, **fixed: object) -> Record:
    """Any record that the node could hold; `fixed` fields of the bulletin are as given."""
    kind = draw(st.sampled_from([each for each in Kind if each is not Kind.DIGEST]))
    languages = draw(st.permutations(list(Language)))
    fields: dict[str, Any] = {
        "kind": kind,
        "title": draw(_line(200)),
        "summary": draw(_text(1000)),
        "body": draw(_text(20_000)),
        "language": languages[0],
        "translations": [
            {
                "language": each,
                "official": draw(st.booleans()),
                "title": draw(_line()),
                "summary": draw(_text(300)),
                "body": draw(_text(3_000)),
            }
            for each in languages[1 : 1 + draw(st.integers(0, 3))]
        ],
        "severity": draw(st.sampled_from(Severity)),
        "tlp": draw(st.sampled_from(Tlp)),
        "caveats": draw(st.lists(_line(200), max_size=8)),
        "pap": draw(st.none() | st.sampled_from(Pap)),
        "grading": draw(st.none() | _gradings()),
        "likelihood": draw(st.none() | st.sampled_from(Likelihood)),
        "tactics": draw(
            st.lists(
                st.fixed_dictionaries(
                    {"taxonomy": st.just("mitre-attack"), "id": st.just("T1566"), "name": _line()}
                ),
                max_size=4,
            )
        ),
        "subjects": draw(
            st.lists(
                st.fixed_dictionaries({"type": st.just("person"), "name": _line(200)}),
                min_size=1,
                max_size=30,
            )
        ),
        "regions": draw(st.lists(st.sampled_from(["FR", "FR-75", "DE-BE", "KZ"]), max_size=4)),
        "event": {"name": draw(_line(200)), "venue": draw(_line(200))},
        "indicators": draw(
            st.lists(st.fixed_dictionaries({"pattern": st.just(f"[ipv4-addr:value = '{MARK}']")}), max_size=3)
        ),
        "attachments": [
            {"name": f"{MARK}{number}", "media": "text/plain", "size": 9, "sha256": "ab" * 32}
            for number in range(draw(st.integers(0, 3)))
        ],
        "valid_until": draw(st.none() | st.just("2027-01-01T00:00:00Z")),
        "links": [
            {"relation": relation, "id": TARGET}
            for relation in ("amends", "retracts", "responds-to", "acknowledges", "sights")
        ],
        "exercise": draw(st.booleans()),
        "drafter": draw(_line()),
        "v": 1,
        "id": f"01a20659-6cc7-7000-8000-{draw(st.integers(0, 2**48 - 1)):012x}",
        "ref": f"FRA-2026-{draw(st.integers(1, 9999)):04d}",
        "issued": "2026-03-01T08:30:00Z",
    }
    if kind is Kind.CHANNEL:
        fields["channel"] = {"address": draw(_line(200)), "platform": draw(_line()), "state": "reported"}
    states: list[Literal["current", "amended", "retracted"]] = ["current", "amended", "retracted"]
    return Record(
        bulletin=Bulletin.model_validate({**fields, **fixed}),
        community="0123456789abcdef0123456789abcdef",
        community_slug="alpha",
        community_title=draw(_line()),
        agency="fr-dgx",
        agency_name=draw(_line()),
        received="2026-03-01T08:30:01Z",
        own=draw(st.booleans()),
        state=draw(st.sampled_from(states)),
    )


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
