"""The table that `make faults` writes: what was done, when, to how many bulletins, and what came of it."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support import fault_stage
from tests.support.fault_table import Table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    """Written when the last test has ended. With xdist each worker would write its own."""
    kept = Table()
    yield kept
    kept.write(Path(os.environ.get("FAULTS_TABLE", ROOT / "build" / "faults.md")))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory, table: Table) -> AsyncIterator[fault_stage.Stage]:
    """One federation for all faults."""
    async with fault_stage.opened(tmp_path_factory.mktemp("stage"), table) as opened:
        yield opened
