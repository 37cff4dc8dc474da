"""What a full disk does to the bot, and what else ends it."""

import pytest

from bots.starved import outlasted
from schemas.errors import Code, OperationError

FULL = OperationError(Code.DISK_FULL, "no room to write", "free space on the disk")
OTHER = OperationError(Code.ALREADY_RUNNING, "another bot runs here", "stop it")


class Work:
    """Ends with each of these errors in turn, and then well."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.begun = 0

    async def __call__(self) -> None:
        self.begun += 1
        if self._errors:
            raise self._errors.pop(0)


class Waits:
    """A clock that notes each wait."""

    def __init__(self) -> None:
        self.count = 0

    def now(self) -> float:
        return 0.0

    async def sleep(self, _seconds: float) -> None:
        self.count += 1


async def test_it_begins_again_until_there_is_room() -> None:
    several = ExceptionGroup("tasks", [FULL, ExceptionGroup("within", [FULL])])
    work, clock = Work(FULL, several), Waits()
    await outlasted(work, clock)
    assert (work.begun, clock.count) == (3, 2), "and not without a pause"


@pytest.mark.parametrize(
    "error", [OTHER, ExceptionGroup("tasks", [FULL, OTHER]), ExceptionGroup("tasks", [FULL, ValueError()])]
)
async def test_whatever_else_ends_it_is_not_hidden(error: Exception) -> None:
    work = Work(error)
    with pytest.raises(type(error)) as raised:
        await outlasted(work, Waits())
    assert (raised.value, work.begun) == (error, 1)
