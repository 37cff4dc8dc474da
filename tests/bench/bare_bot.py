"""The floor of an officer's question: long polling, one raw request to the node, one answer. Nothing else.

`python -m tests.bench.bare_bot API_URL TOKEN NODE_URL SEED_FILE` says one line of JSON when it polls.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

import aiohttp
import nats
import uvloop
from nats.aio.client import Client

_PAGE: Final = 5
_POLL: Final = 20
_WAIT: Final = 10.0


async def _answer(nc: Client, text: str) -> str:
    command, _, words = text.partition(" ")
    request: dict[str, Any] = {"limit": _PAGE}
    if command == "/search":
        request["words"] = words
    answer = await nc.request(f"node.{command[1:]}", json.dumps(request).encode(), timeout=_WAIT)
    items = json.loads(answer.data)["result"]["items"]
    return "\n".join(each["bulletin"]["title"] for each in items) or "nothing"


async def _run(api: str, token: str, url: str, seed: str) -> None:
    nc = await nats.connect(url, nkeys_seed_str=seed)
    base, offset = f"{api}/bot{token}", 0
    async with aiohttp.ClientSession() as session:
        print(json.dumps({"event": "ready"}), flush=True)
        while True:
            query = {"offset": str(offset), "timeout": str(_POLL)}
            async with session.post(f"{base}/getUpdates", data=query) as got:
                updates = (await got.json())["result"]
            for update in updates:
                offset, message = update["update_id"] + 1, update["message"]
                text = await _answer(nc, message["text"])
                form = {"chat_id": str(message["chat"]["id"]), "text": text}
                async with session.post(f"{base}/sendMessage", data=form) as sent:
                    await sent.read()


if __name__ == "__main__":
    try:
        api_url, bot_token, node_url, seed_file = sys.argv[1:5]
        uvloop.run(_run(api_url, bot_token, node_url, Path(seed_file).read_text(encoding="ascii").strip()))
    except (asyncio.CancelledError, KeyboardInterrupt):
        sys.exit(0)
