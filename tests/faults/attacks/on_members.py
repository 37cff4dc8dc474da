"""What a hub can do to a community's membership."""

from hashlib import sha256
from typing import Any

from hub.ceremony import CeremonyKey
from schemas.documents import Community, Membership
from schemas.membership import GENESIS
from schemas.signing import DOCUMENT_TYPE, MEMBERSHIP_TYPE, Signer, sign_envelope
from schemas.subjects import DIRECTORY, document_submission, membership_log
from schemas.vocabulary import AlarmName, Realm
from tests.faults.attacks.scene import After, Scene, Sight, Stage, Who, attack
from tests.support.frames import Pair
from tests.support.hand import Speech, now_ms

_MEMBERS = (Who.SPEAKER, Who.READER, Who.OTHER)


def entry(community: str, past: list[bytes], id: str, *signers: Signer, **changes: Any) -> bytes:  # fields
    """The next entry of a log: somebody is added as a member, signed by these."""
    fields = {
        "com": community,
        "index": len(past),
        "prev": sha256(past[-1]).hexdigest() if past else GENESIS,
        "issued": now_ms(),
        "op": "add",
        "id": id,
        "role": "member",
        "nbf": now_ms(),
    }
    document = Membership.model_validate({**fields, **changes})
    return sign_envelope(MEMBERSHIP_TYPE, document.to_bytes(), signers).to_bytes()


def secretariat(stage: Stage) -> list[CeremonyKey]:
    """Enough of its keys for anything that it may sign."""
    folder = stage.watched.world.directory / "SEC"
    return [CeremonyKey.load(folder / f"{name}.key", None) for name in ("root-1", "root-2", "registrar-1")]


@attack(
    "adds a ghost member, without any owner",
    *(Sight(each, AlarmName.GHOST_MEMBER, "below_threshold") for each in _MEMBERS),
)
async def add_ghost(scene: Scene) -> None:
    await scene.crook.deliver(
        membership_log(scene.community.id),
        entry(scene.community.id, await scene.entries(), scene.stage.helper.member.id, Pair()),
    )


@attack(
    "adds a ghost member with the keys of the secretariat",
    *(Sight(each, AlarmName.GHOST_MEMBER, "below_threshold") for each in _MEMBERS),
    helper="the secretariat",
)
async def add_ghost_by_secretariat(scene: Scene) -> None:
    signers = secretariat(scene.stage)
    past, ghost = await scene.entries(), scene.stage.helper.member.id
    await scene.crook.deliver(
        membership_log(scene.community.id), entry(scene.community.id, past, ghost, *signers)
    )


@attack(
    "passes on frames of an agency that is no member",
    *(Sight(each, AlarmName.GHOST_MEMBER, "not_member") for each in _MEMBERS),
    helper="that agency",
)
async def ghost_speaks(scene: Scene) -> None:
    speech = Speech.to(scene.stage.helper, scene.community.id)
    await scene.crook.deliver(speech.place.traffic(), speech.announcement())


@attack(
    "withholds a change of the members from one of them",
    Sight(Who.READER, AlarmName.LOG_BEHIND, "log_behind"),
    after=After.LOGS,
)
async def hide_change(scene: Scene) -> None:
    agency = scene.stage.eyes[Who.SPEAKER]
    async with scene.crook.blinded(
        [scene.stage.endpoint(Who.READER)], membership_log(scene.community.id), stream=DIRECTORY
    ):
        await agency.community_remove(scene.community.slug, scene.stage.nodes[Who.VICTIM].id)
    scene.strike()
    await scene.say("After the change")
    await scene.heard("After the change", Who.OTHER)
    await scene.noticed()
    # To the others it is no news; without it the reader would wait for it with every heartbeat.
    await scene.crook.deliver(membership_log(scene.community.id), (await scene.entries())[-1])


@attack(
    "shows two members two versions of a membership log",
    Sight(Who.OTHER, AlarmName.SPLIT_VIEW, "split_view", "the other member"),
    after=After.NEXT,
    helper="an owner who signs both",
)
async def split_members(scene: Scene) -> None:
    hand, stage = scene.stage.helper, scene.stage
    owner, keys = hand.member, hand.member.keys
    com = sha256(scene.community.id.encode()).hexdigest()[:32]
    document = Community(id=com, issued=now_ms(), realm=Realm.LIVE, owners=[owner.id], threshold=1)
    founded = sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [keys.identity]).to_bytes()
    past: list[bytes] = []
    assert await hand.send(document_submission(hand.endpoint), founded) == "admitted"
    for id in (owner.id, stage.nodes[Who.READER].id, stage.nodes[Who.OTHER].id):
        past.append(entry(com, past, id, keys.identity))
        assert await hand.send(document_submission(hand.endpoint), past[-1]) == "admitted"
    for who in (Who.READER, Who.OTHER):
        await stage.in_log(who, com, len(past))
    await hand.until(lambda: len(hand.directory.communities[com].entries) == len(past))
    scene.about = com
    for shown, (who, hidden) in enumerate(((Who.READER, Who.OTHER), (Who.OTHER, Who.READER))):
        version = entry(com, past, stage.nodes[Who.VICTIM].id, keys.identity, nbf=now_ms() + shown)
        async with scene.crook.blinded([stage.endpoint(hidden)], membership_log(com), stream=DIRECTORY):
            await scene.crook.deliver(membership_log(com), version)
            await stage.in_log(who, com, len(past) + 1)
    await hand.until(lambda: len(hand.directory.communities[com].entries) == len(past) + 1)
    speech = Speech.to(hand, com)
    scene.strike()
    await scene.crook.deliver(speech.place.traffic(), speech.announcement())
