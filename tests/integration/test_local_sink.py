"""The JSON-lines sink on a real file: whole lines, once each, private, and an honest refusal when the disk is
full.
"""

import resource
import signal
import sys
from pathlib import Path

import pytest

from schemas.errors import Code, OperationError
from schemas.vocabulary import Tlp
from subscribers.records import Record
from subscribers.sinks.jsonl import JsonlSink
from tests.support.node_api import make_record


def lines(path: Path) -> list[Record]:
    return [Record.model_validate_json(each) for each in path.read_bytes().splitlines()]


async def test_records_are_lines_once_each_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    records = [make_record(number, body="one\ntwo \u2028 three") for number in range(10)]
    sink = JsonlSink(path)
    await sink.write(records[:6])
    await sink.write(records[4:8])
    await sink.close()
    again = JsonlSink(path)
    await again.write(records)
    await again.close()
    assert lines(path) == records
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_ceiling_keeps_records_out(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    sink = JsonlSink(path, Tlp.AMBER)
    await sink.write([make_record(tlp.rank, tlp=tlp) for tlp in Tlp])
    await sink.close()
    assert [each.bulletin.tlp for each in lines(path)] == [Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER]


@pytest.mark.parametrize("cut", [1, 40, 400])
async def test_a_torn_last_line_is_written_again_whole(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "out.jsonl"
    records = [make_record(number) for number in range(3)]
    sink = JsonlSink(path)
    await sink.write(records)
    await sink.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - cut)
    again = JsonlSink(path)
    await again.write(records)
    await again.close()
    assert lines(path) == records


async def test_a_renamed_file_is_left_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    sink = JsonlSink(path)
    await sink.write([make_record(1)])
    path.rename(tmp_path / "out.1")
    await sink.write([make_record(2)])
    await sink.close()
    assert [each.bulletin.ref for each in lines(path)] == ["FRA-2026-0002"]
    assert [each.bulletin.ref for each in lines(tmp_path / "out.1")] == ["FRA-2026-0001"]


async def test_a_file_that_others_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.touch(0o644)
    path.chmod(0o644)
    with pytest.raises(OperationError) as caught:
        await JsonlSink(path).write([make_record()])
    assert caught.value.code is Code.BAD_SETTINGS


async def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperationError) as caught:
        await JsonlSink(tmp_path / "none" / "out.jsonl").write([make_record()])
    assert caught.value.code is Code.BAD_SETTINGS


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files, as Linux does")
async def test_without_room_nothing_is_torn_and_the_next_write_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    records = [make_record(number, body="x" * 2_000) for number in range(5)]
    sink = JsonlSink(path)
    await sink.write(records[:1])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 3_000, before[1]))
    try:
        with pytest.raises(OperationError) as caught:
            await sink.write(records[1:])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.code is Code.DISK_FULL
    assert lines(path) == records[:1]
    await sink.write(records)
    await sink.close()
    assert lines(path) == records
