"""The reading room over real HTTP, as a browser without JavaScript sees it."""

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots.room.process import opened, run_room
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language
from subscribers.files.shapes import File
from subscribers.records import Record
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
async def node() -> DirectNode:
    node = DirectNode()
    await node.arrive(AMBER, RED, DRILL)
    return node


@pytest.fixture
async def stage(tmp_path: Path, node: DirectNode) -> AsyncIterator[RoomStage]:
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
    for to, where in (
        ("write/7", "/write/7"), ("write/7/release", "/"), ("/write/7", "/"), ("//elsewhere.example", "/"),
    ):  # fmt: skip
        stage.clock.ahead += 1
        fresh = init_data(officer.person, stage.clock.now(), query_id=f"at{stage.clock.ahead}")
        assert (await guest.send("/in/app", {"word": fresh, "to": to})) == (200, {"next": where})
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


async def test_a_lost_phone_or_leaving_everywhere_ends_every_session(stage: RoomStage) -> None:
    officer = await stage.enrol("Amina K.")
    async with browser(stage) as here, browser(stage) as there:
        await here.follow(await stage.link(officer))
        await there.follow(await stage.key_link(officer))
        _, text = await here.get("/keys")
        assert (await here.post("/keys/leave"))[0] == 403
        assert "signed out" in (await here.post("/keys/leave", csrf=csrf_in(text)))[1]
        for each in (here, there):
            assert (await each.get("/"))[0] == 401
        await there.follow(await stage.key_link(officer))
        unused = await stage.key_link(officer)
        await stage.state.staff.shut_out(
            officer.id, code="x" * 32, expires=stage.clock.now() + 60, guarded=False
        )
        assert (await there.get("/"))[0] == 401
        assert (await there.follow(unused))[0] == 403


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
    written = [(each.act.verb, each.act.object) for each in await stage.state.audit.all()]
    about = "FRA-2026-0042"
    own = [each for each in written if each[0] != "listed"]  # the acknowledgement itself is listed below
    assert own == [("sign-in", ""), ("read", about), ("acknowledged", about), *[("read", about)] * 2]


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
        link = await stage.link(amina)
        for text in (await other.get(link.removeprefix(stage.origin)))[1], (await other.follow(link))[1]:
            assert '<html lang="ar" dir="rtl">' in text


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


async def test_who_fails_too_often_waits_and_keeps_nobody_else_out(tmp_path: Path, node: DirectNode) -> None:
    async with running_room(tmp_path / "b", node, room_address_header="X-Real-IP") as stage:
        officer = await stage.enrol("Amina K.")
        stage.clock.stop()
        async with browser(stage, **{"X-Real-IP": "192.0.2.1"}) as stranger:
            found = [(await stranger.post("/in", code="x" * 43))[0] for _ in range(11)]
            assert found == [403] * 10 + [429]
            assert (await stranger.send("/in/options", {}))[0] == 429
            async with browser(stage, **{"X-Real-IP": "192.0.2.1, 192.0.2.2"}) as guest:
                assert (await guest.follow(await stage.link(officer)))[0] == 200
            stage.clock.ahead += 10
            assert (await stranger.post("/in", code="x" * 43))[0] == 403


async def test_behind_a_proxy_that_says_nothing_strangers_are_counted_together(
    stage: RoomStage, guest: Browser
) -> None:
    stage.clock.stop()
    found = [(await guest.send("/in/app", {"word": ""}))[0] for _ in range(61)]
    assert found == [403] * 60 + [429]


async def test_flash_stands_first_until_it_is_acknowledged(stage: RoomStage, guest: Browser) -> None:
    now = datetime.fromtimestamp(stage.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    flash = make_record(60, severity="flash", kind="threat", tlp="TLP:AMBER", title="Now")
    await stage.node.arrive(flash.model_copy(update={"received": now}))
    officer = await stage.enrol("Amina K.")
    _, text = await guest.follow(await stage.link(officer))
    assert text.index("waiting for your acknowledgement") < text.index("FRA-2026-0060")
    await guest.post("/b/FRA-2026-0060/ack", csrf=csrf_in(text))
    _, text = await guest.get("/")
    assert "waiting for your acknowledgement" not in text


async def test_what_no_browser_sends_is_refused_and_changes_nothing(stage: RoomStage, guest: Browser) -> None:
    officer = await stage.enrol("Amina K.")
    await guest.follow(await stage.key_link(officer))
    token = csrf_in((await guest.get("/keys"))[1])
    junk: list[object] = [
        None,
        1,
        "x",
        [],
        {},
        {"id": "x", "rawId": "x", "response": {}, "type": "public-key"},
    ]
    for each in junk:
        status, asked = await guest.send("/in/options", {})
        assert status == 200
        answer = {"ticket": asked["ticket"], "credential": each}
        assert (await guest.send("/in/passkey", answer))[0] == 403
        assert (await guest.send("/keys/options", {"csrf": token}))[0] == 200
        assert (await guest.send("/keys", {"csrf": token, "credential": each}))[0] == 403
        assert (await guest.send("/keys", {"csrf": token, "credential": each}))[
            0
        ] == 403  # its challenge is spent
    assert (await guest.send("/keys/options", {"csrf": "x"}))[0] == 403
    for wrong in ("", "!", "a", "x" * 2_000):
        assert (await guest.post("/keys/remove", csrf=token, id=wrong))[0] in {200, 400}
    headers = {"Origin": stage.origin, "Sec-Fetch-Site": "same-origin"}
    for path, content in (("/in", "text/plain"), ("/in/app", "text/plain"), ("/in/app", "application/json")):
        kind = {**headers, "Content-Type": content}
        async with guest.session.post(stage.origin + path, data=b"{", headers=kind) as answered:
            assert answered.status in {400, 415}
    assert (await guest.get("/"))[0] == 200
    assert await stage.state.room.passkeys(officer.id) == []


async def test_what_belongs_to_a_bulletin_is_shown_as_far_as_it_may(stage: RoomStage, guest: Browser) -> None:
    links = [
        {"relation": "amends", "id": AMBER.bulletin.id},
        {"relation": "related", "id": RED.bulletin.id},
        {"relation": "related", "id": "01a20659-6cc7-7000-9000-000000000000"},
    ]
    amendment = make_record(70, kind="amendment", title="Corrected", links=links, tlp="TLP:AMBER")
    channel = {"address": "https://t.example/x", "platform": "T", "state": "reported"}
    other = make_record(
        71, kind="channel", channel=channel, valid_from="2026-01-01T00:00:00Z", drafter="officer-1"
    )
    changed = {
        "state": "amended",
        "replaced_by": amendment.bulletin.id,
        "flags": frozenset({"expired", "private"}),
    }
    await stage.node.arrive(
        AMBER.model_copy(update=changed), amendment, other.model_copy(update={"state": "retracted"})
    )
    officer = await stage.enrol("Amina K.")
    _, text = await guest.follow(await stage.link(officer, "FRA-2026-0070"))
    assert 'href="/b/FRA-2026-0042"' in text
    assert "Red secret" not in text
    assert text.count("Not here, or above") == 2
    _, text = await guest.get("/b/FRA-2026-0042")
    assert "Amended by its originator" in text
    assert "Its time has passed" in text
    assert 'href="/b/FRA-2026-0070"' in text
    _, text = await guest.get("/b/fra-2026-71")
    assert "Do not act on it" in text
    assert "https://t.example/x" in text
    for path in ("/print", "/file/1"):
        assert (await guest.get(f"/b/FRA-2026-0043{path}"))[0] == 403
    assert (await guest.post("/b/FRA-2026-0043/ack", csrf=csrf_in(text)))[0] == 403
    assert (await guest.get(f"/b/{AMBER.bulletin.id}"))[0] == 200


async def test_what_an_amendment_marked_higher_is_withheld_from_then_on(
    stage: RoomStage, guest: Browser
) -> None:
    raised = make_record(
        80,
        kind="amendment",
        title="Higher",
        tlp="TLP:RED",
        links=[{"relation": "amends", "id": DRILL.bulletin.id}],
    )
    later = {"state": "amended", "replaced_by": raised.bulletin.id}
    await stage.node.arrive(DRILL.model_copy(update=later), raised)
    officer = await stage.enrol("Amina K.")
    await guest.follow(await stage.link(officer))
    assert (await guest.get("/b/FRA-2026-0044"))[0] == 403
    for path in ("/", "/?q=drill"):
        text = (await guest.get(path))[1]
        assert "A drill" not in text
        assert "1 bulletin found" not in text
    async with browser(stage) as vouched:
        await vouched.follow(await stage.key_link(officer))
        text = (await vouched.get("/b/FRA-2026-0044"))[1]
        assert "A drill" in text
        assert "TLP:GREEN" not in text


@dataclass
class AwayNode(DirectNode):
    """A node that does not answer, or worse."""

    failure: Exception = field(
        default_factory=lambda: OperationError(Code.NODE_UNREACHABLE, "away", "start it")
    )

    async def show(self, ref: str) -> Record:  # noqa: ARG002 - as its Protocol has it
        raise self.failure


async def test_a_node_that_is_away_is_told_in_a_sentence_and_nothing_of_ours_goes_out(tmp_path: Path) -> None:
    node = AwayNode()
    async with running_room(tmp_path, node) as stage, browser(stage) as guest:
        await guest.follow(await stage.link(await stage.enrol("Amina K.")))
        for failure, status, said in (
            (node.failure, 503, "node_unreachable"),
            (OperationError(Code.MISSING_CHUNK, "secret", ""), 503, "on its way"),
            (OperationError(Code.BAD_REQUEST, "secret", ""), 400, "could not be read"),
            (RuntimeError("secret"), 500, "Something went wrong"),
        ):
            node.failure = failure
            found, text = await guest.get("/b/FRA-2026-0042")
            assert (found, said in text, "secret" in text) == (status, True, False)


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
