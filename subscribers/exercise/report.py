"""The after-action report: what was put before the players, and who answered what, how soon. Pure.

Times of answers are those that their agencies wrote, to the second; those of injects are by the clock of
whoever played them.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Final

from pydantic import BaseModel, ConfigDict

from schemas.encoding import from_instant, instant
from schemas.vocabulary import Kind
from subscribers.exercise.log import Outcome, Run
from subscribers.records import Record

_KINDS: Final = {
    Kind.ACKNOWLEDGEMENT: "acknowledged",
    Kind.SIGHTING: "sighted",
    Kind.RESPONSE: "answered",
}


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Answer(_Shape):
    """One answer: `after` seconds after the inject went out."""

    agency: str
    what: str
    after: int
    ref: str


class Played(_Shape):
    """One inject. `late`: seconds after it was due."""

    inject: str
    agency: str
    state: str
    ref: str
    kind: str
    severity: str
    title: str
    at: str
    late: float
    code: str
    answers: tuple[Answer, ...]
    silent: tuple[str, ...]
    """Members that have not acknowledged it."""


class Reader(_Shape):
    """How an agency did: of `asked` injects by others it acknowledged `acknowledged`; times in seconds."""

    agency: str
    asked: int
    acknowledged: int
    median: float | None
    slowest: int | None
    other_answers: int


class Report(_Shape):
    """What is known of the exercise to whoever asks."""

    title: str
    community: str
    started: str
    ended: str
    injects: tuple[Played, ...]
    agencies: tuple[Reader, ...]


def compose(
    runs: Sequence[Run], members: Iterable[str], records: Mapping[str, tuple[Record, Sequence[Record]]]
) -> Report:
    """Of all `runs` of one exercise. `records`: for each bulletin's id, itself and its answers."""
    readers = sorted(set(members))
    settled = [(outcome, run) for run in runs for outcome in run.outcomes.values()]
    settled.sort(key=lambda each: each[0].at)
    injects = [_played(run, outcome, readers, records) for outcome, run in settled]
    first = runs[0].begun
    return Report(
        title=first.title,
        community=first.community,
        started=instant(min(run.begun.started for run in runs)),
        ended=instant(settled[-1][0].at if settled else first.started),
        injects=tuple(injects),
        agencies=tuple(_reader(agency, injects) for agency in readers),
    )


def _played(
    run: Run,
    outcome: Outcome,
    members: Sequence[str],
    records: Mapping[str, tuple[Record, Sequence[Record]]],
) -> Played:
    record, replies = records.get(outcome.id, (None, ()))
    answers = sorted((_answer(each, outcome.at) for each in replies), key=lambda each: each.after)
    heard = {each.agency for each in answers if each.what == "acknowledged"}
    awaited = outcome.state == "sent" and record is not None and record.bulletin.kind not in _KINDS
    silent = [each for each in members if each not in heard | {run.begun.agency}] if awaited else []
    return Played(
        inject=outcome.inject,
        agency=run.begun.agency,
        state=outcome.state,
        ref=outcome.ref,
        kind=record.bulletin.kind.value if record else "",
        severity=record.bulletin.severity.value if record else "",
        title=record.bulletin.title if record else "",
        at=instant(outcome.at),
        late=round(max(0, outcome.at - outcome.due) / 1000, 1),
        code=outcome.code,
        answers=tuple(answers),
        silent=tuple(silent),
    )


def _answer(record: Record, sent: int) -> Answer:
    bulletin = record.bulletin
    after = max(0, (from_instant(bulletin.issued) - sent // 1000 * 1000) // 1000)
    what = _KINDS.get(bulletin.kind, bulletin.kind.value)
    return Answer(agency=record.agency, what=what, after=after, ref=bulletin.ref)


def _reader(agency: str, injects: Sequence[Played]) -> Reader:
    first: list[int] = []
    asked = other = 0
    for each in injects:
        own = [answer for answer in each.answers if answer.agency == agency]
        other += sum(answer.what != "acknowledged" for answer in own)
        took = [answer.after for answer in own if answer.what == "acknowledged"]
        if each.agency != agency and (took or agency in each.silent):
            asked += 1
            first += took[:1]
    return Reader(
        agency=agency,
        asked=asked,
        acknowledged=len(first),
        median=median(first) if first else None,
        slowest=max(first, default=None),
        other_answers=other,
    )


def markdown(report: Report) -> str:
    """For people; what they found out for themselves is theirs to add at the end."""
    lines = [
        f"# EXERCISE EXERCISE EXERCISE · {_plain(report.title)}",
        "",
        f"In `{report.community}`, {report.started} to {report.ended}; {len(report.injects)} injects.",
        "",
        "## Agencies",
        "",
        "| agency | acknowledged | median | slowest | other answers |",
        "|---|---|---|---|---|",
    ]
    for each in report.agencies:
        took = f"{_span(each.median)} | {_span(each.slowest)}"
        row = f"| {each.agency} | {each.acknowledged} of {each.asked} | {took} | {each.other_answers} |"
        lines.append(row)
    lines += ["", "## Injects", ""]
    for inject in report.injects:
        lines += _told(inject)
    lines += ["## Findings", "", "*What went well, what did not, who does what about it until when.*", ""]
    return "\n".join([*lines, "EXERCISE EXERCISE EXERCISE", ""])


def _told(inject: Played) -> list[str]:
    if inject.state != "sent":
        return [f"### {inject.inject} · {inject.agency} · {inject.state.upper()} ({inject.code})", ""]
    told = [f"### {inject.inject} · {inject.ref} · {inject.severity} · {_plain(inject.title)}", ""]
    late = f", {inject.late} s late" if inject.late >= 1 else ""
    told.append(f"Sent by {inject.agency} at {inject.at}{late}.")
    told += [f"- {each.agency} {each.what} after {_span(each.after)} ({each.ref})" for each in inject.answers]
    if inject.silent:
        told.append(f"- not acknowledged by {', '.join(inject.silent)}")
    return [*told, ""]


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _plain(text: str) -> str:
    """A line that is neither a table's cell border nor markup."""
    return "".join("\\" + each if each in "\\`*_|<>[]#" else each for each in text)
