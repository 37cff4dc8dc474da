"""Keys on disk through a rotation: staged, then current, then kept for an overlap, then destroyed.

| directory under the keys | what |
|---|---|
| `next/` | the keys of a rotation under way: complete or not there |
| `next-identity.key` | an identity key that is to take the place of the agency's |
| `past/` | replaced encryption keys, a file each, named by its kid: they open wraps that were on the way |

Which keys are current is not decided here but by the directory: a process that was killed at any point finds
either a staged set that the directory has (then `promote` goes on where it stopped) or one that it has not.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas.signing import key_id
from subscribers.keys import KemKey, Keyring, Random, SigningKey, read_seed, seed_line
from subscribers.private_files import (
    destroy,
    make_private_directory,
    read_private_names,
    remove_private_directory,
    replace_private,
    sweep,
    write_private,
    write_private_directory,
)

NEXT: Final = "next"
PAST: Final = "past"
_SIGNING: Final = "signing"
_ENCRYPTION: Final = "encryption"
_IDENTITY: Final = "identity"
_NEXT_IDENTITY: Final = "next-identity.key"


@dataclass
class Rack:
    """The keys that a node works with now. `ring` is current, `staged` what a rotation will make current,
    `old` the replaced encryption keys that still open wraps, `next_identity` the identity key to come.
    """

    directory: Path
    ring: Keyring
    staged: Keyring | None = None
    old: dict[str, KemKey] = field(default_factory=dict)
    next_identity: SigningKey | None = None

    @classmethod
    def load(cls, directory: Path) -> "Rack":
        """Everything in a directory of keys. OperationError as `Keyring.load` raises."""
        ring = Keyring.load(directory)
        sweep(directory)
        sweep(directory / PAST)
        staged = None
        if (directory / NEXT).is_dir():
            signing = read_seed(directory / NEXT, _SIGNING)
            staged = ring.renewed(signing, read_seed(directory / NEXT, _ENCRYPTION))
        past = directory / PAST
        names = [each for each in read_private_names(past) if each.endswith(".key")]
        old = [KemKey(read_seed(past, _ENCRYPTION, each)) for each in names]
        following = None
        if (directory / _NEXT_IDENTITY).exists():
            following = SigningKey(read_seed(directory, _IDENTITY, _NEXT_IDENTITY))
        return cls(directory, ring, staged, {each.kid.hex(): each for each in old}, following)

    @property
    def kid(self) -> str:
        """The id of the signing key in use, in hex."""
        return key_id(self.ring.signing.public).hex()

    @property
    def kems(self) -> list[KemKey]:
        """Every key that a wrap may have been made for, the current one first."""
        staged = [self.staged.encryption] if self.staged else []
        return [self.ring.encryption, *staged, *self.old.values()]

    def stage(self, random: Random, *, encryption: bool) -> Keyring:
        """New keys in `next/`, on the disk when this returns. Without `encryption` that key stays."""
        signing = random(32)
        kem = random(32) if encryption else bytes(self.ring.encryption)
        staged = self.ring.renewed(signing, kem)
        lines = {_SIGNING: seed_line(_SIGNING, signing), _ENCRYPTION: seed_line(_ENCRYPTION, kem)}
        write_private_directory(self.directory / NEXT, {f"{name}.key": line for name, line in lines.items()})
        self.staged = staged
        return staged

    def promote(self) -> None:
        """Make the staged keys current. May be killed and repeated at any point."""
        staged = self.staged
        if staged is None:
            return
        replaced = self.ring.encryption
        if replaced != staged.encryption:
            make_private_directory(self.directory / PAST)
            name = f"{replaced.kid.hex()}.key"
            replace_private(self.directory / PAST / name, seed_line(_ENCRYPTION, bytes(replaced)))
            self.old[replaced.kid.hex()] = replaced
            line = seed_line(_ENCRYPTION, bytes(staged.encryption))
            replace_private(self.directory / f"{_ENCRYPTION}.key", line)
        line = seed_line(_SIGNING, bytes(staged.signing))
        replace_private(self.directory / f"{_SIGNING}.key", line)
        self.ring = staged
        self.discard()

    def discard(self) -> None:
        """Forget the staged keys."""
        remove_private_directory(self.directory / NEXT)
        self.staged = None

    def destroy(self, kid: str) -> None:
        """Overwrite and remove a replaced encryption key."""
        destroy(self.directory / PAST / f"{kid}.key")
        self.old.pop(kid, None)

    def stage_identity(self, random: Random) -> SigningKey:
        """A new identity key beside the present one, on the disk when this returns."""
        seed = random(32)
        write_private(self.directory / _NEXT_IDENTITY, seed_line(_IDENTITY, seed))
        self.next_identity = SigningKey(seed)
        return self.next_identity

    def follow_identity(self, present: bytes | None) -> bool:
        """Go over to the next identity key where it is the `present` one; whether it was. The one before is
        overwritten. May be killed and repeated at any point.
        """
        following = self.next_identity
        if following is None or following.public != present:
            return False
        replace_private(self.directory / f"{_IDENTITY}.key", seed_line(_IDENTITY, bytes(following)))
        self.ring = self.ring.succeeded(bytes(following))
        if self.staged is not None:
            self.staged = self.staged.succeeded(bytes(following))
        destroy(self.directory / _NEXT_IDENTITY)
        self.next_identity = None
        return True
