"""How many chunks go out at once."""

from subscribers.files.pace import WINDOW_MAX, Pace


def test_a_quick_line_takes_a_full_window_and_a_slow_one_a_chunk_at_a_time() -> None:
    pace = Pace()
    for _ in range(8):
        pace.took(0.01)
    assert pace.window == WINDOW_MAX
    pace.took(0.7)
    assert pace.window == WINDOW_MAX
    for _ in range(8):
        pace.took(5)
    assert pace.window == 1
