"""Gives members the old frames of their communities, a page for each question; nothing is kept of it.

A durable cannot do that: a filter that is added to it starts after what was already delivered, and one made
for each joiner would have to be made again for each community. Here the asker keeps its own place.
FORMAT.md, "History".
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import structlog
from nats.aio.msg import Msg

from hub.admission import View
from hub.grants import PAST, TRAFFIC
from hub.jetstream import JetStreamRefused, api
from hub.office import TROUBLE, Office
from hub.pull import Pull
from hub.recovery.rewinding import rewind
from schemas.errors import Code, LiaisonError, TrustError
from schemas.limits import FRAME_MAX, PAGE_FRAMES_MAX, PAGE_MAX
from schemas.pages import OldFrame, Page, PageRequest, parse_page_request, refusal_page
from schemas.rewind import rewind_of

_log = structlog.get_logger(__name__)

_ROOM: Final = PAGE_MAX - FRAME_MAX - 1024
"""Bytes of frames after which a page has no room for another."""
_IDLE: Final = 30 * 1_000_000_000


def filters(request: PageRequest, asker: str, view: View) -> str:
    """The subjects that answer a question of the endpoint `asker`. TrustError: its agency is in the community
    now.
    """
    circle, speaker = view.circles.get(request.com), view.speakers.get(asker)
    if circle is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "no such community")
    if asker in view.suspended:
        raise TrustError(Code.SUSPENDED, "the endpoint is suspended")
    if speaker is None or speaker.agency not in circle.roles:
        raise TrustError(Code.NOT_MEMBER, "the agency is not in the community")
    return f"f.{circle.realm}.{request.com}.*.*"


@contextlib.asynccontextmanager
async def answering(office: Office) -> AsyncIterator[None]:
    """Answer while the block is entered, one question after the other: history yields to what is live."""

    async def asked(message: Msg) -> None:
        asker = message.subject.rpartition(".")[2]
        try:
            answer = (await _page(office, message.data, asker)).to_bytes()
        except TROUBLE as trouble:
            _log.warning("no old frames given", endpoint=asker, reason=str(trouble))
            answer = refusal_page(Code.HUB_UNREACHABLE)
        except LiaisonError as refused:
            _log.info("old frames refused", endpoint=asker, code=refused.code)
            answer = refusal_page(refused.code)
        if message.reply:
            await office.nc.publish(message.reply, answer)

    subscription = await office.nc.subscribe(f"{PAST}.*", cb=asked)
    try:
        yield
    finally:
        await subscription.unsubscribe()


async def _page(office: Office, data: bytes, asker: str) -> Page:
    if (after := rewind_of(data)) is not None:
        return await rewind(office, asker, after)
    request = parse_page_request(data)
    return await read(office, request, filters(request, asker, office.view()))


async def read(office: Office, request: PageRequest, subject: str) -> Page:
    """What stands on `subject` after `request.after`. Raises what a server that is away makes of a call."""
    nc = office.nc
    last = int((await api(nc, f"STREAM.INFO.{TRAFFIC}"))["state"]["last_seq"])
    reader: dict[str, Any] = {
        "ack_policy": "none",
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": request.after + 1,
        "filter_subjects": [subject],
        "mem_storage": True,
        "inactive_threshold": _IDLE,
    }
    made = await api(nc, f"CONSUMER.CREATE.{TRAFFIC}", {"stream_name": TRAFFIC, "config": reader})
    left, size, frames = int(made["num_pending"]), 0, list[OldFrame]()
    try:
        if left:
            async with Pull(nc, TRAFFIC, made["name"], batch=PAGE_FRAMES_MAX, patient=False) as pull:
                async for messages in pull:
                    for each in messages:
                        if len(frames) < PAGE_FRAMES_MAX and size < _ROOM:
                            frames.append(OldFrame(each.metadata.sequence.stream, each.subject, each.data))
                            size += len(each.data) + len(each.subject)
                    if len(frames) >= min(left, PAGE_FRAMES_MAX) or size >= _ROOM:
                        break
    finally:
        with contextlib.suppress(JetStreamRefused):
            await api(nc, f"CONSUMER.DELETE.{TRAFFIC}.{made['name']}")
    last = max(last, frames[-1].sequence if frames else 0)
    return Page(last, len(frames) < left, tuple(frames))
