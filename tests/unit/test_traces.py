"""Which spans are told of a bulletin, and that nobody waits for who takes them."""

import asyncio
import sys
import threading
from collections import Counter
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from pydantic import ValidationError
from structlog.testing import capture_logs

from bots.settings import BotSettings
from hub import tracing as at_hub
from hub.arrival import Arrival
from hub.collector import Sending as AtHub
from hub.demo.ports import free_ports
from hub.settings import HubSettings
from hub.settlement import Judged, prepare
from schemas.errors import Code, OperationError
from schemas.receipts import ADMITTED
from schemas.traces import Stage, Way
from subscribers import tracing
from subscribers.collector import Sending as AtNode
from subscribers.exchange.batch import Piece
from subscribers.settings import NodeSettings
from subscribers.storage.archive_rows import NewRecord
from tests.support.collector import collecting
from tests.support.federation import Publisher, uuid
from tests.support.node_api import make_record
from tests.support.world import eventually

BULLETIN = "01939a3c-5b0c-7abc-8def-0123456789ab"
AT = 1_764_000_000_000
bulletins = st.integers(0, 2**128 - 1).map(lambda number: str(UUID(int=number)))


def test_everybody_derives_the_same_trace_and_root() -> None:
    here, there = Way(BULLETIN, b"here"), Way(BULLETIN, b"there")
    assert here.trace == there.trace
    first = sha256(b"liaison/1 trace\0" + BULLETIN.encode() + b"\0").digest()
    assert here.trace == int.from_bytes(first[:16], "big")
    root = here.span(Stage.BULLETIN, AT, AT, {})
    assert (root.parent, root.span) == (0, there.span(Stage.BULLETIN, AT, AT, {}).span)
    assert there.span(Stage.INTAKE, AT, AT, {}).parent == root.span


def test_spans_of_two_readers_do_not_meet() -> None:
    spans = [Way(BULLETIN, place).span(each, AT, AT, {}) for place in (b"here", b"there") for each in Stage]
    assert Counter(each.span for each in spans).most_common(2)[1][1] == 1, "all but the root, which is one"
    told = [Way(BULLETIN, b"here").span(Stage.TOLD, AT, AT, {}, number) for number in range(50)]
    assert len({each.span for each in told}) == 50
    assert len({each.parent for each in told}) == 1


@pytest.mark.parametrize("stage", [each for each in Stage if each is not Stage.BULLETIN])
def test_a_stage_lies_within_one_of_its_own_process(stage: Stage) -> None:
    way = Way(BULLETIN, b"here")
    own = {way.span(each, AT, AT, {}).span: each for each in Stage}
    parent = own[way.span(stage, AT, AT, {}).parent]
    assert parent is Stage.BULLETIN or parent.partition(".")[0] == stage.partition(".")[0]


def test_a_clock_that_was_set_back_makes_no_span_end_before_it_begins() -> None:
    span = Way(BULLETIN).span(Stage.STORED, AT, AT - 5, {"code": "expired", "bytes": 7})
    assert (span.start, span.end) == (AT * 1_000_000, AT * 1_000_000)
    assert span.facts == {"liaison.code": "expired", "liaison.bytes": 7}


def test_a_bulletin_was_begun_at_the_time_in_its_id() -> None:
    assert Way(BULLETIN).begun == 0x01939A3C5B0C


@given(bulletins, st.floats(0, 1))
def test_all_agree_which_are_traced_and_more_never_means_others(bulletin: str, ratio: float) -> None:
    way = Way(bulletin, b"here")
    assert way.sampled(ratio) is Way(bulletin, b"there").sampled(ratio)
    assert way.sampled(1.0)
    assert not way.sampled(0.0)
    assert way.sampled(ratio) <= way.sampled(min(1.0, ratio * 2))


def test_the_share_is_what_was_asked_for() -> None:
    traced = sum(Way(str(UUID(int=number))).sampled(0.25) for number in range(4_000))
    assert 850 < traced < 1_150


def answered(raw: bytes, code: str) -> Judged:
    """A submission that came at AT, and was judged 30 ms later."""
    reply = f"$JS.ACK.INTAKE.admission.1.7.1.{AT}000000.0"
    message = Msg(Client(), subject=Publisher().place.intake(), reply=reply, data=raw)
    return Judged(prepare(Arrival.of(message)), code, AT + 30)


def test_the_hub_tells_of_bulletins_alone_and_of_refused_ones_no_more_than_why() -> None:
    publisher = Publisher()
    epoch, raw = publisher.send(publisher.announcement()), publisher.bulletin(7)
    admitted = at_hub.spans(answered(raw, ADMITTED), AT + 50, b"here", 1.0)
    assert [(each.stage, each.end // 1_000_000 - AT) for each in admitted] == [
        (Stage.INTAKE, 50),
        (Stage.ADMISSION, 30),
        (Stage.STORED, 50),
    ]
    assert {each.trace for each in admitted} == {Way(uuid(7)).trace}
    assert admitted[0].facts == {"liaison.sequence": 7, "liaison.bytes": len(raw)}
    refused = at_hub.spans(answered(raw, "expired"), AT + 50, b"here", 1.0)
    assert [each.stage for each in refused] == [Stage.INTAKE, Stage.ADMISSION]
    assert refused[1].facts == {"liaison.code": "expired"}
    for judged, ratio in ((answered(raw, ADMITTED), 0.0), (answered(epoch, ADMITTED), 1.0)):
        assert at_hub.spans(judged, AT + 50, b"here", ratio) == []
    assert at_hub.spans(answered(raw[:40], "truncated"), AT + 50, b"here", 1.0) == []


async def test_nothing_is_noted_while_traces_are_off() -> None:
    async with at_hub.exporting(None, 1.0), tracing.exporting(None, 1.0, "liaison-node"):
        assert at_hub.notes() is None
        assert tracing.begin() is None
        at_hub.stored(None, AT)
        tracing.journaled(BULLETIN, None)
        tracing.settled(BULLETIN, ADMITTED)
        tracing.note(Stage.READ, BULLETIN, AT)


async def test_what_is_noted_reaches_the_collector() -> None:
    publisher = Publisher()
    epoch, raw = publisher.send(publisher.announcement()), publisher.bulletin(7)
    record = make_record()
    record = record.model_copy(update={"bulletin": record.bulletin.model_copy(update={"id": uuid(7)})})
    new = NewRecord(record.bulletin, b"", record.community, record.agency, AT + 5)
    async with collecting() as collected:
        at_node = tracing.exporting(collected.url, 1.0, "liaison-node")
        async with at_hub.exporting(collected.url, 1.0), at_node:
            judged = at_hub.notes()
            assert judged == []
            at_hub.stored([answered(raw, ADMITTED)], AT + 50)
            tracing.journaled(uuid(7), tracing.begin())
            for each in (raw, epoch, b"no frame"):
                await tracing_sent(each)
            tracing.committed([(new, Piece("f.x", raw, 9))], AT)
            tracing.republished([record], AT)
            for _ in range(2):  # the second is another's answer, or comes again
                tracing.settled(uuid(7), ADMITTED)
        assert tracing.begin() is None
    assert Counter(each.name for each in collected.spans) == Counter(
        [
            *(Stage.INTAKE, Stage.ADMISSION, Stage.STORED),
            *(Stage.JOURNALED, Stage.SENT, Stage.BULLETIN),
            *(Stage.RECEIVED, Stage.OPENED, Stage.COMMITTED, Stage.REPUBLISHED),
        ]
    )
    assert {each.trace for each in collected.spans} == {f"{Way(uuid(7)).trace:032x}"}
    (root,) = [each for each in collected.spans if each.name == Stage.BULLETIN]
    assert (root.who, root.parent, root.facts) == ("liaison-node", "", {"liaison.code": ADMITTED})
    by_name = {each.name: each for each in collected.spans}
    assert by_name[Stage.SENT].facts == {"liaison.bytes": len(raw)}
    assert by_name[Stage.STORED].parent == by_name[Stage.INTAKE].span


async def tracing_sent(raw: bytes) -> None:
    """A submission that the intake takes, and one on which the connection breaks."""

    async def taken() -> None:
        await asyncio.sleep(0)

    async def lost() -> None:
        raise ConnectionError

    for way in (taken(), lost()):
        task = asyncio.create_task(way)
        tracing.sending(task, raw)
        await asyncio.wait([task])


async def test_own_bulletins_that_wait_are_remembered_up_to_a_bound() -> None:
    async with collecting() as collected, tracing.exporting(collected.url, 0.0, "liaison-node"):
        for number in range(5_000):
            tracing.journaled(uuid(number), AT)
        assert len(tracing.waiting()) == 4_096
        tracing.settled(uuid(4_999), ADMITTED)
        assert len(tracing.waiting()) == 4_095
    assert collected.spans == [], "none is among the share"


async def test_nobody_waits_for_a_collector_that_is_away_or_does_not_answer() -> None:
    (nobody,) = free_ports(1)
    async with collecting() as collected:
        collected.answering.clear()
        for url, count in ((f"http://127.0.0.1:{nobody}/v1/traces", 10), (collected.url, 4_200)):
            async with tracing.exporting(url, 1.0, "liaison-node", patience=0.01):
                for number in range(count):  # in the end more than are kept
                    tracing.note(Stage.READ, uuid(number), AT)
        collected.answering.set()
        await eventually(over)


async def over() -> bool:
    """Whether no thread is left that sends traces."""
    return not any(each.name.startswith(("Otel", "traces")) for each in threading.enumerate())


@pytest.mark.parametrize("sending", [AtHub, AtNode])
async def test_it_is_said_once_that_nobody_takes_them_and_once_that_somebody_does(
    sending: type[AtHub] | type[AtNode],
) -> None:
    async with collecting() as collected:
        exporter = sending(OTLPSpanExporter(collected.url))
        with capture_logs() as said:
            for collected.status in (200, 400, 400, 200, 200):
                await asyncio.to_thread(exporter.export, [])
        exporter.shutdown()
    assert [(each["event"], each["log_level"]) for each in said] == [
        ("traces are not taken", "warning"),
        ("traces are taken again", "info"),
    ]


@pytest.mark.parametrize("package", ["hub", "subscribers"])
async def test_without_the_library_it_is_said_what_to_install(package: str) -> None:
    name, loaded = f"{package}.collector", cast("dict[str, Any]", sys.modules)
    kept = loaded.pop(name)
    loaded[name] = None  # the import system's own way to say that there is no such module
    node = tracing.exporting("http://c/", 1.0, "liaison-node")
    switch = at_hub.exporting("http://c/", 1.0) if package == "hub" else node
    try:
        with pytest.raises(OperationError, match="OpenTelemetry is not installed") as refused:
            await switch.__aenter__()
    finally:
        loaded[name] = kept
    assert refused.value.code is Code.BAD_SETTINGS


@pytest.mark.parametrize("url", ["ftp://collector", "http://user:word@collector/v1/traces", "collector"])
def test_an_address_holds_no_secret(url: str) -> None:
    for settings in (HubSettings, NodeSettings, BotSettings):
        with pytest.raises(ValidationError):
            settings(traces_url=url)
