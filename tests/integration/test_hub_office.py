"""The hub's office over a real server that is away for a moment."""

from pathlib import Path

import pytest
from nats.aio.client import Client

from hub.accounts import Service
from hub.claims import push, said
from hub.jwt import KeyKind, NKey
from hub.office import Office
from schemas.errors import OperationError
from tests.support.federation import AT, HUB, documents
from tests.support.nats_server import hub_nats

COMMUNITIES = 3
"""The last documents: what each makes of the accounts is put into force."""


@pytest.mark.timeout(120)
async def test_what_an_account_may_is_put_into_force_though_the_server_was_away(tmp_path: Path) -> None:
    """It is on the record by then."""
    root, hub, *parties = documents()
    *parties, community = parties[: 1 - COMMUNITIES]
    async with hub_nats(tmp_path) as server:
        accounts, system = server.accounts, Client()
        given = accounts.mint("fra", NKey.generate(KeyKind.USER).public)
        await push(server.system, given.account_jwt)
        await system.connect(server.server.url, **accounts.credentials(Service.SYSTEM).options())
        await system.close()
        office = Office(server.hub, system, accounts, (root, hub), lambda: AT)
        await office.open(HUB)
        async with office.writing():
            for each in parties:
                await office.record(each, by=None)
        with pytest.raises(OperationError):
            async with office.writing():
                await office.record(community, by=None)
        office._system = server.system  # noqa: SLF001 - a connection that was made again
        async with office.writing():
            await office.record(community, by=None)
        lookup = f"$SYS.REQ.ACCOUNT.{given.account_public}.CLAIMS.LOOKUP"
        in_force = (await server.system.request(lookup, timeout=45)).data.decode()
        assert said(in_force) == said(accounts.account_jwt(given.account_public))
