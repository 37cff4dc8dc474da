"""How a sandbox is started."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bots.sandbox.limits import Limits
from bots.sandbox.world import BotAccount
from schemas.errors import Code, OperationError

LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh")
MAX_PORT = 65_535
_TOKEN = re.compile(r"[1-9][0-9]{5,14}:[A-Za-z0-9_-]{30,64}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")


@dataclass(frozen=True, slots=True)
class Officer:
    """A person who is there from the start: name, language code and (with several bots) a bot's username."""

    name: str
    language: str = "en"
    bot: str = ""


def new_token(bot_id: int = 7_000_000_001) -> str:
    """A random bot token of the real form."""
    return f"{bot_id}:{secrets.token_urlsafe(26)[:35]}"


def named_bots(named: Iterable[str]) -> tuple[BotAccount, ...]:
    """Accounts with fresh tokens, from `USERNAME` or `USERNAME:NAME`."""
    parts = (each.partition(":") for each in named)
    return tuple(
        BotAccount(new_token(7_000_000_001 + number), username, name or username)
        for number, (username, _, name) in enumerate(parts)
    )


def _default_bots() -> tuple[BotAccount, ...]:
    return (BotAccount(new_token()),)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Settings of one run; everything has a safe default.

    port: TCP port on 127.0.0.1, 0 for any free one. bots: the accounts that may call the Bot API. secret:
    opens the page and the control API. officers: people to begin with. clock: Unix seconds. limits: see
    `Limits`. webhook_backoff: seconds before a failed webhook is tried again, doubling. token_hex: random
    ids.
    """

    port: int = 0
    bots: tuple[BotAccount, ...] = field(default_factory=_default_bots)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    officers: tuple[Officer, ...] = ()
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = time.time
    webhook_backoff: float = 0.5
    token_hex: Callable[[int], str] = secrets.token_hex

    def check(self) -> None:
        """OperationError (`bad_settings`) when the sandbox could not start with these."""
        if not 0 <= self.port <= MAX_PORT:
            raise _bad("the port must be 0 to 65535", "choose a free port, or 0 to have one chosen")
        if not self.bots:
            raise _bad("a sandbox needs at least one bot", "leave `bots` out to have one made")
        if not all(_TOKEN.fullmatch(bot.token) for bot in self.bots):
            raise _bad("a bot token must look like 123456:AbC...", "use bots.sandbox.settings.new_token()")
        names = {bot.username for bot in self.bots}
        if len(names) < len(self.bots) or len({bot.id for bot in self.bots}) < len(self.bots):
            raise _bad("two bots share an id or a username", "give each its own")
        if not _SECRET.fullmatch(self.secret):
            raise _bad("the secret must be 16 to 128 of A-Z a-z 0-9 _ -", "leave it out to have one made")
        strange = {officer.bot for officer in self.officers} - names - {""}
        if strange:
            raise _bad(f"no bot is called {min(strange)}", "name one of the sandbox's bots")


def _bad(message: str, fix: str) -> OperationError:
    return OperationError(Code.BAD_SETTINGS, message, fix)
