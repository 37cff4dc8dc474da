"""The log of a run: which scenario, since when and how fast, and what became of each inject. JSON lines, so
that a run that was cut off goes on where it was, and a report can be made of it. No text of a bulletin.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from schemas.errors import Code, OperationError

State = Literal["sent", "refused", "skipped"]

_FILE_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Begun:
    """The first line. Times are Unix milliseconds; `speed`: how many times faster than the scenario says."""

    scenario: str
    """SHA-256 of the file, in hex."""
    title: str
    community: str
    agency: str
    started: int
    speed: float

    def due(self, at: int) -> int:
        """When an inject is due that comes `at` seconds after the beginning."""
        return self.started + round(at * 1000 / self.speed)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an inject: `sent` as `ref`, or `refused` or `skipped`, with the reason's `code`."""

    inject: str
    state: State
    due: int
    at: int
    id: str = ""
    ref: str = ""
    code: str = ""


@dataclass(slots=True)
class Run:
    """A log as it stands. `names` are the names under which injects are asked to be published: each is
    written before it is used, so that an answer that was missed does not become a second bulletin.
    """

    begun: Begun
    names: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def ids(self) -> dict[str, str]:
        """The bulletins that went out, by their injects."""
        return {name: each.id for name, each in self.outcomes.items() if each.state == "sent"}


class RunLog:
    """The file of a run, written line by line."""

    def __init__(self, path: Path, run: Run) -> None:
        self._path = path
        self.run = run

    @classmethod
    def begin(cls, path: Path, begun: Begun) -> "RunLog":
        """A new log; where there is one of the same scenario and agency, that one, to go on with.
        OperationError `bad_document`, `already_known`.
        """
        try:
            run = read_run(path)
        except OperationError as error:
            if error.code is not Code.NOT_FOUND:
                raise
        else:
            if (run.begun.scenario, run.begun.agency) == (begun.scenario, begun.agency):
                _without_torn_end(path)
                return cls(path, run)
            message, fix = f"{path} is the log of another run", "name another with --log, or move it away"
            raise OperationError(Code.ALREADY_KNOWN, message, fix)
        log = cls(path, Run(begun))
        log._write({"begun": asdict(begun)}, os.O_CREAT | os.O_EXCL)
        return log

    def name(self, inject: str, fresh: str) -> str:
        """The name under which this inject is asked for: `fresh` the first time."""
        if inject not in self.run.names:
            self._write({"inject": inject, "once": fresh})
            self.run.names[inject] = fresh
        return self.run.names[inject]

    def settle(self, outcome: Outcome) -> None:
        """Write down what became of an inject."""
        self._write({"outcome": asdict(outcome)})
        self.run.outcomes[outcome.inject] = outcome

    def _write(self, line: dict[str, Any], flags: int = 0) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | flags, _FILE_MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _without_torn_end(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def read_run(path: Path) -> Run:
    """The log in a file. A last line that a crash cut off is passed over: what it told has not happened yet,
    or is asked for again under the same name.
    """
    try:
        lines = path.read_text("utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        raise OperationError(Code.NOT_FOUND, f"there is no {path}", "name the log of a run") from None
    try:
        whole = [json.loads(each) for each in lines if each.endswith("\n")]
        run = Run(Begun(**whole[0]["begun"]))
        for each in whole[1:]:
            if "once" in each:
                run.names[each["inject"]] = each["once"]
            else:
                outcome = Outcome(**each["outcome"])
                run.outcomes[outcome.inject] = outcome
    except (ValueError, LookupError, TypeError):
        raise OperationError(Code.BAD_DOCUMENT, f"{path} is no log of a run", "name another file") from None
    return run
