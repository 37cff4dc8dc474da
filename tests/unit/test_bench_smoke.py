import json
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
    "end_to_end_p50",
    "end_to_end_p99",
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
}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_measurement_runs_and_is_written_down(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--build", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=230, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    results = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert {each["name"] for each in results} == NAMES
    for each in results:
        assert set(each) == {"name", "unit", "value", "floor", "ratio"}
        assert each["unit"] in {"ops/s", "frames/s", "ms", "msg/s"}
        assert all(each[number] > 0 for number in ("value", "floor", "ratio"))
        assert each["name"] in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"], "its files are gone"
