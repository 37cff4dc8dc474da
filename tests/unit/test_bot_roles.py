"""Roles are sets of rights, and there is always an administrator left."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.officers.roles import RIGHTS, Right, Role, Standing, keep_one, parse_role
from schemas.errors import Code, OperationError

STAFF = st.dictionaries(st.integers(1, 5), st.sampled_from(Role), max_size=5)


def test_each_role_has_the_rights_of_the_one_before() -> None:
    held = [RIGHTS[each] for each in Role]
    assert all(lower < higher for lower, higher in pairwise(held))
    assert RIGHTS[Role.READER] == {Right.READ}
    assert RIGHTS[Role.ADMINISTRATOR] == set(Right)
    assert Right.RELEASE not in RIGHTS[Role.DRAFTER]


def test_roles_are_read_strictly() -> None:
    assert parse_role("releaser") is Role.RELEASER
    with pytest.raises(OperationError) as refused:
        parse_role("officer")
    assert refused.value.code is Code.BAD_REQUEST
    assert "reader, drafter, releaser, administrator" in refused.value.fix


@given(STAFF, st.integers(1, 5), st.none() | st.sampled_from(Role), st.booleans())
def test_who_stays_never_loses_the_last_administrator(
    staff: dict[int, Role],
    officer: int,
    role: Role | None,
    alone: bool,
) -> None:
    enrolled = [Standing(key, held) for key, held in staff.items()]
    after = {key: held for key, held in staff.items() if key != officer}
    if role is not None and officer in staff:
        after[officer] = role
    had = Role.ADMINISTRATOR in staff.values()
    if had and (after or alone) and Role.ADMINISTRATOR not in after.values():
        with pytest.raises(OperationError, match="last administrator") as refused:
            keep_one(enrolled, officer, role, alone=alone)
        assert refused.value.code is Code.FORBIDDEN
        assert refused.value.fix == "make another administrator first"
    else:
        keep_one(enrolled, officer, role, alone=alone)
