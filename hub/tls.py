"""TLS of the hub's connections to NATS, and of the embedded server."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from schemas.errors import Code, OperationError

_LEAST: Final = ssl.TLSVersion.TLSv1_2


class ServerTls(NamedTuple):
    """With what a server answers, and whose certificates it asks of clients (None: it asks for none)."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def config(self) -> str:
        """As nats-server reads it."""
        asked = "" if self.client_ca is None else f', ca_file: "{self.client_ca}", verify: true'
        files = f'cert_file: "{self.certificate}", key_file: "{self.key}"{asked}'
        return f"tls {{ {files}, handshake_first: true, timeout: 5 }}\n"


def options(urls: Sequence[str], context: ssl.SSLContext | None) -> dict[str, Any]:
    """Keyword arguments for nats-py's `connect`. Where there is TLS it begins with the handshake: nothing
    that somebody in between says in clear can talk a connection out of it.
    """
    if context is None and not any(each.startswith("tls://") for each in urls):
        return {}
    return {"tls": context or ssl.create_default_context(), "tls_handshake_first": True}


def client_context(
    ca: Path | None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext | None:
    """What a connection believes, and shows: an authority's file, and a certificate of one's own. None where
    nothing is given: the machine's authorities then count for a `tls://` address. OperationError
    `bad_settings`.
    """
    if ca is None and certificate is None:
        return None
    return _context(ca, certificate, key)


def pinned_context(server: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """For the hub's connection to its own embedded server: believes that certificate itself, whatever names
    it has, and shows one of its own where it is given. OperationError `bad_settings`.
    """
    context = _context(server, certificate, key)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _context(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as wrong:
        raise _unusable(ca, certificate, wrong) from None
    context.minimum_version = _LEAST
    return context


def _unusable(ca: Path | None, certificate: Path | None, wrong: Exception) -> OperationError:
    names = ", ".join(str(each) for each in (ca, certificate) if each is not None)
    return OperationError(
        Code.BAD_SETTINGS,
        f"{names} cannot be used for TLS: {type(wrong).__name__}",
        "give PEM files: the authority's certificates, and a certificate with its key",
    )
