"""The demonstration's world: who takes part, who is in what, and so who must receive what. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.vocabulary import Kind, Language, Severity, Tlp

HUB_NAME: Final = "Coordinating Centre"
WITNESS: Final = "un-cell.example/liaison"
"""The international organisation's second part: it signs which head of the directory it saw."""


@dataclass(frozen=True, slots=True)
class Agency:
    """One participant: `id` in the directory, `code` of its references, its name in its own language."""

    id: str
    code: str
    name: str
    language: Language


@dataclass(frozen=True, slots=True)
class Community:
    """`members` are agency ids, the owner's among them."""

    slug: str
    title: str
    owner: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Officer:
    """A person at the chat. `inviter` is the officer who invites them there, and whose agency then gives them
    the `role`; without one a command does, and makes an administrator.
    """

    name: str
    language: Language
    agency: str
    inviter: str = ""
    role: str = "administrator"


AGENCIES: Final = (
    Agency("fr-dvt", "FRA", "Direction de la vigilance du territoire", Language.FRENCH),
    Agency("kz-cab", "KAZ", "Антитеррористический комитет", Language.RUSSIAN),
    Agency("jo-mrs", "JOR", "مديرية الرصد والسلامة", Language.ARABIC),
    Agency("un-cell", "UNC", "International Coordination Cell", Language.ENGLISH),
)
BY_ID: Final = {agency.id: agency for agency in AGENCIES}
FORMER: Final = Agency("xx-gone", "XGN", "Former Partner Service", Language.ENGLISH)
"""Was let into one community, and put out again: what it tries afterwards, the hub refuses."""

GUEST: Final = Agency("nl-lees", "NLD", "Leeskamer Veiligheid", Language.ENGLISH)
"""Reads with another implementation of the format, over WebSocket; it runs when somebody starts it."""

FOREIGN_FIGHTERS: Final = Community(
    "foreign-fighters", "Foreign terrorist fighters", "un-cell", ("fr-dvt", "kz-cab", "jo-mrs", "un-cell")
)
CYBER_PROPAGANDA: Final = Community(
    "cyber-propaganda", "Cyber and propaganda", "kz-cab", ("fr-dvt", "kz-cab", "un-cell")
)
GAMES: Final = Community(
    "games-2026", "Continental Games 2026 · event cell", "fr-dvt", ("fr-dvt", "jo-mrs", "un-cell")
)
COMMUNITIES: Final = (FOREIGN_FIGHTERS, CYBER_PROPAGANDA, GAMES)
BY_SLUG: Final = {community.slug: community for community in COMMUNITIES}

BOTS: Final = {
    "fr-dvt": ("liaison_dvt_bot", "Permanence DVT"),
    "jo-mrs": ("liaison_mrs_bot", "غرفة الارتباط"),
}
"""Agencies with a chat bot: its user name and its name."""
OFFICERS: Final = (
    Officer("أمينة", Language.ARABIC, "jo-mrs"),
    Officer("Claire", Language.FRENCH, "fr-dvt"),
    Officer("Daniel", Language.ENGLISH, "jo-mrs", inviter="أمينة", role="drafter"),
)

INTEGRATOR_AGENCY: Final = "kz-cab"
INTEGRATOR_CLIENT: Final = "siem"
INTEGRATOR_CEILING: Final = Tlp.AMBER
"""What is marked higher never reaches the integrator: its agency's own NATS sees to it."""
INTEGRATOR_SUBJECT: Final = "bulletin.live.*.>"


@dataclass(frozen=True, slots=True)
class Sent:
    """A bulletin on its way, as far as it decides who receives it. `key` names it: a marker, or an id."""

    key: str
    community: str
    kind: Kind
    severity: Severity
    tlp: Tlp


def members(community: str) -> tuple[str, ...]:
    """The agency ids in a community, by its slug."""
    return BY_SLUG[community].members


def communities_of(agency: str) -> tuple[str, ...]:
    """The slugs of the communities that an agency is in."""
    return tuple(each.slug for each in COMMUNITIES if agency in each.members)


def received_by(agency: str, sent: Iterable[Sent]) -> list[str]:
    """The keys of what an agency must receive and keep, its own bulletins included."""
    own = communities_of(agency)
    return [each.key for each in sent if each.community in own]


def integrated(sent: Iterable[Sent]) -> list[str]:
    """The keys of what the integrator must be given on its agency's local subjects."""
    own = communities_of(INTEGRATOR_AGENCY)
    return [each.key for each in sent if each.community in own and each.tlp.rank <= INTEGRATOR_CEILING.rank]


def alerted(officer: Officer, sent: Iterable[Sent], at_least: Severity) -> list[str]:
    """The keys of what an officer must be alerted to who subscribed to `at_least` and worse, anywhere.

    Acknowledgements alert only who asks for them by name (bots/README).
    """
    own, order = communities_of(officer.agency), list(Severity)
    return [
        each.key
        for each in sent
        if each.community in own
        and each.kind is not Kind.ACKNOWLEDGEMENT
        and order.index(each.severity) >= order.index(at_least)
    ]


def digest_marking(
    community: str, sent: Iterable[Sent], retracted: Mapping[str, str] | frozenset[str]
) -> Tlp:
    """The marking of a community's digest: the highest among the bulletins that it lists.

    `retracted`: keys of what was amended or retracted meanwhile, which a digest leaves out.
    """
    listed = (
        each.tlp
        for each in sent
        if each.community == community
        and each.kind not in {Kind.ACKNOWLEDGEMENT, Kind.DIGEST}
        and each.key not in retracted
    )
    return max(listed, key=lambda tlp: tlp.rank, default=Tlp.CLEAR)
