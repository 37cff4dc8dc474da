"""Which restrictions a bulletin is within. Pure."""

from collections.abc import Iterable
from typing import Final

from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.records import Filters, Record
from subscribers.storage.facets import facets_of

QUIET_KINDS: Final = frozenset({Kind.ACKNOWLEDGEMENT})
"""Kinds that alert nobody unless a subscription names them: every reader makes one for every bulletin."""
_SEVERITIES: Final = list(Severity)


def matches(record: Record, filters: Filters) -> bool:
    """Whether `record` is within every restriction of `filters`.

    A country (`FR`) takes in its subdivisions (`FR-75`), a technique (`T1566`) its own (`T1566.001`). A
    subject is named by its reference or its name, an event by its name. A language matches when the bulletin
    has a text in it, original or translated. Times and markings of `filters` count as well. An exercise is
    for whoever names its community, as in the archive.
    """
    if not matches_outside(record, filters):
        return False
    named = (("tactic", filters.tactics), ("subject", filters.subjects), ("event", filters.events))
    if not any(wanted for _, wanted in named):
        return True
    about = facets_of(record.bulletin)
    return all(any((facet, each.casefold()) in about for each in wanted) for facet, wanted in named if wanted)


def matches_outside(record: Record, filters: Filters) -> bool:
    """The same, without the restrictions that tell of the text itself: tactics, subjects, events."""
    bulletin = record.bulletin
    return (
        (bulletin.kind in filters.kinds if filters.kinds else bulletin.kind not in QUIET_KINDS)
        and _SEVERITIES.index(bulletin.severity) >= _SEVERITIES.index(filters.severity_at_least)
        and (
            not filters.communities.isdisjoint({record.community, record.community_slug})
            if filters.communities
            else not bulletin.exercise
        )
        and (not filters.regions or any(_within(each, filters.regions) for each in bulletin.regions))
        and (not filters.languages or not filters.languages.isdisjoint(_languages(record)))
        and (filters.tlp_at_most is Tlp.RED or bulletin.tlp.rank <= filters.tlp_at_most.rank)
        and (filters.since is None or bulletin.issued >= filters.since)
        and (filters.until is None or bulletin.issued <= filters.until)
    )


def _languages(record: Record) -> set[Language]:
    return {record.bulletin.language, *(each.language for each in record.bulletin.translations)}


def _within(region: str, wanted: Iterable[str]) -> bool:
    return any(region == each or region.startswith(each + "-") for each in wanted)
