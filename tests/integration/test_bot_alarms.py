"""Alarms in chat: administrators alone are told, once each; `/alarms` lists what stands."""

from pathlib import Path

from bots.clock import SystemClock
from bots.sandbox.client import SandboxUser
from bots.state import State
from bots.state.jobs import alarm
from bots.telling.alarms import WHAT, Watchman
from schemas.vocabulary import AlarmName
from tests.support.node import DirectNode
from tests.support.node_api import NOW, make_alarm
from tests.support.officers_bot import running_bot, says, text_of


def told(person: SandboxUser, words: str) -> list[str]:
    found = (str(each["text"]) for each in person.messages.values() if each["from_bot"])
    return [text for text in found if words in text]


async def key_of(state: State, person: SandboxUser) -> str:
    officer = await state.officers.by_person(person.id)
    assert officer is not None
    return f"alarm:1:{officer.id}"


async def test_administrators_are_told_once_and_may_ask(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        ed = await stage.enrol("Ed", administrator=True)
        claire = await stage.enrol("Claire", administrator=True)
        irina = await stage.enrol("Irina")
        assert "No alarms" in text_of(await ed.ask("/alarms"))
        node.api.raised.append(make_alarm(1))
        for each in (ed, claire):
            await stage.lines.until(event="alarm", key=await key_of(stage.state, each))
        await stage.state.memory.set_data("alarms", {})  # as after a stop between telling and noting
        await Watchman(node, stage.state, SystemClock(), lambda: None).look()
        assert await stage.state.outbox.add([alarm(1, 1, "")], 0.0) == 0
        for each, words in ((ed, "Alarm 1"), (claire, "Alarme 1")):
            await each.next_message(says(words))
        (said,), (dit,) = told(ed, "Alarm 1"), told(claire, "Alarme 1")
        for text in (said, dit):
            assert "fr-dgx" in text
            assert "alpha" in text
        assert WHAT[AlarmName.GAP] in said
        assert WHAT[AlarmName.GAP] not in dit
        assert WHAT[AlarmName.GAP] in text_of(await ed.ask("/alarms"))
        assert "/help" in text_of(await irina.ask("/alarms"))
        assert told(irina, "🚨") == []
        node.api.raised[0] = make_alarm(1).model_copy(update={"acked": NOW})
        assert "No alarms" in text_of(await ed.ask("/alarms"))


def test_every_alarm_has_its_sentence() -> None:
    assert set(WHAT) == set(AlarmName)
