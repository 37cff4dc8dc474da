"""What the system says about a file, as a refusal."""

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import typer

import hub.terminal
import subscribers.commands.common
from schemas.errors import OperationError, of_files


@pytest.mark.parametrize(
    "number, code",
    [
        (errno.ENOENT, "not_found"),
        (errno.EACCES, "forbidden"),
        (errno.EPERM, "forbidden"),
        (errno.ENOTDIR, "bad_request"),
        (errno.EROFS, "bad_request"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(number: int, code: str) -> None:
    with pytest.raises(OperationError) as caught, of_files():
        raise OSError(number, os.strerror(number), "the/place")
    assert caught.value.code == code
    assert caught.value.message == f"the/place: {os.strerror(number)}"
    assert caught.value.fix


def test_what_names_no_file_is_left_as_it_is() -> None:
    with pytest.raises(ConnectionRefusedError), of_files():
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


@pytest.mark.parametrize("refusals", [hub.terminal.refusals, subscribers.commands.common.refusals])
def test_a_command_ends_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], refusals: Callable[[], AbstractContextManager[None]]
) -> None:
    place = tmp_path / "none" / "here"
    with pytest.raises(typer.Exit) as ended, refusals():
        place.mkdir()
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err.startswith(f"not_found: {place}: ")
