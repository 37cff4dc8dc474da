"""The reading room in a real Chromium: by keyboard, on paper, with passkeys, for everybody."""

import importlib
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pypdf import PdfReader

from bots.drafting.draft import HalfDraft
from bots.officers.roles import Role
from schemas.vocabulary import Kind, Language, Severity, Tlp
from tests.support.axe import violations
from tests.support.node import DirectNode
from tests.support.node_api import COMMUNITY, make_record
from tests.support.room import RoomStage, init_data, running_room
from tests.support.sandbox import CHROMIUM, CHROMIUM_FLAGS, PATIENT_MS, has_chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not has_chromium(), reason=f"no Chromium at {CHROMIUM}: install it to try the page"),
]

LONG = "\n\n".join(f"Paragraph {number}. " + "It goes on for a while. " * 20 for number in range(30))
AMBER = make_record(
    42,
    kind="threat",
    severity="high",
    tlp="TLP:AMBER",
    title="Drone over the stadium",
    summary="A drone and its pilot.",
    body=LONG,
    caveats=["Originator only"],
    indicators=[{"pattern": "[ipv4-addr:value = '192.0.2.1']"}],
    subjects=[{"type": "person", "name": "Jean Example", "reference": "QDi.001"}],
    translations=[
        {"language": "ar", "official": True, "title": "طائرة فوق الملعب", "body": "نص"},
        {"language": "zh", "official": False, "title": "体育场上空的无人机", "body": "正文"},
    ],
)
RED = make_record(43, tlp="TLP:RED", title="Red secret", exercise=True)
OWN = make_record(44, title="Own word").model_copy(update={"own": True})
LOOKS = (
    (Language.ENGLISH, "light", 1200),
    (Language.ENGLISH, "dark", 390),
    (Language.ARABIC, "dark", 390),
    (Language.CHINESE, "light", 390),
)
ALWAYS = ("/b/FRA-2026-0042", "/")
ONCE = (
    *(
        "/keys",
        "/?q=nothing",
        "/b/FRA-2026-0043",
        "/b/FRA-2026-0044",
        "/b/FRA-2026-9999",
        "/b/FRA-2026-0042/print",
    ),
    *("/write", "/write/new", "/write/1", "/write/1/edit", "/write/2", "/write/2/edit"),
)
DRAFT = HalfDraft(
    tlp=Tlp.RED, community=COMMUNITY, kind=Kind.THREAT, severity=Severity.HIGH, title="Red draft", body=LONG
)
Browser = Any  # playwright's: imported late, like the rest of playwright
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
PHONE = {"width": 390, "height": 800}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[RoomStage]:
    node = DirectNode()
    await node.arrive(AMBER, RED, OWN)
    async with running_room(tmp_path, node) as running:
        yield running


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    playwright = importlib.import_module("playwright.async_api")
    async with playwright.async_playwright() as engine:
        opened = await engine.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS), timeout=PATIENT_MS
        )
        try:
            yield opened
        finally:
            await opened.close()


async def focused(page: Any) -> str:  # playwright's page
    """The name of what has the keyboard."""
    script = "() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
    text: str = await page.evaluate(script)
    return re.sub(r"\s+", " ", text)


async def test_reading_by_keyboard_without_javascript_and_on_paper(
    stage: RoomStage, chromium: Browser
) -> None:
    officer = await stage.enrol("Amina K.")
    context = await chromium.new_context(java_script_enabled=True, viewport=PHONE)
    await context.route("**/*.js", lambda route: route.abort())
    page = await context.new_page()
    page.set_default_timeout(PATIENT_MS)
    seen: list[str] = []
    page.on("console", lambda message: seen.append(message.text))
    page.on("request", lambda asked: seen.extend([] if asked.url.startswith(stage.origin) else [asked.url]))
    await page.goto(await stage.link(officer, "FRA-2026-0042"))
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to the text"
    await page.get_by_role("button", name="Sign in").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Drone over the stadium").wait_for()
    await page.wait_for_load_state()  # what can have the keyboard is all there
    assert await page.title() == "FRA-2026-0042 · TLP:AMBER"
    order = []
    for _ in range(9):
        await page.keyboard.press("Tab")
        order.append(await focused(page))
    assert order == [
        "Skip to the text", "Reading room", "Bulletins", "Passkeys", "Sign out", "English original",
        "العربية official", "中文 unofficial", "[ipv4-addr:value = '192.0.2.1']",
    ]  # fmt: skip
    wide = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0  # nothing to push sideways on a phone
    await page.get_by_role("button", name="Acknowledge").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("status").get_by_text("Acknowledged").wait_for()
    await page.get_by_role("link", name="Print view").click()
    await page.get_by_text("Printed for Amina K.").wait_for()
    sheets = [each.extract_text() for each in PdfReader(io.BytesIO(await page.pdf(format="A4"))).pages]
    assert len(sheets) > 3
    for text in sheets:
        lines = [line for line in text.splitlines() if line.strip()]
        assert text.count("TLP:AMBER") >= 2, lines
        assert "FRA-2026-0042" in text
    assert "Sign out" not in "".join(sheets)
    assert seen == []


async def leads_back(page: Any, draft: str) -> None:  # playwright's page
    """Who is asked to sign in on the way to a draft comes to the draft."""
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.get_by_text("You are signed out").wait_for()
    await page.goto(draft)
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url(draft)
    await page.get_by_role("heading", name="Write").wait_for()


async def telephone(chromium: Browser) -> tuple[Any, Any]:  # playwright's page and CDP session
    """A page as a telephone has it, which makes passkeys and keeps them; and the wire to that."""
    context = await chromium.new_context(viewport=PHONE)
    page = await context.new_page()
    page.set_default_timeout(PATIENT_MS)
    wire = await context.new_cdp_session(page)
    await add_authenticator(wire)
    return page, wire


async def add_authenticator(wire: Any) -> None:  # playwright's CDP session
    """One that holds no passkey yet."""
    await wire.send("WebAuthn.enable")
    await wire.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


async def test_the_mini_app_hands_over_and_a_passkey_signs_in(stage: RoomStage, chromium: Browser) -> None:
    officer = await stage.enrol("Amina K.")
    assert officer.person is not None
    page, wire = await telephone(chromium)
    word = quote(init_data(officer.person, stage.clock.now()), safe="")
    await page.goto(f"{stage.origin}/app/FRA-2026-0042#tgWebAppData={word}&tgWebAppVersion=9.1")
    await page.get_by_role("heading", name="Drone over the stadium").wait_for()
    assert "tgWebAppData" not in page.url

    async def add_and_leave() -> None:
        await page.goto(stage.origin + "/keys")
        await page.get_by_role("button", name="Add a passkey").click()
        await page.get_by_role("button", name="Remove").first.wait_for()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await page.get_by_text("You are signed out").wait_for()
        await page.wait_for_load_state()  # and with it the script, or a button would do nothing

    await add_and_leave()
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.get_by_role("heading", name="Bulletins").wait_for()
    # Made from chat, it shows no more than the chat's word does.
    await page.goto(stage.origin + "/b/FRA-2026-0043")
    await page.get_by_role("heading", name="FRA-2026-0043 is not shown here").wait_for()
    assert "Red secret" not in await page.content()
    await page.get_by_text("The passkey that you signed in with was made from chat").wait_for()
    # One that was made by a link from the terminal shows all that the room shows.
    (first,) = await stage.state.room.passkeys(officer.id)
    await stage.state.room.forget(officer.id, first.id)
    await wire.send("WebAuthn.disable")
    await add_authenticator(wire)
    await page.goto(await stage.key_link(officer))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_text("You have no passkeys yet").wait_for()
    await add_and_leave()
    await page.goto(stage.origin + "/b/FRA-2026-0043")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.get_by_role("heading", name="Red secret").wait_for()
    (made,) = await stage.state.room.passkeys(officer.id)
    assert (made.vouched, made.used > made.created) == ("agency", True)
    await leads_back(page, stage.origin + "/write/1")
    # Removed, it opens nothing.
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.get_by_text("You are signed out").wait_for()
    await page.wait_for_load_state()
    await stage.state.room.forget(officer.id, made.id)
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.get_by_role("alert").get_by_text("not accepted").wait_for()


async def test_a_device_that_has_a_passkey_says_so(stage: RoomStage, chromium: Browser) -> None:
    """A browser makes no second one, and says only that: what is to be done the page knows."""
    officer = await stage.enrol("Farah")
    page, _ = await telephone(chromium)

    async def comes_by(link: str) -> None:
        await page.goto(link)
        async with page.expect_navigation():
            await page.get_by_role("button", name="Sign in").click()
        await page.goto(stage.origin + "/keys")

    async def adds(held: int) -> None:
        await page.get_by_role("button", name="Add a passkey").click()
        await page.get_by_role("button", name="Remove").nth(held - 1).wait_for()
        await page.wait_for_load_state()

    await comes_by(await stage.link(officer))
    await adds(1)
    await page.get_by_role("button", name="Add a passkey").click()
    await page.get_by_role("alert").get_by_text("Another one made from chat would do no more").wait_for()
    await comes_by(await stage.key_link(officer))
    await page.get_by_role("button", name="Add a passkey").click()
    await page.get_by_role("alert").get_by_text("If that is one made from chat, remove it first").wait_for()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Remove").click()
    await page.wait_for_load_state()
    await adds(1)
    (made,) = await stage.state.room.passkeys(officer.id)
    assert made.vouched == "agency"
    await page.get_by_role("button", name="Add a passkey").click()
    await page.get_by_role("alert").get_by_text("nothing more is needed").wait_for()


@pytest.mark.timeout(600)
async def test_axe_finds_nothing_in_any_direction_theme_or_width(stage: RoomStage, chromium: Browser) -> None:
    for language, theme, width in LOOKS:
        officer = await stage.enrol(f"{language.value} {theme}", language, Role.RELEASER)
        if language is Language.ARABIC:
            await stage.state.drafts.begin(officer.id, DRAFT, "1", stage.clock.now())
            another = await stage.enrol("Amina", role=Role.DRAFTER)
            waits = await stage.state.drafts.begin(another.id, DRAFT, "2", stage.clock.now())
            await stage.state.drafts.send(waits, (), stage.clock.now())
        context = await chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        page = await context.new_page()
        page.set_default_timeout(PATIENT_MS)
        await page.goto(await stage.key_link(officer))
        async with page.expect_navigation():  # signed in, before another page is asked for
            await page.locator("main button").click()
        for path in ALWAYS if language is not Language.ARABIC else (*ALWAYS, *ONCE):
            await page.goto(stage.origin + path)
            assert await violations(page) == [], (path, language, theme)
            if path == "/write/1/edit":
                assert await page.get_by_label(re.compile("العنوان")).input_value() == "Red draft"
        await context.close()
    page = await (await chromium.new_context()).new_page()
    page.set_default_timeout(PATIENT_MS)
    for address in (stage.origin, await stage.key_link(await stage.enrol("Ed"))):
        await page.goto(address)
        assert await violations(page) == []
    await page.evaluate("() => document.documentElement.removeAttribute('lang')")
    assert [each[0] for each in await violations(page)] == ["html-has-lang"]  # it would say so
