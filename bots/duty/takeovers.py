"""Taking over a duty and ending that: who may, what is asked before, and who is told of it. Pure."""

import json
from typing import Final, Literal

from bots.clock import moment
from bots.dialogue.screens import plain_answer, screen
from bots.duty.duties import Board
from bots.officers.roles import Right
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered
from bots.state import jobs
from bots.state.jobs import Job
from bots.state.officers import Officer
from bots.wording.markup import Span
from bots.wording.words import Words, words

What = Literal["taken", "ended", "again"]
"""Another has taken over from them; their own takeover was ended; another's was, so they have it again."""
_WHATS: Final = frozenset({"taken", "ended", "again"})


def refused(officer: Officer, board: Board) -> str:
    """Why this officer cannot end what has been taken over, in words; '' where they can."""
    say, held = words(officer.language), board.duty.takeover
    if held is None:
        return say.text("Nobody has taken over the duty.")
    if held.officer != officer.id and not officer.may(Right.ADMINISTER):
        return say.text("Only {name} or an administrator can end that.", name=_name(board, held.officer, say))
    return ""


def has_it(officer: Officer) -> str:
    """To who would take over what they have."""
    return words(officer.language).text("You are on duty already.")


def gone(officer: Officer) -> str:
    """To who pressed a button of what is not so any more."""
    return words(officer.language).text("Nothing was changed: this is not so any more.")


def sure(officer: Officer, board: Board) -> Rendered:
    """The question before an administrator ends the takeover of another: whose, and what is then."""
    held = board.duty.takeover
    if held is None:
        raise ValueError("nobody has taken over")
    say = words(officer.language)
    name = _name(board, held.officer, say)
    spans = [
        Span("↩️ " + say.text("End the takeover of {name}?", name=name), "b"),
        Span("\n" + _by_roster(officer, board, say)),
        Span("\n" + say.text("{name} is told of it.", name=name)),
    ]
    rows = (
        (Button("↩️ " + say.text("End it"), encode("duty", "end", board.roster, held.officer)),),
        (Button("◀️ " + say.text("Back"), encode("duty", "show", board.roster)),),
    )
    return screen(spans, officer.language, rows)


def _by_roster(officer: Officer, board: Board, say: Words) -> str:
    turns = board.duty.running
    if not turns:
        return say.text("After that nobody is on duty.")
    return say.text(
        "On duty after that, by the roster: {names}, until {time}",
        names=say.listed(_name(board, each, say) for each in dict.fromkeys(turn.officer for turn in turns)),
        time=say.embed(say.when(moment(min(each.until for each in turns)), officer.zone)),
    )


def told_taken(board: Board, by: Officer, until: float) -> list[Job]:
    """For those who were on duty before an officer took over: `board` is how it stood."""
    return [_job(board, each, "taken", by, until) for each in board.duty.present if each != by.id]


def told_ended(board: Board, by: Officer) -> list[Job]:
    """For who had taken over, and for those who are on duty again: `board` is how it stood."""
    held = board.duty.takeover
    if held is None:
        return []
    turns = {each.officer: each.until for each in board.duty.running}
    made = [] if held.officer == by.id else [_job(board, held.officer, "ended", by, turns.get(held.officer))]
    again = {officer: until for officer, until in turns.items() if officer not in {by.id, held.officer}}
    return made + [_job(board, officer, "again", by, until) for officer, until in again.items()]


def _job(board: Board, officer: int, what: What, by: Officer, until: float | None) -> Job:
    body = {"what": what, "name": by.name, "until": until, "roster": board.roster, "title": board.title}
    return jobs.relieved(officer, board.roster, board.duty.now, json.dumps(body))


def told(officer: Officer, body: str) -> Rendered:
    """What somebody is told whose duty another took, ended or gave back, from the JSON of its job."""
    say, fields = words(officer.language), json.loads(body)
    if fields["what"] not in _WHATS:
        raise ValueError("not what is told of a duty")
    title = say.text("Duty roster") + (f" · {say.embed(fields['title'])}" if fields["title"] else "")
    until = fields["until"]
    time = "" if until is None else say.embed(say.when(moment(until), officer.zone))
    text = _told(fields["what"], say.embed(fields["name"]), time, say)
    row = (Button("📟 " + say.text("Duty roster"), encode("duty", "open", fields["roster"])),)
    made = plain_answer(f"📟 {title}\n{text}", officer.language, (row,))
    return Rendered(made.parts, made.rows, protect=made.protect, silent=False)


def _told(what: What, name: str, time: str, say: Words) -> str:
    if what == "taken":
        return say.text(
            "{name} has taken over until {time}. You are not on duty any more.", name=name, time=time
        )
    if what == "again":
        return say.text(
            "{name} has ended the takeover. You are on duty again, until {time}.", name=name, time=time
        )
    if time:
        return say.text(
            "{name} has ended your takeover. By the roster you are on duty until {time}.",
            name=name,
            time=time,
        )
    return say.text("{name} has ended your takeover. You are not on duty any more.", name=name)


def _name(board: Board, officer: int, say: Words) -> str:
    return say.embed(board.names.get(officer, "?"))
