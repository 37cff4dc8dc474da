"""`liaison-root` and `liaison-hub` as people and the demo run them: real processes from the first key to
a clean stop.
"""

import asyncio
import json
import re
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.serve import unix_milliseconds
from schemas.directory import Directory
from schemas.encoding import from_base64
from tests.support.frames import AgencyKit

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 120.0
# Each command is a new process, and a busy machine takes seconds to start one.
pytestmark = pytest.mark.timeout(600)


async def command(directory: Path, module: str, *arguments: str) -> tuple[int, str, str]:
    """Run a command in `directory`; exit code, stdout, stderr."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from hub.{module} import main; main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, *arguments),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    return process.returncode or 0, out.decode(), err.decode()


async def root(directory: Path, *arguments: str) -> dict[str, Any]:
    """`liaison-root ... --json`, which must succeed."""
    code, out, err = await command(directory, "ceremony_cli", *arguments, "--json")
    assert code == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


async def hub(directory: Path, *arguments: str) -> dict[str, Any]:
    """`liaison-hub ... --json`, which must succeed."""
    code, out, err = await command(directory, "cli", *arguments, "--state", "HUB", "--json")
    assert code == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


@asynccontextmanager
async def started(
    directory: Path, *arguments: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """A long-running `liaison-hub` command, and its first line of JSON; terminated and checked on the way
    out.
    """
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from hub.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, *arguments, "--state", "HUB", "--json"),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), DEADLINE)
        yield process, json.loads(line)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), DEADLINE) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def founded(directory: Path) -> str:
    """Everything before `serve`, as the guide says it; the root's fingerprint."""
    made = await root(directory, "create", "SEC", "--keys", "2-of-3", "--registrar", "1-of-2")
    await hub(directory, "init", "--name", "Centre")
    await root(
        directory, "sign-hub", "HUB/hub-request.dsse", "--key", "SEC/registrar-1.key", "--out", "hub.dsse"
    )
    installed = await hub(directory, "install", "SEC/root.dsse", "hub.dsse")
    assert installed["fingerprint"] == made["fingerprint"]
    fingerprint: str = made["fingerprint"]
    return fingerprint


def private_modes(directory: Path) -> list[int]:
    """The modes of all files that hold keys."""
    private = [path for path in directory.rglob("*") if path.suffix in {".key", ".nk", ".creds"}]
    return [stat.S_IMODE(path.stat().st_mode) for path in private]


@pytest.mark.slow
async def test_from_nothing_to_a_running_hub(tmp_path: Path) -> None:
    fingerprint = await founded(tmp_path)
    assert private_modes(tmp_path) == [0o600] * (5 + 4 + 2)
    kit = AgencyKit("fra", "Services de liaison", "FRA")
    (tmp_path / "fra.request").write_bytes(kit.enrolment(unix_milliseconds()))
    signed = await root(
        tmp_path, "sign-agency", "fra.request", "--key", "SEC/registrar-2.key", "--out", "fra.dsse"
    )
    assert (signed["agency"], signed["missing"]) == ("fra", 0)
    async with started(tmp_path, "serve", "--port", "0", "--metrics-port", "0") as (process, ready):
        assert ready["event"] == "ready"
        assert ready["pid"] == process.pid
        assert ready["fingerprint"] == fingerprint
        assert ready["nats"].endswith(f":{ready['port']}")
        code, _, err = await command(tmp_path, "cli", "serve", "--state", "HUB", "--port", "0", "--json")
        assert (code, json.loads(err)["code"]) == (1, "already_running")
        async with started(tmp_path, "watch") as (watch, first):
            assert first["event"] == "watching"
            assert watch.stdout is not None
            await admitted_and_heard(tmp_path, fingerprint)
        status = await hub(tmp_path, "status")
        assert status["ok"]
        assert [each["id"] for each in status["agencies"]] == ["fra"]
        done = await hub(tmp_path, "suspend", "fra")
        assert done["endpoints"] == [status["agencies"][0]["endpoints"][0]["public"]]
        assert (await hub(tmp_path, "status"))["agencies"][0]["endpoints"][0]["suspended"]
        assert await hub(tmp_path, "resume", "fra") == done
        assert (await hub(tmp_path, "quarantine"))["entries"] == []
        code, _, err = await command(tmp_path, "cli", "suspend", "nobody", "--state", "HUB")
        assert code == 1
        assert err.startswith("not_found: ")
        code, text, _ = await command(tmp_path, "cli", "status", "--state", "HUB", "--prometheus")
        held = re.search(r'liaison_stream_messages{stream="DIRECTORY"} (\d+)', text)
        assert held  # three documents, and the heads and offers of their log
        assert int(held[1]) > 3
        await looked_after(tmp_path, ready["metrics"])
    code, _, err = await command(tmp_path, "cli", "status", "--state", "HUB", "--json")
    assert (code, json.loads(err)["code"]) == (3, "hub_unreachable")


async def looked_after(directory: Path, metrics: str) -> None:
    """What there is for whoever looks after the hub."""
    assert await fetched(metrics, "/healthz") == (200, "ok\n")
    assert await fetched(metrics, "/readyz") == (200, "ready\n")
    code, text = await fetched(metrics, "/metrics")
    assert code == 200
    assert 'liaison_endpoint_suspended{agency="fra"' in text
    code, text, _ = await command(directory, "cli", "status", "--state", "HUB")
    assert code == 0
    assert "Centre" in text
    code, text, _ = await command(directory, "cli", "doctor", "--state", "HUB", "--json")
    found = json.loads(text)
    assert (code == 0) == found["ok"]
    assert [each["check"] for each in found["findings"] if not each["ok"] and each["check"] != "disk"] == []
    exported = await hub(directory, "audit", "export", "audit.jsonl")
    assert exported["entries"] == len((directory / "audit.jsonl").read_text().splitlines())
    assert await hub(directory, "audit", "verify", "--since", exported["since"]) == exported


async def fetched(url: str, path: str) -> tuple[int, str]:
    """What an HTTP server on loopback answers: its status and its text."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode())
        head, _, text = (await asyncio.wait_for(reader.read(), DEADLINE)).decode().partition("\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    return int(head.split()[1]), text


async def admitted_and_heard(directory: Path, fingerprint: str) -> None:
    made = await hub(directory, "admit", "fra.request", "fra.dsse", "--out", "admission.json")
    admission = json.loads((directory / "admission.json").read_text())
    assert admission["endpoint"] == made["endpoint"]
    pinned = from_base64(admission["root"], 65_536)
    assert sha256(pinned).hexdigest() == fingerprint == admission["fingerprint"]
    Directory.pinned(pinned, bytes.fromhex(fingerprint))
    assert (await root(directory, "show", "admission.json"))["fingerprint"] == fingerprint
    assert await hub(directory, "admit", "fra.request", "fra.dsse", "--out", "again.json") == {
        **made,
        "out": "again.json",
    }


@pytest.mark.slow
async def test_a_rotation_is_countersigned_and_handed_in(tmp_path: Path) -> None:
    await founded(tmp_path)
    keys = ["--key", "SEC/root-1.key"]
    made = await root(tmp_path, "rotate", "SEC/root.dsse", *keys, "--keys", "1-of-2", "--out", "SEC2")
    assert made["missing"] == 1
    async with started(tmp_path, "serve", "--port", "0"):
        code, _, err = await command(tmp_path, "cli", "submit", "SEC2/root.dsse", "--state", "HUB")
        assert code == 1
        assert err.startswith("below_threshold: ")
        await root(tmp_path, "countersign", "SEC2/root.dsse", "--key", "SEC/root-3.key")
        assert (await hub(tmp_path, "submit", "SEC2/root.dsse"))["size"] == 3
    async with started(tmp_path, "serve", "--port", "0") as (_, ready):
        assert ready["event"] == "ready"


async def test_what_is_missing_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    for arguments, wanted in (
        (("serve",), "not_found: HUB holds no hub (run `liaison-hub init` first)"),
        (("status",), "hub_unreachable: "),
        (("install", "no.dsse", "no.dsse"), "not_found: no.dsse cannot be read"),
        (("init", "--state", "taken/HUB"), "bad_request: taken/HUB: Not a directory (choose another place)"),
    ):
        code, _, err = await command(tmp_path, "cli", *arguments[:1], "--state", "HUB", *arguments[1:])
        assert code in {1, 3}
        assert err.startswith(wanted)
    await hub(tmp_path, "init", "--nats-config", "operator.conf")
    assert "operator: " in (tmp_path / "operator.conf").read_text()
    code, _, err = await command(tmp_path, "cli", "serve", "--state", "HUB")
    assert code == 1
    assert "root.dsse is not there yet" in err


@pytest.mark.parametrize(
    "arguments, wanted",
    [
        (("create", "SEC", "--keys", "3-of-2"), "bad_request: '3-of-2' is not m-of-n"),
        (
            ("sign-hub", "x", "--key", "SEC/root-1.key", "--out", "y"),
            "not_found: SEC/root.dsse cannot be read",
        ),
        (("show", "none"), "not_found: none cannot be read"),
    ],
)
async def test_the_secretariat_is_told_what_is_wrong(
    tmp_path: Path, arguments: tuple[str, ...], wanted: str
) -> None:
    code, _, err = await command(tmp_path, "ceremony_cli", *arguments)
    assert code == 1
    assert err.startswith(wanted)
