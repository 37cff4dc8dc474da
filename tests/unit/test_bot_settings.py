"""Settings and commands: what is wrong is named, secrets stay out of sight, and `--help` costs nothing."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bots.settings import load
from schemas.errors import Code, OperationError
from schemas.vocabulary import Tlp


def bot(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIAISON_")}
    environment["LIAISON_BOT_STATE"] = str(folder / "bot")
    return subprocess.run(
        [sys.executable, "-c", "from bots.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
        env={**environment, "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)},
    )


def test_a_ceiling_above_the_stubs_is_refused() -> None:
    with pytest.raises(OperationError) as refused:
        load(ceiling=Tlp.RED, stub_ceiling=Tlp.AMBER)
    assert refused.value.code is Code.BAD_SETTINGS
    assert "stub_ceiling" in refused.value.message


def test_a_secret_never_stands_in_a_message(tmp_path: Path) -> None:
    with pytest.raises(OperationError) as refused:
        load(token="123456:very-secret", token_file=tmp_path / "x", overall_rate="very-secret")
    assert "very-secret" not in str(refused.value)
    assert "very-secret" not in repr(load(token="123456:very-secret"))


def test_the_token_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("123456:abc\n")
    assert load(token_file=tmp_path / "token").secret_token().get_secret_value() == "123456:abc"
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(OperationError) as refused:
            load(token_file=path).secret_token()
        assert refused.value.code is Code.BAD_SETTINGS
    with pytest.raises(OperationError):
        load().secret_token()


def test_a_time_zone_must_exist() -> None:
    with pytest.raises(OperationError) as refused:
        load(zone="Mars/Olympus")
    assert refused.value.code is Code.BAD_SETTINGS


def test_commands_do_not_pay_for_aiogram(tmp_path: Path) -> None:
    check = (
        "import sys; sys.argv=['liaison-bot','--help'];\n"
        "from bots.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "from bots import state, settings, codes, process\n"
        "assert 'aiogram' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "officer" in done.stdout


def test_an_officer_is_invited_listed_and_removed(tmp_path: Path) -> None:
    added = json.loads(bot("officer", "add", "Amina K.", "--admin", "--json", folder=tmp_path).stdout)
    assert added["name"] == "Amina K."
    assert len(added["code"]) == 32
    folder = tmp_path / "bot"
    assert stat.S_IMODE((folder / "bot.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "bot.db").stat().st_mode) == 0o600
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"Amina" not in stored
    assert added["code"].encode() not in stored
    listed = json.loads(bot("officer", "list", "--json", folder=tmp_path).stdout)
    assert [(each["name"], each["role"], each["standing"]) for each in listed["officers"]] == [
        ("Amina K.", "administrator", "invited")
    ]
    assert bot("officer", "remove", "amina k.", folder=tmp_path).returncode == 0
    again = bot("officer", "remove", "Amina K.", folder=tmp_path)
    assert again.returncode == 1
    assert again.stderr.startswith("not_found: ")


def test_running_without_a_token_or_a_node_says_what_to_set(tmp_path: Path) -> None:
    done = bot("run", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("bad_settings: the bot has no token")
    (tmp_path / "token").write_text("123456:" + "a" * 35)
    done = bot("run", "--token-file", "token", folder=tmp_path)
    assert done.returncode == 1
    assert "LIAISON_BOT_NODE_DIR" in done.stderr


def test_a_lost_key_is_not_replaced(tmp_path: Path) -> None:
    assert bot("officer", "list", folder=tmp_path).returncode == 0
    (tmp_path / "bot" / "bot.key").unlink()
    done = bot("officer", "list", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("wrong_key: ")
    (tmp_path / "bot" / "bot.key").write_text("not hex")
    assert bot("officer", "list", folder=tmp_path).stderr.startswith("wrong_key: ")


def test_status_tells_that_no_bot_runs(tmp_path: Path) -> None:
    done = bot("status", "--json", folder=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["alive"] is False
