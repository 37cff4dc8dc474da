"""The demonstration's pure parts: who must receive what, what came, how long it took, what is shown."""

import base64
import json
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.demo import drafts, for_chat, leaks, plan, tally, view
from hub.demo.arrivals import digest_key, key_of_line
from hub.demo.board import Board
from hub.demo.plan import Sent
from hub.demo.processes import environment
from hub.demo.site import own_host
from schemas.bulletin import parse_draft
from schemas.vocabulary import Kind, Relation, Severity, Tlp
from tests.support.archive import bulletin_id

STEM = "5f3a9c0b7d21e8f64a10"


def sent(key: str, community: str, severity: Severity = Severity.LOW, tlp: Tlp = Tlp.GREEN) -> Sent:
    return Sent(key, community, Kind.THREAT, severity, tlp)


def test_members_receive_and_nobody_else() -> None:
    all_three = [sent("a", "foreign-fighters"), sent("b", "cyber-propaganda"), sent("c", "games-2026")]
    received = {each.id: plan.received_by(each.id, all_three) for each in plan.AGENCIES}
    assert received == {
        "fr-dvt": ["a", "b", "c"],
        "kz-cab": ["a", "b"],
        "jo-mrs": ["a", "c"],
        "un-cell": ["a", "b", "c"],
    }


def test_the_integrator_is_given_what_its_ceiling_allows() -> None:
    marked = [sent(tlp.value, "foreign-fighters", tlp=tlp) for tlp in Tlp]
    foreign = [sent("elsewhere", "games-2026", tlp=Tlp.CLEAR)]
    assert plan.integrated([*marked, *foreign]) == ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER"]


def test_officers_are_alerted_from_their_severity_up_in_their_communities() -> None:
    claire = next(each for each in plan.OFFICERS if each.agency == "fr-dvt")
    graded = [sent(severity.value, "games-2026", severity) for severity in Severity]
    assert plan.alerted(claire, graded, Severity.HIGH) == ["high", "flash"]
    quiet = Sent("ack", "games-2026", Kind.ACKNOWLEDGEMENT, Severity.FLASH, Tlp.GREEN)
    assert plan.alerted(claire, [quiet], Severity.INFO) == []
    amina = next(each for each in plan.OFFICERS if each.agency == "jo-mrs")
    assert plan.alerted(amina, [sent("x", "cyber-propaganda", Severity.FLASH)], Severity.INFO) == []


def test_a_digest_is_marked_by_the_highest_of_what_it_lists() -> None:
    red, amber = sent("r", "games-2026", tlp=Tlp.RED), sent("a", "games-2026", tlp=Tlp.AMBER)
    assert plan.digest_marking("games-2026", [red, amber], frozenset()) is Tlp.RED
    assert plan.digest_marking("games-2026", [red, amber], frozenset({"r"})) is Tlp.AMBER
    assert plan.digest_marking("cyber-propaganda", [red], frozenset()) is Tlp.CLEAR


def test_comparison_names_the_missing_the_doubled_and_the_unexpected() -> None:
    difference = tally.compare(["a", "b", "c"], ["b", "c", "c", "x"])
    assert (difference.missing, difference.doubled, difference.unexpected) == (("a",), ("c",), ("x",))
    assert difference.told("chat") == ["chat: 1 missing: a", "chat: 1 doubled: c", "chat: 1 unexpected: x"]
    assert not tally.compare(["a"], ["a"])


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(1, 100))
def test_a_percentile_is_one_of_the_values_and_covers_its_share(values: list[float], percent: float) -> None:
    found = tally.percentile(values, percent)
    assert found in values
    assert sum(each <= found for each in values) >= percent / 100 * len(values) - 1e-6


def test_no_values_have_no_percentile() -> None:
    assert tally.percentile([], 50) is None
    assert tally.percentile([4, 1, 3, 2], 50) == 2


MARKER = f"{STEM}0001abcd"


@pytest.mark.parametrize(
    "name, data",
    [
        ("as it is", f"... {MARKER} ...".encode()),
        ("utf-16", f"x{MARKER}".encode("utf-16")),
        ("utf-16 big end", f"x{MARKER}".encode("utf-16-be")),
        ("hex", f"..{MARKER}".encode().hex().encode()),
        ("hex upper", f"..{MARKER}".encode().hex().upper().encode()),
        ("percent", "".join(f"%{byte:02X}" for byte in MARKER.encode()).encode()),
        ("percent in an address", quote(f"/ж/{MARKER}?").encode()),
        ("json", json.dumps({"title": f"Отчёт {MARKER}"}).encode()),
        ("backwards", MARKER[::-1].encode()),
        *[
            (f"base64 after {n} bytes", base64.b64encode(b"\xff" * n + MARKER.encode() + b"tail"))
            for n in range(7)
        ],
    ],
)
def test_a_marker_is_found_in_every_form(name: str, data: bytes) -> None:
    found = leaks.search(b"\0before" + data + b"after\xff", "file", STEM, [f"{STEM}0002ffff", MARKER])
    assert {leak.marker for leak in found} == {MARKER}


@given(st.binary(min_size=1, max_size=60), st.integers(0, 40), st.binary(max_size=8))
def test_base64_digits_stand_in_every_encoding(raw: bytes, before: int, after: bytes) -> None:
    whole = base64.b64encode(b"x" * before + raw + after)
    assert leaks.base64_digits(raw, before % 3) in whole


def test_the_search_names_files_and_passes_over_clean_ones(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "1.blk").write_bytes(b"\0" * 5000 + MARKER.encode())
    (tmp_path / "clean").write_bytes(b"nothing to see")
    found = leaks.search_files(leaks.files_under(tmp_path), tmp_path, STEM, [MARKER])
    assert found == [leaks.Leak("deep/1.blk", "utf-8", MARKER)]
    assert leaks.holding(leaks.files_under(tmp_path), b"nothing") == [tmp_path / "clean"]


def test_numbered_bulletins_are_sound_varied_and_marked() -> None:
    planned = drafts.numbered(400, STEM, random.Random(7))
    assert len({each.sent.key for each in planned}) == 400
    for place, each in enumerate(planned):
        if each.answers is not None:
            target = planned[each.answers]
            assert each.answers < place
            assert target.sent.community == each.sent.community
            linked = each.linked("01890000-0000-7000-8000-000000000000")
            parse_draft(dict(linked.draft))
        else:
            parse_draft(dict(each.draft))
        assert each.agency in plan.members(each.sent.community)
        assert each.sent.key in str(each.draft["title"])
        assert each.sent.key in str(each.draft["body"])
    assert {each.sent.kind for each in planned} == set(Kind) - {Kind.DIGEST}
    assert {each.sent.severity for each in planned} == set(Severity)
    assert {each.sent.tlp for each in planned} == set(Tlp)
    assert {each.draft["language"] for each in planned} == {"ar", "zh", "en", "fr", "ru", "es"}
    assert {each.agency for each in planned} == {each.id for each in plan.AGENCIES}
    flash = sum(each.sent.severity is Severity.FLASH for each in planned)
    assert 10 <= flash <= 20  # a chat takes one message a second


def test_the_same_seed_gives_the_same_bulletins() -> None:
    assert drafts.numbered(50, STEM, random.Random(1)) == drafts.numbered(50, STEM, random.Random(1))


def test_only_the_originator_changes_a_bulletin_and_once() -> None:
    planned = drafts.numbered(600, STEM, random.Random(3))
    targets = Counter(each.answers for each in planned if each.answers is not None)
    assert set(targets.values()) == {1}
    for each in planned:
        if each.sent.kind in drafts.CHANGES and each.answers is not None:
            assert planned[each.answers].agency == each.agency
    assert drafts.changed(planned)


def test_the_samples_are_read_and_a_later_round_reads_like_a_report_of_its_own() -> None:
    samples = drafts.samples()
    assert len(samples) >= 16
    assert [each.answers for each in samples if each.answers is not None]
    assert drafts.varied(samples, 1) == samples
    later = drafts.varied(samples, 2)
    assert drafts.varied(samples, 3) == later
    for before, after in zip(samples, later, strict=True):
        title, old = after.draft["title"], before.draft["title"]
        if before.answers is not None:
            assert after == before
            continue
        assert title.endswith(old)
        assert title != old
        assert not any(letter.isdecimal() for letter in title.removesuffix(old))
        assert after.draft["body"].endswith(before.draft["body"])
        assert after.draft["body"] != before.draft["body"]
        for told, first in zip(after.draft["translations"], before.draft["translations"], strict=True):
            assert told["title"].endswith(first["title"])
            assert told["title"] != first["title"]
        parse_draft(dict(after.draft))
    assert {each.draft["title"].split(":")[0] for each in later if each.draft["language"] == "en"} >= {
        "Reported again",
        "Asked again",
        "Reminder",
    }


def test_chat_may_show_what_is_for_chat_and_a_flash_and_an_amendment_are_among_it() -> None:
    planned = for_chat.bulletins(16)
    amended = planned[-1]
    assert (amended.relation, amended.answers) == (Relation.AMENDS, 16)
    linked = [each.linked(bulletin_id(1)) if each.answers else each for each in planned]
    read = [parse_draft(dict(each.draft)) for each in linked]
    assert {each.tlp for each in read} == {Tlp.GREEN}
    assert Severity.FLASH in {each.severity for each in read}
    assert amended.draft["severity"] != planned[0].draft["severity"]


def test_each_round_has_a_question_that_both_chats_may_answer_for_hours() -> None:
    now = datetime(2026, 11, 27, 9, 30, 20, tzinfo=UTC).timestamp()
    asked = [for_chat.question(number, now) for number in range(1, 9)]
    assert len({each.draft["title"] for each in asked}) == 8
    read = [parse_draft(dict(each.draft)) for each in asked]
    assert {(each.kind, each.tlp, each.valid_until) for each in read} == {
        (Kind.REQUEST, Tlp.GREEN, "2026-11-27T19:30:00Z")
    }
    for agency in plan.BOTS:
        assert all(each.agency != agency for each in asked)
        assert all(agency in plan.members(each.sent.community) for each in asked)


def test_lines_of_the_integrator_are_named_by_marker_or_digest() -> None:
    key = key_of_line(STEM, len(MARKER))
    assert key(f"bulletin.live.games-2026.threat.low.green Agency Name Report {MARKER} more") == MARKER
    assert key("bulletin.live.games-2026.digest.info.red Agency Digest · 3") == digest_key("games-2026")
    assert key("something else") == "something else"


def test_commands_are_given_no_settings_and_no_secrets() -> None:
    outside = {"PATH": "/bin", "TELEGRAM_TOKEN": "1:x", "LIAISON_HUB_STATE": "/srv", "AWS_SECRET": "s"}
    assert environment(outside, {"A": "b"}) == {
        "PATH": "/bin",
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
        "A": "b",
    }


@pytest.mark.parametrize(
    "value, own",
    [
        ("127.0.0.1:8000", True),
        ("localhost:8000", True),
        ("evil.example:8000", False),
        ("127.0.0.1:8001", False),
        ("127.0.0.1", False),
        ("user@127.0.0.1:8000", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_only_its_own_name_is_served(value: str, own: bool) -> None:
    assert own_host(value, 8000) is own


PK = "A" + "B" * 55
COMMUNITY = "0123456789abcdef" * 2


def hub_line(seq: int, kind: str = "b", precedence: str = "routine") -> dict[str, object]:
    head = (b"\x01\x01\xcd" + f'{{"v":1,"k":"{kind}","rl":"live"'.encode())[:32].hex()
    subject = f"f.live.{COMMUNITY}.{precedence}.{PK}"
    facts = {"stream": "TRAFFIC", "seq": seq, "at": "2026-11-22T09:00:00Z", "size": 1600}
    return {**facts, "subject": subject, "sha256": "00" * 8, "head": head, "tail": "ff" * 32}


def record(id: str, severity: str = "low", *, own: bool = True) -> dict[str, object]:
    translation = {"language": "fr", "official": True, "title": "Titre", "summary": "", "body": "Corps"}
    return {
        "bulletin": {
            "id": id,
            "ref": "FRA-2026-0001",
            "kind": "threat",
            "severity": severity,
            "tlp": "TLP:GREEN",
            "title": "Title",
            "summary": "",
            "body": "Body",
            "language": "en",
            "translations": [translation],
            "links": [],
        },
        "agency": "fr-dvt" if own else "un-cell",
        "agency_name": "Direction",
        "community": COMMUNITY,
        "community_slug": "foreign-fighters",
        "community_title": "Foreign terrorist fighters",
    }


def test_the_hub_sees_the_sort_of_a_frame_and_no_more() -> None:
    row = view.hub_row(hub_line(4))
    assert row is not None
    assert (row["what"], row["community"], row["publisher"]) == ("bulletin", COMMUNITY, PK)
    assert view.hub_row({**hub_line(1), "subject": f"in.live.{COMMUNITY}.routine.{PK}"}) is None
    refused = view.hub_row({**hub_line(2), "subject": f"q.{PK}.not_member"})
    assert refused is not None
    assert refused["code"] == "not_member"


def test_an_agency_reads_in_its_language_where_there_is_a_text_in_it() -> None:
    french, arabic = (
        view.bulletin_row("fr-dvt", "fr", record("1")),
        view.bulletin_row("jo-mrs", "ar", record("1")),
    )
    assert (french["title"], french["translation"], french["own"]) == ("Titre", "official", True)
    assert (arabic["title"], arabic["translation"], arabic["written"]) == ("Title", "original", "en")


def test_the_board_pairs_frames_with_bulletins_and_times_them() -> None:
    now = [10.0]
    board = Board({PK: "fr-dvt"}, {"foreign-fighters": COMMUNITY}, clock=lambda: now[0])
    board.hub_line(hub_line(1, kind="e"))
    board.hub_line(hub_line(2))
    board.hub_line(hub_line(3, precedence="flash"))
    board.hub_line(hub_line(4))
    now[0] = 10.25
    board.tail_line("fr-dvt", "fr", record("flash", "flash"))
    board.tail_line("fr-dvt", "fr", record("first"))
    board.tail_line("fr-dvt", "fr", record("second"))
    board.tail_line("fr-dvt", "fr", record("foreign", own=False))
    board.published("first", began=10.0)
    events = board.events()
    pairs = {(each["seq"], each["id"]) for each in events if each["type"] == "pair"}
    assert pairs == {(2, "first"), (3, "flash"), (4, "second")}
    assert [each["ms"] for each in events if each["type"] == "timing"] == [250]
    assert [each["n"] for each in events] == sorted(each["n"] for each in events)
    assert board.counts == {
        "published": 1,
        "hub": 4,
        "hub_bytes": 6400,
        "received": 4,
        "local": 0,
        "refused": 0,
    }


async def test_followers_are_given_what_came_before_and_what_comes() -> None:
    board = Board({}, {})
    board.post({"type": "first"})
    following = board.follow(0, idle=30)
    assert [each["type"] for each in await anext(following)] == ["first"]
    board.post({"type": "second"})
    assert [each["type"] for each in await anext(following)] == ["second"]
    assert await anext(board.follow(2, idle=0.01)) == []
