"""The part of the Python API for who keeps the node running: keys, alarms, refusals, parcels, clients."""

from collections.abc import Collection
from typing import Final

from pydantic import TypeAdapter

from schemas.vocabulary import Tlp
from subscribers.api import (
    AlarmEntry,
    ClientAdded,
    Exported,
    Finding,
    Imported,
    QuarantineEntry,
)
from subscribers.client_asking import Asking
from subscribers.keyring.identity_api import IdentityDocument, IdentityRequest, IdentityState
from subscribers.keyring.key_life import KeyInfo
from subscribers.service.roles import ClientIdentity, Role, Verb

_ALARMS: Final = TypeAdapter(list[AlarmEntry])
_ALARM: Final = TypeAdapter(AlarmEntry)
_QUARANTINE: Final = TypeAdapter(list[QuarantineEntry])
_FINDINGS: Final = TypeAdapter(list[Finding])
_CLIENTS: Final = TypeAdapter(list[ClientIdentity])
_EXPORTED: Final = TypeAdapter(Exported)
_IMPORTED: Final = TypeAdapter(Imported)
_CLIENT_ADDED: Final = TypeAdapter(ClientAdded)
_KEYS: Final = TypeAdapter(list[KeyInfo])
_IDENTITIES: Final = TypeAdapter(list[IdentityState])
_IDENTITY_REQUEST: Final = TypeAdapter(IdentityRequest)
_IDENTITY_DOCUMENT: Final = TypeAdapter(IdentityDocument)
_NOTHING: Final[TypeAdapter[None]] = TypeAdapter(None)


class Operating(Asking):
    """Looking after a node."""

    async def keys(self) -> list[KeyInfo]:
        """The agency's keys, by their ids and ages."""
        return await self._ask(Verb.KEYS, _KEYS, {})

    async def key_rotate(self, *, encryption: bool = True) -> list[KeyInfo]:
        """Make new keys for the node and go over to them."""
        return await self._ask(Verb.KEY_ROTATE, _KEYS, {"encryption": encryption})

    async def key_revoke(
        self, kid: str, reason: str = "", *, rotate: bool = False, stop: bool = False
    ) -> list[KeyInfo]:
        """Have a signing key of the agency refused everywhere."""
        fields = {"kid": kid, "reason": reason, "rotate": rotate, "stop": stop}
        return await self._ask(Verb.KEY_REVOKE, _KEYS, fields)

    async def identity(self) -> list[IdentityState]:
        """The agency's identity key, and every agency's that is about to change."""
        return await self._ask(Verb.IDENTITY, _IDENTITIES, {})

    async def identity_new(self) -> IdentityRequest:
        """A new identity key, made ready on the node's machine, with the request for the secretariat."""
        return await self._ask(Verb.IDENTITY_NEW, _IDENTITY_REQUEST, {})

    async def identity_object(self) -> IdentityDocument:
        """Object to the replacement of the agency's identity key that waits. LiaisonError `not_found`."""
        return await self._ask(Verb.IDENTITY_OBJECT, _IDENTITY_DOCUMENT, {})

    async def identity_take_up(self) -> IdentityDocument:
        """Take up the new identity key now. LiaisonError `not_found`, `too_early`."""
        return await self._ask(Verb.IDENTITY_TAKE_UP, _IDENTITY_DOCUMENT, {})

    async def quarantine(self, limit: int = 50) -> list[QuarantineEntry]:
        """The latest frames that the node refused."""
        return await self._ask(Verb.QUARANTINE, _QUARANTINE, {"limit": limit})

    async def alarms(self, limit: int = 50, *, past: bool = False, after: int = 0) -> list[AlarmEntry]:
        """What the node holds against somebody, newest first: what stands, or what is past, too."""
        return await self._ask(Verb.ALARMS, _ALARMS, {"limit": limit, "past": past, "after": after})

    async def alarm_ack(self, number: int) -> AlarmEntry:
        """Say that somebody has seen to an alarm. Raises LiaisonError `not_found`."""
        return await self._ask(Verb.ALARM_ACK, _ALARM, {"number": number})

    async def doctor(self) -> list[Finding]:
        """What is wrong with the node and how to mend it."""
        return await self._ask(Verb.DOCTOR, _FINDINGS, {})

    async def parcel_export(self, path: str, documents: Collection[str] = ()) -> Exported:
        """What waits for the hub, into a parcel at this absolute path on the node's machine."""
        return await self._ask(Verb.PARCEL_EXPORT, _EXPORTED, {"path": path, "documents": list(documents)})

    async def parcel_import(self, path: str, *, skip: bool = False) -> Imported:
        """Have the node take in a parcel of the courier, by its absolute path on the node's machine."""
        return await self._ask(Verb.PARCEL_IMPORT, _IMPORTED, {"path": path, "skip": skip})

    async def clients(self) -> list[ClientIdentity]:
        """The node's clients."""
        return await self._ask(Verb.CLIENTS, _CLIENTS, {})

    async def client_add(self, name: str, role: Role = Role.READER, ceiling: Tlp = Tlp.AMBER) -> ClientAdded:
        """Register a client; its seed is in the named file on the node's machine."""
        fields = {"name": name, "role": str(role), "ceiling": str(ceiling)}
        return await self._ask(Verb.CLIENT_ADD, _CLIENT_ADDED, fields)

    async def client_remove(self, name: str) -> None:
        """Cut a client off, at once."""
        await self._ask(Verb.CLIENT_REMOVE, _NOTHING, {"name": name})
