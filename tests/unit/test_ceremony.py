import stat
from pathlib import Path

import pytest

from hub import ceremony
from hub.ceremony import CeremonyKey, NewRoles, Share
from hub.watch import Watch, next_watch
from schemas.directory import Directory
from schemas.documents import Agency, Hub
from schemas.encoding import to_base64
from schemas.errors import LiaisonError
from schemas.limits import COOL_DOWN
from schemas.signing import DOCUMENT_TYPE, sign_envelope, verify
from tests.support.frames import AgencyKit, Pair

NOW = 1_800_000_000_000
ROLES, REGISTRARS = Share(2, 3), Share(1, 2)
WATCH = Watch([], 0, 86_400_000)


@pytest.fixture
def fresh() -> NewRoles:
    return NewRoles.generate(ROLES, REGISTRARS)


def test_a_root_that_everybody_accepts(fresh: NewRoles) -> None:
    root = ceremony.create_root(fresh, ROLES, REGISTRARS, WATCH, NOW).to_bytes()
    directory = Directory.pinned(root)
    assert (directory.root.root.threshold, len(directory.root.root.keys)) == (2, 3)
    assert (directory.root.registrar.threshold, len(directory.root.registrar.keys)) == (1, 2)


def test_an_agency_is_signed_for_and_countersigned(fresh: NewRoles) -> None:
    strict = Share(2, 2)
    root = ceremony.create_root(fresh, ROLES, strict, WATCH, NOW).to_bytes()
    directory = Directory.pinned(root)
    kit = AgencyKit("fra", "Agency", "FRA")
    asked, envelope = ceremony.sign_agency(kit.enrolment(NOW), 1, fresh.registrar[:1], NOW)
    assert asked.id == "fra"
    assert ceremony.still_needed(envelope, directory.root.registrar) == 1
    with pytest.raises(LiaisonError, match="below_threshold"):
        directory.apply(envelope.to_bytes())
    whole = ceremony.countersign(envelope.to_bytes(), fresh.registrar[1:])
    assert ceremony.still_needed(whole, directory.root.registrar) == 0
    assert isinstance(directory.apply(whole.to_bytes()).agencies["fra"], Agency)
    assert ceremony.describe(whole.to_bytes())["document"]["code"] == "FRA"
    assert len(ceremony.describe(whole.to_bytes())["signed_by"]) == 2


def test_a_request_must_prove_its_key(fresh: NewRoles) -> None:
    kit = AgencyKit("fra", "Agency", "FRA")
    kit.identity.public = Pair().public
    with pytest.raises(LiaisonError, match="bad_signature"):
        ceremony.sign_agency(kit.enrolment(NOW), 1, fresh.registrar, NOW)
    document = Hub(version=1, issued=NOW, name="Hub", key=to_base64(Pair().public))
    unproven = sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [Pair()])
    with pytest.raises(LiaisonError, match="bad_signature"):
        ceremony.sign_hub(unproven.to_bytes(), fresh.registrar)
    root = ceremony.create_root(fresh, ROLES, REGISTRARS, WATCH, NOW).to_bytes()
    with pytest.raises(LiaisonError, match="not a hub's request"):
        ceremony.sign_hub(root, fresh.registrar)


def test_a_rotation_needs_the_old_threshold_and_the_new(fresh: NewRoles) -> None:
    root = ceremony.create_root(fresh, ROLES, REGISTRARS, WATCH, NOW).to_bytes()
    directory = Directory.pinned(root)
    share = Share(1, 1)
    new = NewRoles.generate(share, None)
    envelope = ceremony.rotate_root(directory.root, new, share, None, None, fresh.root[:1], NOW)
    assert ceremony.still_needed(envelope, directory.root.root) == 1
    with pytest.raises(LiaisonError, match="below_threshold"):
        directory.apply(envelope.to_bytes())
    whole = ceremony.countersign(envelope.to_bytes(), fresh.root[1:2])
    grown = directory.apply(whole.to_bytes())
    assert (grown.root.version, grown.root.registrar) == (2, directory.root.registrar)
    assert ceremony.read_root(whole.to_bytes()) == grown.root


def test_a_key_of_another_role_is_told_before_it_signs(fresh: NewRoles) -> None:
    root = ceremony.read_root(ceremony.create_root(fresh, ROLES, REGISTRARS, WATCH, NOW).to_bytes())
    ceremony.check_holds(root.registrar, fresh.registrar, "registrar")
    with pytest.raises(LiaisonError, match="unknown_key"):
        ceremony.check_holds(root.registrar, fresh.root, "registrar")


@pytest.mark.parametrize("passphrase", [None, b"correct horse battery staple"])
def test_a_key_file_comes_back(tmp_path: Path, passphrase: bytes | None) -> None:
    key = CeremonyKey.generate()
    path = tmp_path / "root-1.key"
    key.save(path, passphrase)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = CeremonyKey.load(path, passphrase)
    assert verify(key.public, b"message", again.sign(b"message"))
    with pytest.raises(LiaisonError, match="already_known"):
        key.save(path, passphrase)
    wrong = b"wrong" if passphrase else b"needless"
    with pytest.raises(LiaisonError, match="wrong_key"):
        CeremonyKey.load(path, wrong)
    if passphrase:
        assert b"ENCRYPTED" in path.read_bytes()
        with pytest.raises(LiaisonError, match="under a passphrase"):
            CeremonyKey.load(path, None)
    path.chmod(0o644)
    with pytest.raises(LiaisonError, match="forbidden"):
        CeremonyKey.load(path, passphrase)


def test_what_is_no_key_file(tmp_path: Path) -> None:
    path = tmp_path / "x.key"
    path.write_bytes(b"nonsense")
    path.chmod(0o600)
    with pytest.raises(LiaisonError, match="wrong_key"):
        CeremonyKey.load(path, None)


def test_no_key_shows_itself(fresh: NewRoles) -> None:
    assert "CeremonyKey object" in repr(fresh.root[0])


@pytest.mark.parametrize("text", ["0-of-1", "2-of-1", "1", "1 of 2", "1-of-33", "01-of-2", "1-of-2x"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(LiaisonError, match="bad_request"):
        Share.parse(text)


def test_shares() -> None:
    assert Share.parse("2-of-3") == (2, 3)
    assert Share.parse("32-of-32") == (32, 32)


KEYS = [to_base64(Pair().public) for _ in range(3)]


def test_witnesses_come_into_the_root_and_stay_until_they_are_changed(fresh: NewRoles) -> None:
    watch = Watch.parse([f"w{n}.example={key}" for n, key in enumerate(KEYS)], 2, "36h")
    root = ceremony.create_root(fresh, ROLES, REGISTRARS, watch, NOW).to_bytes()
    directory = Directory.pinned(root)
    assert [each.name for each in directory.root.witnesses] == ["w0.example", "w1.example", "w2.example"]
    assert (directory.root.quorum, directory.root.freshness) == (2, 36 * 3_600_000)
    share = Share(1, 1)
    same = ceremony.rotate_root(
        directory.root, NewRoles.generate(None, share), None, share, None, fresh.root, NOW
    )
    rotated = directory.apply(same.to_bytes()).root
    assert (rotated.witnesses, rotated.quorum) == (directory.root.witnesses, 2)
    fewer = next_watch(rotated, [f"w0.example={KEYS[0]}"], 1, None)
    none = NewRoles.generate(None, None)
    changed = ceremony.rotate_root(directory.root, none, None, None, fewer, fresh.root, NOW)
    after = directory.apply(changed.to_bytes()).root
    assert ([each.key for each in after.witnesses], after.quorum) == (KEYS[:1], 1)
    assert after.freshness == 36 * 3_600_000
    assert next_watch(after, None, None, "7d") == (after.witnesses, 1, 7 * 86_400_000, COOL_DOWN)
    longer = next_watch(after, None, None, None, "96h")
    assert longer.cooldown == 96 * 3_600_000
    with pytest.raises(LiaisonError, match="bad_request"):
        next_watch(after, None, None, None, "71h")
    assert Watch.parse([], 0, "24h", "5s").cooldown == 5_000


@pytest.mark.parametrize(
    "witnesses, quorum, freshness",
    [
        ([f"a={KEYS[0]}"], 2, "24h"),
        ([f"a={KEYS[0]}", f"a={KEYS[1]}"], 1, "24h"),
        ([f"a={KEYS[0]}", f"b={KEYS[0]}"], 1, "24h"),
        ([f"a b={KEYS[0]}"], 1, "24h"),
        (["a"], 1, "24h"),
        ([f"a={to_base64(bytes(32))}"], 1, "24h"),
        ([f"w{n}={to_base64(Pair().public)}" for n in range(17)], 1, "24h"),
        ([], 0, "1 day"),
        ([], 0, "0h"),
    ],
)
def test_what_no_root_could_say_of_witnesses(witnesses: list[str], quorum: int, freshness: str) -> None:
    with pytest.raises(LiaisonError, match="bad_request"):
        Watch.parse(witnesses, quorum, freshness)
