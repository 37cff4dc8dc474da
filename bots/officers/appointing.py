"""Another role for an officer, in chat or by command: the officer is told, whoever gave it."""

import json

from bots.dialogue.screens import plain_answer
from bots.officers.roles import Role
from bots.officers.staffing import RIGHTS, ROLES
from bots.showing.rendered import Rendered
from bots.state import State
from bots.state.jobs import appointed
from bots.state.officers import Officer
from bots.wording.words import words


async def appoint(state: State, officer: int, role: Role, now: float, *, by: int | None = None) -> Officer:
    """Give an officer another role, and order that they are told, unless they gave it themselves. Raises
    OperationError as `Staff.change_role` does.
    """
    before = await state.officers.get(officer)
    after = await state.staff.change_role(officer, role)
    if before and before.role is not role and after.chat is not None and by != officer:
        await state.outbox.add([appointed(officer, role.value, now)], now)
    return after


def told(officer: Officer, body: str) -> Rendered | None:
    """What the officer may do now; None when the role is another one by then, which is told by itself."""
    if json.loads(body)["role"] != officer.role:
        return None
    say, role = words(officer.language), officer.role
    lines = (
        "👤 " + say.text("Your role here has changed."),
        say.text("{role}: {rights}", role=say.text(ROLES[role]), rights=say.text(RIGHTS[role])),
        say.text("/help lists what you may do now."),
    )
    return plain_answer("\n".join(lines), officer.language)
