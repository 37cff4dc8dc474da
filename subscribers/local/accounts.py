"""The configuration of the agency's own NATS server, rendered: pure.

One account for the node and **one account per client**, because in a shared account the reply subjects of
requests are not checked against permissions (a pull request whose reply is an administrative subject makes
the server itself carry the order out). What a client can reach outside its account is exactly what is
imported here, and every import is private to it and carries its name, so the node knows who asks and a client
cannot speak as another.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from schemas.subjects import BULLETINS
from schemas.vocabulary import Tlp
from subscribers.service.roles import ClientEntry, tlps, verbs

STORE_KEY_VARIABLE: Final = "LIAISON_STORE_KEY"
"""The server reads the key of its store from this variable of its own environment: it is never in a file of
settings.
"""
ALARMS: Final = "alarm.*"
"""`alarm.<name>`: an alarm that is new. To every client: it says who did what, never what was said."""
NODE_ACCOUNT: Final = "NODE"
FEED_INFO: Final = "feed.info"
"""Where a client asks how its own durable stands. Under a name of its own, for in an account without
JetStream the server itself answers `$JS.API.CONSUMER.INFO...` with "not enabled", before the node's account
can.
"""
FEED_BACK: Final = "feed.back"
"""Where a client has its own durable set back to what it has acknowledged, in the node's account likewise."""
MAX_PAYLOAD: Final = 8 * 1024 * 1024
"""Bytes. A page of the archive is one answer: up to 100 bulletins of up to 64 KiB."""


class ServerPlan(NamedTuple):
    """Where the server listens and keeps its files, and the node's two public user keys."""

    directory: Path
    host: str
    port: int
    node_key: str
    system_key: str


def client_account(name: str) -> str:
    """The account of a client. Prefixed, so that no client can be called NODE."""
    return f"CLIENT_{name}"


def live_subject(tlp: Tlp) -> str:
    """Every republished bulletin under one marking."""
    return f"bulletin.*.*.*.*.{tlp.slug}"


def change_subject(tlp: Tlp) -> str:
    """What became of bulletins under one marking, live."""
    return f"change.*.*.*.*.{tlp.slug}"


NOTICES: Final = "notice.*"
"""Live notices of changes in the directory: every client may hear them, as it may list communities."""
DIRECTORY_NOTICES: Final = "@directory"
"""Where notices stand that belong to no community: no short name looks like this."""


def notice_subject(slug: str) -> str:
    """Where a notice is published; `slug` is its community's, empty for one that belongs to none."""
    return f"notice.{slug or DIRECTORY_NOTICES}"


def feed_filters(ceiling: Tlp) -> list[str]:
    """The subjects that a client's durable delivers."""
    return [live_subject(tlp) for tlp in tlps(ceiling)]


def next_subject(durable: str) -> str:
    """Where a client asks for the next messages of its durable."""
    return f"$JS.API.CONSUMER.MSG.NEXT.{BULLETINS}.{durable}"


def info_subject(durable: str) -> str:
    """Where a client asks how its durable stands."""
    return f"$JS.API.CONSUMER.INFO.{BULLETINS}.{durable}"


def back_subject(durable: str) -> str:
    """Where a durable is set back. One that began with what was new then cannot be set back further than to
    what was acknowledged, whatever is asked.
    """
    return f"$JS.API.CONSUMER.RESET.{BULLETINS}.{durable}"


def ack_subject(durable: str) -> str:
    """Where a client acknowledges."""
    return f"$JS.ACK.{BULLETINS}.{durable}.>"


def render_config(plan: ServerPlan, clients: Sequence[ClientEntry]) -> str:
    """The server's configuration file. `clients` in any order; the text is the same for the same set."""
    ordered = sorted(clients, key=lambda each: each.name)
    directory = plan.directory
    return "\n".join(
        (
            f"listen: {_text(f'{plan.host}:{plan.port}')}",
            f"pid_file: {_text(directory / 'server.pid')}",
            f"ports_file_dir: {_text(directory)}",
            f"log_file: {_text(directory / 'server.log')}",
            "logfile_size_limit: 16MB",
            "logfile_max_num: 3",
            f"max_payload: {MAX_PAYLOAD}",
            "max_connections: 1024",
            'write_deadline: "5s"',
            "jetstream {",
            f"  store_dir: {_text(directory)}",
            "  cipher: chachapoly",
            f"  key: ${STORE_KEY_VARIABLE}",
            # Not `always`, an fsync for each bulletin: what a power cut takes from the stream's end is in the
            # archive, and is republished at the start (`LocalNats.newest`).
            '  sync_interval: "1s"',
            "}",
            "system_account: SYS",
            "accounts {",
            f"  SYS {{ users: [{{ nkey: {plan.system_key} }}] }}",
            f"  {NODE_ACCOUNT} {{",
            "    jetstream: enabled",
            f"    users: [{{ nkey: {plan.node_key} }}]",
            _listing("exports", _exports(ordered)),
            "  }",
            *(_account(each) for each in ordered),
            "}",
            "",
        )
    )


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _listing(name: str, items: Iterable[str]) -> str:
    return "\n".join((f"    {name}: [", *(f"      {item}" for item in items), "    ]"))


def _exports(clients: Sequence[ClientEntry]) -> Iterator[str]:
    for tlp in Tlp:
        readers = [client_account(each.name) for each in clients if tlp in tlps(each.ceiling)]
        if readers:  # an export without a list of accounts would be open to all
            yield f'{{ stream: "{live_subject(tlp)}", accounts: [{", ".join(readers)}] }}'
            yield f'{{ stream: "{change_subject(tlp)}", accounts: [{", ".join(readers)}] }}'
    if clients:
        everybody = ", ".join(client_account(each.name) for each in clients)
        yield f'{{ stream: "{ALARMS}", accounts: [{everybody}] }}'
        yield f'{{ stream: "{NOTICES}", accounts: [{everybody}] }}'
    for each in clients:
        private = f"accounts: [{client_account(each.name)}]"
        for verb in verbs(each.role):
            yield f'{{ service: "node.{verb}.{each.name}", {private} }}'
        yield f'{{ service: "{next_subject(each.name)}", response: stream, {private} }}'
        yield f'{{ service: "{info_subject(each.name)}", {private} }}'
        yield f'{{ service: "{back_subject(each.name)}", {private} }}'
        yield f'{{ service: "{ack_subject(each.name)}", {private} }}'


def _account(client: ClientEntry) -> str:
    asked = [f"node.{verb}" for verb in verbs(client.role)]
    feed = [next_subject(client.name), ack_subject(client.name)]
    named = ((info_subject(client.name), FEED_INFO), (back_subject(client.name), FEED_BACK))
    changes = [change_subject(tlp) for tlp in tlps(client.ceiling)]
    imports = (
        *(
            f'{{ stream: {{ account: {NODE_ACCOUNT}, subject: "{each}" }} }}'
            for each in (*feed_filters(client.ceiling), *changes, ALARMS, NOTICES)
        ),
        *(
            f'{{ service: {{ account: {NODE_ACCOUNT}, subject: "{each}.{client.name}" }}, to: "{each}" }}'
            for each in asked
        ),
        *(f'{{ service: {{ account: {NODE_ACCOUNT}, subject: "{each}" }} }}' for each in feed),
        *(
            f'{{ service: {{ account: {NODE_ACCOUNT}, subject: "{theirs}" }}, to: "{ours}" }}'
            for theirs, ours in named
        ),
    )
    # `node.*` may be asked whatever the role: a verb that is not imported is answered at once by "no
    # responders", which the library turns into a plain refusal, where a forbidden subject would only time
    # out.
    publish = ", ".join(json.dumps(each) for each in ("node.*", FEED_INFO, FEED_BACK, *feed))
    heard = ("bulletin.>", "change.>", ALARMS, NOTICES, "_INBOX.>")
    subscribe = ", ".join(map(json.dumps, heard))
    return "\n".join(
        (
            f"  {client_account(client.name)} {{",
            f"    users: [{{ nkey: {client.nkey}, permissions: {{",
            f"      publish: {{ allow: [{publish}] }}, subscribe: {{ allow: [{subscribe}] }}",
            "    } }]",
            _listing("imports", imports),
            "  }",
        )
    )
