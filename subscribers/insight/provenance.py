"""The chain from a bulletin to the root, as this node can show it now: whose key, who vouches, who may read.

Everything is in the directory, in the newest head, and in what was kept beside the bulletin. The parts are
pure; `Store` is read by `desk`.
"""

from typing import NamedTuple

import apsw

from schemas.directory import Directory
from schemas.documents import Keys
from schemas.encoding import from_base64, instant
from schemas.frame import Header, parse_header
from schemas.signing import FRAME_TYPE, KEY_SIZE, fingerprint, pae, verify
from subscribers.directory.heads import KeptHead, until
from subscribers.insight.shapes import Audience, Provenance, SigningKey, Vouching
from subscribers.records import Record
from subscribers.storage.store import Row

_LATEST = 9_000_000_000_000
"""A time that an instant of four digits of year can tell (Unix milliseconds)."""


class Shown(NamedTuple):
    """What was kept of a bulletin's frame, and whether its epoch's announcement was."""

    header: bytes
    signature: bytes
    digest: bytes
    announced: bool


class Known(NamedTuple):
    """What the node knows at `now` (Unix ms). `witnessed` says of a key whether the newest head has it."""

    directory: Directory
    kept: KeptHead | None
    witnessed: bool
    now: int


def kept_of(connection: apsw.Connection, id: str) -> Shown | None:
    """What was kept of the bulletin with this id; None where it came before anything was."""
    sql = """SELECT header, signature, digest FROM proofs
        WHERE position = (SELECT position FROM bulletins WHERE id = ?)"""
    rows: list[Row] = connection.execute(sql, (id,)).fetchall()
    if not rows:
        return None
    header = parse_header(rows[0][0])
    named = "SELECT 1 FROM announcements WHERE publisher = ? AND community = ? AND ep = ?"
    announced = connection.execute(named, (header.pub, header.com, header.ep)).fetchall()
    data, signature, digest = rows[0]
    return Shown(data, signature, digest, announced=bool(announced))


def key_named(shown: Shown | None) -> str:
    """The id of the key that a kept frame names; '' without one."""
    return parse_header(shown.header).kid if shown else ""


def provenance(record: Record, shown: Shown | None, known: Known) -> Provenance:
    """The chain of one bulletin."""
    directory, bulletin = known.directory, record.bulletin
    keys = directory.signers.get(key_named(shown))
    holds = shown is not None and keys is not None and _holds(shown, keys)
    held = directory.identities.held.get(record.agency, ())
    key = _key(directory, parse_header(shown.header), keys, known) if shown and keys else None
    return Provenance(
        id=bulletin.id,
        ref=bulletin.ref,
        tlp=bulletin.tlp,
        community=record.community,
        community_title=record.community_title,
        agency=record.agency,
        agency_name=record.agency_name,
        fingerprint=fingerprint(directory.identity(record.agency)) if held else "",
        identities=len(held),
        own=record.own,
        received=record.received,
        signature="holds" if holds else "reached" if shown else "unkept",
        key=key,
        vouching=vouching(directory, known.kept, known.now),
        audience=audience(directory, record, known.now),
        state=record.state,
        # An announcement cites a head of its own, where none of the witnesses has reached the key.
        evidence=holds and (known.witnessed or (shown is not None and shown.announced)),
    )


def vouching(directory: Directory, kept: KeptHead | None, now: int) -> Vouching:
    """Who vouches for agencies, and how many witnesses for the newest head."""
    root = directory.root
    times = kept.times if kept else ()
    reached = bool(root.quorum) and len(times) >= root.quorum
    return Vouching(
        root=root.version,
        issued=_when(root.issued),
        registrars=len(root.registrar.keys),
        threshold=root.registrar.threshold,
        witnesses=len(root.witnesses),
        quorum=root.quorum,
        cosigned=len(times),
        head=kept.head.size if kept else 0,
        seen=_when(times[root.quorum - 1]) if reached else None,
        stale=now >= until(directory, kept),
    )


def audience(directory: Directory, record: Record, now: int) -> Audience:
    """Who is in the bulletin's community at `now` (Unix ms); nobody in one that the directory does not
    have.
    """
    log = directory.communities.get(record.community)
    roles = list(log.members(now).values()) if log else []
    names = directory.agencies
    return Audience(
        owners=[
            names[each].name if each in names else each for each in (log.community.owners if log else ())
        ],
        members=roles.count("member"),
        readers=roles.count("reader"),
        private="private" in record.flags,
    )


def _key(directory: Directory, header: Header, keys: Keys, known: Known) -> SigningKey:
    following = next(
        (
            each
            for each in directory.signers.values()
            if each.endpoint == keys.endpoint and each.version == keys.version + 1
        ),
        None,
    )
    return SigningKey(
        kid=header.kid,
        version=keys.version,
        since=_when(keys.issued),
        state="revoked" if header.kid in directory.revoked else "replaced" if following else "current",
        replaced=_when(following.issued) if following else None,
        witnessed=known.witnessed,
    )


def _holds(shown: Shown, keys: Keys) -> bool:
    # FORMAT.md, Signatures: over PAE(T, header || SHA256(body)); the digest was kept, the body was not.
    message = pae(FRAME_TYPE, shown.header + shown.digest)
    return verify(from_base64(keys.signing, KEY_SIZE), message, shown.signature)


def _when(time: int) -> str:
    return instant(min(time, _LATEST))
