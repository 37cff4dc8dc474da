"""Membership: each community's log of who belongs to it."""

from .directory import Directory
from .documents import Document, read_entry
from .proofs import Tree
from .refusals import demand
from .signatures import MEMBERSHIP, Envelope, sha256

_NO_PAST = bytes(32)


class Membership:
    """The membership log of one community."""

    def __init__(self) -> None:
        self.tree = Tree()
        self._entries: list[Document] = []
        self._last = _NO_PAST

    def role(self, agency: str, time: int, size: int | None = None) -> str | None:
        """An agency's role at a time, by all or by the first entries."""
        role = None
        for entry in self._entries[:size]:
            if entry["id"] == agency and entry["nbf"] <= time:
                role = entry["role"] if entry["op"] == "add" else None
        return role

    def mentions(self, agency: str) -> bool:
        """Whether any entry is about an agency."""
        return any(entry["id"] == agency for entry in self._entries)

    def members(self, time: int) -> dict[str, str]:
        """All agencies that have a role at a time."""
        roles = {entry["id"]: self.role(entry["id"], time) for entry in self._entries}
        return {agency: role for agency, role in roles.items() if role}

    def append(
        self, entry: Document, data: bytes, envelope: Envelope, directory: Directory, strangers: bool
    ) -> None:
        """Judge the next entry, and append it if it is one; `strangers` are agencies not in the directory."""
        demand(entry["index"] == self.tree.size, "not_next")
        demand(bytes.fromhex(entry["prev"]) == self._last, "not_next")
        demand(strangers or entry["id"] in directory.agencies, "unknown_agency")
        directory.demand_owners_at(entry["index"], directory.communities[entry["com"]], envelope)
        self.tree.append(data)
        self._entries.append(entry)
        self._last = sha256(data)


class Memberships:
    """The membership logs of all communities of a directory, of which only a part may be known."""

    def __init__(self, directory: Directory, strangers: bool = False) -> None:
        self._directory = directory
        self._strangers = strangers
        self._logs: dict[str, Membership] = {}
        self._seen: set[bytes] = set()

    def of(self, community: str) -> Membership:
        """The log of a community, empty at first."""
        return self._logs.setdefault(community, Membership())

    def append(self, data: bytes) -> Document:
        """Judge the next entry of whatever community it names."""
        digest = sha256(data)
        demand(digest not in self._seen, "already_known")
        envelope = Envelope.read(data, MEMBERSHIP)
        entry = read_entry(envelope)
        demand(entry["com"] in self._directory.communities, "unknown_community")
        self.of(entry["com"]).append(entry, data, envelope, self._directory, self._strangers)
        self._seen.add(digest)
        return entry
