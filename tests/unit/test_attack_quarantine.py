"""What a hostile hub sends under subjects of its own making is kept, and can be looked at, without harm."""

import pytest

from schemas.errors import Code, LiaisonError
from schemas.limits import FRAME_MAX
from subscribers.judging.refused import Refused
from subscribers.node import community_of

COM = "5f1d7a84c3e94b0e9d2a6c7b18f0e35a"
PK = "A" + "B" * 55


@pytest.mark.parametrize("subject", ["f", "f.", "f.x", f"f.live.\x1b[2J.routine.{PK}", f"f.live.{COM}", ""])
def test_a_subject_that_is_none_names_no_community(subject: str) -> None:
    assert community_of(subject) is None
    assert community_of(f"f.live.{COM}.routine.{PK}") == COM


def test_what_is_kept_is_bounded() -> None:
    refused = Refused.of(LiaisonError(Code.TOO_LARGE, "too large"), 0, "f." * 10_000, bytes(512 * 1024))
    assert len(refused.data) == FRAME_MAX
    assert len(refused.subject) == 256
