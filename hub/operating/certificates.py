"""When the certificates that the operator named will end: their files are read anew at each look."""

from collections.abc import Iterable
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates

from schemas.encoding import instant

UNREADABLE = instant(0)
"""Told of a file that holds no certificate: it wants to be looked at now."""


def ends(paths: Iterable[Path]) -> dict[str, str]:
    """For each file the first end of a certificate in it, as an instant."""
    return {str(path): _end(path) for path in paths}


def _end(path: Path) -> str:
    try:
        found = load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return UNREADABLE
    first = min(each.not_valid_after_utc for each in found)
    return instant(max(0, int(first.timestamp() * 1000)))
