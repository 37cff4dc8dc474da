"""The commands' side of the control service: one request to the hub that runs on a state directory, or a
stream to watch.
"""

import asyncio
import contextlib
import getpass
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any, Final

import nats
import nats.errors
import typer
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.dialling import dialled
from hub.files import read_private
from hub.grants import CONTROL
from hub.keeping import URL_FILE
from hub.settings import HubSettings
from schemas.encoding import instant
from schemas.errors import Code, OperationError

_ANSWER_SECONDS: Final = 30
_ASK_AGAIN_SECONDS: Final = 3.0
"""On a cluster, for the first time."""
_TAKE_OVER_PAUSE: Final = 0.25
_WATCH: Final = "watch"
_HEAD_BYTES: Final = 32
_HASH_DIGITS: Final = 16


def ask(settings: HubSettings, verb: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The hub's answer. Raises what the hub refused with, or OperationError HUB_UNREACHABLE."""
    return asyncio.run(_ask(settings, verb, asked))


def watch(settings: HubSettings, *, from_start: bool, as_json: bool) -> None:
    """Print a line for each message that the hub stores, until interrupted or the reader of the lines
    goes away.
    """
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(_watch(settings, from_start=from_start, as_json=as_json))


async def _ask(settings: HubSettings, verb: str, asked: dict[str, Any]) -> dict[str, Any]:
    async with connected(settings) as nc:
        return await request(nc, verb, asked)


async def request(
    nc: Client, verb: str, asked: dict[str, Any], *, patience: float = _ASK_AGAIN_SECONDS
) -> dict[str, Any]:
    """One request to the control service over a connection of `connected`. Raises as `ask`.

    On a cluster, the moment in which one hub takes the office over from another is waited for, and what was
    asked before it is asked again after `patience` seconds, then after three times as many.
    """
    data = json.dumps({**asked, "by": _whoever()}).encode()
    try:
        message = await _answered(nc, verb, data, patience)
    except (nats.errors.Error, TimeoutError) as lost:
        raise OperationError(
            Code.HUB_UNREACHABLE, "the hub does not answer", "see that `liaison-hub serve` runs, and its log"
        ) from lost
    answer = json.loads(message.data)
    if error := answer.get("error"):
        raise OperationError(Code(error["code"]), error["message"], error["fix"])
    result: dict[str, Any] = answer["result"]
    return result


async def _answered(nc: Client, verb: str, payload: bytes, patience: float) -> Msg:
    # When the office changes hands, for a moment nobody answers, or whoever was asked has gone with the
    # question. To ask again is safe: what is done already is not done twice. But who watches twice is told
    # everything twice.
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ANSWER_SECONDS
    again = len(nc.servers) > 1
    while True:
        left = deadline - loop.time()
        wait = min(left, patience) if again and verb != _WATCH else left
        try:
            message = await nc.request(f"{CONTROL}.{verb}", payload, timeout=wait)
            if not (again and left > _TAKE_OVER_PAUSE and _is_for_another(message)):
                return message
            await asyncio.sleep(_TAKE_OVER_PAUSE)
        except nats.errors.NoRespondersError:
            if not again or left < _TAKE_OVER_PAUSE:
                raise
            await asyncio.sleep(_TAKE_OVER_PAUSE)
        except TimeoutError:
            if wait == left:
                raise
            patience *= 3  # a hub that is slow has its time, too


def _is_for_another(message: Msg) -> bool:
    """Whether a hub answers that it cannot just now, as one does that is handing the office over."""
    error = json.loads(message.data).get("error")
    return error is not None and error["code"] == Code.HUB_UNREACHABLE


def _whoever() -> str:
    """Who runs the command, for the audit: their login name where the machine knows one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def _watch(settings: HubSettings, *, from_start: bool, as_json: bool) -> None:
    over, gone = asyncio.Event(), False
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)

    async def stored(message: Msg) -> None:
        try:
            typer.echo(_line(message, as_json=as_json))
        except BrokenPipeError:
            over.set()

    async def lost() -> None:
        nonlocal gone
        gone = not over.is_set()
        over.set()

    async with connected(settings, lost) as nc:
        inbox = nc.new_inbox()
        await nc.subscribe(inbox, cb=stored)
        watching = await request(nc, _WATCH, {"inbox": inbox, "from_start": from_start})
        typer.echo(json.dumps({"event": "watching", **watching}) if as_json else "watching")
        await over.wait()
    if gone:
        raise OperationError(Code.HUB_UNREACHABLE, "the hub has gone", "see that `liaison-hub serve` runs")


def _line(message: Msg, *, as_json: bool) -> str:
    data, place = message.data, message.metadata
    shown = {
        "stream": place.stream,
        "seq": place.sequence.stream,
        "at": instant(int(place.timestamp.timestamp() * 1000)),
        "subject": message.subject,
        "size": len(data),
        "sha256": sha256(data).hexdigest()[:_HASH_DIGITS],
        "head": data[:_HEAD_BYTES].hex(),
        "tail": data[-_HEAD_BYTES:].hex(),
    }
    return json.dumps(shown) if as_json else "  ".join(str(value) for value in shown.values())


@asynccontextmanager
async def connected(
    settings: HubSettings, closed: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Client]:
    """A connection with the rights of the hub's commands. OperationError HUB_UNREACHABLE."""
    file = settings.state / URL_FILE
    if settings.nats is None and not file.exists():
        raise OperationError(
            Code.HUB_UNREACHABLE,
            f"no hub has run on {settings.state}",
            "start it with `liaison-hub serve`, or give --state",
        )
    urls = settings.nats_urls or file.read_text("ascii").strip().split(",")
    read_private(settings.control_credentials)
    rights = {"user_credentials": str(settings.control_credentials), "closed_cb": closed}
    async with dialled(urls, settings.tls_context(), own=settings.nats is not None, **rights) as nc:
        yield nc
