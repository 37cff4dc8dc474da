"""What verifying an exported directory comes to, line by line: pure. Files are for commands/directory.py."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, NamedTuple

from schemas.directory import Directory
from schemas.encoding import instant
from schemas.errors import Code, LiaisonError
from schemas.exports import Checked, Export, Proof, check_since, continues, verify_export, verify_proof
from schemas.merkle import Head
from schemas.signing import fingerprint

_YEAR_10000: Final = 253_402_300_800_000
"""Times from here on cannot be written down."""


class Line(NamedTuple):
    """One thing that was looked at: its name, whether it holds, and what there is to say."""

    check: str
    ok: bool
    said: str
    code: str = ""

    @classmethod
    def refused(cls, check: str, error: LiaisonError) -> "Line":
        """From a refusal."""
        return cls(
            check,
            ok=False,
            said=error.message + (f" ({error.fix})" if error.fix else ""),
            code=str(error.code),
        )


class Report(NamedTuple):
    """The verdict: verified when every line holds. Of a proof, `directory` knows one agency."""

    lines: tuple[Line, ...]
    checked: Checked | None = None
    directory: Directory | None = None

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return all(each.ok for each in self.lines)


def report(file: Export | Proof, told: bytes, now: int, since: Iterable[Head] = ()) -> Report:
    """Everything that can be checked in a file. `told` is the root's fingerprint, `now` Unix ms, `since` the
    heads that the asker held before.
    """
    try:
        verified = verify_export(file, told) if isinstance(file, Export) else verify_proof(file, told)
    except LiaisonError as error:
        return Report((Line.refused("documents", error),))
    directory, checked = verified
    version = directory.root.version
    lines = [Line("root", ok=True, said=f"the fingerprint that was given; version {version} is in force")]
    lines.append(_documents(file, directory))
    if checked is None:
        said = "none in the file: no witness has seen this directory"
        return Report(
            (*lines, Line("checkpoint", ok=False, said=said, code=str(Code.BAD_CHECKPOINT))), None, directory
        )
    seen, named = len(checked.cosigned.times), len(directory.root.witnesses)
    said = f"{checked.head.size} documents; signed by the hub and by {seen} of {named} witnesses"
    lines.append(Line("checkpoint", ok=True, said=f"{said}, of whom {checked.quorum} must"))
    lines.append(_held("freshness", lambda: checked.check_fresh(now), _until(checked)))

    def follows(old: Head) -> None:
        if isinstance(file, Proof):
            check_since(file, old, checked.head)
        else:
            continues(directory, old)

    for old in since:
        said = f"continues the log of {old.size} documents that was held before"
        lines.append(_held("since", partial(follows, old), said))
    return Report(tuple(lines), checked, directory)


def agency_lines(known: Directory, agency: str) -> list[str]:
    """Who an agency is by these documents, for people. LiaisonError `unknown_agency`."""
    spoken = fingerprint(known.identity(agency))
    document = known.agencies[agency]
    lines = [f"{document.name} ({agency}, {document.code})", f"  identity  {spoken}"]
    for keys in known.endpoints_of(agency):
        kid = known.kid_of(keys)
        lines += [f"  endpoint  {keys.endpoint}", f"    signs with {kid}, version {keys.version}"]
    revoked = [kid for kid, keys in known.signers.items() if keys.agency == agency and kid in known.revoked]
    return [*lines, *(f"  revoked   {kid}" for kid in revoked)]


def proof_lines(proof: Proof) -> list[str]:
    """The inclusion proofs of a file, for people."""
    lines = []
    for each in proof.documents:
        lines.append(f"document {each.index}")
        lines += [f"  {step}" for step in each.path]
    return lines


def _documents(file: Export | Proof, directory: Directory) -> Line:
    said = f"{len(file.documents)}, each signed by those who may say it"
    if isinstance(file, Proof):
        said += ", each under the checkpoint"
    elif file.memberships:
        communities = sum(log.head.size > 0 for log in directory.communities.values())
        said += f"; {len(file.memberships)} membership entries of {communities} communities, by their owners"
    return Line("documents", ok=True, said=said)


def _held(check: str, holds: Callable[[], None], said: str) -> Line:
    try:
        holds()
    except LiaisonError as error:
        return Line.refused(check, error)
    return Line(check, ok=True, said=said)


def _until(checked: Checked) -> str:
    if checked.quorum == 0:
        return "the root asks for no witnesses, so nobody says when"
    return f"until {_time(checked.fresh_until)}"


def _time(at: int) -> str:
    return instant(min(at, _YEAR_10000 - 1))


def as_json(found: Report) -> dict[str, object]:
    """The report for machines."""
    checked = found.checked
    return {
        "verified": found.ok,
        "head": [checked.head.size, checked.head.root.hex()] if checked else None,
        "witnesses": [instant(min(each, _YEAR_10000 - 1)) for each in checked.cosigned.times]
        if checked
        else [],
        "fresh": _until(checked) if checked else None,
        "checks": [each._asdict() for each in found.lines],
    }
