"""A backup of an agency's keys: an encrypted file, and its key in shares for paper (SLIP-39, m of n).

Neither part is worth anything alone: the file needs m shares and the passphrase, the shares need the file.
Why both, and why this library: docs/decisions/0020-backup-in-shares.md. The archive's content is not in it.
"""

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics

from schemas.documents import AgencyId
from schemas.encoding import canonical_json, from_base64, from_hex, instant, parse_json, to_base64
from schemas.errors import Code, FormatError, OperationError
from subscribers.exchange.enrolment import ADMISSION, KEYS
from subscribers.exchange.hub_link import Admission
from subscribers.keys import SEED_SIZE, Keyring, Profile, Random, lock_up, unlock
from subscribers.private_files import write_private

SHARES_MAX: Final = 16
"""SLIP-39 allows no more in a group."""
_FILE_MAX: Final = 65_536
_EXPONENT: Final = 3
"""80,000 rounds of PBKDF2 in all: the passphrase comes on top of the shares, it does not stand alone."""
_SHARES: Final = re.compile(r"([1-9][0-9]?)-of-([1-9][0-9]?)")
_PER_LINE: Final = 4
_PRINTABLE: Final = range(32, 127)

_Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Outside(_Strict):
    """What anybody may read of the file; it is authenticated with the rest."""

    v: Literal[1]
    type: Literal["liaison-backup"]
    agency: AgencyId
    made: Annotated[int, Field(ge=0)]
    threshold: Annotated[int, Field(ge=1, le=SHARES_MAX)]
    count: Annotated[int, Field(ge=1, le=SHARES_MAX)]
    sealed: str

    def bound(self) -> bytes:
        """What the encryption vouches for besides the secrets."""
        return canonical_json(self.model_dump(exclude={"sealed"}))


class Content(_Strict):
    """The secrets in a backup. Shown blank."""

    v: Literal[1]
    profile: Profile
    seeds: dict[str, _Hex]
    admission: Admission | None

    def __repr__(self) -> str:
        return "<Content>"

    __str__ = __repr__

    def secrets(self) -> dict[str, bytes]:
        """Every seed by its name."""
        return {name: from_hex(seed, SEED_SIZE) for name, seed in self.seeds.items()}


class Backup(NamedTuple):
    """A backup just made: the file's bytes, and the shares as words. Of use to nobody but its printer."""

    data: bytes
    shares: tuple[str, ...]

    def __repr__(self) -> str:
        return "<Backup>"


def parse_shares(text: str) -> tuple[int, int]:
    """`3-of-5` as (3, 5). OperationError `bad_request`."""
    match = _SHARES.fullmatch(text)
    threshold, count = (int(match[1]), int(match[2])) if match else (0, 0)
    # One share that suffices, in many hands, is no sharing (and SLIP-39 refuses it).
    if not 1 <= threshold <= count <= SHARES_MAX or (threshold == 1 and count > 1):
        fix = f"say M-of-N with 2 <= M <= N <= {SHARES_MAX}, or 1-of-1"
        raise OperationError(Code.BAD_REQUEST, "shares cannot be split like that", fix)
    return threshold, count


def make(
    state: Path, threshold: int, count: int, passphrase: str, *, now: int, random: Random = os.urandom
) -> Backup:
    """The keys of a state directory, encrypted, with the shares of the file's key.

    OperationError as `Keyring.load` raises, or `bad_request` for a passphrase that is not printable ASCII.
    """
    keys = Keyring.load(state / KEYS)
    admission = Admission.read(state / ADMISSION) if (state / ADMISSION).exists() else None
    seeds = {name: seed.hex() for name, seed in keys.seeds().items()}
    content = Content(v=1, profile=keys.profile, seeds=seeds, admission=admission)
    secret = random(SEED_SIZE)
    outside = _Outside(
        v=1,
        type="liaison-backup",
        agency=keys.profile.id,
        made=now,
        threshold=threshold,
        count=count,
        sealed="",
    )
    sealed = lock_up(canonical_json(content.model_dump(mode="json")), secret, outside.bound(), random)
    (shares,) = generate_mnemonics(
        1, [(threshold, count)], secret, _passphrase(passphrase), iteration_exponent=_EXPONENT
    )
    whole = outside.model_copy(update={"sealed": to_base64(sealed)})
    return Backup(canonical_json(whole.model_dump()) + b"\n", tuple(shares))


def sheet(made: Backup, number: int) -> str:
    """One share as it is printed: what it belongs to, then its words, numbered. `number` from 1 on."""
    outside = _outside(made.data)
    words = made.shares[number - 1].split()
    numbered = [f"{place:2} {word:10}" for place, word in enumerate(words, 1)]
    lines = [" ".join(numbered[at : at + _PER_LINE]).rstrip() for at in range(0, len(words), _PER_LINE)]
    file = sha256(made.data).hexdigest()[:16]
    return (
        f"LIAISON BACKUP of the keys of {outside.agency}: share {number} of {outside.count}\n"
        f"Made {instant(outside.made)}; the file's SHA-256 begins {file}.\n"
        f"{outside.threshold} shares, the file and its passphrase give the keys back. "
        "Keep this one to yourself.\n"
        "\n" + "\n".join(lines) + "\n"
    )


def threshold_of(data: bytes) -> int:
    """How many shares a backup file needs. OperationError `bad_document`."""
    return _outside(data).threshold


def open_backup(data: bytes, shares: list[str], passphrase: str) -> Content:
    """The secrets in a backup. `shares` are sheets, or their words alone.

    Raises OperationError: `bad_document` for no backup file, `wrong_key` for too few shares, shares that do
    not belong together or were misread, another passphrase, or a file that was changed.
    """
    outside = _outside(data)
    words = [_words(each) for each in shares]
    if len(set(words)) < outside.threshold:
        fix = "collect more shares"
        raise OperationError(
            Code.WRONG_KEY, f"{len(set(words))} shares of {outside.threshold} that are needed", fix
        )
    # More than are needed is no mistake of the one who types them; the library wants the exact number.
    chosen = list(dict.fromkeys(words))[: outside.threshold]
    try:
        secret = combine_mnemonics(chosen, _passphrase(passphrase))
        opened = unlock(from_base64(outside.sealed, _FILE_MAX), secret, outside.bound())
        return Content.model_validate(parse_json(opened, _FILE_MAX))
    except MnemonicError:  # its text may repeat words of a share
        message = "the shares do not belong together, or a word was misread"
        raise OperationError(Code.WRONG_KEY, message, "check each share against its sheet") from None
    except (FormatError, ValidationError, ValueError):
        message = "another passphrase, shares of another backup, or a file that was changed"
        raise OperationError(Code.WRONG_KEY, message, "compare the file's SHA-256 with the sheets") from None


def write_file(path: Path, data: bytes) -> None:
    """The backup file, 0600, new. OperationError `already_known`, `forbidden` or `disk_full`."""
    write_private(path, data)


def read_file(path: Path) -> bytes:
    """A backup file, from whatever medium it lay on. OperationError `bad_document` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_FILE_MAX + 1)
    except OSError as error:
        raise OperationError(
            Code.BAD_DOCUMENT, f"{path}: {error.strerror}", "name the file that `keys backup` wrote"
        ) from None


def _outside(data: bytes) -> _Outside:
    try:
        outside = _Outside.model_validate(parse_json(data, _FILE_MAX))
    except (ValidationError, FormatError):
        fix = "name the file that `keys backup` wrote"
        raise OperationError(Code.BAD_DOCUMENT, "this is no backup of keys", fix) from None
    return outside


def _words(sheet: str) -> str:
    # The words stand in the last paragraph; their numbers are for people.
    last = re.split(r"\n\s*\n", sheet.strip())[-1]
    return " ".join(re.findall(r"[a-z]+", last.lower()))


def _passphrase(text: str) -> bytes:
    if not all(ord(each) in _PRINTABLE for each in text):
        fix = "use letters, digits and signs of a US keyboard"
        raise OperationError(Code.BAD_REQUEST, "the passphrase is not printable ASCII", fix)
    return text.encode("ascii")
