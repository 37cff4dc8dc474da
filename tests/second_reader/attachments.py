"""Attachments: what a bulletin says of the files that go with it."""

import re
from typing import Any

from . import fields
from .limits import ATTACHMENT_MAX, FILE_NAME_BYTES_MAX, FILE_NAME_MAX, STREAM_HEADER_SIZE
from .refusals import demand

_KEY_SIZE, _DIGEST_SIZE = 32, 32
_TOKEN = r"[a-z0-9][a-z0-9.+-]{0,62}"
_NOT_IN_NAME = re.compile(r'[/\\:*?"<>|]')
_NOT_AT_AN_END = (".", " ")


def _file_name(value: Any) -> None:
    fields.line(value)
    demand(len(value) <= FILE_NAME_MAX and len(value.encode()) <= FILE_NAME_BYTES_MAX, "bad_document")
    demand(_NOT_IN_NAME.search(value) is None, "bad_document")
    demand(not value.startswith(_NOT_AT_AN_END) and not value.endswith(_NOT_AT_AN_END), "bad_document")


def _hex(size: int) -> fields.Check:
    """So many bytes in hex; in a bulletin another form is `bad_document`."""
    return fields.matching(f"[0-9a-f]{{{2 * size}}}")


ATTACHMENT = fields.record(
    {
        "name": _file_name,
        "media": fields.matching(f"{_TOKEN}/{_TOKEN}"),
        "size": fields.integer(1, ATTACHMENT_MAX),
        "sha256": _hex(_DIGEST_SIZE),
        "seal": fields.record(
            {"header": _hex(STREAM_HEADER_SIZE), "key": _hex(_KEY_SIZE), "root": _hex(_DIGEST_SIZE)}
        ),
    }
)
