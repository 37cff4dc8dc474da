"""The compose file of three sites: valid, as closed as that of one, and with settings that the hub reads."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from hub.cluster import CONFIG_FILE, Site, check_sites
from hub.settings import HubSettings
from tests.contract.test_compose import SERVICES as ONE_SITE
from tests.contract.test_compose import commands_have

FILE = Path(__file__).resolve().parents[2] / "deploy/compose.three-sites.yaml"
TEXT = FILE.read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = sorted(name for name in SERVICES if name.startswith("nats-"))
HUBS = sorted(name for name in SERVICES if name.startswith("hub-"))


def test_the_file_is_valid_by_the_compose_specification() -> None:
    parsed = PyCompose.from_yaml(yaml.safe_dump(COMPOSE))
    assert set(parsed.service_names()) == {*SERVERS, *HUBS}
    assert (len(SERVERS), len(HUBS)) == (3, 2)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_no_more_rights_than_on_one_site(name: str) -> None:
    like = ONE_SITE["nats" if name in SERVERS else "hub"]
    service = SERVICES[name]
    for key in ("user", "read_only", "tmpfs", "cap_drop", "security_opt", "restart", "image"):
        assert service[key] == like[key]
    assert service.get("build") == like.get("build"), "an image of ours is on no registry"
    assert {"healthcheck", "mem_limit", "pids_limit"} <= set(service)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_servers_are_where_their_configuration_says_and_make_a_cluster() -> None:
    sites = []
    for name in SERVERS:
        letter = name.removeprefix("nats-")
        home = Path(f"/var/lib/liaison-nats/{letter}")
        assert SERVICES[name]["command"][-1] == str(home / CONFIG_FILE)
        assert SERVICES[name]["volumes"] == [f"./SERVERS/{letter}:{home}"]
        assert f"{letter}={name}:4222:6222" in TEXT
        sites.append(Site(letter, name, 4222, 6222, home))
    check_sites(sites)
    urls = {site.url for site in sites}
    for name in HUBS:
        given = SERVICES[name]["environment"]
        assert set(given["LIAISON_HUB_NATS"].split(",")) == urls
        assert {key.removeprefix("LIAISON_HUB_").lower() for key in given} <= HubSettings.model_fields.keys()
        assert set(SERVICES[name]["networks"]) == {"servers"}, "no agency reaches a hub's process"
        assert commands_have(SERVICES[name]["command"])
    members = {SERVICES[name]["environment"]["LIAISON_HUB_MEMBER"] for name in HUBS}
    states = {SERVICES[name]["volumes"][0].partition(":")[0] for name in HUBS}
    assert (len(members), len(states)) == (2, 2)
