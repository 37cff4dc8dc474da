"""An exercise among agencies, by the commands of its guide; nothing of it gets among what is real."""

import asyncio
from pathlib import Path

import pytest
import yaml

from schemas.errors import Code, LiaisonError
from subscribers.exercise.log import read_run
from subscribers.records import Filters
from tests.support.world import Member, World, draft, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

FACTS = {"kind": "threat", "severity": "high", "tlp": "TLP:GREEN", "language": "en"}


def written(folder: Path, community: str) -> Path:
    """A scenario's file."""
    injects = [
        {"id": "report", "at": "0:00", "by": "fr", "bulletin": {**FACTS, "title": "Drill: a drone"}},
        {
            "id": "answer",
            "at": "0:30",
            "by": "kz",
            "responds-to": "report",
            "bulletin": {**FACTS, "kind": "response", "title": "Drill: seen here, too"},
        },
        {
            "id": "correction",
            "at": "1:00",
            "by": "fr",
            "amends": "report",
            "bulletin": {**FACTS, "kind": "amendment", "title": "Drill: a kite"},
        },
    ]
    told = yaml.safe_dump({"title": "DRONE DAY", "community": community, "injects": injects})
    file = folder / ("day.yaml" if community == "drilling" else f"{community}.yaml")
    file.write_text(told, "utf-8")
    return file


async def founded(owner: Member, other: Member, slug: str, *options: str) -> None:
    """A community of two; both know its name."""
    made = await owner.run("community", "create", slug, "--title", slug.title(), *options)
    assert made.status == 0, made.err
    added = await owner.run("community", "add", slug, other.id)
    assert added.status == 0, added.err
    await other.knows(slug)


async def test_a_scenario_is_played_once_reported_on_and_kept_apart(world: World, tmp_path: Path) -> None:
    fr, kz = await world.agencies("fr", "kz")
    await founded(fr, kz, "drilling", "--exercise")
    await founded(fr, kz, "earnest")
    file = written(tmp_path, "drilling")

    played = await asyncio.gather(
        *(each.run("exercise", "run", str(file), "--speed", "3600") for each in (fr, kz))
    )
    assert [each.status for each in played] == [0, 0], [each.err for each in played]
    again = await fr.run("exercise", "run", str(file))
    assert (again.status, again.out) == (0, "")
    titles = ["Drill: a drone", "Drill: seen here, too", "Drill: a kite"]
    for member in (fr, kz):
        await member.has("drilling", *titles)
        assert sorted(await member.titles("drilling")) == sorted(titles)

    logs = [str(tmp_path / f"day.{each.id}.run.jsonl") for each in (fr, kz)]
    first = read_run(tmp_path / "day.fr.run.jsonl").outcomes["report"]
    acknowledged = await kz.run("ack", first.ref)
    assert acknowledged.status == 0, acknowledged.err

    async def heard() -> bool:
        report = (await fr.run("exercise", "report", *logs)).json
        (first,) = [each for each in report["injects"] if each["inject"] == "report"]
        (reader,) = [each for each in report["agencies"] if each["agency"] == "kz"]
        what = sorted(each["what"] for each in first["answers"])
        return (what, first["silent"], reader["acknowledged"]) == (["acknowledged", "answered"], [], 1)

    await eventually(heard)
    await _nothing_of_it_is_real(fr, kz, written(tmp_path, "earnest"))


async def _nothing_of_it_is_real(fr: Member, kz: Member, real: Path) -> None:
    """Every way by which it might get among what is real, tried."""
    given = ("exercise", "run", str(real), "--log", str(real.with_suffix(".log")))
    refused = await fr.run(*given)
    assert (refused.status, refused.code) == (1, "exercise_mismatch")

    async with kz.client() as agency:
        for community, exercise in (("earnest", True), ("drilling", False)):
            with pytest.raises(LiaisonError) as mismatch:
                await agency.publish(draft("Across", exercise=exercise), community)
            assert mismatch.value.code is Code.EXERCISE_MISMATCH
        drill = (await agency.search("drone", filters=Filters(communities=frozenset({"drilling"})))).items[0]
        everything = [each.bulletin for each in (await agency.latest(limit=100)).items]
        assert not [each.ref for each in everything if each.exercise]
        assert not (await agency.search("drill")).items
        similar = await agency.like(drill.bulletin.ref)
        assert all(each.bulletin.exercise for each in similar)
    for each in (fr, kz):
        assert await each.titles("earnest") == []
        assert not [title for title in each.lines("earnest") if "Drill" in title]
        assert not [title for title in await each.delivered("earnest") if "Drill" in title]
