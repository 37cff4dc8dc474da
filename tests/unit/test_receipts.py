from hashlib import sha256
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Code
from schemas.receipts import ADMITTED, Answer, alone, issue, read
from tests.support.federation import BRA, FRA, HUB, JPN, REGISTRAR, changed, code_of

ANSWERS = st.builds(
    Answer,
    st.sampled_from([FRA.endpoint, JPN.endpoint, BRA.endpoint]),
    st.binary(max_size=4).map(lambda data: sha256(data).hexdigest()),
    st.sampled_from([ADMITTED, *map(str, Code)]),
    st.integers(min_value=0, max_value=2**53 - 1),
)


@given(st.lists(ANSWERS, min_size=1, max_size=40))
def test_everybody_gets_exactly_their_own_answers(answers: list[Answer]) -> None:
    receipts = issue(answers, HUB)
    assert receipts.keys() == {answer.publisher for answer in answers}
    for publisher, data in receipts.items():
        own = [answer for answer in answers if answer.publisher == publisher]
        assert read(data, publisher, HUB.public) == own
        assert code_of(read, data, publisher, REGISTRAR.public) is Code.BAD_RECEIPT


def test_a_receipt_shows_nothing_of_others() -> None:
    mine, theirs = Answer(FRA.endpoint, "00" * 32, ADMITTED, 5), Answer(JPN.endpoint, "ab" * 32, "fork", 7)
    data = issue([mine, theirs], HUB)[FRA.endpoint]
    assert b"ab" * 32 not in data
    assert JPN.endpoint.encode() not in data
    assert b"fork" not in data


def test_alone_the_newest_answer_about_a_message_is_left() -> None:
    earlier = Answer(FRA.endpoint, "00" * 32, "gap", 5)
    newer, other = earlier._replace(code=ADMITTED, at=6), earlier._replace(sha256="ab" * 32)
    data = issue([earlier, newer, other], HUB)[FRA.endpoint]
    assert read(alone(data, "00" * 32), FRA.endpoint, HUB.public) == [newer]
    assert read(alone(data, "cd" * 32), FRA.endpoint, HUB.public) == []


@pytest.mark.parametrize("code", ["nonsense", "", 7, None, [], {}])
def test_a_code_that_nobody_knows_is_refused_though_the_hub_signed_it(code: object) -> None:
    answer = Answer(FRA.endpoint, "00" * 32, cast("str", code), 5)
    assert code_of(read, issue([answer], HUB)[FRA.endpoint], FRA.endpoint, HUB.public) is Code.BAD_RECEIPT


def test_every_flipped_byte_is_refused() -> None:
    answers = [Answer(FRA.endpoint, sha256(bytes((n,))).hexdigest(), ADMITTED, n) for n in range(3)]
    data = issue(answers, HUB)[FRA.endpoint]
    for at in range(len(data)):
        assert code_of(read, changed(data, at), FRA.endpoint, HUB.public) is not None, at


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_code(data: bytes) -> None:
    assert code_of(read, data, FRA.endpoint, HUB.public) is not None
