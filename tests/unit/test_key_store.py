"""Keys on disk through a rotation that is killed (SIGKILL) at every step of the file system."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import Code, LiaisonError
from subscribers.keyring.key_store import Rack
from subscribers.keys import Keyring
from tests.support.federation import random_from

ROOT = Path(__file__).parents[2]
_KILLER = """
import os, signal, sys
from pathlib import Path
from subscribers.keyring.key_store import Rack
from tests.support.federation import random_from

directory, what, step = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rack, left = Rack.load(directory), step

def watch(event, given):
    global left
    if event in {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "open"} and str(directory) in str(given):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

# One process for all steps: each child is killed at its own.
while True:
    left = step
    child = os.fork()
    if child == 0:
        sys.addaudithook(watch)
        rack.stage(random_from("next"), encryption=True) if what == "stage" else rack.promote()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(step, os.WIFSIGNALED(status), flush=True)
    if sys.stdin.readline() != "go\\n":
        break
    rack, step = Rack.load(directory), step + 1
"""


def made(directory: Path) -> Keyring:
    return Keyring.create(directory, "esp", "Agency esp", "ESP", random=random_from("first"))


def public(ring: Keyring) -> tuple[bytes, bytes]:
    return ring.signing.public, ring.encryption.public


def names(directory: Path) -> set[str]:
    return {str(each.relative_to(directory)) for each in directory.rglob("*") if each.is_file()}


def test_a_rotation_on_disk(tmp_path: Path) -> None:
    before = made(tmp_path / "keys")
    rack = Rack.load(tmp_path / "keys")
    staged = rack.stage(random_from("next"), encryption=True)
    assert public(rack.ring) == public(before)
    assert public(Rack.load(tmp_path / "keys").ring) == public(before)
    # A publisher may see the new key in the directory before we do.
    assert [each.kid for each in rack.kems] == [before.encryption.kid, staged.encryption.kid]
    rack.promote()
    again = Rack.load(tmp_path / "keys")
    for each in (rack, again):
        assert public(each.ring) == public(staged)
        assert each.staged is None
        assert [kem.kid for kem in each.kems] == [staged.encryption.kid, before.encryption.kid]
    assert again.ring.identity == before.identity
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "keys").rglob("*"))


def test_promoting_nothing_changes_nothing(tmp_path: Path) -> None:
    before = made(tmp_path / "keys")
    rack = Rack.load(tmp_path / "keys")
    rack.promote()
    assert public(rack.ring) == public(before)


def test_a_signing_key_alone_leaves_nothing_behind(tmp_path: Path) -> None:
    before = made(tmp_path / "keys")
    rack = Rack.load(tmp_path / "keys")
    rack.stage(random_from("next"), encryption=False)
    rack.promote()
    assert rack.ring.encryption == before.encryption
    assert rack.ring.signing != before.signing
    assert rack.old == {}


def test_staged_keys_that_the_hub_refused_are_forgotten(tmp_path: Path) -> None:
    made(tmp_path / "keys")
    held = names(tmp_path / "keys")
    rack = Rack.load(tmp_path / "keys")
    rack.stage(random_from("next"), encryption=True)
    rack.discard()
    assert names(tmp_path / "keys") == held
    assert Rack.load(tmp_path / "keys").staged is None


def test_a_destroyed_key_was_overwritten(tmp_path: Path) -> None:
    made(tmp_path / "keys")
    rack = Rack.load(tmp_path / "keys")
    rack.stage(random_from("next"), encryption=True)
    rack.promote()
    (kid,) = rack.old
    path = tmp_path / "keys" / "past" / f"{kid}.key"
    with path.open("rb") as held:  # the file, whatever becomes of its name
        size = path.stat().st_size
        rack.destroy(kid)
        assert held.read() == bytes(size)
    assert not path.exists()
    assert rack.old == {}
    rack.destroy(kid)  # gone is gone


def test_a_replaced_file_was_overwritten(tmp_path: Path) -> None:
    made(tmp_path / "keys")
    rack = Rack.load(tmp_path / "keys")
    with (tmp_path / "keys" / "signing.key").open("rb") as held:
        rack.stage(random_from("next"), encryption=True)
        rack.promote()
        assert set(held.read()) == {0}


@pytest.mark.parametrize("what", ["stage", "promote"])
@pytest.mark.timeout(600)
def test_killed_at_every_step(tmp_path: Path, what: str) -> None:
    directory = tmp_path / "keys"
    before = made(directory)
    target = None
    if what == "promote":
        target = Rack.load(directory).stage(random_from("next"), encryption=True)
    command = [sys.executable, "-c", _KILLER, str(directory), what, "1"]
    killed = 0
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ}
    ) as process:
        assert process.stdin
        assert process.stdout
        while (line := process.stdout.readline().split()) and line[1] == "True":
            killed += 1
            rack = Rack.load(directory)
            if what == "stage":
                # Nothing, or everything: a complete pair of new keys.
                assert public(rack.ring) == public(before)
                if rack.staged is not None:
                    rack.discard()
            else:
                # What is begun is finished; the old encryption key is not lost on the way.
                assert target is not None
                if rack.staged is not None:
                    assert public(rack.staged) == public(target)
                    rack.promote()
                assert public(rack.ring) == public(target)
                assert before.encryption.kid.hex() in rack.old
                rebuild(directory, before)
            process.stdin.write("go\n")
            process.stdin.flush()
        process.stdin.write("stop\n")
        process.stdin.flush()
    assert killed >= 5
    assert not [name for name in names(directory) if name.startswith(".")]


def rebuild(directory: Path, before: Keyring) -> None:
    """The keys as they were before the rotation, with the same ones staged."""
    rack = Rack.load(directory)
    for kid in list(rack.old):
        rack.destroy(kid)
    for path in directory.glob("*.*"):
        path.unlink()
    (directory / "past").rmdir()
    directory.rmdir()
    Keyring.restore(directory, before.profile, before.seeds())
    Rack.load(directory).stage(random_from("next"), encryption=True)


def test_a_damaged_replaced_key_is_told(tmp_path: Path) -> None:
    made(tmp_path / "keys")
    rack = Rack.load(tmp_path / "keys")
    rack.stage(random_from("next"), encryption=True)
    rack.promote()
    (path,) = (tmp_path / "keys" / "past").iterdir()
    path.write_bytes(b"liaison/1 signing " + b"0" * 64 + b"\n")
    with pytest.raises(LiaisonError) as refused:
        Rack.load(tmp_path / "keys")
    assert refused.value.code is Code.WRONG_KEY


def test_an_identity_to_come_waits_beside_the_present_one(tmp_path: Path) -> None:
    before = made(tmp_path / "keys")
    rack = Rack.load(tmp_path / "keys")
    following = rack.stage_identity(random_from("next"))
    assert (tmp_path / "keys" / "next-identity.key").stat().st_mode & 0o777 == 0o600
    rack = Rack.load(tmp_path / "keys")
    assert rack.next_identity == following
    assert not rack.follow_identity(before.identity.public)
    assert not rack.follow_identity(None)
    rack.stage(random_from("later"), encryption=True)
    assert rack.follow_identity(following.public)
    assert rack.staged is not None
    assert rack.staged.identity == rack.ring.identity == following
    again = Rack.load(tmp_path / "keys")
    assert (again.ring.identity, again.next_identity) == (following, None)
    assert public(again.ring) == public(before)
    assert not again.follow_identity(following.public)


def test_an_identity_that_was_half_taken_up_is_taken_up_again(tmp_path: Path) -> None:
    made(tmp_path / "keys")
    rack = Rack.load(tmp_path / "keys")
    following = rack.stage_identity(random_from("next"))
    line = (tmp_path / "keys" / "next-identity.key").read_bytes()
    rack.follow_identity(following.public)
    (tmp_path / "keys" / "next-identity.key").touch(mode=0o600)
    (tmp_path / "keys" / "next-identity.key").write_bytes(line)  # killed before it was removed
    again = Rack.load(tmp_path / "keys")
    assert again.follow_identity(following.public)
    assert names(tmp_path / "keys") == names(tmp_path / "keys") - {"next-identity.key"}
    assert Rack.load(tmp_path / "keys").ring.identity == following
