"""A library is loaded without another that it would take."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from schemas.lean import load_without

LIBRARY = """
try:
    import liaison_lean_extra
    found = True
except ImportError:
    found = False
"""


@pytest.fixture(autouse=True)
def libraries(tmp_path: Path) -> Iterator[None]:
    """A library, and another that it takes where it finds it; neither is known afterwards."""
    (tmp_path / "liaison_lean_library.py").write_text(LIBRARY)
    (tmp_path / "liaison_lean_extra.py").write_text("")
    (tmp_path / "liaison_lean_broken.py").write_text("1 / 0")
    sys.path.insert(0, str(tmp_path))
    yield
    sys.path.remove(str(tmp_path))
    for name in ("library", "extra", "broken"):
        sys.modules.pop(f"liaison_lean_{name}", None)


def test_it_is_loaded_without_the_other_which_can_be_had_later() -> None:
    load_without("liaison_lean_extra", "liaison_lean_library")
    assert not import_module("liaison_lean_library").found
    import_module("liaison_lean_extra")


@pytest.mark.parametrize("first", ["liaison_lean_extra", "liaison_lean_library"])
def test_what_is_loaded_already_stays_as_it_is(first: str) -> None:
    import_module(first)
    load_without("liaison_lean_extra", "liaison_lean_library")
    assert import_module("liaison_lean_library").found


def test_a_library_that_fails_hides_nothing_for_good() -> None:
    with pytest.raises(ZeroDivisionError):
        load_without("liaison_lean_extra", "liaison_lean_broken")
    assert "liaison_lean_extra" not in sys.modules
