"""Alarms: what a reader tells people when an identity key is replaced."""

from __future__ import annotations

from dataclasses import dataclass

from .directory import Directory
from .documents import Document

_TOLD = ("replace", "object", "identity")


@dataclass(frozen=True)
class Notice:
    """A document that people are told of, and whether it is an alarm."""

    document: Document
    alarm: bool


@dataclass(frozen=True)
class _Begun:
    nbf: int
    seen: int
    cool_down: int


class Watch:
    """A reader that appends documents as they come, by its own clock."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._begun: dict[str, _Begun] = {}

    def append(self, data: bytes, now: int) -> Notice | None:
        """Append the next document; a notice where people must be told of it."""
        document = self._directory.append(data)
        kind = document["type"]
        if kind not in _TOLD:
            return None
        agency = document["agency"]
        if kind == "replace":
            self._begun[agency] = _Begun(document["nbf"], now, self._directory.cool_down)
        alarm = kind == "identity" and self._is_early(self._begun[agency], now)
        return Notice(document, alarm and not self._directory.identity(agency).agreed)

    def _is_early(self, begun: _Begun, now: int) -> bool:
        too_soon = self._directory.quorum == 0 and now < begun.seen + begun.cool_down
        return now < begun.nbf or too_soon
