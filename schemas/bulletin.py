"""The bulletin: what people read. It exists only inside the ciphertext of a frame and inside an agency.

A `Draft` is what an officer or a system gives; the node turns it into a `Bulletin` by adding identity,
reference and time. Both are read by `parse_draft` and `parse_bulletin`: strict JSON first, then these models
(FORMAT.md, "Bulletin").
"""

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from schemas.attachments import Attachments, unsealed
from schemas.encoding import canonical_json, from_instant, parse_json
from schemas.errors import Code, DraftError, FormatError
from schemas.limits import (
    BODY_MAX,
    DOCUMENT_MAX,
    HEADER_MAX,
    LIST_MAX,
    PAYLOAD_MAX,
    SUMMARY_MAX,
    TITLE_MAX,
)
from schemas.vocabulary import (
    ChannelState,
    GradingSystem,
    History,
    Kind,
    Language,
    Likelihood,
    Pap,
    Precedence,
    Realm,
    Relation,
    Severity,
    SubjectType,
    Taxonomy,
    Tlp,
)

# Line breaks and tabs are text; other control characters (U+0080 to U+009F too, which a terminal obeys), and
# the bidirectional overrides that make text lie, are not.
_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"
_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
_PATTERN = r"^\[[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*\]$"

_FIELD = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")

Line = Annotated[str, StringConstraints(min_length=1, max_length=TITLE_MAX, pattern=_LINE)]
Body = Annotated[str, StringConstraints(max_length=BODY_MAX, pattern=_TEXT)]
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


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_enum_values=False)


class Grading(_Model):
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


class Translation(_Model):
    """The same text in another language; `official` when the originator stands by it word for word."""

    language: Language = Field(strict=False)
    official: bool
    title: Line
    summary: Annotated[str, StringConstraints(max_length=SUMMARY_MAX, pattern=_TEXT)] = ""
    body: Body = ""


class Tactic(_Model):
    """A technique by its identifier in a taxonomy: ATT&CK `T1566.001`, DISARM `T0049`, or Liaison's own
    `LT-0007`.
    """

    taxonomy: Taxonomy = Field(strict=False)
    id: Annotated[str, StringConstraints(pattern=r"^(TA?[0-9]{2,4}(\.[0-9]{3})?|LT-[0-9]{4})$")]
    name: Line | None = None


class Subject(_Model):
    """A person, organisation or foreign fighter; `reference` is the UN Consolidated List's, such as
    `QDi.001`.
    """

    type: SubjectType = Field(strict=False)
    name: Line
    aliases: Annotated[list[Line], Field(max_length=LIST_MAX)] = []
    reference: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[ie]\.[0-9]{3}$")] | None = None


class Event(_Model):
    """A major event, with the venue where there is one."""

    name: Line
    venue: Line | None = None
    starts: Instant | None = None
    ends: Instant | None = None


class Channel(_Model):
    """A propaganda channel and where it stands in its life."""

    address: Line
    platform: Line | None = None
    state: ChannelState = Field(strict=False)


class Indicator(_Model):
    """A STIX 2.1 pattern."""

    pattern: Annotated[str, StringConstraints(min_length=3, max_length=2_000, pattern=_PATTERN)]
    description: Line | None = None


class Link(_Model):
    """A link to another bulletin, by its id."""

    relation: Relation = Field(strict=False)
    id: Uuid7


class Draft(_Model):
    """A bulletin before it has an identity. Everything that an originator decides is here."""

    kind: Kind = Field(strict=False)
    title: Line
    summary: Annotated[str, StringConstraints(max_length=SUMMARY_MAX, pattern=_TEXT)] = ""
    body: Body = ""
    language: Language = Field(strict=False)
    translations: Annotated[list[Translation], Field(max_length=5)] = []
    severity: Severity = Field(strict=False)
    tlp: Tlp = Field(strict=False)
    caveats: Annotated[list[Line], Field(max_length=8)] = []
    pap: Pap | None = Field(default=None, strict=False)
    history: History = Field(default=History.NONE, strict=False)
    grading: Grading | None = None
    likelihood: Likelihood | None = Field(default=None, strict=False)
    tactics: Annotated[list[Tactic], Field(max_length=LIST_MAX)] = []
    subjects: Annotated[list[Subject], Field(max_length=LIST_MAX)] = []
    regions: Annotated[list[Region], Field(max_length=LIST_MAX)] = []
    event: Event | None = None
    channel: Channel | None = None
    indicators: Annotated[list[Indicator], Field(max_length=LIST_MAX)] = []
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    links: Annotated[list[Link], Field(max_length=512)] = []
    exercise: bool = False
    drafter: Line | None = None
    releaser: Line | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tlp is Tlp.RED and self.history is not History.NONE:
            raise ValueError("red_with_history")
        languages = [self.language, *(each.language for each in self.translations)]
        if len(set(languages)) != len(languages):
            raise ValueError("each language may appear once among the text and its translations")
        relation = NEEDED_RELATION.get(self.kind)
        if relation and not any(link.relation is relation for link in self.links):
            raise ValueError(f"a bulletin of kind {self.kind.value} needs a link that says {relation.value}")
        if (self.kind is Kind.CHANNEL) != (self.channel is not None):
            raise ValueError("`channel` belongs to bulletins of kind channel, and only to them")
        if self.kind is Kind.EVENT and self.event is None:
            raise ValueError("a bulletin of kind event needs `event`")
        if self.kind is Kind.SUBJECT and not self.subjects:
            raise ValueError("a bulletin of kind subject needs `subjects`")
        for early, late in (
            (self.valid_from, self.valid_until),
            (self.event and self.event.starts, self.event and self.event.ends),
        ):
            if early is None and late is None:
                continue
            times = [from_instant(each) for each in (early, late) if each is not None]
            if times != sorted(times):
                raise ValueError("an end lies before its beginning")
        return self

    @property
    def precedence(self) -> Precedence:
        """Flash severity travels with flash precedence; everything else is routine."""
        return Precedence.FLASH if self.severity is Severity.FLASH else Precedence.ROUTINE

    @property
    def realm(self) -> Realm:
        """The realm that the exercise flag stands for."""
        return Realm.EXERCISE if self.exercise else Realm.LIVE


class Onward(_Model):
    """What a member asks for: that this bulletin may go on to another community."""

    bulletin: Uuid7
    community: CommunityId


class Release(_Model):
    """A bulletin of another community: what its originator signed there, and that it may be carried here.

    `header` is the text of its frame's header, `digest` the SHA-256 of the frame's body; `salt` and `payload`
    open the header's commitment, `grant` is the originator's envelope.
    """

    header: Annotated[str, StringConstraints(min_length=1, max_length=HEADER_MAX)]
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{86}==$")]
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    payload: Annotated[str, StringConstraints(min_length=1, max_length=PAYLOAD_MAX)]
    grant: Envelope


class Shared(Draft):
    """A draft that a node makes itself, about letting a bulletin go on to another community."""

    onward: Onward | None = None
    grant: Envelope | None = None
    release: Release | None = None

    @model_validator(mode="after")
    def _in_its_kind(self) -> Self:
        if self.onward is not None and self.kind is not Kind.REQUEST:
            raise ValueError("`onward` belongs to bulletins of kind request")
        if self.grant is not None and self.kind is not Kind.RESPONSE:
            raise ValueError("`grant` belongs to bulletins of kind response")
        if self.release is not None and (self.onward is not None or self.grant is not None):
            raise ValueError("`release` stands alone")
        return self


class Bulletin(Shared):
    """A draft with its identity: the plaintext of a bulletin frame."""

    v: Literal[1] = 1
    id: Uuid7
    ref: Reference
    issued: Instant
    attachments: Attachments = []

    @field_validator("issued")
    @classmethod
    def _a_time(cls, text: str) -> str:
        from_instant(text)
        return text

    def to_bytes(self) -> bytes:
        """The payload of a frame: canonical JSON, at most 64 KiB; DraftError `too_large` beyond."""
        fields = self.model_dump(mode="json", exclude_none=True, exclude_defaults=False)
        if not self.attachments:  # who reads the text as it was before there were any reads on
            del fields["attachments"]
        data = canonical_json(fields)
        if len(data) > PAYLOAD_MAX:
            raise DraftError(
                Code.TOO_LARGE,
                f"the bulletin takes {len(data)} bytes, {PAYLOAD_MAX} is the most",
                "shorten the body or drop translations",
            )
        return data

    def shown(self) -> Self:
        """The same as a node tells it: without what opens the attachments."""
        if not self.attachments:
            return self
        bare: dict[str, object] = {"attachments": unsealed(self.attachments)}
        if self.release:  # the original's text has the same seals
            original = parse_bulletin(self.release.payload.encode()).shown().to_bytes().decode()
            bare["release"] = self.release.model_copy(update={"payload": original})
        return self.model_copy(update=bare)

    def text_in(self, language: Language) -> Translation:
        """Title, summary and body in `language` when there is such a text, otherwise as written."""
        for each in self.translations:
            if each.language is language:
                return each
        return Translation(
            language=self.language, official=True, title=self.title, summary=self.summary, body=self.body
        )


NEEDED_RELATION: Final = {
    Kind.AMENDMENT: Relation.AMENDS,
    Kind.RETRACTION: Relation.RETRACTS,
    Kind.RESPONSE: Relation.RESPONDS_TO,
    Kind.ACKNOWLEDGEMENT: Relation.ACKNOWLEDGES,
    Kind.SIGHTING: Relation.SIGHTS,
    Kind.DIGEST: Relation.CONTAINS,
}
"""Kinds that make no sense without the bulletin they speak of."""


def parse_draft(data: bytes | dict[str, Any]) -> Draft:
    """A draft from JSON. Raises DraftError with the code that names what is missing or wrong."""
    fields = parse_json(data, PAYLOAD_MAX) if isinstance(data, bytes) else data
    if "tlp" not in fields:
        raise DraftError(
            Code.MISSING_MARKING, "the draft has no TLP marking", "add `tlp`, for instance TLP:AMBER"
        )
    known = {each.value for each in Language}
    translations = fields.get("translations")
    inner = translations if isinstance(translations, list) else []
    given = [fields.get("language"), *(each.get("language") for each in inner if isinstance(each, dict))]
    for language in given:
        if not isinstance(language, str) or language not in known:
            raise DraftError(
                Code.UNKNOWN_LANGUAGE,
                "a language is missing or unknown",
                f"use one of {', '.join(sorted(known))}",
            )
    try:
        return Draft.model_validate(fields)
    except ValidationError as error:
        raise _draft_error(error) from None
    except FormatError as error:
        raise DraftError(Code.BAD_DRAFT, error.message, "check the times") from None


def parse_bulletin(payload: bytes) -> Bulletin:
    """A bulletin from the opened payload of a frame. Raises FormatError."""
    fields = parse_json(payload, PAYLOAD_MAX)
    try:
        bulletin = Bulletin.model_validate(fields)
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, f"not a bulletin: {where(error)}") from None
    if any(each.seal is None for each in bulletin.attachments):
        raise FormatError(Code.BAD_DOCUMENT, "not a bulletin: an attachment without its seal")
    return bulletin


def where(error: ValidationError) -> str:
    """Which fields failed and why, without repeating any value (it may be bulletin text), or a name that no
    field could have (it may steer a terminal).
    """
    parts = (
        f"{'.'.join(map(_named, each['loc'])) or 'document'}: {_reason(each)}"
        for each in error.errors(include_input=False, include_url=False)[:5]
    )
    return "; ".join(parts)


def _named(part: str | int) -> str:
    return str(part) if _FIELD.match(str(part)) else "?"


def _reason(each: ErrorDetails) -> str:
    if each["type"] == "union_tag_invalid":  # the one message that repeats a value
        return "unknown type"
    # A pattern or enum message never repeats the value; our own ValueErrors are fixed sentences.
    return re.sub(r"^Value error, ", "", str(each["msg"]))[:160]


def _draft_error(error: ValidationError) -> DraftError:
    reason = where(error)
    if "red_with_history" in reason:
        return DraftError(
            Code.RED_WITH_HISTORY, "TLP:RED may not be given to later joiners", "set `history` to none"
        )
    if any(each["loc"][:1] == ("tlp",) for each in error.errors()):
        return DraftError(
            Code.MISSING_MARKING,
            f"the TLP marking is not one of TLP 2.0: {reason}",
            f"use one of {', '.join(Tlp)}",
        )
    return DraftError(Code.BAD_DRAFT, reason, "correct the named fields")
