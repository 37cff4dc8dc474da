"""Streams, durables, batches, pulls and scans over a real server."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from hub.accounts import Service
from hub.batch import MAX_BATCH, BatchRefused, BatchUncertain, Outgoing, publish_batch, publish_ordered
from hub.durables import ADMISSION, ensure_admission, ensure_endpoint, remove_endpoint
from hub.grants import DIRECTORY, TRAFFIC
from hub.jetstream import JetStreamRefused, api, next_stored
from hub.presence import redeliver_on_connect
from hub.pull import Pull
from hub.settings import HubSettings
from hub.stream_limits import StreamLimits
from hub.streams import (
    INTAKE,
    QUARANTINE,
    RECEIPT_TTL,
    TTL_HEADER,
    WRAP_TTL,
    ensure_streams,
    scan,
    trim_intake,
)
from schemas.errors import Code, OperationError
from schemas.subjects import CHUNKS, DIRECTORY_DOCUMENTS
from tests.support.nats_server import DEADLINE, HubNats, eventually, hub_nats

COM = "0a" * 16
OTHER = "0b" * 16


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[HubNats]:
    async with hub_nats(tmp_path) as made:
        yield made


async def publish(
    nc: Client, subject: str, payload: bytes = b"x", headers: dict[str, str] | None = None
) -> int:
    answer = json.loads((await nc.request(subject, payload, timeout=DEADLINE, headers=headers)).data)
    return int(answer["seq"])


async def take(pull: Pull, count: int) -> list[Msg]:
    taken: list[Msg] = []
    async with asyncio.timeout(DEADLINE):
        async for messages in pull:
            taken += messages
            if len(taken) >= count:
                break
    return taken


async def read(nc: Client, stream: str, durable: str, count: int) -> list[bytes]:
    """The next `count` messages of a durable, acknowledged."""
    async with Pull(nc, stream, durable) as pull:
        taken = await take(pull, count)
    for message in taken:
        await message.ack_sync(DEADLINE)
    return [message.data for message in taken]


async def stored(nc: Client, stream: str) -> int:
    return int((await api(nc, f"STREAM.INFO.{stream}"))["state"]["messages"])


# -- streams ----------------------------------------------------------------------------------------------


async def test_streams_are_as_the_design_says(running: HubNats) -> None:
    configs = {
        name: (await api(running.hub, f"STREAM.INFO.{name}"))["config"]
        for name in (INTAKE, TRAFFIC, DIRECTORY, QUARANTINE, CHUNKS)
    }
    chunks = configs.pop(CHUNKS)
    assert chunks["deny_delete"]
    assert chunks["deny_purge"]
    assert (chunks["max_msgs_per_subject"], chunks["discard"], chunks["allow_direct"]) == (1, "new", True)
    assert chunks["max_age"] == 90 * 86_400 * 10**9
    for config in configs.values():
        assert config["retention"] == "limits"
        assert config["storage"] == "file"
        assert config["deny_delete"]
        assert not config["allow_rollup_hdrs"]
        assert not config.get("allow_direct")
    assert [configs[name]["deny_purge"] for name in (INTAKE, TRAFFIC, DIRECTORY, QUARANTINE)] == [
        False,
        True,
        True,
        True,
    ]
    assert configs[TRAFFIC]["allow_atomic"]
    assert configs[TRAFFIC]["max_age"] == 0
    assert configs[TRAFFIC]["max_msgs_per_subject"] == -1
    assert configs[INTAKE]["discard"] == "new"


async def test_ensuring_again_changes_nothing_and_new_limits_are_taken(running: HubNats) -> None:
    await publish(running.hub, "f.live.x.routine.y")
    created = (await api(running.hub, f"STREAM.INFO.{INTAKE}"))["created"]
    await ensure_streams(running.hub)
    await ensure_streams(running.hub, StreamLimits(intake_bytes=32 * 1024**2))
    info = await api(running.hub, f"STREAM.INFO.{INTAKE}")
    assert info["config"]["max_bytes"] == 32 * 1024**2
    assert info["created"] == created
    assert await stored(running.hub, TRAFFIC) == 1


async def test_a_full_intake_refuses_and_keeps_what_it_has(running: HubNats) -> None:
    await ensure_streams(running.hub, StreamLimits(intake_bytes=300_000))
    peer = await running.admit("A", ("live", COM))
    subject = f"in.live.{COM}.routine.{peer.public}"
    assert b'"seq":1' in await peer.request(subject, bytes(200_000))
    assert b"maximum bytes exceeded" in await peer.request(subject, bytes(200_000))
    assert await stored(running.hub, INTAKE) == 1


async def test_more_room_than_the_disk_has_is_a_full_disk(running: HubNats) -> None:
    with pytest.raises(JetStreamRefused) as refused:
        await ensure_streams(running.hub, StreamLimits(intake_bytes=2**60))
    assert refused.value.code is Code.DISK_FULL


async def test_the_largest_bundle_of_wraps_fits(running: HubNats) -> None:
    peer = await running.admit("A")
    assert b'"seq":1' in await peer.request(f"s.wrap.{peer.public}", bytes(256 * 1216 + 16 * 1024))


async def test_frames_stay_where_wraps_and_receipts_expire(running: HubNats) -> None:
    sent = [
        Outgoing("f.live.x.routine.y", b"frame"),
        Outgoing("w.x", b"wrap", {TTL_HEADER: WRAP_TTL}),
        Outgoing("r.x", b"receipt", {TTL_HEADER: RECEIPT_TTL}),
        Outgoing("w.x", b"short", {TTL_HEADER: "1s"}),
    ]
    await publish_batch(running.hub, sent, batch_id="b")

    async def expired() -> bool:
        return await stored(running.hub, TRAFFIC) == 3

    await eventually(expired)
    assert [message.data async for found in scan(running.hub, TRAFFIC, [">"]) for message in found] == [
        b"frame",
        b"wrap",
        b"receipt",
    ]


async def test_quarantine_keeps_each_reason_of_each_sender_apart(running: HubNats) -> None:
    await publish(running.hub, "q.victim.expired", b"evidence")
    noise = [running.hub.publish("q.noisy.expired", b"noise") for _ in range(1100)]
    await asyncio.gather(*noise)
    await publish(running.hub, "q.noisy.expired", b"last")
    assert await stored(running.hub, QUARANTINE) == 1001


async def test_jetstream_away_is_said(running: HubNats) -> None:
    with pytest.raises(OperationError) as refused:
        await api(running.system, "STREAM.INFO.TRAFFIC", timeout=1)
    assert refused.value.code in {Code.HUB_UNREACHABLE, Code.INTERNAL}


# -- admission's durable ----------------------------------------------------------------------------------


async def test_admission_begins_with_all_that_the_intake_holds(running: HubNats) -> None:
    """What the durable acknowledged before says nothing: those numbers may have been given again."""
    for number in range(6):
        await publish(running.hub, "s.doc.x", b"%d" % number)
    await ensure_admission(running.hub)
    async with Pull(running.hub, INTAKE, ADMISSION, batch=4) as pull:
        first = await take(pull, 4)
        await first[1].ack_sync(DEADLINE)
    await ensure_admission(running.hub)
    assert await read(running.hub, INTAKE, ADMISSION, 6) == [b"0", b"1", b"2", b"3", b"4", b"5"]


async def test_trimming_takes_only_what_lies_before(running: HubNats) -> None:
    await ensure_admission(running.hub)
    for number in range(6):
        await publish(running.hub, "s.doc.x", b"%d" % number)
    for nothing in (-399, 0, 1):
        await trim_intake(running.hub, nothing)
    assert await stored(running.hub, INTAKE) == 6
    await trim_intake(running.hub, 5)
    assert await stored(running.hub, INTAKE) == 2
    await ensure_admission(running.hub)
    assert await read(running.hub, INTAKE, ADMISSION, 2) == [b"4", b"5"]


async def test_a_scan_whose_consumer_is_gone_says_so(running: HubNats) -> None:
    for number in range(4):
        await publish(running.hub, "s.doc.x", b"%d" % number)
    reader = {"ack_policy": "none", "deliver_policy": "all", "mem_storage": True}
    made = await api(running.hub, f"CONSUMER.CREATE.{INTAKE}", {"stream_name": INTAKE, "config": reader})
    pull = Pull(running.hub, INTAKE, made["name"], batch=8, patient=False)
    async with pull:
        assert len(await take(pull, 4)) == 4
        await api(running.hub, f"CONSUMER.DELETE.{INTAKE}.{made['name']}")
        with pytest.raises(OperationError) as refused:
            await take(pull, 1)
        assert refused.value.code is Code.HUB_UNREACHABLE


async def test_a_scan_waits_for_servers_that_do_not_know_its_consumer_yet(running: HubNats) -> None:
    await publish(running.hub, "s.doc.x", b"0")
    reader = {"ack_policy": "none", "deliver_policy": "all", "mem_storage": True, "name": "late"}
    async with Pull(running.hub, INTAKE, "late", batch=8, patient=False) as pull:
        taking = asyncio.create_task(take(pull, 1))
        # The server has answered this one after it had nobody for what was asked before it.
        with pytest.raises(JetStreamRefused):
            await api(running.hub, f"CONSUMER.INFO.{INTAKE}.late")
        config = {"stream_name": INTAKE, "config": reader}
        await api(running.hub, f"CONSUMER.CREATE.{INTAKE}.late", config)
        assert [each.data for each in await taking] == [b"0"]


# -- endpoints' durables ----------------------------------------------------------------------------------


async def test_an_endpoint_reads_its_feed_in_order(running: HubNats) -> None:
    peer = await running.admit("A", ("live", COM))
    frame = f"f.live.{COM}.flash.someone"
    for subject, payload in (
        (f"w.{peer.public}", b"wrap"),
        (f"f.exercise.{COM}.flash.someone", b"not its realm"),
        (frame, b"first"),
        (f"f.live.{OTHER}.flash.someone", b"not its community"),
        (frame, b"second"),
        ("w.other", b"not its wrap"),
        (f"r.{peer.public}", b"receipt"),
    ):
        await publish(running.hub, subject, payload)
    assert await read(peer.nc, TRAFFIC, peer.public, 4) == [b"wrap", b"first", b"second", b"receipt"]


async def test_traffic_starts_at_admission_and_the_directory_at_its_beginning(running: HubNats) -> None:
    await publish(running.hub, "d.doc", b"root")
    await publish(running.hub, f"f.live.{COM}.routine.x", b"old")
    peer = await running.admit("A", ("live", COM))
    await publish(running.hub, f"f.live.{COM}.routine.x", b"new")
    assert await read(peer.nc, TRAFFIC, peer.public, 1) == [b"new"]
    assert await read(peer.nc, DIRECTORY, peer.public, 1) == [b"root"]


async def test_widening_is_live_and_brings_the_whole_membership_log(running: HubNats) -> None:
    peer = await running.admit("A", ("live", COM))
    for subject, payload in (("d.doc", b"1"), (f"m.{OTHER}", b"2"), (f"m.{COM}", b"3"), (f"m.{OTHER}", b"4")):
        await publish(running.hub, subject, payload)
    await publish(running.hub, f"f.live.{OTHER}.routine.x", b"before")
    async with (
        Pull(peer.nc, DIRECTORY, peer.public) as directory,
        Pull(peer.nc, TRAFFIC, peer.public) as traffic,
    ):
        for message in await take(directory, 2):
            await message.ack_sync(DEADLINE)
        await running.entitle(peer, ("live", COM), ("live", OTHER))
        replayed = await take(directory, 3)
        assert [message.data for message in replayed] == [b"2", b"3", b"4"]
        assert [message.metadata.sequence.stream for message in replayed] == [2, 3, 4]
        for message in replayed:
            await message.ack_sync(DEADLINE)
        await publish(running.hub, f"f.live.{OTHER}.routine.x", b"after")
        assert (await take(traffic, 1))[0].data == b"after"
        await publish(running.hub, f"m.{OTHER}", b"5")
        assert [message.data for message in await take(directory, 1)] == [b"5"]
    assert not peer.disconnected.is_set()


async def test_widening_to_an_empty_log_replays_nothing(running: HubNats) -> None:
    peer = await running.admit("A")
    await publish(running.hub, "d.doc", b"1")
    assert await read(peer.nc, DIRECTORY, peer.public, 1) == [b"1"]
    await running.entitle(peer, ("live", OTHER))
    await publish(running.hub, f"m.{OTHER}", b"2")
    assert await read(peer.nc, DIRECTORY, peer.public, 1) == [b"2"]


async def test_narrowing_is_live(running: HubNats) -> None:
    peer = await running.admit("A", ("live", COM), ("live", OTHER))
    await publish(running.hub, f"f.live.{OTHER}.routine.x", b"1")
    assert await read(peer.nc, TRAFFIC, peer.public, 1) == [b"1"]
    await running.entitle(peer, ("live", COM))
    await publish(running.hub, f"f.live.{OTHER}.routine.x", b"2")
    await publish(running.hub, f"f.live.{COM}.routine.x", b"3")
    assert await read(peer.nc, TRAFFIC, peer.public, 1) == [b"3"]


async def test_ensuring_an_endpoint_again_repeats_and_loses_nothing(running: HubNats) -> None:
    peer = await running.admit("A", ("live", COM))
    await publish(running.hub, "d.doc", b"1")
    await publish(running.hub, f"f.live.{COM}.routine.x", b"1")
    assert await read(peer.nc, TRAFFIC, peer.public, 1) == [b"1"]
    assert await read(peer.nc, DIRECTORY, peer.public, 1) == [b"1"]
    await publish(running.hub, f"f.live.{COM}.routine.x", b"2")
    await ensure_endpoint(running.hub, peer.public, frozenset({("live", COM)}))
    await publish(running.hub, "d.doc", b"2")
    assert await read(peer.nc, TRAFFIC, peer.public, 1) == [b"2"]
    assert await read(peer.nc, DIRECTORY, peer.public, 1) == [b"2"]


async def test_a_removed_endpoint_has_no_durables(running: HubNats) -> None:
    peer = await running.admit("A", ("live", COM))
    for _ in range(2):
        await remove_endpoint(running.hub, peer.public)
    for stream in (TRAFFIC, DIRECTORY):
        with pytest.raises(JetStreamRefused):
            await api(running.hub, f"CONSUMER.INFO.{stream}.{peer.public}")


async def test_what_a_broken_connection_had_not_acknowledged_comes_again_in_order(running: HubNats) -> None:
    peer = await running.admit("A", ("live", COM))
    await redeliver_on_connect(running.system, running.hub, running.accounts)
    await running.system.flush()
    for number in range(4):
        await publish(running.hub, f"f.live.{COM}.routine.x", b"%d" % number)
    async with Pull(peer.nc, TRAFFIC, peer.public) as pull:
        await (await take(pull, 4))[0].ack_sync(DEADLINE)
        await peer.nc.close()
    await publish(running.hub, f"f.live.{COM}.routine.x", b"4")

    again = await running.join(peer.public, peer.user, peer.user_jwt)

    async def nothing_under_way() -> bool:
        return not json.loads(await again.request(f"look.{TRAFFIC}"))["num_ack_pending"]

    await eventually(nothing_under_way)  # what is only late stays under way until it comes again
    assert await read(again.nc, TRAFFIC, peer.public, 4) == [b"1", b"2", b"3", b"4"]


# -- batches ----------------------------------------------------------------------------------------------


async def test_a_batch_is_stored_in_order_and_without_gaps(running: HubNats) -> None:
    await publish(running.hub, "f.a", b"before")
    batch = [
        Outgoing(f"f.{number % 3}", b"%d" % number, {"Nats-Msg-Id": str(number)})
        for number in range(MAX_BATCH)
    ]
    assert await publish_batch(running.hub, batch, batch_id="x" * 64) == 2
    assert await publish_batch(running.hub, [Outgoing("w.x", b"alone")], batch_id="y") == MAX_BATCH + 2
    found = [message async for messages in scan(running.hub, TRAFFIC, ["f.*"]) for message in messages]
    assert [message.data for message in found] == [
        b"before",
        *(b"%d" % number for number in range(MAX_BATCH)),
    ]


@pytest.mark.parametrize("ids", [["known", "fresh"], ["twice", "twice"]])
async def test_a_duplicate_id_refuses_the_whole_batch(running: HubNats, ids: list[str]) -> None:
    await publish(running.hub, "f.a", headers={"Nats-Msg-Id": "known"})
    with pytest.raises(BatchRefused) as refused:
        await publish_batch(
            running.hub, [Outgoing("f.a", b"", {"Nats-Msg-Id": id}) for id in ids], batch_id="b"
        )
    assert refused.value.duplicate
    assert await stored(running.hub, TRAFFIC) == 1


@pytest.mark.parametrize("subjects", [["f.a", "d.doc"], ["d.doc", "f.a"], ["f.a", "nowhere"], ["q.a", "q.b"]])
async def test_a_batch_over_streams_or_elsewhere_is_refused(running: HubNats, subjects: list[str]) -> None:
    with pytest.raises(BatchRefused) as refused:
        await publish_batch(running.hub, [Outgoing(subject, b"") for subject in subjects], batch_id="b")
    assert not refused.value.duplicate
    for stream in (TRAFFIC, DIRECTORY, QUARANTINE):
        assert await stored(running.hub, stream) == 0


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
async def test_a_batch_has_a_size(running: HubNats, count: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        await publish_batch(running.hub, [Outgoing("f.a", b"")] * count, batch_id="b")


async def test_a_batch_without_an_answer_is_uncertain(running: HubNats) -> None:
    deaf = await nats.connect(running.server.url, **running.accounts.credentials(Service.HUB).options())
    await deaf.subscribe("silence")
    with pytest.raises(BatchUncertain):
        await publish_batch(deaf, [Outgoing("silence", b"")], batch_id="b", timeout=0.05)
    some = [Outgoing("f.a", b""), Outgoing("silence", b"")]
    known: list[int] = []
    for patience in (0.5, 5.0, DEADLINE / 2):  # a busy server may leave the first one waiting, too
        with pytest.raises(BatchUncertain) as uncertain:
            await publish_ordered(deaf, some, batch_id="b", timeout=patience)
        known.append(uncertain.value.stored)
        if any(known):
            break
    assert known[-1] == 1
    await deaf.close()


@pytest.mark.parametrize("count", [0, 1, 4, 5, 1000, 2003])
async def test_ordered_publishing_keeps_the_order_at_any_length(running: HubNats, count: int) -> None:
    sent = [Outgoing("f.a", b"%d" % number, {"Nats-Msg-Id": str(number)}) for number in range(count)]
    assert await publish_ordered(running.hub, sent, batch_id="b") == list(range(1, count + 1))
    found = [message.data async for messages in scan(running.hub, TRAFFIC, ["f.a"]) for message in messages]
    assert found == [message.payload for message in sent]


@pytest.mark.parametrize("count", [3, 30])
async def test_ordered_publishing_again_stores_only_what_is_missing(running: HubNats, count: int) -> None:
    sent = [Outgoing("f.a", b"%d" % number, {"Nats-Msg-Id": str(number)}) for number in range(count)]
    await publish_ordered(running.hub, sent[: count // 2], batch_id="b")
    assert await publish_ordered(running.hub, sent, batch_id="c") == list(range(1, count + 1))
    assert await stored(running.hub, TRAFFIC) == count


async def test_ordered_publishing_stops_at_the_first_error(running: HubNats) -> None:
    sent = [Outgoing("f.a", b"1"), Outgoing("f.a", bytes(200_000)), Outgoing("f.a", b"3")]
    with pytest.raises(BatchRefused) as refused:
        await publish_ordered(running.hub, sent, batch_id="b")
    assert refused.value.stored == 1
    assert await stored(running.hub, TRAFFIC) == 1
    with pytest.raises(BatchRefused) as refused:
        await publish_ordered(running.hub, sent * 3, batch_id="c")
    assert refused.value.stored == 0
    assert await stored(running.hub, TRAFFIC) == 1


@pytest.mark.parametrize("number", [1, 8])
async def test_where_no_server_keeps_a_stream_it_is_to_be_asked_again(running: HubNats, number: int) -> None:
    """As while a cluster elects a leader: whoever ordered it asks again by itself."""
    sent = [Outgoing("nobody.keeps.this", b"%d" % each) for each in range(number)]
    with pytest.raises(BatchRefused) as refused:
        await publish_ordered(running.hub, sent, batch_id="b")
    assert (refused.value.code, refused.value.stored) == (Code.HUB_UNREACHABLE, 0)


# -- pulls and scans --------------------------------------------------------------------------------------


async def test_one_message_comes_alone_and_many_come_together(running: HubNats) -> None:
    peer = await running.admit("A", ("live", COM))
    subject = f"f.live.{COM}.routine.x"
    async with Pull(peer.nc, TRAFFIC, peer.public, batch=64) as pull:
        for number in range(3):
            await publish(running.hub, subject, b"%d" % number)
            assert [message.data for message in await asyncio.wait_for(anext(pull), DEADLINE)] == [
                b"%d" % number
            ]
        await publish_batch(
            running.hub, [Outgoing(subject, b"%d" % number) for number in range(500)], batch_id="b"
        )

        async def waiting() -> bool:
            return len(pull._ready) >= 32  # noqa: SLF001 - what has come while nobody read

        await eventually(waiting)
        lists: list[list[bytes]] = []
        while sum(len(one) for one in lists) < 500:
            lists.append([message.data for message in await asyncio.wait_for(anext(pull), DEADLINE)])
        assert [data for one in lists for data in one] == [b"%d" % number for number in range(500)]
        assert max(len(one) for one in lists) <= 64
        assert len(lists[0]) >= 32


async def test_a_pull_outlives_its_requests(running: HubNats) -> None:
    peer = await running.admit("A", ("live", COM))
    asked = await running.hub.subscribe(f"$JS.API.CONSUMER.MSG.NEXT.{TRAFFIC}.{peer.public}")
    await running.hub.flush()
    async with Pull(peer.nc, TRAFFIC, peer.public, expires=0.25, heartbeat=0.1) as pull:
        for number in range(3):
            for _ in range(2):  # the request that was open, and the one after it
                await asked.next_msg(timeout=DEADLINE)
            await publish(running.hub, f"f.live.{COM}.routine.x", b"%d" % number)
            assert [message.data for message in await take(pull, 1)] == [b"%d" % number]


async def test_a_pull_reports_a_missing_durable_and_goes_on_when_it_is_there(running: HubNats) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    async with Pull(running.hub, TRAFFIC, "later", heartbeat=0.05, report=told.put_nowait) as pull:
        assert (await asyncio.wait_for(told.get(), DEADLINE)).startswith("503")
        config = {"durable_name": "later", "name": "later", "ack_policy": "explicit"}
        await api(running.hub, f"CONSUMER.CREATE.{TRAFFIC}.later", {"stream_name": TRAFFIC, "config": config})
        await publish(running.hub, "f.a", b"there")
        assert [message.data for message in await take(pull, 1)] == [b"there"]
        await api(running.hub, f"CONSUMER.DELETE.{TRAFFIC}.later")
        while "Consumer Deleted" not in await asyncio.wait_for(told.get(), DEADLINE):
            pass


async def test_a_pull_goes_on_after_the_server_was_killed(running: HubNats) -> None:
    await publish(running.hub, "s.doc.x", b"before")
    await ensure_admission(running.hub)
    async with Pull(running.hub, INTAKE, ADMISSION, heartbeat=0.2) as pull:
        (first,) = await take(pull, 1)
        await first.ack_sync(DEADLINE)
        killed = await asyncio.create_subprocess_exec("kill", "-9", str(running.server.pid))
        await killed.wait()

        async def back() -> bool:
            return running.server.restarts == 1 and running.hub.is_connected

        await eventually(back)
        await publish(running.hub, "s.doc.x", b"after")
        # The killed server may have forgotten the acknowledgement: what was not lost may come twice.
        seen = await take(pull, 1)
        while seen[-1].data != b"after":
            seen += await take(pull, 1)
        assert {message.data for message in seen} <= {b"before", b"after"}


async def test_a_pull_ends_with_its_connection(running: HubNats) -> None:
    await ensure_admission(running.hub)
    nc = await nats.connect(running.server.url, **running.accounts.credentials(Service.HUB).options())
    async with Pull(nc, INTAKE, ADMISSION, heartbeat=0.05) as pull:
        await nc.close()
        with pytest.raises(nats.errors.ConnectionClosedError):
            await asyncio.wait_for(anext(pull), DEADLINE)


async def test_a_slow_reader_is_not_overrun(running: HubNats) -> None:
    await ensure_admission(running.hub)
    async with Pull(running.hub, INTAKE, ADMISSION, batch=8) as pull:
        for number in range(40):
            await publish(running.hub, "s.doc.x", b"%d" % number)
        info = await api(running.hub, f"CONSUMER.INFO.{INTAKE}.{ADMISSION}")
        assert info["num_ack_pending"] <= 8
        assert [message.data for message in await take(pull, 40)] == [b"%d" % number for number in range(40)]


async def test_scans_read_all_or_the_last_of_each_subject(running: HubNats) -> None:
    batch = [Outgoing(f"f.live.c.routine.{number % 5}", b"%d" % number) for number in range(2500)]
    for start in range(0, 2500, 500):
        await publish_batch(running.hub, batch[start : start + 500], batch_id=str(start))
    whole = [message.data async for messages in scan(running.hub, TRAFFIC, ["f.>"]) for message in messages]
    assert whole == [b"%d" % number for number in range(2500)]
    last = [
        (message.metadata.sequence.stream, message.data)
        async for messages in scan(running.hub, TRAFFIC, ["f.>"], last_per_subject=True)
        for message in messages
    ]
    assert last == [(2496 + number, b"%d" % (2495 + number)) for number in range(5)]
    assert [messages async for messages in scan(running.hub, TRAFFIC, ["w.>", "r.>"])] == []


# -- settings ---------------------------------------------------------------------------------------------


def test_settings_come_from_arguments_environment_and_file(tmp_path: Path, root: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text('host = "10.0.0.1"\nport = 5000\nquarantine_days = 7\n')
    program = "from hub.settings import HubSettings; print(HubSettings(log='json').model_dump_json())"
    environment = {"PYTHONPATH": str(root), "LIAISON_HUB_CONFIG": str(file), "LIAISON_HUB_PORT": "6000"}
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
        timeout=60,
    )
    shown = json.loads(run.stdout)
    assert (shown["host"], shown["port"], shown["nats"], shown["log"]) == ("10.0.0.1", 6000, None, "json")
    assert HubSettings.model_validate(shown).stream_limits == StreamLimits(quarantine_days=7)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValidationError, match="port"):
        HubSettings(port=70_000)


class Slow(Client):
    """A connection on whose first answer somebody stores on the first subject, then on the last."""

    asked = 0

    async def request(self, *args: Any, **options: Any) -> Msg:
        answer = await super().request(*args, **options)
        self.asked += 1
        if self.asked == 1:
            for subject, text in ((DIRECTORY_DOCUMENTS, b"before"), (f"m.{OTHER}", b"after")):
                await super().request(subject, text, timeout=DEADLINE)
        return answer


async def test_the_next_message_of_several_subjects_is_the_first_whatever_is_stored_meanwhile(
    running: HubNats,
) -> None:
    subjects = [DIRECTORY_DOCUMENTS, f"m.{COM}", f"m.{OTHER}"]
    assert await next_stored(running.hub, DIRECTORY, subjects, 0) is None
    slow = Slow()
    await slow.connect(running.server.url, **running.accounts.credentials(Service.HUB).options())
    try:
        assert await next_stored(slow, DIRECTORY, subjects, 0) == (1, DIRECTORY_DOCUMENTS, b"before")
    finally:
        await slow.close()
    assert await next_stored(running.hub, DIRECTORY, subjects, 1) == (2, f"m.{OTHER}", b"after")
    assert await next_stored(running.hub, DIRECTORY, subjects, 2) is None
