"""Keeping bulletins and finding them again, on a real encrypted store."""

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.encoding import instant
from schemas.errors import Code, OperationError, TrustError
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.insight.counting import count
from subscribers.insight.likeness import like as similar
from subscribers.records import Filters, Page
from subscribers.spotting import Spotter
from subscribers.storage import facets
from subscribers.storage.archive import MIGRATIONS, Archive, NewRecord
from subscribers.storage.store import Store
from tests.support.archive import (
    COMMUNITY,
    OTHER_COMMUNITY,
    START,
    bulletin,
    bulletin_id,
    new_record,
    replacing,
)

KEY = bytes(range(32))
PROBES = json.loads((Path(__file__).parent.parent / "support" / "search_probes.json").read_text("utf-8"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "node.db", KEY, MIGRATIONS) as store:
        yield store


@pytest.fixture
def archive(store: Store) -> Archive:
    return Archive(store)


async def keep(store: Store, *new: NewRecord) -> list[bool | TrustError]:
    async with store.write() as tx:
        return await Archive(store).insert_all(tx, new)


def numbers(page: Page) -> list[int]:
    return [int(record.bulletin.id[-12:], 16) for record in page.items]


async def test_a_bulletin_comes_back_as_it_was(store: Store, archive: Archive) -> None:
    new = new_record(
        7,
        translations=[{"language": "ar", "official": True, "title": "رصد طائرة مسيّرة"}],
        subjects=[
            {"type": "person", "name": "Jean Martin", "aliases": ["Abou Test"], "reference": "QDi.001"}
        ],
        regions=["FR-IDF"],
    )
    async with store.write() as tx:
        await tx.execute("INSERT INTO agencies VALUES ('fr-dgx', 'Direction générale')")
        await tx.execute(
            "INSERT INTO communities VALUES (?, 'drones', 'Drone threats', 'live')", (COMMUNITY,)
        )
        assert await archive.insert(tx, new)
    for name in (new.bulletin.id, new.bulletin.id.upper(), "FRA-2026-0007", "fra-2026-0007"):
        record = await archive.get(name)
        assert record.bulletin == new.bulletin
        assert (record.community, record.community_slug, record.community_title) == (
            COMMUNITY,
            "drones",
            "Drone threats",
        )
        assert (record.agency, record.agency_name) == ("fr-dgx", "Direction générale")
        assert (record.state, record.replaced_by, record.own, record.flags) == (
            "current",
            None,
            False,
            frozenset(),
        )
    for words in ("martin", "abou test", "qdi.001", "fra-2026-0007", "الطائرات المسيرة", '"drone sightings"'):
        assert numbers(await archive.search(words)) == [7], words
    assert numbers(await archive.search('"martin abou"')) == [], "a phrase does not reach into the next field"


async def test_every_field_with_words_is_searched(store: Store, archive: Archive) -> None:
    fields: dict[str, Any] = {
        "summary": "quartz",
        "body": "feldspar",
        "event": {"name": "Granite games", "venue": "Basalt arena"},
        "tactics": [{"taxonomy": "mitre-attack", "id": "T1566.001", "name": "Spearphishing Attachment"}],
        "indicators": [{"pattern": "[domain-name:value = 'gneiss.example']", "description": "marble"}],
        "subjects": [{"type": "organisation", "name": "Slate", "aliases": ["Schist"]}],
        "translations": [{"language": "fr", "official": False, "title": "ardoise", "body": "calcaire"}],
    }
    channel = {"address": "t.me/limestone", "platform": "Dolomite", "state": "reported"}
    await keep(store, new_record(1, kind="event", **fields), new_record(2, kind="channel", channel=channel))
    for words in (
        *(
            "quartz",
            "feldspar",
            "granite",
            "basalt",
            "T1566.001",
            "spearphishing",
            "gneiss.example",
            "marble",
        ),
        *("slate", "schist", "ardoises", "calcaire"),
    ):
        assert numbers(await archive.search(words)) == [1], words
    for words in ("t.me/limestone", "dolomite"):
        assert numbers(await archive.search(words)) == [2], words


async def test_what_the_pipeline_says_of_a_bulletin_is_kept(store: Store, archive: Archive) -> None:
    await keep(store, replace(new_record(1), own=True, flags=frozenset({"late", "gap_before"})))
    record = await archive.get(bulletin_id(1))
    assert (record.own, record.flags) == (True, frozenset({"late", "gap_before"}))
    assert record.received == "2026-01-01T00:01:01Z"


async def test_a_second_that_is_full_runs_over_into_the_next(store: Store, archive: Archive) -> None:
    await keep(store, new_record(1))
    async with store.write() as tx:  # as if 65,535 others had come in the same second
        await tx.execute("PRAGMA defer_foreign_keys = on")
        await tx.execute("UPDATE bulletins SET position = position | 65535")
        await tx.execute("UPDATE payloads SET position = position | 65535")
    await keep(store, new_record(2, issued=bulletin(1).issued))
    assert numbers(await archive.latest()) == [2, 1]
    assert numbers(await archive.search("number2")) == [2]


async def test_a_bulletin_that_comes_twice_is_kept_once(store: Store, archive: Archive) -> None:
    assert await keep(store, new_record(1), new_record(1), new_record(2)) == [True, False, True]
    assert await keep(store, new_record(1)) == [False]
    assert await archive.count() == 2
    assert numbers(await archive.search("drone")) == [2, 1]


@pytest.mark.parametrize(
    "other",
    [
        new_record(1, title="Something else"),
        new_record(1, agency="xx-forger"),
        new_record(1, community=OTHER_COMMUNITY),
    ],
)
async def test_another_bulletin_under_a_known_id_is_refused(
    store: Store, archive: Archive, other: NewRecord
) -> None:
    await keep(store, new_record(1))
    refused, kept = await keep(store, other, new_record(2))
    assert isinstance(refused, TrustError)
    assert refused.code is Code.ALREADY_KNOWN
    assert kept is True
    assert (await archive.get(bulletin_id(1))).bulletin == bulletin(1)


async def test_a_reference_used_twice_loses_nothing(store: Store, archive: Archive) -> None:
    assert await keep(store, new_record(1), new_record(2, ref="FRA-2026-0001")) == [True, True]
    assert (await archive.get("FRA-2026-0001")).bulletin.id == bulletin_id(1)
    assert (await archive.get(bulletin_id(2))).bulletin.ref == "FRA-2026-0001"


@pytest.mark.parametrize("name", ["FRA-2026-0001", bulletin_id(1), "", "x" * 1_000])
async def test_what_is_not_there_is_not_found(archive: Archive, name: str) -> None:
    with pytest.raises(OperationError) as refused:
        await archive.get(name)
    assert refused.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_amendments_and_retractions_take_effect_in_any_order(
    store: Store, archive: Archive, order: tuple[int, ...]
) -> None:
    new = (new_record(1), replacing(2, "amendment", 1), replacing(3, "amendment", 1), new_record(4))
    for place in order:
        await keep(store, new[place])
    record = await archive.get(bulletin_id(1))
    assert (record.state, record.replaced_by) == ("amended", bulletin_id(3))
    await keep(store, replacing(5, "retraction", 1, 4), replacing(6, "amendment", 1))
    assert [(await archive.get(bulletin_id(n))).state for n in (1, 2, 3, 4, 5, 6)] == [
        "retracted",
        "current",
        "current",
        "retracted",
        "current",
        "current",
    ]
    assert (await archive.get(bulletin_id(1))).replaced_by == bulletin_id(5)


async def test_nobody_replaces_what_another_wrote(store: Store, archive: Archive) -> None:
    related = [{"relation": "retracts", "id": bulletin_id(1)}]
    await keep(
        store,
        new_record(1),
        replacing(2, "retraction", 1, agency="xx-forger"),
        replacing(3, "retraction", 1, community=OTHER_COMMUNITY),
        replacing(4, "amendment", 4),
        new_record(5, links=related),
    )
    for n in (1, 4):
        assert (await archive.get(bulletin_id(n))).state == "current"


async def test_filters_hold_together(store: Store, archive: Archive) -> None:
    await keep(
        store,
        new_record(1),
        new_record(2, kind="tactic", severity="high", regions=["FR-IDF", "ES"]),
        new_record(3, tlp="TLP:RED", severity="flash", community=OTHER_COMMUNITY),
        new_record(4, language="fr", translations=[{"language": "zh", "official": False, "title": "无人机"}]),
        new_record(5, kind="tactic", title="Phishing"),
    )
    async with store.write() as tx:
        await tx.execute("INSERT INTO communities VALUES (?, 'other', 'Other', 'live')", (OTHER_COMMUNITY,))
    cases: list[tuple[Filters, list[int]]] = [
        (Filters(), [5, 4, 3, 2, 1]),
        (Filters(kinds=frozenset({Kind.TACTIC})), [5, 2]),
        (Filters(kinds=frozenset({Kind.TACTIC, Kind.THREAT})), [5, 4, 3, 2, 1]),
        (Filters(severity_at_least=Severity.HIGH), [3, 2]),
        (Filters(communities=frozenset({"other"})), [3]),
        (Filters(communities=frozenset({OTHER_COMMUNITY, COMMUNITY})), [5, 4, 3, 2, 1]),
        (Filters(communities=frozenset({"unheard-of"})), []),
        (Filters(regions=frozenset({"FR"})), [2]),
        (Filters(regions=frozenset({"FR-IDF", "DE"})), [2]),
        (Filters(regions=frozenset({"FR-NAQ"})), []),
        (Filters(languages=frozenset({Language.CHINESE, Language.RUSSIAN})), [4]),
        (Filters(tlp_at_most=Tlp.AMBER_STRICT), [5, 4, 2, 1]),
        (Filters(since=bulletin(2).issued, until=bulletin(4).issued), [3, 2]),
        (
            Filters(
                kinds=frozenset({Kind.TACTIC}), severity_at_least=Severity.HIGH, regions=frozenset({"ES"})
            ),
            [2],
        ),
    ]
    for filters, wanted in cases:
        assert numbers(await archive.latest(filters)) == wanted, filters
        for ranked in (False, True):
            page = await archive.search("drone", filters, ranked=ranked)
            assert sorted(numbers(page)) == sorted(set(wanted) - {5}), filters
            assert page.total == len(page.items)


ABOUT: dict[str, Any] = {
    "tactics": [{"taxonomy": "mitre-attack", "id": "T1566.001"}, {"taxonomy": "disarm", "id": "T0049"}],
    "subjects": [{"type": "person", "name": "Émile Ünal", "aliases": ["كريم"], "reference": "QDi.001"}],
    "event": {"name": "Игры 2026"},
}
ABOUT_IT = (
    *(Filters(tactics=frozenset({each})) for each in ("T1566", "T1566.001", "t0049")),
    *(Filters(subjects=frozenset({each})) for each in ("QDi.001", "émile ÜNAL", "كريم")),
    Filters(events=frozenset({"ИГРЫ 2026", "Another"})),
)


async def test_a_bulletin_is_found_by_what_it_is_about(store: Store, archive: Archive) -> None:
    await keep(store, new_record(1, **ABOUT), new_record(2, tlp="TLP:AMBER", **ABOUT), new_record(3))
    for filters in ABOUT_IT:
        assert numbers(await archive.latest(filters)) == [2, 1], filters
        assert numbers(await archive.search("drone", filters)) == [2, 1], filters
        lower = filters.model_copy(update={"tlp_at_most": Tlp.GREEN})
        assert numbers(await archive.latest(lower)) == [1], filters
    for nothing in ("T15", "T1566.002", "T1566.001.1", "T0049.001", ""):
        assert numbers(await archive.latest(Filters(tactics=frozenset({nothing})))) == []
    both = Filters(tactics=frozenset({"T1566"}), subjects=frozenset({"QDi.002"}))
    assert numbers(await archive.latest(both)) == [], "all that is asked must hold"
    await keep(store, replacing(4, "retraction", 1))
    for filters in ABOUT_IT:
        assert numbers(await archive.latest(filters)) == [2], filters


async def test_what_was_kept_before_is_found_by_what_it_is_about(store: Store) -> None:
    await keep(store, new_record(1, **ABOUT), new_record(2, **ABOUT), replacing(3, "retraction", 2))
    rows = await store.query("SELECT facet, value, position FROM facets ORDER BY 1, 2, 3")
    again = f"DROP TABLE facets; {facets.MIGRATION}"
    await store.transact(lambda connection: connection.execute(again).fetchall())
    assert await store.query("SELECT facet, value, position FROM facets ORDER BY 1, 2, 3") == rows
    assert len(rows) == 7


async def test_a_bulletin_from_the_future_does_not_stay_on_top(store: Store, archive: Archive) -> None:
    await keep(store, new_record(1, issued="2030-01-01T00:00:00Z"), new_record(2))
    assert numbers(await archive.latest()) == [2, 1]


async def test_ranked_puts_the_title_first(store: Store, archive: Archive) -> None:
    await keep(
        store,
        new_record(1, title="Explosives", body="found in a shed"),
        new_record(2, title="Weekly notes", body="explosives and much else " + "of little interest " * 50),
    )
    assert numbers(await archive.search("explosive")) == [2, 1]
    assert numbers(await archive.search("explosive", ranked=True)) == [1, 2]


@pytest.mark.parametrize("words", [None, "drone"])
async def test_pages_are_complete_while_bulletins_come_in(
    store: Store, archive: Archive, words: str | None
) -> None:
    same_second = [new_record(n, issued=bulletin(100).issued, received=START + 6_001_000) for n in range(20)]
    await keep(store, *same_second, *(new_record(n) for n in range(20, 50)))
    seen: list[int] = []
    cursor: str | None = None
    for coming in range(200, 300):
        if words is None:
            page = await archive.latest(limit=7, cursor=cursor)
        else:
            page = await archive.search(words, limit=7, cursor=cursor)
        seen += numbers(page)
        if (cursor := page.cursor) is None:
            break
        # Newer than everything, and older than everything.
        await keep(store, new_record(coming), new_record(coming + 1_000, issued="2025-06-01T00:00:00Z"))
    old = [n for n in seen if n < 100]
    assert sorted(old) == list(range(50))
    assert len(set(seen)) == len(seen)
    assert old[:20] == list(range(19, -1, -1)), "within one second, the last to come is first"


async def test_ranked_pages_are_complete(store: Store, archive: Archive) -> None:
    await keep(store, *(new_record(n) for n in range(25)))
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(4):
        page = await archive.search("drone", limit=7, cursor=cursor, ranked=True)
        seen += numbers(page)
        cursor = page.cursor
    assert cursor is None
    assert sorted(seen) == list(range(25))


async def test_a_cursor_belongs_to_its_question(store: Store, archive: Archive) -> None:
    await keep(store, *(new_record(n) for n in range(5)))
    cursor = (await archive.search("drone", limit=2)).cursor
    assert cursor is not None
    assert len(cursor) == 24
    flipped = ("A" if cursor[3] != "A" else "B").join((cursor[:3], cursor[4:]))
    foreign = Filters(kinds=frozenset({Kind.THREAT}))
    for asking in (
        archive.search("drones", cursor=cursor),
        archive.search("drone", foreign, cursor=cursor),
        archive.search("drone", cursor=cursor, ranked=True),
        archive.latest(cursor=cursor),
        *(
            archive.search("drone", cursor=bad)
            for bad in ("", "x", cursor[:-1], cursor + "=", "é" * 24, "\n" + cursor)
        ),
        archive.search("drone", limit=0),
        archive.latest(limit=101),
        archive.search(" "),
    ):
        with pytest.raises(OperationError) as refused:
            await asking
        assert refused.value.code is Code.BAD_REQUEST
    # Where a cursor points is no secret; one that was tampered with finds no more than its question allows.
    try:
        assert len((await archive.search("drone", limit=5, cursor=flipped)).items) <= 5
    except OperationError as refusal:
        assert refusal.code is Code.BAD_REQUEST  # noqa: PT017 - either is right


async def test_a_digest_holds_what_came_in_its_time(store: Store, archive: Archive) -> None:
    day = 24 * 3_600_000
    await keep(
        store,
        new_record(1, received=START),
        new_record(2, received=START + day - 1, severity="flash"),
        new_record(3, received=START + day),
        new_record(4, received=START + 1, community=OTHER_COMMUNITY),
    )
    first = await archive.for_digest(COMMUNITY, START, START + day)
    second = await archive.for_digest(COMMUNITY, START + day, START + 2 * day)
    assert [record.bulletin.id for record in first] == [bulletin_id(2), bulletin_id(1)]
    assert [record.bulletin.id for record in second] == [bulletin_id(3)]


async def test_bulletins_are_counted_by_kind_severity_and_day(store: Store) -> None:
    a_day = 24 * 60
    await keep(
        store,
        new_record(0),
        new_record(1, kind="tactic", severity="high"),
        new_record(a_day - 1, tlp="TLP:AMBER"),
        new_record(a_day, regions=["FR-75"]),
        new_record(2 * a_day + 5, community=OTHER_COMMUNITY),
        new_record(2 * a_day + 6),
        replacing(2 * a_day + 7, "retraction", 2 * a_day + 6),
        new_record(3 * a_day),
    )
    span = Filters(since=instant(START), until=instant(START + 3 * a_day * 60_000), tlp_at_most=Tlp.GREEN)
    counts = await count(store, span, "day")
    assert counts.total == 5
    assert counts.kinds == {Kind.THREAT: 3, Kind.TACTIC: 1, Kind.RETRACTION: 1}
    assert counts.severities == {Severity.LOW: 4, Severity.HIGH: 1}
    assert [sum(each.severities.values()) for each in counts.bars] == [2, 1, 2]
    assert (await count(store, span.model_copy(update={"tlp_at_most": Tlp.RED}), "day")).total == 6
    some = span.model_copy(update={"communities": frozenset({COMMUNITY}), "kinds": frozenset({Kind.THREAT})})
    assert [sum(each.severities.values()) for each in (await count(store, some, "week")).bars] == [2]
    there = span.model_copy(update={"regions": frozenset({"FR"})})
    assert (await count(store, there, "day")).total == 1


async def test_what_is_not_republished_yet_is_known(store: Store, archive: Archive) -> None:
    await keep(store, new_record(9), new_record(1))
    await keep(store, new_record(5))
    waiting = await archive.unpublished()
    assert [record.bulletin.id for _, record in waiting] == [bulletin_id(n) for n in (1, 9, 5)]
    [(first, _)] = await archive.unpublished(limit=1)
    await archive.mark_republished(first)
    assert [number for number, _ in await archive.unpublished()] == [number for number, _ in waiting[1:]]
    await archive.mark_republished(waiting[-1][0])
    await archive.mark_republished(first)
    assert await archive.unpublished() == []
    await keep(store, new_record(6))
    assert len(await archive.unpublished()) == 1


async def test_what_a_power_cut_took_from_the_local_stream_is_republished(
    store: Store, archive: Archive
) -> None:
    await keep(store, new_record(1))
    await keep(store, new_record(2))
    await keep(store, new_record(3))
    (first, _), second, (last, _) = await archive.unpublished()
    await archive.mark_republished(first)
    await archive.republish_behind(bulletin_id(2))
    assert (await archive.unpublished())[0] == second, "it goes back, and never on"
    await archive.mark_republished(last)
    await archive.republish_behind(bulletin_id(9))
    assert await archive.unpublished() == [], "the archive has no such bulletin"
    await archive.republish_behind(bulletin_id(1))
    assert [number for number, _ in await archive.unpublished()] == [second[0], last]
    await archive.mark_republished(last + 1)
    await archive.republish_behind(bulletin_id(1))
    assert await archive.unpublished() == [], "the number of a bulletin that is gone is not given again"


async def test_the_probe_set_is_found_through_the_archive(store: Store, archive: Archive) -> None:
    fields = [{name: each[name] for name in ("language", "title", "body")} for each in PROBES]
    made = [new_record(n, **each) for n, each in enumerate(fields)]
    await keep(store, *made)
    spotters = [Spotter(each.bulletin) for each in made]
    asked = found = 0
    for n, each in enumerate(PROBES):
        for query in each["queries"]:
            hits = numbers(await archive.search(query, limit=100))
            assert sorted(hits) == [m for m, spotter in enumerate(spotters) if spotter.holds(query)], query
            hit = n in hits
            assert hit or each["language"] not in {"ar", "zh"}, query
            asked, found = asked + 1, found + hit
    assert found >= 0.93 * asked


async def test_what_is_like_a_bulletin_is_found_by_what_tells_it_from_others(store: Store) -> None:
    attack = "Forged passports sold near the border by a travel agency"
    await keep(
        store,
        *(new_record(n, title="Weekly report of the border posts", body="routine") for n in range(10, 80)),
        new_record(1, title=attack, body="stolen blanks and a hologram press"),
        new_record(2, title="Hologram press found", body="blanks for passports"),
        new_record(3, title="Faux passeports", language="fr", translations=[
            {"language": "en", "official": True, "title": "Forged passports with a hologram"}]),
        new_record(4, tlp="TLP:AMBER", title=attack),
        new_record(5, title="جوازات مزورة", language="ar"),
        new_record(6, title="جوازات سفر مزورة عند الحدود", language="ar"),
        replacing(7, "amendment", 1, title=attack),
    )  # fmt: skip

    async def like(number: int, **filters: Any) -> list[int]:  # of any kind
        record = await Archive(store).get(bulletin_id(number))
        return [
            int(each.bulletin.id[-12:], 16) for each in await similar(store, record, Filters(**filters), 5)
        ]

    assert await like(1, tlp_at_most=Tlp.GREEN) == [2, 3], "without itself, its amendment, and what is common"
    assert (await like(1))[0] == 4
    assert await like(1, tlp_at_most=Tlp.GREEN, languages=frozenset({Language.FRENCH})) == [3]
    assert await like(5) == [6]
    assert await like(10, since="2030-01-01T00:00:00Z") == []
    await keep(store, new_record(90, title="Quite alone", body="unheard"))
    assert await like(90) == []
    await keep(store, replacing(91, "retraction", 2))
    assert await like(1, tlp_at_most=Tlp.GREEN) == [3]
