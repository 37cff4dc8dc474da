"""An agency's first steps, with their effects on disk: keys, and the admission kept."""

import secrets
from pathlib import Path
from typing import Final

from schemas.vocabulary import Tlp
from subscribers.clock import now_ms
from subscribers.exchange.enrolment import ADMISSION, KEYS, LOCAL, REQUEST, keep, request
from subscribers.keyring.backup import Content
from subscribers.keys import Keyring
from subscribers.local.clients import Registry
from subscribers.service.roles import Role

_SEED_SIZE: Final = 32


def begin(
    state: Path, agency: str, name: str, code: str, client: str, out: Path | None = None
) -> tuple[Keyring, Path]:
    """Make the keys, the enrolment request and the local client of the commands. Gives the keys and where the
    request is.

    LiaisonError as `Keyring.create` raises.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = Keyring.create(state / KEYS, agency, name, code)
    return keys, _begun(state, keys, client, out or state / REQUEST)


def rebuild(state: Path, content: Content, client: str, *, same: bool) -> Path | None:
    """Keys from a backup in a state directory that has none. With `same` they are as they were, and so is the
    account; else only the identity is, and the request for a new account is given.

    LiaisonError as `Keyring.restore` raises.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    seeds = content.secrets()
    if same:
        Keyring.restore(state / KEYS, content.profile, seeds)
        if content.admission and not (state / ADMISSION).exists():
            keep(state, content.admission)
        return None
    # A signing or encryption key serves one account for ever (FORMAT.md, Directory); the lost machine's
    # account keeps its place in the feeds, so the new machine needs one of its own.
    fresh = {name: secrets.token_bytes(_SEED_SIZE) for name in seeds}
    keys = Keyring.restore(state / KEYS, content.profile, {**fresh, "identity": seeds["identity"]})
    return _begun(state, keys, client, state / REQUEST)


def _begun(state: Path, keys: Keyring, client: str, target: Path) -> Path:
    target.write_bytes(request(keys, now_ms()))
    (state / LOCAL).mkdir(mode=0o700, exist_ok=True)
    Registry(state / LOCAL).add(client, Role.ADMIN, Tlp.RED, secrets.token_bytes(_SEED_SIZE))
    return target
