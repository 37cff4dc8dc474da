"""A flash to many officers at the chat service's own pace, digests waiting behind it."""

import signal
from pathlib import Path
from typing import Final

from bots.sandbox.limits import Limits
from tests.bench.measure import Result
from tests.support.many_officers import Carrier, enrolled
from tests.support.officers_bot import running_sandbox

_BURST: Final = 30
"""What the service takes at once before its rate counts."""
_NOTE: Final = "the rate that the service allows: 30 messages a second"


async def measure(directory: Path, *, officers: int) -> list[Result]:
    """`flash_rate`: messages a second of one flash to so many officers, against what the service takes."""
    limits = Limits()
    assert limits.overall
    allowed = limits.overall.per_second
    async with running_sandbox(limits) as (sandbox, _):
        await enrolled(sandbox, directory, officers)
        bot = await Carrier.start(sandbox, directory, overall_rate=allowed, chat_rate=1.0, concurrency=8)
        times: list[int] = []
        async for told in bot.told():
            times += [told.at] if told.verb == "alert" else []
            if len(times) == officers:
                bot.process.send_signal(signal.SIGTERM)
        await bot.process.wait()
    counted = times[min(_BURST, officers // 2) :]
    rate = 1000 * (len(counted) - 1) / max(counted[-1] - counted[0], 1)
    return [Result("flash_rate", "msg/s", rate, allowed, rate / allowed, _NOTE)]
