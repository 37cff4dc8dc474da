"""The agency's own NATS: embedded server, one account per local client, and the BULLETINS stream."""

from subscribers.local.nats import LocalNats, LocalSettings
from subscribers.service.roles import ClientEntry, ClientIdentity, Role, Verb

__all__ = ["ClientEntry", "ClientIdentity", "LocalNats", "LocalSettings", "Role", "Verb"]
