"""Which drafts may be sealed to the originator of what they answer."""

from typing import Any

import pytest

from schemas.errors import Code, DraftError
from subscribers.writing.private import split, target_of
from tests.support.node_api import make_draft

ID = "019c132c-df40-7a10-8b5e-00000000d0ce"
OTHER = "019c132c-df40-7a10-8b5e-00000000d0cf"
SIGHTS = {"relation": "sights", "id": ID}
SEEN: dict[str, Any] = {"kind": "sighting", "links": [SIGHTS]}


def test_the_mark_stands_beside_the_draft_and_is_no_part_of_it() -> None:
    assert split({"title": "T", "private": True}) == ({"title": "T"}, True)
    assert split({"title": "T", "private": False}) == ({"title": "T"}, False)
    assert split({"title": "T"}) == ({"title": "T"}, False)
    wrongs: tuple[object, ...] = (None, 1, "true", [])
    for wrong in wrongs:
        with pytest.raises(DraftError) as refused:
            split({"private": wrong})
        assert refused.value.code is Code.BAD_DRAFT


def test_an_answer_to_one_bulletin_may_be_private() -> None:
    assert target_of(make_draft(**SEEN)) == ID
    acknowledged = {"relation": "acknowledges", "id": ID}
    assert target_of(make_draft(kind="acknowledgement", links=[acknowledged])) == ID


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "threat"},
        {"kind": "response", "links": [{"relation": "responds-to", "id": ID}]},
        {**SEEN, "links": [SIGHTS, {"relation": "related", "id": OTHER}]},
        {**SEEN, "severity": "flash"},
        {**SEEN, "history": "members"},
    ],
)
def test_anything_else_may_not(fields: dict[str, Any]) -> None:
    with pytest.raises(DraftError) as refused:
        target_of(make_draft(**fields))
    assert refused.value.code is Code.BAD_DRAFT


def test_nor_what_has_files() -> None:
    with pytest.raises(DraftError):
        target_of(make_draft(**SEEN), [ID])
