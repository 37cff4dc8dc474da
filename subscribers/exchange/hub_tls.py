"""TLS of the connection to the hub: whom a node believes, and what it shows.

Where the hub's address is `tls://`, or anything is given here, the connection begins with the handshake:
nothing that somebody in between says in clear can talk it out of that.
"""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from schemas.errors import Code, OperationError

CA_FILE: Final = "hub-ca.pem"
CERTIFICATE_FILE: Final = "hub-cert.pem"
KEY_FILE: Final = "hub-key.pem"
FILES: Final = (CA_FILE, CERTIFICATE_FILE, KEY_FILE)
"""What lies beside the admission file, where nothing else is set."""


class HubTls(NamedTuple):
    """PEM files: the authority of the hub's certificates (None: this machine's authorities), a certificate
    of our own and its key, where the hub asks for one.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def beside(cls, directory: Path, *given: Path | None) -> "HubTls":
        """The files that are `given`, and otherwise those that lie in `directory`."""
        found = ((directory / name) if (directory / name).is_file() else None for name in FILES)
        return cls(*(own or there for own, there in zip((*given, None, None, None), found, strict=False)))

    def options(self, urls: Sequence[str]) -> dict[str, Any]:
        """Keyword arguments for nats-py's `connect`. OperationError `bad_settings`."""
        given = self.ca is not None or self.certificate is not None
        if not given and not any(each.startswith("tls://") for each in urls):
            return {}
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as wrong:
            raise OperationError(
                Code.BAD_SETTINGS,
                f"the files for TLS with the hub cannot be used: {type(wrong).__name__}",
                "give PEM files: the authority's certificates, and a certificate with its key",
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return {"tls": context, "tls_handshake_first": True}


PLAIN: Final = HubTls()
"""Nothing is set: TLS is used where the address says so."""
