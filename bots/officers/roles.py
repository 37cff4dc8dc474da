"""What officers may do: a role is a set of rights. Pure.

The roles go up like a ladder. An administrator has every right: who gives roles could give any to themselves,
and the audit tells of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.errors import Code, OperationError


class Right(StrEnum):
    """One thing that an officer may do."""

    READ = "read"
    """Be told, ask, acknowledge."""
    DRAFT = "draft"
    """Write drafts."""
    RELEASE = "release"
    """Send drafts to a community."""
    ADMINISTER = "administer"
    """Say who else may do what, and see what they did."""


class Role(StrEnum):
    """What an officer is."""

    READER = "reader"
    DRAFTER = "drafter"
    RELEASER = "releaser"
    ADMINISTRATOR = "administrator"


RIGHTS: Final[Mapping[Role, frozenset[Right]]] = MappingProxyType(
    {
        Role.READER: frozenset({Right.READ}),
        Role.DRAFTER: frozenset({Right.READ, Right.DRAFT}),
        Role.RELEASER: frozenset({Right.READ, Right.DRAFT, Right.RELEASE}),
        Role.ADMINISTRATOR: frozenset(Right),
    }
)


@dataclass(frozen=True, slots=True)
class Standing:
    """One of the officers who are enrolled."""

    officer: int
    role: Role


def parse_role(text: str) -> Role:
    """A role by its name. Raises OperationError `bad_request`."""
    if text not in set(Role):
        raise OperationError(Code.BAD_REQUEST, "no such role", f"use one of {', '.join(Role)}")
    return Role(text)


def keep_one(enrolled: Iterable[Standing], officer: int, role: Role | None, *, alone: bool = False) -> None:
    """Raise OperationError `forbidden` when `officer` is the last enrolled administrator, and those who stay
    would have none once that officer has `role` (None: is not enrolled any more). `alone`: also where nobody
    stays.
    """
    before = {each.officer: each.role for each in enrolled}
    if before.get(officer) is not Role.ADMINISTRATOR:
        return
    after = {key: held for key, held in before.items() if key != officer}
    if role is not None:
        after[officer] = role
    if (after or alone) and Role.ADMINISTRATOR not in after.values():
        raise OperationError(
            Code.FORBIDDEN,
            "the last administrator cannot be removed or get another role while officers are enrolled",
            "make another administrator first",
        )
