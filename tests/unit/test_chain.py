import pytest

from schemas.chain import ChainHead, ChainKey, check_next
from schemas.errors import Code, TrustError
from schemas.frame import parse_frame
from tests.support.federation import COM, FRA, Publisher, replaced
from tests.vectors.recipe import started


@pytest.fixture
def chain() -> Publisher:
    publisher = started()
    publisher.send(publisher.bulletin(1))
    publisher.send(publisher.bulletin(2))
    return publisher


def test_a_chain_goes_on_frame_by_frame(chain: Publisher) -> None:
    head = ChainHead()
    for raw in chain.sent:
        frame = parse_frame(raw)
        assert ChainKey.of(frame) == (FRA.endpoint, COM, "routine")
        after = check_next(head, frame)
        assert after == head.then(raw)
        head = after
    assert head == chain.head


def test_what_may_not_come_next(chain: Publisher) -> None:
    first, second, third = (parse_frame(raw) for raw in chain.sent)
    at_first, at_second = ChainHead(0, first.hash), ChainHead(1, second.hash)
    other = parse_frame(replaced(chain.sent[1], FRA.signing, iat=1))
    beside = parse_frame(replaced(chain.sent[1], FRA.signing, prev=second.hash))
    cases = (
        (at_second, second, Code.REPLAYED),
        (at_second, first, Code.REPLAYED),
        (at_first, third, Code.GAP),
        (ChainHead(), second, Code.GAP),
        (at_second, other, Code.FORK),
        (at_second, beside, Code.FORK),
        (ChainHead(0, "1" * 64), second, Code.FORK),
    )
    for head, frame, code in cases:
        with pytest.raises(TrustError) as error:
            check_next(head, frame)
        assert error.value.code is code


def test_a_gap_says_which_frames_are_missing(chain: Publisher) -> None:
    with pytest.raises(TrustError, match=r"frames 3 to 6 are missing"):
        check_next(ChainHead(2, chain.head.hash), parse_frame(replaced(chain.sent[2], FRA.signing, seq=7)))
