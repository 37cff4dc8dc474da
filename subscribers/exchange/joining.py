"""An agency's account: the admission kept, and the first word to the hub, which binds its keys to it."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from schemas.directory import Directory
from schemas.encoding import from_base64, to_base64
from schemas.errors import Code, LiaisonError, OperationError
from schemas.limits import DOCUMENT_MAX
from subscribers.core import DATABASE, Core, lock
from subscribers.exchange.enrolment import ADMISSION, KEYS, check, keep, keys_document
from subscribers.exchange.hub_link import Admission
from subscribers.keys import Keyring
from subscribers.settings import NodeSettings
from subscribers.storage import tables
from subscribers.storage.store import Store

_HUB_WAIT: Final = 30.0


async def accept_admission(settings: NodeSettings, file: Path, root_fingerprint: str) -> None:
    """Check an admission, and keep it; after a refusal the state directory is as before.

    Of the same account it takes the place of the one that is kept (the hub has moved, say), of another only
    while nothing has come from the hub. LiaisonError as `Admission.read`, `Keyring.load` and
    `enrolment.check` raise; OperationError `already_known`, `already_running`.
    """
    state = settings.state
    offered, keys = Admission.read(file), Keyring.load(state / KEYS)
    check(keys, offered, root_fingerprint)
    if not (state / ADMISSION).exists():
        keep(state, offered)
        return
    kept = Admission.read(state / ADMISSION)
    if kept == offered:
        return
    with lock(state):
        same = (kept.agency, kept.endpoint, kept.root) == (offered.agency, offered.endpoint, offered.root)
        if not same and await _begun(state, keys, from_base64(offered.root, DOCUMENT_MAX)):
            raise OperationError(
                Code.ALREADY_KNOWN,
                "this node has already worked with another account at the hub, and goes on with it",
                "nothing is to be done for that one; another account takes `liaison-agency init` in a new "
                "state directory, whose request is signed and admitted",
            )
        keep(state, offered)


async def _begun(state: Path, keys: Keyring, root: bytes) -> bool:
    """Whether the node's database holds more of the directory than this root, with which it begins."""
    if not (state / DATABASE).exists():
        return False
    async with await Store.open(state / DATABASE, keys.archive, tables.NODE) as store:
        return [data for (data,) in await store.query("SELECT data FROM directory")] not in ([], [root])


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
