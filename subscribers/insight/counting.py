"""How many bulletins the archive holds, by kind, severity and time: one statement, then sums. The bars are
steps of equal length from the filter's beginning on, or one for all of it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import apsw

from schemas.encoding import from_instant, instant
from schemas.errors import Code, OperationError
from schemas.vocabulary import Kind, Severity
from subscribers.insight.shapes import STEPS_MAX, Bar, Counts, Step
from subscribers.records import Filters
from subscribers.storage.archive import within
from subscribers.storage.archive_query import POSITION_BITS, Binding, span
from subscribers.storage.store import Row, Store

DAY: Final = 86_400_000
_LENGTHS: Final[dict[Step, int]] = {"day": DAY, "week": 7 * DAY}
"""Milliseconds; `whole` has none of its own."""


class Tally(NamedTuple):
    """So many bulletins of one kind and severity in the step with this number."""

    kind: str
    severity: int
    step: int
    number: int


def steps(filters: Filters, step: Step) -> int:
    """How many steps the span of `filters` has, the last one perhaps not whole. OperationError `bad_request`
    for a span without both ends, an empty one, or too many steps.
    """
    if filters.since is None or filters.until is None:
        raise OperationError(Code.BAD_REQUEST, "since when and until when?", "give filters.since and until")
    whole = from_instant(filters.until) - from_instant(filters.since)
    number = -(-whole // length(filters, step))
    if not 1 <= number <= STEPS_MAX:
        raise OperationError(
            Code.BAD_REQUEST, f"a count has 1 to {STEPS_MAX} steps", "ask for less time, or for weeks"
        )
    return number


def length(filters: Filters, step: Step) -> int:
    """Of a step of a span that has both ends; milliseconds."""
    whole = from_instant(filters.until or "") - from_instant(filters.since or "")
    return _LENGTHS.get(step, max(1, whole))


def summed(tallies: Iterable[Tally], filters: Filters, step: Step) -> Counts:
    """The answer from the rows. Pure."""
    kinds: Counter[str] = Counter()
    severities: Counter[int] = Counter()
    bars: list[Counter[int]] = [Counter() for _ in range(steps(filters, step))]
    for each in tallies:
        kinds[each.kind] += each.number
        severities[each.severity] += each.number
        bars[each.step][each.severity] += each.number
    first = from_instant(filters.since or "")
    return Counts(
        tlp_at_most=filters.tlp_at_most,
        total=kinds.total(),
        kinds={each: kinds[each] for each in Kind if kinds[each]},
        severities=_named(severities),
        bars=[
            Bar(at=instant(first + number * length(filters, step)), severities=_named(bar))
            for number, bar in enumerate(bars)
        ],
    )


async def count(store: Store, filters: Filters, step: Step) -> Counts:
    """Count in the archive. OperationError `bad_request` as `steps`."""
    steps(filters, step)
    rows = await store.read(lambda connection: _tallied(connection, filters, step))
    return summed(rows, filters, step)


def _tallied(connection: apsw.Connection, filters: Filters, step: Step) -> Sequence[Tally]:
    lowest, highest = span(filters)
    where, bindings = within(connection, filters)
    # Positions are seconds, shifted. The index has all that is asked for, in the order of the first groups:
    # walking all of it is several times faster than sorting the rows of the span. It does not have the
    # community: of one the table itself is walked, over the span alone.
    by = "NOT INDEXED" if "b.community" in where else "INDEXED BY bulletins_counted"
    number, groups, among = "0", "1, 2", list[Binding]()
    if step in _LENGTHS:  # this is what costs: the groups are not in the order of the index any more
        number, groups = "(b.position - ?) / ?", "1, 2, 3"
        among = [lowest, (_LENGTHS[step] // 1000) << POSITION_BITS]
    sql = f"""
        SELECT b.kind, b.severity, {number}, count(*)
        FROM bulletins b {by}
        WHERE b.position BETWEEN ? AND ? AND b.state <> 'retracted'{where} GROUP BY {groups}
    """  # noqa: S608 - fixed pieces only: every value is bound
    among += [lowest, highest, *bindings]
    rows: list[Row] = connection.execute(sql, among).fetchall()
    return [Tally(*row) for row in rows]


def _named(numbers: Counter[int]) -> dict[Severity, int]:
    return {each: numbers[index] for index, each in enumerate(Severity) if numbers[index]}
