"""What a hub can do with its answers to a publisher."""

from hashlib import sha256

from schemas.receipts import ADMITTED, Answer, issue
from schemas.subjects import TRAFFIC, receipts_for
from schemas.vocabulary import AlarmName
from tests.faults.attacks.scene import HOUR, After, Scene, Sight, Who, attack
from tests.support.frames import Pair
from tests.support.hand import now_ms

_HIDDEN = 5
"""Receipts that are given back: for announcement, wraps and bulletin, in as many batches or fewer."""


@attack(
    "lets a receipt be signed by another key than its own",
    Sight(Who.SPEAKER, AlarmName.FORGERY, "bad_receipt"),
)
async def forge_receipt(scene: Scene) -> None:
    me = scene.speaker.endpoint
    digest = sha256((await scene.said())[-1].raw).hexdigest()
    receipt = issue([Answer(me, digest, ADMITTED, now_ms())], Pair())[me]
    await scene.crook.deliver(receipts_for(me), receipt)


@attack(
    "gives a publisher the receipt of another",
    Sight(Who.SPEAKER, AlarmName.FORGERY, "bad_receipt"),
)
async def receipt_of_another(scene: Scene) -> None:
    theirs = await scene.crook.last(TRAFFIC, receipts_for(scene.stage.endpoint(Who.READER)))
    await scene.crook.deliver(receipts_for(scene.speaker.endpoint), theirs)


@attack("gives a receipt a second time", after=After.NOTHING)
async def repeat_receipt(scene: Scene) -> None:
    mine = receipts_for(scene.speaker.endpoint)
    await scene.crook.deliver(mine, await scene.crook.last(TRAFFIC, mine))
    await scene.say("Goes on")
    await scene.heard("Goes on", Who.READER)


@attack(
    "gives a receipt for a frame, and passes it on to nobody",
    Sight(Who.SPEAKER, AlarmName.SUPPRESSED_TAIL),
)
async def receipt_alone(scene: Scene) -> None:
    async with scene.blinded(Who.SPEAKER, Who.READER, Who.OTHER, Who.VICTIM):
        scene.strike()
        await scene.say("To nobody")
        await scene.noticed()
    for each in (Who.READER, Who.OTHER):
        assert "To nobody" not in await scene.titles(each)


@attack(
    "passes a member's frames on, and withholds the receipts",
    Sight(Who.OTHER, AlarmName.UNANSWERED, called="that member"),
    after=After.UNANSWERED,
)
async def withhold_receipts(scene: Scene) -> None:
    stage, mine = scene.stage, receipts_for(scene.stage.endpoint(Who.OTHER))
    async with scene.blinded(Who.OTHER, to=mine):
        said = await stage.eyes[Who.OTHER].publish(scene.draft("Unanswered"), scene.community.slug)
        assert said.state == "queued"
        await scene.heard("Unanswered", Who.READER)
        scene.strike()
        stage.turn(Who.OTHER, HOUR)
        try:
            await scene.noticed()
        finally:
            stage.turn(Who.OTHER, 0)
    for receipt in (await scene.crook.all(TRAFFIC, mine))[-_HIDDEN:]:
        await scene.crook.deliver(mine, receipt)
