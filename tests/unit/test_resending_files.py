"""A hub that was restored from a copy gets again what it may have lost: bulletins and the files with them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from schemas.attachments import Attachment
from schemas.vocabulary import AlarmName, Tlp
from subscribers.attachments import fresh, seal_of
from subscribers.files.desk import FileDesk, using
from subscribers.files.shapes import File
from subscribers.judging.alarms import listed
from subscribers.recovery.resending import METADATA, PUT_BACK
from subscribers.service.roles import ClientIdentity, Role
from subscribers.settings import NodeSettings
from subscribers.storage.upload_rows import Uploads
from tests.support.archive import bulletin_id, new_record
from tests.support.federation import AT, COM
from tests.support.lone_core import US, Lone, lone

CLIENT = ClientIdentity(name="cli", role=Role.PUBLISHER, ceiling=Tlp.RED)
HOUR = 3_600_000
DATA = b"a map in a few words"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Lone]:
    async with lone(tmp_path) as made:
        yield made


async def attached(desk: FileDesk, uploads: Uploads, name: str, data: bytes) -> Attachment:
    """A file that the hub has confirmed."""
    file = File(name=name, media="text/plain", size=len(data), sha256=sha256(data).hexdigest())
    upload = await desk.attach(CLIENT, file)
    await desk.attach_data(CLIENT, upload.id, 0, data)
    row = await uploads.of_client(CLIENT.name, upload.id)
    await uploads.put(row._replace(state="stored", sent=upload.blobs))
    return row.attachment()


async def published(node: Lone, number: int, received: int, *files: Attachment) -> None:
    """A bulletin of ours that the hub has admitted, with these files."""
    said = [each.model_dump(mode="json") for each in files]
    made = new_record(number, agency=US, community=COM, received=received, attachments=said)
    await node.keep(replace(made, own=True))
    async with node.core.store.write() as tx:
        await tx.execute(
            "INSERT INTO outgoing(id, ref, kind, community, subject, history, state) "
            "VALUES (?, ?, 'bulletin', ?, ?, 'members', 'admitted')",
            (made.bulletin.id, made.bulletin.ref, COM, f"in.live.{COM}.routine.{node.core.endpoint}"),
        )
        await tx.run(lambda connection: using(files)(connection, made.bulletin))


async def test_a_restored_hub_gets_the_files_of_ours_that_are_here_and_what_is_gone_is_said(
    node: Lone,
) -> None:
    desk = FileDesk(node.core, NodeSettings(state=node.core.state))
    uploads = Uploads(node.core.store)
    here = await attached(desk, uploads, "here.txt", DATA)
    taken_away = await attached(desk, uploads, "taken.txt", DATA + b"1")
    await attached(desk, uploads, "unused.txt", DATA + b"2")
    key, header = fresh()
    forgotten = here.model_copy(update={"name": "old.txt", "seal": seal_of(key, header, bytes(32))})
    await published(node, 1, AT - HOUR)
    await published(node, 2, AT + HOUR, here, taken_away)
    await published(node, 3, AT + HOUR, forgotten)
    (row,) = [each for each in await uploads.all() if each.name == "taken.txt"]
    for each in (node.core.state / "attachments").glob(f"{row.id}*"):
        each.unlink()
    node.now[0] = AT + 2 * HOUR

    for _ in range(2):  # a second connection to the same hub
        await node.core.resending.told({METADATA: str(AT), PUT_BACK: str(AT + HOUR)})
        await node.core.resending.finish()
        states = [(await node.core.outbox.state_of(bulletin_id(number)))[0] for number in (1, 2, 3)]
        assert states == ["admitted", "queued", "queued"]
        rows = {each.name: (each.state, each.sent) for each in await uploads.all()}
        assert rows == {"here.txt": ("again", 0), "unused.txt": ("sending", 0)}
        (alarm,) = await listed(node.core.store, 10)
        assert alarm.key.name is AlarmName.ROLLBACK
        assert "it gets 2 bulletins of ours again, without 2 of their files" in alarm.detail
