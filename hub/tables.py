"""Lists for people: what `status` and `quarantine` print in a terminal."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_status(facts: dict[str, Any]) -> None:
    """A hub at a glance; `facts` as in `hub.health.status`."""
    console = Console()
    refused = sum(facts["refused"].values())
    console.print(f"[bold]{escape(facts['hub'])}[/bold] at {facts['nats']}, up {facts['uptime_s']} s")
    console.print(f"root {facts['fingerprint']}", highlight=False)
    console.print(
        f"admitted {facts['admitted']}, refused {refused}, waiting {facts['intake_waiting']}, "
        f"directory {facts['directory']['size']} documents"
    )
    for each in facts["replacements"]:
        dispute = ", against its objection" if each["disputed"] else ""
        console.print(f"identity of {each['agency']} to be replaced from {each['effective']}{dispute}")
    agencies = Table(
        "agency", "name", "endpoint", "state", "traffic waiting", title="Endpoints", title_justify="left"
    )
    for agency in facts["agencies"]:
        for endpoint in agency["endpoints"]:
            state = (
                "suspended"
                if endpoint["suspended"]
                else "active"
                if endpoint["registered"]
                else "no keys yet"
            )
            waiting = str(endpoint["traffic_waiting"])
            agencies.add_row(agency["id"], escape(agency["name"]), endpoint["public"], state, waiting)
    if agencies.row_count:
        console.print(agencies)
    streams = Table("stream", "messages", "bytes", title="Streams", title_justify="left")
    for name, stream in facts["streams"].items():
        streams.add_row(name, f"{stream['messages']:,}", f"{stream['bytes']:,}")
    console.print(streams)


def print_quarantine(entries: list[dict[str, Any]]) -> None:
    """Refused submissions, newest first; `entries` as in the control service's `quarantine`."""
    table = Table("at", "agency", "code", "why", "bytes", "sha256")
    for each in entries:
        who = each["agency"] or each["publisher"]
        table.add_row(
            each["at"], who, each["code"], escape(each["message"]), str(each["size"]), each["sha256"][:16]
        )
    Console().print(table if entries else "nothing was refused")
