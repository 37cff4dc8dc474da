"""A witness's keys, its request for an account, and the admission that comes back.

| file | what | leaves the machine |
|---|---|---|
| `keys/name` | the name of its key, as the root and the cosignatures have it | yes |
| `keys/witness.key` | Ed25519 seed: signs heads | never |
| `keys/nats.key` | Ed25519 seed of the NATS user with which it connects to the hub | never |
| `keys/store.key` | key of the encrypted database of what it has seen | never |
| `admission.json` | its account at the hub, and the pinned root | no secret |
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from schemas.bulletin import where
from schemas.directory import Directory
from schemas.documents import KeyName, WitnessRequest
from schemas.encoding import from_base64, to_base64
from schemas.errors import Code, FormatError, OperationError
from schemas.fingerprint import typed_fingerprint
from schemas.limits import DOCUMENT_MAX
from schemas.signing import ENROLMENT_TYPE, sign_envelope
from subscribers.exchange.enrolment import user_of
from subscribers.exchange.hub_link import HubKey
from subscribers.keys import SEED_SIZE, NatsUser, Secret, SigningKey, read_seed, seed_line
from subscribers.private_files import (
    check_private_directory,
    read_private,
    replace_private,
    write_private_directory,
)

KEYS: Final = "keys"
ADMISSION: Final = "admission.json"
_NAME: Final = "name"
_NAMES: Final = ("witness", "nats", "store")
_NAME_MAX: Final = 1024
_KEY_NAME: Final[TypeAdapter[str]] = TypeAdapter(KeyName)


@dataclass(frozen=True, slots=True)
class WitnessKeys:
    """Everything secret of a witness, and its name."""

    name: str
    witness: SigningKey
    nats: NatsUser
    store: Secret

    @classmethod
    def create(cls, state: Path, name: str, *, random: Callable[[int], bytes] = os.urandom) -> Self:
        """New keys in `state`/keys, complete or not at all. FormatError `bad_document` for the name,
        OperationError `already_known`, `forbidden` or `disk_full`.
        """
        try:
            _KEY_NAME.validate_python(name)
        except ValidationError as error:
            fix = "up to 200 characters without spaces and +"
            raise FormatError(Code.BAD_DOCUMENT, f"the name: {where(error)}", fix) from None
        seeds = {each: random(SEED_SIZE) for each in _NAMES}
        files = {f"{each}.key": seed_line(each, seed) for each, seed in seeds.items()}
        write_private_directory(state / KEYS, {_NAME: name.encode(), **files})
        return cls._from_seeds(name, seeds)

    @classmethod
    def load(cls, state: Path) -> Self:
        """The keys in `state`/keys. OperationError `not_found`, `forbidden` or `wrong_key`."""
        directory = state / KEYS
        check_private_directory(directory)
        name = read_private(directory / _NAME, _NAME_MAX).decode("utf-8", "replace")
        return cls._from_seeds(name, {each: read_seed(directory, each) for each in _NAMES})

    @classmethod
    def _from_seeds(cls, name: str, seeds: dict[str, bytes]) -> Self:
        return cls(name, SigningKey(seeds["witness"]), NatsUser(seeds["nats"]), Secret(seeds["store"]))

    def request(self, now: int) -> bytes:
        """What the secretariat and the hub are asked for, signed by the witness's own key; `now` in Unix
        ms.
        """
        key = to_base64(self.witness.public)
        asked = WitnessRequest(issued=now, name=self.name, key=key, user=self.nats.public)
        return sign_envelope(ENROLMENT_TYPE, asked.to_bytes(), [self.witness]).to_bytes()


class WitnessAdmission(BaseModel):
    """What the hub's operator gives back: where to connect and as whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: Literal[1]
    witness: str
    endpoint: str
    """The witness's account key, PK."""
    user_jwt: str
    urls: list[str]
    websockets: list[str] = []
    """Where readers in a browser would connect; a witness does not."""
    root: str
    """Root version 1 as published, base64."""
    fingerprint: str
    """As the hub says it: what counts is what the secretariat says by other means."""
    hub: HubKey

    @classmethod
    def read(cls, path: Path) -> Self:
        """From the admission file; OperationError `not_enrolled` or `bad_settings`."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise OperationError(
                Code.NOT_ENROLLED, f"there is no {path}", "run `liaison-witness init`, then `enrol`"
            ) from None
        except (OSError, ValueError):
            raise OperationError(
                Code.BAD_SETTINGS,
                f"{path.name} is not a witness's admission file",
                "use the file that `liaison-hub admit-witness` wrote",
            ) from None


def accept(state: Path, file: Path, fingerprint: str) -> WitnessAdmission:
    """Keep an admission whose root is the one that we were told of. TrustError `root_mismatch`;
    OperationError `already_known` when another is kept, `wrong_key` for another witness's, or as
    `WitnessAdmission.read`; FormatError `bad_encoding` as `typed_fingerprint`.
    """
    keys, admission = WitnessKeys.load(state), WitnessAdmission.read(file)
    if admission.witness != keys.name:
        raise OperationError(
            Code.WRONG_KEY, f"this admission is {admission.witness}'s", "use the one made of your request"
        )
    if user_of(admission.user_jwt) != keys.nats.public:
        raise OperationError(
            Code.WRONG_KEY,
            f"this admission of {keys.name} was made for other keys",
            "use the one made of this state directory's request",
        )
    root = from_base64(admission.root, DOCUMENT_MAX)
    Directory.pinned(root, typed_fingerprint(fingerprint))
    target = state / ADMISSION
    if target.exists() and WitnessAdmission.read(target).root != admission.root:
        raise OperationError(
            Code.ALREADY_KNOWN, "this witness follows another directory", "use a new state directory"
        )
    replace_private(target, admission.model_dump_json(indent=1).encode() + b"\n")
    return admission
