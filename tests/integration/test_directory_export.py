"""The directory leaves a running node as a file, and is verified where there is neither node nor hub."""

from pathlib import Path

import pytest

from tests.support.world import Result, World

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


def checks(result: Result) -> dict[str, str]:
    return {each["check"]: each["code"] or "ok" for each in result.json["checks"]}


async def test_what_a_node_exports_verifies_without_it(world: World, tmp_path: Path) -> None:
    fr, kz = await world.agencies("fr", "kz")
    await fr.found(kz)
    file, bare = tmp_path / "directory.json", tmp_path / "bare.json"
    written = await world.done(
        "liaison-agency", "directory", "export", file, "--memberships", "--state", kz.state, "--json"
    )
    await world.done("liaison-agency", "directory", "export", bare, "--state", kz.state)
    assert written.json["documents"] > 5  # the root, the hub, two agencies, their keys

    async def verify(path: Path, *words: str | Path) -> Result:
        fingerprint = ("--root-fingerprint", world.fingerprint)
        return await world.command("liaison-agency", "verify-directory", path, *fingerprint, "--json", *words)

    found = checks(await verify(file, "--since", bare))
    assert (found["root"], found["documents"]) == ("ok", "ok")
    assert found["checkpoint"] == ("ok" if written.json["checkpoint"] else "bad_checkpoint")

    # One letter of one signed document.
    data = file.read_bytes()
    place = data.index(b'"payload\\":\\"') + 40
    file.write_bytes(data[:place] + (b"A" if data[place : place + 1] != b"A" else b"B") + data[place + 1 :])
    swapped = await verify(file)
    assert (swapped.status, swapped.json["verified"]) == (1, False)


async def test_options_that_do_not_go_together_are_refused(world: World, tmp_path: Path) -> None:
    kz = await world.agency("kz")
    words = ("directory", "export", tmp_path / "x", "--state", kz.state)
    for more in (("--since", tmp_path / "y"), ("--agency", "fr", "--memberships")):
        refused = await world.command("liaison-agency", *words, *more)
        assert (refused.status, refused.code) == (1, "bad_request")
