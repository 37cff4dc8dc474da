"""The demonstration as it is started: without a person, with sealing switched off, and to watch."""

import asyncio
import json
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.demo import plan
from schemas.errors import Code
from schemas.receipts import ADMITTED
from schemas.traces import Stage
from tests.support.collector import Collected, collecting
from tests.support.confined import USER, confined, open_place, why_not
from tests.support.demo import ROOT, headless, interactive, using
from tests.support.js_reader import LIMIT, build, has_node

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


async def test_nothing_is_missing_doubled_or_readable() -> None:
    with open_place() as place:
        before = confined(place / "in")  # where it can be: nobody's rights, and one directory to write to
        world = place / "in" / "world"
        async with collecting() as collected:
            finished = await headless(
                "--bulletins", "40", directory=world, before=before, traces=collected.url
            )
        assert using(str(place)) == []
    report = finished.report
    assert report["problems"] == []
    assert (finished.status, report["ok"]) == (0, True)
    assert report["published"] == report["admitted"] == 40
    assert report["digests"] == 3
    assert report["received"] == report["archived"]
    assert report["received"]["fr-dvt"] == 43
    assert 0 < report["local_subjects"] < report["received"]["kz-cab"]
    assert set(report["chat_alerts"]) == {each.name for each in plan.OFFICERS}
    assert min(report["chat_alerts"].values()) > 0
    assert report["refused"] == dict.fromkeys(
        (
            *("not_member", "bad_signature", "unknown_key", "subject_mismatch"),
            *("bad_version", "bad_header", "truncated"),
        ),
        1,
    )
    assert report["refused_by_nats"] == 1
    assert report["refused_at_node"] == {"unknown_community": 1}
    assert report["p50_ms"] <= report["p99_ms"]
    assert report["searched"]["markers"] == 40
    assert report["leaks"] == []
    every_stage_is_traced_and_no_text(collected)


def every_stage_is_traced_and_no_text(collected: Collected) -> None:
    """What hub, nodes and bots told of a bulletin joins; all that any of them told is of a closed form."""
    whole = [found for found in collected.traces().values() if {each.name for each in found} == set(Stage)]
    joined = [
        found for found in whole if {each.parent for each in found} - {""} <= {each.span for each in found}
    ]
    assert joined, {each.name for each in collected.spans}
    for found in joined:
        (root,) = {each.span for each in found if each.name == Stage.BULLETIN}
        assert {each.name for each in found if each.parent == root} >= {
            Stage.INTAKE,
            Stage.RECEIVED,
            Stage.READ,
        }
        assert {each.who for each in found} == {"liaison-hub", "liaison-node", "liaison-bot"}
    words = {ADMITTED, *map(str, Code)}
    for span in collected.spans:
        assert span.name in set(Stage)
        assert 0 < span.start <= span.end
        for name, value in span.facts.items():
            assert name in {"liaison.code", "liaison.bytes", "liaison.sequence", "liaison.jobs"}
            assert value in words if name == "liaison.code" else type(value) is int
    exported = b"".join(collected.raw).lower()
    names = [each.name for each in (*plan.AGENCIES, *plan.OFFICERS)]
    for word in (*names, *(each.slug for each in plan.COMMUNITIES), *(each.id for each in plan.AGENCIES)):
        assert word.lower().encode() not in exported


def test_a_confined_program_has_no_rights_and_one_directory() -> None:
    if reason := why_not():
        pytest.skip(reason)
    with open_place() as place:
        inside, outside = place / "in" / "new", f"{place}/out {ROOT}/out /usr/out"
        tries = f"id -u; touch {inside}; touch {outside} && echo wrote; chroot / true"
        command = [*confined(place / "in"), "sh", "-c", tries]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout == f"{USER}\n"
        assert done.stderr.count("Read-only file system") == 3
        assert "chroot" in done.stderr
        assert inside.exists()


async def test_the_search_fails_when_sealing_is_switched_off(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for package in ("schemas", "hub", "subscribers", "bots"):
        shutil.copytree(ROOT / package, copy / package)  # with what is compiled, which is valid there, too
    sealing = copy / "subscribers" / "sealing.py"
    text = sealing.read_text("utf-8")
    for call, instead in (("encrypt", "padded + bytes(16)"), ("decrypt", "sealed[:-16]")):
        pattern = rf"crypto_aead_xchacha20poly1305_ietf_{call}\([^)]*bytes\(epoch_key\.aead\)\s*\)"
        text, times = re.subn(pattern, instead, text)
        assert times == 1, "the sealing module has changed: mend this test"
    sealing.write_text(text, "utf-8")

    finished = await headless("--bulletins", "6", "--no-chat", tree=copy)
    report = finished.report
    assert (finished.status, report["ok"]) == (1, False)
    assert report["admitted"] == 6
    assert report["received"]["fr-dvt"] > 0  # everything else still works: only the search tells
    assert {each["marker"] for each in report["leaks"]}.issuperset(_markers(report))
    files = {each["file"] for each in report["leaks"]}
    assert all(file.startswith("hub/nats/store/") for file in files)
    assert any("/TRAFFIC/" in file for file in files)
    assert all(problem.startswith("plaintext in hub/") for problem in report["problems"])
    assert "plaintext in hub/" in finished.said


def _markers(report: dict[str, list[dict[str, str]]]) -> set[str]:
    found = {each["marker"] for each in report["leaks"]}
    assert len(found) == 6
    return found


async def test_people_watch_both_sides_and_publish_their_own() -> None:
    async with interactive("--pace", "0.3") as (process, told), aiohttp.ClientSession() as session:
        page = told["page"]
        world = await (await session.get(f"{page}api/world")).json()
        assert [each["id"] for each in world["agencies"]] == [each.id for each in plan.AGENCIES]
        own = {
            "agency": "fr-dvt",
            "community": "cyber-propaganda",
            "kind": "notice",
            "severity": "high",
            "tlp": "TLP:GREEN",
            "language": "en",
            "title": "Words of a visitor",
            "body": "Only for readers",
        }
        published = await (await session.post(f"{page}api/publish", json=own)).json()
        assert published["state"] in {"admitted", "queued"}
        wanted = {
            ("bulletin", "fr-dvt"),
            ("bulletin", "kz-cab"),
            ("bulletin", "un-cell"),
            ("pair", ""),
        }
        seen: set[tuple[str, str]] = set()
        async with asyncio.timeout(120), session.get(f"{page}api/events") as stream:
            async for line in stream.content:
                if line.startswith(b"data: "):
                    event = json.loads(line[6:])
                    if event.get("id") == published["id"] and event["type"] != "timing":
                        seen.add((event["type"], event.get("agency", "")))
                    if event["type"] == "hub":
                        assert "visitor" not in json.dumps(event)
                if seen >= wanted:
                    break
        assert ("bulletin", "jo-mrs") not in seen
        broken = await session.post(f"{page}api/publish", json={**own, "tlp": "TLP:PINK"})
        assert (broken.status, (await broken.json())["code"]) == (409, "missing_marking")
        tried = await (await session.post(f"{page}api/intruder", json={})).json()
        assert {each["code"] for each in tried["refused"]} >= {"not_member", "bad_signature"}
        assert (await session.get(page, headers={"Host": "evil.example"})).status == 403
        assert (await session.get(page[:-4] + "XXX/")).status == 404
        foreign = await session.post(f"{page}api/pause", json={}, headers={"Origin": "http://evil.example"})
        assert foreign.status == 403
        if has_node():
            await reads_elsewhere(told["guest"])
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    assert using(told["directory"]) == []
    assert not Path(told["directory"]).exists()  # noqa: ASYNC240 - a single look, and nothing else runs


async def reads_elsewhere(options: str) -> None:
    """The second implementation, started with what the demonstration says, opens bulletins as they come."""
    program = await build() / "read.js"
    reader = await asyncio.create_subprocess_exec(
        *("node", str(program), *shlex.split(options)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert reader.stdout
        async with asyncio.timeout(LIMIT):
            told: dict[str, Any] = {}
            while (
                told.get("slug") != plan.FOREIGN_FIGHTERS.slug
            ):  # known with the card, sealed for a newcomer
                told = json.loads(await reader.stdout.readline())
                assert told["event"] != "refused", told
        assert told["bulletin"]["title"]
        reader.send_signal(signal.SIGTERM)
        assert await reader.wait() == 0
    finally:
        if reader.returncode is None:
            reader.kill()
            await reader.wait()
