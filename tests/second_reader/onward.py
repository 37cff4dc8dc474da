"""Onward release: grants that let a bulletin go on to another community, and what is carried under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import fields
from .bulletin import Bulletin, read_bulletin
from .content import Opened, check_agreement, commitment
from .directory import Directory
from .encoding import AGENCY_ID, ENDPOINT, UUID7, demand_canonical, from_base64, strict_json
from .frame import Header, signed_bytes
from .limits import DOCUMENT_MAX, PAYLOAD_MAX
from .refusals import Refused, demand
from .signatures import RELEASE, Envelope, holds

_GRANT = fields.record(
    {
        "v": fields.one_of(1),
        "type": fields.one_of("release"),
        "issued": fields.integer(),
        "bulletin": fields.matching(UUID7),
        "pc": fields.hex_of(32),
        "publisher": fields.matching(ENDPOINT),
        "source": fields.hex_of(16),
        "target": fields.hex_of(16),
        "carrier": fields.matching(AGENCY_ID),
        "until": fields.integer(),
    }
)
_ITS_OWN = {"id", "ref", "issued", "links", "drafter", "releaser", "onward", "grant", "release"}
_FOLLOWS = {"amendment": "amends", "retraction": "retracts"}
_DEFAULTS = {"v": 1, "history": "none", "exercise": False}


@dataclass(frozen=True)
class Place:
    """Where a bulletin was published, when, and by which agency."""

    community: str
    iat: int
    agency: str


@dataclass(frozen=True)
class Original:
    """What a release carries: whose it is, and what it says."""

    agency: str
    header: Header
    bulletin: Bulletin


class Grant:
    """A grant, of which nothing is believed before `demand_given`."""

    def __init__(self, value: dict[str, Any], envelope: Envelope) -> None:
        self._value = value
        self._envelope = envelope

    @classmethod
    def read(cls, text: str) -> Grant:
        """Read the envelope of a grant."""
        envelope = Envelope.read(text.encode(), RELEASE)
        value = strict_json(envelope.payload, DOCUMENT_MAX)
        _GRANT(value)
        demand_canonical(value, envelope.payload)
        return cls(value, envelope)

    def demand_given(self, agency: str, community: str, directory: Directory) -> None:
        """Refuse a grant that is not of this agency, about what it published in this community."""
        endpoint = directory.endpoints.get(self._value["publisher"])
        demand(endpoint is not None and endpoint.agency == agency, "not_granted")
        demand(self._value["source"] == community, "not_granted")
        keys = [
            binding.key
            for each in directory.endpoints.values()
            for kid, binding in each.bindings.items()
            if each.agency == agency and kid not in directory.revoked
        ]
        demand(self._envelope.signers(keys) > 0, "bad_signature")

    def demand_covers(self, original: Original) -> None:
        """Refuse another bulletin than the one that it names, and what amends or retracts that."""
        header, granted = original.header, self._value
        named = (header.id, header.pc.hex(), header.pub)
        if named == (granted["bulletin"], granted["pc"], granted["publisher"]):
            return
        relation = _FOLLOWS.get(original.bulletin["kind"])
        links = [(link["relation"], link["id"]) for link in original.bulletin["links"]]
        demand((relation, granted["bulletin"]) in links, "not_granted")

    def demand_for(self, place: Place) -> None:
        """Refuse another carrier, another community, and what is carried too late."""
        meant = (self._value["target"], self._value["carrier"])
        demand(meant == (place.community, place.agency), "not_granted")
        demand(place.iat < self._value["until"], "grant_expired")


def check_onward(bulletin: Bulletin, place: Place, directory: Directory) -> Original | None:
    """Refuse a grant or a release that does not hold; what is carried, where something is."""
    if bulletin.get("grant") is not None:
        Grant.read(bulletin["grant"]).demand_given(place.agency, place.community, directory)
    if bulletin.get("release") is None:
        return None
    release = bulletin["release"]
    original = _original(release, directory)
    demand(original.bulletin["tlp"] != "TLP:RED", "red_onward")
    demand(original.bulletin.get("release") is None, "not_granted")
    grant = Grant.read(release["grant"])
    grant.demand_given(original.agency, original.header.com, directory)
    grant.demand_covers(original)
    demand(_said(bulletin) == _said(original.bulletin), "content_mismatch")
    grant.demand_for(place)
    return original


def _original(release: dict[str, Any], directory: Directory) -> Original:
    """The bulletin in a release, shown to be its publisher's."""
    written = release["header"].encode()
    header = Header.read(written)
    demand(header.k == "b", "bad_document")
    endpoint = directory.endpoints.get(header.pub)
    binding = endpoint.bindings.get(header.kid) if endpoint else None
    if endpoint is None or binding is None:
        raise Refused("unknown_key")
    demand(header.kid not in directory.revoked, "revoked_key")
    signed = signed_bytes(written, bytes.fromhex(release["digest"]))
    demand(holds(binding.key, from_base64(release["signature"]), signed), "bad_signature")
    payload = release["payload"].encode()
    demand(len(payload) <= PAYLOAD_MAX, "too_large")
    demand(commitment(Opened(bytes.fromhex(release["salt"]), payload)) == header.pc, "commitment_mismatch")
    bulletin = read_bulletin(payload)
    check_agreement(bulletin, header, bulletin["history"], directory.agencies[endpoint.agency]["code"])
    return Original(endpoint.agency, header, bulletin)


def _said(bulletin: Bulletin) -> Any:
    """What a release must say as its original does; what is left out and what has its default are the same."""
    said = {name: value for name, value in bulletin.items() if name not in _ITS_OWN}
    return _without_defaults({name: value for name, value in said.items() if value != _DEFAULTS.get(name)})


def _without_defaults(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_defaults(item) for name, item in value.items() if item not in (None, "", [])}
    return value
