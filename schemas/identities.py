"""Agencies' identity keys through time: which counts now, which is to replace it, who objects. FORMAT.md,
"Directory".

Pure and immutable. What a document says of time is held against other signed times alone, so that every
reader of the log comes to the same end; the hub, the witnesses and the nodes hold it against their clocks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from schemas.documents import Agency, Identity, Keys, Object, Replace, Root, parse_document
from schemas.encoding import from_base64
from schemas.errors import Code, TrustError
from schemas.limits import DISPUTE_FACTOR
from schemas.roles import require, signed_by_role
from schemas.signing import KEY_SIZE, Envelope

T = TypeVar("T")


class Held(NamedTuple):
    """An identity key of an agency. `since` says from which entry on it counts in a membership log, by
    community; in those that are not named from the first.
    """

    key: str
    since: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Identities:
    """By agency: its keys, oldest first and the present one last; the replacement that waits.

    `disputed` are agencies whose present key has objected. `used` is every key that was ever proposed.
    """

    held: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)
    pending: Mapping[str, Replace] = field(default_factory=dict)
    disputed: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()

    def present(self, agency: str) -> bytes:
        """The key that counts now. TrustError `unknown_agency`."""
        return from_base64(self._of(agency)[-1].key, KEY_SIZE)

    def in_log(self, agency: str, community: str, index: int) -> bytes:
        """The key that counts for the entry `index` of a membership log. TrustError `unknown_agency`."""
        counting = [each.key for each in self._of(agency) if each.since.get(community, 0) <= index]
        return from_base64(counting[-1], KEY_SIZE)

    def all_of(self, agency: str) -> list[bytes]:
        """Every key that it had, oldest first. TrustError `unknown_agency`."""
        return [from_base64(each.key, KEY_SIZE) for each in self._of(agency)]

    def is_named(self, agency: str, key: str) -> bool:
        """Whether this is the key of an agency now, or is to be."""
        waiting = self.pending.get(agency)
        held = self.held.get(agency)
        return bool(held and held[-1].key == key) or bool(waiting and waiting.identity == key)

    def cool_down(self, agency: str, root: Root) -> int:
        """How long (ms) a replacement of the agency's key must wait."""
        return root.cooldown * (DISPUTE_FACTOR if agency in self.disputed else 1)

    def agreed(self, document: Identity, envelope: Envelope) -> bool:
        """Whether the agency's present key has signed as well: then there is nobody whom a time would
        protect. TrustError `unknown_agency`.
        """
        return bool(envelope.signed_by([self.present(document.agency)]))

    def check_agency(self, document: Agency) -> None:
        """That an agency document names the agency's own key, or a new agency a new one. TrustError
        `bad_key`.
        """
        if document.id not in self.held:
            self._check_new(document.identity)
        elif self.held[document.id][-1].key != document.identity:
            raise TrustError(
                Code.BAD_KEY,
                "an agency document never changes the identity key",
                "make a replacement: `liaison-root replace-identity`",
            )

    def check_replace(self, document: Replace, envelope: Envelope, root: Root) -> None:
        """That a replacement may begin. TrustError `below_threshold`, `unknown_agency`, `not_next`,
        `too_early`, `bad_key`.
        """
        require(envelope, root.registrar)
        self._of(document.agency)
        if document.agency in self.disputed:
            # The agency said no. Against it the secretariat needs its higher bar, and more time.
            require(envelope, root.root)
        if document.agency in self.pending:
            raise TrustError(
                Code.NOT_NEXT,
                "a replacement of this agency's identity is waiting already",
                "let it come to its end, or take it back",
            )
        cool_down = self.cool_down(document.agency, root)
        if document.nbf < document.issued + cool_down:
            raise TrustError(
                Code.TOO_EARLY,
                f"the replacement leaves less than {cool_down} ms to object",
                "give it a later time",
            )
        self._check_new(document.identity)

    def check_object(self, document: Object, envelope: Envelope, root: Root) -> None:
        """That an objection ends the replacement that waits. TrustError `unknown_agency`, `unknown_key`,
        `below_threshold`, `bad_signature`.
        """
        self._check_pending(document.agency, document.identity)
        if signed_by_role(envelope, root.registrar):
            return
        if document.agency in self.disputed:
            raise TrustError(
                Code.BELOW_THRESHOLD,
                "the agency has objected before: only the registrars can take this replacement back",
                "call the secretariat",
            )
        if not envelope.signed_by([self.present(document.agency)]):
            raise TrustError(
                Code.BAD_SIGNATURE,
                "signed neither by the agency's present identity key nor by the registrars",
                "sign with the key in the directory",
            )

    def check_identity(self, document: Identity, envelope: Envelope) -> None:
        """That a replacement takes effect. TrustError `unknown_agency`, `unknown_key`, `bad_signature`,
        `bad_document`, `too_early`.
        """
        self._check_pending(document.agency, document.identity)
        if not envelope.signed_by([from_base64(document.identity, KEY_SIZE)]):
            raise TrustError(
                Code.BAD_SIGNATURE, "not signed by the new identity key", "sign with the key that it names"
            )
        named = [each.com for each in document.logs]
        if named != sorted(set(named)):
            raise TrustError(
                Code.BAD_DOCUMENT, "communities are named twice or out of order", "name each once, in order"
            )
        early = document.issued < self.pending[document.agency].nbf
        if early and not self.agreed(document, envelope):
            raise TrustError(
                Code.TOO_EARLY,
                "the present identity key still has time to object",
                "wait until then, or sign with that key as well",
            )

    def enrolled(self, document: Agency) -> "Identities":
        """With an agency document that was checked."""
        if document.id in self.held:
            return self
        held = _with(self.held, document.id, (Held(document.identity, {}),))
        return replace(self, held=held, used=self.used | {document.identity})

    def proposed(self, document: Replace) -> "Identities":
        """With a replacement that was checked."""
        pending = _with(self.pending, document.agency, document)
        return replace(self, pending=pending, used=self.used | {document.identity})

    def objected(self, document: Object, envelope: Envelope, root: Root) -> "Identities":
        """With an objection that was checked. By the registrars it is no dispute."""
        ended = replace(self, pending=_without(self.pending, document.agency))
        if signed_by_role(envelope, root.registrar):
            return ended
        return replace(ended, disputed=self.disputed | {document.agency})

    def replaced(self, document: Identity) -> "Identities":
        """With a replacement that was checked and takes effect."""
        new = Held(document.identity, {each.com: each.size for each in document.logs})
        return replace(
            self,
            held=_with(self.held, document.agency, (*self.held[document.agency], new)),
            pending=_without(self.pending, document.agency),
            disputed=self.disputed - {document.agency},
        )

    def _of(self, agency: str) -> tuple[Held, ...]:
        if agency not in self.held:
            raise TrustError(
                Code.UNKNOWN_AGENCY, f"no agency is called {agency}", "check the id in the directory"
            )
        return self.held[agency]

    def _check_new(self, key: str) -> None:
        if key in self.used:
            raise TrustError(
                Code.BAD_KEY,
                "the identity key is or was an agency's, or was refused once",
                "make a new key pair",
            )

    def _check_pending(self, agency: str, key: str) -> None:
        self._of(agency)
        if agency not in self.pending or self.pending[agency].identity != key:
            raise TrustError(
                Code.UNKNOWN_KEY, "no replacement by this identity key is waiting", "fetch the directory"
            )


def binder(documents: Iterable[bytes], keys: Keys, held: Sequence[bytes]) -> bytes:
    """Which of an agency's identity keys has signed its `keys` document, which is one of the documents."""
    parsed = map(parse_document, documents)
    signed = next(each.envelope.signed_by(held) for each in parsed if each.document == keys)
    return next(key for key in held if key in signed)


def _with(mapping: Mapping[str, T], key: str, value: T) -> Mapping[str, T]:
    return {**mapping, key: value}


def _without(mapping: Mapping[str, T], key: str) -> Mapping[str, T]:
    return {name: value for name, value in mapping.items() if name != key}
