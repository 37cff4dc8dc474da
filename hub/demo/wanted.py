"""What a run without a person is asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """`rate`: bulletins a second. `seed`: for the same bulletins again. `chat`: with bots and officers."""

    bulletins: int
    rate: float = 100.0
    seed: int | None = None
    chat: bool = True
