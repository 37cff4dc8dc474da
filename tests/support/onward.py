"""A bulletin of one community on its way to another, as honest agencies make it."""

from hashlib import sha256
from typing import Any

from schemas.bulletin import Bulletin, Release
from schemas.encoding import to_base64
from schemas.frame import parse_frame
from schemas.onward import Grant, sign_grant
from subscribers.sealing import open_body
from tests.support.federation import AT, COM, DAY, FRA, OTHER, Publisher, bulletin, uuid


class Scene:
    """`fra` published bulletin 1 in `COM`; `jpn` may carry it to `OTHER`."""

    def __init__(self, **changes: Any) -> None:
        self.publisher = Publisher()
        self.publisher.send(self.publisher.announcement())
        self.original = bulletin(1, FRA, **changes)
        self.raw = self.publisher.send(self.publisher.bulletin(1, **changes))

    def released(self, raw: bytes | None = None, grant: str = "", **changes: Any) -> Release:
        """What the carrier takes along."""
        frame = parse_frame(raw or self.raw)
        salt, payload = open_body(frame, self.publisher.key)
        fields = {
            "header": frame.header_bytes.decode(),
            "signature": to_base64(frame.signature),
            "digest": sha256(frame.body).hexdigest(),
            "salt": salt.hex(),
            "payload": payload.decode(),
            "grant": grant or sign_grant(self.grant(), FRA.signing),
        }
        return Release.model_validate({**fields, **changes})

    def grant(self, **changes: Any) -> Grant:
        """Its originator's word."""
        header = parse_frame(self.raw).header
        fields = {
            "issued": AT, "bulletin": header.id, "pc": header.pc, "publisher": FRA.endpoint, "source": COM,
            "target": OTHER, "carrier": "jpn", "until": AT + DAY,
        }  # fmt: skip
        return Grant.model_validate({**fields, **changes})

    def carried(self, release: Release | None = None, **changes: Any) -> Bulletin:
        """The release as `jpn` publishes it."""
        fields = self.original.model_dump()
        own = {"id": uuid(9), "ref": "JPN-2026-0009", "release": (release or self.released()).model_dump()}
        return Bulletin.model_validate({**fields, **own, **changes})
