"""Backups of a node's state: made while it is open, checked, put into an empty directory, or refused."""

import json
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.cask import Lid, Packing
from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Tlp
from subscribers.cli import app
from subscribers.judging.returned import standing
from subscribers.keys import Keyring
from subscribers.local.clients import Registry
from subscribers.recovery.copying import make, read_passphrase, restore, verify
from subscribers.service.roles import Role
from subscribers.storage import tables
from subscribers.storage.store import Store
from tests.support.federation import AT, random_from
from tests.unit.test_enrolment import admission

WORD = "correct horse battery staple"


@pytest.fixture
async def state(tmp_path: Path) -> Path:
    """A state directory with a feed that has read as far as 41, and one local client."""
    state = tmp_path / "agency"
    ring = Keyring.create(state / "keys", "esp", "Agency esp", "ESP", random=random_from("copying"))
    (state / "admission.json").write_text(json.dumps(admission().model_dump()))
    (state / "admission.json").chmod(0o600)
    Registry(state / "local").add("cli", Role.ADMIN, Tlp.RED, bytes(32))
    (state / "attachments").mkdir()
    (state / "attachments" / "big.chunks").write_bytes(b"x")
    async with await Store.open(state / "node.db", ring.archive, tables.NODE) as store:
        await store.transact(
            lambda connection: connection.execute("INSERT INTO feeds VALUES ('TRAFFIC', 41)")
        )
    return state


def refused(passphrase: str, path: Path, into: Path) -> Code:
    with pytest.raises(LiaisonError) as error:
        restore(path, passphrase, into)
    assert not into.exists() or any(into.iterdir())
    assert WORD not in str(error.value)
    return error.value.code


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


async def test_a_node_that_runs_is_copied_and_comes_back(state: Path, tmp_path: Path) -> None:
    out, new = tmp_path / "node.backup", tmp_path / "new" / "agency"
    key = Keyring.load(state / "keys").archive
    async with await Store.open(state / "node.db", key, tables.NODE) as store:
        sql = "INSERT INTO counters VALUES ('epoch', 5)"
        await store.transact(lambda connection: connection.execute(sql).fetchall())  # in the log alone
        told = make(state, out, WORD, AT)
        await store.transact(lambda connection: connection.execute("DELETE FROM counters").fetchall())
    assert (told.agency, told.sequence, told.bulletins, told.size) == ("esp", 41, 0, out.stat().st_size)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert names(tmp_path) == ["agency", "node.backup"]
    assert verify(out, WORD) == told
    assert restore(out, WORD, new) == told
    found = {str(each.relative_to(new)) for each in new.rglob("*") if each.is_file()}
    assert {"admission.json", "keys/identity.key", "local/clients.json", "local/clients/cli.nk"} <= found
    assert not [each for each in found if each.startswith("attachments")]
    assert Keyring.load(new / "keys").seeds() == Keyring.load(state / "keys").seeds()
    async with await Store.open(new / "node.db", key, tables.NODE) as store:
        assert await store.query("SELECT value FROM counters") == [(5,)]
        copy = await standing(store)
        assert copy is not None
        assert (copy.made, copy.sequence, copy.ended) == (AT, 41, None)
    async with await Store.open(state / "node.db", key, tables.NODE) as store:
        assert await standing(store) is None  # the original is none


async def test_what_is_wrong_is_refused_and_leaves_nothing(state: Path, tmp_path: Path) -> None:
    out, new = tmp_path / "node.backup", tmp_path / "new"
    make(state, out, WORD, AT)
    with pytest.raises(LiaisonError) as again:
        make(state, out, WORD, AT)
    assert again.value.code is Code.ALREADY_KNOWN
    assert refused(WORD, out, state) is Code.ALREADY_KNOWN
    assert refused("another passphrase", out, new) is Code.WRONG_KEY
    whole = out.read_bytes()
    for spoilt, code in ((whole[:-9], Code.TRUNCATED), (whole[:600] + b"!" + whole[601:], Code.WRONG_KEY)):
        out.write_bytes(spoilt)
        assert refused(WORD, out, new) is code
    out.write_bytes(b"not one")
    assert refused(WORD, out, new) is Code.BAD_DOCUMENT
    with out.open("wb") as file:
        Packing(file.write, Lid.fresh("hub", AT), WORD).close()
    assert refused(WORD, out, new) is Code.BAD_REQUEST
    assert refused(WORD, tmp_path / "absent", new) is Code.NOT_FOUND
    with pytest.raises(LiaisonError) as nowhere:
        make(state, tmp_path / "no" / "such" / "place", WORD, AT)
    assert nowhere.value.code is Code.NOT_FOUND


async def test_a_backup_of_a_newer_program_is_refused_and_of_an_older_is_brought_up(
    state: Path, tmp_path: Path
) -> None:
    key = Keyring.load(state / "keys").archive
    async with await Store.open(state / "node.db", key, [*tables.NODE, "CREATE TABLE later (x)"]):
        pass
    make(state, tmp_path / "newer", WORD, AT)
    assert refused(WORD, tmp_path / "newer", tmp_path / "new") is Code.BAD_VERSION
    (state / "node.db").unlink()
    async with await Store.open(state / "node.db", key, tables.NODE[:5]):
        pass
    make(state, tmp_path / "older", WORD, AT)
    restore(tmp_path / "older", WORD, tmp_path / "new")
    async with await Store.open(tmp_path / "new" / "node.db", key, tables.NODE) as store:
        assert await store.query("PRAGMA user_version") == [(len(tables.NODE),)]


def test_the_passphrase_is_in_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    file = tmp_path / "pass"
    file.write_text(f"{WORD}\nsecond line\n")
    with pytest.raises(LiaisonError) as seen:
        read_passphrase(file)
    assert seen.value.code is Code.FORBIDDEN
    file.chmod(0o600)
    assert read_passphrase(file) == WORD
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(LiaisonError) as binary:
        read_passphrase(file)
    assert binary.value.code is Code.BAD_REQUEST


async def test_the_commands(state: Path, tmp_path: Path) -> None:
    word = tmp_path / "pass"
    word.write_text(f"{WORD}\n")
    word.chmod(0o600)
    backups = tmp_path / "backups"
    backups.mkdir()
    given = ["--passphrase-file", str(word)]
    made = CliRunner().invoke(app, ["backup", str(backups), *given, "--state", str(state), "--json"])
    assert made.exit_code == 0, made.output
    said = json.loads(made.output)
    assert Path(said["file"]).parent == backups
    assert CliRunner().invoke(app, ["backup", said["file"], *given, "--verify"]).exit_code == 0
    new = tmp_path / "new"
    back = CliRunner().invoke(app, ["restore", said["file"], *given, "--state", str(new)])
    assert back.exit_code == 0, back.output
    for told in ("liaison-agency run", "liaison-agency doctor", "keys rotate", "If the hub was lost"):
        assert told in back.output
    os.truncate(said["file"], 1000)
    again = CliRunner().invoke(app, ["restore", said["file"], *given, "--state", str(tmp_path / "x")])
    assert again.exit_code == 1
