"""Scenarios are read whole or not at all; a run goes on where it was; a report counts what was answered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.encoding import instant
from schemas.errors import Code, DraftError, LiaisonError, OperationError
from schemas.vocabulary import Relation
from subscribers.exercise.log import Begun, Outcome, Run, RunLog, read_run
from subscribers.exercise.report import compose, markdown
from subscribers.exercise.scenario import read_scenario
from subscribers.records import Record
from tests.support.node_api import make_record

SAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "north-gate.yaml"
START = 1_700_000_000_000
SOMETHING = "01890a5d-ac96-774b-bcce-b302099a8057"


def none(_: str) -> bytes:
    raise AssertionError("no file is named")


def told(**changes: Any) -> dict[str, Any]:  # YAML
    bulletin = {"kind": "threat", "severity": "info", "tlp": "TLP:GREEN", "language": "en", "title": "One"}
    inject = {"id": "one", "at": "0:01", "bulletin": bulletin}
    return {"title": "T", "community": "drill", "injects": [inject], **changes}


def inject(**changes: Any) -> dict[str, Any]:  # YAML
    return {name: value for name, value in {**told()["injects"][0], **changes}.items() if value is not None}


def read(told: object, beside: Callable[[str], bytes] = none) -> Any:
    return read_scenario(yaml.safe_dump(told).encode(), beside)


def test_the_sample_is_a_scenario() -> None:
    scenario = read_scenario(SAMPLE.read_bytes(), none)
    assert [each.id for each in scenario.played_by("jp-npa")] == ["question"]
    assert [each.at for each in scenario.injects] == [0, 300, 720, 1200, 2100]
    correction = scenario.injects[-1].draft({"flash": SOMETHING})
    assert correction.exercise
    assert [(each.relation, each.id) for each in correction.links] == [(Relation.AMENDS, SOMETHING)]


def test_words_stay_words_and_a_draft_may_be_a_file() -> None:
    text = '{title: T, community: no, injects: [{id: one, at: "1:02:03", by: fra, file: draft.md}]}'
    facts = b"kind: threat\nseverity: info\ntlp: TLP:GREEN\nlanguage: en\nregions: [NO]"
    draft = b"---\n" + facts + b"\n---\n# Title\n\nBody"
    scenario = read_scenario(text.encode(), {"draft.md": draft}.__getitem__)
    (only,) = scenario.injects
    assert (scenario.community, only.at) == ("no", 3723)
    assert only.draft({}).regions == ["NO"]
    assert scenario.played_by("jpn") == ()


@pytest.mark.parametrize(
    "given, words",
    [
        (told(extra=1), "nothing else"),
        (told(title=1), "lines of text"),
        (told(injects=[]), "1 to 5000"),
        (told(injects=["x"]), "lacks id"),
        (told(injects=[inject(colour="red")]), "has colour"),
        (told(injects=[inject(id="One")]), "short name"),
        (told(injects=[inject(at="soon")]), "at is no time"),
        (told(injects=[inject(by=["fra"])]), "no agency's id"),
        (told(injects=[inject(bulletin=None)]), "needs its bulletin"),
        (told(injects=[inject(file="a.md")]), "needs its bulletin"),
        (told(injects=[inject(bulletin=None, file="../a.md")]), "beside the scenario"),
        (told(injects=[inject(bulletin=["x"])]), "not name: value"),
        (
            told(injects=[inject(bulletin={"kind": "threat", "tlp": "TLP:GREEN", "language": "en"})]),
            "inject one: ",
        ),
        (told(injects=[inject(amends="two")]), "amends names no inject before it"),
        (told(injects=[inject(), inject()]), "two injects are called one"),
    ],
)
def test_what_is_wrong_is_said_with_its_inject(given: dict[str, Any], words: str) -> None:
    with pytest.raises(DraftError, match=words) as refused:
        read(given)
    assert refused.value.code is Code.BAD_DRAFT


@pytest.mark.parametrize("text", [b"\xff", b"a: [", b"a: &x 1\nb: *x", b"[1]"])
def test_what_is_no_yaml_of_ours_is_refused(text: bytes) -> None:
    with pytest.raises(DraftError) as refused:
        read_scenario(text, none)
    assert refused.value.code is Code.BAD_DRAFT


def test_nothing_real_is_in_a_scenario() -> None:
    real = told()["injects"][0]["bulletin"] | {"exercise": False}
    with pytest.raises(DraftError) as refused:
        read(told(injects=[inject(bulletin=real)]))
    assert refused.value.code is Code.EXERCISE_MISMATCH


def begun(**changes: Any) -> Begun:
    return Begun(
        **{
            "scenario": "ab",
            "title": "T",
            "community": "drill",
            "agency": "fra",
            "started": START,
            "speed": 60.0,
            **changes,
        }
    )


def test_a_log_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    log = RunLog.begin(path, begun())
    assert path.stat().st_mode & 0o777 == 0o600
    assert log.name("one", "first") == "first"
    log.settle(Outcome("one", "sent", START, START + 5, SOMETHING, "FRA-2026-0001"))
    log.name("two", "second")
    with path.open("a") as file:
        file.write('{"outcome": {"inject": "two", "sta')
    again = RunLog.begin(path, begun(started=START + 99_000))
    assert again.run.begun.started == START
    assert again.run.ids == {"one": SOMETHING}
    assert again.name("two", "third") == "second"
    again.settle(Outcome("two", "refused", START, START, code="not_member"))
    assert read_run(path).outcomes["two"].code == "not_member"
    assert begun().due(120) == START + 2000


def test_another_runs_log_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    RunLog.begin(path, begun())
    before = path.read_bytes()
    for other in (begun(scenario="cd"), begun(agency="jpn")):
        with pytest.raises(OperationError) as refused:
            RunLog.begin(path, other)
        assert refused.value.code is Code.ALREADY_KNOWN
    assert path.read_bytes() == before
    path.write_text("{}\n")
    with pytest.raises(LiaisonError) as broken:
        read_run(path)
    assert broken.value.code is Code.BAD_DOCUMENT
    with pytest.raises(LiaisonError) as missing:
        read_run(tmp_path / "other")
    assert missing.value.code is Code.NOT_FOUND


def test_the_report_says_who_answered_how_soon_and_who_did_not() -> None:
    sent = make_record(1, exercise=True, title="Drone | at the *gate*")

    def reply(number: int, kind: str, agency: str, after: int) -> Record:
        relation = {"acknowledgement": "acknowledges", "response": "responds-to"}[kind]
        link = [{"relation": relation, "id": sent.bulletin.id}]
        record = make_record(number, exercise=True, kind=kind, links=link)
        bulletin = record.bulletin.model_copy(update={"issued": instant(START + after * 1000)})
        return record.model_copy(update={"agency": agency, "bulletin": bulletin})

    replies = [reply(2, "response", "jpn", 95), reply(3, "acknowledgement", "jpn", 61)]
    run = Run(
        begun(),
        outcomes={
            "one": Outcome("one", "sent", START - 2500, START, sent.bulletin.id, sent.bulletin.ref),
            "two": Outcome("two", "refused", START, START + 4000, code="not_member"),
        },
    )
    report = compose([run], ["fra", "jpn", "kaz"], {sent.bulletin.id: (sent, replies)})
    one, two = report.injects
    assert [(each.agency, each.what, each.after) for each in one.answers] == [
        ("jpn", "acknowledged", 61),
        ("jpn", "answered", 95),
    ]
    assert (one.late, one.silent, two.state, two.code) == (2.5, ("kaz",), "refused", "not_member")
    assert [
        (each.agency, each.asked, each.acknowledged, each.slowest, each.other_answers)
        for each in report.agencies
    ] == [
        ("fra", 0, 0, None, 0),
        ("jpn", 1, 1, 61, 1),
        ("kaz", 1, 0, None, 0),
    ]
    text = markdown(report)
    assert text.startswith("# EXERCISE EXERCISE EXERCISE")
    assert text.rstrip().endswith("EXERCISE EXERCISE EXERCISE")
    assert "jpn acknowledged after 1:01" in text
    assert "not acknowledged by kaz" in text
    assert "Drone \\| at the \\*gate\\*" in text
    assert "two · fra · REFUSED (not_member)" in text
    assert json.loads(report.model_dump_json())["agencies"][1]["median"] == 61
