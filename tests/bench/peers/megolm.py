"""vodozemac as a peer: Megolm, as Matrix has it. A group session's key goes to each reader over an Olm
session of its own; what is then said is encrypted and signed once for all of them.
"""

import importlib
import importlib.util
from typing import Any, NamedTuple


def missing() -> str:
    """Why it is not here; empty when it is."""
    return "" if importlib.util.find_spec("vodozemac") else "no vodozemac (uv sync --group peers)"


class Sealed(NamedTuple):
    """`keys` has a message for each reader; without them it is for those who have the session."""

    keys: list[Any]
    message: Any


class Megolm:
    """A publisher with an Olm session to every reader, set up beforehand; the last of them opens."""

    def __init__(self, readers: int) -> None:
        self._library: Any = importlib.import_module("vodozemac")
        publisher = self._library.Account()
        self._sessions = []
        for _ in range(readers):
            session, inbound = self._met(publisher)
            self._sessions.append(session)
            self._inbound = inbound
        self._group = self._library.GroupSession()

    def first(self, payload: bytes) -> Sealed:
        """A new group session, its key to every reader, and the message."""
        self._group = self._library.GroupSession()
        key = self._group.session_key.to_base64().encode()
        return Sealed([session.encrypt(key) for session in self._sessions], self._group.encrypt(payload))

    def further(self, payload: bytes) -> Sealed:
        """The next message of the session."""
        return Sealed([], self._group.encrypt(payload))

    def open(self, sealed: Sealed) -> bytes:
        """The session's key, then the message."""
        key = self._inbound.decrypt(sealed.keys[-1]).decode()
        session = self._library.InboundGroupSession(self._library.SessionKey(key))
        return bytes(session.decrypt(sealed.message).plaintext)

    def size(self, sealed: Sealed) -> int:
        """Ciphertexts as they are; Matrix puts base64 and JSON around them."""
        return sum(len(each.to_parts()[1]) for each in sealed.keys) + len(sealed.message.to_bytes())

    def _met(self, publisher: Any) -> tuple[Any, Any]:  # the library is loaded when it is there
        """Both ends of a session on which both have spoken."""
        reader = self._library.Account()
        reader.generate_one_time_keys(1)
        (once,) = reader.one_time_keys.values()
        session = publisher.create_outbound_session(reader.curve25519_key, once)
        hello = session.encrypt(b"hello").to_pre_key()
        inbound, _ = reader.create_inbound_session(publisher.curve25519_key, hello)
        session.decrypt(inbound.encrypt(b"hello"))
        return session, inbound
