"""The reading room over real HTTP, as a browser without JavaScript sees it."""

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from bots.room.process import opened, run_room
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language
from subscribers.files.shapes import File
from tests.support.node import BOT, DirectNode
from tests.support.node_api import make_record
from tests.support.room import Browser, RoomStage, browser, csrf_in, init_data, running_room

AMBER = make_record(
    42,
    kind="threat",
    severity="high",
    tlp="TLP:AMBER",
    title="Drone over <the> stadium",
    summary="A drone & its pilot.",
    body="First.\n\nSee https://example.org/<script>alert(1)</script>",
    regions=["FR-75"],
    caveats=["Originator only"],
    grading={"system": "admiralty", "reliability": "B", "credibility": 2},
    likelihood="likely",
    subjects=[{"type": "person", "name": "Jean Example", "aliases": ["J. E."], "reference": "QDi.001"}],
    tactics=[{"taxonomy": "mitre-attack", "id": "T1566", "name": "Phishing"}],
    indicators=[{"pattern": "[ipv4-addr:value = '192.0.2.1']", "description": "a host"}],
    event={"name": "Cup", "venue": "Stadium"},
    pap="PAP:AMBER",
    valid_until="2027-01-01T00:00:00Z",
    translations=[
        {"language": "fr", "official": True, "title": "Drone au-dessus du stade", "summary": "Un drone."},
        {"language": "ar", "official": False, "title": "طائرة فوق الملعب", "body": "نص"},
    ],
)
RED = make_record(43, tlp="TLP:RED", title="Red secret")
DRILL = make_record(44, kind="cyber", title="A drill", exercise=True)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[RoomStage]:
    node = DirectNode()
    await node.arrive(AMBER, RED, DRILL)
    async with running_room(tmp_path, node) as running:
        yield running


@pytest.fixture
async def guest(stage: RoomStage) -> AsyncIterator[Browser]:
    async with browser(stage) as opened:
        yield opened


async def test_a_link_from_chat_opens_the_bulletin_once_and_shows_all_of_it(
    stage: RoomStage, guest: Browser
) -> None:
    officer = await stage.enrol("Amina K.")
    link = await stage.link(officer, "FRA-2026-0042")
    status, text = await guest.follow(link)
    assert status == 200
    for each in (
        "Drone over &lt;the&gt; stadium", "A drone &amp; its pilot.", "Originator only", "TLP:AMBER",
        "source usually reliable", "likely (55–80%)", "Jean Example", "QDi.001", "J. E.", "ATT&amp;CK T1566",
        "[ipv4-addr:value = &#39;192.0.2.1&#39;]", "PAP:AMBER", "Cup", "FR-75", "Only for those",
    ):  # fmt: skip
        assert each in text, each
    assert "<script" not in text  # the page has none, and the text's stays text
    assert 'href="https:' not in text
    async with browser(stage) as another:
        status, text = await another.follow(link)
        assert status == 403
        assert "used already" in text
        assert (await another.get("/"))[0] == 401


async def test_looking_at_a_link_spends_nothing_and_its_time_runs_out(
    stage: RoomStage, guest: Browser
) -> None:
    officer = await stage.enrol("Amina K.")
    link = await stage.link(officer)
    for _ in range(3):
        assert (await guest.get(link.removeprefix(stage.origin)))[0] == 200
    stage.clock.ahead = 121
    assert (await guest.follow(link))[0] == 403
    assert (await guest.follow(await stage.link(officer)))[0] == 200


async def test_the_chats_signed_word_lets_in_once_while_it_is_fresh(stage: RoomStage, guest: Browser) -> None:
    officer = await stage.enrol("Amina K.")
    assert officer.person is not None
    word = init_data(officer.person, stage.clock.now())
    status, said = await guest.send("/in/app", {"word": word, "to": "FRA-2026-0042"})
    assert (status, said) == (200, {"next": "/b/FRA-2026-0042"})
    assert "Drone over" in (await guest.get("/b/FRA-2026-0042"))[1]
    async with browser(stage) as another:
        now = stage.clock.now()
        refused = [
            word,
            init_data(officer.person, now - 301),
            init_data(officer.person, now + 120),
            init_data(officer.person, now, token="123456:another"),
            init_data(999_999, now),
            word.replace("query_id=AAF", "query_id=AAG"),
            "",
        ]
        for each in refused:
            assert (await another.send("/in/app", {"word": each, "to": ""}))[0] == 403


async def test_what_is_above_the_sessions_ceiling_is_nowhere(stage: RoomStage, guest: Browser) -> None:
    officer = await stage.enrol("Amina K.")
    await guest.follow(await stage.link(officer))
    status, text = await guest.get("/b/FRA-2026-0043")
    assert status == 403
    assert "FRA-2026-0043" in text
    for page in (text, (await guest.get("/"))[1], (await guest.get("/?q=secret"))[1]):
        assert "Red secret" not in page
    assert "0 bulletins found" in (await guest.get("/?q=secret"))[1]
    async with browser(stage) as vouched:
        status, text = await vouched.follow(await stage.key_link(officer))
        assert "You have no passkeys yet" in text
        assert "Red secret" in (await vouched.get("/b/FRA-2026-0043"))[1]
        assert "Red secret" in (await vouched.get("/?q=secret"))[1]


async def test_a_session_ends_idle_after_an_hour_with_its_officer_and_on_leaving(stage: RoomStage) -> None:
    officer = await stage.enrol("Amina K.")
    async with browser(stage) as idle:
        await idle.follow(await stage.link(officer))
        stage.clock.ahead += 899
        assert (await idle.get("/"))[0] == 200
        stage.clock.ahead += 900
        assert (await idle.get("/"))[0] == 401
    async with browser(stage) as busy:
        await busy.follow(await stage.link(officer))
        for _ in range(4):
            stage.clock.ahead += 890
            assert (await busy.get("/"))[0] == 200
        stage.clock.ahead += 60
        assert (await busy.get("/"))[0] == 401
    async with browser(stage) as leaving, browser(stage) as removed:
        await leaving.follow(await stage.link(officer))
        _, text = await leaving.post("/out", csrf=csrf_in((await leaving.get("/"))[1]))
        assert "signed out" in text
        assert (await leaving.get("/"))[0] == 401
        await removed.follow(await stage.link(officer))
        await stage.state.staff.remove(officer.id)
        assert (await removed.get("/"))[0] == 401


async def test_acknowledging_takes_the_forms_token_and_happens_once(stage: RoomStage, guest: Browser) -> None:
    officer = await stage.enrol("Amina K.")
    _, text = await guest.follow(await stage.link(officer, "FRA-2026-0042"))
    token = csrf_in(text)
    path = "/b/FRA-2026-0042/ack"
    assert (await guest.post(path))[0] == 403
    assert (await guest.post(path, csrf="x" * 43))[0] == 403
    assert (await guest.post(path, site="cross-site", csrf=token))[0] == 403
    assert not await stage.state.outbox.acknowledged(AMBER.bulletin.id, officer.id)
    status, text = await guest.post(path, csrf=token)
    assert status == 200
    assert "Acknowledged" in text
    assert await stage.state.outbox.acknowledged(AMBER.bulletin.id, officer.id)
    await guest.post(path, csrf=token)
    replies = await stage.node.replies(AMBER.bulletin.id)
    assert [each.bulletin.drafter for each in replies] == [officer.pseudonym]


async def test_the_list_is_searched_and_filtered_and_pages(stage: RoomStage, guest: Browser) -> None:
    officer = await stage.enrol("Amina K.")
    await guest.follow(await stage.link(officer))
    _, text = await guest.get("/?q=drone&kind=threat&severity=elevated")
    assert "1 bulletin found" in text
    assert "EXERCISE" not in text
    assert "EXERCISE" in (await guest.get("/?kind=cyber"))[1]
    for wrong in ("kind=rumour", "severity=huge", "community=../x", f"cursor={'9' * 300}"):
        assert (await guest.get(f"/?{wrong}"))[0] == 400
    await stage.node.arrive(*(make_record(number) for number in range(100, 130)))
    _, text = await guest.get("/")
    older = re.search(r'href="(/\?[^"]+)" rel="next"', text)
    assert older
    _, rest = await guest.get(older[1].replace("&amp;", "&"))
    assert "FRA-2026-0129" in text
    assert "FRA-2026-0129" not in rest
    assert "FRA-2026-0100" in rest


async def test_languages_are_links_and_official_ones_are_marked(stage: RoomStage, guest: Browser) -> None:
    officer = await stage.enrol("Claire", Language.FRENCH)
    _, text = await guest.follow(await stage.link(officer, "FRA-2026-0042"))
    assert "Drone au-dessus du stade" in text
    assert '<html lang="fr" dir="ltr">' in text
    _, text = await guest.get("/b/FRA-2026-0042?in=ar")
    assert '<h1 lang="ar" dir="rtl">طائرة فوق الملعب</h1>' in text
    assert (await guest.get("/b/FRA-2026-0042?in=xx"))[0] == 400
    amina = await stage.enrol("Amina", Language.ARABIC)
    async with browser(stage) as other:
        assert '<html lang="ar" dir="rtl">' in (await other.follow(await stage.link(amina)))[1]


async def test_a_file_comes_whole_under_its_name_and_is_never_shown(stage: RoomStage, guest: Browser) -> None:
    data = b"plan" * 200_000
    file = File(
        name="plan é.pdf", media="application/pdf", size=len(data), sha256=hashlib.sha256(data).hexdigest()
    )
    upload = await stage.node.api.files.attach(BOT, file)
    await stage.node.api.files.attach_data(BOT, upload.id, 0, data)
    attached = stage.node.api.files.attached(upload.id)
    record = make_record(50, title="With a file")
    with_file = record.model_copy(
        update={"bulletin": record.bulletin.model_copy(update={"attachments": [attached]})}
    )
    await stage.node.arrive(with_file)
    officer = await stage.enrol("Amina K.")
    _, text = await guest.follow(await stage.link(officer, "FRA-2026-0050"))
    assert file.sha256 in text
    async with guest.session.get(f"{stage.origin}/b/FRA-2026-0050/file/1") as answer:
        assert await answer.read() == data
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''plan%20%C3%A9.pdf"
        assert answer.headers["Content-Type"] == "application/octet-stream"
    assert (await guest.get("/b/FRA-2026-0050/file/2"))[0] == 404


async def test_every_answer_carries_the_strict_headers(stage: RoomStage, guest: Browser) -> None:
    officer = await stage.enrol("Amina K.")
    link = await stage.link(officer)
    paths = ["/", "/b/FRA-2026-0042", "/nothing", "/b/none", "/keys", "/app", "/static/room.css",
    "/static/room.js", "/favicon.ico", "/static/../app.py", link.removeprefix(stage.origin)]  # fmt: skip

    async def seen(method: str, path: str, **headers: str) -> tuple[int, Mapping[str, str]]:
        async with guest.session.request(
            method, stage.origin + path, headers=headers, allow_redirects=False
        ) as answer:
            await answer.read()
            return answer.status, answer.headers

    for signed_in in (False, True):
        if signed_in:
            await guest.follow(await stage.link(officer))
        for path in paths:
            status, headers = await seen("GET", path)
            check(headers)
            assert status != 500
        for path in ("/in", "/in/app", "/out", "/keys", "/b/FRA-2026-0042/ack", "/"):
            status, headers = await seen("POST", path)
            assert status in {403, 405}
            check(headers)
    _, headers = await seen("GET", "/b/FRA-2026-0042")
    assert "script-src" not in headers["Content-Security-Policy"]
    status, headers = await seen("GET", "/", Host="evil.example")
    assert status == 421
    check(headers)


def check(headers: Mapping[str, str]) -> None:
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers


async def test_who_tries_too_often_waits(stage: RoomStage, guest: Browser) -> None:
    found = [(await guest.post("/in", code="x" * 43))[0] for _ in range(11)]
    assert found == [403] * 10 + [429]
    stage.clock.ahead += 10
    assert (await guest.post("/in", code="x" * 43))[0] == 403


async def test_the_cookie_is_strict(stage: RoomStage, guest: Browser) -> None:
    officer = await stage.enrol("Amina K.")
    await guest.follow(await stage.link(officer))
    (cookie,) = list(guest.session.cookie_jar)
    assert (cookie.key, cookie["httponly"], cookie["samesite"]) == ("room", True, "Strict")


async def test_the_room_is_one_process_and_off_unless_it_is_set_up(stage: RoomStage) -> None:
    settings = stage.room.settings
    with pytest.raises(OperationError) as refused:
        run_room(settings.model_copy(update={"room_origin": ""}))
    assert refused.value.code is Code.BAD_SETTINGS
    with pytest.raises(OperationError) as refused:
        async with opened(settings, stage.state, stage.node):
            pass
    assert "room_listen" in refused.value.message
