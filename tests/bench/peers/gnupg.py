"""GnuPG as a peer: one signed message, encrypted to every reader's key, by the `gpg` command."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_KEY: Final = (
    "%no-protection\nKey-Type: eddsa\nKey-Curve: ed25519\nKey-Usage: sign\nSubkey-Type: ecdh\n"
    "Subkey-Curve: cv25519\nName-Email: reader{number}@example.org\nExpire-Date: 0\n%commit\n"
)
_QUIET: Final = ("--batch", "--yes", "--quiet", "--trust-model", "always", "--no-auto-check-trustdb")


def missing() -> str:
    """Why it is not here; empty when it is."""
    return "" if shutil.which("gpg") else "no `gpg` (Debian: apt-get install gpg gpg-agent)"


@dataclass(frozen=True)
class Gnupg:
    """A home with a key for the publisher (the first) and one for each reader."""

    home: str
    keys: tuple[str, ...]

    def first(self, payload: bytes) -> bytes:
        """The message to all readers."""
        to = [part for each in self.keys[1:] for part in ("-r", each)]
        return _run(self.home, "--sign", "--encrypt", "-u", self.keys[0], *to, data=payload)

    further = first

    def open(self, sealed: bytes) -> bytes:
        """Decrypted with the first key that is found, and the signature verified."""
        return _run(self.home, "--decrypt", data=sealed)

    def size(self, sealed: bytes) -> int:
        """One message goes to all."""
        return len(sealed)


@contextmanager
def prepared(_directory: Path, readers: int) -> Iterator[Gnupg]:
    """Keys for so many readers. The home is in the system's directory for such things: the path to the
    agent's socket must be short.
    """
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        wanted = "".join(_KEY.format(number=number) for number in range(readers + 1))
        _run(home, "--generate-key", data=wanted.encode())
        listed = _run(home, "--list-keys", "--with-colons").decode().splitlines()
        # The first fingerprint after a `pub` line is the key's, the second its subkey's.
        keys = [listed[at + 1].split(":")[9] for at, line in enumerate(listed) if line.startswith("pub:")]
        try:
            yield Gnupg(home, tuple(keys))
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], env=_environment(home), check=False)


def _environment(home: str) -> dict[str, str]:
    return {**os.environ, "GNUPGHOME": home, "LC_ALL": "C"}


def _run(home: str, *arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run(
        ["gpg", *_QUIET, *arguments], input=data, env=_environment(home), capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"gpg {arguments[0]}: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout
