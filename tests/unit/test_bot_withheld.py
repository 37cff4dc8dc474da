"""Nothing above the ceiling leaves the bot: whatever is asked, pressed, changed or goes wrong, by whom, in
whichever language; and what leaves is the same whether what is withheld is there or not.

Commands, buttons and steps are read from the book: a new command fails here until `CASES` says what is typed
after it.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bots.dialogue.asking import Handed
from bots.dialogue.steps import Steps
from bots.handlers import written
from bots.officers.roles import Role
from bots.outcomes import Refused
from bots.parsing.actions import short
from bots.showing.answerable import Answer
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language, Tlp
from tests.support.archive import bulletin_id
from tests.support.withheld import (
    CHIEF,
    CLEAR,
    OPEN,
    RAISED,
    SECRET,
    WITHHELD,
    Limits,
    Scene,
    ref_of,
    scene,
)

OPENLY = [ref_of(each) for each in (7101, 7105, 7106, 7503)]
HIDDEN = [ref_of(each) for each in (7201, 7203, 7205, 7402, 7108)]
REFS = [*OPENLY, *HIDDEN, ref_of(9999)]
TYPED = [
    f"{WITHHELD}az7201",
    f"{WITHHELD}ac7201",
    f"{WITHHELD}ac7202",
    f"{RAISED}ac7401",
    "drone",
    "dron",
    "landed",
    f"{OPEN}az7101",
]
"""Words of bodies and names of events, so that a title which is suggested for them is seen."""
LOOKED_FOR = [
    *TYPED,
    "tactic:T9137",
    "subject:QDi.917",
    f'event:"{WITHHELD}az7201"',
    "region:QZ drone",
    "kind:channel",
    "since:7d",
]
CASES: dict[str, Sequence[str]] = {
    "ack": [*REFS, f"{ref_of(7201)} private"],
    "alarms": [""],
    "amend": REFS,
    "ask": ["", "tonight 20:00", TYPED[0]],
    "asked": [""],
    "audit": ["", "Amina", ref_of(7201), "export", "export csv"],
    "ceiling": [""],
    "digest": ["", "now", "daily 07:30", "quiet off"],
    "draft": [""],
    "drafts": [""],
    "duty": ["", "take", "back", "add Ed daily 08:00-20:00"],
    "event": [
        "",
        f"{WITHHELD}az7201",
        f"new games {OPEN}az7101",
        "games community alpha",
        "games rings high",
        "games report 07:00",
        "games",
        "games close",
    ],
    "handover": ["", "8h", "never"],
    "help": [""],
    "invite": ["Zoe", "Amina"],
    "language": [""],
    "latest": [""],
    "like": REFS,
    "lost": ["", "Zoe", "Nobody"],
    "officers": [""],
    "retract": REFS,
    "room": ["", ref_of(7201)],
    "search": ["", *LOOKED_FOR],
    "show": [*REFS, bulletin_id(7204)],
    "start": [""],
    "stats": ["", "alpha", "Alpha", WITHHELD],
    "subject": ["QDi.917", "QDi.001", "Mohammed"],
    "subscribe": [""],
    "subscriptions": [""],
    "tally": REFS,
    "tactic": ["T1566", "T9137", "phishing"],
    "who": REFS,
}
"""What is typed after each command."""
LIMITS = [
    Limits(Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER),
    Limits(Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT),
    Limits(Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED),
]
SCENES = [
    (Role.READER, (Language.ARABIC, Language.FRENCH), LIMITS[0]),
    (Role.DRAFTER, (Language.CHINESE, Language.ENGLISH), LIMITS[1]),
    (Role.RELEASER, (Language.RUSSIAN, Language.ARABIC), LIMITS[2]),
    (Role.ADMINISTRATOR, (Language.SPANISH, Language.CHINESE), LIMITS[1]),
]
"""The officer's role and languages, the second after the ceiling was lowered."""
COME_LATER = {"digest", "handover"}
"""They are answered by way of the outbox."""
ALSO_LATER = {"ack", "duty", "event", "lost"}
"""They are answered at once, and more of them comes by way of the outbox."""
PRESSES = 1
"""Of buttons that differ in numbers alone, so many are pressed."""
ERRORS = [
    OperationError(Code.NODE_UNREACHABLE, WITHHELD, WITHHELD),
    OperationError(Code.FORBIDDEN, WITHHELD, WITHHELD),
    RuntimeError(WITHHELD),
    ValueError(WITHHELD),
]


def test_every_command_has_a_case() -> None:
    missing = written().commands - set(CASES)
    assert not missing, f"say in CASES what is typed after {sorted(missing)}, withheld words among it"


def forged(verb: str) -> list[str]:
    """Buttons that nobody was shown: of withheld bulletins, and of what belongs to the chief."""
    bulletins = [short(bulletin_id(each)) for each in (7101, 7204, 7401)]
    answers = [*Answer, "back"] if verb == "answer" else []
    acts = (
        "open",
        "ask",
        "view",
        "show",
        "list",
        "delete",
        "pause",
        "gone",
        "take",
        "again",
        "back",
        "undo",
        "to",
    )
    return [
        verb,
        f"{verb}:export",
        f"{verb}:no:such",
        *(f"{verb}:{act}:5:0123456789abcdef" for act in ("go", "send", "view", "take", "gone")),
        f"{verb}:set:5:tlp:CLEAR",
        *(f"{verb}:{each}:fr" for each in bulletins),
        *(f"{verb}:{act}:3" for act in acts),
        *(f"{verb}:{each}:{bulletin}" for each in answers for bulletin in bulletins),
    ]


async def ask_everything(here: Scene, most: int = 20) -> None:
    for command in sorted(here.house.book.commands):
        for case in CASES.get(command, [""])[:most]:
            await here.says(f"/{command} {case}".strip())
    for text in TYPED[1:3]:
        await here.says(text)
        await here.says(f"/show {text}")
    for ref in REFS:
        await here.offers(ref)
    await here.says("drone", forwarded="somebody")
    await here.says("", file=Handed("key", "name.txt", 9))


async def forge_everything(here: Scene) -> None:
    """What belongs to the chief is as it was, whoever presses."""
    before = await belongings(here)
    for verb in sorted(here.house.book.verbs - {"say", "staff", "ceiling", "duty"}):
        for data in forged(verb):
            await here.presses(data)
    assert await belongings(here) == before


async def belongings(here: Scene) -> object:
    chief = await here.state.officers.by_person(CHIEF)
    assert chief is not None
    return await here.state.officers.subscriptions(chief.id), await here.state.drafts.of(chief.id)


async def answer_everything(here: Scene) -> None:
    """The next line of every conversation, over a draft that may not be here."""
    steps = Steps(here.state.memory, here.officer)
    for state in sorted(here.house.book.steps):
        await steps.keep(draft=3, step="body", subscription=3)
        await steps.go(state)
        await here.says("drone")
        await steps.end()


async def go_wrong(here: Scene, error: Exception) -> None:
    """The node fails, then the chat service; both say a word that is nobody's to read."""
    here.trouble.error = error
    for command in sorted(here.house.book.commands):
        await here.says(f"/{command} {CASES.get(command, [''])[-1]}".strip())
    for verb in sorted(here.house.book.verbs - {"staff"}):
        await here.presses(f"{verb}:{short(bulletin_id(7201))}:fr")
    here.trouble.error = None
    here.wire.error = Refused(WITHHELD)
    for command in sorted(here.house.book.commands - COME_LATER):
        await here.says(f"/{command} {CASES.get(command, [''])[0]}".strip())
    here.wire.error = None


@pytest.mark.parametrize("role,languages,limits", SCENES, ids=[each for each, *_ in SCENES])
async def test_no_text_above_the_ceiling_leaves(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    role: Role,
    languages: tuple[Language, Language],
    limits: Limits,
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        async with scene(tmp_path, limits, role, languages[0], typed=TYPED) as here:
            await here.arrive(limits.first(here.now))
            assert any(OPEN in each for each in here.wire.left), "what may be shown is"
            here.wire.forbidden.add(RAISED)
            await here.arrive(limits.then(here.now))
            await ask_everything(here)
            await forge_everything(here)
            await answer_everything(here)
            await here.ring()
            pressed = await here.press_all(PRESSES)
            await here.settle()
            await go_wrong(here, ERRORS[list(Role).index(role)])
            await here.settle()
            await here.presses("ceiling:CLEAR", person=CHIEF)
            if limits.full is not Tlp.CLEAR:
                here.wire.forbidden.add(OPEN)
            await here.settle()
            assert limits.full is Tlp.CLEAR or not here.wire.stands(OPEN)
            await here.state.officers.set_language(here.officer.id, languages[1])
            await ask_everything(here, most=1)
            await here.press_all(PRESSES)
            await here.settle()
            await here.presses(f"staff:shut:{here.officer.id}", person=CHIEF)
            await here.settle()
            assert not here.wire.stands(OPEN) + here.wire.stands(CLEAR)
            entries = [each.row() for each in await here.state.audit.all()]
    assert not here.wire.leaks, here.wire.leaks[0]
    assert {"ack", "more", "lang", "next", "find", "mine", "sub", "bell", "tally"} <= pressed
    assert ("answer" in pressed) is (role is not Role.READER)
    assert here.wire.ways >= {"send", "edit", "toast", "label"}
    for word in (WITHHELD, RAISED, OPEN, CLEAR):
        assert word not in repr(logs) + caplog.text
        assert word not in repr(entries)


@pytest.mark.parametrize("limits", LIMITS[1:2], ids=lambda each: str(each.full))
async def test_what_leaves_does_not_tell_what_is_withheld(tmp_path: Path, limits: Limits) -> None:
    told = []
    for name in ("all", "without"):
        only = {"all": lambda _: True, "without": lambda ref: ref not in SECRET}[name]
        async with scene(
            tmp_path / name, limits, Role.ADMINISTRATOR, Language.ENGLISH, only=only, duty=False
        ) as here:
            await here.arrive(limits.first(here.now))
            await here.arrive(limits.then(here.now))
            told.append(await answers(here))
    for asked, with_all in told[0].items():
        assert with_all == told[1][asked], f"what is withheld changes the answer to {asked}"


async def answers(here: Scene) -> dict[str, object]:
    """What is told to whom, but of what is withheld: a list may have its reference in a block."""
    found: dict[str, object] = {}
    for command in sorted(here.house.book.commands - {"audit", "latest", *COME_LATER}):
        for case in CASES.get(command, [""]):
            if case == bulletin_id(7204) or any(ref in case for ref in SECRET):
                continue
            told = await here.answers(f"/{command} {case}", later=command in ALSO_LATER)
            # How many were not searched is told: so many references stand in `/latest`.
            found[f"/{command} {case}"] = [re.sub(r"\n*🔒 Not searched: .*", "", each) for each in told]
    newest = await here.answers("/latest")
    for _ in range(10):
        newest += await here.answers_press("next")
    # Each bulletin and each button by itself: a page that names what is withheld ends elsewhere.
    pieces = {piece for text in newest for block in text.split("\n\n") for piece in block.split("\n[")}
    found["/latest"] = {each for each in pieces if "FRA-" in each and not any(ref in each for ref in SECRET)}
    return found
