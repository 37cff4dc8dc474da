"""What the bot needs of the outside: the agency's node and the chat service. Implemented at the edges.

`NodeClient` is the part of the node's public client (`subscribers.client.Agency`) that the bot uses;
`tests/contract/test_node_client.py` holds every implementation to the same promises.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final, Protocol

from bots.showing.rendered import Part, Rows
from schemas.bulletin import Draft
from subscribers.api import AlarmEntry
from subscribers.files.shapes import Upload
from subscribers.insight.shapes import Counts, Provenance, Step
from subscribers.keyring.identity_api import IdentityState
from subscribers.records import Community, Filters, Notice, Page, Published, Record

NO_FILTERS: Final = Filters()


class Incoming(Protocol):
    """A bulletin from the durable feed. Unacknowledged ones come again."""

    @property
    def record(self) -> Record:
        """The bulletin as this agency holds it."""

    async def ack(self) -> None:
        """Handled for good: it does not come again."""


class NodeFiles(Protocol):
    """Files that go with bulletins."""

    async def give(self, name: str, data: bytes) -> Upload:
        """Give the node a file, without waiting until the hub has it. Raises LiaisonError."""


class NodeClient(Protocol):
    """The agency's node, as one of its clients."""

    @property
    def files(self) -> NodeFiles:
        """For files."""

    async def search(
        self,
        words: str,
        *,
        filters: Filters,
        limit: int = 10,
        cursor: str | None = None,
        ranked: bool = False,
    ) -> Page:
        """Bulletins with all `words`, newest first unless `ranked`."""

    async def latest(self, filters: Filters = NO_FILTERS, limit: int = 10, cursor: str | None = None) -> Page:
        """The newest bulletins."""

    async def show(self, ref: str) -> Record:
        """One bulletin by reference or id. Raises LiaisonError `not_found`."""

    async def publish(
        self,
        draft: Draft,
        community: str,
        attachments: Collection[str] = (),
        *,
        once: str | None = None,
        private: bool = False,
    ) -> Published:
        """Publish a draft with what was given by those ids; under the same name `once`, once at most.
        `private`: a sighting or acknowledgement for the originator of what it answers alone.
        """

    async def identity(self) -> list[IdentityState]:
        """Who this agency is, and every agency whose identity is about to change."""

    async def acknowledge(
        self, ref: str, note: str = "", officer: str = "", *, private: bool = False
    ) -> Published:
        """Publish an acknowledgement of a bulletin to its community, or to its originator alone."""

    async def replies(self, ref: str, limit: int = 50) -> list[Record]:
        """What was answered to a bulletin, newest first."""

    async def provenance(self, ref: str) -> Provenance:
        """Whose key signed a bulletin, and who vouches for that. Raises LiaisonError `not_found`."""

    async def like(self, ref: str, filters: Filters = NO_FILTERS, limit: int = 5) -> list[Record]:
        """The bulletins most like one, best first. Raises LiaisonError `not_found`."""

    async def counts(self, filters: Filters, step: Step = "week") -> Counts:
        """How many bulletins there are by kind, severity and step, within `filters.since` and `until`."""

    async def notices(self, after: int | None = None, limit: int = 50) -> list[Notice]:
        """Changes in the directory after a number, oldest first; without one the newest, newest first."""

    async def communities(self) -> list[Community]:
        """The communities that the agency belongs to."""

    async def alarms(self, limit: int = 50, *, past: bool = False, after: int = 0) -> list[AlarmEntry]:
        """Alarms numbered above `after`, newest first: what stands, or the past ones too."""

    def bulletins(self) -> AsyncIterator[Incoming]:
        """Bulletins as they come, from behind the last acknowledged one, at least once each; endless."""


class Chat(Protocol):
    """The chat service, one message at a time. Failures are `bots.outcomes.ChatFailure`."""

    async def send(
        self, chat: int, part: Part, *, rows: Rows, protect: bool, silent: bool, reply_to: int | None
    ) -> int:
        """Send a text; return its message id."""

    async def file(self, chat: int, name: str, data: bytes, caption: str) -> int:
        """Send a file that cannot be forwarded; return its message id."""

    async def picture(
        self, chat: int, png: bytes, caption: Part, *, rows: Rows, protect: bool, silent: bool
    ) -> int:
        """Send a picture with what it shows in words under it; return its message id. A door that shows no
        pictures sends the words.
        """

    async def edit(self, chat: int, message: int, part: Part, *, rows: Rows) -> None:
        """Replace a text that was sent; the same text again is no failure."""

    async def label(self, chat: int, message: int, rows: Rows) -> None:
        """Replace the buttons under a message; the same again is no failure."""

    async def delete(self, chat: int, message: int) -> None:
        """Delete a message; one that is already gone is no failure."""

    async def delete_all(self, chat: int, messages: Sequence[int]) -> None:
        """Delete up to 100 messages, also such as the person wrote; those that are gone already are no
        failure. `Refused` when one of them may not be deleted.
        """

    async def toast(self, press: str, text: str = "") -> None:
        """A pressed button was seen to: the client stops waiting, and shows `text` for a moment if there is
        any. One that nobody waits for any more is no failure.
        """

    async def fetch(self, key: str, limit: int) -> bytes:
        """A file that a person sent: all of it, at most `limit` bytes, `Refused` beyond."""
