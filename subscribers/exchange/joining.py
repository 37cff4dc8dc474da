"""An agency's first word to the hub: the document that binds its keys to its account."""

import asyncio
import contextlib
from typing import Final

from schemas.directory import Directory
from schemas.encoding import to_base64
from schemas.errors import Code, LiaisonError, OperationError
from subscribers.core import Core
from subscribers.exchange.enrolment import keys_document
from subscribers.settings import NodeSettings

_HUB_WAIT: Final = 30.0


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
