"""How the closed word lists are said aloud: one catalogue message per value.

`N_` only marks a message for the catalogue; it is translated when it is shown.
"""

from typing import Final

from bots.wording.words import Words
from schemas.particulars import Grading
from schemas.vocabulary import ChannelState, GradingSystem, Kind, Likelihood, Severity, Tlp


def N_(message: str) -> str:  # noqa: N802 - the name that gettext's tools look for
    """Mark a message for extraction."""
    return message


KINDS: Final = {
    Kind.TACTIC: N_("Tactic"),
    Kind.THREAT: N_("Threat"),
    Kind.SUBJECT: N_("Designated subject"),
    Kind.CHANNEL: N_("Propaganda channel"),
    Kind.NARRATIVE: N_("Narrative"),
    Kind.CYBER: N_("Cyber incident"),
    Kind.EVENT: N_("Major event"),
    Kind.REQUEST: N_("Request for information"),
    Kind.RESPONSE: N_("Response"),
    Kind.SIGHTING: N_("Sighting"),
    Kind.ACKNOWLEDGEMENT: N_("Acknowledgement"),
    Kind.AMENDMENT: N_("Amendment"),
    Kind.RETRACTION: N_("Retraction"),
    Kind.DIGEST: N_("Digest"),
    Kind.NOTICE: N_("Notice"),
}
SEVERITIES: Final = {
    Severity.INFO: N_("For information"),
    Severity.LOW: N_("Low"),
    Severity.ELEVATED: N_("Elevated"),
    Severity.HIGH: N_("High"),
    Severity.FLASH: N_("FLASH"),
}
SIGNS: Final = {
    Severity.INFO: "⚪",
    Severity.LOW: "🔵",
    Severity.ELEVATED: "🟡",
    Severity.HIGH: "🟠",
    Severity.FLASH: "🔴",
}
AUDIENCES: Final = {
    Tlp.CLEAR: N_("May be told to anyone."),
    Tlp.GREEN: N_("May be told within your professional community, not in public."),
    Tlp.AMBER: N_("Only for those in your organisation and its clients who need to know."),
    Tlp.AMBER_STRICT: N_("Only for those in your organisation who need to know."),
    Tlp.RED: N_("For you alone. Tell nobody else."),
}
LIKELIHOODS: Final = {
    Likelihood.ALMOST_NO_CHANCE: N_("almost no chance (1–5%)"),
    Likelihood.VERY_UNLIKELY: N_("very unlikely (5–20%)"),
    Likelihood.UNLIKELY: N_("unlikely (20–45%)"),
    Likelihood.ROUGHLY_EVEN_CHANCE: N_("roughly even chance (45–55%)"),
    Likelihood.LIKELY: N_("likely (55–80%)"),
    Likelihood.VERY_LIKELY: N_("very likely (80–95%)"),
    Likelihood.ALMOST_CERTAIN: N_("almost certain (95–99%)"),
}
CHANNEL_STATES: Final = {
    ChannelState.REPORTED: N_("reported"),
    ChannelState.CONFIRMED: N_("confirmed"),
    ChannelState.BLOCKED: N_("blocked"),
    ChannelState.RETURNED: N_("returned"),
}
# Admiralty code (NATO AJP-2.1) and Europol 4x4: each keeps its own words, none is converted into the other.
RELIABILITY: Final = {
    (GradingSystem.ADMIRALTY, "A"): N_("source completely reliable"),
    (GradingSystem.ADMIRALTY, "B"): N_("source usually reliable"),
    (GradingSystem.ADMIRALTY, "C"): N_("source fairly reliable"),
    (GradingSystem.ADMIRALTY, "D"): N_("source not usually reliable"),
    (GradingSystem.ADMIRALTY, "E"): N_("source unreliable"),
    (GradingSystem.ADMIRALTY, "F"): N_("reliability cannot be judged"),
    (GradingSystem.EUROPOL, "A"): N_("no doubt about the source"),
    (GradingSystem.EUROPOL, "B"): N_("source mostly reliable"),
    (GradingSystem.EUROPOL, "C"): N_("source mostly unreliable"),
    (GradingSystem.EUROPOL, "X"): N_("reliability cannot be assessed"),
}
CREDIBILITY: Final = {
    (GradingSystem.ADMIRALTY, 1): N_("confirmed by other sources"),
    (GradingSystem.ADMIRALTY, 2): N_("probably true"),
    (GradingSystem.ADMIRALTY, 3): N_("possibly true"),
    (GradingSystem.ADMIRALTY, 4): N_("doubtful"),
    (GradingSystem.ADMIRALTY, 5): N_("improbable"),
    (GradingSystem.ADMIRALTY, 6): N_("truth cannot be judged"),
    (GradingSystem.EUROPOL, 1): N_("known to be true without reservation"),
    (GradingSystem.EUROPOL, 2): N_("known personally to the source, not to the officer reporting"),
    (GradingSystem.EUROPOL, 3): N_("not known personally to the source, but corroborated"),
    (GradingSystem.EUROPOL, 4): N_("not known personally to the source, and not corroborated"),
}
TAXONOMIES: Final = N_(
    "ATT&CK: a catalogue of attackers' techniques (by MITRE). DISARM: one of influence operations."
)


def draft(number: int, say: Words) -> str:
    """What a draft is called."""
    return say.text("Draft {number}", number=number)


def kind(value: Kind, say: Words) -> str:
    """A kind in words."""
    return say.text(KINDS[value])


def severity(value: Severity, say: Words) -> str:
    """A severity in words."""
    return say.text(SEVERITIES[value])


def grading(value: Grading, say: Words) -> str:
    """A grading in words with its code, such as `source usually reliable, probably true (B2)`."""
    return say.text(
        "{reliability}, {credibility} ({code})",
        reliability=say.text(RELIABILITY[value.system, value.reliability]),
        credibility=say.text(CREDIBILITY[value.system, value.credibility]),
        code=f"{value.reliability}{value.credibility}",
    )
