"""`/asked`: of questions that chat may not show, the references and the way to them, and nothing else."""

from pathlib import Path

from schemas.vocabulary import Tlp
from subscribers.records import Record
from tests.support.node_api import make_record
from tests.support.quiet_house import staged

ROOM = "https://room.example"
UNTIL = "2099-03-02T18:00:00Z"


def question(number: int, **fields: object) -> Record:
    return make_record(number, kind="request", **{"title": "Whose boat?", "valid_until": UNTIL, **fields})


def mine(record: Record) -> Record:
    return record.model_copy(update={"own": True})


def answer(to: Record) -> Record:
    links = [{"relation": "responds-to", "id": to.bulletin.id}]
    return mine(make_record(90, kind="response", tlp="TLP:AMBER", links=links, title="Ours"))


async def test_withheld_questions_are_named_by_their_references_alone(tmp_path: Path) -> None:
    async with staged(tmp_path, room=ROOM, stub=Tlp.AMBER) as stage:
        done = question(3, tlp="TLP:AMBER")
        stage.node.api.records += [
            question(1, tlp="TLP:AMBER", title="Malachite?"),
            mine(question(2, tlp="TLP:AMBER", title="Malachite too?", drafter="officer-1")),
            done,
            answer(done),
            question(4, tlp="TLP:AMBER+STRICT"),
            question(5, tlp="TLP:AMBER", valid_until="2026-01-01T00:00:00Z"),
            mine(question(6, tlp="TLP:AMBER", drafter="officer-2")),
        ]
        shown = await stage.asks("/asked")
        assert "No question that may be shown in chat is open." in shown
        assert (
            "🔒 2 more questions are open that may not be shown in chat: FRA-2026-0002, ⏳ FRA-2026-0001\n"
            "⏳: your agency has not answered it.\n"
            "A button below opens each in the reading room. They are answered there, or on your agency's"
            " terminal: liaison-agency chat" in shown
        )
        assert "Questions marked above TLP:AMBER are not named in chat." in shown
        for absent in ("Malachite", "0003", "0004", "0005", "0006"):
            assert absent not in shown
        assert "The button works once" in await stage.presses(stage.button("🔓 FRA-2026-0001"))


async def test_where_not_all_are_named_it_says_how_many_are_not(tmp_path: Path) -> None:
    async with staged(tmp_path, room=ROOM, stub=Tlp.AMBER) as stage:
        stage.node.api.records += [question(each, tlp="TLP:AMBER") for each in range(1, 6)]
        assert "5 more questions are open that may not be shown in chat: " in await stage.asks("/asked")
        stage.node.api.records.append(question(6, tlp="TLP:AMBER", valid_until="2099-03-03T18:00:00Z"))
        shown = await stage.asks("/asked")
        assert "🔒 6 more questions are open that may not be shown in chat." in shown
        assert "Your own and the most urgent first, 5 of them: " in shown
        assert "1 is not named, as a message has room for so many only; it moves up when" in shown
        assert shown.count("FRA-2026-") == 5
        assert "FRA-2026-0006" not in shown
        assert stage.button("🔓 FRA-2026-0006") == ""


async def test_without_a_reading_room_they_wait_at_the_terminal(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.node.api.records += [question(1, tlp="TLP:RED"), question(2)]
        shown = await stage.asks("/asked")
        assert "Whose boat?" in shown
        assert (
            "⏳: your agency has not answered it.\n"
            "Read and answer it on your agency's terminal: liaison-agency chat" in shown
        )
        assert "are not named" not in shown
        assert stage.button("🔓") == ""
    async with staged(tmp_path / "within", Tlp.RED) as stage:
        assert await stage.asks("/asked") == "❓ No question is open. /ask begins one."


async def test_what_is_not_named_is_a_press_away(tmp_path: Path) -> None:
    """Also when the last that was named is answered meanwhile."""
    async with staged(tmp_path) as stage:
        made = [question(each, valid_until=f"2099-03-{each:02}T18:00:00Z") for each in range(1, 13)]
        stage.node.api.records += made
        first = await stage.asks("/asked")
        assert "Your agency has not answered 12 questions. Here are the 5 most urgent." in first
        stage.node.api.records.append(answer(made[4]))
        second = await stage.presses(stage.button("⏭ The next questions"))
        assert second.startswith("⏳ 💬 7 more questions that your agency has not answered\n")
        assert [each for each in range(1, 13) if f"FRA-2026-{each:04}" in second] == [6, 7, 8, 9, 10]
        assert stage.button("💬 Answer FRA-2026-0006")
        behind = stage.button("⏭")
        third = await stage.presses(behind)
        assert third.startswith("⏳ 💬 2 more questions that")
        assert not stage.button("⏭")
        stage.node.api.records += map(answer, made[10:])
        assert await stage.presses(behind) == "⏳ Nothing more waits for you"
        assert "Your agency has not answered 9 questions" in await stage.presses("asked")
