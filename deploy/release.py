"""Make a release that others can check, and check one.

    make release KEY=~/.ssh/release       # dist/: packages, pinned requirements, SBOM, checksums, signature
    make verify-release SIGNERS=signers   # whom you trust, as allowed_signers(5) of ssh-keygen

The signature is OpenSSH's (`ssh-keygen -Y`, namespace liaison-release), since every operator's machine has
it. The archives are the same whoever builds them from the same commit. The SBOM is CycloneDX 1.5.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tomllib
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
NAMESPACE: Final = "liaison-release"
SUMS: Final = "SHA256SUMS"
EXTRAS: Final = ("--extra", "pictures", "--extra", "traces")


class Refused(Exception):
    """What is wrong, and what to do."""


def release(uv: str, key: Path, out: Path) -> list[Path]:
    """Build everything into `out`, which must be empty or absent; the files, the signature last."""
    if not key.is_file():
        raise Refused(
            f"there is no key at {key}: make one with ssh-keygen -t ed25519, and keep it off this machine"
        )
    if changed := _said("git", "status", "--porcelain"):
        raise Refused(f"the tree differs from its commit; commit or remove:\n{changed}")
    if out.is_dir() and any(out.iterdir()):
        raise Refused(f"{out} is not empty: remove what an earlier release left")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    made = int(_said("git", "log", "-1", "--format=%ct"))
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(made)}
    _run(uv, "build", "--quiet", "--out-dir", str(out), environment=environment)
    (out / ".gitignore").unlink(missing_ok=True)
    export = (uv, "export", "--quiet", "--locked", "--no-dev", *EXTRAS, "--format")
    pinned = _said(*export, "requirements.txt", "--no-emit-project", "--no-header")
    (out / f"liaison-{version}.requirements.txt").write_text(pinned + "\n", "utf-8")
    parts = json.loads(_said(*export, "cyclonedx1.5"))
    bill = json.dumps(dated(parts, made, _said("git", "rev-parse", "HEAD")), indent=1)
    (out / f"liaison-{version}.cdx.json").write_text(bill + "\n", "utf-8")
    sums = out / SUMS
    sums.write_text(checksums(out), "utf-8")
    _run("ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(sums))
    return [*sorted(each for each in out.iterdir() if each.suffix != ".sig"), sums.with_suffix(".sig")]


def verify(signers: Path, out: Path) -> int:
    """Check the signature, then every file; how many files there are. Raises Refused with the reason."""
    sums = out / SUMS
    if not sums.is_file():
        raise Refused(f"there is no {sums}: is this a release?")
    keygen, sealed = ("ssh-keygen", "-Y"), ("-f", str(signers), "-s", f"{sums}.sig")
    nobody = "nobody in the signers' file made this signature: do not install this"
    who = _said(*keygen, "find-principals", *sealed, failed=nobody).splitlines()[0]
    check = (*keygen, "verify", "-n", NAMESPACE, "-I", who, *sealed)
    if subprocess.run(check, input=sums.read_bytes(), capture_output=True, check=False).returncode:
        raise Refused(f"the signature is not over this {SUMS}: do not install this")
    stated, found = sums.read_text("utf-8"), checksums(out)
    if stated != found:
        differ = sorted({line[66:] for line in set(stated.splitlines()) ^ set(found.splitlines())})
        raise Refused(f"not what was signed: {', '.join(differ)}: do not install this")
    return len(stated.splitlines())


def checksums(out: Path) -> str:
    """As sha256sum(1) writes them, by name; the sums' own files left out."""
    files = sorted(each for each in out.iterdir() if not each.name.startswith(SUMS))
    return "".join(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files)


def dated(bill: dict[str, Any], made: int, commit: str) -> dict[str, Any]:
    """A bill of materials that names its commit, and is the same for everybody who makes it from there."""
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"liaison:{commit}").urn
    told = {**bill["metadata"], "timestamp": datetime.fromtimestamp(made, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    told["properties"] = [{"name": "vcs:commit", "value": commit}]
    return {**bill, "serialNumber": serial, "metadata": told}


def _run(*command: str, environment: dict[str, str] | None = None) -> None:
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise Refused(f"{Path(command[0]).name} {command[1]} failed: see above")


def _said(*command: str, failed: str = "") -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(failed or f"{Path(command[0]).name} {command[1]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def main(arguments: list[str]) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="release.py", description="Make a release, or check one.")
    todo = parser.add_subparsers(dest="todo", required=True)
    for name, option in (("build", "--key"), ("verify", "--signers")):
        one = todo.add_parser(name)
        one.add_argument(option, type=Path, required=True)
        one.add_argument("--out", type=Path, default=ROOT / "dist")
        one.add_argument("--uv", default="uv")
    given = parser.parse_args(arguments)
    try:
        if given.todo == "build":
            for each in release(given.uv, given.key.expanduser().absolute(), given.out.absolute()):
                print(each.name)
        else:
            print(f"{verify(given.signers.absolute(), given.out.absolute())} files, as they were signed")
    except Refused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
