"""A person at the sandbox, for tests and the headless demo: writes, presses buttons, waits for answers.

Everything goes over the control API; waiting is driven by the event stream, never by asking again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

import aiohttp

from schemas.errors import Code, OperationError

Message = dict[str, Any]
Predicate = Callable[[Message], bool]
DEADLINE = 60.0


class SandboxClient:
    """Follows one sandbox. `async with SandboxClient(sandbox.page_url) as client: ...`"""

    def __init__(self, page_url: str) -> None:
        self._url = page_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._follower: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._broken = ""
        self._users: dict[tuple[int, int], SandboxUser] = {}
        self._default_bot = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=DEADLINE), trust_env=False
        )
        try:
            state = await self._request("GET", "api/state")
            self._default_bot = state["bots"][0]["id"]
            for bot in state["bots"]:
                for chat in bot["chats"]:
                    self._adopt(bot["id"], chat)
            self._follower = asyncio.create_task(self._follow(state["seq"]))
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop following."""
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @property
    def users(self) -> list[SandboxUser]:
        """Everyone known, in every chat, groups included."""
        return list(self._users.values())

    def user(self, name: str) -> SandboxUser:
        """The person (or group) of this name; OperationError when there is none."""
        for user in self._users.values():
            if user.name == name:
                return user
        raise OperationError(Code.NOT_FOUND, f"nobody in the sandbox is called {name}", "add the user first")

    async def add_user(self, name: str, language: str = "en", bot: int | str = 0) -> SandboxUser:
        """A new person with a private chat with the bot (id or username; the first one by default)."""
        chat = await self.act("user", bot, name=name, language=language)
        return self._adopt(chat["bot"], chat)

    async def add_group(self, title: str, members: list[SandboxUser]) -> SandboxUser:
        """A new group with the bot in it; what is sent through the result is sent by its first member."""
        chat = await self.act(
            "group", members[0].bot, title=title, members=[user.chat_id for user in members]
        )
        return self._adopt(chat["bot"], chat)

    async def fault(self, method: str, kind: str, *, bot: int | str = 0, **options: int) -> None:
        """Plan a fault: kinds in `FaultKind`; options times, chat_id, retry_after, migrate_to."""
        await self.act("fault", bot, method=method, kind=kind, **options)

    async def calls(self, bot: int | str = 0) -> dict[str, dict[str, int]]:
        """Calls so far: method -> status ("0" is a closed connection) -> count."""
        counted: dict[str, dict[str, int]] = await self.act("calls", bot)
        return counted

    async def act(self, action: str, bot: int | str = 0, **body: object) -> Any:  # noqa: ANN401 - JSON
        """Any action of the control API."""
        return await self._request("POST", f"api/{bot or self._default_bot}/{action}", json.dumps(body))

    async def upload(self, user: SandboxUser, name: str, content: bytes, caption: str) -> Message:
        """Send a document as a person."""
        query = {"name": name, "caption": caption, "user": str(user.id)}
        path = f"api/upload/{user.bot}/{user.chat_id}"
        sent: Message = await self._request("POST", path, content, query)
        return sent

    async def until(self, ready: Callable[[], Message | None], what: str, deadline: float) -> Message:
        """Wait for `ready()` to give something; it is asked after each change."""
        found: list[Message] = []

        def check() -> bool:
            result = ready()
            if result is not None:
                found.append(result)
            return bool(found) or bool(self._broken)

        async with self._changed:
            try:
                async with asyncio.timeout(deadline):
                    await self._changed.wait_for(check)
            except TimeoutError as error:
                raise OperationError(
                    Code.NOT_FOUND, f"no {what} within {deadline} s", "look at the bot's log"
                ) from error
        if not found:
            raise OperationError(Code.NOT_FOUND, f"the sandbox went away: {self._broken}", "start it again")
        return found[0]

    def _adopt(self, bot: int, chat: Message) -> SandboxUser:
        known = self._users.get((bot, chat["id"]))
        if known is not None:
            return known
        user = SandboxUser(self, bot, chat)
        self._users[bot, chat["id"]] = user
        return user

    async def _request(
        self, verb: str, path: str, body: str | bytes | None = None, query: dict[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - JSON
        if self._session is None:
            raise OperationError(Code.BAD_REQUEST, "the client is not open", "use `async with`")
        try:
            async with self._session.request(
                verb, f"{self._url}/{path}", data=body, params=query, timeout=aiohttp.ClientTimeout(DEADLINE)
            ) as answer:
                decoded = json.loads(await answer.text())
                if not answer.ok:
                    raise OperationError(Code.BAD_REQUEST, decoded["message"], decoded["fix"])
                return decoded
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OperationError(
                Code.NODE_UNREACHABLE,
                f"the sandbox does not answer: {type(error).__name__}",
                "is it running?",
            ) from error

    async def _follow(self, seq: int) -> None:
        if self._session is None:
            return
        try:
            async with self._session.get(f"{self._url}/api/events", params={"after": str(seq)}) as answer:
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        async with self._changed:
                            self._take(json.loads(line[6:]))
                            self._changed.notify_all()
            self._broken = "the stream of events ended"
        except (aiohttp.ClientError, ValueError) as error:
            self._broken = type(error).__name__
        async with self._changed:
            self._changed.notify_all()

    def _take(self, event: Message) -> None:
        if "type" not in event:
            return
        data, bot = event["data"], event["bot"]
        if event["type"] == "chat":
            self._adopt(bot, data).standing = data["standing"]
        elif "chat_id" in data and (bot, data["chat_id"]) in self._users:
            self._users[bot, data["chat_id"]].take(event["type"], data)


class SandboxUser:
    """One chat seen from a person's side. Messages by the bot wait in an inbox until `next_message` takes
    them.
    """

    def __init__(self, client: SandboxClient, bot: int, chat: Message) -> None:
        self.client = client
        self.bot = bot
        self.chat_id: int = chat["id"]
        self.id: int = chat["members"][0]["id"]
        self.name: str = chat["title"]
        self.standing: str = chat["standing"]
        self.messages: dict[int, Message] = {each["message_id"]: each for each in chat.get("messages", [])}
        self._inbox: list[Message] = []
        self._edits: list[Message] = []
        self._answers: dict[str, Message] = {}

    def take(self, kind: str, data: Message) -> None:
        """A change in this chat, from the stream."""
        if kind in {"answer", "inline"}:
            self._answers[data["query_id"]] = data
        elif kind == "delete" and data["message_id"] in self.messages:
            self.messages[data["message_id"]]["deleted"] = True
        elif kind in {"message", "edit"}:
            self.messages[data["message_id"]] = data
            if data["from_bot"]:
                (self._inbox if kind == "message" else self._edits).append(data)

    async def send(self, text: str) -> Message:
        """Write to the bot."""
        sent: Message = await self.client.act("say", self.bot, chat=self.chat_id, user=self.id, text=text)
        return sent

    async def forward(self, text: str, source: str) -> Message:
        """Pass on to the bot what `source` wrote."""
        body = {"chat": self.chat_id, "user": self.id, "text": text, "forwarded_from": source}
        sent: Message = await self.client.act("say", self.bot, **body)
        return sent

    async def upload(self, name: str, content: bytes, caption: str = "") -> Message:
        """Send a document to the bot."""
        return await self.client.upload(self, name, content, caption)

    async def next_message(self, wanted: Predicate | None = None, deadline: float = DEADLINE) -> Message:
        """The first untaken message by the bot that fits; others stay. OperationError after `deadline`
        seconds.
        """
        return await self.client.until(lambda: _pop(self._inbox, wanted), f"message to {self.name}", deadline)

    async def next_edit(self, wanted: Predicate | None = None, deadline: float = DEADLINE) -> Message:
        """The first untaken edit by the bot that fits."""
        return await self.client.until(lambda: _pop(self._edits, wanted), f"edit for {self.name}", deadline)

    async def ask(self, text: str, deadline: float = DEADLINE) -> Message:
        """Write, and take the next message by the bot. What waited in the inbox before is dropped."""
        self._inbox.clear()
        await self.send(text)
        return await self.next_message(deadline=deadline)

    async def press(
        self, label: str, message: Message | None = None, *, answered: bool = True, deadline: float = DEADLINE
    ) -> Message:
        """Press the newest button whose text is `label` (or contains it), in `message` if given.

        Returns the bot's answer to the callback query (`text`, `show_alert`), or {} when `answered` is False.
        """
        looked = [message] if message is not None else list(reversed(self.messages.values()))
        for each in looked:
            current = self.messages.get(each["message_id"], each)
            data = _find_button(current, label)
            if data is not None:
                return await self._press(current["message_id"], data, answered=answered, deadline=deadline)
        raise OperationError(Code.NOT_FOUND, f"{self.name} sees no button {label}", "read the transcript")

    async def inline(self, text: str, deadline: float = DEADLINE) -> Message:
        """Type after the bot's name in some other chat; the bot's answer (`results`, `is_personal`,
        `cache_time`).
        """
        typed = await self.client.act("inline", self.bot, chat=self.chat_id, text=text)
        query_id: str = typed["query_id"]
        return await self.client.until(
            lambda: self._answers.pop(query_id, None), "answer to what was typed inline", deadline
        )

    async def _press(self, message_id: int, data: str, *, answered: bool, deadline: float) -> Message:
        pressed = await self.client.act(
            "press", self.bot, chat=self.chat_id, user=self.id, message=message_id, data=data
        )
        query_id: str = pressed["query_id"]
        if not answered:
            return {}
        return await self.client.until(
            lambda: self._answers.pop(query_id, None), "answer to a button", deadline
        )

    async def transcript(self) -> list[Message]:
        """All messages of the chat as the sandbox has them, deleted ones marked."""
        chat = await self.client.act("transcript", self.bot, chat=self.chat_id)
        messages: list[Message] = chat["messages"]
        return messages

    async def block(self) -> None:
        """Block the bot."""
        await self.client.act("block", self.bot, chat=self.chat_id, user=self.id)

    async def unblock(self) -> None:
        """Unblock the bot."""
        await self.client.act("unblock", self.bot, chat=self.chat_id, user=self.id)


def _pop(waiting: list[Message], wanted: Predicate | None) -> Message | None:
    for index, message in enumerate(waiting):
        if wanted is None or wanted(message):
            return waiting.pop(index)
    return None


def _find_button(message: Message, label: str) -> str | None:
    """The callback data of the button `label`; an exact text wins over one that contains it."""
    if message.get("deleted"):
        return None
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    buttons = [button for row in rows for button in row if "callback_data" in button]
    exact = [button for button in buttons if button["text"] == label]
    close = [button for button in buttons if label in button["text"]]
    return next((str(button["callback_data"]) for button in exact or close), None)
