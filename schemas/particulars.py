"""What a bulletin is put together from: the kinds of text, and the small shapes in its fields (FORMAT.md,
"Bulletin").
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.limits import BODY_MAX, DOCUMENT_MAX, LIST_MAX, SUMMARY_MAX, TITLE_MAX
from schemas.vocabulary import ChannelState, GradingSystem, Language, Relation, SubjectType, Taxonomy

# Line breaks and tabs are text; other control characters (U+0080 to U+009F too, which a terminal obeys), and
# the bidirectional overrides that make text lie, are not.
TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"
LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
PATTERN = r"^\[[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*\]$"

Line = Annotated[str, StringConstraints(min_length=1, max_length=TITLE_MAX, pattern=LINE)]
Body = Annotated[str, StringConstraints(max_length=BODY_MAX, pattern=TEXT)]
Uuid7 = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,7}-[0-9]{4}-[0-9]{4,7}$")]
"""A reference that people can say aloud: agency code, year, number. `FRA-2026-0042`."""
Instant = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")
]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
Envelope = Annotated[str, StringConstraints(min_length=1, max_length=DOCUMENT_MAX)]
"""A signed document as text."""
CommunityId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Part(BaseModel):
    """Strict, unchangeable, of known fields alone."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_enum_values=False)


class Grading(Part):
    """Source reliability and information credibility as the source gave them: Admiralty A-F with 1-6, or
    Europol A, B, C, X with 1-4.
    """

    system: GradingSystem = Field(strict=False)
    reliability: Literal["A", "B", "C", "D", "E", "F", "X"]
    credibility: Annotated[int, Field(ge=1, le=6)]

    @model_validator(mode="after")
    def _on_its_scale(self) -> Self:
        letters, highest = ("ABCDEF", 6) if self.system is GradingSystem.ADMIRALTY else ("ABCX", 4)
        if self.reliability not in letters or self.credibility > highest:
            raise ValueError(
                f"{self.system.value} goes from {letters[0]} to {letters[-1]} and from 1 to {highest}"
            )
        return self


class Translation(Part):
    """The same text in another language; `official` when the originator stands by it word for word."""

    language: Language = Field(strict=False)
    official: bool
    title: Line
    summary: Annotated[str, StringConstraints(max_length=SUMMARY_MAX, pattern=TEXT)] = ""
    body: Body = ""


class Tactic(Part):
    """A technique by its identifier in a taxonomy: ATT&CK `T1566.001`, DISARM `T0049`, or Liaison's own
    `LT-0007`.
    """

    taxonomy: Taxonomy = Field(strict=False)
    id: Annotated[str, StringConstraints(pattern=r"^(TA?[0-9]{2,4}(\.[0-9]{3})?|LT-[0-9]{4})$")]
    name: Line | None = None


class Subject(Part):
    """A person, organisation or foreign fighter; `reference` is the UN Consolidated List's, such as
    `QDi.001`.
    """

    type: SubjectType = Field(strict=False)
    name: Line
    aliases: Annotated[list[Line], Field(max_length=LIST_MAX)] = []
    reference: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[ie]\.[0-9]{3}$")] | None = None


class Personal(Part):
    """On what law what is said of people rests, when its originator looks at it again, and where a mistake is
    put right.
    """

    legal_basis: Line
    review: Instant
    correction: Line


class Event(Part):
    """A major event, with the venue where there is one."""

    name: Line
    venue: Line | None = None
    starts: Instant | None = None
    ends: Instant | None = None


class Channel(Part):
    """A propaganda channel and where it stands in its life."""

    address: Line
    platform: Line | None = None
    state: ChannelState = Field(strict=False)


class Indicator(Part):
    """A STIX 2.1 pattern."""

    pattern: Annotated[str, StringConstraints(min_length=3, max_length=2_000, pattern=PATTERN)]
    description: Line | None = None


class Link(Part):
    """A link to another bulletin, by its id."""

    relation: Relation = Field(strict=False)
    id: Uuid7
