"""Subjects: where messages stand on the hub's NATS."""

import re
from dataclasses import dataclass

from .encoding import ENDPOINT
from .refusals import Refused

_FRAME = re.compile(
    rf"f\.(?P<rl>live|exercise)\.(?P<com>[0-9a-f]{{32}})\.(?P<pr>routine|flash)\.(?P<pub>{ENDPOINT})"
)


@dataclass(frozen=True)
class FrameSubject:
    """What the subject of an admitted frame says."""

    rl: str
    com: str
    pr: str
    pub: str

    @classmethod
    def read(cls, subject: str) -> "FrameSubject":
        """Read the subject of an admitted frame."""
        match = _FRAME.fullmatch(subject)
        if match is None:
            raise Refused("bad_subject")
        return cls(**match.groupdict())
