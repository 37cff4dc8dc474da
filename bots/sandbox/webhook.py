"""Updates by webhook: posted one after another to the bot's own address, confirmed by a 2xx answer.

Only loopback addresses are accepted (plain HTTP there, as the public server allows in its local mode): the
sandbox reaches nothing outside. A method call in the answer's body is not carried out; aiogram's default
handler sends none.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from bots.sandbox.model import Json
from bots.sandbox.refusals import refuse
from bots.sandbox.updates import DEFAULT_TYPES
from bots.sandbox.world import World

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BACKOFF = 30.0
ANSWER_SECONDS = 30.0
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")


@dataclass(slots=True)
class _Target:
    url: str
    secret: str = field(repr=False)
    last_error: str = ""
    last_error_date: int = 0


class Webhook:
    """The webhook of one bot: unset at first. `first_backoff`: seconds to pause after a failure."""

    def __init__(self, world: World, *, first_backoff: float = 0.5) -> None:
        self._world = world
        self._first_backoff = first_backoff
        self._target: _Target | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def active(self) -> bool:
        """Whether polling is refused."""
        return self._target is not None

    async def set(self, url: str, secret: str, allowed: list[object] | None, *, drop: bool) -> bool:
        """setWebhook; an empty URL removes the webhook."""
        if not _SECRET.fullmatch(secret):
            raise refuse("webhook-secret")
        if url and not _on_loopback(url):
            raise refuse("webhook-url")
        await self.close()
        if drop:
            self._world.updates.clear()
        self._world.updates.allowed = allowed_types(allowed, self._world.updates.allowed)
        if url:
            self._world.updates.end_poll()
            self._target = _Target(url, secret)
            self._task = asyncio.create_task(self._deliver(self._target))
        return True

    async def close(self) -> None:
        """Stop delivering."""
        self._target = None
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def info(self) -> Json:
        """bots/api#webhookinfo"""
        wire: Json = {
            "url": self._target.url if self._target else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self._world.updates),
        }
        if self._world.updates.allowed != DEFAULT_TYPES:
            wire["allowed_updates"] = sorted(self._world.updates.allowed)
        if self._target and self._target.last_error:
            wire["last_error_date"] = self._target.last_error_date
            wire["last_error_message"] = self._target.last_error
        return wire

    async def _deliver(self, target: _Target) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        headers = {SECRET_HEADER: target.secret} if target.secret else {}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=False) as session:
            failures = 0
            while True:
                await self._world.updates.wait()
                for update in self._world.updates.peek():
                    error = await _post(session, target.url, update)
                    if not error:
                        self._world.updates.confirm(update["update_id"] + 1)
                        failures = 0
                        continue
                    target.last_error, target.last_error_date = error, int(self._world.clock())
                    await asyncio.sleep(min(self._first_backoff * 2**failures, MAX_BACKOFF))
                    failures += 1


async def _post(session: aiohttp.ClientSession, url: str, update: Json) -> str:
    """Post one update; "" when it was taken, else what getWebhookInfo says about it."""
    try:
        async with session.post(url, json=update, allow_redirects=False) as answer:
            if answer.ok and answer.status < 300:  # noqa: PLR2004 - any 2xx confirms
                return ""
            return f"Wrong response from the webhook: {answer.status} {answer.reason}"
    except TimeoutError:
        return "Read timeout expired"
    except aiohttp.ClientError as error:
        return f"Connection failed: {type(error).__name__}"


def allowed_types(wanted: list[object] | None, before: frozenset[str]) -> frozenset[str]:
    """`allowed_updates`: None (absent) leaves what was set `before`, [] means all kinds."""
    if wanted is None:
        return before
    names = frozenset(name for name in wanted if isinstance(name, str))
    return names & DEFAULT_TYPES if names else DEFAULT_TYPES


def _on_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in {"http", "https"}:
            return False
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
