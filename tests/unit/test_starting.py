"""A command loads what it needs. Each takes a moment to load, and people wait for it at every command."""

import subprocess
import sys
from pathlib import Path

import pytest

SHOW = """
import sys
from {module} import main
sys.argv = {words!r}
try:
    main()
except SystemExit as end:
    print("status", end.code, file=sys.stderr)
print("loaded", *sys.modules, file=sys.stderr)
"""
CONNECTING = {"aiohttp", "apsw", "pygments", "rich", "yaml"}
"""What no command needs that asks the node or the hub and prints JSON."""
HELPING = CONNECTING - {"pygments", "rich"} | {"nats", "pydantic_settings", "structlog"}


def loaded(module: str, *words: str) -> tuple[int, set[str]]:
    """The exit status of a command, and the modules that it had loaded by its end."""
    ended = subprocess.run(
        [sys.executable, "-c", SHOW.format(module=module, words=["command", *words])],
        capture_output=True,
        check=True,
        text=True,
    )
    *_, status, modules = ended.stderr.splitlines()
    return int(status.split()[1]), set(modules.split()[1:])


@pytest.mark.parametrize(
    "module",
    ["subscribers.cli", "subscribers.witness.cli", "hub.cli", "hub.ceremony_cli", "bots.cli"],
)
def test_help_needs_no_network_and_no_database(module: str) -> None:
    status, modules = loaded(module, "--help")
    assert status == 0
    assert not modules & HELPING


@pytest.mark.parametrize("words", [("status",), ("tail",), ("show", "FRA-2026-0042")])
def test_a_client_of_the_node_loads_the_client(words: tuple[str, ...], tmp_path: Path) -> None:
    status, modules = loaded("subscribers.cli", *words, "--state", str(tmp_path), "--json")
    assert status == 3
    assert {"nats", "subscribers.client"} <= modules
    assert not modules & (CONNECTING | {"subscribers.node"})


def test_a_question_to_the_hub_loads_no_hub(tmp_path: Path) -> None:
    status, modules = loaded("hub.cli", "status", "--state", str(tmp_path), "--json")
    assert status == 3
    assert "nats" in modules
    assert not modules & (CONNECTING | {"hub.office"})


def test_what_a_library_did_without_is_there_afterwards() -> None:
    ask = (
        "import sys; from schemas.lean import load_without; load_without('rich', 'structlog')\n"
        "assert 'structlog' in sys.modules and 'rich' not in sys.modules\n"
        "load_without('rich', 'typer'); import rich.console\n"
        "load_without('rich', 'yaml'); assert 'yaml' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", ask], check=True)
