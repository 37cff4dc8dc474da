"""What has not come though it should have: alarms that a frame raises about others. Pure.

A gap and a held-back tail are told by the frames around them. What is kept from a reader from its beginning
on shows only by what it should have been: a reader knows since when it is served.
"""

from collections.abc import Container
from typing import NamedTuple

from schemas.chain import ChainKey
from schemas.directory import Directory
from schemas.frame import BULLETIN, CARD, Header
from schemas.limits import HEARTBEAT_FIRST, HEARTBEAT_LONGEST
from schemas.pulse import SILENT_PERIODS
from schemas.vocabulary import AlarmName, Precedence
from subscribers.judging.alarms import Alarm, AlarmKey
from subscribers.judging.verdicts import Beat, Chain, LogBehind, Skipped, Verdict


class Us(NamedTuple):
    """Whose node this is: its agency's id, and its endpoint."""

    agency: str
    endpoint: str

    def was_served(self, directory: Directory, header: Header, before: int) -> bool:
        """Whether another's frame was made more than `before` milliseconds after we became readers of it."""
        then, keys = header.iat - before - 1, directory.endpoints.get(self.endpoint)
        if header.pub == self.endpoint or keys is None or keys.issued > then:
            return False
        return directory.communities[header.com].role(self.agency, then) is not None


def losses(verdict: Verdict, known: Chain | None, at: int) -> list[Alarm]:
    """The alarms that a frame in its place raises for those before it: a gap after the last `known` one in
    its own chain, and for a heartbeat the end of the other.
    """
    if isinstance(verdict, LogBehind) or verdict.frame is None:
        return []
    header, frame, alarms = verdict.frame.header, verdict.frame.hash, list[Alarm]()
    if known is not None and (missing := range(known.head.seq + 1, header.seq)):
        words = f"{header.pr} frames {missing[0]} to {missing[-1]} have not come"
        alarms.append(Alarm(AlarmKey(AlarmName.GAP, header.com, header.pub), at, words, frame))
    if isinstance(verdict, Beat):
        for key in verdict.behind:
            words = f"the latest {key.precedence} frames have not come"
            name = AlarmKey(AlarmName.SUPPRESSED_TAIL, key.community, key.publisher)
            alarms.append(Alarm(name, at, words, frame))
    return alarms


def unread(verdict: Skipped, directory: Directory, us: Us, at: int) -> list[Alarm]:
    """The alarm for a bulletin or card whose key we were not given, though its publisher has had time to see
    that we are a reader: somebody keeps the announcement from us, or us from the publisher.
    """
    header = verdict.frame.header
    if header.k not in {BULLETIN, CARD} or not us.was_served(directory, header, HEARTBEAT_FIRST):
        return []
    words = f"{header.pr} frame {header.seq} is under a key that was due to us ({verdict.code})"
    name = AlarmKey(AlarmName.MISSING_WRAP, header.com, header.pub)
    return [Alarm(name, at, words, verdict.frame.hash)]


def unheard(verdict: Beat, heard: Container[ChainKey], directory: Directory, us: Us, at: int) -> list[Alarm]:
    """The alarm for a chain that a heartbeat names and of which we have never been given a frame, though we
    have been a reader for longer than its own heartbeats take. `heard`: the chains of which we have.
    """
    header = verdict.frame.header
    alarms = []
    for precedence, (frames, _) in zip(Precedence, header.heads, strict=True):
        key = ChainKey(header.pub, header.com, precedence.value)
        if (
            frames
            and key not in heard
            and us.was_served(directory, header, SILENT_PERIODS * HEARTBEAT_LONGEST)
        ):
            words = f"nothing of the {precedence.value} chain has ever come"
            name = AlarmKey(AlarmName.SUPPRESSED_TAIL, header.com, header.pub)
            alarms.append(Alarm(name, at, words, verdict.frame.hash))
    return alarms
