"""ATT&CK and DISARM techniques: by number and by name, from a package and not from the network."""

import subprocess
import sys

import pytest

from schemas.errors import Code, OperationError
from schemas.particulars import Tactic
from schemas.vocabulary import Taxonomy
from subscribers.reference.tactics import HITS_MAX, SUMMARY_MAX, Match, Technique, Techniques, techniques


def made(number: str, name: str, phases: tuple[str, ...] = (), *, withdrawn: bool = False) -> Technique:
    return Technique(Taxonomy.ATTACK, number, name, "", phases, (), "", "", (), (), withdrawn, "")


@pytest.mark.parametrize("asked", ["T1566.001", "t1566.001", " T1566/001 "])
def test_a_technique_is_found_by_its_number(asked: str) -> None:
    [found] = techniques().look_up(asked)
    technique = found.technique
    assert (found.match, found.score) == (Match.NUMBER, 100)
    assert (technique.name, technique.parent) == ("Spearphishing Attachment", "T1566")
    assert technique.url == "https://attack.mitre.org/techniques/T1566/001"
    assert technique.phases == ("initial access",)
    assert "Windows" in technique.platforms
    assert ("M1017", "User Training") in [(each.id, each.name) for each in technique.countermeasures]


def test_a_disarm_technique_has_its_parts_and_countermeasures() -> None:
    technique = techniques().get("T0049")
    assert technique is not None
    assert (technique.taxonomy, technique.name) == (Taxonomy.DISARM, "Flood Information Space")
    assert "T0049.001" in technique.parts
    assert technique.countermeasures[0].id.startswith("C")
    assert technique.url.endswith("/T0049.md")


def test_every_number_is_one_that_a_bulletin_can_name_and_of_one_taxonomy() -> None:
    known = [found for number in range(10_000) if (found := techniques().get(f"T{number:04}")) is not None]
    assert {each.taxonomy for each in known} == {Taxonomy.ATTACK, Taxonomy.DISARM}
    for each in known:
        Tactic(taxonomy=each.taxonomy, id=each.id, name=each.name)
        assert (each.taxonomy is Taxonomy.DISARM) == each.id.startswith("T0")
        assert each.url.startswith("https://")
        assert 0 < len(each.summary) <= SUMMARY_MAX
        assert "Citation" not in each.summary
        assert all(techniques().get(part) is not None for part in each.parts)


def test_what_was_withdrawn_says_what_took_its_place() -> None:
    technique = techniques().get("T1193")
    assert technique is not None
    assert (technique.withdrawn, technique.replaced_by) == (True, "T1566.001")


def test_a_name_is_found_exactly_in_part_and_misspelled() -> None:
    exact = techniques().look_up("Phishing")[0]
    assert (exact.technique.id, exact.match) == ("T1566", Match.NAME)
    part = techniques().look_up("flood information")[0]
    assert (part.technique.id, part.match) == ("T0049", Match.WORDS)
    misspelled = techniques().look_up("Spearphising Atachment")[0]
    assert (misspelled.technique.id, misspelled.match) == ("T1566.001", Match.SPELLING)
    assert 80 < misspelled.score < 100
    assert techniques().look_up("xyzzy plugh") == []


def test_a_misspelled_word_finds_every_name_that_has_it_and_withdrawn_ones_come_last() -> None:
    found = techniques().look_up("spearfishing")
    assert {"T1566.001", "T1566.002", "T1566.003", "T1534"} <= {each.technique.id for each in found}
    assert {each.match for each in found} == {Match.SPELLING}
    assert [each.technique.withdrawn for each in found] == sorted(each.technique.withdrawn for each in found)
    assert found[-1].technique.withdrawn
    joined = techniques().look_up("spearfishing link")
    assert {each.technique.name for each in joined} == {"Spearphishing Link"}, "a known word is no other"


@pytest.mark.parametrize(
    "asked, near",
    [
        ("T1566.01", ["T1566.001", "T1566.002", "T1566.003", "T1566.004", "T1566"]),
        ("t1059/14", ["T1059.012", "T1059.011", "T1059.010", "T1059.009", "T1059"]),
        ("T1566001", ["T1566.001"]),
        ("T1660.001", ["T1660"]),
        ("T9999", []),
        ("TA0043", []),
        ("LT-0007", []),
        ("phish", None),
        ("T1566 phishing", None),
    ],
)
def test_of_a_wrong_number_the_nearest_are_found(asked: str, near: list[str] | None) -> None:
    found = techniques().near_number(asked)
    assert (None if found is None else [each.id for each in found]) == near


def test_a_number_that_lacks_its_letter_or_a_figure_finds_the_one_that_is_meant() -> None:
    assert (techniques().near_number("1566") or [])[0].id == "T1566"
    assert all(each.id.startswith("T156") for each in techniques().near_number("T156") or [])


def test_all_that_may_be_meant_are_found_where_they_are_asked_for() -> None:
    assert len(techniques().look_up("a")) == HITS_MAX < len(techniques().look_up("a", None))


def test_a_phase_is_found_by_its_name_and_withdrawn_techniques_come_last() -> None:
    index = Techniques(
        [
            made("T1001", "Bait", ("initial access",)),
            made("T1002", "Old Bait", ("initial access",), withdrawn=True),
            made("T1003", "Bait and Switch"),
        ]
    )
    assert len(index) == 3
    assert [(each.technique.id, each.match) for each in index.look_up("Initial Access")] == [
        ("T1001", Match.PHASE)
    ]
    assert [each.technique.id for each in index.look_up("bait")] == ["T1001", "T1003", "T1002"]


@pytest.mark.parametrize("asked", ["", " ", "?!", "x" * 101])
def test_what_is_no_technique_is_refused(asked: str) -> None:
    with pytest.raises(OperationError) as caught:
        techniques().look_up(asked)
    assert caught.value.code == Code.BAD_REQUEST


def test_a_number_that_nobody_gave_is_looked_for_as_a_name() -> None:
    assert techniques().get("LT-0007") is None
    assert techniques().get("T9999") is None
    assert techniques().look_up("T9999") == []


def test_the_package_is_read_without_being_loaded() -> None:
    script = (
        "import sys; from subscribers.reference.tactics import techniques; techniques();"
        "assert 'pymispgalaxies' not in sys.modules and 'jsonschema' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_of_one_name_the_one_that_is_meant_comes_first() -> None:
    def named(asked: str) -> list[str]:
        return [each.id for each in techniques().named(asked)]

    assert named("spear phishing  Attachment") == ["T1566.001", "T1598.002", "T1193"]
    assert named("DATA from local system") == ["T1005", "T1533"]
    for asked in ("spearphishing", "", "…", "x" * 101):
        assert named(asked) == []
