"""History: pages of old frames, requests for old keys, and what hands these over."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from . import fields
from .directory import Directory
from .encoding import ENDPOINT, Source, demand_canonical, strict_json
from .limits import DOCUMENT_MAX, PAGE_FRAMES_MAX, PAGE_MAX, WRAP_CIPHERTEXT_SIZE, WRAPS_PER_BUNDLE
from .membership import Memberships
from .refusals import CODES, Refused, demand
from .signatures import HISTORY, Envelope
from .wraps import Wrap

_VERSION = b"\1"
_FRAMES = b"f."
_REFUSAL, _PAGE = 0, 1
_HASH_SIZE = 32
_COMMUNITY_SIZE, _ENDPOINT_SIZE, _KID_SIZE = 16, 56, 16
_ENDPOINT_BYTES = re.compile(ENDPOINT.encode())
_REQUEST = fields.record(
    {
        "v": fields.one_of(1),
        "type": fields.one_of("history"),
        "issued": fields.integer(),
        "com": fields.hex_of(16),
        "endpoint": fields.matching(ENDPOINT),
        "holder": fields.matching(ENDPOINT),
        "publisher": fields.matching(ENDPOINT),
        "epochs": fields.array(fields.hex_of(_HASH_SIZE), 1, WRAPS_PER_BUNDLE),
    }
)


@dataclass(frozen=True)
class OldFrame:
    """A message of the past, as it stands in a page."""

    sequence: int
    subject: str
    data: bytes


@dataclass(frozen=True)
class Page:
    """A page of old frames."""

    last: int
    more: bool
    frames: list[OldFrame]

    @classmethod
    def read(cls, data: bytes, after: int) -> Page:
        """Read what the hub answers to who asked for frames after a sequence; a refusal is passed on."""
        demand(len(data) <= PAGE_MAX, "bad_page")
        source = Source(data, "bad_page")
        kind = source.number(1)
        if kind == _REFUSAL:
            code = data[1:].decode("ascii", "replace")
            raise Refused(code if code in CODES else "bad_page")
        demand(kind == _PAGE, "bad_page")
        last, more = source.number(8), source.number(1)
        frames = []
        while not source.ended:
            frames.append(_old_frame(source))
        sequences = [after, *(frame.sequence for frame in frames)]
        demand(all(a < b for a, b in pairwise(sequences)), "bad_page")
        demand(len(frames) <= PAGE_FRAMES_MAX and (not frames or sequences[-1] <= last), "bad_page")
        demand(more == 0 or (more == 1 and bool(frames)), "bad_page")
        return cls(last, more == 1, frames)


def _old_frame(source: Source) -> OldFrame:
    sequence, subject_length, length = source.number(8), source.number(1), source.number(4)
    subject = source.take(subject_length)
    demand(subject.isascii() and subject.startswith(_FRAMES), "bad_page")
    return OldFrame(sequence, subject.decode(), source.take(length))


@dataclass(frozen=True)
class Request:
    """A request for old keys, of which nothing is believed yet."""

    community: str
    endpoint: str
    holder: str
    publisher: str
    epochs: list[bytes]
    envelope: Envelope

    @classmethod
    def read(cls, data: bytes) -> Request:
        """Read a request."""
        envelope = Envelope.read(data, HISTORY)
        request = strict_json(envelope.payload, DOCUMENT_MAX)
        _REQUEST(request)
        demand(len(set(request["epochs"])) == len(request["epochs"]), "bad_document")
        demand_canonical(request, envelope.payload)
        epochs = [bytes.fromhex(epoch) for epoch in request["epochs"]]
        return cls(
            request["com"], request["endpoint"], request["holder"], request["publisher"], epochs, envelope
        )

    def demand_allowed(self, directory: Directory, memberships: Memberships, now: int) -> None:
        """Refuse a request that neither the hub passes on nor a holder answers, by their logs as they are."""
        endpoint = directory.endpoints.get(self.endpoint)
        if endpoint is None:
            raise Refused("unknown_publisher")
        demand(endpoint.kid not in directory.revoked, "revoked_key")
        self.envelope.demand_signer(endpoint.bindings[endpoint.kid].key)
        demand(self.community in directory.communities, "unknown_community")
        log = memberships.of(self.community)
        holder = directory.endpoints.get(self.holder)
        for asked in (endpoint, holder):
            demand(asked is not None and log.role(asked.agency, now) is not None, "not_member")

    def answerable(self, holder: str, hist: Callable[[bytes, str, str], str | None]) -> list[bytes]:
        """The epochs that the holder may hand over.

        `hist` tells, of an announcement's hash, its publisher and its community, which bulletins went under
        the epoch, if it is known.
        """
        demand(self.holder == holder, "subject_mismatch")
        known = {epoch: hist(epoch, self.publisher, self.community) for epoch in self.epochs}
        demand("none" not in known.values(), "history_none")
        return [epoch for epoch, which in known.items() if which is not None]


@dataclass(frozen=True)
class Handover:
    """Old keys of one publisher for one reader."""

    community: str
    publisher: str
    wraps: list[Wrap]

    @classmethod
    def read(cls, data: bytes) -> Handover:
        """Read a handover."""
        each = _HASH_SIZE + WRAP_CIPHERTEXT_SIZE
        head = len(_VERSION) + _COMMUNITY_SIZE + _ENDPOINT_SIZE + _KID_SIZE
        demand(len(data) <= head + WRAPS_PER_BUNDLE * each, "too_large")
        demand(data.startswith(_VERSION), "bad_version")
        source = Source(data[len(_VERSION) :], "bad_wrap")
        community, publisher = source.take(_COMMUNITY_SIZE).hex(), source.take(_ENDPOINT_SIZE)
        demand(_ENDPOINT_BYTES.fullmatch(publisher) is not None, "bad_wrap")
        kid = source.take(_KID_SIZE)
        wraps: list[Wrap] = []
        while not wraps or not source.ended:
            announcement = source.take(_HASH_SIZE)
            wraps.append(Wrap(announcement, kid, source.take(WRAP_CIPHERTEXT_SIZE)))
        demand(len({wrap.announcement for wrap in wraps}) == len(wraps), "bad_wrap")
        return cls(community, publisher.decode(), wraps)
