"""Keeps the audit (`hub.operating.trail`) in a stream of its own, so that it is replicated and backed up with
everything else, and no hub of several has one for itself.

An entry is written under the condition that it stands right behind the one that it was made for: two hubs
that write at once make one chain all the same.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

import nats.errors
import structlog
from nats.aio.client import Client

from hub.batch import BatchRefused, Outgoing, publish_ordered
from hub.jetstream import ABSENT, JetStreamRefused, api
from hub.operating.trail import START, Act, Entry, entry, parse
from schemas.errors import Code, FormatError, LiaisonError, OperationError

_log = structlog.get_logger(__name__)

AUDIT: Final = "AUDIT"
_SUBJECT: Final = "a"
_EXPECTED: Final = "Nats-Expected-Last-Sequence"
_TRIES: Final = 12
_PAUSE_SECONDS: Final = 0.1
_AT_ONCE: Final = 16
_SECOND: Final = 1_000_000_000
PAGE_MAX: Final = 200
CONFIG: Final[dict[str, Any]] = {
    "name": AUDIT,
    "subjects": [f"{_SUBJECT}.*"],
    "storage": "file",
    "retention": "limits",
    "deny_delete": True,
    "deny_purge": True,
    "max_msg_size": 32 * 1024,
    "duplicate_window": 120 * _SECOND,
}


class Audit:
    """Writes for one hub process, called `hub`. `clock` gives Unix milliseconds, `spread` is
    `StreamLimits.spread`.
    """

    def __init__(self, nc: Client, hub: str, clock: Callable[[], int], spread: Mapping[str, Any]) -> None:
        self._nc = nc
        self._hub = hub
        self._clock = clock
        self._spread = spread
        self._last: tuple[int, bytes] | None = None
        self._one = asyncio.Lock()

    async def begin(self) -> None:
        """Make the stream where there is none, and give it as many replicas as it should have, where they
        should be: a hub that was alone may be one of several now. To be taken again while it raises
        OperationError HUB_UNREACHABLE: until enough of them are there to write to. Raises `JetStreamRefused`
        as well.
        """
        try:
            info = await api(self._nc, f"STREAM.INFO.{AUDIT}")
        except JetStreamRefused as refused:
            if refused.reason not in ABSENT:
                raise
            await api(self._nc, f"STREAM.CREATE.{AUDIT}", {**CONFIG, **self._spread})
            return
        found, others = info["config"], (info.get("cluster") or {}).get("replicas") or ()
        if moves := any(found.get(key) != value for key, value in self._spread.items()):
            await api(self._nc, f"STREAM.UPDATE.{AUDIT}", {**found, **self._spread})
        if moves or 2 * sum(each["current"] for each in others) < len(others):
            what = "the stream of the audit is moving to more servers, or has lost most of them"
            raise OperationError(Code.HUB_UNREACHABLE, what, "see the NATS servers' logs")

    async def note(self, act: Act) -> Entry:
        """Write it down; it is on the disk when this returns. OperationError when it cannot be."""
        async with self._one:
            for attempt in range(_TRIES):
                number, digest = self._last or await self._read_last()
                made = entry(digest, number + 1, self._clock(), self._hub, act)
                headers = {_EXPECTED: str(number)}
                written = Outgoing(f"{_SUBJECT}.{act.verb}", made.to_bytes(), headers)
                try:
                    await publish_ordered(self._nc, [written], batch_id=f"audit.{number}")
                except BatchRefused:
                    self._last = None  # another hub was quicker, or a cluster's stream is just being made
                    await asyncio.sleep(_PAUSE_SECONDS * attempt)
                    continue
                except BaseException:
                    self._last = None
                    raise
                self._last = (made.number, made.digest)
                return made
        raise OperationError(
            Code.INTERNAL,
            "the audit could not be written",
            "see the NATS server's log, and the room on its disk",
        )

    async def note_quietly(self, act: Act) -> None:
        """The same where nobody waits for it: trouble is logged."""
        try:
            await self.note(act)
        except (LiaisonError, nats.errors.Error, TimeoutError, ConnectionError) as trouble:
            _log.error("audit not written", verb=act.verb, reason=str(trouble) or type(trouble).__name__)

    async def last(self, verb: str) -> Entry | None:
        """The last entry with this verb."""
        try:
            found = await api(self._nc, f"STREAM.MSG.GET.{AUDIT}", {"last_by_subj": f"{_SUBJECT}.{verb}"})
        except JetStreamRefused as refused:
            if refused.reason not in ABSENT:
                raise
            return None
        return parse(_data(found))

    async def page(self, after: int, limit: int) -> list[bytes]:
        """Entries behind number `after` as they are kept, at most `limit`; not checked."""
        end = min(int((await api(self._nc, f"STREAM.INFO.{AUDIT}"))["state"]["last_seq"]), after + limit)
        found: list[bytes] = []
        for start in range(after + 1, end + 1, _AT_ONCE):
            wanted = range(start, min(start + _AT_ONCE, end + 1))
            asked = (api(self._nc, f"STREAM.MSG.GET.{AUDIT}", {"seq": each}) for each in wanted)
            found += map(_data, await asyncio.gather(*asked))
        return found

    async def told(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """For the control service: a page from behind `after` on. FormatError `bad_request`."""
        after = asked.get("after", 0)
        if type(after) is not int or after < 0:
            raise FormatError(Code.BAD_REQUEST, "after is no number", "use the command of the same version")
        return {"entries": [each.decode("utf-8", "replace") for each in await self.page(after, PAGE_MAX)]}

    async def _read_last(self) -> tuple[int, bytes]:
        """Number and digest of the last entry. What was written there by others than hubs is gone on behind:
        a check names it.
        """
        last = int((await api(self._nc, f"STREAM.INFO.{AUDIT}"))["state"]["last_seq"])
        if not last:
            return 0, START
        try:
            found = parse(_data(await api(self._nc, f"STREAM.MSG.GET.{AUDIT}", {"seq": last})))
        except LiaisonError as bad:
            _log.error("audit does not hold", number=last, code=str(bad.code))
            return last, START
        return last, found.digest


def _data(found: dict[str, Any]) -> bytes:
    return base64.b64decode(found["message"].get("data", ""))
