"""The directory: who is who, verified from a pinned root, one document at a time. FORMAT.md, "Directory".

Pure and immutable: `Directory.apply` takes the next document's bytes and gives the directory that follows, or
refuses. The hub's registrar, every node and every test run this same code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Self, TypeVar

from schemas.documents import (
    Agency,
    Community,
    Hub,
    Identity,
    Keys,
    LogSize,
    Object,
    Replace,
    Revoke,
    Root,
    SignedDocument,
    parse_document,
    parse_membership,
)
from schemas.encoding import from_base64
from schemas.errors import Code, TrustError
from schemas.identities import Identities
from schemas.limits import DOCUMENT_MAX
from schemas.membership import MembershipLog
from schemas.merkle import Head, Tree
from schemas.roles import check_apart, check_role, check_witnesses, require
from schemas.signing import KEY_SIZE, Envelope, key_id

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything the documents so far establish. Maps are by agency id, endpoint (PK), signing key id or
    community id.
    """

    root: Root
    tree: Tree
    roots: tuple[bytes, ...]
    seen: frozenset[bytes]
    hub: Hub | None = None
    agencies: Mapping[str, Agency] = field(default_factory=dict)
    """Each with the identity key that counts now."""
    identities: Identities = field(default_factory=Identities)
    endpoints: Mapping[str, Keys] = field(default_factory=dict)
    signers: Mapping[str, Keys] = field(default_factory=dict)
    kems: Mapping[str, str] = field(default_factory=dict)
    """Every encryption key there ever was, to its endpoint: by it the hub finds the reader of a wrap."""
    revoked: frozenset[str] = frozenset()
    communities: Mapping[str, MembershipLog] = field(default_factory=dict)

    @classmethod
    def pinned(cls, first: bytes, fingerprint: bytes | None = None) -> Self:
        """The directory that starts from root version 1. `fingerprint` is the SHA-256 of its bytes, learned
        by other means.

        Raises FormatError, or TrustError `root_mismatch` or `below_threshold`.
        """
        signed = parse_document(first)
        if not isinstance(signed.document, Root) or signed.document.version != 1:
            raise TrustError(
                Code.ROOT_MISMATCH,
                "the directory does not start with root version 1",
                "fetch it from its beginning",
            )
        if fingerprint is not None and sha256(first).digest() != fingerprint:
            raise TrustError(
                Code.ROOT_MISMATCH,
                "this is not the root whose fingerprint you were told",
                "do not go on; call the secretariat",
            )
        require(signed.envelope, signed.document.root)
        check_role(signed.document.registrar)
        check_witnesses(signed.document)
        tree = Tree().append(first)
        return cls(
            root=signed.document,
            tree=tree,
            roots=(Tree().head.root, tree.head.root),
            seen=frozenset({sha256(first).digest()}),
        )

    @property
    def head(self) -> Head:
        """Size and root of the log."""
        return self.tree.head

    def check(self, data: bytes) -> SignedDocument:
        """The document, when it may stand next. Raises FormatError or TrustError; `already_known` for one
        that is in the log.
        """
        if len(data) > DOCUMENT_MAX:
            raise TrustError(Code.TOO_LARGE, "the document is too large")
        if sha256(data).digest() in self.seen:
            raise TrustError(Code.ALREADY_KNOWN, "the document is already in the directory")
        signed = parse_document(data)
        document, envelope = signed
        match document:
            case Root():
                self._check_root(document, envelope)
            case Hub():
                require(envelope, self.root.registrar)
                _next_version(document.version, self.hub.version if self.hub else 0)
                check_apart(self.root, {document.key})
            case Agency():
                self._check_agency(document, envelope)
            case Replace():
                self.identities.check_replace(document, envelope, self.root)
            case Object():
                self.identities.check_object(document, envelope, self.root)
            case Identity():
                self.identities.check_identity(document, envelope)
            case Keys():
                self._check_keys(document, envelope)
            case Revoke():
                self._check_revoke(document, envelope)
            case _:
                self._check_community(document, envelope)
        return signed

    def apply(self, data: bytes) -> "Directory":
        """The directory with the next document, after `check`."""
        signed = self.check(data)
        tree = self.tree.append(data)
        grown = self._established(signed)
        return replace(
            grown, tree=tree, roots=(*self.roots, tree.head.root), seen=self.seen | {sha256(data).digest()}
        )

    def _established(self, signed: SignedDocument) -> "Directory":
        """What a document that was checked says, without its place in the log."""
        document = signed.document
        match document:
            case Root():
                return replace(self, root=document)
            case Hub():
                return replace(self, hub=document)
            case Agency():
                agencies = _with(self.agencies, document.id, document)
                return replace(self, agencies=agencies, identities=self.identities.enrolled(document))
            case Replace():
                return replace(self, identities=self.identities.proposed(document))
            case Object():
                identities = self.identities.objected(document, signed.envelope, self.root)
                return replace(self, identities=identities)
            case Identity():
                known = self.agencies[document.agency].model_copy(update={"identity": document.identity})
                agencies = _with(self.agencies, document.agency, known)
                return replace(self, agencies=agencies, identities=self.identities.replaced(document))
            case Keys():
                return replace(
                    self,
                    endpoints=_with(self.endpoints, document.endpoint, document),
                    signers=_with(self.signers, self.kid_of(document), document),
                    kems=_with(self.kems, document.kem, document.endpoint),
                )
            case Revoke():
                return replace(self, revoked=self.revoked | {document.kid})
            case _:
                log = MembershipLog(document)
                return replace(self, communities=_with(self.communities, document.id, log))

    def apply_membership(self, data: bytes) -> "Directory":
        """The directory with the next entry of a community's membership log. The entry does not enter the
        documents' tree.
        """
        signed = parse_membership(data)
        log = self.communities.get(signed.entry.com)
        if log is None:
            raise TrustError(Code.UNKNOWN_COMMUNITY, "no such community", "check the id")
        owners = self.owners_at(log, signed.entry.index)
        grown = log.append(signed, log.check(signed, owners, self.agencies))
        return replace(self, communities=_with(self.communities, signed.entry.com, grown))

    def identity(self, agency: str) -> bytes:
        """An agency's present identity key, 32 bytes; TrustError `unknown_agency`."""
        return self.identities.present(agency)

    def owners_at(self, log: MembershipLog, index: int) -> dict[str, bytes]:
        """Each owner's identity key that counts for the entry `index` of its log. TrustError
        `unknown_agency`.
        """
        owners = log.community.owners
        return {each: self.identities.in_log(each, log.community.id, index) for each in owners}

    def owned_logs(self, agency: str) -> list[LogSize]:
        """How long the membership logs of the communities that an agency owns are, as its `identity` document
        says it.
        """
        return [
            LogSize(com=com, size=log.head.size)
            for com, log in sorted(self.communities.items())
            if agency in log.community.owners
        ]

    def endpoints_of(self, agency: str) -> list[Keys]:
        """The current keys of each endpoint of an agency, revoked ones left out."""
        return [
            keys
            for keys in self.endpoints.values()
            if keys.agency == agency and self.kid_of(keys) not in self.revoked
        ]

    def has_key(self, endpoint: str, signing: bytes) -> bool:
        """Whether this is the endpoint's current signing key."""
        keys = self.endpoints.get(endpoint)
        return keys is not None and from_base64(keys.signing, KEY_SIZE) == signing

    @staticmethod
    def kid_of(keys: Keys) -> str:
        """The id of an endpoint's signing key, in hex."""
        return key_id(from_base64(keys.signing, KEY_SIZE)).hex()

    def communities_of(self, agency: str, now: int) -> dict[str, str]:
        """Community id to the agency's role in it at `now`."""
        found = {com: log.members(now).get(agency) for com, log in self.communities.items()}
        return {com: role for com, role in found.items() if role is not None}

    def _check_root(self, document: Root, envelope: Envelope) -> None:
        _next_version(document.version, self.root.version)
        require(envelope, self.root.root)
        require(envelope, document.root)
        check_role(document.registrar)
        check_witnesses(document)
        check_apart(document, {self.hub.key} if self.hub else set())
        # Whoever could shorten it would replace an identity before anybody had read of it.
        if document.cooldown < self.root.cooldown:
            raise TrustError(
                Code.BAD_DOCUMENT, "the cool-down of identities never gets shorter", "leave it as it is"
            )

    def _check_agency(self, document: Agency, envelope: Envelope) -> None:
        require(envelope, self.root.registrar)
        known = self.agencies.get(document.id)
        _next_version(document.version, known.version if known else 0)
        if any(each.code == document.code and each.id != document.id for each in self.agencies.values()):
            raise TrustError(
                Code.BAD_DOCUMENT,
                f"the code {document.code} belongs to another agency",
                "choose another code",
            )
        if known and known.code != document.code:
            raise TrustError(
                Code.BAD_DOCUMENT, "references begin with the code: it stays as it is", "keep the code"
            )
        self.identities.check_agency(document)

    def _check_keys(self, document: Keys, envelope: Envelope) -> None:
        self._require_identity(document.agency, envelope)
        known = self.endpoints.get(document.endpoint)
        if known and known.agency != document.agency:
            raise TrustError(
                Code.BAD_DOCUMENT,
                "the endpoint belongs to another agency",
                "ask the hub for an account of your own",
            )
        _next_version(document.version, known.version if known else 0)
        kid = self.kid_of(document)
        if kid in self.signers or kid in self.revoked:
            raise TrustError(Code.BAD_KEY, "the signing key has been used before", "make a new key pair")
        # Whoever could enter another's encryption key as its own would be sent the wraps made for that key.
        if self.kems.get(document.kem, document.endpoint) != document.endpoint:
            raise TrustError(
                Code.BAD_KEY, "the encryption key belongs to another endpoint", "make a new key pair"
            )

    def _check_revoke(self, document: Revoke, envelope: Envelope) -> None:
        self._require_identity(document.agency, envelope)
        keys = self.signers.get(document.kid)
        if keys is None or keys.agency != document.agency:
            raise TrustError(Code.UNKNOWN_KEY, "the agency has no such key", "check the key id")
        # The same statement in another envelope must not make the log longer.
        if document.kid in self.revoked:
            raise TrustError(Code.ALREADY_KNOWN, "the key is revoked already")

    def _check_community(self, document: Community, envelope: Envelope) -> None:
        if document.id in self.communities:
            raise TrustError(Code.BAD_DOCUMENT, "the community exists", "choose another random id")
        if len(set(document.owners)) != len(document.owners) or document.threshold > len(document.owners):
            raise TrustError(
                Code.BAD_DOCUMENT, "owners are named twice, or fewer than the threshold", "correct the owners"
            )
        if len(envelope.signed_by(self.identity(each) for each in document.owners)) < document.threshold:
            raise TrustError(
                Code.BELOW_THRESHOLD, "too few owners have signed", "collect the signatures of more owners"
            )

    def _require_identity(self, agency: str, envelope: Envelope) -> None:
        if not envelope.signed_by([self.identity(agency)]):
            raise TrustError(
                Code.BAD_SIGNATURE,
                "not signed by the agency's identity key",
                "sign with the key in the directory",
            )


def _next_version(version: int, known: int) -> None:
    if version != known + 1:
        raise TrustError(
            Code.NOT_NEXT, f"version {version} does not follow {known}", "fetch the directory and sign again"
        )


def _with(mapping: Mapping[str, T], key: str, value: T) -> Mapping[str, T]:
    return {**mapping, key: value}
