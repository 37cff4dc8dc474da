"""Changes in the directory, told in chat: who was added or removed, by whom, from when on.

`plan` and `render_notice` are pure; the latter is part of the release gate (`bots.showing.render`). Which
agencies are in a community stands under every bulletin marked TLP:GREEN, and so it is released as such: a
chat whose ceiling is lower learns only that something waits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import apsw
import structlog

from bots.clock import Clock, moment
from bots.officers.roles import Right
from bots.ports import NodeClient
from bots.showing.release import Ceiling, Release
from bots.showing.render import Reader
from bots.showing.rendered import Part, Rendered
from bots.state import State, jobs
from bots.state.jobs import Job
from bots.state.officers import Officer
from bots.state.outbox import enqueue
from bots.wording.markup import Span, laid
from bots.wording.words import Words, words
from schemas.encoding import from_instant
from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Tlp
from subscribers.records import Filters, Notice

MARKING: Final = Tlp.GREEN
"""What notices are marked, as no document of the directory bears a marking."""
IDENTITY: Final = frozenset({"replacing", "objected", "withdrawn", "identity"})
"""Notices about identity keys."""
_PAUSE: Final = 5.0
"""Seconds between two questions to the node."""
_AT_ONCE: Final = 100
_CURSOR: Final = "notices"

_log = structlog.get_logger()


def plan(
    notice: Notice, officers: Iterable[Officer], subscriptions: Mapping[int, Sequence[Filters]]
) -> list[Job]:
    """Whom a notice is for: administrators; of a community's also those who subscribe to it; everybody, where
    an agency's identity key is replaced.
    """
    places = {notice.community, notice.slug}

    def wanted(officer: Officer) -> bool:
        if officer.may(Right.ADMINISTER) or notice.kind in IDENTITY:
            return True
        held = subscriptions.get(officer.id, ()) if notice.community else ()
        return any(not each.communities or not places.isdisjoint(each.communities) for each in held)

    return [jobs.notice(notice, each.id) for each in officers if wanted(each)]


def render_notice(notice: Notice, ceiling: Ceiling, reader: Reader, *, repeated: bool = False) -> Rendered:
    """One message. Above the ceiling it says only that something waits on the agency's terminal."""
    say = words(reader.language)
    spans: list[Span] = []
    if repeated:
        again = say.text("Possibly a repeat: the connection broke while this was being sent.")
        spans.append(say.aside(f"♻️ {again}\n"))
    shown = ceiling.allows(MARKING) is Release.FULL
    if shown:
        spans.append(Span(_sentence(notice, reader, say)))
        if notice.op == "add":
            undo = f"liaison-agency community propose remove {notice.slug} {notice.agency} --out undo.dsse"
            spans.append(Span("\n\n" + say.text("To object, ask an owner. An owner undoes it by:") + "\n"))
            spans += say.code(undo)
    else:
        spans.append(Span("🔒 " + say.text("A change of members or keys is waiting for you."), "b"))
        spans.append(Span("\n" + say.text("Read it on your agency's terminal.")))
    return Rendered((Part.of(laid(spans, rtl=say.rtl)),), protect=True, passing=not shown)


def _sentence(notice: Notice, reader: Reader, say: Words) -> str:
    who = say.embed(notice.agency_name or notice.agency)
    if notice.kind == "membership":
        return _membership(notice, who, reader, say)
    if notice.kind in IDENTITY:
        return _identity(notice, who, reader, say)
    owners = say.listed(map(say.embed, notice.by))
    match notice.kind:
        case "community":
            place, number = say.embed(notice.title), notice.threshold
            return "👥 " + say.text(
                "{community} was founded. Owners: {owners}. Signatures that a change needs: {number}.",
                community=place,
                owners=owners,
                number=number,
            )
        case "keys":
            return "🔑 " + say.text("{agency} has new keys.", agency=who)
        case "revoked":
            return "🔑 " + say.text("{agency} has revoked a key.", agency=who)
        case "agency":
            return "🏛 " + say.text("{agency} has a new entry in the directory.", agency=who)
        case _:
            return "🏛 " + say.text("The secretariat's root is now version {number}.", number=notice.version)


def _identity(notice: Notice, who: str, reader: Reader, say: Words) -> str:
    match notice.kind:
        case "withdrawn":
            return "🏛 " + say.text(
                "The secretariat will not replace the identity key of {agency} after all.", agency=who
            )
        case "objected":
            return "⚠️ " + say.text(
                "{agency} objects to the replacement of its identity key. The replacement is stopped.",
                agency=who,
            )
        case "replacing":
            text = _replacing(notice, who, reader, say)
        case _:
            text = say.text(
                "{agency} has another identity key. Ask that agency by another way whether this is so.",
                agency=who,
            )
    aloud = say.text(
        "Its fingerprint, as the agency reads it aloud: {fingerprint}",
        fingerprint=say.embed(notice.fingerprint),
    )
    return f"⚠️ {text}\n{aloud}"


def _replacing(notice: Notice, who: str, reader: Reader, say: Words) -> str:
    effective = from_instant(notice.effective) / 1000 if notice.effective else 0.0
    time = say.when(moment(effective), reader.zone)
    if notice.disputed:
        return say.text(
            "Although {agency} objects, the secretariat will replace its identity key, effective {time}. "
            "Ask that agency by another way.",
            agency=who,
            time=time,
        )
    return say.text(
        "The secretariat will replace the identity key of {agency}, effective {time}. Until then that agency "
        "can object. Ask it by another way whether it wants this.",
        agency=who,
        time=time,
    )


def _membership(notice: Notice, who: str, reader: Reader, say: Words) -> str:
    effective = from_instant(notice.effective) / 1000 if notice.effective else 0.0
    values = {
        "agency": who,
        "community": say.embed(notice.title),
        "owners": say.listed(map(say.embed, notice.by)),
        "time": say.when(moment(effective), reader.zone),
    }
    if notice.op == "remove":
        text = say.text("{agency} was removed from {community} by {owners}, effective {time}.", **values)
    elif notice.role == "reader":
        text = say.text(
            "{agency} was added to {community} as a reader by {owners}, effective {time}.", **values
        )
    else:
        text = say.text("{agency} was added to {community} by {owners}, effective {time}.", **values)
    return "👥 " + text


class NoticeIntake:
    """Asks the node for notices, and puts them into the outbox: jobs and cursor in one transaction."""

    def __init__(self, node: NodeClient, state: State, clock: Clock, wake: Callable[[], None]) -> None:
        self._node = node
        self._state = state
        self._clock = clock
        self._wake = wake

    async def run(self) -> None:
        """For ever. What the node told before the bot's first start is history, and is not told in chat."""
        while True:
            try:
                await self.take()
            except LiaisonError as error:
                if error.code not in {Code.NODE_UNREACHABLE, Code.FORBIDDEN}:
                    raise
                _log.warning("the node tells no notices", code=error.code)
            await self._clock.sleep(_PAUSE)

    async def take(self) -> None:
        """Everything new, once."""
        newest = max((each.number for each in await self._node.notices(None, 1)), default=0)
        at = (await self._state.memory.data(_CURSOR)).get("number")
        if not isinstance(at, int) or at > newest:  # at first, or on a node that began anew
            await self._state.memory.set_data(_CURSOR, {"number": newest})
            return
        while found := (await self._node.notices(at, _AT_ONCE) if at < newest else []):
            at = found[-1].number
            if await self._commit(found, at):
                self._wake()

    async def _commit(self, found: Sequence[Notice], at: int) -> int:
        officers = await self._state.officers.all()
        held: dict[int, list[Filters]] = {}
        for each in await self._state.officers.subscriptions():
            if not each.paused:
                held.setdefault(each.officer, []).append(each.filters)
        planned = [job for each in found for job in plan(each, officers, held)]
        now = self._clock.now()

        def commit(connection: apsw.Connection) -> int:
            connection.execute(
                "UPDATE memory SET data = json_object('number', ?) WHERE key = ?", (at, _CURSOR)
            )
            return enqueue(connection, planned, now)

        async with self._state.store.write() as tx:
            return await tx.run(commit)
