"""The configuration of a leaf node: a nats-server at an agency's or a region's site that carries one endpoint
to the hub. Rendering is pure.

The site's node connects to the leaf as it would to the hub, with the same user JWT, and the leaf holds one
link to the hub, with a user of its own (`grants.leaf_user`): the hub's server lets pass what the endpoint may
say, and nothing else. The leaf stores nothing: while the link is cut, what is published waits in the node's
outbox, and what is to be read waits in TRAFFIC.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub import grants
from hub.accounts import Accounts
from hub.files import private_directory, write_private
from hub.records import Endpoint
from schemas.errors import Code, FormatError, OperationError

CONFIG_FILE: Final = "nats-server.conf"
LINK_FILE: Final = "link.creds"
_URL: Final = re.compile(r"(tls|nats)://([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,39}\]):[0-9]{1,5}\Z")
_LISTEN: Final = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,39}\]):[0-9]{1,5}\Z")
_LOOPBACK: Final = re.compile(r"(127(\.[0-9]{1,3}){3}|localhost|\[::1\]):")


@dataclass(frozen=True)
class Leaf:
    """Where a leaf node listens for its node (`HOST:PORT`), the hub's addresses for leaf nodes, and its
    directory there, with `ca.pem`, and `cert.pem` and `key.pem` unless it listens on loopback.
    """

    listen: str
    hub: tuple[str, ...]
    home: Path

    def __post_init__(self) -> None:
        """FormatError `bad_request`."""
        if not self.hub or not all(map(_URL.match, self.hub)) or not _LISTEN.match(self.listen):
            raise FormatError(
                Code.BAD_REQUEST,
                "these are no addresses of a leaf node",
                "write --hub tls://nats1.hub.example:7422 and --listen 127.0.0.1:4222",
            )

    @property
    def url(self) -> str:
        """What goes into the admission file's `urls`."""
        return f"{'nats' if self.local else 'tls'}://{self.listen}"

    @property
    def local(self) -> bool:
        """Whether only programs on its own machine reach it."""
        return _LOOPBACK.match(self.listen) is not None


def listener(accounts: Accounts, where: str, tls: str) -> str:
    """What a server of the hub's has in its configuration to let leaf nodes in. `where` and `tls` are lines
    of it.

    NATS lets nothing under `$JS.API` pass a leaf node's link, but for accounts that both sides name as
    having no JetStream domain of their own. What may be said there is for the user's permissions.
    """
    named = "".join(f'  {each.public}: ""\n' for each in accounts.endpoints() if each.kind != "witness")
    return f"leafnodes {{\n{where}{tls}}}\n" + (f"default_js_domain {{\n{named}}}\n" if named else "")


def find(accounts: Accounts, who: str) -> Endpoint:
    """The endpoint by its key, or an agency's only one that is not suspended. OperationError `not_found`."""
    found = [
        each
        for each in accounts.endpoints()
        if who == each.public or (who == each.name and not each.suspended)
    ]
    if len(found) != 1:
        raise OperationError(
            Code.NOT_FOUND, f"{who} is not one endpoint that was admitted here", "see `liaison-hub status`"
        )
    return found[0]


def render(leaf: Leaf, accounts: Accounts, public: str, account_jwt: str) -> str:
    """The whole configuration. `account_jwt` is what `Accounts.leaf` gives."""
    home = leaf.home
    pair = f'cert_file: "{home / "cert.pem"}", key_file: "{home / "key.pem"}"'
    to_clients = "" if leaf.local else f"tls {{ {pair}, handshake_first: true, timeout: 5 }}\n"
    shown = "" if leaf.local else f"{pair}, "
    trusted = f'tls {{ {shown}ca_file: "{home / "ca.pem"}", handshake_first: true, timeout: 5 }}'
    links = ", ".join(f'"{each}"' for each in leaf.hub)
    to_hub = trusted if leaf.hub[0].startswith("tls://") else ""
    return (
        f"# a leaf node of {public}; made by `liaison-hub cluster leaf`\n"
        f"server_name: leaf-{public[:8]}\n"
        f'listen: "{leaf.listen}"\n'
        f"{to_clients}"
        f'log_file: "{home / "nats-server.log"}"\n'
        f"max_payload: {grants.MAX_PAYLOAD}\n"
        'ping_interval: "20s"\n'
        "ping_max: 2\n"
        f"operator: {accounts.operator_jwt}\n"
        f"system_account: {accounts.system_public}\n"
        "resolver: MEMORY\n"
        "resolver_preload {\n"
        f"  {accounts.system_public}: {accounts.system_jwt}\n"
        f"  {public}: {account_jwt}\n"
        "}\n"
        f'default_js_domain {{ {public}: "" }}\n'
        "leafnodes {\n"
        '  reconnect: "1s"\n'
        "  remotes: [\n"
        f'    {{ urls: [{links}], account: {public}, credentials: "{home / LINK_FILE}"\n'
        f"      {to_hub} }}\n"
        "  ]\n"
        "}\n"
    )


def write(leaf: Leaf, accounts: Accounts, endpoint: Endpoint, out: Path) -> Path:
    """Write `out/nats-server.conf` and the link's credentials beside it. Raises as `Accounts.leaf`."""
    account_jwt, link = accounts.leaf(endpoint.public)
    private_directory(out)
    write_private(out / LINK_FILE, link.file_text().encode())
    write_private(out / CONFIG_FILE, render(leaf, accounts, endpoint.public, account_jwt).encode())
    return out / CONFIG_FILE
