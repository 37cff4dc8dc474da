"""A community's card: its human name and rules, sealed by an owner to the members. FORMAT.md, "Content".

It travels like a bulletin, in a frame of kind `c`; the hub never learns what a community is called.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from schemas.bulletin import where
from schemas.encoding import canonical_json, parse_json
from schemas.errors import Code, FormatError
from schemas.limits import PAYLOAD_MAX
from schemas.particulars import Body, Line

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]


class Card(BaseModel):
    """Short name for subjects and commands, title and rules for people."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1
    slug: Slug
    title: Line
    rules: Body = ""

    def to_bytes(self) -> bytes:
        """The payload of a card frame: canonical JSON with every field."""
        return canonical_json(self.model_dump(mode="json"))


def parse_card(payload: bytes) -> Card:
    """A card from the opened payload of a frame. FormatError."""
    fields = parse_json(payload, PAYLOAD_MAX)
    try:
        card = Card.model_validate(fields)
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, f"not a card: {where(error)}") from None
    if card.to_bytes() != payload:
        raise FormatError(Code.BAD_ENCODING, "the card is not in its canonical form")
    return card
