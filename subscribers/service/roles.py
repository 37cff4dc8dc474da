"""Who the agency's local clients are and what each may ask: pure. Each role adds verbs to the one before."""

import re
from enum import StrEnum
from functools import cache, cached_property
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.vocabulary import Tlp

_NAME = r"^[a-z][a-z0-9-]{0,30}$"
_USER_KEY = r"^U[A-Z2-7]{55}$"

ClientName = Annotated[str, StringConstraints(pattern=_NAME)]
"""A client's name: it is a subject token and a file name, so 1 to 31 of a-z, 0-9 and hyphens, a letter first.
"""


class Role(StrEnum):
    """What a client is for, least first."""

    READER = "reader"
    PUBLISHER = "publisher"
    OWNER = "owner"
    ADMIN = "admin"


class Verb(StrEnum):
    """What the node's service answers, on `node.<verb>`."""

    WHOAMI = "whoami"
    SEARCH = "search"
    LATEST = "latest"
    SHOW = "show"
    EVIDENCE = "evidence"
    COMMUNITIES = "communities"
    STATUS = "status"
    DIRECTORY = "directory"
    FETCH = "fetch"
    FETCH_DATA = "fetch-data"
    PUBLISH = "publish"
    ATTACH = "attach"
    ATTACH_DATA = "attach-data"
    ATTACH_STATUS = "attach-status"
    ACKNOWLEDGE = "acknowledge"
    SIGHT = "sight"
    REPLIES = "replies"
    COMPLIANCE = "compliance"
    PROVENANCE = "provenance"
    COUNTS = "counts"
    LIKE = "like"
    COMMUNITY_CREATE = "community-create"
    COMMUNITY_ADD = "community-add"
    COMMUNITY_REMOVE = "community-remove"
    READERS = "readers"
    COMMUNITY_LOG = "community-log"
    COMMUNITY_FOUND = "community-found"
    COMMUNITY_PROPOSE = "community-propose"
    COMMUNITY_PROPOSAL = "community-proposal"
    COMMUNITY_SIGN = "community-sign"
    COMMUNITY_SUBMIT = "community-submit"
    NOTICES = "notices"
    RELEASES = "releases"
    RELEASE_ASK = "release-ask"
    RELEASE_ANSWER = "release-answer"
    RELEASE_CARRY = "release-carry"
    HISTORY = "history"
    HISTORY_REQUEST = "history-request"
    DIGEST = "digest"
    OUTBOX = "outbox"
    OUTBOX_DRAFT = "outbox-draft"
    OUTBOX_DROP = "outbox-drop"
    ALARMS = "alarms"
    ALARM_ACK = "alarm-ack"
    QUARANTINE = "quarantine"
    EVIDENCE_REFUSED = "evidence-refused"
    DOCTOR = "doctor"
    KEYS = "keys"
    KEY_ROTATE = "key-rotate"
    KEY_REVOKE = "key-revoke"
    IDENTITY = "identity"
    IDENTITY_NEW = "identity-new"
    IDENTITY_OBJECT = "identity-object"
    IDENTITY_TAKE_UP = "identity-take-up"
    PARCEL_EXPORT = "parcel-export"
    PARCEL_IMPORT = "parcel-import"
    CLIENTS = "clients"
    CLIENT_ADD = "client-add"
    CLIENT_REMOVE = "client-remove"


_ADDS: Final = {
    Role.READER: (
        Verb.WHOAMI,
        Verb.SEARCH,
        Verb.LATEST,
        Verb.SHOW,
        Verb.REPLIES,
        Verb.COMPLIANCE,
        Verb.PROVENANCE,
        Verb.COUNTS,
        Verb.LIKE,
        Verb.EVIDENCE,
        Verb.COMMUNITIES,
        Verb.STATUS,
        Verb.ALARMS,
        Verb.COMMUNITY_LOG,
        Verb.NOTICES,
        Verb.HISTORY,
        Verb.RELEASES,
        Verb.IDENTITY,
        Verb.DIRECTORY,
        Verb.FETCH,
        Verb.FETCH_DATA,
    ),
    Role.PUBLISHER: (
        Verb.READERS,
        Verb.PUBLISH,
        Verb.ACKNOWLEDGE,
        Verb.SIGHT,
        Verb.ATTACH,
        Verb.ATTACH_DATA,
        Verb.ATTACH_STATUS,
        Verb.OUTBOX,
        Verb.OUTBOX_DRAFT,
        Verb.OUTBOX_DROP,
        Verb.RELEASE_ASK,
        Verb.RELEASE_ANSWER,
        Verb.RELEASE_CARRY,
    ),
    Role.OWNER: (
        Verb.COMMUNITY_CREATE,
        Verb.COMMUNITY_ADD,
        Verb.COMMUNITY_REMOVE,
        Verb.COMMUNITY_FOUND,
        Verb.COMMUNITY_PROPOSE,
        Verb.COMMUNITY_PROPOSAL,
        Verb.COMMUNITY_SIGN,
        Verb.COMMUNITY_SUBMIT,
        Verb.DIGEST,
        Verb.HISTORY_REQUEST,
    ),
    Role.ADMIN: (
        Verb.ALARM_ACK,
        Verb.QUARANTINE,
        Verb.EVIDENCE_REFUSED,
        Verb.DOCTOR,
        Verb.KEYS,
        Verb.KEY_ROTATE,
        Verb.KEY_REVOKE,
        Verb.IDENTITY_NEW,
        Verb.IDENTITY_OBJECT,
        Verb.IDENTITY_TAKE_UP,
        Verb.PARCEL_EXPORT,
        Verb.PARCEL_IMPORT,
        Verb.CLIENTS,
        Verb.CLIENT_ADD,
        Verb.CLIENT_REMOVE,
    ),
}


@cache
def verbs(role: Role) -> tuple[Verb, ...]:
    """Every verb that `role` may ask."""
    order = list(Role)
    return tuple(verb for each in order[: order.index(role) + 1] for verb in _ADDS[each])


def tlps(ceiling: Tlp) -> tuple[Tlp, ...]:
    """The markings up to and including `ceiling`, widest sharing first."""
    return tuple(Tlp)[: ceiling.rank + 1]


def is_client_name(text: str) -> bool:
    """Whether `text` may name a client."""
    return re.fullmatch(_NAME.strip("^$"), text) is not None


class ClientIdentity(BaseModel):
    """Who asks: the name that the server vouches for, with the role and the TLP ceiling from the registry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClientName
    role: Role
    ceiling: Tlp


class ClientEntry(ClientIdentity):
    """A row of the registry: an identity and the public half of its user key."""

    nkey: Annotated[str, Field(pattern=_USER_KEY)]

    @cached_property
    def identity(self) -> ClientIdentity:
        """The same without the key."""
        return ClientIdentity(name=self.name, role=self.role, ceiling=self.ceiling)
