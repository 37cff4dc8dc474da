"""The node's service before hostile and clumsy requests: a coded refusal, and no content in the log."""

# ruff: noqa: ARG002 - a Protocol's methods take what they are given

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from schemas.vocabulary import Tlp
from subscribers.local import ClientIdentity, Role
from subscribers.records import Filters, NodeStatus, Page
from subscribers.service.answering import AT_ONCE_MAX, WAITING_MAX
from tests.support.local_nats import DEADLINE, connected, running_node
from tests.support.node_api import MemoryNode

MARKER = "unmistakable-marker-text"


async def ask(directory: Path, verb: str, payload: bytes, api: MemoryNode | None = None) -> dict[str, Any]:
    """The service's answer to one raw request by an administrator."""
    async with running_node(directory, api) as node:
        await node.local.add_client("desk", Role.ADMIN, Tlp.RED)
        async with connected(node.local, directory, "desk") as desk:
            answer = await desk.nc.request(f"node.{verb}", payload, timeout=DEADLINE)
    fields: dict[str, Any] = json.loads(answer.data)
    return fields


def draft(**fields: object) -> bytes:
    given = {
        "kind": "tactic",
        "language": "en",
        "severity": "low",
        "tlp": "TLP:GREEN",
        "title": "T",
        **fields,
    }
    return json.dumps(
        {"community": "alpha", "draft": {k: v for k, v in given.items() if v is not None}}
    ).encode()


REFUSED = {
    "not json": ("search", b"words", "bad_json"),
    "not an object": ("search", b"[]", "bad_json"),
    "not utf-8": ("search", b'{"words": "\xff"}', "bad_json"),
    "a key twice": ("show", b'{"ref": "a", "ref": "b"}', "bad_json"),
    "a float": ("latest", b'{"limit": 1.0}', "bad_json"),
    "too deep": ("latest", b'{"filters": ' + b"[" * 40 + b"]" * 40 + b"}", "bad_json"),
    "too long": ("search", b'{"words": "' + b"x" * 140_000 + b'"}', "too_large"),
    "an unknown field": ("search", b'{"words": "a", "more": 1}', "bad_request"),
    "a missing field": ("search", b"{}", "bad_request"),
    "an unknown kind": ("latest", b'{"filters": {"kinds": ["rumour"]}}', "bad_request"),
    "a number as text": ("latest", b'{"limit": "10"}', "bad_request"),
    "a page too large": ("latest", b'{"limit": 101}', "bad_request"),
    "a huge filter": (
        "latest",
        json.dumps({"filters": {"regions": [f"R{n}" for n in range(300)]}}).encode(),
        "bad_request",
    ),
    "a field where none is wanted": ("status", b'{"x": 1}', "bad_request"),
    "no marking": ("publish", draft(tlp=None), "missing_marking"),
    "red with history": ("publish", draft(tlp="TLP:RED", history="members"), "red_with_history"),
    "an unknown language": ("publish", draft(language="tlh"), "unknown_language"),
    "an identity of its own": ("publish", draft(ref="FRA-2026-0001"), "bad_draft"),
    "no community": ("publish", b'{"draft": {}}', "bad_request"),
    "a bad client name": ("client-add", b'{"name": "NODE"}', "bad_request"),
    "an unknown role": ("client-add", b'{"name": "x", "role": "root"}', "bad_request"),
    "an unknown client": ("client-remove", b'{"name": "x"}', "not_found"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_bad_requests_get_their_code_and_a_fix(tmp_path: Path, case: str) -> None:
    verb, payload, code = REFUSED[case]
    answer = await ask(tmp_path, verb, payload)
    assert list(answer) == ["error"]
    assert answer["error"]["code"] == code
    assert sorted(answer["error"]) == ["code", "fix", "message"]
    assert answer["error"]["fix"]


class Broken(MemoryNode):
    """A node with a defect that would tell what it was asked."""

    async def search(
        self,
        client: ClientIdentity,
        words: str,
        filters: Filters,
        limit: int,
        cursor: str | None,
        *,
        ranked: bool,
    ) -> Page:
        raise RuntimeError(words)


async def test_a_defect_is_internal_and_says_nothing(tmp_path: Path) -> None:
    structlog.reset_defaults()
    with capture_logs() as logs:
        answer = await ask(tmp_path, "search", json.dumps({"words": MARKER}).encode(), Broken())
    assert answer["error"]["code"] == "internal"
    assert MARKER not in json.dumps(answer)
    assert MARKER not in repr(logs)
    assert [(each["verb"], each["error"]) for each in logs if each["event"] == "request failed"] == [
        ("search", "RuntimeError")
    ]


async def test_neither_drafts_nor_refusals_reach_the_log_or_the_answer(tmp_path: Path) -> None:
    with capture_logs() as logs:
        taken = await ask(tmp_path / "a", "publish", draft(title=MARKER))
        refused = await ask(tmp_path / "b", "publish", draft(title=MARKER, severity=MARKER))
    assert taken["result"]["state"] == "queued"
    assert refused["error"]["code"] == "bad_draft"
    assert MARKER not in json.dumps([taken, refused])
    assert MARKER not in repr(logs)


class Slow(MemoryNode):
    """A node whose status waits for `go`, and which counts how many wait."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.full = asyncio.Event()
        self.waiting = 0

    async def status(self, client: ClientIdentity) -> NodeStatus:
        self.waiting += 1
        if self.waiting == AT_ONCE_MAX:
            self.full.set()
        await self.go.wait()
        return await super().status(client)


async def test_a_client_that_floods_is_refused_and_the_others_are_served(tmp_path: Path) -> None:
    api = Slow()
    async with running_node(tmp_path, api) as node, node.client("calm") as calm, asyncio.timeout(DEADLINE):
        await node.local.add_client("flood", Role.READER)
        async with connected(node.local, tmp_path, "flood") as flood:
            asking = [
                asyncio.create_task(flood.nc.request("node.status", timeout=DEADLINE))
                for _ in range(WAITING_MAX + 50)
            ]
            await api.full.wait()
            assert (await calm.latest(Filters())).items == []
            done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            assert json.loads(done.pop().result().data)["error"]["code"] == "node_unreachable"
            assert api.waiting == AT_ONCE_MAX
            api.go.set()
            answers = [json.loads(each.data) for each in await asyncio.gather(*asking)]
    assert sum("error" in each for each in answers) == 50


async def test_requests_of_one_client_are_answered_side_by_side(tmp_path: Path) -> None:
    api = Slow()
    async with running_node(tmp_path, api) as node, node.client() as agency, asyncio.timeout(DEADLINE):
        slow = asyncio.create_task(agency.status())
        assert (await agency.latest()).items == []
        api.go.set()
        assert (await slow).connected
