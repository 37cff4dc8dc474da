"""Officers, their invitations and digests; their subscriptions are in `bots.state.subscriptions`.

A code of invitation has 192 bits of chance in it, so its plain SHA-256 is kept: nobody guesses it, and a
stolen database gives no codes.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Final, Literal
from zoneinfo import ZoneInfo

import apsw

from bots.officers.roles import RIGHTS, Right, Role
from bots.state.subscriptions import Subscriptions, look_again
from bots.times import Quiet, Schedule
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language
from subscribers.storage.store import Store, Tx

NAME_MAX: Final = 64
_CHAT: Final = "officer"
_WITHIN: Final = "terminal"
SELECT: Final = (
    "SELECT id, name, role, language, zone, quiet_start, quiet_end, chat, person, reachable FROM officers"
)


@dataclass(frozen=True, slots=True)
class Officer:
    """Who may use the bot. `chat` and `person` are the chat service's ids, None until the invitation is
    used.
    """

    id: int
    name: str
    role: Role
    language: Language
    zone: ZoneInfo
    quiet: Quiet | None
    chat: int | None
    person: int | None
    reachable: bool

    @property
    def standing(self) -> Literal["invited", "enrolled", "unreachable"]:
        """Whether messages reach the officer."""
        if self.chat is None:
            return "invited"
        return "enrolled" if self.reachable else "unreachable"

    def may(self, right: Right) -> bool:
        """Whether the officer's role has this right."""
        return right in RIGHTS[self.role]

    @property
    def pseudonym(self) -> str:
        """How other agencies see this officer."""
        return f"{_CHAT}-{self.id}"

    def known_as(self, *, within: bool) -> str:
        """The same, by the door: officers have other numbers `within` the agency than in chat."""
        return f"{_WITHIN}-{self.id}" if within else self.pseudonym


@dataclass(frozen=True, slots=True)
class DigestPlan:
    """An officer's digest: when, and up to which moment (Unix seconds) the last one told."""

    officer: Officer
    schedule: Schedule
    covered: float
    skip_empty: bool = False
    """Send none that says nothing."""


def officer_of(pseudonym: str | None, *, within: bool = False) -> int | None:
    """The number in a pseudonym of that door; None for what is none."""
    found = re.fullmatch(rf"{_WITHIN if within else _CHAT}-([0-9]{{1,9}})", pseudonym or "")
    return int(found[1]) if found else None


def read_officer(row: tuple[object, ...]) -> Officer:
    """From the columns id, name, role, language, zone, quiet_start, quiet_end, chat, person, reachable."""
    key, name, role, language, zone, start, end, chat, person, reachable = row
    quiet = Quiet(start, end) if isinstance(start, int) and isinstance(end, int) else None
    return Officer(
        id=_integer(key),
        name=str(name),
        role=Role(str(role)),
        language=Language(str(language)),
        zone=ZoneInfo(str(zone)),
        quiet=quiet,
        chat=chat if isinstance(chat, int) else None,
        person=person if isinstance(person, int) else None,
        reachable=bool(reachable),
    )


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise OperationError(
            Code.STORE_CORRUPT, "the database holds no number where one is due", "restore it from a backup"
        )
    return value


class Officers(Subscriptions):
    """The officers' tables."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._returns: Counter[int | None] = Counter()

    async def invite(
        self, name: str, role: Role, *, code: str, expires: float, zone: str, now: float
    ) -> Officer:
        """Make an officer, or a new code for one who has not enrolled yet; earlier codes end.

        Raises OperationError `already_known` when that officer is enrolled, `bad_request` for an unfit name.
        """
        wanted = fit_name(name)

        def work(connection: apsw.Connection) -> Officer:
            known = connection.execute("SELECT 1 FROM officers WHERE name = ?", (wanted,)).fetchone()
            if known is None:
                fresh = _one(connection, "INSERT INTO officer_numbers DEFAULT VALUES RETURNING id", ())[0]
                connection.execute(
                    "INSERT INTO officers (id, name, role, language, zone, created)"
                    " VALUES (?, ?, ?, 'en', ?, ?)",
                    (_integer(fresh), wanted, role, zone, now),
                )
            officer = read_officer(_one(connection, SELECT + " WHERE name = ?", (wanted,)))
            if officer.chat is not None:
                raise OperationError(
                    Code.ALREADY_KNOWN, "that officer is enrolled already", "choose another name"
                )
            connection.execute("UPDATE officers SET role = ? WHERE id = ?", (role, officer.id))
            renew(connection, officer.id, code, expires)
            return replace(officer, role=role)

        async with self._store.write() as tx:
            return await tx.run(work)

    async def enrol(
        self, code: str, *, chat: int, person: int, language: Language, now: float
    ) -> Officer | None:
        """Bind the invitation's officer to a chat; the code is spent. None when it is unknown, spent or
        expired.
        """

        def work(connection: apsw.Connection) -> int | None:
            row = connection.execute(
                "DELETE FROM invitations WHERE digest = ? AND expires > ? RETURNING officer",
                (_digest(code), now),
            ).fetchone()
            if row is None:
                return None
            self._returns[person] += 1
            connection.execute(
                "UPDATE officers SET chat = ?, person = ?, language = ?, reachable = 1 WHERE id = ?",
                (chat, person, language.value, row[0]),
            )
            return int(row[0])

        async with self._store.write() as tx:
            enrolled = await tx.run(work)
        return await self.get(enrolled) if enrolled is not None else None

    async def get(self, officer: int) -> Officer | None:
        """By the bot's own number."""
        return await self._found(" WHERE id = ?", officer)

    async def by_person(self, person: int) -> Officer | None:
        """By the chat service's user id."""
        return await self._found(" WHERE person = ?", person)

    async def by_name(self, name: str) -> Officer | None:
        """By name, in capitals or not."""
        rows = await self._store.query(SELECT + " WHERE name = ?", (" ".join(name.split()),))
        return read_officer(rows[0]) if rows else None

    async def all(self) -> list[Officer]:
        """Everybody, in the order of invitation."""
        rows = await self._store.query(SELECT + " ORDER BY id")
        return [read_officer(row) for row in rows]

    async def set_language(self, officer: int, language: Language) -> None:
        """The language in which the bot speaks to an officer."""
        async with self._store.write() as tx:
            await tx.execute("UPDATE officers SET language = ? WHERE id = ?", (language.value, officer))

    async def set_zone(self, officer: int, zone: ZoneInfo) -> None:
        """The officer's time zone."""
        async with self._store.write() as tx:
            await tx.execute("UPDATE officers SET zone = ? WHERE id = ?", (zone.key, officer))

    async def set_quiet(self, officer: int, quiet: Quiet | None) -> None:
        """Quiet hours, or none; alerts that were put off are looked at again."""
        values = (quiet.start, quiet.end) if quiet else (None, None)
        async with self._store.write() as tx:
            await tx.execute(
                "UPDATE officers SET quiet_start = ?, quiet_end = ? WHERE id = ?", (*values, officer)
            )
            await look_again(tx, officer)

    async def set_reachable(self, person: int, *, reachable: bool) -> None:
        """Whether the service takes messages to this person (blocked, or back)."""
        self._returns[person] += reachable
        async with self._store.write() as tx:
            await tx.execute("UPDATE officers SET reachable = ? WHERE person = ?", (int(reachable), person))

    def returns(self, person: int | None) -> int:
        """How often the person has come back since this process runs: to be asked for before a message is
        sent, for `shut_out`.
        """
        return self._returns[person]

    async def shut_out(self, person: int | None, returns: int) -> None:
        """The service took no message to this person; `returns` is of before it was sent. Whoever has come
        back meanwhile was refused what was on its way, and can be reached.
        """
        async with self._store.write() as tx:
            if self._returns[person] == returns:
                await tx.execute("UPDATE officers SET reachable = 0 WHERE person = ?", (person,))

    # --- digests ---

    async def set_digest(self, officer: int, schedule: Schedule | None, *, now: float) -> None:
        """Order, change or end an officer's digest. A new one tells what comes from `now` on."""
        async with self._store.write() as tx:
            if schedule is None:
                await tx.execute("DELETE FROM digests WHERE officer = ?", (officer,))
                return
            await tx.execute(
                "INSERT INTO digests (officer, cadence, minute, weekday, covered) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (officer) DO UPDATE"
                " SET cadence = excluded.cadence, minute = excluded.minute, weekday = excluded.weekday",
                (officer, schedule.cadence, schedule.minute, schedule.weekday, now),
            )

    async def digests(self) -> list[DigestPlan]:
        """Every digest that is ordered."""
        rows = await self._store.query(
            "SELECT d.cadence, d.minute, d.weekday, d.covered, d.skip_empty,"
            " o.id, o.name, o.role, o.language, o.zone,"
            " o.quiet_start, o.quiet_end, o.chat, o.person, o.reachable"
            " FROM digests d JOIN officers o ON o.id = d.officer WHERE o.chat IS NOT NULL ORDER BY o.id"
        )
        return [
            DigestPlan(read_officer(row[5:]), Schedule(row[0], row[1], row[2]), row[3], bool(row[4]))
            for row in rows
        ]

    async def skip_empty(self, officer: int, *, skip: bool) -> None:
        """Whether an officer's digests that say nothing are left out."""
        async with self._store.write() as tx:
            await tx.execute("UPDATE digests SET skip_empty = ? WHERE officer = ?", (int(skip), officer))

    async def charts(self, officer: int) -> bool:
        """Whether an officer's digests, hand-overs and situation reports come with a chart."""
        return not await self._store.query("SELECT 1 FROM charts_off WHERE officer = ?", (officer,))

    async def set_charts(self, officer: int, *, wanted: bool) -> None:
        """Whether an officer wants charts from now on."""
        sql = (
            "DELETE FROM charts_off WHERE officer = ?"
            if wanted
            else "INSERT INTO charts_off SELECT id FROM officers WHERE id = ? ON CONFLICT DO NOTHING"
        )
        async with self._store.write() as tx:
            await tx.execute(sql, (officer,))

    async def _found(self, where: str, value: int) -> Officer | None:
        rows = await self._store.query(SELECT + where, (value,))
        return read_officer(rows[0]) if rows else None


def renew(connection: apsw.Connection, officer: int, code: str, expires: float) -> None:
    """Within a transaction: a new code of invitation for an officer; earlier ones end."""
    connection.execute("DELETE FROM invitations WHERE officer = ?", (officer,))
    connection.execute("INSERT INTO invitations VALUES (?, ?, ?)", (_digest(code), officer, expires))


async def cover(tx: Tx, officer: int, until: float) -> None:
    """Within a transaction: the officer's next digest begins at `until`."""
    await tx.execute("UPDATE digests SET covered = max(covered, ?) WHERE officer = ?", (until, officer))


def fit_name(name: str) -> str:
    """A name as it is kept. Raises OperationError `bad_request`."""
    wanted = " ".join(name.split())
    if not wanted or len(wanted) > NAME_MAX or not wanted.isprintable():
        raise OperationError(Code.BAD_REQUEST, "not a fit name", f"use 1 to {NAME_MAX} printable characters")
    return wanted


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _one(
    connection: apsw.Connection, sql: str, values: tuple[str | int | float | bytes, ...]
) -> tuple[object, ...]:
    row = connection.execute(sql, values).fetchone()
    if row is None:
        raise OperationError(Code.INTERNAL, "a row that must be there is not")
    return tuple(row)
