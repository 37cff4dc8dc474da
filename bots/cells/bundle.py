"""The archive bundle of an event that is over: a zip with one bulletin to a line, and a manifest."""

import io
import json
import os
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from bots.cells.cells import Cell
from schemas.encoding import instant
from subscribers.records import Record

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Every file's time within: the same bulletins make the same bundle."""


def pack(cell: Cell, records: Iterable[Record], closed: float) -> bytes:
    """The bundle's bytes. The lines are records as the node gives them, oldest first."""
    ordered = sorted(records, key=lambda each: (each.bulletin.issued, each.bulletin.id))
    lines = "".join(each.model_dump_json() + "\n" for each in ordered).encode()
    manifest = {
        "event": cell.name,
        "slug": cell.slug,
        "venues": list(cell.venues),
        "first": cell.first.isoformat() if cell.first else None,
        "last": cell.last.isoformat() if cell.last else None,
        "closed": instant(int(closed * 1000)),
        "bulletins": len(ordered),
        "files": {"bulletins.jsonl": {"size": len(lines), "sha256": sha256(lines).hexdigest()}},
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in (
            ("manifest.json", json.dumps(manifest, indent=1).encode()),
            ("bulletins.jsonl", lines),
        ):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            packed.writestr(entry, data)
    return made.getvalue()


def keep(folder: Path, name: str, data: bytes) -> None:
    """Write a bundle into `folder` (made at 0700) at 0600, whole or not at all. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f"{name}.new"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / name)
    finally:
        draft.unlink(missing_ok=True)
