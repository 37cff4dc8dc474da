"""`liaison-agency`: the commands of an agency. All but `init`, `enrol` and `run` are clients of the running
node and hold no agency keys.
"""

import typer

from subscribers.commands import (
    agreeing,
    alarming,
    directory,
    identity,
    keys,
    media,
    moving,
    owning,
    proving,
    reading,
    recalling,
    sending,
    setup,
    sharing,
    writing,
)

app = typer.Typer(
    name="liaison-agency",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="An agency's side of Liaison: its node, and what officers and integrators ask of it.",
    epilog="Exit codes: 0 done, 1 refused, 2 wrong use, 3 node or hub unreachable.",
)
app.command("init", rich_help_panel="Set up")(setup.init)
app.command("enrol", rich_help_panel="Set up")(setup.enrol)
app.command("run", rich_help_panel="Set up")(setup.run_node)
app.command("publish", rich_help_panel="Write")(writing.publish)
app.command("publish-lines", rich_help_panel="Write")(writing.publish_lines)
app.command("ack", rich_help_panel="Write")(writing.acknowledge)
app.command("sight", rich_help_panel="Write")(writing.sight)
app.command("digest", rich_help_panel="Write")(writing.digest)
app.command("tail", rich_help_panel="Read")(reading.tail)
app.command("latest", rich_help_panel="Read")(reading.latest)
app.command("search", rich_help_panel="Read")(reading.search)
app.command("show", rich_help_panel="Read")(reading.show)
app.command("compliance", rich_help_panel="Read")(recalling.compliance)
app.command("replies", rich_help_panel="Read")(reading.replies)
app.command("attachments", rich_help_panel="Read")(moving.attachments)
app.command("fetch", rich_help_panel="Read")(moving.fetch)
app.add_typer(proving.evidence, name="evidence", rich_help_panel="Read")
app.command("export", rich_help_panel="Without a network")(media.export)
app.command("import", rich_help_panel="Without a network")(media.take)
app.add_typer(media.courier, name="courier", rich_help_panel="Without a network")
app.command("verify-directory", rich_help_panel="Read")(directory.verify_directory)
app.add_typer(directory.directory, name="directory", rich_help_panel="Read")
for name, command in (
    ("propose", agreeing.propose),
    ("sign", agreeing.sign),
    ("submit", agreeing.submit),
    ("log", agreeing.log),
):
    owning.community.command(name)(command)
app.add_typer(owning.community, name="community", rich_help_panel="Own and operate")
app.add_typer(owning.clients, name="client", rich_help_panel="Own and operate")
app.command("readers", rich_help_panel="Write")(keys.readers)
app.command("outbox", rich_help_panel="Write")(sending.outbox)
app.add_typer(keys.keys, name="keys", rich_help_panel="Own and operate")
app.add_typer(identity.identity, name="identity", rich_help_panel="Own and operate")
app.command("recover", rich_help_panel="Own and operate")(keys.recover)
app.command("notices", rich_help_panel="Read")(agreeing.notices)
app.add_typer(sharing.history, name="history", rich_help_panel="Read")
app.add_typer(sharing.release, name="release", rich_help_panel="Write")
app.command("status", rich_help_panel="Own and operate")(owning.status)
app.command("alarms", rich_help_panel="Own and operate")(alarming.alarms)
app.command("quarantine", rich_help_panel="Own and operate")(owning.quarantine)
app.command("doctor", rich_help_panel="Own and operate")(owning.doctor)


def main() -> None:
    """The console script."""
    app()
