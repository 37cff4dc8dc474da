"""Inline mode: what people type after the bot's name, and what it answers (bots/api#inline-mode).

Articles alone; what is chosen from them goes nowhere, for the bot would not hear of it either.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bots.sandbox.model import Json, User
from bots.sandbox.refusals import ApiRefusal, refuse
from bots.sandbox.texts import message_text

MAX_TYPED = 256
MAX_RESULTS = 50
MAX_ID = 64
OPEN_SECONDS = 60  # as for callback queries
_KEPT = 1_000


@dataclass(slots=True)
class InlineQuery:
    """What somebody typed: `at` in seconds; `results` once it is answered."""

    id: str
    user: User
    text: str
    at: float
    results: list[Json] | None = None

    def wire(self) -> Json:
        """bots/api#inlinequery"""
        return {
            "id": self.id,
            "from": self.user.wire(),
            "query": self.text,
            "offset": "",
            "chat_type": "supergroup",
        }


class InlineQueries:
    """The open and the answered ones of one bot."""

    def __init__(self, clock: Callable[[], float], token_hex: Callable[[int], str]) -> None:
        self._clock = clock
        self._token_hex = token_hex
        self._kept: OrderedDict[str, InlineQuery] = OrderedDict()

    def add(self, user: User, text: str) -> InlineQuery:
        """A person types; a client sends no more than `MAX_TYPED` characters."""
        query = InlineQuery(str(int(self._token_hex(8), 16)), user, text[:MAX_TYPED], self._clock())
        self._kept[query.id] = query
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return query

    def open(self, query_id: str) -> InlineQuery:
        """One that can still be answered."""
        query = self._kept.get(query_id)
        if query is None or query.results is not None or self._clock() - query.at > OPEN_SECONDS:
            raise refuse("query-old")
        return query


def read_results(given: list[object]) -> list[Json]:
    """The results of an answer, each one checked as the service does."""
    if len(given) > MAX_RESULTS:
        raise refuse("inline-too-many")
    results = [_article(each) for each in given]
    ids = [each["id"] for each in results]
    if len(set(ids)) < len(ids):
        raise refuse("inline-id-twice")
    return results


def _article(given: object) -> Json:
    if not isinstance(given, dict):
        raise refuse("inline-result", what="expected an Object")
    kind, id_ = given.get("type", ""), str(given.get("id", ""))
    if kind != "article":
        raise refuse("inline-result", what=f'type "{kind}" is unsupported for the inline query result')
    if not 1 <= len(id_.encode()) <= MAX_ID:
        raise refuse("inline-id")
    if not given.get("title"):
        raise refuse("inline-title")
    content = given.get("input_message_content")
    if not isinstance(content, dict):
        raise refuse("inline-result", what='Field "input_message_content" must be of type Object')
    try:
        text = message_text(
            str(content.get("message_text", "")),
            str(content.get("parse_mode", "")),
            content.get("entities") or [],
            editing=False,
        )
    except ApiRefusal as refusal:
        raise refuse("inline-result", what=refusal.description.removeprefix("Bad Request: ")) from None
    return {
        "id": id_,
        "title": given["title"],
        "description": given.get("description", ""),
        "text": text.text,
        "entities": text.entities,
    }
