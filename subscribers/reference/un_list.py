"""The UN Security Council Consolidated List as plain entries, and what one edition changed. Pure.

https://main.un.org/securitycouncil/en/content/un-sc-consolidated-list
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Literal

from schemas.errors import Code, OperationError

Quality = Literal["good", "low", "former", ""]
"""How sure the UN is of an alias; `former` for a group's earlier name, empty where it does not say."""


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of an entry, as the list writes it."""

    name: str
    quality: Quality = ""


@dataclass(frozen=True, slots=True)
class Born:
    """A date of birth as far as the list knows it (`1971-02-03`, `~1950`, `1960-1963`), and the years that it
    allows.
    """

    text: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A person or a group on the list."""

    reference: str
    kind: Literal["individual", "entity"]
    name: str
    original: str
    """The name in its own script; empty where the list has none."""
    aliases: tuple[Alias, ...]
    nationalities: tuple[str, ...]
    born: tuple[Born, ...]
    programme: str
    """Under which regime it is listed: `Al-Qaida`, `DPRK`."""
    listed: str
    """ISO date."""
    updated: str
    """ISO date of the last change; empty when there was none."""
    note: str
    """What the list says about it."""


@dataclass(frozen=True, slots=True)
class UnList:
    """One edition of the list."""

    generated: str
    """When the UN made it: an ISO date, or a time in UTC."""
    entries: dict[str, Entry]
    """By reference, in the order of the file: persons, then groups."""

    @property
    def date(self) -> str:
        """The day of `generated`."""
        return self.generated[:10]

    @property
    def individuals(self) -> int:
        """How many persons."""
        return sum(each.kind == "individual" for each in self.entries.values())

    def get(self, reference: str) -> Entry | None:
        """The entry with this reference, however its letters are cased."""
        text = reference.strip()
        return self.entries.get(text[:2].upper() + text[2:].lower())


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an entry, as text, in the older edition and in the newer."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class EntryChange:
    """An entry that is in both editions and not the same."""

    reference: str
    name: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class ListChanges:
    """What an edition changed against the one before."""

    before: str
    after: str
    """When the two were made."""
    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    changed: tuple[EntryChange, ...]

    @property
    def none(self) -> bool:
        """Whether both say the same."""
        return not (self.added or self.removed or self.changed)


def check_newer(held: UnList, offered: UnList) -> None:
    """That `offered` is no older than `held`. OperationError `already_known` otherwise."""
    if _moment(offered) < _moment(held):
        reason = f"a newer list is here already, of {held.date}: this one is of {offered.date}"
        raise OperationError(Code.ALREADY_KNOWN, reason, "fetch the newest, or say that the older is meant")


def compare(before: UnList, after: UnList) -> ListChanges:
    """What `after` has that `before` has not, lacks, or says otherwise."""
    old, new = before.entries, after.entries
    return ListChanges(
        before.generated,
        after.generated,
        tuple(each for reference, each in new.items() if reference not in old),
        tuple(each for reference, each in old.items() if reference not in new),
        tuple(
            EntryChange(reference, each.name, _changed(old[reference], each))
            for reference, each in new.items()
            if reference in old and old[reference] != each
        ),
    )


def _moment(edition: UnList) -> datetime:
    return datetime.fromisoformat(edition.generated.removesuffix("Z")).replace(tzinfo=UTC)


def _changed(old: Entry, new: Entry) -> tuple[FieldChange, ...]:
    pairs = [(each.name, _as_text(old, each.name), _as_text(new, each.name)) for each in fields(Entry)]
    return tuple(FieldChange(*pair) for pair in pairs if pair[1] != pair[2])


def _as_text(entry: Entry, field: str) -> str:
    value: str | tuple[str | Alias | Born, ...] = getattr(entry, field)
    if isinstance(value, str):
        return value
    return "; ".join(map(_one_as_text, value))


def _one_as_text(value: str | Alias | Born) -> str:
    if isinstance(value, Alias):
        return f"{value.name} ({value.quality})" if value.quality else value.name
    return value.text if isinstance(value, Born) else value
