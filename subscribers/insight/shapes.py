"""Where a bulletin's word comes from, and how many bulletins there are: shapes only. No I/O."""

from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from schemas.particulars import CommunityId, Instant, Uuid7
from schemas.vocabulary import Kind, Severity, Tlp
from subscribers.records import Filters, Record

STEPS_MAX = 400
"""So many days or weeks are counted at once."""
LIKE_MAX = 25
"""So many bulletins like one are given."""
Step = Literal["day", "week", "whole"]
"""What a bar stands for; `whole` is all of the span, several times quicker than its parts."""
_Number = Annotated[int, Field(ge=0)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SigningKey(_Shape):
    """The key that a bulletin's frame names, as the directory stands now."""

    kid: str
    version: int
    since: Instant
    """When its agency says that it made it."""
    state: Literal["current", "replaced", "revoked"]
    replaced: Instant | None = None
    """When its agency says that it made the one after it."""
    witnessed: bool
    """The newest head that the witnesses vouched for has the document that binds it."""


class Vouching(_Shape):
    """Who vouches for the agencies, and who saw that everybody is shown the same."""

    root: int
    """The version of the root that is in force, and when the secretariat issued it."""
    issued: Instant
    registrars: _Number
    threshold: _Number
    """So many of the registrars sign who an agency is."""
    witnesses: _Number
    quorum: _Number
    """So many of the witnesses must vouch for a head; 0 where the root asks for none."""
    cosigned: _Number = 0
    """So many did for the newest head."""
    head: _Number = 0
    """Documents under it; 0 before the first."""
    seen: Instant | None = None
    """When the last of the quorum saw it."""
    stale: bool = False


class Audience(_Shape):
    """Who is in the community now. `private`: the bulletin was sealed to its originator and sender alone."""

    owners: list[str]
    """The agencies' names."""
    members: _Number
    readers: _Number
    """Those that may only read."""
    private: bool = False


class Provenance(_Shape):
    """The chain from a bulletin to the root. It holds no word of the bulletin."""

    id: Uuid7
    ref: str
    tlp: Tlp
    community: CommunityId
    community_title: str
    agency: str
    agency_name: str
    fingerprint: str = ""
    """Of the agency's identity key: what its people read aloud."""
    identities: _Number = 0
    """So many identity keys it has had."""
    own: bool
    received: Instant
    signature: Literal["holds", "reached", "unkept"]
    """`holds`: checked again just now. `reached`: by the signature of a later frame of its chain. `unkept`:
    it was checked when it came, before this node kept what shows it.
    """
    key: SigningKey | None = None
    """None where the signature is unkept."""
    vouching: Vouching
    audience: Audience
    state: Literal["current", "amended", "retracted"]
    evidence: bool
    """Whether evidence of it can be given to a third party now."""


class Bar(_Shape):
    """How many bulletins of each severity were dated in one step; `at` is its beginning."""

    at: Instant
    severities: dict[Severity, int]


class Counts(_Shape):
    """How many bulletins there are. What was retracted is not counted, and nothing above `tlp_at_most`."""

    tlp_at_most: Tlp
    total: _Number
    kinds: dict[Kind, int]
    severities: dict[Severity, int]
    bars: list[Bar]
    """Every step from the first to the last, those without bulletins too."""


class InsightApi(Protocol):
    """What the node says about what it holds, whichever client asks."""

    async def like(self, ref: str, filters: Filters, limit: int) -> list[Record]:
        """The bulletins within `filters` most like one (by reference or id), best first. LiaisonError
        `not_found`.
        """

    async def provenance(self, ref: str) -> Provenance:
        """Of one bulletin, by reference or id. LiaisonError `not_found`."""

    async def counts(self, filters: Filters, step: Step) -> Counts:
        """How many bulletins answer `filters`, which say since when and until when. LiaisonError
        `bad_request`.
        """
