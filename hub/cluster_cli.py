"""`liaison-hub cluster`: what several hubs on a cluster of NATS servers need, before any of them runs."""

from pathlib import Path
from typing import Annotated

import typer

from hub.terminal import Json, State, refusals, settings_of, show

cluster = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Several hubs on a cluster of NATS servers: configuration files, and another hub's directory.",
)


@cluster.command(
    epilog="Example: liaison-hub cluster config --server a=n1.hub.example:4222:6222 "
    "--server b=n2.hub.example:4222:6222 --server c=n3.hub.example:4222:6222 --out SERVERS"
)
def config(
    server: Annotated[
        list[str], typer.Option("--server", help="NAME=HOST:PORT:ROUTE_PORT of each: three of them, or five.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Where a directory for each server goes.")],
    state: State = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", help="NAME=TAG: so is this server tagged, for the placement of streams."),
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(
            "--home",
            help="Where that directory will be on the server's machine; without it, where it is written.",
        ),
    ] = None,
    listen: Annotated[
        str, typer.Option("--listen", help="Address on which each server listens.")
    ] = "0.0.0.0",  # noqa: S104 - a server of a cluster is there to be reached
    client_certificates: Annotated[
        bool, typer.Option("--client-certificates", help="Clients need a certificate by the CA, too.")
    ] = False,
    development_ca: Annotated[
        bool,
        typer.Option("--development-ca", help="Make certificates, by an authority whose key is thrown away."),
    ] = False,
    leaf_port: Annotated[
        int | None,
        typer.Option("--leaf-port", min=1, max=65_535, help="Let leaf nodes in on this port of each server."),
    ] = None,
    relay: Annotated[
        str | None,
        typer.Option("--relay", help="These are a cluster of this name that keeps no stream: a near way in."),
    ] = None,
    gateway_port: Annotated[
        int | None,
        typer.Option("--gateway-port", min=1, max=65_535, help="Other clusters reach this one by this port."),
    ] = None,
    join: Annotated[
        list[str] | None,
        typer.Option("--join", help="NAME=HOST:PORT of each server of another cluster, by its gateway port."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the configuration of each NATS server: TLS everywhere, this hub's operator and accounts.

    Each directory goes to its server's machine, with [bold]cert.pem[/bold], [bold]key.pem[/bold] and
    [bold]ca.pem[/bold] of your own authority in it. It is written again, the same, whenever a server is
    added.
    """
    with refusals(as_json=as_json):
        settings = settings_of(state)
        from dataclasses import replace

        from hub.accounts import Accounts
        from hub.cluster import Site, certify, tagged, write_configs
        from hub.gateway import Gateways

        base = (home or out).absolute()
        sites = [replace(Site.parse(each, base), listen=listen) for each in server]
        sites = tagged(sites, tag or ())
        accounts = Accounts.load(settings.accounts_directory, shared=True)
        accounts.write_control_credentials(settings.control_credentials)
        files = write_configs(
            accounts,
            sites,
            out.absolute(),
            client_certificates=client_certificates,
            leaf_port=leaf_port,
            gateways=Gateways.parse(relay, gateway_port, join or ()),
        )
        if development_ca:
            certify(sites, out.absolute())
        urls = ",".join(each.url for each in sites)
        result = {"servers": [str(each) for each in files], "urls": urls}
        then = f"then --nats {urls} --member NAME" if relay is None else f"then {urls} in admission files"
        text = "\n".join([*map(str, files), f"next: nats-server -c FILE on each, {then}"])
        show(result, text, as_json=as_json)


@cluster.command(epilog="Example: liaison-hub cluster copy-hub --state HUB --out HUB2")
def copy_hub(
    out: Annotated[Path, typer.Option("--out", help="The other hub's directory; it must not exist.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Make the directory of another hub of the same cluster: the same keys and documents.

    It holds every key that the hub has: carry it to the other machine as you would those.
    """
    with refusals(as_json=as_json):
        settings = settings_of(state)
        from hub.cluster import copy_hub as copy

        copy(settings, out.absolute())
        show({"state": str(out)}, f"written {out}: for another hub, under another --member", as_json=as_json)


@cluster.command(
    epilog="Example: liaison-hub cluster leaf fr-dvt --hub tls://nats1.hub.example:7422 --out LEAF "
    "--home /var/lib/liaison/nats/leaf"
)
def leaf(
    who: Annotated[str, typer.Argument(help="The agency's id, or its endpoint's key.")],
    hub: Annotated[
        list[str], typer.Option("--hub", help="tls://HOST:PORT for leaf nodes, of each of the hub's servers.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Where the leaf node's directory goes.")],
    state: State = None,
    home: Annotated[
        Path | None, typer.Option("--home", help="Where it will be on the leaf node's machine.")
    ] = None,
    listen: Annotated[
        str, typer.Option("--listen", help="HOST:PORT on which the leaf node listens for the agency's node.")
    ] = "127.0.0.1:4222",
    as_json: Json = False,
) -> None:
    """Write the configuration of a NATS server at an agency's site that carries its endpoint to the hub.

    It goes there with [bold]ca.pem[/bold] in it, as you would carry a key: [bold]link.creds[/bold] lets its
    holder speak as that endpoint's transport. It opens and signs no bulletin.
    """
    with refusals(as_json=as_json):
        settings = settings_of(state)
        from hub.accounts import Accounts
        from hub.leaf import Leaf, find, write

        accounts = Accounts.load(settings.accounts_directory)
        site = Leaf(listen, tuple(hub), (home or out).absolute())
        endpoint = find(accounts, who)
        file = write(site, accounts, endpoint, out.absolute())
        result = {"server": str(file), "endpoint": endpoint.public, "url": site.url}
        text = f"{file}\nnext: nats-server -c FILE there, and {site.url} as `urls` of the admission file"
        show(result, text, as_json=as_json)
