"""From one agency's bulletin to a third party's verdict, over real processes: `evidence export` at a node,
then `liaison-verify` with nothing but the file and the fingerprint.
"""

import json
import sys
from pathlib import Path

import pytest

from schemas.vocabulary import Tlp
from subscribers.local import Role
from tests.support.world import Member, Result, World, command

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

WATCHED = """
import os, sys
sys.dont_write_bytecode = True
file, state, *rest = sys.argv[1:]
def watch(event, given):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system")):
        os.write(2, f"it used {event}".encode())
        os._exit(99)
    if event == "open" and isinstance(given[0], str):
        name = os.path.abspath(given[0])
        if name.startswith(state) and name != file or set(given[1] or "") & set("wax+"):
            os.write(2, f"it opened {name}".encode())
            os._exit(98)
sys.addaudithook(watch)
from subscribers.verify_cli import app
sys.argv = ["liaison-verify", file, *rest]
try:
    app()
finally:
    used = sorted(each for each in sys.modules if each.partition(".")[0] in {"subscribers", "bots", "hub"})
    print("\\n" + " ".join(used))
"""


async def exported(member: Member, *words: str | Path) -> Result:
    result = await member.run("evidence", "export", *words)
    assert result.status == 0, result.err
    return result


async def test_a_third_party_checks_alone_what_an_agency_signed(world: World, tmp_path: Path) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    said = await fr.publish("Vans with copied plates", community.slug, body="Seen twice at the bridge.")
    await kz.has(community.slug, "Vans with copied plates")
    file = tmp_path / "court.json"
    made = (await exported(kz, said.ref, "--out", file)).json
    assert made["proved"]
    assert file.stat().st_mode & 0o777 == 0o600
    again = await kz.run("evidence", "export", said.ref, "--out", file)
    assert again.code == "bad_request"

    place = ("--root-fingerprint", world.fingerprint)
    proved = await command(tmp_path, "liaison-verify", file, *place, "--show-text")
    assert proved.status == 0, proved.out + proved.err
    assert proved.out.startswith("PROVED.\n")
    assert "Seen twice at the bridge." in proved.out
    assert "does not prove" in proved.out
    told = (await command(tmp_path, "liaison-verify", file, *place, "--json")).json
    assert (told["proved"], told["bulletin"]) == (True, said.id)
    by_name = {each["check"]: each for each in told["findings"]}
    assert by_name["membership"]["status"] == "proved"
    assert "(fr, " in by_name["agency"]["text"]
    assert by_name["receipt"]["status"] == "not_shown"  # receipts are for the publisher alone

    other = await command(tmp_path, "liaison-verify", file, "--root-fingerprint", "00" * 32, "--json")
    assert other.status == 1
    assert {each["code"] for each in other.json["findings"]} == {"root_mismatch", None}
    text = file.read_text().replace("at the bridge", "at the border")
    (tmp_path / "forged.json").write_text(text)
    forged = await command(tmp_path, "liaison-verify", "forged.json", *place)
    assert forged.status == 1
    assert forged.out.startswith("NOT PROVED.")
    assert "[commitment_mismatch]" in forged.out
    (tmp_path / "broken.json").write_text(text[:-1])
    for name in ("broken.json", "nowhere.json"):
        assert (await command(tmp_path, "liaison-verify", name, *place, "--json")).status == 2
    short = await command(tmp_path, "liaison-verify", file, "--root-fingerprint", "12")
    assert (short.status, "64 hex digits, and 2 came" in short.err) == (2, True)


async def test_the_publisher_itself_shows_the_hubs_receipt(world: World, tmp_path: Path) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    said = await fr.publish("Shown with a receipt", community.slug)
    await fr.has(community.slug, "Shown with a receipt")
    assert (await exported(fr, said.ref, "--out", tmp_path / "own.json")).json["proved"]
    place = ("--root-fingerprint", world.fingerprint, "--json")
    told = (await command(tmp_path, "liaison-verify", "own.json", *place)).json
    assert told["proved"]
    receipt = next(each for each in told["findings"] if each["check"] == "receipt")
    assert receipt["status"] == "proved"


async def test_what_is_withheld_is_not_in_the_file(world: World, tmp_path: Path) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    said = await fr.publish("Withheld title", community.slug)
    await kz.has(community.slug, "Withheld title")
    file = tmp_path / "less.json"
    await exported(kz, said.ref, "--out", file, "--without-text", "--without-membership")
    assert "Withheld title" not in file.read_text()
    told = await command(tmp_path, "liaison-verify", file, "--root-fingerprint", world.fingerprint, "--json")
    assert told.status == 0
    status = {each["check"]: each["status"] for each in told.json["findings"]}
    assert (status["text"], status["membership"], status["signature"]) == ("not_shown", "not_shown", "proved")


async def test_verifying_needs_no_network_no_state_and_no_secret(world: World, tmp_path: Path) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    said = await fr.publish("Checked in a closed room", community.slug)
    await kz.has(community.slug, "Checked in a closed room")
    room = tmp_path / "room"
    room.mkdir()
    file = room / "evidence.json"
    await exported(kz, said.ref, "--out", file)
    words = ("-c", WATCHED, file, str(world.directory.parent), "--root-fingerprint", world.fingerprint)
    found = await command(room, Path(sys.executable).name, *words, "--json")
    assert found.status == 0, found.out + found.err
    answer, _, used = found.out.strip().partition("\n")
    assert json.loads(answer)["proved"]
    assert used.split() == ["subscribers", "subscribers.verify_cli"]


async def test_a_client_proves_only_what_it_may_see(world: World, tmp_path: Path) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    said = await fr.publish("Above the ceiling", community.slug, tlp="TLP:AMBER")
    await kz.has(community.slug, "Above the ceiling")
    async with kz.client() as agency:
        await agency.client_add("low", Role.READER, Tlp.GREEN)
    low = ("--client", "low", "--out", tmp_path / "never.json")
    assert (await kz.run("evidence", "export", said.ref, *low)).code == "not_found"
    assert (await kz.run("evidence", "export", "--quarantine", "1", *low)).code == "forbidden"
    assert (await kz.run("evidence", "export", *low)).status == 2
    missing = await kz.run("evidence", "export", "--quarantine", "999999", "--out", tmp_path / "never.json")
    assert missing.code == "not_found"
    assert not (tmp_path / "never.json").exists()
