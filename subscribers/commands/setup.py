"""For the one who sets a node up: `init`, `enrol`, `run`."""

import asyncio
import contextlib
import gc
import secrets
import signal
from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Tlp
from subscribers.commands.common import COMMAND_LINE, AsJson, State, refusals, run, settings_of, show_json
from subscribers.core import Core, now_ms
from subscribers.enrolment import KEYS, accept, keys_document, request
from subscribers.hub_link import Admission
from subscribers.keys import Keyring
from subscribers.local import Role
from subscribers.local.clients import Registry
from subscribers.log import configure
from subscribers.node import LOCAL, Node
from subscribers.settings import NodeSettings

_ENROL_WAIT = 30.0


def init(
    agency: Annotated[str, typer.Option(help="The agency's id, a-z and hyphens: fr-dgx.")],
    name: Annotated[str, typer.Option(help="Its name, as people know it.")],
    code: Annotated[str, typer.Option(help="How its references begin: FRA gives FRA-2026-0042.")],
    state: State = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the enrolment request.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make this agency's keys and its enrolment request. Keys never leave the state directory.

    Example: liaison-agency init --agency fr-dgx --name "Direction X" --code FRA
    """
    with refusals(as_json=as_json):
        directory = settings_of(state).state
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = Keyring.create(directory / KEYS, agency, name, code)
        target = out or directory / "enrolment.dsse"
        target.write_bytes(request(keys, now_ms()))
        (directory / LOCAL).mkdir(mode=0o700, exist_ok=True)
        Registry(directory / LOCAL).add(COMMAND_LINE, Role.ADMIN, Tlp.RED, secrets.token_bytes(32))
        if as_json:
            show_json({"agency": agency, "request": str(target), "fingerprint": keys.fingerprint()})
            return
        typer.echo(f"Keys made in {directory / KEYS} (readable by you alone).")
        typer.echo(f"Enrolment request: {target}")
        typer.echo(f"Read this aloud to the secretariat over a line you trust:\n\n    {keys.fingerprint()}\n")
        typer.echo(
            "Next: send the request to the secretariat and the hub; then "
            "`liaison-agency enrol ADMISSION --root-fingerprint ...`."
        )


def enrol(
    admission: Annotated[
        Path,
        typer.Argument(
            help="The admission file that `liaison-hub admit` wrote.", exists=True, dir_okay=False
        ),
    ],
    root_fingerprint: Annotated[
        str, typer.Option(help="SHA-256 of root version 1, as the secretariat has told you.")
    ],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Check the root against its fingerprint, bind this node's keys to its account at the hub. Safe to
    repeat.

    Example: liaison-agency enrol admission.json --root-fingerprint "3f2a ... 91c0"
    """
    with refusals(as_json=as_json):
        settings = settings_of(state)
        configure(settings.log, "error")  # what goes wrong is told once, by the refusal
        accept(settings.state, Admission.read(admission), root_fingerprint)
    endpoint = run(_register(settings), as_json=as_json)
    if as_json:
        show_json({"endpoint": endpoint, "registered": True})
    else:
        typer.echo(f"Enrolled as {endpoint}. Next: `liaison-agency run`.")


async def _register(settings: NodeSettings) -> str:
    async with Core.open(settings) as core:
        task = asyncio.create_task(core.run())
        try:
            await core.link.until_caught_up(_ENROL_WAIT)
            directory = await core.directory_feed.until(
                lambda known: core.keys.profile.id in known.agencies and known.hub is not None
            )
            document = keys_document(core.keys, directory, core.endpoint, core.clock)
            if document:
                signing = core.keys.signing.public
                await core.submit(document, lambda known: known.has_key(core.endpoint, signing))
            return core.endpoint
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def run_node(
    state: State = None,
    jsonl: Annotated[
        Path | None, typer.Option(help="Append every bulletin to this file as a line of JSON.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the node until it is stopped (SIGTERM or Ctrl-C). One line is printed when it is ready; logs go to
    stderr.

    Example: liaison-agency run --state agency --jsonl bulletins.jsonl
    """
    with refusals(as_json=as_json):
        settings = settings_of(state)
        if jsonl:
            settings = settings.model_copy(update={"jsonl": jsonl})
        configure(settings.log, settings.log_level)
        import uvloop

        try:
            uvloop.run(_serve(settings, as_json=as_json))
        except* LiaisonError as errors:
            raise _first(errors) from None


async def _serve(settings: NodeSettings, *, as_json: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Node.running(settings) as (_, local):
        # What was imported and read at the start stays: the collector need not look through it each time.
        gc.collect()
        gc.freeze()
        if as_json:
            show_json({"event": "ready", "nats": local.url, "state": str(settings.state)})
        else:
            typer.echo(f"ready {local.url}")
        await stop.wait()


def _first(errors: BaseExceptionGroup[LiaisonError]) -> LiaisonError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, LiaisonError) else LiaisonError(Code.INTERNAL, type(found).__name__)
