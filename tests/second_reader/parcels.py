"""Parcels: the messages of a connection on removable media."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import fields
from .encoding import ENDPOINT, Source, demand_canonical, strict_json
from .limits import INTEGER_MAX, PARCEL_DATA_MAX, PARCEL_HEADER_MAX, PARCEL_SUBJECT_MAX
from .refusals import demand, renamed
from .signatures import sha256

_MAGIC = b"liaison/1 parcel\0"
_END, _PIECE = 0, 1
_NO_PAST = bytes(32)
_HEADER = fields.record(
    {
        "v": fields.one_of(1),
        "endpoint": fields.matching(ENDPOINT),
        "direction": fields.one_of("in", "out"),
        "number": fields.integer(),
        "previous": fields.hex_of(32),
        "received": fields.integer(-1, INTEGER_MAX),
        "made": fields.integer(),
    }
)


@dataclass(frozen=True)
class Piece:
    """A message as it stood in the hub's stream, or stands before it."""

    subject: str
    sequence: int
    data: bytes


@dataclass(frozen=True)
class Parcel:
    """A whole parcel."""

    endpoint: str
    direction: str
    number: int
    previous: bytes
    received: int
    made: int
    pieces: list[Piece]
    digest: bytes

    @classmethod
    def read(cls, data: bytes) -> Parcel:
        """Read a parcel to its end."""
        source = Source(data, "truncated")
        demand(data.startswith(_MAGIC[: len(data)]), "bad_parcel")
        source.take(len(_MAGIC))
        length = source.number(4)
        demand(length <= PARCEL_HEADER_MAX, "too_large")
        written = source.take(length)
        header = strict_json(written, PARCEL_HEADER_MAX)
        with renamed("bad_document", "bad_parcel"):
            _HEADER(header)
        demand_canonical(header, written)
        previous = bytes.fromhex(header.pop("previous"))
        demand((previous == _NO_PAST) == (header["number"] == 0), "bad_parcel")
        pieces = list(_pieces(source, header["direction"]))
        count, hashed = source.number(8), source.at
        digest = source.take(32)
        demand(count == len(pieces) and digest == sha256(data[:hashed]), "bad_parcel")
        demand(source.ended, "bad_parcel")
        del header["v"]
        return cls(**header, previous=previous, pieces=pieces, digest=digest)


def _pieces(source: Source, direction: str) -> Iterator[Piece]:
    while (mark := source.number(1)) != _END:
        demand(mark == _PIECE, "bad_parcel")
        subject_length, sequence, data_length = source.number(2), source.number(8), source.number(4)
        demand(data_length <= PARCEL_DATA_MAX, "too_large")
        demand(1 <= subject_length <= PARCEL_SUBJECT_MAX, "bad_parcel")
        subject = source.take(subject_length)
        demand(subject.isascii() and (direction == "in" or sequence == 0), "bad_parcel")
        yield Piece(subject.decode(), sequence, source.take(data_length))


class Intake:
    """What one machine has taken in of one direction."""

    def __init__(self, endpoint: str, direction: str) -> None:
        self._of = (endpoint, direction)
        self._next = 0
        self._last = _NO_PAST

    def take(self, parcel: Parcel) -> list[Piece]:
        """The messages of the next parcel; nothing of one that was taken before."""
        demand((parcel.endpoint, parcel.direction) == self._of, "bad_parcel")
        if parcel.digest == self._last:
            return []
        demand(parcel.number <= self._next, "gap")
        demand(parcel.number == self._next and parcel.previous == self._last, "fork")
        self._next, self._last = parcel.number + 1, parcel.digest
        return parcel.pieces
