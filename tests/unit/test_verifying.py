"""Signatures verified beside the hub: the same answers from everywhere, also when the process is lost."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.arrival import NOTHING, Mark
from hub.issuing import issue
from hub.settlement import ANSWERS_PER_RECEIPT, Settlement, Submission
from hub.verifier import HEAD, NUMBER, Claim, pack, unpack, work
from hub.verifying import Verifying
from schemas import receipts
from schemas.errors import Code
from schemas.receipts import ADMITTED, Answer
from tests.support.frames import AgencyKit, Pair

_PAIR = Pair(bytes(range(32)))
_KITS = [AgencyKit(f"b{number}") for number in range(4)]
_DEADLINE = 45.0


def _claims(count: int, wrong: Sequence[int] = ()) -> list[Claim]:
    """So many, those at these places with another's signature."""
    messages = [b"message %d" % number for number in range(count)]
    return [
        Claim(_PAIR.public, message, _PAIR.sign(b"another" if number in wrong else message))
        for number, message in enumerate(messages)
    ]


@pytest.fixture
async def verifying() -> AsyncIterator[Verifying]:
    made = Verifying(many=8)
    yield made
    await made.close()
    await made.close()


async def _running(verifying: Verifying) -> int:
    """Its process's id, once there is one."""
    async with asyncio.timeout(_DEADLINE):
        while not verifying.pid:
            assert all(await verifying.check(_claims(8)))
    return verifying.pid


@pytest.mark.parametrize("count", [0, 3, 7])
async def test_few_are_verified_without_a_process(verifying: Verifying, count: int) -> None:
    assert await verifying.check(_claims(count)) == [True] * count
    assert await verifying.check(_claims(count, wrong=range(count))) == [False] * count
    assert verifying.pid == 0


async def test_many_are_verified_by_a_process_and_again_by_the_next_when_it_is_lost(
    verifying: Verifying,
) -> None:
    expected = [number not in {0, 5, 19} for number in range(20)]
    claims = _claims(20, wrong=[0, 5, 19])
    first = await _running(verifying)
    together = await asyncio.gather(*(verifying.check(claims) for _ in range(5)))
    assert together == [expected] * 5
    # More than a pipe holds: whoever asks later does not get ahead.
    long = [Claim(_PAIR.public, bytes(100_000), bytes(64)) for _ in range(8)]
    asked = [claims, long, claims, long, claims]
    answers = await asyncio.gather(*map(verifying.check, asked))
    assert answers == [expected, [False] * 8] * 2 + [expected]
    assert verifying.pid == first
    os.kill(first, signal.SIGKILL)
    assert await verifying.check(claims) == expected
    assert await _running(verifying) != first
    assert await verifying.check(claims) == expected


async def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next(verifying: Verifying) -> None:
    first = await _running(verifying)
    os.kill(first, signal.SIGSTOP)
    given_up = asyncio.create_task(verifying.check(_claims(20)))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert await verifying.check(_claims(20, wrong=range(20))) == [False] * 20
    assert await _running(verifying) != first


def test_the_process_answers_each_request_under_its_number_until_they_end() -> None:
    requests = io.BytesIO(pack(7, _claims(3, wrong=[1])) + pack(8, []) + b"cut")
    answers = io.BytesIO()
    work(requests, answers)
    assert answers.getvalue() == NUMBER.pack(7) + b"\1\0\1" + NUMBER.pack(8)


@given(
    st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.binary(), st.binary(min_size=64, max_size=64)))
)
def test_claims_come_out_of_a_request_as_they_went_in(parts: list[tuple[bytes, bytes, bytes]]) -> None:
    claims = [Claim(*each) for each in parts]
    assert list(unpack(pack(1, claims)[HEAD.size :])) == claims


@given(st.integers(1_764_000_000_000_000_000, 1_964_000_000_000_000_000), st.integers(1, 2**53))
def test_a_mark_is_the_same_however_its_time_is_read(nanoseconds: int, sequence: int) -> None:
    plain = f"$JS.ACK.INTAKE.admission.1.{sequence}.7.{nanoseconds}.0"
    domain = f"$JS.ACK.far.HASH.INTAKE.admission.1.{sequence}.7.{nanoseconds}.0.token"
    moment = datetime.fromtimestamp(nanoseconds / 1_000_000_000.0, UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    expected = Mark(sequence, moment // timedelta(microseconds=1))
    for reply in (plain, domain):
        assert Mark.of(Msg(Client(), subject="in.x", reply=reply)) == expected


def test_no_receipt_holds_more_answers_than_fit() -> None:
    one, other, nobody = AgencyKit("fra").endpoint, AgencyKit("ken").endpoint, "nobody"
    settlement = Settlement()
    for publisher, count in ((one, 2 * ANSWERS_PER_RECEIPT + 1), (other, 3), (nobody, 1)):
        for number in range(count):
            message = Msg(Client(), data=b"%d" % number)
            settlement.answer(Submission(message, NOTHING, publisher, message.subject), ADMITTED, 1)
    parts = settlement.answered()
    counts = [[sum(each.publisher == who for each in part) for who in (one, other)] for part in parts]
    assert counts == [[ANSWERS_PER_RECEIPT, 3], [ANSWERS_PER_RECEIPT, 0], [1, 0]]
    assert sum(map(len, parts)) == len(settlement.answers) - 1


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([ADMITTED, *Code]), st.integers(0, 2**53 - 1)),
        min_size=1,
        max_size=70,
    )
)
def test_receipts_are_those_of_the_format(asked: list[tuple[int, str, int]]) -> None:
    answers = [
        Answer(_KITS[who].endpoint, sha256(b"%d" % number).hexdigest(), str(code), at)
        for number, (who, code, at) in enumerate(asked)
    ]
    assert issue(answers, _PAIR) == receipts.issue(answers, _PAIR)
