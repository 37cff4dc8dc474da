"""A community's membership log: who may read and write, as its owners have signed it. FORMAT.md,
"Membership".

Pure: an entry and the owners' keys go in, a longer log comes out, or a refusal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from schemas.documents import Community, Membership, SignedMembership
from schemas.errors import Code, TrustError
from schemas.merkle import EMPTY_ROOT, Head, Tree
from schemas.signing import key_id

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class MembershipLog:
    """The entries of one community so far. `roots[n]` is the Merkle root at size n, to hold against heads
    that frames cite.
    """

    community: Community
    tree: Tree = field(default_factory=Tree)
    roots: tuple[bytes, ...] = (EMPTY_ROOT,)
    last: str = GENESIS
    entries: tuple[Membership, ...] = ()
    signers: tuple[tuple[str, ...], ...] = ()
    """Of each entry: the owners who signed it, by their ids, in the order of their signatures."""
    by_agency: Mapping[str, tuple[Membership, ...]] = field(default_factory=dict)

    @property
    def head(self) -> Head:
        """Size and root of the log."""
        return self.tree.head

    def check(
        self, signed: SignedMembership, owners: Mapping[str, bytes], agencies: Iterable[str]
    ) -> tuple[str, ...]:
        """That this is the next entry, signed by enough owners: who they are, in the order of their
        signatures. `owners` maps agency id to identity key.
        """
        entry = signed.entry
        if entry.com != self.community.id:
            raise TrustError(Code.UNKNOWN_COMMUNITY, "the entry belongs to another community")
        if entry.index != self.tree.size or entry.prev != self.last:
            raise TrustError(
                Code.NOT_NEXT,
                f"entry {entry.index} is not the next one ({self.tree.size})",
                "fetch the log and sign again",
            )
        if entry.id not in agencies:
            raise TrustError(
                Code.UNKNOWN_AGENCY, f"no agency is called {entry.id}", "check the id in the directory"
            )
        keys = {owners[each]: each for each in self.community.owners if each in owners}
        held = signed.envelope.signed_by(keys)
        if len(held) < self.community.threshold:
            raise TrustError(
                Code.BELOW_THRESHOLD,
                f"{len(held)} of the {self.community.threshold} owners' signatures that it needs",
                "collect the signatures of more owners",
            )
        by_id = {key_id(key): keys[key] for key in held}
        return tuple(by_id[kid] for kid, _ in signed.envelope.signatures if kid in by_id)

    def append(self, signed: SignedMembership, signers: tuple[str, ...] = ()) -> "MembershipLog":
        """The log with a checked entry on top; `signers` are what `check` found."""
        data = signed.envelope.to_bytes()
        tree = self.tree.append(data)
        return replace(
            self,
            tree=tree,
            roots=(*self.roots, tree.head.root),
            last=sha256(data).hexdigest(),
            entries=(*self.entries, signed.entry),
            signers=(*self.signers, signers),
            by_agency={
                **self.by_agency,
                signed.entry.id: (*self.by_agency.get(signed.entry.id, ()), signed.entry),
            },
        )

    def role(self, agency: str, at: int, size: int | None = None) -> str | None:
        """One agency's role at a time (Unix milliseconds), by the first `size` entries (all of them when
        None).
        """
        for entry in reversed(self.by_agency.get(agency, ())):
            if entry.nbf <= at and (size is None or entry.index < size):
                return entry.role if entry.op == "add" else None
        return None

    def members(self, now: int) -> dict[str, str]:
        """Agency id to role, counting the entries in effect at `now` (Unix milliseconds)."""
        found: dict[str, str] = {}
        for entry in self.entries:
            if entry.nbf > now:
                continue
            if entry.op == "add":
                found[entry.id] = entry.role
            else:
                found.pop(entry.id, None)
        return found

    def next_change(self, now: int) -> int | None:
        """When an entry that is not yet in effect will be; None when there is none."""
        return min((entry.nbf for entry in self.entries if entry.nbf > now), default=None)
