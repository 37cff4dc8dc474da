"""What an alarm says to people: what happened, and what to do. English; the chat has its own catalogues."""

from typing import Final

from schemas.vocabulary import AlarmName

TEXTS: Final[dict[AlarmName, tuple[str, str]]] = {
    AlarmName.SPLIT_VIEW: (
        "Somebody was shown another directory or membership log than we were.",
        "Send nothing confidential; compare the logs' heads with that agency, and call the secretariat.",
    ),
    AlarmName.ROLLBACK: (
        "The hub showed an older state than before: it came back from a backup, or somebody rolls it back.",
        "Ask its operator whether it was restored; if not, send nothing confidential, call the secretariat.",
    ),
    AlarmName.STALE_HEAD: (
        "The witnesses have not confirmed the directory for too long: it may be held back.",
        "Ask the hub's operator and a witness; until then no new keys are taken and no new epoch begins.",
    ),
    AlarmName.WITNESS_SHORTFALL: (
        "Too few witnesses have confirmed the directory.",
        "Ask the hub's operator which witnesses are away; what they had confirmed still holds.",
    ),
    AlarmName.LOG_BEHIND: (
        "A frame needs more of the directory, or of its community's membership log, than the hub gave to us.",
        "See `liaison-agency doctor`; if the connection stands, the hub withholds documents: call it.",
    ),
    AlarmName.GAP: (
        "Frames in the middle of a chain were never given to us.",
        "Ask the agency what it sent in that time, and the hub's operator why it did not come.",
    ),
    AlarmName.SUPPRESSED_TAIL: (
        "The agency has sent more than the hub gave to us.",
        "Ask the agency by telephone for its latest bulletins, and the hub's operator why they did not come.",
    ),
    AlarmName.FORK: (
        "Two histories of the same chain: the agency's keys are used twice, or somebody else has them.",
        "Believe neither; call the agency. If its node was restored from a copy, it must get new keys.",
    ),
    AlarmName.REPLAYED: (
        "Something that was delivered before was delivered as if it were new. It was not shown again.",
        "Tell the hub's operator; nothing else is needed.",
    ),
    AlarmName.SILENCE: (
        "Nothing has come for longer than the agency's node ever waits.",
        "Ask the agency whether its node runs; if it does, the hub withholds it: call the hub's operator.",
    ),
    AlarmName.MISSING_WRAP: (
        "Bulletins came whose key was due to us and did not come, so that we cannot read them.",
        "Ask the agency to send again, which begins a new key; if that stays so, call the hub's operator.",
    ),
    AlarmName.EQUIVOCATION: (
        "What came is not what its sender's signature commits to: other readers may have got something else.",
        "Do not act on it; call the agency, and keep the evidence.",
    ),
    AlarmName.GHOST_MEMBER: (
        "Somebody was to be a member, or spoke as one, without the signatures of the community's owners.",
        "It was refused and can read nothing. Tell the owners and the secretariat.",
    ),
    AlarmName.FORGERY: (
        "Something came that is not signed by whom it names.",
        "It was refused. Tell the hub's operator; if it goes on, the secretariat.",
    ),
    AlarmName.IDENTITY: (
        "An agency's identity key is to be replaced, or was, and it is not sure that the agency wants it.",
        "If it is ours and nobody here asked for it: `liaison-agency identity object`. Else call the agency.",
    ),
    AlarmName.UNANSWERED: (
        "The connection stands, but the hub has not answered what we sent for more than five minutes.",
        "Nothing is lost, and nobody may have read it. Call the hub's operator.",
    ),
    AlarmName.STOLEN_KEY: (
        "Something was published with our keys that this node did not make. It publishes nothing more.",
        (
            "If no node of yours did, run `liaison-agency recover`, and have the hub's operator suspend this "
            "account and admit a new one. Acknowledging this alarm goes on behind what was published."
        ),
    ),
    AlarmName.REVIEW: (
        "What we have said of people is past the date on which we were to look at it again.",
        "It is no longer found by its words. Amend it with a later review date, or retract it.",
    ),
    AlarmName.HUB_LAG: (
        "The hub holds much that this agency's node has not read.",
        "See that its node runs and is connected: `liaison-agency doctor` there, or a call to the agency.",
    ),
    AlarmName.HUB_SILENCE: (
        "The hub has not heard this agency's node for longer than a node that runs is ever quiet.",
        "Ask the agency whether its node runs; it cannot see this itself.",
    ),
    AlarmName.HUB_QUOTA: (
        "This agency's node has nearly used up what it may upload in a day.",
        "Wait until midnight UTC with large files, or ask the hub's operator for more.",
    ),
    AlarmName.HUB_REFUSED: (
        "The hub refuses much of what this agency's node sends.",
        "See `liaison-agency outbox` there for what and why, or `liaison-hub quarantine` at the hub.",
    ),
    AlarmName.HUB_DISK: (
        "The hub's disk is nearly full: it will soon take nothing more.",
        "The hub's operator frees room, or lowers the limits of its streams: `liaison-hub doctor`.",
    ),
    AlarmName.HUB_EXPIRY: (
        "A key or a certificate will soon no longer be valid.",
        "A key: the agency runs `liaison-agency keys rotate`. A certificate: the hub's operator renews it.",
    ),
}
"""What happened, and what to do about it."""
