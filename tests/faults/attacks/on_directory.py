"""What a hub can do to the directory and its heads."""

import time
from hashlib import sha256

from hub.keeping import ReceiptSigner
from hub.settings import HubSettings
from schemas.checkpoint import Checkpoint, Note, cosign, origin_of, sign_log
from schemas.documents import Community
from schemas.encoding import to_base64
from schemas.merkle import Head
from schemas.signing import DOCUMENT_TYPE, Signer, sign_envelope
from schemas.subjects import (
    DIRECTORY,
    DIRECTORY_DOCUMENTS,
    DIRECTORY_HEAD,
    DIRECTORY_OFFER,
    FrameSubject,
)
from schemas.vocabulary import AlarmName, Precedence, Realm
from subscribers.witness.keys import WitnessKeys
from tests.faults.attacks.on_members import secretariat
from tests.faults.attacks.scene import HOUR, After, Scene, Sight, Stage, Who, attack
from tests.support.frames import Pair
from tests.support.hand import now_ms
from tests.support.witness_world import NAME

_NODES = (Who.SPEAKER, Who.READER, Who.OTHER)
_MINUTE = 60


def note_of(stage: Stage, head: Head, *, signer: Signer | None = None, at: int | None = None) -> bytes:
    """A checkpoint of this head, signed by the hub unless another signs; with `at` (seconds), cosigned by
    the witness's key, in hands that it should not be in.
    """
    world = stage.watched.world
    checkpoint = Checkpoint(origin_of(bytes.fromhex(world.fingerprint)), head)
    lines = [sign_log(checkpoint, checkpoint.origin, signer or hub_key(stage))]
    if at is not None:
        witness = WitnessKeys.load(stage.watched.state).witness
        lines.append(cosign(checkpoint, NAME, at, witness))
    return Note(checkpoint, tuple(lines)).to_bytes()


def hub_key(stage: Stage) -> ReceiptSigner:
    """The key that the directory names as the hub's."""
    return ReceiptSigner.load(HubSettings(state=stage.watched.world.state))


@attack(
    "swaps an agency's keys, with the secretariat's signatures",
    *(Sight(each, AlarmName.FORGERY, "bad_signature") for each in _NODES),
    Sight(Who.WITNESS, code="bad_signature"),
    helper="the secretariat",
)
async def swap_keys(scene: Scene) -> None:
    stage = scene.stage
    known = stage.helper.directory.endpoints[scene.speaker.endpoint]
    changes = {"version": known.version + 1, "signing": to_base64(Pair().public)}
    document = known.model_copy(update=changes)
    signed = sign_envelope(DOCUMENT_TYPE, document.to_bytes(), secretariat(stage)).to_bytes()
    await scene.crook.deliver(DIRECTORY_DOCUMENTS, signed)


@attack(
    "swaps an agency's identity, with the secretariat's signatures",
    *(Sight(each, AlarmName.FORGERY, "bad_key") for each in _NODES),
    Sight(Who.WITNESS, code="bad_key"),
    helper="the secretariat",
)
async def swap_identity(scene: Scene) -> None:
    stage = scene.stage
    known = stage.helper.directory.agencies[scene.speaker.id]
    changes = {"version": known.version + 1, "identity": to_base64(Pair().public)}
    document = known.model_copy(update=changes)
    signed = sign_envelope(DOCUMENT_TYPE, document.to_bytes(), secretariat(stage)).to_bytes()
    await scene.crook.deliver(DIRECTORY_DOCUMENTS, signed)


@attack(
    "offers the witness a head of another directory",
    Sight(Who.WITNESS, code="split_view"),
)
async def offer_another_head(scene: Scene) -> None:
    size = scene.stage.helper.directory.head.size
    await scene.crook.deliver(DIRECTORY_OFFER, note_of(scene.stage, Head(size, sha256(b"other").digest())))


@attack(
    "offers the witness a head from the directory's past",
    Sight(Who.WITNESS, code="rollback"),
)
async def offer_the_past(scene: Scene) -> None:
    size = 3
    past = Head(size, scene.stage.helper.directory.roots[size])
    await scene.crook.deliver(DIRECTORY_OFFER, note_of(scene.stage, past))


@attack(
    "shows a head that no witness has signed",
    *(Sight(each, AlarmName.WITNESS_SHORTFALL, "witness_shortfall") for each in _NODES),
)
async def head_without_witness(scene: Scene) -> None:
    size = scene.stage.helper.directory.head.size
    await scene.crook.deliver(DIRECTORY_HEAD, note_of(scene.stage, Head(size, sha256(b"other").digest())))


@attack(
    "shows a head under another key than the directory names",
    *(Sight(each, AlarmName.FORGERY, "bad_checkpoint") for each in _NODES),
)
async def head_by_a_stranger(scene: Scene) -> None:
    head = scene.stage.helper.directory.head
    stranger = note_of(scene.stage, head, signer=Pair(), at=int(time.time()))
    await scene.crook.deliver(DIRECTORY_HEAD, stranger)


@attack(
    "shows a head of another directory",
    *(Sight(each, AlarmName.SPLIT_VIEW, "split_view") for each in _NODES),
    Sight(Who.WITNESS, code="split_view"),
    helper="as many witnesses as the quorum",
)
async def false_head(scene: Scene) -> None:
    size = scene.stage.helper.directory.head.size
    false = note_of(scene.stage, Head(size, sha256(b"other").digest()), at=int(time.time()))
    await scene.crook.deliver(DIRECTORY_HEAD, false)


@attack(
    "shows a head that is dated ahead, so that it stays fresh for longer",
    *(Sight(each, AlarmName.FORGERY, "from_the_future") for each in (Who.SPEAKER, Who.READER)),
    helper="as many witnesses as the quorum",
)
async def head_from_the_future(scene: Scene) -> None:
    head = scene.stage.helper.directory.head
    later = note_of(scene.stage, head, at=int(time.time()) + 10 * _MINUTE)
    await scene.crook.deliver(DIRECTORY_HEAD, later)


@attack(
    "rolls the directory back, under a head that witnesses have signed since",
    Sight(Who.OTHER, AlarmName.ROLLBACK, "rollback", "a reader"),
    helper="as many witnesses as the quorum",
)
async def roll_back(scene: Scene) -> None:
    size = 3
    past = Head(size, scene.stage.helper.directory.roots[size])
    scene.stage.turn(Who.OTHER, HOUR)  # since: by more than clocks may differ
    try:
        later = note_of(scene.stage, past, at=int(time.time()) + 10 * _MINUTE)
        await scene.crook.deliver(DIRECTORY_HEAD, later)
        await scene.noticed()
    finally:
        scene.stage.turn(Who.OTHER, 0)


@attack(
    "freezes the directory: no more documents, no more heads",
    Sight(Who.VICTIM, AlarmName.STALE_HEAD, called="every node"),
    after=After.FRESHNESS,
)
async def freeze(scene: Scene) -> None:
    stage = scene.stage
    async with scene.crook.blinded([stage.endpoint(Who.VICTIM)], "d.", stream=DIRECTORY):
        scene.strike()
        stage.turn(Who.VICTIM, HOUR)
        try:
            await scene.noticed()
        finally:
            stage.turn(Who.VICTIM, 0)


@attack(
    "withholds a document, and goes on showing heads",
    Sight(Who.VICTIM, AlarmName.LOG_BEHIND, "log_behind", "who lacks it"),
    after=After.COMES,
)
async def hide_document(scene: Scene) -> None:
    stage = scene.stage
    async with scene.crook.blinded([stage.endpoint(Who.VICTIM)], DIRECTORY_DOCUMENTS, stream=DIRECTORY):
        scene.strike()
        await stage.eyes[Who.SPEAKER].community_create(f"w{now_ms():x}", "Withheld")
        await scene.noticed()
        hidden = await scene.crook.last(DIRECTORY, DIRECTORY_DOCUMENTS)
    await scene.crook.deliver(DIRECTORY_DOCUMENTS, hidden)  # elsewhere it is no news


@attack(
    "shows one agency another directory, and passes its frames on",
    Sight(Who.VICTIM, AlarmName.SPLIT_VIEW, "split_view"),
    Sight(Who.READER, AlarmName.SPLIT_VIEW, "split_view"),
    Sight(Who.WITNESS, code="split_view"),
    after=After.NEXT,
    helper="an agency that signs both documents",
)
async def split_directory(scene: Scene) -> None:
    stage, hand = scene.stage, scene.stage.helper
    before = hand.directory
    victim = stage.endpoint(Who.VICTIM)
    async with scene.crook.blinded([victim], "d.", stream=DIRECTORY):
        await stage.eyes[Who.SPEAKER].community_create(f"s{now_ms():x}", "For the others")
        await hand.until(lambda: hand.directory.head.size == before.head.size + 1)
        await stage.watched.cosigned()
    document = Community(
        id=sha256(scene.community.id.encode()).hexdigest()[:32],
        issued=now_ms(),
        realm=Realm.LIVE,
        owners=[hand.member.id],
        threshold=1,
    )
    other = sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [hand.member.keys.identity]).to_bytes()
    everybody = [stage.endpoint(each) for each in Who if each is not Who.VICTIM]
    async with scene.crook.blinded([*everybody, hand.endpoint], DIRECTORY_DOCUMENTS, stream=DIRECTORY):
        await scene.crook.deliver(DIRECTORY_DOCUMENTS, other)
        await stage.grown(Who.VICTIM, before.head.size + 1)
    scene.strike()
    await scene.crook.deliver(DIRECTORY_OFFER, note_of(stage, before.apply(other).head))
    await scene.crook.deliver(DIRECTORY_HEAD, await scene.crook.last(DIRECTORY, DIRECTORY_HEAD))
    await stage.eyes[Who.VICTIM].publish(scene.draft("From another world"), scene.community.slug)
    place = FrameSubject(Realm.LIVE, scene.community.id, Precedence.ROUTINE, victim)
    await scene.crook.deliver(place.traffic(), await scene.refused_by_hub(victim, "split_view"))
