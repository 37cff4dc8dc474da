"""Digest bulletins: what a community received in a period, as one bulletin under the highest marking among
them. Pure.

A digest draws on one community only, and carries the strictest history flag of what it lists: it can never
tell anybody more than the bulletins themselves would.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from schemas.bulletin import Draft
from schemas.encoding import canonical_json, from_instant
from schemas.errors import Code, FormatError, LiaisonError
from schemas.limits import LIST_MAX
from schemas.particulars import Link, Translation
from schemas.vocabulary import History, Kind, Language, Realm, Relation, Severity, Tlp
from subscribers.records import Record
from subscribers.telling.digest_texts import TEXTS, Texts

MIGRATIONS: Final = (
    """
    CREATE TABLE digests(
        community TEXT, period TEXT, id TEXT NOT NULL, PRIMARY KEY (community, period)
    ) STRICT, WITHOUT ROWID
    """,
)
LISTED_MAX: Final = 400
"""The most bulletins that one digest lists; the payload's 64 KiB hold them in six languages."""
_LEFT_OUT: Final = frozenset({Kind.DIGEST, Kind.ACKNOWLEDGEMENT})
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_WEEK: Final = re.compile(r"(\d{4})-W(\d{2})\Z")
LINE_ROOM: Final = 160
"""Bytes that are kept for what a list says of what it leaves out."""
PER_LANGUAGE: Final = 4_800
"""Bytes of the bulletins' lines in one language as they stand in the payload: six of them, the links and the
rest stay below 64 KiB in every script.
"""


class Period(NamedTuple):
    """A UTC day or ISO week that has a name: `2026-11-22`, `2026-W47`. `since` inclusive, `until` exclusive,
    Unix milliseconds.
    """

    name: str
    since: int
    until: int


def parse_period(text: str, now: int) -> Period:
    """`hour`, `day` or `week` (the last that has ended), `2026-11-22`, `2026-W47`, or an interval of two
    times, `2026-11-22T06:00:00Z/2026-11-22T18:00:00Z`. LiaisonError `bad_request`, also for one that is not
    yet over.
    """
    try:
        period = _interval(text) if "/" in text else _calendar(text, datetime.fromtimestamp(now / 1000, UTC))
    except (ValueError, OverflowError):  # the calendar ends with the year 9999
        fix = "use hour, day, week, a date, a week like 2026-W47, or two times with a slash between"
        raise LiaisonError(Code.BAD_REQUEST, "not a period", fix) from None
    if period.until > now:
        fix = "wait for its end, or choose an earlier one"
        raise LiaisonError(Code.BAD_REQUEST, f"the period {period.name} is not over yet", fix)
    return period


def compose(records: Sequence[Record], period: Period, realm: Realm) -> Draft:
    """The digest of these bulletins of one community. LiaisonError `not_found` when there is none to list."""
    listed = [each for each in records if each.bulletin.kind not in _LEFT_OUT and each.state == "current"][
        :LISTED_MAX
    ]
    if not listed:
        raise LiaisonError(
            Code.NOT_FOUND, f"nothing was received in {period.name}", "there is no digest to send"
        )
    texts = {language: _text(listed, period, language) for language in Language}
    main = texts.pop(Language.ENGLISH)
    return Draft(
        kind=Kind.DIGEST,
        title=main.title,
        body=main.body,
        language=Language.ENGLISH,
        translations=list(texts.values()),
        severity=Severity.INFO,
        tlp=max((each.bulletin.tlp for each in listed), key=lambda tlp: tlp.rank),
        history=min((each.bulletin.history for each in listed), key=list(History).index),
        caveats=caveats(listed),
        regions=sorted({region for each in listed for region in each.bulletin.regions})[:LIST_MAX],
        links=[Link(relation=Relation.CONTAINS, id=each.bulletin.id) for each in listed],
        exercise=realm is Realm.EXERCISE,
    )


def caveats(listed: Sequence[Record]) -> list[str]:
    """Everybody's, as far as they fit."""
    # More than fit are not dropped: a caveat that is not shown is a caveat that is broken.
    found = sorted({caveat for each in listed for caveat in each.bulletin.caveats})
    most = 8
    return found if len(found) <= most else [*found[: most - 1], "Further caveats: see each bulletin"]


def spoken(period: Period) -> str:
    """The period as a title has it: `2026-11-22`, `2026-W47`, `2026-11-22 06:00–18:00 UTC`, to the minute."""
    if _DAY.match(period.name) or _WEEK.match(period.name):
        return period.name
    first, last = (datetime.fromtimestamp(each / 1000, UTC) for each in (period.since, period.until))
    if first.date() == last.date():
        return f"{first:%Y-%m-%d %H:%M}–{last:%H:%M} UTC"
    return f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M} UTC"


def _text(listed: Sequence[Record], period: Period, language: Language) -> Translation:
    texts = TEXTS[language]
    # After an Arabic letter, the parts of a date would be set from right to left: marks keep it whole.
    when = spoken(period)
    if language is Language.ARABIC:
        when = f"\u200e{when}\u200e\u200f"
    title = f"{texts.title} {when} · {len(listed)}"
    blocks: list[str] = []
    room = PER_LANGUAGE - LINE_ROOM
    left = len(listed)
    for severity in reversed(Severity):
        lines = [listed_line(each, language, texts) for each in listed if each.bulletin.severity is severity]
        if not lines:
            continue
        block = [f"{texts.severities[severity]} ({len(lines)})"]
        for line in lines:
            if room < (size := len(canonical_json(line))):
                continue
            block.append(line)
            room -= size
            left -= 1
        blocks.append("\n".join(block))
    if left:
        blocks.append(f"+{left} {texts.more}")
    return Translation(language=language, official=False, title=title, body="\n\n".join(blocks))


def listed_line(record: Record, language: Language, texts: Texts) -> str:
    """A bulletin as a digest lists it."""
    bulletin = record.bulletin
    marking = "" if bulletin.tlp is Tlp.CLEAR else f" [{bulletin.tlp}]"
    title = bulletin.text_in(language).title
    return f"• {bulletin.ref} · {texts.kinds[bulletin.kind]} · {title} — {record.agency_name}{marking}"


def _interval(text: str) -> Period:
    first, last = text.split("/")
    try:
        since, until = from_instant(first), from_instant(last)
    except FormatError:
        raise ValueError from None
    if not since < until:
        raise ValueError
    return Period(text, since, until)


def _calendar(text: str, now: datetime) -> Period:
    if text == "hour":
        until = now.replace(minute=0, second=0, microsecond=0)
        since = until - timedelta(hours=1)
        return Period(f"{since:%Y-%m-%dT%H}", _ms(since), _ms(until))
    if text == "day":
        text = (now.date() - timedelta(days=1)).isoformat()
    if text == "week":
        year, week, _ = (now.date() - timedelta(days=7)).isocalendar()
        text = f"{year}-W{week:02d}"
    if found := _WEEK.match(text):
        return _days(date.fromisocalendar(int(found[1]), int(found[2]), 1), 7, text)
    if _DAY.match(text):
        return _days(date.fromisoformat(text), 1, text)
    raise ValueError


def _days(first: date, days: int, name: str) -> Period:
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return Period(name, _ms(since), _ms(since + timedelta(days=days)))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
