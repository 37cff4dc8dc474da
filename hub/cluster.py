"""The configuration files of the nats-servers of a cluster, one for each site, and the state directory of
another hub. Rendering is pure.

Every server has the operator, the preloaded accounts and a full resolver of its own: an account that the hub
pushes is stored by all of them, and one that was away is told all of them (`hub.claims`). Connections between
servers are TLS with certificates on both sides; clients' are TLS too, with a certificate of theirs where
that is asked for.
"""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hub import grants
from hub.accounts import Accounts
from hub.dev_ca import UnsafeDevelopmentCa
from hub.files import private_directory, read_private, write_private
from hub.gateway import DOMAIN, NAME, Gateways
from hub.keeping import HUB_FILE, RECEIPT_KEY, ROOT_FILE
from hub.leaf import listener
from hub.settings import HubSettings
from schemas.errors import Code, FormatError, OperationError

CONFIG_FILE: Final = "nats-server.conf"
CERTIFICATE, KEY, CA = "cert.pem", "key.pem", "ca.pem"
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}\Z|\[[0-9a-fA-F:]{2,39}\]\Z")
_TAG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,63}\Z")
_PORT_MAX: Final = 65_535
_PORTS: Final = 2
_LOG_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Site:
    """One nats-server: the `host` by which clients and the other servers reach it, and its ports.

    `home` is a directory on its machine: its certificate, key and CA (`cert.pem`, `key.pem`, `ca.pem`), and
    its store. `monitor_port` is on loopback, -1 any free one. `tags` are those beside `site:NAME`.
    """

    name: str
    host: str
    port: int
    route_port: int
    home: Path
    listen: str = "0.0.0.0"  # noqa: S104 - a server of a cluster is there to be reached
    monitor_port: int = -1
    tags: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"tls://{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str, homes: Path) -> "Site":
        """From `NAME=HOST:PORT:ROUTE_PORT`; its home is `homes/NAME`. FormatError `bad_request`."""
        name, _, rest = text.partition("=")
        host, *ports = rest.rsplit(":", _PORTS)
        numbers = [int(port) for port in ports if port.isdecimal() and 0 < int(port) <= _PORT_MAX]
        if not (NAME.match(name) and _HOST.match(host) and len(numbers) == _PORTS):
            raise FormatError(
                Code.BAD_REQUEST,
                f"{text!r} is no server of a cluster",
                "write NAME=HOST:PORT:ROUTE_PORT, as geneva=nats1.hub.example:4222:6222",
            )
        port, route_port = numbers
        return cls(name, host, port, route_port, homes / name)


def render(
    site: Site,
    sites: Sequence[Site],
    operator: str,
    *,
    client_certificates: bool = False,
    leaves: str = "",
    gateways: Gateways | None = None,
) -> str:
    """The whole configuration of a site's server. `operator` is what `Accounts.server_config` gives for it;
    with `client_certificates` clients need one by the CA too. `leaves` is what lets leaf nodes in,
    `gateways` what joins this cluster to others.
    """
    home = site.home
    routes = ", ".join(f'"tls://{each.host}:{each.route_port}"' for each in sites if each.name != site.name)
    lines = [
        f"# {site.name}, one of {len(sites)} servers; made by `liaison-hub cluster config`",
        f"server_name: {site.name}",
        f"server_tags: {json.dumps([f'site:{site.name}', *site.tags])}",
        f'host: "{site.listen}"',
        f"port: {site.port}",
        f'client_advertise: "{site.host}:{site.port}"',
        _tls(home, verify=client_certificates, more=", handshake_first: true"),
        "cluster {",
        f"  name: {gateways.name if gateways else DOMAIN}",
        f'  listen: "{site.listen}:{site.route_port}"',
        f'  cluster_advertise: "{site.host}:{site.route_port}"',
        f"  {_tls(home, verify=True)}",
        f"  routes: [{routes}]",
        "}",
        f'http: "127.0.0.1:{site.monitor_port}"',
        f'ports_file_dir: "{home / "ports"}"',
        f'log_file: "{home / "nats-server.log"}"',
        f"logfile_size_limit: {_LOG_BYTES}",
        f"max_payload: {grants.MAX_PAYLOAD}",
        'ping_interval: "20s"',
        "ping_max: 2",
    ]
    if not (gateways and gateways.relay):
        lines += [
            "jetstream {",
            f'  store_dir: "{home / "store"}"',
            f"  domain: {DOMAIN}",
            "  sync_interval: always",
            "  strict: true",
            "}",
        ]
    if gateways:
        lines += gateways.lines(site.host, site.listen, _tls(home, verify=True))
    return "\n".join([*lines, leaves + operator])


def _tls(home: Path, *, verify: bool, more: str = "") -> str:
    files = f'cert_file: "{home / CERTIFICATE}", key_file: "{home / KEY}", ca_file: "{home / CA}"'
    return f"tls {{ {files}, verify: {str(verify).lower()}, timeout: 5{more} }}"


def tagged(sites: Sequence[Site], tags: Sequence[str]) -> list[Site]:
    """The same with `tags`, each as `NAME=TAG`. FormatError `bad_request`."""
    found: dict[str, tuple[str, ...]] = {each.name: each.tags for each in sites}
    for text in tags:
        name, _, tag = text.partition("=")
        if name not in found or not _TAG.match(tag):
            raise FormatError(
                Code.BAD_REQUEST,
                f"{text!r} is no tag of one of these servers",
                "write NAME=TAG, as geneva=region:europe",
            )
        found[name] = (*found[name], tag)
    return [replace(each, tags=found[each.name]) for each in sites]


def check_sites(sites: Sequence[Site]) -> None:
    """FormatError `bad_request` unless they make a cluster: three or five, each name and address once."""
    names = {each.name for each in sites}
    addresses = {(each.host, port) for each in sites for port in (each.port, each.route_port)}
    if len(sites) not in {3, 5} or len(names) != len(sites) or len(addresses) != _PORTS * len(sites):
        raise FormatError(
            Code.BAD_REQUEST,
            f"{len(sites)} servers with {len(names)} names and {len(addresses)} addresses",
            "give three servers, or five, each with a name and two ports of its own",
        )


def write_configs(
    accounts: Accounts,
    sites: Sequence[Site],
    out: Path,
    *,
    client_certificates: bool = False,
    leaf_port: int | None = None,
    gateways: Gateways | None = None,
) -> list[Path]:
    """Write `out/<name>/nats-server.conf` for each. `accounts` are those of a hub that is one of several.
    Leaf nodes of those who have been admitted are let in at `leaf_port`, at none without. `gateways` as
    for `render`.
    """
    check_sites(sites)
    written = []
    for site in sites:
        directory = private_directory(out / site.name)
        if site.home == directory:
            for name in ("ports", "store", "resolver"):
                private_directory(directory / name)
        operator = accounts.server_config(site.home / "resolver")
        leaves = ""
        if leaf_port is not None:
            where = f'  listen: "{site.listen}:{leaf_port}"\n  advertise: "{site.host}:{leaf_port}"\n'
            tls = _tls(site.home, verify=client_certificates, more=", handshake_first: true")
            leaves = listener(accounts, where, f"  {tls}\n")
        text = render(
            site,
            sites,
            operator,
            client_certificates=client_certificates,
            leaves=leaves,
            gateways=gateways,
        )
        write_private(directory / CONFIG_FILE, text.encode())
        written.append(directory / CONFIG_FILE)
    return written


def certify(sites: Sequence[Site], out: Path) -> None:
    """Write certificates for development into each `out/<name>`, by an authority of the moment."""
    ca = UnsafeDevelopmentCa()
    for site in sites:
        pair = ca.issue(site.name, [site.host.strip("[]")])
        for name, data in ((CERTIFICATE, pair.certificate), (KEY, pair.key), (CA, ca.certificate)):
            write_private(out / site.name / name, data)


def copy_hub(settings: HubSettings, target: Path) -> None:
    """Make the state directory of another hub of the same cluster: the same keys, documents and accounts.

    OperationError `already_known` when there is one, `not_found` when this hub has not been installed.
    """
    if target.exists():
        raise OperationError(
            Code.ALREADY_KNOWN, f"{target} is there already", "choose a new directory, or remove it first"
        )
    for name in (ROOT_FILE, HUB_FILE):
        if not (settings.state / name).is_file():
            raise OperationError(
                Code.NOT_FOUND, f"{settings.state / name} is not there", "run `liaison-hub install` first"
            )
    source = settings.accounts_directory
    fresh = private_directory(target.with_name(f".{target.name}.new"))
    for part in ("keys", "accounts"):
        private_directory(fresh / "hub" / part)
        for file in sorted((source / part).iterdir()):
            write_private(fresh / "hub" / part / file.name, read_private(file))
    write_private(fresh / "hub" / RECEIPT_KEY, read_private(source / RECEIPT_KEY))
    write_private(fresh / "control.creds", read_private(settings.control_credentials))
    for name in (ROOT_FILE, HUB_FILE):
        shutil.copyfile(settings.state / name, fresh / name)
    fresh.rename(target)
