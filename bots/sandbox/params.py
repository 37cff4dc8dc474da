"""The parameters of one call, whatever way they came: urlencoded, multipart, JSON or in the address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from bots.sandbox.refusals import refuse

_ATTACH = "attach://"
_TRUE = frozenset({"true", "1", "yes", "t", "y"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a multipart call."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Params:
    """Typed access; every method refuses what it cannot read, in the service's words."""

    fields: Mapping[str, str]
    uploads: Mapping[str, Upload]

    def text(self, name: str) -> str:
        """The value, or "" when it is not there."""
        return self.fields.get(name, "")

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number."""
        value = self.text(name).strip()
        if not value:
            return default
        try:
            return int(value)
        except ValueError as error:
            raise refuse("parameter-invalid", what=f"{name}: expected an Integer") from error

    def flag(self, name: str) -> bool:
        """True for `true`, `1`, `yes`."""
        return self.text(name).strip().lower() in _TRUE

    def json(self, name: str) -> object:
        """A nested value, or None when it is not there."""
        value = self.text(name)
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise refuse("parameter-invalid", what=f"{name} JSON object") from error

    def optional_array(self, name: str) -> list[object] | None:
        """A nested array; None when it is not there."""
        value = self.json(name)
        if value is not None and not isinstance(value, list):
            raise refuse("parameter-invalid", what=f"{name}: expected an Array")
        return value

    def array(self, name: str) -> list[object]:
        """A nested array; [] when it is not there."""
        return self.optional_array(name) or []

    def chat_id(self) -> int:
        """The `chat_id`; the sandbox has no public chats, so an @username is a chat that is not found."""
        value = self.text("chat_id").strip()
        if not value:
            raise refuse("chat-empty")
        try:
            return int(value)
        except ValueError as error:
            raise refuse("chat-unknown") from error

    def upload(self, name: str) -> Upload | None:
        """The file of a field: sent under the field's own name or by `attach://`."""
        value = self.text(name)
        return self.uploads.get(value.removeprefix(_ATTACH) if value.startswith(_ATTACH) else name)


async def read_params(request: web.Request) -> Params:
    """Read the call. Raises web.HTTPRequestEntityTooLarge through aiohttp when the body is over its limit."""
    fields: dict[str, str] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.method == "POST" and request.content_type == "application/json":
        fields.update(json_fields(await request.text()))
    elif request.method == "POST":
        try:
            posted = await request.post()
        except ValueError as error:
            raise refuse("body-unreadable") from error
        for name, value in posted.items():
            if isinstance(value, web.FileField):
                uploads[name] = Upload(value.filename or name, value.file.read())
            elif isinstance(value, str):
                fields[name] = value
            else:
                fields[name] = value.decode("utf-8", "replace")
    return Params(fields, uploads)


def json_fields(body: str) -> dict[str, str]:
    """The parameters of a JSON body, each as the text that a form would carry."""
    try:
        decoded = json.loads(body or "{}")
    except (ValueError, RecursionError) as error:
        raise refuse("body-unreadable") from error
    if not isinstance(decoded, dict):
        raise refuse("body-unreadable")
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in decoded.items()
        if value is not None
    }
