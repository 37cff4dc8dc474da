"""When the certificates of the connection to the hub will end: their files are read anew at each look."""

from pathlib import Path
from typing import Final

from cryptography.x509 import load_pem_x509_certificates

from subscribers.exchange.hub_tls import HubTls

UNREADABLE: Final = 0
"""Told of a file that holds no certificate: it wants to be looked at now."""


def ends(tls: HubTls) -> dict[str, int]:
    """For each file that is used (`hub_ca`, `hub_cert`) the first end of a certificate in it, Unix
    milliseconds.
    """
    used = {"hub_ca": tls.ca, "hub_cert": tls.certificate}
    return {name: _end(path) for name, path in used.items() if path is not None}


def _end(path: Path) -> int:
    try:
        found = load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return UNREADABLE
    return max(0, int(min(each.not_valid_after_utc for each in found).timestamp() * 1000))
