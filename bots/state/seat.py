"""The seat before a door that has one officer only: no invitation is needed, and nobody else sits down."""

import apsw

from bots.officers.roles import Role
from bots.state import State
from bots.state.officers import Officer, fit_name
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language


async def seat(
    state: State, name: str, role: Role, *, number: int, language: Language, zone: str, now: float
) -> Officer:
    """The officer of this state with the role of today; a new one is known by `number` everywhere.

    Raises OperationError `forbidden` when the seat is another officer's, `bad_request` for an unfit name.
    """
    wanted = fit_name(name)

    def work(connection: apsw.Connection) -> int:
        row = connection.execute("SELECT id, name FROM officers").fetchone()
        if row is None:
            connection.execute(
                "INSERT INTO officers (id, name, role, language, zone, chat, person, created)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?1, ?1, ?6)",
                (number, wanted, role, language.value, zone, now),
            )
            return number
        if str(row[1]).casefold() != wanted.casefold():
            raise OperationError(
                Code.FORBIDDEN, "another officer sits here", "take a client of your own: --client chat-NAME"
            )
        connection.execute("UPDATE officers SET role = ? WHERE id = ?", (role, row[0]))
        return int(row[0])

    async with state.store.write() as tx:
        seated = await tx.run(work)
    officer = await state.officers.get(seated)
    if officer is None:
        raise OperationError(Code.INTERNAL, "a row that must be there is not")
    return officer
