"""What every test may count on: reference data beside the repository, and one way of making examples."""

import os
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.world import World

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
_LONG = {"integration", "faults"}
_WORLD = "tests.support.world"

# CI makes the same examples each time, so that a red run means the change and not the luck of the draw; a
# developer's run looks for new ones. No deadline: two busy cores are no measure of a function.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For a mutant it is enough that a few examples notice it.
settings.register_profile("mutant", derandomize=True, deadline=None, max_examples=10)
settings.load_profile(
    "mutant" if os.environ.get("MUTANT_UNDER_TEST") else "ci" if os.environ.get("CI") else "dev"
)


@pytest.hookimpl(trylast=True)  # after the shuffle, which holds within each part
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker is given a part of the same length, and in the end takes over from another's end. So each
    part begins with what takes long and ends with what does not, and the session's world is in the first part
    alone: its agencies are made once.
    """
    in_the_world, long, short = [], [], []
    for each in items:
        if _in_the_world(each):
            in_the_world.append(each)
        elif _LONG & set(each.path.parts) or each.get_closest_marker("slow"):
            long.append(each)
        else:
            short.append(each)
    others = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) - 1
    beginnings = [in_the_world, *_split(long, others)] if others else [in_the_world + long]
    length, begin, items[:] = len(items) // len(beginnings), 0, []
    for beginning in beginnings:
        end = begin + max(0, length - len(beginning))
        items += [*beginning, *short[begin:end]]
        begin = end
    items += short[begin:]


def _split(items: Sequence[pytest.Item], parts: int) -> list[Sequence[pytest.Item]]:
    """In pieces of about the same length, in which a module's tests stay together."""
    bounds = [len(items) * each // parts for each in range(parts + 1)]
    return [items[begin:end] for begin, end in pairwise(bounds)]


def _in_the_world(item: pytest.Item) -> bool:
    """Whether a test uses the fixture `world` of this file, and not its module's own."""
    kind = getattr(getattr(item, "module", None), "World", None)
    return "world" in getattr(item, "fixturenames", ()) and getattr(kind, "__module__", "") == _WORLD


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root directory."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of reference data kept beside the repository, never in it; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the reference data (../shared/data) is not beside this checkout")
    return SHARED_DATA


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> "AsyncIterator[World]":
    """Secretariat, hub and agencies as real processes. Tests that use it run on the session's loop."""
    from tests.support.world import World  # noqa: PLC0415 - only those who ask for a world load all of it

    async with World.opened(tmp_path_factory.mktemp("world"), "--websocket-port", "0") as opened:
        yield opened
