"""Who may say what to the hub's NATS: the whole list of exports, imports and permissions, as pure data.

An endpoint's account has no JetStream and no subject in common with anybody. All it can reach is what HUB
exports here, and `account_token_position` makes the server itself compare the last token with the account
that asks, so that even an import minted by mistake for another endpoint's subject gives nothing. Never
exported: anything under STREAM, CONSUMER.CREATE or DELETE, MSG.GET, DIRECT.GET without the address of a
chunk, key-value puts, and `$JS.ACK.>` beyond one's own durables.
"""

from collections.abc import Sequence
from typing import Any, Final

from hub.partitions import mappings
from schemas.subjects import CHUNKS, chunk_request, chunk_upload

TRAFFIC: Final = "TRAFFIC"
DIRECTORY: Final = "DIRECTORY"
READABLE: Final = (TRAFFIC, DIRECTORY)
"""The streams on which every endpoint has a durable that the hub made, named by its account's public key."""

CHUNK_READS: Final = chunk_request("*")
"""The one read that is not bound to an account: whoever knows a chunk's SHA-256 may have its ciphertext. The
server answers it itself, from CHUNKS alone.
"""

LOOK: Final = "look"
"""First token, in an endpoint's own account, of the question about its durable on a stream:
`look.TRAFFIC`.
"""

PAST: Final = "past"
"""First token of the question for old frames of a community, which the hub's own process answers: see
`hub.pages`.
"""

CONTROL: Final = "ctl"
"""First token of the hub's control service, which lives in the HUB account alone."""

MAX_PAYLOAD: Final = 512 * 1024
"""Bytes in one NATS message: a bundle of 256 wraps of 1,216 bytes is 304 KiB and must fit with its headers; a
frame needs 68 KiB. More would only let one endpoint fill the intake faster."""

ENDPOINT_CONNECTIONS: Final = 8
"""A node holds one; the rest is for a command beside it and for connections whose death the server has not
noticed yet.
"""
ENDPOINT_SUBSCRIPTIONS: Final = 32
ENDPOINT_LEAVES: Final = 2
"""A leaf node, and its link whose death the server has not noticed yet. Only who has a user of `leaf_user`
may be one.
"""

NO_LIMIT: Final = -1

PRECEDENCES: Final = ("flash", "routine")
SUBMISSIONS: Final = ("doc", "wrap", "history", "rewrap")
COSIGNATURES: Final = "cosig"
"""Every token of what an endpoint may send is written out. A wildcard would let it choose bytes that NATS
carries and nats-py cannot read (a subject that is not UTF-8 ends its read loop): one message would stop the
hub for good.
"""

Entitlements = frozenset[tuple[str, str]]
"""Pairs (realm, community id): the communities that an endpoint may publish to and read."""

Claims = dict[str, Any]


def operator(system_public: str) -> Claims:
    """The operator: names the system account."""
    return {"type": "operator", "system_account": system_public}


def system_account() -> Claims:
    """The system account: no exports, no JetStream."""
    return _account(limits=_limits())


def hub_account(*, shared: bool = False) -> Claims:
    """The account of the streams and of the hub's own services; `shared` by several hubs, it spreads the
    intake.
    """
    storage = {
        "mem_storage": 64 * 1024 * 1024,
        "disk_storage": NO_LIMIT,
        "streams": NO_LIMIT,
        "consumer": NO_LIMIT,
    }
    claims = _account(limits={**_limits(), "exports": NO_LIMIT, **storage}, exports=exports())
    return {**claims, "mappings": mappings()} if shared else claims


def exports() -> list[Claims]:
    """What HUB offers to endpoints, each bound to the asking account at one token of its subject.

    Answers come once, except to a pull. A "Singleton" answer lets the server forget the question at once,
    where a "Stream" would keep it for two minutes: with every publication acknowledged, that is memory.
    """
    offered = [
        _export("frames", "in.*.*.*.*", 5),
        _export("submissions", "s.*.*", 3),
        _export("upload chunks", chunk_upload("*"), 2),
        _export(f"read {CHUNKS}", CHUNK_READS),
        _export("old frames", f"{PAST}.*", 2),
    ]
    for stream in READABLE:
        offered += [
            _export(f"pull {stream}", f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*", 7, "Stream"),
            _export(f"look {stream}", f"$JS.API.CONSUMER.INFO.{stream}.*", 6),
            _export(f"acknowledge {stream}", f"$JS.ACK.{stream}.*.>", 4),
        ]
    return offered


def endpoint_account(
    public: str, hub_public: str, entitlements: Entitlements, revoked: dict[str, int]
) -> Claims:
    """An endpoint's account: imports of its own subjects only. `revoked` maps user keys to Unix seconds."""
    limits = {**_limits(), "imports": NO_LIMIT, "conn": ENDPOINT_CONNECTIONS, "leaf": ENDPOINT_LEAVES}
    claims = _account(limits=limits, imports=imports(public, hub_public, entitlements))
    return {**claims, "revocations": revoked} if revoked else claims


def suspended_account(revoked: dict[str, int]) -> Claims:
    """An account that nobody may connect to, and that could reach nothing: connections end when it is
    pushed.
    """
    claims = _account(limits={**_limits(), "conn": 0})
    return {**claims, "revocations": revoked} if revoked else claims


def imports(public: str, hub_public: str, entitlements: Entitlements) -> list[Claims]:
    """What the endpoint `public` may ask of HUB: frames into its communities, submissions, its own durables.

    It asks about a durable on `look.<stream>`: on `$JS.API.CONSUMER.INFO` the server itself would answer too,
    and first, that this account has no JetStream.
    """
    frames = [
        f"in.{realm}.{community}.{precedence}.{public}"
        for realm, community in sorted(entitlements)
        for precedence in PRECEDENCES
    ]
    sent = [f"s.{what}.{public}" for what in SUBMISSIONS]
    asked = (f"{PAST}.{public}", chunk_upload(public), CHUNK_READS)
    return _reach((*frames, *sent, *asked), public, hub_public, READABLE)


def witness_account(public: str, hub_public: str, revoked: dict[str, int]) -> Claims:
    """A witness's account: its durable on DIRECTORY, its cosignatures, and nothing of any bulletin."""
    limits = {**_limits(), "imports": NO_LIMIT, "conn": ENDPOINT_CONNECTIONS}
    reached = _reach((f"s.{COSIGNATURES}.{public}",), public, hub_public, (DIRECTORY,))
    claims = _account(limits=limits, imports=reached)
    return {**claims, "revocations": revoked} if revoked else claims


def witness_user(public: str) -> Claims:
    """The permissions of a witness's user."""
    publish = [f"s.{COSIGNATURES}.{public}", *_durables(public, (DIRECTORY,)), f"{LOOK}.{DIRECTORY}"]
    return _user(publish, ["_INBOX.>"], ENDPOINT_SUBSCRIPTIONS)


def endpoint_user(public: str) -> Claims:
    """The permissions of an endpoint's user.

    They do not name communities: those are in the account's imports, so that an entitlement changes without a
    new user JWT or connection, and the JWT stays far below the server's control line of 4 KiB however many
    there are.
    """
    looks = [f"{LOOK}.{stream}" for stream in READABLE]
    frames = [f"in.*.*.{precedence}.{public}" for precedence in PRECEDENCES]
    sent = [f"s.{what}.{public}" for what in SUBMISSIONS]
    asked = [f"{PAST}.{public}", chunk_upload(public), CHUNK_READS]
    publish = [*frames, *sent, *asked, *_durables(public), *looks]
    return _user(publish, ["_INBOX.>"], ENDPOINT_SUBSCRIPTIONS, ["STANDARD", "WEBSOCKET"])


def leaf_user(public: str) -> Claims:
    """The permissions of an endpoint's leaf node at the hub: those of the endpoint's user. It is no
    client.
    """
    return {**endpoint_user(public), "allowed_connection_types": ["LEAFNODE"]}


def leaf_account() -> Claims:
    """An endpoint's account as its leaf node knows it: it imports nothing, so all that is said in it goes to
    the hub. The node's user JWT holds there, too.
    """
    return _account(limits={**_limits(), "conn": ENDPOINT_CONNECTIONS, "leaf": ENDPOINT_LEAVES})


def control_user() -> Claims:
    """The permissions of the hub's commands: ask the control service, hear the answers."""
    return _user([f"{CONTROL}.>"], ["_INBOX.>"], NO_LIMIT)


def full_user() -> Claims:
    """No restriction within its account: the hub's own processes."""
    return _user([">"], [">"], NO_LIMIT)


def _reach(sent: tuple[str, ...], public: str, hub_public: str, streams: tuple[str, ...]) -> list[Claims]:
    same = [_import(subject, hub_public) for subject in (*sent, *_durables(public, streams))]
    looks = [
        {
            **_import(f"$JS.API.CONSUMER.INFO.{stream}.{public}", hub_public),
            "local_subject": f"{LOOK}.{stream}",
        }
        for stream in streams
    ]
    return [*same, *looks]


def _durables(public: str, streams: tuple[str, ...] = READABLE) -> list[str]:
    subjects = []
    for stream in streams:
        subjects += [
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{public}",
            f"$JS.ACK.{stream}.{public}.>",
        ]
    return subjects


def _account(limits: Claims, **parts: list[Claims]) -> Claims:
    # A user without permissions of its own may do nothing: the hub always writes them out.
    nothing = {"pub": {"deny": [">"]}, "sub": {"deny": [">"]}}
    return {"type": "account", "limits": limits, "default_permissions": nothing, **parts}


def _limits() -> Claims:
    """Limits that are absent count as zero, so that nothing is allowed by having been forgotten."""
    traffic = {"subs": NO_LIMIT, "data": NO_LIMIT, "payload": NO_LIMIT, "conn": NO_LIMIT}
    return {**traffic, "imports": 0, "exports": 0, "leaf": 0, "wildcards": True, "disallow_bearer": True}


def _user(
    publish: list[str], subscribe: list[str], subscriptions: int, connections: Sequence[str] = ("STANDARD",)
) -> Claims:
    limits = {"subs": subscriptions, "data": NO_LIMIT, "payload": MAX_PAYLOAD}
    permissions = {"pub": {"allow": publish}, "sub": {"allow": subscribe}}
    return {"type": "user", "allowed_connection_types": list(connections), **limits, **permissions}


def _export(name: str, subject: str, position: int | None = None, answers: str = "Singleton") -> Claims:
    offered = {"name": name, "subject": subject, "type": "service", "response_type": answers}
    return offered if position is None else {**offered, "account_token_position": position}


def _import(subject: str, hub_public: str) -> Claims:
    return {"name": subject, "subject": subject, "account": hub_public, "type": "service"}
