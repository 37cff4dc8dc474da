"""Which restrictions a bulletin is within. Pure."""

from collections.abc import Iterable
from typing import Final

from schemas.vocabulary import Kind, Severity
from subscribers.records import Filters, Record
from subscribers.storage.facets import facets_of

QUIET_KINDS: Final = frozenset({Kind.ACKNOWLEDGEMENT})
"""Kinds that alert nobody unless a subscription names them: every reader makes one for every bulletin."""
_SEVERITIES: Final = list(Severity)


def matches(record: Record, filters: Filters) -> bool:
    """Whether `record` is within every restriction of `filters`.

    A country (`FR`) takes in its subdivisions (`FR-75`), a technique (`T1566`) its own (`T1566.001`). A
    subject is named by its reference or its name, an event by its name. A language matches when the bulletin
    has a text in it, original or translated. Times and markings of `filters` count as well.
    """
    if not matches_outside(record, filters):
        return False
    about = facets_of(record.bulletin)
    return all(
        any((facet, each.casefold()) in about for each in wanted)
        for facet, wanted in (
            ("tactic", filters.tactics),
            ("subject", filters.subjects),
            ("event", filters.events),
        )
        if wanted
    )


def matches_outside(record: Record, filters: Filters) -> bool:
    """The same, without the restrictions that tell of the text itself: tactics, subjects, events."""
    bulletin = record.bulletin
    languages = {bulletin.language, *(each.language for each in bulletin.translations)}
    return (
        (bulletin.kind in filters.kinds if filters.kinds else bulletin.kind not in QUIET_KINDS)
        and _SEVERITIES.index(bulletin.severity) >= _SEVERITIES.index(filters.severity_at_least)
        and (
            not filters.communities
            or not filters.communities.isdisjoint({record.community, record.community_slug})
        )
        and (not filters.regions or any(_within(each, filters.regions) for each in bulletin.regions))
        and (not filters.languages or not filters.languages.isdisjoint(languages))
        and bulletin.tlp.rank <= filters.tlp_at_most.rank
        and (filters.since is None or bulletin.issued >= filters.since)
        and (filters.until is None or bulletin.issued <= filters.until)
    )


def _within(region: str, wanted: Iterable[str]) -> bool:
    return any(region == each or region.startswith(each + "-") for each in wanted)
