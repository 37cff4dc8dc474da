"""The files of a cluster: rendered for each server, refused where they would make none, and taken by
nats-server.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hub.accounts import Accounts
from hub.cluster import CONFIG_FILE, Site, certify, check_sites, copy_hub, tagged, write_configs
from hub.gateway import Gateways
from hub.jwt import KeyKind, NKey
from hub.leaf import Leaf, find, write
from hub.partitions import SLOTS
from hub.records import dump_shared
from hub.server import find_binary
from schemas.errors import FormatError, OperationError
from tests.support.hub_world import prepare_hub

NAMES = ("geneva", "vienna", "nairobi")


def sites(homes: Path) -> list[Site]:
    return [Site.parse(f"{name}=127.0.0.1:{4222 + n}:{6222 + n}", homes) for n, name in enumerate(NAMES)]


def checked(config: Path) -> None:
    done = subprocess.run(
        [str(find_binary()), "-t", "-c", config.name],
        cwd=config.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_server_gets_a_file_that_it_takes(tmp_path: Path) -> None:
    accounts = Accounts.create(tmp_path / "hub")
    made = write_configs(accounts, sites(tmp_path), tmp_path, client_certificates=True)
    certify(sites(tmp_path), tmp_path)
    for name, config in zip(NAMES, made, strict=True):
        text = config.read_text()
        assert config == tmp_path / name / CONFIG_FILE
        assert config.stat().st_mode & 0o077 == 0
        assert len(re.findall(r"tls://127\.0\.0\.1:62", text)) == 2  # the two others
        assert text.count("verify: true") == 2
        assert text.count("handshake_first: true") == 1
        assert f"server_name: {name}\n" in text
        checked(config)


def test_leaf_nodes_are_let_in_where_it_is_asked_for(tmp_path: Path) -> None:
    """On both sides nats-server takes the file; only the endpoints that were admitted are named."""
    accounts = Accounts.create(tmp_path / "hub")
    public = accounts.mint("fra", NKey.generate(KeyKind.USER).public).account_public
    witness = accounts.mint("watch", NKey.generate(KeyKind.USER).public, kind="witness").account_public
    assert all(
        "leafnodes" not in each.read_text() for each in write_configs(accounts, sites(tmp_path), tmp_path)
    )
    made = write_configs(accounts, sites(tmp_path), tmp_path, leaf_port=7422)
    certify(sites(tmp_path), tmp_path)
    for config in made:
        text = config.read_text()
        assert f'  {public}: ""\n' in text
        assert f'{witness}: ""' not in text
        checked(config)
    shutil.copytree(tmp_path / "geneva", tmp_path / "leaf")
    hub = ("tls://nats1.hub.example:7422", "tls://nats2.hub.example:7422")
    for listen, url in (
        ("127.0.0.1:4222", "nats://127.0.0.1:4222"),
        ("nats.fra.example:4222", "tls://nats.fra.example:4222"),
    ):
        leaf = Leaf(listen, hub, tmp_path / "leaf")
        assert leaf.url == url
        checked(write(leaf, accounts, find(accounts, "fra"), leaf.home))
    with pytest.raises(OperationError, match="not_found"):
        find(accounts, "ken")
    with pytest.raises(OperationError, match="bad_request"):
        accounts.leaf(witness)


@pytest.mark.parametrize(
    "listen, hub",
    [
        ("127.0.0.1", ("tls://hub.example:7422",)),
        ("127.0.0.1:4222", ()),
        ("127.0.0.1:4222", ('tls://a:1" }',)),
    ],
)
def test_what_is_no_address_of_a_leaf_node_is_refused(
    tmp_path: Path, listen: str, hub: tuple[str, ...]
) -> None:
    with pytest.raises(FormatError, match="bad_request"):
        Leaf(listen, hub, tmp_path)


def test_a_hub_of_several_spreads_the_intake(tmp_path: Path) -> None:
    accounts = Accounts.create(tmp_path / "hub")
    shared = Accounts.load(tmp_path / "hub", shared=True)
    assert shared.hub_public == accounts.hub_public
    assert len(shared.hub_jwt) > len(accounts.hub_jwt)
    assert SLOTS == 16  # it stands in accounts and streams


def test_a_relay_keeps_nothing_and_is_joined_by_gateways(tmp_path: Path) -> None:
    accounts = Accounts.create(tmp_path / "hub")
    joined = [f"liaison=nats{n}.hub.example:7222" for n in (1, 2)]
    gateways = Gateways.parse("overseas", 7222, joined)
    made = write_configs(accounts, sites(tmp_path), tmp_path, gateways=gateways)
    certify(sites(tmp_path), tmp_path)
    for config in made:
        text = config.read_text()
        assert "jetstream {" not in text
        assert text.count("name: overseas\n") == 2  # the cluster's and its gateway's
        assert (
            '{ name: liaison, urls: ["tls://nats1.hub.example:7222", "tls://nats2.hub.example:7222"] }'
            in text
        )
        checked(config)
    assert Gateways.parse(None, None, ()) is None


@pytest.mark.parametrize(
    "relay, port, joined",
    [
        (None, 7222, ()),
        (None, None, ("overseas=host:7222",)),
        (None, 7222, ("liaison=host:7222",)),
        (None, 7222, ("overseas=host",)),
        (None, 7222, ('overseas=a:1" }',)),
        ("overseas", None, ()),
        ("overseas", 7222, ("overseas=host:7222",)),
        ("liaison", 7222, ("overseas=host:7222",)),
        ("far away", 7222, ("liaison=host:7222",)),
        ("x {", 7222, ("liaison=host:7222",)),
    ],
)
def test_what_joins_no_clusters_is_refused(
    relay: str | None, port: int | None, joined: tuple[str, ...]
) -> None:
    with pytest.raises(FormatError, match="bad_request"):
        Gateways.parse(relay, port, joined)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a=",
        "a=host:1",
        "a=host:0:1",
        "a=host:1:65536",
        "A=host:1:2",
        "a=ho st:1:2",
        'a="x:1:2',
        "a=h:1:x",
    ],
)
def test_what_is_no_server_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match="bad_request"):
        Site.parse(text, tmp_path)


def test_servers_have_the_tags_that_they_were_given(tmp_path: Path) -> None:
    made = tagged(sites(tmp_path), ["geneva=region:europe", "vienna=region:europe", "geneva=disk:fast"])
    files = write_configs(Accounts.create(tmp_path / "hub"), made, tmp_path)
    certify(made, tmp_path)
    lines = [re.findall(r"^server_tags: .*", each.read_text(), re.MULTILINE) for each in files]
    assert lines == [
        ['server_tags: ["site:geneva", "region:europe", "disk:fast"]'],
        ['server_tags: ["site:vienna", "region:europe"]'],
        ['server_tags: ["site:nairobi"]'],
    ]
    for each in files:
        checked(each)


@pytest.mark.parametrize("text", ["", "geneva", "geneva=", "paris=region:europe", 'geneva=a"b', "geneva=a b"])
def test_what_is_no_tag_of_a_server_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match="bad_request"):
        tagged(sites(tmp_path), [text])


def test_addresses_of_both_kinds_are_servers(tmp_path: Path) -> None:
    site = Site.parse("a=[2001:db8::1]:4222:6222", tmp_path)
    assert (site.host, site.url, site.home) == (
        "[2001:db8::1]",
        "tls://[2001:db8::1]:4222",
        tmp_path / "a",
    )


def test_two_servers_or_the_same_twice_make_no_cluster(tmp_path: Path) -> None:
    three = sites(tmp_path)
    check_sites(three)
    for wrong in (three[:2], [*three, three[0]], [three[0], three[1], three[1]]):
        with pytest.raises(FormatError, match="bad_request"):
            check_sites(wrong)


def test_another_hub_gets_the_same_keys_and_nothing_is_overwritten(tmp_path: Path) -> None:
    settings = prepare_hub(tmp_path).settings
    accounts = Accounts.load(settings.accounts_directory)
    accounts.write_control_credentials(settings.control_credentials)
    copy_hub(settings, tmp_path / "two")
    again = Accounts.load(tmp_path / "two" / "hub")
    assert again.hub_public == accounts.hub_public
    assert (tmp_path / "two" / "root.dsse").read_bytes() == (settings.state / "root.dsse").read_bytes()
    with pytest.raises(OperationError, match="already_known"):
        copy_hub(settings, tmp_path / "two")
    (settings.state / "hub.dsse").unlink()
    with pytest.raises(OperationError, match="not_found"):
        copy_hub(settings, tmp_path / "three")
    shutil.rmtree(tmp_path / "two")


def test_a_hub_that_is_told_of_an_account_has_its_key(tmp_path: Path) -> None:
    settings = prepare_hub(tmp_path).settings
    one = Accounts.load(settings.accounts_directory)
    one.write_control_credentials(settings.control_credentials)
    copy_hub(settings, tmp_path / "two")
    two = Accounts.load(tmp_path / "two" / "hub")
    given = one.mint("fra", NKey.generate(KeyKind.USER).public)
    public = given.account_public
    said = dump_shared(one.endpoint(public))
    assert b"seed" not in said
    two.learn(public, said)
    assert two.user_jwt(public) == given.user_jwt
    one.suspend(public)
    two.learn(public, dump_shared(one.endpoint(public)))
    two.learn(public, said)  # older: it changes nothing
    assert two.endpoint(public).suspended
    assert Accounts.load(tmp_path / "two" / "hub").account_jwt(public) == one.account_jwt(public)
    with pytest.raises(OperationError, match="store_corrupt"):
        two.learn(public, said.replace(b'"version":1', b'"version":2'))
    with pytest.raises(OperationError, match="store_corrupt"):
        two.learn(NKey.generate(KeyKind.ACCOUNT).public, said)


@pytest.mark.parametrize(
    "listen,local",
    [
        ("127.0.0.1:4222", True),
        ("localhost:4222", True),
        ("[::1]:4222", True),
        ("127.example.org:4222", False),
        ("10.0.0.7:4222", False),
    ],
)
def test_a_leaf_node_goes_without_tls_on_loopback_alone(listen: str, local: bool, tmp_path: Path) -> None:
    leaf = Leaf(listen, ("tls://nats1.hub.example:7422",), tmp_path)
    assert leaf.local is local
    assert leaf.url.startswith("nats://" if local else "tls://")
