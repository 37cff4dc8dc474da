"""`liaison-hub`: make, run and look after a hub. All but `init`, `install` and `serve` ask the running
hub.
"""

import json
import time
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from hub import coredump
from hub.cluster_cli import cluster
from hub.operating import cli as operating
from hub.recovery import cli as recovery
from hub.terminal import Json, State, ask_hub, read_file, refusals, settings_of, show, write_file
from schemas.errors import about
from schemas.limits import DOCUMENT_MAX

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="The hub: admits and routes signed, sealed bulletins that it cannot read.",
    epilog="Start: [bold]liaison-hub init[/bold], have the secretariat sign the request, "
    "[bold]liaison-hub install[/bold], [bold]liaison-hub serve[/bold]",
)

operating.add_to(app)
recovery.add_to(app)
app.add_typer(cluster, name="cluster")


def main() -> None:
    """Run the command."""
    coredump.forbid()
    app()


@app.command(epilog='Example: liaison-hub init --state HUB --name "Coordinating Centre"')
def init(
    state: State = None,
    name: Annotated[
        str, typer.Option("--name", help="The hub's name, as agencies will see it.")
    ] = "Liaison hub",
    nats_config: Annotated[
        Path | None,
        typer.Option("--nats-config", help="Also write there what an existing NATS server must include."),
    ] = None,
    nats_resolver: Annotated[
        Path | None,
        typer.Option("--nats-resolver", help="Where that server keeps accounts (its own directory)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the hub's keys, and the request that a registrar signs into its document. Safe to repeat."""
    with refusals(as_json=as_json):
        settings = settings_of(state)
        from hub.accounts import Accounts
        from hub.files import write_private
        from hub.keeping import initialise

        request = initialise(settings, name, time.time_ns() // 1_000_000)
        resolver = (nats_resolver or settings.nats_directory / "resolver").absolute()
        snippet = Accounts.load(settings.accounts_directory).server_config(resolver).encode()
        write_private(settings.server_snippet, snippet)
        if nats_config is not None:
            write_file(nats_config, snippet)
        result = {
            "state": str(settings.state),
            "request": str(request),
            "nats_config": str(settings.server_snippet),
        }
        text = (
            f"keys in {settings.state}\nrequest {request}\n"
            f"next: liaison-root sign-hub {request} --key REGISTRAR.key --out hub.dsse, "
            "then liaison-hub install root.dsse hub.dsse"
        )
        show(result, text, as_json=as_json)


@app.command(epilog="Example: liaison-hub install SEC/root.dsse hub.dsse --state HUB")
def install(
    root: Annotated[Path, typer.Argument(help="The secretariat's root document, version 1.")],
    hub_document: Annotated[Path, typer.Argument(help="The hub document that a registrar signed.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Check and keep the two documents with which the hub's directory begins."""
    with refusals(as_json=as_json):
        settings = settings_of(state)
        from hub import keeping
        from schemas.documents import parse_document

        data, said = read_file(root, DOCUMENT_MAX), read_file(hub_document, DOCUMENT_MAX)
        for path, content in ((root, data), (hub_document, said)):
            with about(path):
                parse_document(content)
        keeping.install(settings, data, said)
        fingerprint = sha256(data).hexdigest()
        result = {"state": str(settings.state), "fingerprint": fingerprint}
        show(result, f"root {fingerprint}\nnext: liaison-hub serve", as_json=as_json)


@app.command(epilog="Example: liaison-hub serve --state HUB --port 4222")
def serve(
    state: State = None,
    host: Annotated[str | None, typer.Option("--host", help="Address of the embedded NATS server.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Its port; 0 takes a free one.")
    ] = None,
    websocket_port: Annotated[
        int | None,
        typer.Option(
            "--websocket-port",
            min=0,
            max=65535,
            help="Loopback port of NATS over WebSocket; 0 takes a free one.",
        ),
    ] = None,
    leaf_port: Annotated[
        int | None,
        typer.Option("--leaf-port", min=1, max=65535, help="Port for leaf nodes; without it none is let in."),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port",
            min=0,
            max=65535,
            help="Loopback port of /metrics, /healthz and /readyz; 0 takes a free one.",
        ),
    ] = None,
    nats: Annotated[
        str | None,
        typer.Option(
            "--nats", help="An existing NATS server's URL, not the embedded one; several with commas."
        ),
    ] = None,
    member: Annotated[
        str | None,
        typer.Option("--member", help="This hub's name among several that share a cluster of NATS servers."),
    ] = None,
    public_url: Annotated[
        list[str] | None,
        typer.Option("--public-url", help="Where agencies reach it, for admission files; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the hub until SIGTERM or Ctrl-C. Prints one line when everything answers; logs go to stderr."""
    with refusals(as_json=as_json):
        settings = settings_of(
            state,
            host=host,
            port=port,
            websocket_port=websocket_port,
            leaf_port=leaf_port,
            metrics_port=metrics_port,
            nats=nats,
            member=member,
        )
        from hub.process import run

        run(settings, public_url or [], as_json=as_json)


@app.command(epilog="Example: liaison-hub admit fra.request fra.dsse --out fra-admission.json")
def admit(
    request: Annotated[Path, typer.Argument(help="The agency's enrolment request.")],
    agency_document: Annotated[Path, typer.Argument(help="The agency document that a registrar made of it.")],
    out: Annotated[Path, typer.Option("--out", help="Where the admission file for the agency goes.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Give an agency's endpoint its account. The same request again gives the same admission."""
    with refusals(as_json=as_json):
        from schemas.documents import parse_document, parse_enrolment
        from schemas.encoding import to_base64

        # The hub looks again: here it is known which of the two files is not what it should be.
        said, answer = read_file(request, DOCUMENT_MAX), read_file(agency_document, DOCUMENT_MAX)
        with about(request):
            parse_enrolment(said)
        with about(agency_document):
            parse_document(answer)
        asked = {"request": to_base64(said), "agency": to_base64(answer)}
        admission = ask_hub(state, "admit", asked)
        write_file(out, (json.dumps(admission, indent=1) + "\n").encode())
        result = {"agency": admission["agency"], "endpoint": admission["endpoint"], "out": str(out)}
        text = (
            f"{admission['agency']} admitted as {admission['endpoint']}\nwritten {out}: send it to the agency"
        )
        show(result, text, as_json=as_json)


@app.command(epilog="Example: liaison-hub admit-witness witness.request --out witness-admission.json")
def admit_witness(
    request: Annotated[Path, typer.Argument(help="The request that `liaison-witness init` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="Where the admission file for the witness goes.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Give a witness that the root names its account. The same request again gives the same admission."""
    with refusals(as_json=as_json):
        from schemas.encoding import to_base64

        asked = {"request": to_base64(read_file(request, DOCUMENT_MAX))}
        admission = ask_hub(state, "admit-witness", asked)
        write_file(out, (json.dumps(admission, indent=1) + "\n").encode())
        result = {"witness": admission["witness"], "endpoint": admission["endpoint"], "out": str(out)}
        text = f"{admission['witness']} admitted as {admission['endpoint']}\nwritten {out}: send it to them"
        show(result, text, as_json=as_json)


@app.command(epilog="Example: liaison-hub submit SEC2/root.dsse")
def submit(
    document: Annotated[Path, typer.Argument(help="A signed directory document or membership entry.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Hand in a document that was signed elsewhere.

    A root rotation, a new hub key, or a revocation sent by other means.
    """
    with refusals(as_json=as_json):
        from schemas.encoding import to_base64

        head = ask_hub(state, "submit", {"document": to_base64(read_file(document, DOCUMENT_MAX))})
        show(
            head,
            f"the directory has {head['size']} documents; its tree hash is {head['root']}",
            as_json=as_json,
        )


@app.command(epilog="Example: liaison-hub suspend fra")
def suspend(
    who: Annotated[str, typer.Argument(help="An agency's id (all its endpoints), or one endpoint's key.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Cut an agency or an endpoint off, at once and until it is resumed."""
    with refusals(as_json=as_json):
        done = ask_hub(state, "suspend", {"who": who})
        show(done, "\n".join(f"suspended {each}" for each in done["endpoints"]), as_json=as_json)


@app.command(epilog="Example: liaison-hub resume fra")
def resume(
    who: Annotated[str, typer.Argument(help="An agency's id (all its endpoints), or one endpoint's key.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """End a suspension."""
    with refusals(as_json=as_json):
        done = ask_hub(state, "resume", {"who": who})
        show(done, "\n".join(f"resumed {each}" for each in done["endpoints"]), as_json=as_json)


@app.command(epilog="Example: liaison-hub quarantine --publisher fra --code expired")
def quarantine(
    state: State = None,
    code: Annotated[str | None, typer.Option("--code", help="Only this reason.")] = None,
    publisher: Annotated[
        str | None, typer.Option("--publisher", help="Only this agency or endpoint.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List what was refused and why, newest first.

    Never shows content, which the hub could not read anyway.
    """
    with refusals(as_json=as_json):
        wanted = {"code": code, "publisher": publisher, "limit": limit}
        found = ask_hub(
            state, "quarantine", {name: value for name, value in wanted.items() if value is not None}
        )
        if as_json:
            show(found, "", as_json=True)
        else:
            from hub.tables import print_quarantine

            print_quarantine(found["entries"])


@app.command(epilog="Example: liaison-hub watch --json | head -100")
def watch(
    state: State = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with what is stored.")] = False,
    as_json: Json = False,
) -> None:
    """Show each message as the hub stores it: subject, size, hash, first and last bytes.

    More there is not to see.
    """
    with refusals(as_json=as_json):
        settings = settings_of(state)
        from hub.client import watch as follow

        follow(settings, from_start=from_start, as_json=as_json)
