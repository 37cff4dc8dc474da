import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "seal",
    "admission",
    "receive",
    "catch_up",
    "catch_up_opened",
    "rotation_10",
    "rotation_300",
    "rotation_1000",
    "archive_query_p95",
    "bot_reply_p95",
    *(
        f"answer_{each}_p95"
        for each in (
            "latest",
            "search",
            "meant",
            "show",
            "who",
            "stats",
            "stats_community",
            "like",
            "tactic",
            "subject",
        )
    ),
    "flash_rate",
    *(f"{each}_{part}" for each in ("end_to_end", "loaded") for part in ("p50", "p99", "p999")),
    "throughput",
    "hub_admission",
    *(f"fan_out_3_{part}" for part in ("p50", "p99", "last")),
    "memory_hub",
}
PEER = re.compile(r"peer_[a-z]+(_[a-z0-9]+)?_[0-9]+\Z")
"""Those that are here depend on what is installed."""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_measurement_runs_and_is_written_down(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--build", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=560, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    results = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    names = {each["name"] for each in results}
    assert {each for each in names if not PEER.match(each)} == NAMES
    for each in results:
        assert set(each) == {"name", "unit", "value", "floor", "ratio"}
        assert each["unit"] in {"ops/s", "frames/s", "ms", "msg/s", "MiB", "B"}
        assert all(each[number] > 0 for number in ("value", "floor", "ratio"))
        assert each["name"] in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"], "its files are gone"
