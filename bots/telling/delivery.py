"""Delivery: takes jobs from the outbox in order of urgency, at the service's pace, and settles each outcome.

A request leaves only after it was committed as in flight.
"""

import asyncio
from typing import Final, assert_never

import structlog

from bots.digests.digesting import was_asked
from bots.officers.audit import ASKED, OUTBOX, Act
from bots.outcomes import Blocked, ChatFailure, Moved, NotSent, Refused, TooFast, Unsure
from bots.showing.naming import named
from bots.showing.overtaken import as_marked_now
from bots.showing.render import gravestone
from bots.showing.rendered import Rendered
from bots.state import jobs
from bots.state.jobs import Told
from bots.state.lists import Listed
from bots.state.outbox import Sent, Shown, Work
from bots.telling.aftermath import DELETE_WITHIN, aged, catch_up, ends_at, reader
from bots.telling.making import Maker, Means
from schemas.traces import Stage
from subscribers import tracing
from subscribers.records import Record

_BATCH: Final = 64
LOOK_SECONDS: Final = 15.0
"""How long it rests at most: the reading room, another process, may have ordered something."""
_BACKOFF_MAX: Final = 60.0
_PAUSE_MAX: Final = 1.0
"""After a 429 to one chat, everybody waits as well, but not longer than this: the limit may be the overall
one.
"""

_log = structlog.get_logger()


class Delivery:
    """The loop. `run` until cancelled; `wake` when there is something new."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._outbox = means.state.outbox
        self._maker = Maker(means)
        self._teller = self._maker.teller
        self._busy: set[int] = set()
        self._wake = asyncio.Event()
        self._failures = 0
        self._stopping = False

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until stopped. Raises OperationError when the database does not let it go on."""
        repeats = await self._outbox.recover()
        if repeats:
            _log.warning("requests were in flight at the last stop and are repeated", jobs=repeats)
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._wake.clear()
                wait = await self._dispatch(group)
                await self._rest(wait)

    def stop(self) -> None:
        """Start nothing more; `run` ends when what is in flight has come to its end."""
        self._stopping = True
        self._wake.set()

    async def _rest(self, seconds: float | None) -> None:
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self._wake.wait())]
        if seconds is not None:
            waits.append(asyncio.ensure_future(self._means.clock.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _dispatch(self, group: asyncio.TaskGroup) -> float | None:
        """Start what may start; the seconds until something else may, None when only `wake` can tell."""
        now, pacer = self._means.clock.now(), self._means.pacer
        free = self._means.concurrency - len(self._busy)
        if free <= 0 or self._stopping:
            return None
        if (pause := pacer.overall_wait(now)) > 0.0:
            return pause
        unready = pacer.unready(now)
        found = await self._outbox.candidates(now, self._busy | set(unready), _BATCH)
        resting = await self._teller.resting(found, now)
        going: list[Work] = []
        for work in found:
            if len(going) == free or pacer.overall_wait(now) > 0.0:
                break
            if work.id not in resting:
                pacer.take(work.chat, now)
                going.append(work)
        if resting:
            await self._outbox.put_off((each, resting[each.id]) for each in found if each.id in resting)
        if going:
            await self._outbox.depart(going)
        for work in going:
            self._busy.add(work.chat)
            group.create_task(self._carry(work))
        if len(going) == free:
            return None
        if resting:
            return 0.0
        if (pause := pacer.overall_wait(now)) > 0.0:
            return pause
        due = await self._outbox.next_due(now)
        return min([LOOK_SECONDS, *unready.values(), *([due - now] if due is not None else [])])

    async def _carry(self, work: Work) -> None:
        returns = self._means.state.officers.returns(work.officer.person)
        try:
            match work.verb:
                case (
                    "alert"
                    | "digest"
                    | "alarm"
                    | "notice"
                    | "draft"
                    | "call"
                    | "unheard"
                    | "closed"
                    | "remind"
                    | "chart"
                    | "due"
                    | "parted"
                    | "relieved"
                    | "appointed"
                ):
                    await self._send(work)
                case "edit":
                    await self._edit(work)
                case "delete":
                    await self._delete(work)
                case _:
                    assert_never(work.verb)
            self._failures = 0
        except ChatFailure as failure:
            await self._settle(work, failure, returns)
        except ValueError as error:
            # What cannot be read or written as a message is no reason to stop telling everything else.
            _log.error("a message could not be made", job=work.id, verb=work.verb, error=type(error).__name__)
            await self._outbox.finish(work, failed=True)
        finally:
            self._busy.discard(work.chat)
            self._wake.set()

    # --- the verbs ---

    async def _send(self, work: Work) -> None:
        record = await self._record(work)
        listed, rendered = await self._maker.made(work, record)
        if rendered is None or work.sent_parts >= len(rendered.parts):
            await self._outbox.finish(work)
            return
        await self._write_down(work, rendered)
        last = work.sent_parts + 1 == len(rendered.parts)
        told = Told.load(work.body) if work.verb == "alert" else jobs.PLAIN
        silent = (rendered.silent and not told.loud) or told.hushed or work.sent_parts > 0
        part, rows = rendered.parts[work.sent_parts], rendered.rows if last else ()
        begun = tracing.begin()
        chat, protect = self._means.chat, rendered.protect
        if rendered.picture and work.sent_parts == 0:
            message = await chat.picture(
                work.chat, rendered.picture, part, rows=rows, protect=protect, silent=silent
            )
        else:
            message = await chat.send(
                work.chat, part, rows=rows, protect=protect, silent=silent, reply_to=told.reply_to
            )
        if work.record:
            tracing.note(Stage.TOLD, work.record, begun, number=work.id)
        now = self._means.clock.now()
        shown = self._shown(work, message, record, rendered, listed)
        await self._outbox.arrived(work, shown, parts=len(rendered.parts), now=now)
        if work.verb == "call" and work.record:
            earlier = await self._outbox.earlier_calls(work.record, work.officer.id, message)
            await self._outbox.add([jobs.delete(each, work.officer.id) for each in earlier], now)
        elif (
            record is not None
            and work.verb == "alert"
            and await catch_up(self._outbox, work.officer.id, shown, record, now)
        ):
            self.wake()
        if listed is not None and await self._maker.again(work, listed) != rendered:
            # Something in it changed while it was on its way, and its change did not see it yet.
            row = await self._outbox.row(work.chat, message)
            late = [jobs.edit(row, work.officer.id, None, "late", fate="listed")] if row else []
            await self._outbox.add(late, now)
        if last:
            self._means.events.emit(
                work.verb,
                id=work.record,
                key=work.key,
                officer=work.officer.id,
                message=message,
                repeat=work.repeated,
                at=int(now * 1000),
            )

    def _shown(
        self, work: Work, message: int, record: Record | None, rendered: Rendered, listed: Listed | None
    ) -> Shown:
        ends = ends_at(record, rendered, self._means.clock.now())
        if work.verb in {"call", "unheard", "remind", "due"}:
            return Shown(work.chat, message, ends=ends, call=work.record)
        language = work.officer.language.value if record else None
        return Shown(work.chat, message, work.record, language, work.sent_parts, ends, listed)

    async def _records(self, listed: Listed) -> list[Record]:
        return [each for key in listed.records if (each := await self._outbox.record(key)) is not None]

    async def _edit(self, work: Work) -> None:
        sent = await self._target(work)
        if sent is None:
            return
        if work.body == "listed":
            await self._relist(work, sent)
            return
        record = await self._record(work)
        if work.body == "acknowledged":
            if record is not None and (rows := await self._teller.buttons(work, sent, record)):
                await self._means.chat.label(sent.chat, sent.message, rows)
            await self._outbox.finish(work)
            return
        if work.body == "amended" and record is not None:
            if sent.part > 0:
                await self._remove(work, sent)
                return
            shown = await self._teller.amended(work, sent, record)
        elif work.body == "answered" and record is not None:
            shown = await self._teller.answered(work, sent, record)
        else:
            ref = record.bulletin.ref if record else None
            shown = gravestone(
                ref, reader(work.officer), why="retracted" if work.body == "retracted" else "expired"
            )
        await self._write_down(work, shown)
        await self._means.chat.edit(sent.chat, sent.message, shown.parts[0], rows=shown.rows)
        if (
            work.body == "amended" and record is not None and shown.passing
        ):  # withheld now: a stub like others
            now = self._means.clock.now()
            ends = ends_at(record, shown, now)
            kept = Shown(sent.chat, sent.message, sent.record, sent.language, sent.part, ends)
            await self._outbox.note(work.officer.id, kept, now)
        await self._outbox.finish(work)
        self._means.events.emit("edit", id=work.record, officer=work.officer.id, message=sent.message)

    async def _relist(self, work: Work, sent: Sent) -> None:
        """A list in which something has changed: a digest is made again, an answer goes when something in it
        was retracted or marked higher.
        """
        listed = await self._outbox.listed(sent.id)
        if listed is None:
            await self._outbox.finish(work)
        elif not listed.title:
            before = await self._records(listed)
            marked = await as_marked_now(before, self._outbox.record)
            if marked != before or any(each.state == "retracted" for each in before):
                await self._remove(work, sent)
            else:
                await self._outbox.finish(work)
        else:
            shown = await self._maker.compiler.rendered(work, listed)
            if sent.part >= len(shown.parts):
                await self._remove(work, sent)
                return
            await self._write_down(work, shown)
            rows = shown.rows if sent.part + 1 == len(shown.parts) else ()
            await self._means.chat.edit(sent.chat, sent.message, shown.parts[sent.part], rows=rows)
            await self._outbox.finish(work)
            self._means.events.emit("edit", id=None, officer=work.officer.id, message=sent.message)

    async def _delete(self, work: Work) -> None:
        sent = await self._target(work)
        if sent is not None:
            await self._remove(work, sent)

    async def _remove(self, work: Work, sent: Sent) -> None:
        if self._means.clock.now() - sent.sent < DELETE_WITHIN:
            await self._means.chat.delete(sent.chat, sent.message)
            await self._outbox.gone(work, sent.id)
            self._means.events.emit("delete", officer=work.officer.id, message=sent.message)
            return
        grave = gravestone(None, reader(work.officer), why="expired")
        await self._means.chat.edit(sent.chat, sent.message, grave.parts[0], rows=())
        await self._outbox.gone(work, sent.id)

    async def _target(self, work: Work) -> Sent | None:
        sent = await self._outbox.message(work.target) if work.target is not None else None
        if sent is None:
            await self._outbox.finish(work)
        return sent

    async def _record(self, work: Work) -> Record | None:
        record = await self._outbox.record(work.record) if work.record else None
        return aged(record, self._means.clock.now()) if record else None

    async def _write_down(self, work: Work, rendered: Rendered) -> None:
        """Before it leaves: what it shows, with its first part."""
        if work.sent_parts == 0:
            acts = [_act(work, each.ref, each.sight) for each in named(rendered)] or [_act(work, "", "sent")]
            await self._means.state.audit.write(acts, self._means.clock.now())

    # --- the outcomes ---

    async def _settle(self, work: Work, failure: ChatFailure, returns: int) -> None:
        now = self._means.clock.now()
        log = _log.bind(job=work.id, officer=work.officer.id, verb=work.verb, outcome=type(failure).__name__)
        match failure:
            case TooFast(retry_after=seconds):
                self._means.pacer.hold(work.chat, now + seconds)
                self._means.pacer.hold(None, now + min(seconds, _PAUSE_MAX))
                await self._outbox.again(work, now + seconds, repeated=False)
            case Blocked() if self._means.state.officers.returns(work.officer.person) != returns:
                await self._outbox.again(work, 0.0, repeated=False)
            case Blocked():
                log.warning("an officer cannot be reached")
                await self._means.state.audit.write([_act(work, "", "unreachable")], now)
                await self._outbox.again(work, 0.0, repeated=False)
                await self._means.state.officers.shut_out(work.officer.person, returns)
                self._means.events.emit("unreachable", officer=work.officer.id)
            case Moved(chat=chat):
                await self._outbox.move_chat(work.officer.id, chat)
                await self._outbox.again(work, 0.0, repeated=False)
            case Refused():
                log.error("the chat service refuses a message for good")
                await self._means.state.audit.write([_act(work, "", "refused")], now)
                await self._outbox.finish(work, failed=True)
                self._means.events.emit("refused", key=work.key, officer=work.officer.id)
            case NotSent() | Unsure():
                self._failures += 1
                pause = min(2.0 ** min(self._failures, 10), _BACKOFF_MAX)
                self._means.pacer.hold(None, now + pause)
                await self._outbox.again(work, now + pause, repeated=isinstance(failure, Unsure))
                log.warning("the chat service does not answer", pause=pause)
            case _:
                raise failure


def _act(work: Work, ref: str, outcome: str) -> Act:
    verb = work.verb + ASKED if was_asked(work) else work.verb
    return Act(work.officer.id, work.officer.name, OUTBOX, verb, ref, outcome)
