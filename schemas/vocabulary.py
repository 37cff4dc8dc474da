"""The closed word lists that bulletins are written in, with their source.

TLP 2.0 (FIRST), PAP (MISP taxonomies), Admiralty scale and Europol 4x4 gradings, estimative language (ICD
203). Each list is an enumeration whose order carries meaning where the docstring says so.
"""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a bulletin is: the types of information that the agencies agreed to share."""

    TACTIC = "tactic"
    THREAT = "threat"
    SUBJECT = "subject"
    CHANNEL = "channel"
    NARRATIVE = "narrative"
    CYBER = "cyber"
    EVENT = "event"
    REQUEST = "request"
    RESPONSE = "response"
    SIGHTING = "sighting"
    ACKNOWLEDGEMENT = "acknowledgement"
    AMENDMENT = "amendment"
    RETRACTION = "retraction"
    DIGEST = "digest"
    NOTICE = "notice"


class Severity(StrEnum):
    """How bad it is, least first. `flash` travels with flash precedence and wakes people."""

    INFO = "info"
    LOW = "low"
    ELEVATED = "elevated"
    HIGH = "high"
    FLASH = "flash"

    @property
    def rank(self) -> int:
        """0 for info up to 4 for flash."""
        return _SEVERITY_RANKS[self]


_SEVERITY_RANKS: Final = {each: rank for rank, each in enumerate(Severity)}


class Tlp(StrEnum):
    """Traffic Light Protocol 2.0, widest sharing first (FIRST, https://www.first.org/tlp/)."""

    CLEAR = "TLP:CLEAR"
    GREEN = "TLP:GREEN"
    AMBER = "TLP:AMBER"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    RED = "TLP:RED"

    @property
    def rank(self) -> int:
        """0 for CLEAR up to 4 for RED."""
        return _TLP_RANKS[self]

    @property
    def slug(self) -> str:
        """The form that fits a NATS subject token: `clear`, `green`, `amber`, `amber-strict`, `red`."""
        return self.value.removeprefix("TLP:").replace("+", "-").lower()


_TLP_RANKS: Final = {each: rank for rank, each in enumerate(Tlp)}


class Pap(StrEnum):
    """Permissible Actions Protocol: what may be done with an indicator."""

    CLEAR = "PAP:CLEAR"
    GREEN = "PAP:GREEN"
    AMBER = "PAP:AMBER"
    RED = "PAP:RED"


class History(StrEnum):
    """Whether those who join later may be given this bulletin; strictest first."""

    NONE = "none"
    MEMBERS = "members"


class Realm(StrEnum):
    """Live traffic and exercises never mix: other subjects, other communities, other colours."""

    LIVE = "live"
    EXERCISE = "exercise"


class Precedence(StrEnum):
    """The one bit about urgency that the hub can see."""

    ROUTINE = "routine"
    FLASH = "flash"


class Language(StrEnum):
    """The six official languages of the United Nations (ISO 639-1)."""

    ARABIC = "ar"
    CHINESE = "zh"
    ENGLISH = "en"
    FRENCH = "fr"
    RUSSIAN = "ru"
    SPANISH = "es"


class Likelihood(StrEnum):
    """Estimative language, least likely first (ICD 203; MISP taxonomy `estimative-language`)."""

    ALMOST_NO_CHANCE = "almost-no-chance"
    VERY_UNLIKELY = "very-unlikely"
    UNLIKELY = "unlikely"
    ROUGHLY_EVEN_CHANCE = "roughly-even-chance"
    LIKELY = "likely"
    VERY_LIKELY = "very-likely"
    ALMOST_CERTAIN = "almost-certain"


class GradingSystem(StrEnum):
    """Which scale a grading is on. One is never converted into another: it would upgrade somebody's word."""

    ADMIRALTY = "admiralty"
    EUROPOL = "europol-4x4"


class Taxonomy(StrEnum):
    """Where a tactic's identifier comes from."""

    ATTACK = "mitre-attack"
    DISARM = "disarm"
    LIAISON = "liaison"


class SubjectType(StrEnum):
    """Whom a bulletin is about."""

    PERSON = "person"
    ORGANISATION = "organisation"
    FOREIGN_FIGHTER = "foreign-fighter"


class ChannelState(StrEnum):
    """The life of a propaganda channel, in order."""

    REPORTED = "reported"
    CONFIRMED = "confirmed"
    BLOCKED = "blocked"
    RETURNED = "returned"


class Relation(StrEnum):
    """What this bulletin is to the one that it links to."""

    AMENDS = "amends"
    RETRACTS = "retracts"
    RESPONDS_TO = "responds-to"
    ACKNOWLEDGES = "acknowledges"
    SIGHTS = "sights"
    CONTAINS = "contains"
    RELATED = "related"


class AlarmName(StrEnum):
    """What happened. A name is a promise: it stands in local subjects, catalogues and the threat table."""

    SPLIT_VIEW = "split_view"
    ROLLBACK = "rollback"
    STALE_HEAD = "stale_head"
    WITNESS_SHORTFALL = "witness_shortfall"
    LOG_BEHIND = "log_behind"
    GAP = "gap"
    SUPPRESSED_TAIL = "suppressed_tail"
    FORK = "fork"
    REPLAYED = "replayed"
    SILENCE = "silence"
    MISSING_WRAP = "missing_wrap"
    EQUIVOCATION = "equivocation"
    GHOST_MEMBER = "ghost_member"
    FORGERY = "forgery"
    IDENTITY = "identity"
    UNANSWERED = "unanswered"
    STOLEN_KEY = "stolen_key"
    REVIEW = "review"
    HUB_LAG = "hub_lag"
    HUB_SILENCE = "hub_silence"
    HUB_QUOTA = "hub_quota"
    HUB_REFUSED = "hub_refused"
    HUB_DISK = "hub_disk"
    HUB_EXPIRY = "hub_expiry"
