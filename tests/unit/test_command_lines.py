"""What is typed as the documents say it, and what is told when it is refused: one line."""

import contextlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from bots.cli.app import app as bot
from hub.cli import app as hub
from schemas.documents import parse_enrolment
from schemas.errors import FormatError
from schemas.signing import ENROLMENT_TYPE
from subscribers.cli import app as agency
from tests.support.federation import documents
from tests.support.forked import ROOT

_USAGE = 2
_CODED = re.compile(r"[a-z_]+: [^\n]+ \([^\n]+\)\n\Z")


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """What a command sets for its process is not left to the tests after it: which events are told, say."""
    yield
    structlog.reset_defaults()


def readme_commands() -> list[str]:
    """The node's commands in README.md, in a block of them or within a line."""
    text = (ROOT / "README.md").read_text("utf-8")
    return re.findall(r"^(liaison-agency .*?)(?:  .*)?$", text, re.MULTILINE) + re.findall(
        r"`(liaison-agency [^`]*)`", text
    )


@pytest.mark.parametrize("line", readme_commands())
def test_the_readme_s_commands_are_complete(tmp_path: Path, line: str) -> None:
    for name in ("draft.md", "map.pdf", "directory.json", "north-gate.yaml"):
        (tmp_path / name).touch()
    with contextlib.chdir(tmp_path):
        told = CliRunner().invoke(agency, shlex.split(line, comments=True)[1:])
    assert told.exit_code not in {0, _USAGE}, told.output


def test_the_bot_names_the_token_file_that_it_cannot_read(tmp_path: Path) -> None:
    for file, why in ((tmp_path / "nowhere", "No such file"), (tmp_path / "binary", "it is not plain text")):
        (tmp_path / "binary").write_bytes(b"\xff")
        told = CliRunner().invoke(bot, ["run", "--state", str(tmp_path / "bot"), "--token-file", str(file)])
        assert told.exit_code == 1
        assert _CODED.fullmatch(told.stderr), told.stderr
        assert f"bad_settings: the token file {file} cannot be read: {why}" in told.stderr
        assert "--token-file" in told.stderr


@pytest.mark.parametrize("program,more", [("publish", ("balkans", "Title")), ("subscribe", ())])
def test_an_example_tells_a_refusal_as_the_commands_do(
    tmp_path: Path, program: str, more: tuple[str, ...]
) -> None:
    words = [sys.executable, f"subscribers/examples/{program}.py", str(tmp_path), "cli", *more]
    told = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, env={"PYTHONPATH": "."}
    )
    assert told.returncode == 1
    assert _CODED.fullmatch(told.stderr), told.stderr
    assert told.stderr.startswith("node_unreachable: ")


def test_the_hub_s_commands_name_the_file_that_is_not_what_it_should_be(tmp_path: Path) -> None:
    document, broken = tmp_path / "fra.dsse", tmp_path / "broken"
    document.write_bytes(documents()[1])
    broken.write_bytes(b"Secret")
    for words, wrong in (
        (("admit", document, broken, "--out", tmp_path / "out"), f"bad_document: {document}: "),
        (("install", document, broken), f"bad_json: {broken}: "),
        (("refill", broken), f"bad_json: {broken}: "),
    ):
        told = CliRunner().invoke(hub, [*map(str, words), "--state", str(tmp_path / "hub")])
        assert told.exit_code == 1
        assert _CODED.fullmatch(told.stderr), told.stderr
        assert told.stderr.startswith(wrong)
        assert "Secret" not in told.stderr
    with pytest.raises(FormatError, match=re.escape(f"{ENROLMENT_TYPE} was expected")):
        parse_enrolment(documents()[1])
