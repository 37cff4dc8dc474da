"""joserfc as a peer: a JWS (Ed25519) in one JWE for many recipients (ECDH-ES+A256KW over X25519, A256GCM)."""

import importlib
import importlib.util
import json
from typing import Any, Final

_SIGNING: Final = ["Ed25519"]
_SEALING: Final = ["ECDH-ES+A256KW", "A256GCM"]


def missing() -> str:
    """Why it is not here; empty when it is."""
    return "" if importlib.util.find_spec("joserfc") else "no joserfc (uv sync --group peers)"


class Jose:
    """A publisher's key and one for each reader; the last of them opens."""

    def __init__(self, readers: int) -> None:
        self._jwe: Any = importlib.import_module("joserfc.jwe")
        self._jws: Any = importlib.import_module("joserfc.jws")
        key: Any = importlib.import_module("joserfc.jwk").OKPKey
        self._signer = key.generate_key("Ed25519")
        self._readers = [key.generate_key("X25519", {"kid": f"reader{number}"}) for number in range(readers)]

    def first(self, payload: bytes) -> str:
        """The message to all readers, as JSON."""
        signed = self._jws.serialize_compact({"alg": "Ed25519"}, payload, self._signer, algorithms=_SIGNING)
        message = self._jwe.GeneralJSONEncryption({"enc": "A256GCM"}, signed.encode())
        for key in self._readers:
            message.add_recipient({"alg": "ECDH-ES+A256KW", "kid": key.kid}, key)
        return json.dumps(self._jwe.encrypt_json(message, None, algorithms=_SEALING))

    further = first

    def open(self, sealed: str) -> bytes:
        """A reader looks for its own part by its key's name: the library would try them all."""
        message, key = json.loads(sealed), self._readers[-1]
        recipients = message.pop("recipients")
        own = next(each for each in recipients if each["header"]["kid"] == key.kid)
        opened = self._jwe.decrypt_json({**message, **own}, key, algorithms=_SEALING)
        payload: bytes = self._jws.deserialize_compact(
            opened.plaintext, self._signer, algorithms=_SIGNING
        ).payload
        return payload

    def size(self, sealed: str) -> int:
        """One message goes to all."""
        return len(sealed)
