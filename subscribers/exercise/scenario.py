"""A scenario: what an exercise puts before its players, and when. Read strictly from YAML. Pure.

title: NORTH GATE
community: drill            # its short name; it must be one for exercises
injects:
- id: first-report
at: "0:00"              # hours:minutes or hours:minutes:seconds after the beginning
by: fra                 # which agency's player sends it; without it, whoever runs the scenario
bulletin: {kind: threat, severity: elevated, tlp: "TLP:GREEN", language: en, title: ..., body: ...}
- id: correction
at: "0:20"
by: fra
amends: first-report    # or retracts, responds-to, acknowledges, sights, related
file: correction.md     # a draft as people keep it, beside the scenario
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import yaml
from yaml.composer import ComposerError

from schemas.bulletin import Draft, parse_draft
from schemas.errors import Code, DraftError
from schemas.vocabulary import Relation
from subscribers.writing.draft_files import read_draft

SCENARIO_MAX: Final = 4 * 2**20
"""Bytes."""
INJECTS_MAX: Final = 5_000
_AT: Final = re.compile(r"([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9]))?")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LINKS: Final = {each.value: each for each in Relation if each is not Relation.CONTAINS}
_FIELDS: Final = {"id", "at", "by", "bulletin", "file", *_LINKS}
# Any id will do while a draft is only looked at: the true one exists when the other inject is out.
_SOME_ID: Final = "01890a5d-ac96-774b-bcce-b302099a8057"


@dataclass(frozen=True, slots=True)
class Inject:
    """One bulletin to come: `at` seconds after the beginning, by the agency `by` (empty: any), with `links`
    to injects before it (relation, their id).
    """

    id: str
    at: int
    by: str
    fields: Mapping[str, Any]
    links: tuple[tuple[Relation, str], ...]

    def draft(self, ids: Mapping[str, str]) -> Draft:
        """The draft to publish; `ids` are the bulletins of the injects that it links to. DraftError."""
        linked = [{"relation": relation.value, "id": ids[name]} for relation, name in self.links]
        links = [*self.fields.get("links", ()), *linked]
        return parse_draft({**self.fields, "exercise": True, **({"links": links} if links else {})})


@dataclass(frozen=True, slots=True)
class Scenario:
    """In the order in which they are due."""

    title: str
    community: str
    injects: tuple[Inject, ...]

    def played_by(self, agency: str) -> tuple[Inject, ...]:
        """What this agency's player sends."""
        return tuple(each for each in self.injects if each.by in {"", agency})


class _Plain(yaml.SafeLoader):
    """Words stay words (`no` is Norway), dates stay text. No aliases: some lines can stand for any memory."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the library's own way

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """As the library does, without aliases."""
        if self.check_event(yaml.AliasEvent):
            raise ComposerError(None, None, "an alias", None)
        return super().compose_node(parent, index)


_Plain.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
_Plain.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^(0|[1-9][0-9]{0,8})$"), list("0123456789"))


def read_scenario(data: bytes, beside: Callable[[str], bytes]) -> Scenario:
    """Read and check all of it, so that nothing goes wrong half-way. `beside(name)` reads a draft's file.
    DraftError `bad_draft`, `too_large`, `exercise_mismatch`.
    """
    if len(data) > SCENARIO_MAX:
        raise DraftError(Code.TOO_LARGE, f"the scenario has more than {SCENARIO_MAX} bytes", "split it")
    try:
        told = yaml.load(data.decode("utf-8"), Loader=_Plain)  # noqa: S506 - builds only plain values
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        raise _bad("the scenario is not YAML", "see docs/exercises.md") from None
    if not isinstance(told, dict) or set(told) != {"title", "community", "injects"}:
        raise _bad("a scenario has title, community and injects, and nothing else", "see docs/exercises.md")
    title, community, injects = told["title"], told["community"], told["injects"]
    if not isinstance(title, str) or not isinstance(community, str) or not title or not community:
        raise _bad("title and community are lines of text", "write them in quotes")
    if not isinstance(injects, list) or not 0 < len(injects) <= INJECTS_MAX:
        raise _bad(f"injects is a list of 1 to {INJECTS_MAX}", "add one, or split the scenario")
    read = [_inject(number, each, beside) for number, each in enumerate(injects, 1)]
    ordered = sorted(read, key=lambda each: each.at)
    _check_links(ordered)
    return Scenario(title, community, tuple(ordered))


def _inject(number: int, told: object, beside: Callable[[str], bytes]) -> Inject:
    where = f"inject {number}"
    if not isinstance(told, dict) or not {"id", "at"} <= set(told):
        raise _bad(f"{where} lacks id or at", "give both")
    if strange := sorted(set(map(str, told)) - _FIELDS):
        raise _bad(f"{where} has {', '.join(strange)}", f"an inject has {', '.join(sorted(_FIELDS))}")
    name, by = told["id"], told.get("by", "")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _bad(f"{where}: its id is not a short name", "use small letters, digits and hyphens")
    where = f"inject {name}"
    at = _AT.fullmatch(told["at"]) if isinstance(told["at"], str) else None
    if at is None:
        raise _bad(f"{where}: at is no time", 'write "0:15" (hours:minutes), in quotes')
    if not isinstance(by, str):
        raise _bad(f"{where}: by is no agency's id", 'write "fra"')
    if ("bulletin" in told) == ("file" in told):
        raise _bad(f"{where} needs its bulletin or a file", "give one of the two")
    links = tuple((_LINKS[each], told[each]) for each in _LINKS if each in told)
    fields = told["bulletin"] if "bulletin" in told else _filed(where, told["file"], beside)
    hours, minutes, seconds = (int(each or 0) for each in at.groups())
    inject = Inject(name, hours * 3600 + minutes * 60 + seconds, by, _checked(where, fields), links)
    try:
        inject.draft({str(other): _SOME_ID for _, other in links})
    except DraftError as error:
        raise DraftError(error.code, f"{where}: {error.message}", error.fix) from None
    return inject


def _filed(where: str, name: object, beside: Callable[[str], bytes]) -> object:
    if not isinstance(name, str) or PurePath(name).name != name:
        raise _bad(f"{where}: file is not the name of a file beside the scenario", "put it there")
    return read_draft(beside(name))


def _checked(where: str, fields: object) -> dict[str, Any]:
    if not isinstance(fields, dict):
        raise _bad(f"{where}: its bulletin is not name: value", "write one field a line")
    if fields.get("exercise", True) is not True:
        raise DraftError(
            Code.EXERCISE_MISMATCH,
            f"{where} says that it is no exercise",
            "a scenario holds nothing real: publish that by itself",
        )
    return {str(name): value for name, value in fields.items()}


def _check_links(injects: list[Inject]) -> None:
    """Each id once, and links only to what goes out before."""
    seen: set[str] = set()
    for each in injects:
        for relation, other in each.links:
            if other not in seen:
                raise _bad(
                    f"inject {each.id}: {relation.value} names no inject before it",
                    "name one that is earlier",
                )
        if each.id in seen:
            raise _bad(f"two injects are called {each.id}", "give each a name of its own")
        seen.add(each.id)


def _bad(message: str, fix: str) -> DraftError:
    return DraftError(Code.BAD_DRAFT, message, fix)
