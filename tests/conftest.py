"""What every test may count on: reference data beside the repository, and one way of making examples."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

# CI makes the same examples each time, so that a red run means the change and not the luck of the draw; a
# developer's run looks for new ones. No deadline: two busy cores are no measure of a function.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "dev")


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
