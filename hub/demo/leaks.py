"""The search for plaintext where there must be none: every planted marker, in every form that text takes on a
disk.

Markers of one run begin with the same random stem. The stem's forms are looked for first, which is fast; what
is found there is then named marker by marker.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_GROUP: Final = 3


@dataclass(frozen=True, slots=True)
class Leak:
    """A marker that was found: in which file, in which form, which one."""

    file: str
    form: str
    marker: str


def forms(text: str) -> dict[str, bytes]:
    """How `text` may stand in a file: by name of the form, the bytes to look for.

    Base64 depends on where in the encoded bytes the text begins, so there are three; of each, only the digits
    that the text alone decides.
    """
    raw = text.encode()
    found = {
        "utf-8": raw,
        "utf-16le": text.encode("utf-16-le"),
        "utf-16be": text.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "hex upper": raw.hex().upper().encode(),
        "percent": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "percent lower": "".join(f"%{byte:02x}" for byte in raw).encode(),
        "reversed": raw[::-1],
    }
    for offset in range(_GROUP):
        digits = base64_digits(raw, offset)
        found[f"base64 +{offset}"] = digits
        url = digits.translate(bytes.maketrans(b"+/", b"-_"))
        if url != digits:
            found[f"base64url +{offset}"] = url
    return found


def base64_digits(raw: bytes, offset: int) -> bytes:
    """The base64 digits that `raw` alone decides when `offset` bytes (0 to 2) stand before it in a group."""
    encoded = base64.b64encode(bytes(offset) + raw)
    first = -(-offset * 8 // 6)
    last = (offset + len(raw)) * 8 // 6
    return encoded[first:last]


def search(data: bytes, name: str, stem: str, markers: Sequence[str]) -> list[Leak]:
    """The markers that stand in `data`, once for each form; the stem where no whole marker does."""
    suspect = [form for form, needle in forms(stem).items() if needle in data]
    named = [
        Leak(name, form, each)
        for each in (markers if suspect else ())
        for form, needle in forms(each).items()
        if form in suspect and needle in data
    ]
    return named or [Leak(name, form, stem) for form in suspect]


def search_files(files: Iterable[Path], base: Path, stem: str, markers: Sequence[str]) -> list[Leak]:
    """The same for files; names are given relative to `base`. A file that goes meanwhile is passed over."""
    found: list[Leak] = []
    for file in files:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            continue
        found += search(data, str(file.relative_to(base)), stem, markers)
    return found


def files_under(*roots: Path) -> list[Path]:
    """Every regular file in or below `roots`."""
    return sorted(
        each for root in roots for each in ([root] if root.is_file() else root.rglob("*")) if each.is_file()
    )


def holding(files: Iterable[Path], needle: bytes) -> list[Path]:
    """The files that hold `needle`: shows that the store can be read, so that a search proves something."""
    return [each for each in files if needle in each.read_bytes()]
