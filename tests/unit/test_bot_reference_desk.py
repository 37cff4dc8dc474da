"""Techniques and names on the UN list, asked for by an officer: what is answered, and what can be pressed."""

from pathlib import Path

import pytest

from bots.enquiries.technique_screens import FOUND_SHOWN
from bots.officers.roles import Role
from schemas.vocabulary import Tlp
from subscribers.records import Record
from subscribers.reference.tactics import techniques
from tests.support.node_api import make_record
from tests.support.quiet_house import staged
from tests.support.un_sample import SAMPLE, un_xml

ROOM = "https://room.example"


def naming(number: int, technique: str, **fields: object) -> Record:
    return make_record(number, tactics=[{"taxonomy": "mitre-attack", "id": technique}], **fields)


async def test_a_name_is_answered_with_the_one_that_is_meant(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for asked in ("spearphishing attachment", "Spear-Phishing  ATTACHMENT", "T1566.001"):
            assert "🧩 T1566.001 Spearphishing Attachment" in await stage.asks(f"/tactic {asked}")
        stage.node.api.records += [naming(1, "T1566.001", title="An invoice"), naming(2, "T1598.002")]
        shown = await stage.asks("/tactic spearphishing attachment")
        assert "Seen here in 1 bulletin." in shown, "what came a moment ago counts"
        others = shown[shown.index("Others of this name:") :].splitlines()[1:]
        assert others == [
            "T1598.002 · reconnaissance · 👁 seen here: 1",
            "T1193 · initial access · ⚠️ no longer in use · 👁 not seen here",
        ]
        opened = await stage.presses(stage.button("FRA-2026-0001"))
        assert "An invoice" in opened
        await stage.asks("/tactic spearphishing attachment")
        assert "An invoice" in await stage.presses(stage.button("Show where it was seen"))
        await stage.asks("/tactic spearphishing attachment")
        assert "🧩 T1598.002" in await stage.presses(stage.button("T1598.002 · 👁 1"))
        acts = [each.act for each in await stage.state.audit.all()]
        assert {("/tactic", "T1566.001"), ("button tech", "T1598.002")} <= {
            (each.verb, each.object) for each in acts if each.outcome == "full"
        }


async def test_the_number_of_what_was_not_searched_says_nothing_of_its_content(tmp_path: Path) -> None:
    async with staged(tmp_path, room=ROOM) as stage:
        assert "Only bulletins that may be shown in chat" in await stage.asks("/tactic T1566.001")
        stage.node.api.records += [naming(1, "T1566.001", tlp="TLP:AMBER"), naming(2, "T1027", tlp="TLP:RED")]
        told = "Not searched: 2 bulletins that may not be shown in chat. Search in the reading room: /room"
        for asked in ("T1566.001", "T1027", "T1059", "phish"):
            shown = await stage.asks(f"/tactic {asked}")
            assert told in shown, "the same whether one of them names it or not"
            assert "FRA-2026" not in shown
        stage.node.api.records += [naming(3, "T1566.001")]
        assert told in await stage.asks("/tactic T1566.001")
    async with staged(tmp_path / "within", Tlp.RED) as stage:
        stage.node.api.records += [naming(1, "T1566.001", tlp="TLP:RED")]
        assert "Not searched" not in await stage.asks("/tactic T1566.001")


async def test_of_several_those_that_were_seen_come_first(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        plain = await stage.asks("/tactic phishing for")
        numbers = [line.split()[0] for line in plain.splitlines() if line.startswith("T1")]
        last = numbers[-1]
        stage.node.api.records += [naming(1, last)]
        shown = await stage.asks("/tactic phishing for")
        seen_first = [line.split()[0] for line in shown.splitlines() if line.startswith("T1")]
        assert len(numbers) > 1
        assert seen_first == [last, *numbers[:-1]]
        assert "👁: how many bulletins here name it." in shown
        many = await stage.asks("/tactic a")
        left = len(techniques().look_up("a", None)) - FOUND_SHOWN
        assert f"\n{left} more are not shown: send more words." in many


async def test_a_name_that_is_only_nearly_so_says_that(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        shown = await stage.asks("/tactic flod informtion space")
        assert shown.startswith("🔎 Nothing is called “flod informtion space”; nearest:\n🧩 ")


async def test_of_a_misspelled_name_what_was_seen_here_comes_first_and_the_rest_is_counted(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage:
        stage.node.api.records += [naming(1, "T1566.001")]
        shown = await stage.asks("/tactic spearfishing")
        assert shown.startswith("🔎 Nothing is called “spearfishing”; nearest:\n🧩 Which technique")
        numbers = [line.split()[0] for line in shown.splitlines() if line.startswith("T1")]
        assert numbers[0] == "T1566.001"
        assert len(numbers) == FOUND_SHOWN
        assert "no longer in use" not in shown
        assert f"{len(techniques().look_up('spearfishing')) - FOUND_SHOWN} more are not shown" in shown


async def test_a_number_that_there_is_not_is_told_from_a_name(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        none = await stage.asks("/tactic T9999")
        assert none.startswith(
            "No technique of ATT&CK or DISARM listed here has the number T9999. Give another"
        )
        shown = await stage.asks("/tactic T1566.01")
        told = "🔎 No technique of ATT&CK or DISARM listed here has the number T1566.01; nearest:\n🧩 "
        assert shown.startswith(told)
        assert "🧩 T1566.001 Spearphishing Attachment" in await stage.presses(stage.button("T1566.001"))


async def test_who_asks_for_nothing_learns_that_a_name_will_do(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        shown = await stage.asks("/tactic")
        assert shown == "Write it like this:\n/tactic T1566\n/tactic spearphishing attachment"


@pytest.mark.parametrize(
    "role, told",
    [
        (Role.READER, "Ask your administrator for a newer one."),
        (Role.ADMINISTRATOR, "in the place of the file that LIAISON_BOT_UN_LIST names."),
    ],
)
async def test_who_can_load_a_newer_list_is_told_how(tmp_path: Path, role: Role, told: str) -> None:
    file = tmp_path / "list.xml"
    file.write_bytes(un_xml(*SAMPLE))
    async with staged(tmp_path, role=role, un_list=file) as stage:
        for asked in ("/subject", "/subject Karim Testov", "/subject QDi.001", "/subject Nobody Atall"):
            shown = await stage.asks(asked)
            assert (told in shown) is (role is Role.READER or asked == "/subject"), "how is said in one place"
            assert ("Ask your administrator" in shown) is (role is Role.READER)
        kept = {(each.act.object, each.act.outcome) for each in await stage.state.audit.all()}
        assert kept == {("", "answered"), ("QDi.001", "title"), ("QDi.001", "full")}
        file.unlink()
        assert "No UN list is loaded here." in await stage.asks("/subject")
