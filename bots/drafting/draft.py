"""A half-written bulletin as a value: what is there, what is missing, which question comes next. Pure.

The marking comes first: until there is one, nothing else is asked or kept (bot rules, "Privacy first").
"""

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from bots.showing.answerable import RELATIONS, Answer
from schemas.bulletin import Draft, parse_draft
from schemas.encoding import canonical_json
from schemas.limits import ATTACHMENTS_MAX
from schemas.particulars import (
    Channel,
    CommunityId,
    Event,
    Grading,
    Instant,
    Region,
    Tactic,
    Translation,
    Uuid7,
)
from schemas.vocabulary import Kind, Language, Likelihood, Relation, Severity, Tlp

OFFERED: Final = (
    Kind.THREAT,
    Kind.TACTIC,
    Kind.CYBER,
    Kind.CHANNEL,
    Kind.NARRATIVE,
    Kind.EVENT,
    Kind.REQUEST,
    Kind.NOTICE,
)
"""Kinds that begin a conversation. A bulletin about a person is written elsewhere: names are not typed in
chat. The others answer a bulletin and begin there.
"""
CHANGES: Final = frozenset({Kind.AMENDMENT, Kind.RETRACTION})
"""Kinds that change a bulletin that is out."""
NUMBER_MAX: Final = 99_999
DIGEST_SHOWN: Final = 16
"""Characters of a revision's digest in a button: nobody finds a second draft with the same 64 bits between
two presses.
"""


class Step(StrEnum):
    """One question."""

    MARKING = "tlp"
    COMMUNITY = "com"
    KIND = "kind"
    SEVERITY = "sev"
    GRADING = "grade"
    CHANNEL = "chan"
    EVENT = "event"
    TITLE = "title"
    BODY = "body"
    SUMMARY = "sum"
    LIKELIHOOD = "like"
    REGIONS = "reg"
    TACTICS = "tac"
    REFERENCES = "refs"
    VALID = "until"
    CAVEATS = "cav"
    LANGUAGE = "lang"
    TRANSLATION = "trans"
    FILES = "files"
    SEEN = "seen"
    NUMBER = "num"


class Named(BaseModel):
    """A link to another bulletin, with the reference by which people call it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    relation: Relation
    id: Uuid7
    ref: str
    least: Tlp | None = None
    """What answers or changes it is not marked lower than this."""
    by: str | None = None
    """Of what is answered: the name of its originator."""


class Attached(BaseModel):
    """A file that the node has taken in for this draft, by the id of its upload: from the client of one
    door, `via`, which alone may publish it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Uuid7
    name: str
    media: str
    size: Annotated[int, Field(ge=1)]
    sha256: str
    via: str = ""


class HalfDraft(BaseModel):
    """What an officer has answered so far. `exercise` follows from the community.

    `quick` is an answer by button, whose words are the bot's (`bots.drafting.answers`); `to` whom it goes, if
    not to the community; `valid_from` and `number`, when something was seen and how many.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tlp: Tlp | None = None
    community: CommunityId | None = None
    exercise: bool = False
    kind: Kind | None = None
    severity: Severity | None = None
    grading: Grading | None = None
    likelihood: Likelihood | None = None
    language: Language = Language.ENGLISH
    title: str = ""
    summary: str = ""
    body: str = ""
    regions: tuple[Region, ...] = ()
    tactics: tuple[Tactic, ...] = ()
    links: tuple[Named, ...] = ()
    event: Event | None = None
    channel: Channel | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    quick: Answer | None = None
    number: Annotated[int, Field(ge=1, le=NUMBER_MAX)] | None = None
    to: Literal["originator"] | None = None
    caveats: tuple[str, ...] = ()
    translations: tuple[Translation, ...] = ()
    sources: tuple[tuple[Language, str], ...] | None = None
    """Which text each translation was made of, as `bots.drafting.translations` has it."""
    attachments: Annotated[tuple[Attached, ...], Field(max_length=ATTACHMENTS_MAX)] = ()

    @property
    def bare(self) -> bool:
        """Whether nothing but the marking has been answered."""
        return self == HalfDraft(tlp=self.tlp, language=self.language)

    @property
    def follows(self) -> bool:
        """Whether its kind and its community follow from a bulletin that it answers or changes."""
        return self.kind in CHANGES or self.quick is not None or self.kind is Kind.RESPONSE

    @property
    def answered(self) -> Named | None:
        """What it answers, if it answers something."""
        said = (each for each in self.links if each.least is not None and each.relation in RELATIONS)
        return next(said, None)

    @property
    def floor(self) -> Tlp:
        """The lowest marking that it may have: that of what it answers or changes."""
        return max(
            (each.least or Tlp.CLEAR for each in self.links), key=lambda tlp: tlp.rank, default=Tlp.CLEAR
        )

    @property
    def digest(self) -> str:
        """What an approval is bound to: SHA-256 of everything in it, in hexadecimal digits."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json", exclude_none=True))).hexdigest()

    @property
    def seal(self) -> str:
        """The beginning of the digest, for a button."""
        return self.digest[:DIGEST_SHOWN]

    def with_(self, **fields: object) -> Self:
        """The same with other fields."""
        return self.model_copy(update=fields)


def steps(draft: HalfDraft) -> tuple[Step, ...]:
    """The questions that are asked one after the other; all others wait on the draft's own screen."""
    if draft.kind in CHANGES:  # what it is and for whom follows from the bulletin that it changes
        return (Step.MARKING, Step.SEVERITY, Step.GRADING, Step.TITLE, Step.BODY)
    if draft.quick is not None:
        return (Step.MARKING,)
    if draft.kind is Kind.RESPONSE:
        return (Step.MARKING, Step.SEVERITY, Step.TITLE, Step.BODY)
    if draft.kind is Kind.REQUEST:
        # What is asked comes first: an officer who begins has it in mind.
        first = (Step.MARKING, Step.KIND, Step.TITLE, Step.COMMUNITY)
        return (*first, Step.VALID, Step.SEVERITY, Step.BODY)
    extra = {Kind.CHANNEL: (Step.CHANNEL,), Kind.EVENT: (Step.EVENT,)}
    known = extra.get(draft.kind, ()) if draft.kind else ()
    head = (Step.MARKING, Step.COMMUNITY, Step.KIND, Step.SEVERITY, Step.GRADING)
    return (*head, *known, Step.TITLE, Step.BODY)


def missing(draft: HalfDraft) -> tuple[Step, ...]:
    """What must be answered before it can be released, in the order of the questions."""
    answered: dict[Step, object] = {
        Step.MARKING: draft.tlp,
        Step.COMMUNITY: draft.community,
        Step.KIND: draft.kind,
        Step.SEVERITY: draft.severity,
        Step.CHANNEL: draft.channel,
        Step.EVENT: draft.event,
        Step.TITLE: draft.title,
        Step.BODY: draft.body or draft.kind is Kind.REQUEST,
        Step.GRADING: True,
        Step.VALID: True,
    }
    return tuple(each for each in steps(draft) if not answered[each])


def following(draft: HalfDraft, answered: Step) -> Step | None:
    """The question after one that was answered or left out; None when the draft's own screen comes.

    A question that is already answered is not asked again, and without a marking nothing else is asked.
    """
    lacking = missing(draft)
    if Step.MARKING in lacking:
        return Step.MARKING
    order = steps(draft)
    if answered not in order:
        return None
    open_ = {*lacking, *_once(draft)}
    rest = order[order.index(answered) + 1 :]
    return next((each for each in rest if each in open_), lacking[0] if lacking else None)


def _once(draft: HalfDraft) -> Iterator[Step]:
    """What may stay away, and is asked for once, on the way."""
    if not draft.title and draft.grading is None:
        yield Step.GRADING
    if draft.severity is None and draft.valid_until is None:
        yield Step.VALID
    if draft.kind is Kind.REQUEST and not draft.body:
        yield Step.BODY


def complete(
    draft: HalfDraft, *, drafter: str | None = None, releaser: str | None = None, official: bool = False
) -> Draft:
    """The draft as the node takes it, with the pseudonyms of who wrote and who released it.

    `official`: the releaser stands by the translations word for word; otherwise they go out as unofficial.
    Raises DraftError as `parse_draft` does.
    """
    ours = {"community", "attachments", "links", "quick", "number", "to", "sources"}
    held = draft.model_dump(mode="json", exclude_none=True, exclude=ours)
    fields: dict[str, Any] = {
        **held,
        "links": [{"relation": each.relation.value, "id": each.id} for each in draft.links],
        "translations": [{**each, "official": official} for each in held["translations"]],
    }
    named = {"drafter": drafter, "releaser": releaser}
    return parse_draft({**fields, **{name: value for name, value in named.items() if value}})
