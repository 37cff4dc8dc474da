"""Directory: the log of documents, and what is in force by it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .documents import Document, encryption_key, read_document, role_keys, witness_keys
from .identities import Identity, demand_role
from .limits import COOL_DOWN
from .proofs import Tree
from .refusals import demand
from .signatures import DIRECTORY, Envelope, key_id, public_key, sha256


@dataclass(frozen=True)
class Binding:
    """A signing key that a `keys` document binds to an endpoint.

    `place` is the document's, `identity` that of the last `identity` document of the agency before it, or -1.
    """

    key: bytes
    version: int
    place: int
    identity: int


@dataclass
class Endpoint:
    """An endpoint with all signing keys that it ever had, by their names."""

    agency: str
    version: int = 0
    kid: bytes = b""
    bindings: dict[bytes, Binding] = field(default_factory=dict)


@dataclass(frozen=True)
class Authority:
    """By whom and how a checkpoint must be signed."""

    log_key: bytes | None
    witnesses: dict[str, bytes]
    quorum: int
    freshness: int


class Directory:
    """A directory that begins with the root of a fingerprint."""

    def __init__(self, fingerprint: bytes) -> None:
        self.fingerprint = fingerprint
        self.tree = Tree()
        self.agencies: dict[str, Document] = {}
        self.identities: dict[str, Identity] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.communities: dict[str, Document] = {}
        self.revoked: set[bytes] = set()
        self._seen: set[bytes] = set()
        self._roots: list[tuple[int, Document]] = []
        self._hubs: list[tuple[int, Document]] = []
        self._named: set[bytes] = set()
        self._signing_agency: dict[bytes, str] = {}
        self._encryption_endpoint: dict[bytes, str] = {}
        self._rules: dict[str, Callable[[Document, Envelope], None]] = {
            "root": self._root,
            "hub": self._hub,
            "agency": self._agency,
            "keys": self._keys,
            "revoke": self._revoke,
            "community": self._community,
            "replace": self._replace,
            "object": self._object,
            "identity": self._identity,
        }

    @property
    def cool_down(self) -> int:
        """How long a replacement waits by the root in force, without a dispute."""
        return _cool_down(self._roots[-1][1])

    @property
    def quorum(self) -> int:
        """How many witnesses the root in force asks for."""
        quorum: int = self._roots[-1][1]["quorum"]
        return quorum

    @property
    def head(self) -> tuple[int, bytes]:
        """Size and root of the log."""
        return self.tree.size, self.tree.root

    def append(self, data: bytes) -> Document:
        """Judge the next document, and append it if it is one."""
        digest = sha256(data)
        demand(digest not in self._seen, "already_known")
        envelope = Envelope.read(data, DIRECTORY)
        document = read_document(envelope)
        if not self._roots:
            first = document["type"] == "root" and document["version"] == 1
            demand(first and digest == self.fingerprint, "root_mismatch")
        self._rules[document["type"]](document, envelope)
        self.tree.append(data)
        self._seen.add(digest)
        return document

    def authority(self, size: int) -> Authority:
        """Who must sign a checkpoint of so many documents."""
        root = [document for place, document in self._roots if place < size or place == 0][-1]
        hubs = [document for place, document in self._hubs if place < size]
        return Authority(
            public_key(hubs[-1]["key"]) if hubs else None,
            {witness["name"]: public_key(witness["key"]) for witness in root["witnesses"]},
            root["quorum"],
            root["freshness"],
        )

    def identity(self, agency: str) -> Identity:
        """The identity of an agency."""
        demand(agency in self.identities, "unknown_agency")
        return self.identities[agency]

    def binds(self, kid: bytes) -> bool:
        """Whether any endpoint has or had a signing key of this name."""
        return kid in self._signing_agency

    def demand_owners_at(self, index: int, community: Document, envelope: Envelope) -> None:
        """Refuse an entry of a community's log that a threshold of its owners has not signed."""
        keys = [self.identity(owner).key_at(community["id"], index) for owner in community["owners"]]
        envelope.demand_signers(keys, community["threshold"])

    def _root(self, document: Document, envelope: Envelope) -> None:
        demand(document["version"] == len(self._roots) + 1, "not_next")
        if self._roots:
            demand_role(self._roots[-1][1]["root"], envelope)
        self._demand_sound(document["root"])
        demand_role(document["root"], envelope)
        self._demand_sound(document["registrar"])
        names = {witness["name"] for witness in document["witnesses"]}
        keys = set(witness_keys(document))
        demand(len(names) == len(keys) == len(document["witnesses"]), "bad_document")
        demand(document["quorum"] <= len(keys), "bad_document")
        others = {*role_keys(document["root"]), *role_keys(document["registrar"])}
        if self._hubs:
            others.add(public_key(self._hubs[-1][1]["key"]))
        demand(not keys & others, "bad_key")
        if self._roots:
            demand(_cool_down(document) >= self.cool_down, "bad_document")
        self._roots.append((self.tree.size, document))

    @staticmethod
    def _demand_sound(role: Document) -> None:
        distinct = len(set(role["keys"]))
        demand(distinct == len(role["keys"]) and distinct >= role["threshold"], "below_threshold")

    def _demand_registrar(self, envelope: Envelope) -> None:
        demand_role(self._roots[-1][1]["registrar"], envelope)

    def _hub(self, document: Document, envelope: Envelope) -> None:
        self._demand_registrar(envelope)
        demand(document["version"] == len(self._hubs) + 1, "not_next")
        demand(public_key(document["key"]) not in witness_keys(self._roots[-1][1]), "bad_key")
        self._hubs.append((self.tree.size, document))

    def _agency(self, document: Document, envelope: Envelope) -> None:
        self._demand_registrar(envelope)
        before = self.agencies.get(document["id"])
        demand(document["version"] == (before["version"] if before else 0) + 1, "not_next")
        others = [agency for id, agency in self.agencies.items() if id != document["id"]]
        demand(all(document["code"] != other["code"] for other in others), "bad_document")
        key = public_key(document["identity"])
        if before:
            demand(document["code"] == before["code"], "bad_document")
            demand(key == self.identities[document["id"]].key, "bad_key")
        else:
            self._name(key)
            self.identities[document["id"]] = Identity([(key, {})])
        self.agencies[document["id"]] = document

    def _keys(self, document: Document, envelope: Envelope) -> None:
        agency = document["agency"]
        identity = self.identity(agency)
        envelope.demand_signer(identity.key)
        endpoint = self.endpoints.get(document["endpoint"], Endpoint(agency))
        demand(endpoint.agency == agency, "bad_document")
        demand(document["version"] == endpoint.version + 1, "not_next")
        signing, kem = public_key(document["signing"]), encryption_key(document)
        demand(not self.binds(key_id(signing)), "bad_key")
        owner = self._encryption_endpoint.setdefault(key_id(kem), document["endpoint"])
        demand(owner == document["endpoint"], "bad_key")
        endpoint.version, endpoint.kid = document["version"], key_id(signing)
        binding = Binding(signing, document["version"], self.tree.size, identity.place)
        endpoint.bindings[key_id(signing)] = binding
        self._signing_agency[key_id(signing)] = agency
        self.endpoints[document["endpoint"]] = endpoint

    def _revoke(self, document: Document, envelope: Envelope) -> None:
        envelope.demand_signer(self.identity(document["agency"]).key)
        kid = bytes.fromhex(document["kid"])
        demand(self._signing_agency.get(kid) == document["agency"], "unknown_key")
        demand(kid not in self.revoked, "already_known")
        self.revoked.add(kid)

    def _community(self, document: Document, envelope: Envelope) -> None:
        demand(document["id"] not in self.communities, "bad_document")
        owners = document["owners"]
        demand(len(set(owners)) == len(owners) >= document["threshold"], "bad_document")
        keys = [self.identity(owner).key for owner in owners]
        envelope.demand_signers(keys, document["threshold"])
        self.communities[document["id"]] = document

    def _replace(self, document: Document, envelope: Envelope) -> None:
        self._demand_registrar(envelope)
        identity = self.identity(document["agency"])
        identity.demand_replaceable(document, envelope, self._roots[-1][1]["root"], self.cool_down)
        key = public_key(document["identity"])
        self._name(key)
        identity.wait_for(key, document["nbf"])

    def _object(self, document: Document, envelope: Envelope) -> None:
        self.identity(document["agency"]).end(document, envelope, self._roots[-1][1]["registrar"])

    def _identity(self, document: Document, envelope: Envelope) -> None:
        self.identity(document["agency"]).take_up(document, envelope, self.tree.size)

    def _name(self, key: bytes) -> None:
        demand(key not in self._named, "bad_key")
        self._named.add(key)


def _cool_down(root: Document) -> int:
    cool_down: int = root.get("cooldown", COOL_DOWN)
    return cool_down
