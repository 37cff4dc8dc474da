"""The hub's own files beside its accounts: the receipt key, the request for its document, the two
documents it begins with.
"""

from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from hub.accounts import Accounts
from hub.files import private_directory, read_private, write_private
from hub.settings import HubSettings
from schemas.directory import Directory
from schemas.documents import Hub, parse_document
from schemas.encoding import from_base64, from_hex, to_base64
from schemas.errors import Code, FormatError, OperationError
from schemas.limits import DOCUMENT_MAX
from schemas.signing import DOCUMENT_TYPE, KEY_SIZE, sign_envelope

ROOT_FILE: Final = "root.dsse"
HUB_FILE: Final = "hub.dsse"
REQUEST_FILE: Final = "hub-request.dsse"
URL_FILE: Final = "url"
RECEIPT_KEY: Final = "receipt.key"


class ReceiptSigner:
    """The key under the hub's receipts (a `schemas.signing.Signer`). Its text never leaves this class."""

    __slots__ = ("_key", "public")

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self.public = bytes(key.verify_key)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature."""
        return self._key.sign(message).signature

    @classmethod
    def load(cls, settings: HubSettings) -> "ReceiptSigner":
        """The key in the hub's directory. OperationError NOT_FOUND, FORBIDDEN or STORE_CORRUPT."""
        path = settings.accounts_directory / RECEIPT_KEY
        content = read_private(path)
        try:
            return cls(SigningKey(from_hex(content.decode("ascii", "replace").strip(), KEY_SIZE)))
        except FormatError as bad:
            raise OperationError(
                Code.STORE_CORRUPT, f"{path} is damaged", "restore it from its backup"
            ) from bad


def initialise(settings: HubSettings, name: str, now: int) -> Path:
    """Make what is missing of a hub's keys; the path of the request that a registrar signs into the hub
    document.

    The request is that document, signed by the receipt key itself, which proves that the hub holds it. Safe
    to repeat: keys are never replaced. `now` is Unix ms.
    """
    private_directory(settings.state)
    accounts = Accounts.load_or_create(settings.accounts_directory)
    accounts.write_control_credentials(settings.control_credentials)
    key = settings.accounts_directory / RECEIPT_KEY
    if not key.exists():
        write_private(key, bytes(SigningKey.generate()).hex().encode() + b"\n")
    request = settings.state / REQUEST_FILE
    if not request.exists():
        signer = ReceiptSigner.load(settings)
        document = Hub(version=1, issued=now, name=name, key=to_base64(signer.public))
        request.write_bytes(sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [signer]).to_bytes())
    return request


def install(settings: HubSettings, root: bytes, hub: bytes) -> Directory:
    """Keep the documents with which this hub's directory begins. Raises FormatError, TrustError, or
    OperationError `wrong_key` when the hub document is another hub's and `already_known` when the hub has
    begun with others.
    """
    directory = Directory.pinned(root).apply(hub)
    document = parse_document(hub).document
    signer = ReceiptSigner.load(settings)
    if not isinstance(document, Hub) or from_base64(document.key, KEY_SIZE) != signer.public:
        raise OperationError(
            Code.WRONG_KEY,
            "this document is not about this hub's receipt key",
            f"have the secretariat sign {settings.state / REQUEST_FILE}",
        )
    for name, data in ((ROOT_FILE, root), (HUB_FILE, hub)):
        path = settings.state / name
        if path.exists() and path.read_bytes() != data:
            raise OperationError(
                Code.ALREADY_KNOWN,
                f"the hub has begun with another {name}",
                "later documents are handed in with `liaison-hub submit`",
            )
        path.write_bytes(data)
    return directory


def documents(settings: HubSettings) -> tuple[bytes, bytes]:
    """The root and hub documents that were installed. OperationError NOT_FOUND."""
    found = []
    for name in (ROOT_FILE, HUB_FILE):
        path = settings.state / name
        if not path.is_file():
            raise OperationError(
                Code.NOT_FOUND,
                f"{path} is not there yet",
                "have the secretariat sign the hub's request, then `liaison-hub install ROOT HUB_DOCUMENT`",
            )
        found.append(path.read_bytes()[: DOCUMENT_MAX + 1])
    return found[0], found[1]
