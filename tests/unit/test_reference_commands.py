"""`liaison-agency un-list`, `subject` and `tactic`: public lists on this machine, read without the node."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.errors import Code, OperationError
from subscribers.cli import app
from subscribers.reference.shelf import Shelf
from subscribers.reference.un_list import UnList
from subscribers.reference.un_xml import parse_un_list
from tests.support.un_sample import SAMPLE, group, un_xml

OLD = un_xml(*SAMPLE)
NEW = un_xml(SAMPLE[0].replace("KARIM", "KAREEM"), *SAMPLE[2:], group("QDe.002", "NEW"), made="2026-03-01")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "agency"
    directory.mkdir(mode=0o700)
    return directory


def ask(state: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*words, "--state", str(state)])
    return result.exit_code, " ".join(result.output.split())


def told(state: Path, *words: str) -> dict[str, Any]:
    status, text = ask(state, *words, "--json")
    assert status == 0
    found: dict[str, Any] = json.loads(text)
    return found


def load(state: Path, data: bytes, *words: str) -> tuple[int, str]:
    file = state.parent / "list.xml"
    file.write_bytes(data)
    return ask(state, "un-list", "load", str(file), *words)


def in_use(state: Path) -> UnList:
    return Shelf(state).load().un_list


def test_a_list_is_kept_privately_and_a_newer_one_says_what_it_changed(state: Path) -> None:
    status, text = load(state, OLD)
    assert status == 0
    assert "UN Consolidated List of 2026-02-27: 6 persons, 1 groups." in text
    assert "Against" not in text
    status, text = load(state, NEW)
    assert status == 0
    assert "Against the list of 2026-02-27: 1 added, 1 removed, 1 changed." in text
    assert "+ QDe.002 NEW - QDi.002 MUHAMMAD AHMAD ~ QDi.001 KAREEM TESTOV AL-MITHAL: name" in text
    kept = state / "reference"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in kept.iterdir()} == {0o600}
    shown = told(state, "un-list", "show")
    assert (shown["generated"], shown["individuals"], shown["entities"]) == ("2026-03-01", 5, 2)
    [changed] = shown["changes"]["changed"]
    assert changed["fields"][0] == {
        "field": "name",
        "before": "KARIM TESTOV AL-MITHAL",
        "after": "KAREEM TESTOV AL-MITHAL",
    }


def test_the_same_list_again_forgets_nothing(state: Path) -> None:
    load(state, OLD)
    load(state, NEW)
    assert load(state, NEW)[0] == 0
    assert told(state, "un-list", "show")["changes"]["before"] == "2026-02-27T00:00:09.554Z"


def test_an_older_list_is_only_taken_when_it_is_meant(state: Path) -> None:
    load(state, NEW)
    assert load(state, OLD)[0] == 1
    assert in_use(state) == parse_un_list(NEW)
    assert load(state, OLD, "--older")[0] == 0
    assert in_use(state) == parse_un_list(OLD)


@pytest.mark.parametrize("data", [b"", b"<CONSOLIDATED_LIST/>", OLD[:-5]])
def test_a_damaged_list_changes_nothing(state: Path, data: bytes) -> None:
    load(state, OLD)
    assert load(state, data)[0] == 1
    assert in_use(state) == parse_un_list(OLD)


def test_without_a_list_or_a_state_it_is_said_what_to_do(state: Path) -> None:
    assert ask(state, "un-list", "show")[0] == 1
    assert ask(state, "subject", "Karim")[0] == 1
    with pytest.raises(OperationError) as caught:
        Shelf(state).load()
    assert caught.value.code == Code.NOT_FOUND
    assert "un-list load" in caught.value.fix
    with pytest.raises(OperationError) as caught:
        Shelf(state / "nowhere").take(OLD)
    assert caught.value.code == Code.NOT_FOUND


def test_a_name_is_answered_with_possible_matches_and_reasons(state: Path) -> None:
    load(state, OLD)
    status, text = ask(state, "subject", "Kareem", "Testof", "--born", "1971", "--nationality", "utopia")
    assert status == 0
    assert "UN Consolidated List of 2026-02-27" in text
    assert "QDi.001 KARIM TESTOV AL-MITHAL individual, born 1971-02-03, Utopia (Republic of)" in text
    assert "an alias of good quality: Kareem Testoff; another spelling: Testof ~ Testoff" in text
    assert "birth agrees: listed 1971-02-03; nationality agrees" in text
    assert "A name is not an identification" in text
    found = told(state, "subject", "Mithal Karim Johannes")
    assert found["list"] == "2026-02-27T00:00:09.554Z"
    assert found["possible"][0]["reasons"][-1] == "not in that name: Johannes"
    assert 60 < found["possible"][0]["score"] < 100


def test_more_than_asked_for_and_nothing_are_said(state: Path) -> None:
    load(state, OLD)
    status, text = ask(state, "subject", "Muhammad", "--limit", "1", "--born", "1950", "--nationality", "x")
    assert status == 0
    assert "more: see them with --limit" in text
    assert "the list has none" in text
    status, text = ask(state, "subject", "Marie", "Dupont")
    assert (status, "That clears nobody" in text) == (0, True)
    assert ask(state, "subject", "QDi.999")[0] == 1
    assert ask(state, "subject", "!!")[0] == 1


def test_techniques_to_choose_from_are_listed(state: Path) -> None:
    status, text = ask(state, "tactic", "phishing")
    assert status == 0
    assert "T1566 Phishing initial access 100 its name" in text
    assert "no longer in use" in text
    found = told(state, "tactic", "phishing")
    assert (found["found"][0]["technique"]["id"], found["seen"]) == ("T1566", None)
    assert "No technique" in ask(state, "tactic", "xyzzy", "plugh")[1]
    assert ask(state, "tactic", "?")[0] == 1
