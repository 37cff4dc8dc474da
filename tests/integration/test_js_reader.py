"""The reader in TypeScript (`subscribers/js`), written from FORMAT.md: it agrees with this code on every
vector, in Node and in a browser, and reads live from a hub over WebSocket.
"""

import base64
import contextlib
import importlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.js_reader import LIMIT, build, has_node, run
from tests.support.sandbox import CHROMIUM, CHROMIUM_FLAGS, PATIENT_MS, has_chromium
from tests.support.world import Program, World
from tests.vectors.runner import BLOBS, FOLDER, base

PAGE: Final = "http://localhost/"
"""Answered by the test itself. A secure context, as the browser's cryptography wants it."""

pytestmark = [
    pytest.mark.skipif(not has_node(), reason="Node.js is not installed"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
]


def vectors() -> list[Path]:
    """Every case that a reader needs: all but those of a hub."""
    return [path for path in FOLDER.glob("*/*.json") if path.parent.name not in {"hub", "standards"}]


def blobs() -> dict[str, str]:
    """What hubs answer with in the cases, by its name."""
    return {path.stem: base64.b64encode(path.read_bytes()).decode() for path in BLOBS.glob("*.bin")}


@pytest.fixture
async def built() -> Path:
    """The reader's programs."""
    return await build()


@pytest.mark.usefixtures("built")
async def test_every_vector_in_node() -> None:
    status, said = await run("node", "--test", "--test-reporter=tap", "build/test/vectors.test.js")
    assert status == 0, "\n".join(line for line in said.splitlines() if line.startswith("not ok"))
    assert f"# pass {len(vectors())}\n" in said


@pytest.mark.usefixtures("built")
async def test_what_comes_again_is_no_news() -> None:
    status, said = await run("node", "--test", "--test-reporter=tap", "build/test/reader.test.js")
    assert (status, "# pass 1\n" in said) == (0, True), said


@pytest.mark.browser
@pytest.mark.skipif(not has_chromium(), reason=f"no Chromium at {CHROMIUM}: install it to try the page")
async def test_every_vector_in_a_browser(built: Path) -> None:
    cases = [json.loads(path.read_text("utf-8")) for path in vectors()]
    async with empty_page() as page:
        await page.add_script_tag(path=built / "test" / "browser.js")
        given = [{**base(), "blobs": blobs()}, cases]
        wrong = await page.evaluate("([base, cases]) => globalThis.vectors(base, cases)", given)
    assert wrong == []


@contextlib.asynccontextmanager
async def new_page() -> AsyncIterator[Any]:
    """A page of a real Chromium."""
    playwright = importlib.import_module("playwright.async_api")
    async with playwright.async_playwright() as engine:
        chromium = await engine.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS), timeout=PATIENT_MS
        )
        try:
            yield await chromium.new_page()
        finally:
            await chromium.close()


@contextlib.asynccontextmanager
async def empty_page() -> AsyncIterator[Any]:
    """A page that asks nobody for anything."""
    async with new_page() as page:
        await page.route("**/*", lambda route: route.fulfill(body="", content_type="text/html"))
        await page.goto(PAGE)
        yield page


def reader(world: World, built: Path, state: Path) -> Program:
    """The program `read.ts` as an endpoint of an agency whose node does not run."""
    admission = world.directory / f"{state.name}.json"
    words = ("--state", state, "--admission", admission, "--root-fingerprint", world.fingerprint, "--follow")
    return Program(world.directory, world.directory / "reader.log", "node", built / "read.js", *words)


@contextlib.asynccontextmanager
async def reading(program: Program) -> AsyncIterator[None]:
    """Let it run while the block is entered; then it must end well when told."""
    await program.launch()
    try:
        yield
        assert await program.stop() == 0, program.log
    finally:
        await program.kill()


async def until(program: Program, event: str) -> list[dict[str, Any]]:
    """Everything that it says up to an event of this name, which is the last."""
    said: list[dict[str, Any]] = []
    while not said or said[-1]["event"] != event:
        line = await program.line()
        assert line, f"it ended: {program.log}"
        said.append(json.loads(line))
    return said


@pytest.mark.asyncio(loop_scope="session")
async def test_it_reads_live_over_websocket(built: Path, world: World) -> None:
    """It binds its own keys, is given wraps, opens what is meant for it, and goes on where it was."""
    fra = await world.agency("fra")
    program = reader(world, built, (await world.prepare("js-reader")).state)
    async with reading(program):
        assert [each["event"] for each in await until(program, "ready")] == ["ready"]
        made = await fra.found()
        other = await fra.found()
        async with fra.client() as agency:
            await agency.community_add(made.slug, "js-reader", "reader")
        await fra.publish("Not for it", other.slug)
        await fra.publish("High water at the lock", made.slug, severity="flash")
        said = await until(program, "bulletin")
        assert not [each for each in said if each["event"] in {"refused", "gap", "behind"}]
        assert (said[-1]["agency"], said[-1]["community"]) == ("fra", made.id)
        assert said[-1]["bulletin"]["title"] == "High water at the lock"
    said_meanwhile = await fra.publish("While nobody read", made.slug, severity="flash")
    assert await fra.settled(said_meanwhile) is None
    async with reading(program):
        opened = [each for each in await until(program, "ready") if each["event"] == "bulletin"]
        assert [each["bulletin"]["title"] for each in opened] == ["While nobody read"]


@pytest.mark.browser
@pytest.mark.skipif(not has_chromium(), reason=f"no Chromium at {CHROMIUM}: install it to try the page")
@pytest.mark.asyncio(loop_scope="session")
async def test_it_reads_live_in_a_browser(built: Path, world: World) -> None:
    """The page as its user has it: keys from the disk, the hub over WebSocket; what was read is still there
    when it is loaded again.
    """
    fra = await world.agency("fra")
    member = await world.prepare("js-page")
    server = Program(world.directory, world.directory / "page.log", "node", built / "serve.js", "0")
    await server.start()
    try:
        async with new_page() as page:
            refused: list[str] = []
            page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
            await begin(page, server.ready["url"], world, member.state)
            made = await fra.found()
            async with fra.client() as agency:
                await agency.community_add(made.slug, "js-page", "reader")
            await fra.publish("High water at the lock", made.slug, severity="flash", tlp="TLP:AMBER+STRICT")
            await page.get_by_role("heading", name="High water at the lock").wait_for(timeout=LIMIT * 1000)
            assert await page.locator(".tlp").inner_text() == "TLP:AMBER+STRICT"
            await begin(page, server.ready["url"], world, member.state)
            headings = page.get_by_role("heading", name="High water at the lock")
            await headings.first.wait_for(timeout=LIMIT * 1000)
            assert await headings.count() == 1
            assert await page.locator("#troubles li").count() == 0
            assert [each for each in refused if "favicon" not in each] == []
    finally:
        await server.stop()


async def begin(page: Any, url: str, world: World, state: Path) -> None:  # a page of Playwright
    """Load the page and start it as the endpoint whose state this is; it has read what waited."""
    await page.goto(url)
    names = ("encryption", "identity", "nats", "signing")
    await page.get_by_label("Keys").set_input_files([state / "keys" / f"{name}.key" for name in names])
    await page.get_by_label("Admission").set_input_files(world.directory / f"{state.name}.json")
    await page.get_by_label("Root fingerprint").fill(world.fingerprint)
    await page.get_by_role("button", name="Read").click()
    await page.get_by_text("documents of the directory verified").wait_for(timeout=LIMIT * 1000)
