"""The systemd units: as closed as the operator guide says, with commands and settings that there are."""

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from tests.contract.test_compose import commands_have

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy/systemd"
GUIDE = (ROOT / "docs/operator-guide.md").read_text("utf-8").split("\n## As services\n")[1].split("\n## ")[0]
SECRETS = "/etc/liaison/secrets/"
SERVICES = sorted(UNITS.glob("*.service"))
BIN = "/opt/liaison/bin/"

CLOSED = {
    "User": "liaison",
    "UMask": "0077",
    "NoNewPrivileges": "true",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "PrivateDevices": "true",
    "ProtectProc": "invisible",
    "RestrictNamespaces": "true",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "MemoryDenyWriteExecute": "true",
    "LimitCORE": "0",
}


def values(unit: Path, key: str) -> list[str]:
    return [value for name, value in pairs(unit) if name == key]


def pairs(unit: Path) -> list[tuple[str, str]]:
    lines = [each for each in unit.read_text("utf-8").splitlines() if "=" in each and each[0] not in "#["]
    return [(key, value) for key, _, value in (each.partition("=") for each in lines)]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_may_do_no_more_than_it_must(unit: Path) -> None:
    said = dict(pairs(unit))
    assert {key: said.get(key) for key in CLOSED} == CLOSED
    paths = said["ReadWritePaths"].split()
    assert all(each.startswith(("/var/lib/liaison/", "/var/backups/liaison")) for each in paths)
    assert said["WorkingDirectory"] in paths


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_its_secrets_are_credentials_and_nothing_secret_is_an_argument(unit: Path) -> None:
    for each in values(unit, "LoadCredential"):
        assert re.fullmatch(r"[a-z.-]+:/etc/liaison/secrets/[a-z.-]+", each)
    given = dict(each.partition("=")[::2] for each in values(unit, "Environment"))
    assert all(name.endswith("_FILE") and value.startswith("%d/") for name, value in given.items())
    (command,) = values(unit, "ExecStart")
    name, *words = command.removeprefix(BIN).split()
    assert commands_have([name, *words])
    prefix = {"liaison-hub": "hub", "liaison-bot": "bots"}.get(name, "subscribers")
    kinds = vars(importlib.import_module(f"{prefix}.settings")).values()
    settings = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseSettings)]
    known = {
        f"{kind.model_config.get('env_prefix', '')}{field}".upper()
        for kind in settings
        for field in kind.model_fields
    }
    assert given.keys() <= known


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_the_guide_has_each_secret_made_before_its_unit_is_enabled(unit: Path) -> None:
    started = unit.name.replace("@.", "@geneva.")
    if unit.stem.startswith("liaison-backup-"):
        started = f"{unit.stem}.timer"
    enabled = re.search(rf"systemctl enable --now[^#`\n]*\b{re.escape(started)}", GUIDE)
    assert enabled, f"nobody is told to enable {started}"
    for each in values(unit, "LoadCredential"):
        name = each.partition(f":{SECRETS}")[2]
        way = rf"^(?:\(umask 077;.*>|install -m 0600 .*) {SECRETS}{re.escape(name)}\b"
        made = re.search(way, GUIDE, re.MULTILINE)
        assert made, f"nobody is told to make {name}"
        assert made.start() < enabled.start()
        (row,) = re.findall(rf"^\| `{re.escape(name)}` \|.*$", GUIDE, re.MULTILINE)
        assert f"`{unit.name}`" in row


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_the_page_that_it_names_is_where_the_guide_puts_it(unit: Path) -> None:
    for each in values(unit, "Documentation"):
        assert (ROOT / "docs" / each.removeprefix("file:/opt/liaison/share/doc/")).is_file()
    assert "cp -r docs/. /opt/liaison/share/doc/\n" in GUIDE


def test_systemd_understands_them(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for unit in UNITS.iterdir():
        text = unit.read_text("utf-8").replace(BIN, f"{Path(sys.executable).parent}/")
        (tmp_path / unit.name).write_text(text)
    names = [str(each) for each in sorted(tmp_path.iterdir())]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    ours = [each for each in checked.stderr.splitlines() if "liaison" in each]
    assert ours == []
