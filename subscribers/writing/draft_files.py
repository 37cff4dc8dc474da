"""Drafts as people keep them: JSON, or Markdown with the facts in front. Pure.

---
kind: tactic
tlp: TLP:AMBER
severity: high
language: fr
---
# The title

The body, with an optional summary as its first paragraph in the facts (`summary: ...`).
"""

import json
import re
from typing import Any, Final

import yaml
from yaml.composer import ComposerError

from schemas.encoding import parse_json
from schemas.errors import Code, DraftError, FormatError
from schemas.limits import JSON_DEPTH_MAX, PAYLOAD_MAX

_FENCE: Final = "---"
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


class _Facts(yaml.BaseLoader):
    """Keeps every scalar a string: dates stay text, and `no` stays a word. Nests no deeper than JSON may.

    No aliases: a few of them stand for more than any memory holds, and one can hold itself.
    """

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """As the library does, within these bounds."""
        if self.check_event(yaml.AliasEvent) or self._depth > JSON_DEPTH_MAX:
            at = self.peek_event().start_mark  # type: ignore[no-untyped-call] # the stubs say nothing of it
            raise ComposerError(None, None, "an alias, or too deep", at)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def read_draft(data: bytes) -> dict[str, Any]:
    """The fields of a draft from a file's bytes: JSON when it begins with `{`, Markdown otherwise. DraftError
    `bad_draft`, `too_large`.
    """
    if len(data) > PAYLOAD_MAX:
        raise DraftError(
            Code.TOO_LARGE, f"the draft has {len(data)} bytes, {PAYLOAD_MAX} is the most", "shorten it"
        )
    if data.lstrip()[:1] == b"{":
        return _json(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise DraftError(Code.BAD_DRAFT, "the file is not UTF-8", "save it as UTF-8") from None
    return _markdown(text)


def _json(data: bytes) -> dict[str, Any]:
    try:
        return parse_json(data, PAYLOAD_MAX)
    except FormatError as refusal:
        place = _broken_at(data)
        if place is None:
            raise
        raise FormatError(refusal.code, f"the file is not JSON, at {place}", "correct that place") from None


def _broken_at(data: bytes) -> str | None:
    """Where bytes stop being JSON, and nothing of what stands there; None where only a rule of strict JSON is
    broken.
    """
    try:
        json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        return f"line {line}: it is not UTF-8"
    except json.JSONDecodeError as error:
        return f"line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        return None
    return None


def _markdown(text: str) -> dict[str, Any]:
    lines = text.lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != _FENCE or _FENCE not in (line.strip() for line in lines[1:]):
        raise DraftError(
            Code.BAD_DRAFT,
            "neither JSON nor Markdown with facts between two lines of ---",
            "see docs/agency-guide.md",
        )
    end = next(number for number, line in enumerate(lines[1:], 1) if line.strip() == _FENCE)
    try:
        facts = yaml.load("\n".join(lines[1:end]), Loader=_Facts)  # noqa: S506 - it builds only str, list and dict
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two: an escape beyond Unicode
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        raise DraftError(
            Code.BAD_DRAFT,
            f"the facts between the lines of --- are not YAML{f', at line {mark.line + 2}' if mark else ''}",
            "write one `name: value` a line",
        ) from None
    if not isinstance(facts, dict):
        raise DraftError(
            Code.BAD_DRAFT,
            "the facts between the lines of --- are not name: value",
            "write one `name: value` a line",
        )
    fields = {str(name): _typed(str(name), value) for name, value in facts.items()}
    body = lines[end + 1 :]
    while body and not body[0].strip():
        body.pop(0)
    if "title" not in fields and body and body[0].startswith("# "):
        fields["title"] = body.pop(0)[2:].strip()
    fields.setdefault("body", "\n".join(body).strip())
    return fields


def _typed(name: str, value: object) -> object:
    # The only fields of a draft that are not text.
    if name in {"exercise", "official"}:
        return {"true": True, "false": False}.get(str(value), value)
    if name == "credibility" and isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    if isinstance(value, dict):
        return {str(inner): _typed(str(inner), each) for inner, each in value.items()}
    if isinstance(value, list):
        return [_typed("", each) for each in value]
    return value
