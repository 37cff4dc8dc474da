"""The registry of local clients: one small JSON file beside the node's state, and a seed file for each
client.

Works with or without a running node: the node reads it when it starts, and changes it through `LocalNats`
afterwards.
"""

import json
from pathlib import Path
from typing import Final

import nkeys
from pydantic import TypeAdapter, ValidationError

from schemas.bulletin import where
from schemas.encoding import canonical_json
from schemas.errors import Code, OperationError
from schemas.vocabulary import Tlp
from subscribers.local.files import make_private_directory, write_private
from subscribers.private_files import read_private
from subscribers.service.roles import ClientEntry, Role, is_client_name

CLIENTS_MAX: Final = 256
SEED_MAX: Final = 128
_FILE_MAX: Final = 256 * 1024
_ENTRIES: Final = TypeAdapter(list[ClientEntry])


def make_user_seed(randomness: bytes) -> tuple[bytes, str]:
    """A NATS user's seed (`SU...`) and public key (`U...`) from 32 random bytes."""
    seed = bytes(nkeys.encode_seed(randomness, nkeys.PREFIX_BYTE_USER))
    return seed, public_key(seed)


def public_key(seed: bytes) -> str:
    """The public key of a seed. Raises OperationError `bad_settings` for anything that is not one."""
    try:
        return str(nkeys.from_seed(bytearray(seed.strip())).public_key.decode("ascii"))
    except (ValueError, nkeys.NkeysError):
        raise OperationError(
            Code.BAD_SETTINGS, "this is not a NATS user seed", "name the file NAME.nk"
        ) from None


def load_or_make_seed(path: Path, randomness: bytes) -> tuple[bytes, str]:
    """The seed in `path` and its public key; made from 32 random bytes where there is no such file."""
    if not path.exists():
        seed, _ = make_user_seed(randomness)
        write_private(path, seed + b"\n")
    seed = read_private(path, SEED_MAX).strip()
    return seed, public_key(seed)


class Registry:
    """The clients by name. Every change is on the disk, whole, before the method returns."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "clients.json"
        self._seeds = directory / "clients"
        make_private_directory(self._seeds)
        self._entries = {each.name: each for each in self._read()}

    @property
    def entries(self) -> list[ClientEntry]:
        """Every client, by name."""
        return sorted(self._entries.values(), key=lambda each: each.name)

    def find(self, name: str) -> ClientEntry | None:
        """The client of that name, if there is one."""
        return self._entries.get(name)

    def get(self, name: str) -> ClientEntry:
        """The client of that name. Raises OperationError `not_found`."""
        if entry := self._entries.get(name):
            return entry
        known = ", ".join(sorted(self._entries)) or "none"
        raise OperationError(Code.NOT_FOUND, "there is no such client", f"the clients are: {known}")

    def seed_file(self, name: str) -> Path:
        """Where the client's secret seed is: this file is what the client is given."""
        return self._seeds / f"{name}.nk"

    def add(self, name: str, role: Role, ceiling: Tlp, randomness: bytes) -> ClientEntry:
        """Register a client with a new key. Raises OperationError `bad_request` or `already_known`."""
        if not is_client_name(name):
            raise OperationError(
                Code.BAD_REQUEST,
                "this cannot name a client",
                "1 to 31 of a-z, 0-9 and hyphens, a letter first",
            )
        if name in self._entries:
            raise OperationError(
                Code.ALREADY_KNOWN, f"there is a client {name}", "choose another name, or remove it"
            )
        if len(self._entries) >= CLIENTS_MAX:
            raise OperationError(
                Code.BAD_REQUEST, f"there are {CLIENTS_MAX} clients already", "remove one first"
            )
        seed, nkey = make_user_seed(randomness)
        write_private(self.seed_file(name), seed + b"\n")
        return self._put(ClientEntry(name=name, role=role, ceiling=ceiling, nkey=nkey))

    def change(self, name: str, role: Role, ceiling: Tlp) -> ClientEntry:
        """Give a client another role or ceiling; its key stays. Raises OperationError `not_found`."""
        return self._put(ClientEntry(name=name, role=role, ceiling=ceiling, nkey=self.get(name).nkey))

    def remove(self, name: str) -> ClientEntry:
        """Forget a client and delete its seed. Raises OperationError `not_found`."""
        entry = self.get(name)
        self._write({key: each for key, each in self._entries.items() if key != name})
        self.seed_file(name).unlink(missing_ok=True)
        return entry

    def _put(self, entry: ClientEntry) -> ClientEntry:
        self._write({**self._entries, entry.name: entry})
        return entry

    def _write(self, entries: dict[str, ClientEntry]) -> None:
        write_private(
            self._file, canonical_json(_ENTRIES.dump_python(list(entries.values()), mode="json")) + b"\n"
        )
        self._entries = entries

    def _read(self) -> list[ClientEntry]:
        if not self._file.exists():
            return []
        try:
            return _ENTRIES.validate_python(json.loads(read_private(self._file, _FILE_MAX)))
        except ValidationError as error:
            reason = where(error)
        except ValueError:
            reason = "not JSON"
        raise OperationError(
            Code.STORE_CORRUPT,
            f"{self._file} is damaged: {reason}",
            "restore it from a backup, or remove it and add the clients again",
        )
