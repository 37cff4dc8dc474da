"""An agency's first steps, with their effects: keys on disk, the admission kept, the keys document at the
hub.
"""

import asyncio
import contextlib
import secrets
from pathlib import Path
from typing import Final

from schemas.directory import Directory
from schemas.encoding import to_base64
from schemas.errors import Code, LiaisonError, OperationError
from schemas.vocabulary import Tlp
from subscribers.backup import Content
from subscribers.core import Core, now_ms
from subscribers.enrolment import ADMISSION, KEYS, accept, keep, keys_document, request
from subscribers.hub_link import Admission
from subscribers.keys import Keyring
from subscribers.local.clients import Registry
from subscribers.node import LOCAL
from subscribers.roles import Role
from subscribers.settings import NodeSettings

_HUB_WAIT: Final = 30.0
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
    return keys, _begun(state, keys, client, out or state / "enrolment.dsse")


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
    return _begun(state, keys, client, state / "enrolment.dsse")


def _begun(state: Path, keys: Keyring, client: str, target: Path) -> Path:
    target.write_bytes(request(keys, now_ms()))
    (state / LOCAL).mkdir(mode=0o700, exist_ok=True)
    Registry(state / LOCAL).add(client, Role.ADMIN, Tlp.RED, secrets.token_bytes(_SEED_SIZE))
    return target


def accept_admission(settings: NodeSettings, admission: Path, root_fingerprint: str) -> None:
    """Check an admission's root and keep it. LiaisonError as `enrolment.accept` raises."""
    accept(settings.state, Admission.read(admission), root_fingerprint)


async def first_document(settings: NodeSettings) -> bytes:
    """The document that binds our keys, for the first parcel of a node behind an air gap. LiaisonError as
    `Core.open` raises, or `already_known`.
    """
    async with Core.open(settings) as core:
        document = keys_document(core.keys, core.ledger.known(), core.endpoint, core.clock)
        if document is None:
            raise OperationError(
                Code.ALREADY_KNOWN, "the directory holds these keys", "nothing is left to do"
            )
        return document


async def register(settings: NodeSettings) -> tuple[str, int | None]:
    """Bind our keys to our account in the directory; gives the account, and None. Where our identity key is
    still to take another's place, the time (Unix ms) from which the running node does that.

    Safe to repeat. LiaisonError as the hub refuses, `wrong_key` where the directory names another identity.
    """
    async with Core.open(settings) as core:
        task = asyncio.create_task(core.run())
        try:
            await core.link.until_caught_up(_HUB_WAIT)
            directory = await _named(core)
            if core.staged_is_known():
                core.rack.promote()  # a rotation ended between the hub's word and ours
            waits = _awaited(core, directory)
            if waits is not None:
                return core.endpoint, waits
            document = keys_document(core.keys, directory, core.endpoint, core.clock)
            if document:
                signing = core.keys.signing.public
                await core.submit(document, lambda known: known.has_key(core.endpoint, signing))
            return core.endpoint, None
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _named(core: Core) -> Directory:
    """The directory once it names our identity key, as the one that counts or as one to come. LiaisonError
    `log_behind`; OperationError `wrong_key` where it knows the agency by another key alone.
    """
    agency, ours = core.keys.profile.id, to_base64(core.keys.identity.public)
    try:
        return await core.directory_feed.until(
            lambda known: known.hub is not None and known.identities.is_named(agency, ours)
        )
    except LiaisonError:
        if agency not in core.ledger.known().agencies:
            raise
    raise OperationError(
        Code.WRONG_KEY,
        "the directory names another identity key for this agency",
        "restore the agency's keys, or have the secretariat replace its identity",
    )


def _awaited(core: Core, directory: Directory) -> int | None:
    """From when on (Unix ms) our identity key may replace the one that counts; None where it is that one."""
    agency = core.keys.profile.id
    if directory.identity(agency) == core.keys.identity.public:
        return None
    return directory.identities.pending[agency].nbf
