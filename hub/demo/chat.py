"""People at the sandbox chat: they type, press buttons and read, over its control API
(bots/sandbox/README.md).
"""

import asyncio
import json
import re
from typing import Any, Final, Self

import aiohttp

from hub.demo.plan import Officer
from schemas.errors import Code, OperationError

WAIT_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.1
_REFERENCE: Final = re.compile(r"\b[A-Z][A-Z0-9]{1,7}-[0-9]{4}-[0-9]{4,7}\b")
_SAVE: Final = "sub:save:0"
"""Of a subscription that changes none."""
_CODE: Final = re.compile(r"start[ =]([A-Za-z0-9_-]{16,64})")

Message = dict[str, Any]


class Chats:
    """The private chats of the officers, by their names. `async with Chats(page_url) as chats: ...`"""

    def __init__(self, page_url: str) -> None:
        self._url = page_url.rstrip("/")
        self._session = aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=60))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def enrol(self, officer: Officer, code: str) -> None:
        """Type the invitation's code, and wait for the welcome."""
        before = len(await self.from_bot(officer.name))
        await self._say(officer.name, f"/start {code}")
        await self._button(officer.name, "sub:home", before)

    async def invited(self, inviter: Officer, name: str) -> str:
        """Ask the bot, as an administrator, for an invitation: the code."""
        before = len(await self.from_bot(inviter.name))
        await self._say(inviter.name, f"/invite {name}")
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                for message in (await self.from_bot(inviter.name))[before:]:
                    if found := _CODE.search(json.dumps(message, ensure_ascii=False)):
                        return found[1]
                await asyncio.sleep(_LOOK_SECONDS)

    async def subscribe(self, officer: Officer, *choices: str) -> None:
        """Open the menu, press what leads to `choices` (callback data), look at the preview, and save."""
        before = len(await self.from_bot(officer.name))
        await self._say(officer.name, "/subscribe")
        for data in (*choices, "sub:home", "sub:see", _SAVE):
            message = await self._button(officer.name, data, before)
            if message is not None:
                await self._act(officer.name, "press", message=message, data=data)
        await self._gone(officer.name, before)

    async def from_bot(self, name: str) -> list[Message]:
        """What the bot has written in an officer's chat, deleted messages left out."""
        chat = await self._chat(name)
        return [each for each in chat["messages"] if each["from_bot"] and not each["deleted"]]

    async def _button(self, name: str, data: str, after: int) -> int | None:
        """The message, among those after the first `after` of the bot, that has the button with `data`.

        None for `sub:home` where the menu already offers the preview: there is nothing to go back from.
        """
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                for message in (await self.from_bot(name))[after:]:
                    offered = buttons(message)
                    if data in offered:
                        return int(message["message_id"])
                    if data == "sub:home" and "sub:see" in offered:
                        return None
                await asyncio.sleep(_LOOK_SECONDS)

    async def _gone(self, name: str, after: int) -> None:
        """Wait until the menu has become the confirmation."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                if not any(_SAVE in buttons(each) for each in (await self.from_bot(name))[after:]):
                    return
                await asyncio.sleep(_LOOK_SECONDS)

    async def _say(self, name: str, text: str) -> None:
        await self._act(name, "say", text=text)

    async def _act(self, name: str, action: str, **body: object) -> None:
        chat = await self._chat(name)
        member = chat["members"][0]["id"]
        path = f"api/{chat['bot']}/{action}"
        await self._request("POST", path, {"chat": chat["id"], "user": member, **body})

    async def _chat(self, name: str) -> dict[str, Any]:
        state = await self._request("GET", "api/state")
        for bot in state["bots"]:
            for chat in bot["chats"]:
                if chat["title"] == name:
                    return {**chat, "bot": bot["id"]}
        raise OperationError(Code.NOT_FOUND, f"the sandbox has no {name}", "see its page")

    async def _request(self, verb: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            async with self._session.request(verb, f"{self._url}/{path}", json=body) as answer:
                decoded: dict[str, Any] = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            name = type(error).__name__
            raise OperationError(
                Code.INTERNAL, f"the sandbox does not answer: {name}", "see its log"
            ) from None
        if not answer.ok:
            raise OperationError(Code.BAD_REQUEST, str(decoded.get("message")), str(decoded.get("fix", "")))
        return decoded


def buttons(message: Message) -> set[str]:
    """The callback data of a message's buttons."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {button["callback_data"] for row in rows for button in row if "callback_data" in button}


def references(message: Message) -> set[str]:
    """The references of bulletins that a message shows."""
    return set(_REFERENCE.findall(str(message.get("text", ""))))
