"""Faults to order: the next calls of a method fail in a chosen way. Pure: the server acts on what `take`
returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bots.sandbox.refusals import REFUSALS, ApiRefusal, migrated, refuse, too_many

ANY_METHOD = "*"
MAX_PLANNED = 1_000


class FaultKind(StrEnum):
    """What happens instead of (or after) the call."""

    TOO_MANY = "too_many"  # 429 with retry_after
    BLOCKED = "blocked"  # 403
    DEACTIVATED = "deactivated"  # 403
    BAD_REQUEST = "bad_request"  # 400 chat not found
    PARSE_ERROR = "parse_error"  # 400 can't parse entities
    SERVER_ERROR = "server_error"  # 500
    BAD_GATEWAY = "bad_gateway"  # 502
    MIGRATE = "migrate"  # 400 with migrate_to_chat_id
    CLOSE = "close"  # the connection is closed and the call is not done
    CLOSE_AFTER = "close_after"  # the call is done, but its answer never arrives
    HOLD = "hold"  # the call is done, its answer waits until the held calls are released


_SIMPLE = {
    FaultKind.BLOCKED: "bot-blocked",
    FaultKind.DEACTIVATED: "user-deactivated",
    FaultKind.BAD_REQUEST: "chat-unknown",
    FaultKind.SERVER_ERROR: "server-error",
    FaultKind.BAD_GATEWAY: "bad-gateway",
}


@dataclass(slots=True)
class Fault:
    """One planned fault.

    method: a Bot API method in any case, or `*`. times: calls left. chat_id: only calls to that chat, None
    for all. retry_after: seconds, for 429. migrate_to: the new chat id, for a migration.
    """

    kind: FaultKind
    method: str = ANY_METHOD
    times: int = 1
    chat_id: int | None = None
    retry_after: int = 1
    migrate_to: int = 0

    def __post_init__(self) -> None:
        if self.times < 1 or self.retry_after < 1:
            raise ValueError("a fault needs times >= 1 and retry_after >= 1")
        if self.kind is FaultKind.MIGRATE and not self.migrate_to:
            raise ValueError("a migrate fault needs migrate_to: the id of the new chat")

    def refusal(self) -> ApiRefusal | None:
        """The refusal to answer with, or None for the kinds that act on the connection."""
        if self.kind is FaultKind.TOO_MANY:
            return too_many(self.retry_after)
        if self.kind is FaultKind.MIGRATE:
            return migrated(self.migrate_to)
        if self.kind is FaultKind.PARSE_ERROR:
            return refuse("entities", what="injected")
        name = _SIMPLE.get(self.kind)
        return ApiRefusal(name, REFUSALS[name].code, REFUSALS[name].description) if name else None


class Faults:
    """The planned faults of one bot, used up in the order they were planned."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    @property
    def planned(self) -> tuple[Fault, ...]:
        """What is still to come."""
        return tuple(self._planned)

    def plan(self, fault: Fault) -> None:
        """Add a fault; ValueError when far too many are planned already."""
        if len(self._planned) >= MAX_PLANNED:
            raise ValueError(f"at most {MAX_PLANNED} faults can be planned: clear them first")
        self._planned.append(fault)

    def clear(self) -> None:
        """Forget all planned faults."""
        self._planned.clear()

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """Use up one time of the first fault that fits this call."""
        for fault in self._planned:
            named = fault.method in {ANY_METHOD, method} or fault.method.lower() == method.lower()
            if named and fault.chat_id in {None, chat_id}:
                fault.times -= 1
                if fault.times == 0:
                    self._planned.remove(fault)
                return fault
        return None
