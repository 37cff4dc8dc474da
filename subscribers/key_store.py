"""Keys on disk through a rotation: staged, then current, then kept for an overlap, then destroyed.

| directory under the keys | what |
|---|---|
| `next/` | the keys of a rotation under way: complete or not there |
| `past/` | replaced encryption keys, a file each, named by its kid: they open wraps that were on the way |

Which keys are current is not decided here but by the directory: a process that was killed at any point finds
either a staged set that the directory has (then `promote` goes on where it stopped) or one that it has not.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas.signing import key_id
from subscribers.keys import KemKey, Keyring, Random, read_seed, seed_line
from subscribers.private_files import (
    destroy,
    make_private_directory,
    read_private_names,
    remove_private_directory,
    replace_private,
    sweep,
    write_private_directory,
)

NEXT: Final = "next"
PAST: Final = "past"
_SIGNING: Final = "signing"
_ENCRYPTION: Final = "encryption"


@dataclass
class Rack:
    """The keys that a node works with now. `ring` is current, `staged` what a rotation will make current,
    `old` the replaced encryption keys that still open wraps.
    """

    directory: Path
    ring: Keyring
    staged: Keyring | None = None
    old: dict[str, KemKey] = field(default_factory=dict)

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
        return cls(directory, ring, staged, {each.kid.hex(): each for each in old})

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
