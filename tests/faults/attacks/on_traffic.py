"""What a hub can do to frames and wraps on their way."""

from hashlib import sha256

from schemas.frame import EPOCH
from schemas.receipts import ADMITTED
from schemas.signing import key_id
from schemas.subjects import wraps_for
from schemas.vocabulary import AlarmName, History, Precedence
from subscribers.sealing import EpochKey, wrap
from tests.faults.attacks.scene import HOUR, After, Scene, Sight, Who, attack
from tests.support.federation import changed, forge
from tests.support.frames import Pair
from tests.support.hand import Speech

_EVERYBODY = (Who.SPEAKER, Who.READER, Who.OTHER)


@attack(
    "delivers a frame a second time",
    *(Sight(each, AlarmName.REPLAYED, "replayed") for each in _EVERYBODY),
)
async def replay(scene: Scene) -> None:
    await scene.say("Two")
    old = (await scene.said())[0]
    scene.strike()
    await scene.crook.deliver(scene.place(), old.raw)


@attack(
    "changes a byte of a frame",
    *(Sight(each, AlarmName.FORGERY, "bad_signature") for each in _EVERYBODY),
)
async def change(scene: Scene) -> None:
    raw = (await scene.said())[-1].raw
    await scene.crook.deliver(scene.place(), changed(raw, len(raw) - 1))


@attack(
    "carries a frame into another chain",
    *(Sight(each, AlarmName.FORGERY, "subject_mismatch") for each in _EVERYBODY),
)
async def carry(scene: Scene) -> None:
    await scene.crook.deliver(scene.place(Precedence.FLASH), (await scene.said())[-1].raw)


@attack(
    "speaks in a member's name with a key of its own",
    *(Sight(each, AlarmName.FORGERY, "unknown_key") for each in _EVERYBODY),
)
async def impersonate(scene: Scene) -> None:
    last, key = (await scene.said())[-1], Pair()
    header = last.header._replace(seq=last.header.seq + 1, prev=last.hash, kid=key_id(key.public).hex())
    await scene.crook.deliver(scene.place(), forge(header, last.body, key))


@attack(
    "lets an endpoint speak that nobody has entered in the directory",
    *(Sight(each, AlarmName.FORGERY, "unknown_publisher") for each in _EVERYBODY),
)
async def invent(scene: Scene) -> None:
    last, key = (await scene.said())[-1], Pair()
    header = last.header._replace(pub="A" * 56, kid=key_id(key.public).hex())
    await scene.crook.deliver(scene.place(endpoint="A" * 56), forge(header, last.body, key))


@attack("hides a frame in mid-stream from one reader", Sight(Who.READER, AlarmName.GAP), after=After.NEXT)
async def hide(scene: Scene) -> None:
    async with scene.blinded(Who.READER):
        await scene.say("Hidden")
        await scene.heard("Hidden", Who.OTHER)
    scene.strike()
    await scene.say("After")
    await scene.heard("After", Who.READER)
    assert "Hidden" not in await scene.titles(Who.READER)


@attack(
    "hides the end of a chain from one reader",
    Sight(Who.READER, AlarmName.SUPPRESSED_TAIL),
    after=After.BEATS,
)
async def hide_tail(scene: Scene) -> None:
    await scene.say("Flash", severity="flash")
    await scene.heard("Flash", Who.READER)
    whole, left = (f"f.live.{scene.community.id}.{each}.*" for each in ("*", "routine"))
    async with scene.crook.narrowed(scene.stage.endpoint(Who.READER), whole, left):
        scene.strike()
        await scene.say("Held back", severity="flash")
        await scene.heard("Held back", Who.OTHER)
        await scene.noticed()
    assert "Held back" not in await scene.titles(Who.READER)


@attack(
    "holds back everything that a member says, for hours",
    Sight(Who.OTHER, AlarmName.SILENCE, called="a reader"),
    after=After.PERIODS,
)
async def silence(scene: Scene) -> None:
    async with scene.blinded(Who.OTHER):
        scene.strike()
        scene.stage.turn(Who.OTHER, 3 * HOUR)
        try:
            await scene.noticed()
        finally:
            scene.stage.turn(Who.OTHER, 0)


@attack("delays a member's frames for less than two periods, in their order", after=After.NEVER)
async def delay(scene: Scene) -> None:
    speech = await scene.helper_speaks()  # it has no heartbeats, which would come between
    late = []
    async with scene.deaf(Who.READER):
        for title in ("Late one", "Late two"):
            late.append(speech.bulletin(title))
            assert await speech.say(late[-1]) == ADMITTED
        await scene.heard("Late two", Who.OTHER)
    async with scene.deaf(Who.SPEAKER, Who.OTHER):
        for each in late:
            await scene.crook.deliver(speech.place.traffic(), each)
        await scene.heard("Late two", Who.READER)
    assert "Late one" in await scene.titles(Who.READER)


@attack(
    "delivers frames to one reader in another order",
    Sight(Who.READER, AlarmName.GAP),
    Sight(Who.READER, AlarmName.REPLAYED, "replayed"),
)
async def reorder(scene: Scene) -> None:
    async with scene.blinded(Who.READER):
        await scene.say("First")
        await scene.say("Second")
        await scene.heard("Second", Who.OTHER)
        first, second = (await scene.said())[-2:]
    async with scene.blinded(Who.SPEAKER, Who.OTHER, Who.VICTIM):
        scene.strike()
        await scene.crook.deliver(scene.place(), second.raw)
        await scene.crook.deliver(scene.place(), first.raw)
        await scene.heard("Second", Who.READER)
    assert "First" not in await scene.titles(Who.READER)


@attack(
    "withholds a wrap from one reader",
    Sight(Who.READER, AlarmName.MISSING_WRAP, "missing_wrap"),
    after=After.NEXT,
)
async def hide_wrap(scene: Scene) -> None:
    async with scene.blinded(Who.READER, to="w."):
        scene.strike()
        await scene.say("Sealed", history=History.MEMBERS)  # its first: an epoch of its own begins
        await scene.heard("Sealed", Who.OTHER)
    assert "Sealed" not in await scene.titles(Who.READER)


@attack(
    "puts another key into a wrap",
    Sight(Who.READER, AlarmName.EQUIVOCATION, "key_mismatch"),
)
async def other_key(scene: Scene) -> None:
    said = await scene.said()
    used = said[-1].header.ep  # that of what the reader has read: it knows the announcement
    (epoch,) = [each for each in said if (each.header.k, each.header.ep) == (EPOCH, used)]
    reader = scene.stage.endpoint(Who.READER)
    keys = scene.stage.helper.directory.endpoints[reader]
    false = wrap(EpochKey.generate(), sha256(epoch.raw).digest(), keys)
    await scene.crook.deliver(wraps_for(reader), false.to_bytes())


@attack(
    "passes on two frames with one number",
    *(Sight(each, AlarmName.FORK, "fork") for each in (Who.READER, Who.OTHER)),
    helper="a member who signs both",
)
async def fork(scene: Scene) -> None:
    speech = await scene.helper_speaks()
    one, two = speech.bulletin("The one"), speech.bulletin("The other")
    await scene.crook.deliver(speech.place.traffic(), one)
    scene.strike()
    await scene.crook.deliver(speech.place.traffic(), two)
    await scene.noticed()
    await scene.convicts(Who.READER)


@attack(
    "shows two readers two histories of one chain, and then one of them to both",
    Sight(Who.OTHER, AlarmName.FORK, "fork", "the other reader"),
    after=After.NEXT,
    helper="a member who signs both",
)
async def fork_and_join(scene: Scene) -> None:
    speech = await parted(scene)
    scene.strike()
    await scene.crook.deliver(speech.place.traffic(), speech.bulletin("Joined"))
    await scene.heard("Joined", Who.READER)


@attack(
    "shows two readers two histories of one chain, and keeps them apart for ever",
    after=After.NEVER,
    helper="a member who signs both",
)
async def fork_kept_apart(scene: Scene) -> None:
    await parted(scene)
    assert "For one" in await scene.titles(Who.READER)
    assert "For the other" in await scene.titles(Who.OTHER)


async def parted(scene: Scene) -> Speech:
    """One history for the reader, another for the other; the chain goes on after the first."""
    speech = await scene.helper_speaks()
    one, two = speech.bulletin("For one"), speech.bulletin("For the other")
    async with scene.deaf(Who.SPEAKER, Who.OTHER):
        await scene.crook.deliver(speech.place.traffic(), one)
        await scene.heard("For one", Who.READER)
    async with scene.deaf(Who.SPEAKER, Who.READER):
        await scene.crook.deliver(speech.place.traffic(), two)
        await scene.heard("For the other", Who.OTHER)
    speech.head = speech.head.then(one)
    return speech
