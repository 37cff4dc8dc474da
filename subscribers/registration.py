"""An agency's first steps, with their effects: keys on disk, the admission kept, the keys document at the
hub.
"""

import asyncio
import contextlib
import secrets
from pathlib import Path
from typing import Final

from schemas.vocabulary import Tlp
from subscribers.core import Core, now_ms
from subscribers.enrolment import KEYS, accept, keys_document, request
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
    target = out or state / "enrolment.dsse"
    target.write_bytes(request(keys, now_ms()))
    (state / LOCAL).mkdir(mode=0o700, exist_ok=True)
    Registry(state / LOCAL).add(client, Role.ADMIN, Tlp.RED, secrets.token_bytes(_SEED_SIZE))
    return keys, target


def accept_admission(settings: NodeSettings, admission: Path, root_fingerprint: str) -> None:
    """Check an admission's root and keep it. LiaisonError as `enrolment.accept` raises."""
    accept(settings.state, Admission.read(admission), root_fingerprint)


async def register(settings: NodeSettings) -> str:
    """Bind our keys to our account in the directory; gives the account. Safe to repeat. LiaisonError as the
    hub refuses.
    """
    async with Core.open(settings) as core:
        task = asyncio.create_task(core.run())
        try:
            await core.link.until_caught_up(_HUB_WAIT)
            directory = await core.directory_feed.until(
                lambda known: core.keys.profile.id in known.agencies and known.hub is not None
            )
            document = keys_document(core.keys, directory, core.endpoint, core.clock)
            if document:
                signing = core.keys.signing.public
                await core.submit(document, lambda known: known.has_key(core.endpoint, signing))
            return core.endpoint
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
