"""How often somebody may try to come in, and how fast a page may be asked for. Pure: time is an argument."""

from collections import OrderedDict
from typing import Final

from bots.telling.pacing import Bucket, Rate

SIGNING_IN: Final = Rate(1 / 10, 10.0)
"""Failures from one address: ten, then one in ten seconds. No code can be guessed; this keeps noise out."""
BEHIND_PROXY: Final = Rate(2.0, 60.0)
"""Failures of all together, where the proxy does not say who asks: strangers shall not keep officers out."""
READING: Final = Rate(3.0, 60.0)
"""Pages of one officer."""
_REMEMBERED: Final = 10_000


class Tries:
    """A bucket for each key, the longest unused ones forgotten."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: OrderedDict[object, Bucket] = OrderedDict()

    def spent(self, key: object, now: float) -> bool:
        """Whether there were too many."""
        bucket = self._buckets.get(key)
        return bucket is not None and bucket.wait(now) > 0.0

    def count(self, key: object, now: float) -> None:
        """One more."""
        bucket = self._buckets.setdefault(key, Bucket(self._rate, at=now))
        self._buckets.move_to_end(key)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.take(now)

    def allows(self, key: object, now: float) -> bool:
        """Whether one more may be made; if so it counts."""
        if self.spent(key, now):
            return False
        self.count(key, now)
        return True
