"""The reading room's pure parts: who is let in, for how long, from where, and what headers go along."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

import bots.room
from bots.room.headers import headers
from bots.room.init_data import AHEAD_SECONDS, FRESH_SECONDS, read_init_data
from bots.room.origin import read_listen, read_origin
from bots.room.pages import page
from bots.room.passkeys import CHALLENGE_SECONDS, Challenges, created, named, used
from bots.room.sessions import ALL_MAX, EACH_MAX, IDLE_SECONDS, WHOLE_SECONDS, Session, Sessions
from bots.room.texts import TEXTS, PageWords
from bots.room.tries import Tries
from bots.room.view import reading
from bots.settings import load
from bots.showing.buttons import button_room
from bots.showing.release import Ceiling
from bots.showing.render import Reader, render
from bots.telling.pacing import Rate
from bots.wording.words import words
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language, Tlp
from subscribers.records import Record
from tests.support.node_api import make_record
from tests.support.passkeys import NOW, OFFICER, ORIGIN, RECORDED, challenge, held
from tests.support.records import MARK, records
from tests.support.room import TOKEN, init_data

SECRET = SecretStr(TOKEN)
ENGLISH = Reader(Language.ENGLISH, ZoneInfo("UTC"))


# --- the chat's word ------------------------------------------------------------------------------


def test_the_chats_word_holds_for_five_minutes() -> None:
    for age in (-AHEAD_SECONDS, 0, FRESH_SECONDS):
        opened = read_init_data(init_data(11, NOW - age), SECRET, NOW)
        assert opened is not None
        assert opened.person == 11
        assert opened.until > NOW
    for age in (-AHEAD_SECONDS - 1, FRESH_SECONDS + 1, NOW):
        assert read_init_data(init_data(11, NOW - age), SECRET, NOW) is None


def test_the_chats_word_is_read_strictly() -> None:
    good = init_data(11, NOW)
    wrong = [
        "", "x", "hash=", good[:-1], good + "0", good + "&query_id=AAF", good.replace("AAF", "AAB"),
        good + "&" * 9_000, init_data(11, NOW, user="{}"), init_data(11, NOW, user="[11]"),
        init_data(11, NOW, user='{"id": true}'), init_data(11, NOW, user='{"id": "11"}'),
        init_data(11, NOW, user="{"), init_data(11, NOW, auth_date="1e9"), init_data(11, NOW, token="1:x"),
    ]  # fmt: skip
    assert [read_init_data(each, SECRET, NOW) for each in wrong] == [None] * len(wrong)


def test_its_signature_is_checked_as_aiogram_does() -> None:
    check = importlib.import_module("aiogram.utils.web_app").check_webapp_signature
    good = init_data(11, NOW, start_param="é&=+ \n")
    for word in (good, good.replace("AAF", "AAB"), good[:-1]):
        assert check(TOKEN, word) is (read_init_data(word, SECRET, NOW) is not None)


# --- sessions -------------------------------------------------------------------------------------


def numbered() -> Iterator[str]:
    return (f"{number:043d}" for number in count())


def sessions(most: int = ALL_MAX) -> Sessions:
    made = numbered()
    return Sessions(lambda: next(made), most)


def test_a_session_ends_idle_and_in_any_case() -> None:
    held = sessions()
    token = held.begin(OFFICER, "chat", 0, NOW)
    assert held.find(token, NOW + IDLE_SECONDS - 1) is not None
    assert held.find(token, NOW + 2 * IDLE_SECONDS - 1) is None
    assert held.find(token, NOW) is None
    token = held.begin(OFFICER, "chat", 0, NOW)
    for at in range(0, int(WHOLE_SECONDS), 800):
        assert held.find(token, NOW + at) is not None
    assert held.find(token, NOW + WHOLE_SECONDS) is None
    token = held.begin(OFFICER, "chat", 0, NOW)
    assert held.find(token, NOW - 60) is None


def test_a_session_is_found_by_its_whole_id_alone() -> None:
    held = sessions()
    token = held.begin(OFFICER, "agency", 0, NOW)
    for wrong in (None, "", token[:-1], token + "0", "é" * 43, "1" * 43):
        assert held.find(wrong, NOW) is None
    found = held.find(token, NOW)
    assert found is not None
    assert found.holds(found.csrf)
    assert not found.holds("")
    assert not found.holds("é")
    held.end(None)
    held.end(token)
    assert held.find(token, NOW) is None


def test_an_officer_has_few_sessions_and_the_room_not_endlessly_many() -> None:
    held = sessions(most=10)
    tokens = [held.begin(OFFICER, "chat", 0, NOW) for _ in range(EACH_MAX + 1)]
    assert [held.find(each, NOW) is not None for each in tokens] == [False] + [True] * EACH_MAX
    other = held.begin(replace(OFFICER, id=8), "chat", 0, NOW)
    assert held.find(other, NOW) is not None
    for number in range(10):
        held.begin(replace(OFFICER, id=100 + number), "chat", 0, NOW)
    assert held.find(other, NOW) is None


def test_a_session_is_not_the_next_officers_of_that_number() -> None:
    held = sessions()
    session = held.find(held.begin(OFFICER, "chat", 0, NOW), NOW)
    assert session is not None
    assert session.of(OFFICER, 0)
    assert not session.of(OFFICER, 1)
    for another in (replace(OFFICER, name="Ed"), replace(OFFICER, person=12), replace(OFFICER, id=8)):
        assert not session.of(another, 0)


def test_tries_come_back_with_time_and_are_forgotten() -> None:
    tries = Tries(Rate(0.1, 2.0))
    assert [tries.allows("a", NOW) for _ in range(3)] == [True, True, False]
    assert tries.allows("b", NOW)
    assert tries.allows("a", NOW + 10)
    for number in range(10_000):
        tries.allows(number, NOW + 10)
    assert [tries.allows("a", NOW + 10) for _ in range(3)] == [True, True, False]


def test_a_challenge_is_answered_once_and_soon() -> None:
    held = Challenges()
    asked = held.ask("a", NOW)
    assert held.take("a", NOW + 1) == asked
    assert held.take("a", NOW + 1) is None
    held.ask("b", NOW)
    assert held.take("b", NOW + CHALLENGE_SECONDS) is None
    held.ask("c", NOW)
    for number in range(1_000):
        held.ask(str(number), NOW)
    assert held.take("c", NOW) is None


def test_a_passkey_answers_its_own_challenge_here_alone_and_says_whose_it_is() -> None:
    made, answer = challenge(RECORDED["created"]), RECORDED["created"]
    kept = created(ORIGIN, OFFICER, "chat", made, answer, NOW)
    assert kept is not None
    assert (kept.id, kept.public, kept.vouched) == (held().id, held().public, "chat")
    elsewhere = read_origin("http://localhost:1")
    other = replace(made, value=bytes(32))
    assert created(elsewhere, OFFICER, "chat", made, answer, NOW) is None
    assert created(ORIGIN, OFFICER, "chat", other, answer, NOW) is None
    asked, answer = challenge(RECORDED["used"]), RECORDED["used"]
    assert named(answer) == held().id
    assert used(ORIGIN, held(), asked, answer)
    assert used(elsewhere, held(), asked, answer) is None
    assert used(ORIGIN, held(), replace(asked, value=bytes(32)), answer) is None
    assert used(ORIGIN, replace(held(), handle=bytes(32)), asked, answer) is None
    assert used(ORIGIN, held(counter=1_000), asked, answer) is None  # a copied authenticator
    unfit: list[object] = [None, [], {}, {"response": {"userHandle": "!"}}, {**answer, "response": {}}]
    for wrong in unfit:
        assert used(ORIGIN, held(), asked, wrong) is None
        assert created(ORIGIN, OFFICER, "chat", made, wrong, NOW) is None
        assert named(wrong) is None or isinstance(wrong, dict)


# --- where it is ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "", "room.example", "ftp://room.example", "http://room.example", "https://room.example/path",
        "https://user@room.example", "https://room.example:x", "https://Room.example", "https://[::1]",
        "http://10.0.0.1", "https://room.example?x", "https://", "https://room.example:443", "https://-",
    ],
)  # fmt: skip
def test_an_origin_that_browsers_cannot_trust_is_refused(text: str) -> None:
    with pytest.raises(OperationError) as refused:
        read_origin(text)
    assert refused.value.code is Code.BAD_SETTINGS


def test_where_no_origin_is_set_it_is_said_so() -> None:
    with pytest.raises(OperationError) as refused:
        read_origin("")
    assert refused.value.code is Code.BAD_SETTINGS
    assert "is not set" in refused.value.message
    assert "LIAISON_BOT_ROOM_ORIGIN" in refused.value.fix


def test_an_origin_says_its_host_as_browsers_do() -> None:
    tls = read_origin("https://room.agency.example")
    assert tls.own("https://room.agency.example")
    assert not tls.own("https://room.agency.example:443")
    assert (tls.authority, tls.secure, tls.named, tls.port) == ("room.agency.example", True, True, 443)
    odd = read_origin("https://room.agency.example:8443/")
    assert (odd.text, odd.authority) == ("https://room.agency.example:8443", "room.agency.example:8443")
    here = read_origin("http://127.0.0.1:8480")
    assert (here.secure, here.named) == (False, False)
    assert read_origin("http://localhost:8480").named
    assert read_listen("127.0.0.1:0") == ("127.0.0.1", 0)
    assert read_listen("[::1]:8480") == ("::1", 8480)
    for wrong in ("", "8480", "127.0.0.1", "localhost:1", "127.0.0.1:99999", "127.0.0.1:1/x", "[::1:1"):
        with pytest.raises(OperationError):
            read_listen(wrong)


def test_the_rooms_ceilings_are_in_order() -> None:
    with pytest.raises(OperationError) as refused:
        load(room_ceiling=Tlp.AMBER, room_chat_ceiling=Tlp.RED)
    assert "room_chat_ceiling" in refused.value.message


# --- what goes along ------------------------------------------------------------------------------


def test_pages_to_read_run_no_script_and_tls_is_kept() -> None:
    read, sign = headers(script=False, secure=True), headers(script=True, secure=False)
    assert "script-src" not in read["Content-Security-Policy"]
    assert "script-src 'self'; connect-src 'self'" in sign["Content-Security-Policy"]
    assert "max-age" in read["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in sign


# --- what is shown --------------------------------------------------------------------------------


def test_every_text_is_there_and_every_one_is_used() -> None:
    folder = Path(bots.room.__file__).parent
    sources = [
        each.read_text("utf-8") for each in (*folder.glob("[!t]*.py"), *folder.glob("templates/*.html"))
    ]
    asked = {name for text in sources for name in re.findall(r"\bt\.(\w+)", text)}
    assert asked <= set(TEXTS)
    said = {name for text in sources for name in re.findall(r'"(\w+)"', text.partition("TEXTS: Final")[0])}
    assert set(TEXTS) <= asked | said
    t = PageWords(words(Language.FRENCH))
    assert "FRA-2026-0001" in t("above_title", ref="FRA-2026-0001")
    with pytest.raises(AttributeError):
        _ = t.nothing


@settings(max_examples=25)
@given(records(), st.sampled_from(Language), st.none() | st.sampled_from(Language))
def test_no_text_of_a_bulletin_becomes_markup(
    record: Record, reader: Language, language: Language | None
) -> None:
    shown = reading(record, Reader(reader, ZoneInfo("Asia/Kabul")), language)
    values: dict[str, Any] = {"links": [], "replies": [shown.entry], "acknowledged": True, "printed": "x"}
    html = page("bulletin", reader, None, shown=shown, **values)
    for tag in ("script", 'a href="http', "b>", "i>", "img"):
        assert f"<{tag}" not in html
    assert html.count("<h1") == 1
    assert MARK in html


def test_only_who_may_write_is_offered_to() -> None:
    reader = Session(1, "Ed", None, "chat", 0, "csrf", 0.0, 0.0)
    for session, offered in ((reader, False), (replace(reader, writes=True), True)):
        html = page("error", Language.ENGLISH, session, said="Gone")
        assert ('href="/write"' in html) is offered


def test_a_withheld_bulletins_button_says_its_reference_alone() -> None:
    record = make_record(42, tlp="TLP:RED", title="Red secret", severity="high")
    for room, url, app in (
        ("https://room.example", "https://room.example/app/FRA-2026-0042?in=en", True),
        ("http://localhost:1", "http://localhost:1/b/FRA-2026-0042", False),
    ):
        rows = render(record, Ceiling(room=room), ENGLISH).rows
        assert rows[0][0] == button_room("FRA-2026-0042", room, words(Language.ENGLISH))
        assert (rows[0][0].url, rows[0][0].app, rows[0][0].data) == (url, app, "")
        assert "secret" not in str(rows)
        text = render(record, Ceiling(room=room), ENGLISH).parts[0].plain
        assert text.endswith(
            "Read it in the reading room: /room signs you in up to TLP:AMBER+STRICT, above that only a"
            " passkey made at your agency’s terminal. Or read it on that terminal."
        )
    assert not any(each.url for row in render(record, Ceiling(), ENGLISH).rows for each in row)
    open_ = make_record(43, title="Open")
    assert not any(
        each.url for row in render(open_, Ceiling(room="https://room.example"), ENGLISH).rows for each in row
    )
