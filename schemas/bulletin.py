"""The bulletin: what people read. It exists only inside the ciphertext of a frame and inside an agency.

A `Draft` is what an officer or a system gives; the node turns it into a `Bulletin` by adding identity,
reference and time. Both are read by `parse_draft` and `parse_bulletin`: strict JSON first, then these models
(FORMAT.md, "Bulletin").
"""

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from schemas.attachments import Attachments, unsealed
from schemas.encoding import canonical_json, from_instant, parse_json, plain_json
from schemas.errors import Code, DraftError, FormatError
from schemas.limits import (
    HEADER_MAX,
    LIST_MAX,
    PAYLOAD_MAX,
    SUMMARY_MAX,
)
from schemas.particulars import (
    TEXT,
    Body,
    Channel,
    CommunityId,
    Envelope,
    Event,
    Grading,
    Indicator,
    Instant,
    Line,
    Link,
    Part,
    Personal,
    Reference,
    Region,
    Subject,
    Tactic,
    Translation,
    Uuid7,
)
from schemas.vocabulary import (
    History,
    Kind,
    Language,
    Likelihood,
    Pap,
    Precedence,
    Realm,
    Relation,
    Severity,
    Tlp,
)

_FIELD = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")


class Draft(Part):
    """A bulletin before it has an identity. Everything that an originator decides is here."""

    kind: Kind = Field(strict=False)
    title: Line
    summary: Annotated[str, StringConstraints(max_length=SUMMARY_MAX, pattern=TEXT)] = ""
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
    personal: Personal | None = None
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
        if self.translations:
            languages = [self.language, *(each.language for each in self.translations)]
            if len(set(languages)) != len(languages):
                raise ValueError("each language may appear once among the text and its translations")
        relation = NEEDED_RELATION.get(self.kind)
        if relation and not any(link.relation is relation for link in self.links):
            raise ValueError(f"a bulletin of kind {self.kind.value} needs a link that says {relation.value}")
        field = _NEEDED_FIELD.get(self.kind)
        if field and not getattr(self, field):
            raise ValueError(f"a bulletin of kind {self.kind.value} needs `{field}`")
        if self.channel is not None and field != "channel":
            raise ValueError("`channel` belongs to bulletins of kind channel, and only to them")
        if self.personal is not None:
            from_instant(self.personal.review)
        _check_order(self.valid_from, self.valid_until)
        if self.event is not None:
            _check_order(self.event.starts, self.event.ends)
        return self

    @property
    def precedence(self) -> Precedence:
        """Flash severity travels with flash precedence; everything else is routine."""
        return Precedence.FLASH if self.severity is Severity.FLASH else Precedence.ROUTINE

    @property
    def realm(self) -> Realm:
        """The realm that the exercise flag stands for."""
        return Realm.EXERCISE if self.exercise else Realm.LIVE


class Onward(Part):
    """What a member asks for: that this bulletin may go on to another community."""

    bulletin: Uuid7
    community: CommunityId


class Release(Part):
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
    attachments: Attachments = Field(default_factory=list, json_schema_extra={"default": []})
    """None in most, so made and not given: pydantic would copy a default list for each bulletin, deeply."""

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
_NEEDED_FIELD: Final = {Kind.CHANNEL: "channel", Kind.EVENT: "event", Kind.SUBJECT: "subjects"}
"""Kinds that make no sense without a field."""


def _check_order(early: str | None, late: str | None) -> None:
    """Raises FormatError for what is no time, ValueError for an end before its beginning."""
    if early is None and late is None:
        return
    times = [from_instant(each) for each in (early, late) if each is not None]
    if times != sorted(times):
        raise ValueError("an end lies before its beginning")


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
        draft = Draft.model_validate(fields)
    except ValidationError as error:
        raise _draft_error(error) from None
    except FormatError as error:
        raise DraftError(Code.BAD_DRAFT, error.message, "check the times") from None
    if draft.kind is Kind.SUBJECT and draft.personal is None:
        raise DraftError(
            Code.BAD_DRAFT,
            "a draft of kind subject needs `personal`",
            "say on what law it rests, when it is looked at again, and where a mistake is put right",
        )
    return draft


def parse_bulletin(payload: bytes) -> Bulletin:
    """A bulletin from the opened payload of a frame. Raises FormatError."""
    if fields := plain_json(payload, PAYLOAD_MAX):  # as every writer here writes them
        try:
            return _bulletin(fields)
        except FormatError:
            pass  # the strict parser has the first word on what is wrong
    return _bulletin(parse_json(payload, PAYLOAD_MAX))


def _bulletin(fields: dict[str, Any]) -> Bulletin:
    if type(fields.get("v", 1)) is not int:  # to pydantic, `true` and 1.0 are the literal 1
        raise FormatError(Code.BAD_DOCUMENT, "not a bulletin: v: Input should be 1")
    try:
        bulletin = Bulletin.model_validate(fields)
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, f"not a bulletin: {where(error)}") from None
    if bulletin.attachments and any(each.seal is None for each in bulletin.attachments):
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
