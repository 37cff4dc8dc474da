"""`liaison-bot officer`, `audit` and `ceiling`, on one folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bots.cli.app import app

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*words: str) -> Result:
        settings = {"LIAISON_BOT_STATE": str(tmp_path / "bot"), "LIAISON_BOT_CEILING": "TLP:GREEN"}
        return CliRunner().invoke(app, words, env=settings)

    return command


def told(result: Result) -> Any:  # JSON
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_roles_and_a_lost_phone_on_the_machine(run: Run) -> None:
    first = told(run("officer", "add", "Chief", "--admin", "--json"))
    told(run("officer", "add", "Amina K.", "--role", "drafter", "--json"))
    assert told(run("officer", "role", "amina k.", "releaser", "--json"))["role"] == "releaser"
    refused = run("officer", "role", "Amina K.", "officer")
    assert refused.exit_code == 1
    assert "use one of reader, drafter, releaser, administrator" in refused.output
    assert "not_found" in run("officer", "lost", "Nobody").output
    lost = told(run("officer", "lost", "chief", "--json"))
    assert lost["officer"] == first["officer"]
    assert lost["code"] != first["code"]
    assert "/start " in run("officer", "lost", "Chief").output
    listed = told(run("officer", "list", "--json"))["officers"]
    assert [(each["name"], each["role"], each["standing"], each["seen"]) for each in listed] == [
        ("Chief", "administrator", "invited", ""),
        ("Amina K.", "releaser", "invited", ""),
    ]
    assert told(run("officer", "remove", "Chief", "--json")) == {"removed": "Chief", "taken_back": 0}


def test_what_was_done_on_the_machine_is_in_the_audit(run: Run) -> None:
    told(run("officer", "add", "Chief", "--admin", "--json"))
    told(run("officer", "role", "Chief", "reader", "--json"))
    lines = [json.loads(line) for line in run("audit", "--json").output.splitlines()]
    assert [(each["door"], each["verb"], each["object"], each["outcome"]) for each in lines] == [
        ("machine", "officer add", "Chief", "administrator"),
        ("machine", "officer role", "Chief", "reader"),
    ]
    assert len(run("audit", "--about", "Chief", "--csv").output.splitlines()) == 3
    assert run("audit", "--about", "Nobody").output == ""
    assert run("audit", "--since", "2999-01-01").output == ""
    assert "officer role" in run("audit").output
    assert "not a day" in run("audit", "--since", "tomorrow").output
    verified = told(run("audit", "--verify", "--json"))
    assert verified == {"whole": True, "entries": 2, "digest": lines[1]["digest"]}
    assert lines[1]["digest"] in run("audit", "--verify").output


def test_the_ceiling_rises_on_the_machine_only(run: Run) -> None:
    assert told(run("ceiling", "--json"))["full"] == "TLP:GREEN"
    assert told(run("ceiling", "--restore", "--json"))["settings_full"] == "TLP:GREEN"
    assert "TLP:AMBER" in run("ceiling").output
    assert [json.loads(line)["verb"] for line in run("audit", "--json").output.splitlines()] == [
        "ceiling restore"
    ]
