"""What several handlers share."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.context import Context
from bots.officers.roles import Right
from bots.state.officers import Officer

Asked = TypeVar("Asked", Typed, Pressed)


def administrators_only(
    answer: Callable[[Asked, Context, Officer], Awaitable[None]],
) -> Callable[[Asked, Context, Officer], Awaitable[None]]:
    """For anybody else there is no such command; a button from better days is answered, and no more."""

    @wraps(answer)
    async def only(asked: Any, context: Context, officer: Officer) -> None:  # noqa: ANN401 - as `answer` takes it
        if officer.may(Right.ADMINISTER):
            await answer(asked, context, officer)
            return
        await context.did(officer, "", outcome="forbidden")
        if isinstance(asked, Pressed):
            await context.chat.toast(asked.press)
        else:
            await context.say(officer, asked.chat, screens.unknown(officer))

    return only
