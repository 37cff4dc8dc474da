"""Backups of keys: shares, passphrase, file; each that is wrong is refused with a code."""

import itertools
import json
import re
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.encoding import parse_json
from schemas.errors import Code, LiaisonError
from subscribers.cli import app
from subscribers.exchange.hub_link import Admission
from subscribers.keyring.backup import (
    Backup,
    make,
    open_backup,
    parse_shares,
    read_file,
    sheet,
    threshold_of,
    write_file,
)
from subscribers.keys import Keyring
from tests.support.federation import AT, random_from
from tests.unit.test_enrolment import admission

WORD = "correct horse"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("state")
    Keyring.create(state / "keys", "esp", "Agency esp", "ESP", random=random_from("backup"))
    (state / "admission.json").write_text(json.dumps(admission().model_dump()))
    return state


@pytest.fixture(scope="module")
def backup(state: Path) -> Backup:
    return make(state, 2, 4, WORD, now=AT)


def refused(data: bytes, shares: list[str], passphrase: str = WORD) -> Code:
    with pytest.raises(LiaisonError) as error:
        open_backup(data, shares, passphrase)
    text = str(error.value)
    assert not any(word in text.split() for share in shares for word in share.split() if len(word) > 6)
    return error.value.code


def test_any_two_shares_give_everything_back(state: Path, backup: Backup) -> None:
    keys = Keyring.load(state / "keys")
    for pair in itertools.combinations(backup.shares, 2):
        content = open_backup(backup.data, list(pair), WORD)
        assert content.secrets() == keys.seeds()
        assert content.profile == keys.profile
        assert content.admission == admission()


def test_sheets_are_read_back_and_more_than_enough_is_enough(state: Path, backup: Backup) -> None:
    sheets = [sheet(backup, number) for number in range(1, 5)]
    assert all("share" in each and "esp" in each for each in sheets)
    content = open_backup(backup.data, sheets, WORD)
    assert content.secrets() == Keyring.load(state / "keys").seeds()


def test_too_few_shares(backup: Backup) -> None:
    assert refused(backup.data, []) is Code.WRONG_KEY
    for share in backup.shares:
        assert refused(backup.data, [share]) is Code.WRONG_KEY
        assert refused(backup.data, [share, share]) is Code.WRONG_KEY


def test_another_passphrase(backup: Backup) -> None:
    shares = list(backup.shares[:2])
    for wrong in ("", "correct horsf", WORD + " "):
        assert refused(backup.data, shares, wrong) is Code.WRONG_KEY
    assert refused(backup.data, shares, "mot-clé") is Code.BAD_REQUEST


def test_shares_of_another_backup_and_a_misread_word(state: Path, backup: Backup) -> None:
    other = make(state, 2, 4, WORD, now=AT)
    assert refused(backup.data, [backup.shares[0], other.shares[1]]) is Code.WRONG_KEY
    assert refused(backup.data, list(other.shares[:2])) is Code.WRONG_KEY
    words = backup.shares[0].split()
    misread = " ".join([*words[:-1], "academic" if words[-1] != "academic" else "acid"])
    assert refused(backup.data, [misread, backup.shares[1]]) is Code.WRONG_KEY
    assert refused(backup.data, ["nothing that is a word", backup.shares[1]]) is Code.WRONG_KEY


def test_a_file_that_was_changed(backup: Backup) -> None:
    shares = list(backup.shares[:2])
    fields = parse_json(backup.data, 1 << 16)
    for name, value in {"agency": "fra", "made": AT + 1, "count": 5, "sealed": fields["sealed"][4:]}.items():
        assert refused(json.dumps({**fields, name: value}).encode(), shares) is Code.WRONG_KEY
    for broken in (b"", b"{}", b"\xff", json.dumps({**fields, "v": 2}).encode(), b"x" * (1 << 17)):
        assert refused(broken, shares) is Code.BAD_DOCUMENT
    assert refused(json.dumps({**fields, "sealed": "!"}).encode(), shares) is Code.WRONG_KEY


def test_the_file_shows_no_secret(state: Path, backup: Backup) -> None:
    for seed in Keyring.load(state / "keys").seeds().values():
        assert seed not in backup.data
        assert seed.hex().encode() not in backup.data
    content = open_backup(backup.data, list(backup.shares[:2]), WORD)
    assert {repr(content), str(content), repr(backup)} == {"<Content>", "<Backup>"}


def test_the_file_on_disk(tmp_path: Path, backup: Backup) -> None:
    path = tmp_path / "keys.backup"
    write_file(path, backup.data)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_file(path) == backup.data
    assert threshold_of(backup.data) == 2
    with pytest.raises(LiaisonError) as error:
        write_file(path, b"another")
    assert error.value.code is Code.ALREADY_KNOWN
    with pytest.raises(LiaisonError) as error:
        read_file(tmp_path / "nowhere")
    assert error.value.code is Code.BAD_DOCUMENT


def test_one_share_for_one_holder_without_an_admission(tmp_path: Path) -> None:
    Keyring.create(tmp_path / "keys", "esp", "Agency esp", "ESP")
    made = make(tmp_path, 1, 1, "", now=AT)
    assert open_backup(made.data, list(made.shares), "").admission is None


@pytest.mark.parametrize("text", ["3of5", "0-of-0", "4-of-3", "1-of-2", "2-of-17", "-1-of-3", "2-of-03", ""])
def test_shares_that_cannot_be(text: str) -> None:
    with pytest.raises(LiaisonError) as error:
        parse_shares(text)
    assert error.value.code is Code.BAD_REQUEST


def test_shares_that_can_be() -> None:
    assert [parse_shares(each) for each in ("1-of-1", "2-of-2", "3-of-5", "16-of-16")] == [
        (1, 1),
        (2, 2),
        (3, 5),
        (16, 16),
    ]


def test_by_hand_sheets_are_shown_and_words_and_passphrase_asked_for(state: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    file = tmp_path / "by-hand.backup"
    words = ["keys", "backup", "--out", str(file), "--shares", "2-of-3", "--state", str(state)]
    shown = runner.invoke(app, words, input=f"{WORD}\n{WORD}\n")
    assert shown.exit_code == 0, shown.output
    sheets = shown.stdout.split("\f")
    assert len(sheets) == 3
    typed = [" ".join(re.findall(r"^ ?\d+ [a-z]+ *(?:\d+ .*)?$", each, re.MULTILINE)) for each in sheets]
    anew = tmp_path / "anew"
    restore = ["keys", "restore", str(file), "--state", str(anew)]
    wrong = runner.invoke(app, restore, input=f"{typed[0]}\n{typed[2]}\nincorrect horse\n")
    assert (wrong.exit_code, wrong.stderr.partition(":")[0]) == (1, "wrong_key")
    assert not anew.exists()
    done = runner.invoke(app, restore, input=f"{typed[0]}\n{typed[2]}\n{WORD}\n")
    assert done.exit_code == 0, done.output
    before, after = Keyring.load(state / "keys"), Keyring.load(anew / "keys")
    assert after.identity == before.identity
    # No key of the lost machine serves a second account.
    kept = [name for name, seed in after.seeds().items() if seed == before.seeds()[name]]
    assert kept == ["identity"]
    assert (anew / "enrolment.dsse").exists()


def test_the_same_keys_for_a_state_that_survived(state: Path, tmp_path: Path, backup: Backup) -> None:
    write_file(tmp_path / "keys.backup", backup.data)
    word = tmp_path / "word"
    word.write_text(f"{WORD}\n")
    anew = tmp_path / "anew"
    words = ["keys", "restore", str(tmp_path / "keys.backup"), "--same", "--state", str(anew), "--json"]
    for number in (1, 2):
        path = tmp_path / f"share-{number}"
        path.write_text(sheet(backup, number))
        words += ["--share", str(path)]
    done = CliRunner().invoke(app, [*words, "--passphrase-file", str(word)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["request"] is None
    assert Keyring.load(anew / "keys").seeds() == Keyring.load(state / "keys").seeds()
    assert Admission.read(anew / "admission.json") == admission()


@pytest.mark.parametrize("shares", ["1-of-2", "5"])
def test_a_passphrase_or_shares_that_cannot_be_are_told(state: Path, tmp_path: Path, shares: str) -> None:
    out = tmp_path / "no.backup"
    words = ["keys", "backup", "--out", str(out), "--state", str(state)]
    refusal = CliRunner().invoke(app, [*words, "--shares", shares], input="a\na\n")
    assert (refusal.exit_code, refusal.stderr.partition(":")[0]) == (1, "bad_request")
    refusal = CliRunner().invoke(app, [*words, "--passphrase-file", str(tmp_path / "nowhere")])
    assert (refusal.exit_code, refusal.stderr.partition(":")[0]) == (1, "bad_settings")
    assert not out.exists()
