"""A release as it is made and checked: from a clean clone, with a key made for it."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")


def told(clone: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, str(clone / "deploy" / "release.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def key_for(place: Path, name: str) -> Path:
    """A key, and beside it `name.signers`, which trusts it alone."""
    key = place / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)], check=True)
    kind, public, _ = key.with_suffix(".pub").read_text().split()
    key.with_suffix(".signers").write_text(f"{name}@example.org {kind} {public}\n")
    return key


def test_a_release_is_made_and_what_was_changed_is_refused(tmp_path: Path) -> None:
    clone, out = tmp_path / "clone", tmp_path / "out"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    ours, other = key_for(tmp_path, "ours"), key_for(tmp_path, "other")
    place = ("--out", str(out), "--uv", UV)

    (clone / "left-over.txt").write_text("x")
    status, said = told(clone, "build", "--key", str(ours), *place)
    assert (status, "left-over.txt" in said, out.exists()) == (1, True, False)
    (clone / "left-over.txt").unlink()

    status, said = told(clone, "build", "--key", str(ours), *place)
    assert status == 0, said
    suffixes = (".cdx.json", ".requirements.txt", ".tar.gz", ".whl", "SHA256SUMS", "SHA256SUMS.sig")
    assert sorted(suffixes) == sorted(
        next(s for s in suffixes[::-1] if each.endswith(s)) for each in said.split()
    )
    _complete(out)
    signers = str(ours.with_suffix(".signers"))
    assert told(clone, "verify", "--signers", signers, *place) == (0, "4 files, as they were signed\n")

    status, said = told(clone, "verify", "--signers", str(other.with_suffix(".signers")), *place)
    assert (status, "nobody in the signers' file" in said) == (1, True)
    sums = out / "SHA256SUMS"
    true = sums.read_text()
    sums.write_text(true.replace("  liaison", "  Liaison", 1))
    status, said = told(clone, "verify", "--signers", signers, *place)
    assert (status, "not over this" in said) == (1, True)
    sums.write_text(true)
    (wheel,) = out.glob("*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    status, said = told(clone, "verify", "--signers", signers, *place)
    assert (status, wheel.name in said) == (1, True)


def _complete(out: Path) -> None:
    """The wheel has the four packages and nothing else; the bill names every requirement with hashes."""
    (wheel,) = out.glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "bots",
        "hub",
        "schemas",
        "subscribers",
    }
    (pinned,) = out.glob("*.requirements.txt")
    needed = [line for line in pinned.read_text().splitlines() if "==" in line]
    assert pinned.read_text().count("--hash=sha256:") >= len(needed) > 40
    (bill,) = out.glob("*.cdx.json")
    parts = json.loads(bill.read_text())
    assert parts["specVersion"] == "1.5"
    listed = {f"{each['name']}=={each['version']}" for each in parts["components"]}
    assert {line.split(" ")[0] for line in needed} <= listed
    assert all(
        reference["hashes"]
        for each in parts["components"]
        for reference in each.get("externalReferences", [])
    )
