"""What is different for a hub that is one of several: it follows what another writes into DIRECTORY, tells
what it changes in accounts, and writes only while the office is its own. A hub that is alone has nobody to
follow.
"""

import asyncio
from collections.abc import Iterable
from typing import Final
from uuid import uuid4

from nats.aio.client import Client

from hub.accounts import Accounts
from hub.batch import Outgoing, publish_batch
from hub.desk import NEWS
from hub.fence import OFFICE_FENCE, PARTITION_FENCES, Fence
from hub.grants import DIRECTORY
from hub.jetstream import next_stored
from hub.lease import Leases
from hub.records import dump_shared
from hub.rota import OFFICE
from hub.state import ACCOUNT, State, grown, rebuild
from schemas.errors import Code, OperationError
from schemas.subjects import DIRECTORY_DOCUMENTS

_FOLLOWED: Final = (DIRECTORY_DOCUMENTS, "m.*", f"{ACCOUNT}.*")


class Among:
    """This hub among others, by its leases. `nc` is a connection of the HUB account."""

    def __init__(self, nc: Client, accounts: Accounts, leases: Leases) -> None:
        self.leases = leases
        self._nc = nc
        self._accounts = accounts
        self._fence = Fence(nc, OFFICE_FENCE, leases.me, lambda: leases.holds(OFFICE))
        self._newest = 0
        self._root = b""
        self._told: dict[str, bytes] = {}
        self._putting = asyncio.Lock()

    @property
    def leading(self) -> bool:
        """Whether this hub keeps the directory and the accounts: always, where it is alone."""
        return self.leases.holds(OFFICE)

    def check_leading(self) -> None:
        """OperationError `hub_unreachable` when it does not, or is no longer sure of it."""
        if not self.leading:
            raise OperationError(Code.HUB_UNREACHABLE, "another hub takes over the office", "try again")

    async def lead(self) -> None:
        """Shut out who kept the office before: what is read from now on is all that there is."""
        if self.leases.shared:
            await self._fence.put_up()

    async def put(self, message: Outgoing) -> int:
        """One message into DIRECTORY, unless another hub has the office; its sequence. Raises OperationError,
        BatchRefused or BatchUncertain.
        """
        async with self._putting:
            self.check_leading()
            headers = {**message.headers, **self._fence.headers}
            fenced = Outgoing(message.subject, message.payload, headers)
            sequence = await publish_batch(self._nc, [fenced], batch_id=uuid4().hex)
        if self.leases.shared:
            await self._nc.publish(NEWS)
        return sequence

    async def tell(self, publics: Iterable[str]) -> None:
        """Tell the other hubs of accounts as they are recorded now."""
        if not self.leases.shared:
            return
        for public in publics:
            said = dump_shared(self._accounts.endpoint(public))
            if self._told.get(public) != said:
                await self.put(Outgoing(f"{ACCOUNT}.{public}", said))
                self._told[public] = said

    def wrote(self, newest: int) -> None:
        """Note the sequence of this hub's last message in TRAFFIC: state that is read later must include
        it.
        """
        self._newest = max(self._newest, newest)

    async def read(self, root: bytes) -> State:
        """The state, from the streams. Raises as `hub.state.rebuild`."""
        self._root = root
        if not self.leases.shared:
            return await rebuild(self._nc, root)
        state = await rebuild(self._nc, root, self._newest, (PARTITION_FENCES,), self._learn)
        await self.catch_up(state)
        return state

    async def catch_up(self, state: State) -> bool:
        """Take into `state` what another hub has put into DIRECTORY; whether there was something."""
        news = False
        while found := await next_stored(self._nc, DIRECTORY, _FOLLOWED, state.position):
            news = True
            sequence, subject, data = found
            if subject.startswith(f"{ACCOUNT}."):
                self._learn(subject.removeprefix(f"{ACCOUNT}."), data)
            elif data != self._root:  # which every directory begins with
                place = f"{DIRECTORY} {sequence}"
                state.replace_directory(grown(state.directory, subject, data, place))
            state.position = sequence
        return news

    def _learn(self, public: str, data: bytes) -> None:
        self._accounts.learn(public, data)
        self._told[public] = data
