"""What a hostile endpoint tries against the hub's NATS, and another endpoint, over a real server: none of it
may work.

The attacker is admitted, holds a valid user JWT, and speaks the protocol as it likes. After every attack the
streams, the durables and the other endpoint's messages are as before (nats.md, "Layout").
"""

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import nats
import nats.errors
import pytest
from nats.aio.msg import Msg

from hub import grants
from hub.accounts import Credentials
from hub.claims import push
from hub.grants import DIRECTORY, TRAFFIC
from hub.jetstream import api
from hub.jwt import KeyKind, NKey, mint
from hub.streams import CHUNK_USE, INTAKE, QUARANTINE
from schemas.subjects import CHUNKS, chunk_at, chunk_request, chunk_upload
from tests.support.nats_server import DEADLINE, HubNats, Peer, hub_nats

CHUNK = b"ciphertext of an attachment"
COM = "0a" * 16
SECRET = "0c" * 16
STREAMS = (INTAKE, TRAFFIC, DIRECTORY, QUARANTINE, CHUNKS)


class Scene:
    """A hub with an attacker, a victim in the same community and in one of its own, and messages for both."""

    def __init__(self, running: HubNats, attacker: Peer, victim: Peer) -> None:
        self.running = running
        self.attacker = attacker
        self.victim = victim
        self.address = sha256(CHUNK).hexdigest()

    async def state(self) -> dict[str, Any]:
        """Everything that an attack could have changed."""
        seen: dict[str, Any] = {}
        for stream in STREAMS:
            info = await api(self.running.hub, f"STREAM.INFO.{stream}")
            seen[stream] = (
                info["config"],
                {key: info["state"][key] for key in ("messages", "first_seq", "last_seq")},
            )
        for stream in (TRAFFIC, DIRECTORY):
            listed = await api(self.running.hub, f"CONSUMER.LIST.{stream}")
            for one in listed["consumers"]:
                keys = ("config", "delivered", "ack_floor", "num_ack_pending", "num_pending", "num_waiting")
                kept = {key: one[key] for key in keys}
                for moment in ("delivered", "ack_floor"):
                    kept[moment].pop("last_active", None)
                seen[f"{stream}/{one['name']}"] = kept
        return seen

    async def settle(self) -> None:
        """Return when the server has worked on everything that was sent so far.

        A question of its own follows the attacker's through the server, then one goes through each stream's
        own queue: a publication that is refused when its turn comes, because it expects another last
        sequence.
        """
        assert b"num_pending" in await self.attacker.request(f"look.{TRAFFIC}")
        for subject in ("s.settle.x", "f.settle", "d.doc", "q.settle", "c.settle"):
            out_of_turn = {"Nats-Expected-Last-Sequence": "1000000"}
            answer = await self.running.hub.request(subject, b"", timeout=DEADLINE, headers=out_of_turn)
            assert b"wrong last sequence" in answer.data

    async def lift_permissions(self) -> None:
        """Connect the attacker again as a user without restrictions: the account's borders alone hold."""
        record = self.running.accounts.endpoint(self.attacker.public)
        free = mint(
            NKey.from_seed(record.seed), record.user_public, "free", record.issued_at, grants.full_user()
        )
        self.attacker = await self.running.join(self.attacker.public, self.attacker.user, free)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with hub_nats(tmp_path) as running:
        attacker = await running.admit("attacker", ("live", COM))
        victim = await running.admit("victim", ("live", COM), ("live", SECRET))
        for subject in (
            f"f.live.{SECRET}.routine.{victim.public}",
            f"w.{victim.public}",
            f"m.{SECRET}",
            "d.doc",
        ):
            await running.hub.request(subject, b"for the victim", timeout=DEADLINE)
        await running.hub.request(f"q.{victim.public}.expired", b"refused", timeout=DEADLINE)
        await running.hub.request(chunk_at(sha256(CHUNK).hexdigest()), CHUNK, timeout=DEADLINE)
        await victim.request(f"in.live.{SECRET}.flash.{victim.public}", b"sent in")
        yield Scene(running, attacker, victim)


def attacks(attacker: str, victim: str) -> list[tuple[str, bytes]]:
    """Subjects and payloads that an endpoint has no business with."""
    pull = b'{"batch":10,"no_wait":true}'
    durable = {"durable_name": "mine", "ack_policy": "none", "filter_subject": "f.>"}
    made = json.dumps({"stream_name": TRAFFIC, "config": durable}).encode()
    wider = {"durable_name": attacker, "ack_policy": "explicit", "filter_subjects": ["f.>", "w.>"]}
    widened = json.dumps({"stream_name": TRAFFIC, "config": wider, "action": "update"}).encode()
    bucket = json.dumps({"name": "KV_mine", "subjects": ["$KV.mine.>"], "allow_rollup_hdrs": True}).encode()
    found = [
        # another's voice
        (f"in.live.{COM}.routine.{victim}", b"forged"),
        (f"in.live.{SECRET}.routine.{victim}", b"forged"),
        (f"s.doc.{victim}", b"forged"),
        (f"s.wrap.{victim}", b"forged"),
        (f"s.history.{victim}", b"forged"),
        (f"s.rewrap.{victim}", b"forged"),
        (f"past.{victim}", b"forged"),
        (chunk_upload(victim), b"forged"),
        # a community that it is not in, under its own name
        (f"in.live.{SECRET}.routine.{attacker}", b"intruded"),
        (f"in.exercise.{COM}.routine.{attacker}", b"intruded"),
        # what only the hub writes
        (f"f.live.{COM}.routine.{attacker}", b"not admitted"),
        (f"w.{victim}", b"junk"),
        (f"r.{victim}", b"junk"),
        (f"h.{victim}", b"junk"),
        ("d.doc", b"junk"),
        (f"m.{COM}", b"junk"),
        (chunk_at("ab" * 32), b"junk"),
        (f"{CHUNK_USE}.{victim}", b"junk"),
        (f"q.{victim}.expired", b"junk"),
        ("ctl.admit", b"{}"),
        # other shapes of its own subjects
        (f"in.live.{COM}.{attacker}", b"short"),
        (f"in.live.{COM}.routine.{attacker}.more", b"long"),
        (f"in.live.{COM}.routine.more.{attacker}", b"long"),
        # what stands beside the chunks, and chunks by another way than their address
        (f"$JS.API.DIRECT.GET.{CHUNKS}.{CHUNK_USE}.{victim}", b""),
        (f"$JS.API.DIRECT.GET.{CHUNKS}.>", b""),
        (f"$JS.API.DIRECT.GET.{CHUNKS}", b'{"last_by_subj":"c.>"}'),
        (f"$JS.API.DIRECT.GET.{TRAFFIC}.{chunk_at('ab' * 32)}", b""),
        (f"$JS.API.CONSUMER.MSG.NEXT.{CHUNKS}.{attacker}", pull),
        # another's durables
        (f"$JS.API.CONSUMER.MSG.NEXT.{TRAFFIC}.{victim}", pull),
        (f"$JS.API.CONSUMER.MSG.NEXT.{DIRECTORY}.{victim}", pull),
        (f"$JS.API.CONSUMER.MSG.NEXT.{INTAKE}.admission", pull),
        (f"$JS.API.CONSUMER.MSG.NEXT.{INTAKE}.{attacker}", pull),
        (f"$JS.API.CONSUMER.INFO.{TRAFFIC}.{victim}", b""),
        (f"$JS.API.CONSUMER.INFO.{TRAFFIC}.{attacker}", b""),
        (f"look.{INTAKE}", b""),
        (f"look.{TRAFFIC}.{victim}", b""),
        (f"$JS.ACK.{TRAFFIC}.{victim}.1.1.1.1.0", b"+ACK"),
        (f"$JS.ACK.{TRAFFIC}.{victim}.1.1.1.1.0", b"+TERM"),
        (f"$JS.ACK.{INTAKE}.admission.1.1.1.1.0", b"+ACK"),
        # durables of its own making
        (f"$JS.API.CONSUMER.CREATE.{TRAFFIC}", made),
        (f"$JS.API.CONSUMER.CREATE.{TRAFFIC}.mine", made),
        (f"$JS.API.CONSUMER.CREATE.{TRAFFIC}.mine.f.>", made),
        (f"$JS.API.CONSUMER.CREATE.{TRAFFIC}.{attacker}", widened),
        (f"$JS.API.CONSUMER.DURABLE.CREATE.{TRAFFIC}.mine", made),
        # system and key-value
        ("$KV.mine.key", b"value"),
        ("$JS.API.STREAM.CREATE.KV_mine", bucket),
        ("$JS.API.INFO", b""),
        ("$JS.API.ACCOUNT.PURGE.X", b""),
        ("$SYS.REQ.CLAIMS.UPDATE", b"jwt"),
        ("$SYS.REQ.SERVER.PING", b""),
        ("$SYS.REQ.ACCOUNT.PING.CONNZ", b""),
    ]
    for name in (victim, attacker):
        found += [
            (f"$JS.API.CONSUMER.{verb}.{TRAFFIC}.{name}", b"")
            for verb in ("DELETE", "RESET", "PAUSE", "UNPIN")
        ]
    for stream in STREAMS:
        found += [(f"$JS.API.CONSUMER.{verb}.{stream}", b"") for verb in ("NAMES", "LIST")]
        found += [
            (f"$JS.API.STREAM.{verb}.{stream}", b"") for verb in ("INFO", "DELETE", "PURGE", "SNAPSHOT")
        ]
        found += [(f"$JS.API.STREAM.MSG.{verb}.{stream}", b'{"seq":1}') for verb in ("GET", "DELETE")]
        found += [
            (
                f"$JS.API.STREAM.UPDATE.{stream}",
                json.dumps({"name": stream, "subjects": ["mine.>"]}).encode(),
            ),
            (f"$JS.API.DIRECT.GET.{stream}", b'{"seq":1}'),
            (f"$JS.API.DIRECT.GET.{stream}.d.doc", b""),
        ]
    return [*found, ("$JS.API.STREAM.LIST", b""), ("$JS.API.STREAM.NAMES", b"")]


def replies(victim: str) -> list[str]:
    """Where the answer to an allowed question would do harm: the server does not check permissions of
    replies.
    """
    return [
        *(f"$JS.API.STREAM.{verb}.{stream}" for verb in ("DELETE", "PURGE") for stream in STREAMS),
        f"$JS.API.CONSUMER.DELETE.{TRAFFIC}.{victim}",
        f"$JS.API.CONSUMER.MSG.NEXT.{TRAFFIC}.{victim}",
        f"$JS.API.CONSUMER.RESET.{TRAFFIC}.{victim}",
        f"$JS.ACK.{TRAFFIC}.{victim}.1.1.1.1.0",
        f"in.live.{COM}.routine.{victim}",
        f"s.doc.{victim}",
        f"w.{victim}",
        "d.doc",
        "ctl.admit",
        chunk_upload(victim),
        chunk_at("ab" * 32),
        "$SYS.REQ.CLAIMS.DELETE",
    ]


@pytest.mark.parametrize("unrestricted", [False, True], ids=["as admitted", "account alone"])
async def test_no_foreign_subject_can_be_asked(scene: Scene, unrestricted: bool) -> None:
    if unrestricted:
        await scene.lift_permissions()
    before = await scene.state()
    attacker = scene.attacker
    for subject, payload in attacks(attacker.public, scene.victim.public):
        answers = await attacker.nc.subscribe(attacker.nc.new_inbox())
        await attacker.nc.publish(subject, payload, reply=answers.subject)
        await scene.settle()
        while answers.pending_msgs:
            told = await answers.next_msg(timeout=1)
            # Its own account has nobody on these subjects; the server alone answers, about that account.
            nobody = (told.headers or {}).get("Status") == "503" or b'"error":{"code":' in told.data
            own = subject == "$SYS.REQ.ACCOUNT.PING.CONNZ" and scene.victim.public.encode() not in told.data
            assert nobody or own, (subject, told.data)
        await answers.unsubscribe()
        assert await scene.state() == before, subject


@pytest.mark.parametrize("unrestricted", [False, True], ids=["as admitted", "account alone"])
async def test_replies_reach_nothing_outside_the_endpoint(scene: Scene, unrestricted: bool) -> None:
    if unrestricted:
        await scene.lift_permissions()
    attacker = scene.attacker
    questions = [
        (f"$JS.API.CONSUMER.MSG.NEXT.{TRAFFIC}.{attacker.public}", b'{"batch":1,"no_wait":true}'),
        (f"look.{TRAFFIC}", b""),
        (f"$JS.ACK.{TRAFFIC}.{attacker.public}.1.1.1.1.0", b"+ACK"),
        (chunk_upload(attacker.public), b"a chunk"),
        (chunk_request(scene.address), b""),
    ]
    before = await scene.state()
    for reply in replies(scene.victim.public):
        for subject, payload in questions:
            await attacker.nc.publish(subject, payload, reply=reply)
        await scene.settle()
        assert await scene.state() == before, reply


async def test_an_acknowledged_publication_replies_to_nothing_outside(scene: Scene) -> None:
    attacker = scene.attacker
    before = await scene.state()
    for reply in replies(scene.victim.public):
        await attacker.nc.publish(f"in.live.{COM}.routine.{attacker.public}", b"own frame", reply=reply)
    await scene.settle()
    after = await scene.state()
    assert after[INTAKE][1]["messages"] > before[INTAKE][1]["messages"]
    assert {**after, INTAKE: None} == {**before, INTAKE: None}


async def test_nothing_of_others_can_be_heard(scene: Scene) -> None:
    attacker, victim = scene.attacker, scene.victim
    heard: list[bytes] = []

    async def hear(message: Msg) -> None:
        heard.append(message.data)

    for subject in (
        ">",
        "*.>",
        "in.>",
        "f.>",
        "w.>",
        "q.>",
        "$JS.>",
        "$SYS.>",
        "_R_.>",
        "_INBOX.>",
        f"w.{victim.public}",
    ):
        await attacker.nc.subscribe(subject, cb=hear)
    await scene.settle()
    await victim.request(f"in.live.{COM}.routine.{victim.public}", b"private")
    await scene.running.hub.request(f"f.live.{COM}.routine.{victim.public}", b"private", timeout=DEADLINE)
    inbox = await victim.nc.subscribe(victim.nc.new_inbox())
    pull = f"$JS.API.CONSUMER.MSG.NEXT.{TRAFFIC}.{victim.public}"
    await victim.nc.publish(pull, b'{"batch":1,"no_wait":true}', reply=inbox.subject)
    assert (await inbox.next_msg(timeout=DEADLINE)).data == b"for the victim"
    await scene.running.system.request("$SYS.REQ.SERVER.PING", b"", timeout=DEADLINE)
    await scene.settle()
    # Its own answers come to its own inbox, which is its account's; all other subscriptions are refused.
    assert [data for data in heard if b"consumer_info_response" not in data] == []
    assert len([error for error in attacker.errors if "permissions violation" in str(error).lower()]) == 10


async def test_headers_cannot_steer_the_intake(scene: Scene) -> None:
    attacker = scene.attacker
    before = await scene.state()
    subject = f"in.live.{COM}.routine.{attacker.public}"
    refused = [
        {"Nats-Rollup": "all"},
        {"Nats-Rollup": "sub"},
        {"Nats-TTL": "1s"},
        {"Nats-Batch-Id": "x", "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "1"},
        {
            "Nats-Schedule": "@every 1s",
            "Nats-Schedule-Target": f"in.live.{COM}.routine.{scene.victim.public}",
        },
        {"Nats-Incr": "+1"},
    ]
    for headers in refused:
        answer = json.loads(await attacker.request(subject, b"x", headers))
        assert answer["error"]["code"] >= 400, headers
    assert await scene.state() == before


async def test_message_ids_of_one_do_not_swallow_those_of_another(scene: Scene) -> None:
    """Ids are senders' own: the window is the shortest there is, and senders of frames do not use them."""
    config = (await api(scene.running.hub, f"STREAM.INFO.{INTAKE}"))["config"]
    assert config["duplicate_window"] == 100_000_000
    answer = await scene.attacker.request(
        f"in.live.{COM}.routine.{scene.attacker.public}", b"x", {"Nats-Msg-Id": "1"}
    )
    assert "duplicate" not in json.loads(answer)
    answer = await scene.victim.request(f"in.live.{COM}.routine.{scene.victim.public}", b"y")
    assert "duplicate" not in json.loads(answer)


async def test_an_import_minted_by_mistake_gives_no_access(scene: Scene) -> None:
    """The position of the account in an export is enforced by the server, whatever the importing JWT says."""
    attacker, victim, accounts = scene.attacker, scene.victim, scene.running.accounts
    record = accounts.endpoint(attacker.public)
    operator = NKey.from_seed((accounts._directory / "keys" / "operator.nk").read_bytes())  # noqa: SLF001 - the fault
    claims = grants.endpoint_account(victim.public, accounts.hub_public, frozenset({("live", SECRET)}), {})
    await push(scene.running.system, mint(operator, attacker.public, "mistake", record.issued_at + 1, claims))
    user = NKey.generate(KeyKind.USER)
    wrong = mint(
        NKey.from_seed(record.seed), user.public, "mistake", record.issued_at + 1, grants.full_user()
    )

    before = await scene.state()
    thief = await nats.connect(scene.running.server.url, **Credentials(wrong, user.seed).options())
    for subject in (
        f"in.live.{SECRET}.flash.{victim.public}",
        f"s.doc.{victim.public}",
        f"$JS.API.CONSUMER.MSG.NEXT.{TRAFFIC}.{victim.public}",
        f"look.{TRAFFIC}",
        f"$JS.ACK.{TRAFFIC}.{victim.public}.1.1.1.1.0",
    ):
        answers = await thief.subscribe(thief.new_inbox())
        payload = b"" if subject.startswith("look.") else b'{"batch":1,"no_wait":true}'
        await thief.publish(subject, payload, reply=answers.subject)
        told = await answers.next_msg(timeout=DEADLINE)
        assert (told.headers or {}).get("Status") == "503", (subject, told.data)
    await thief.close()
    assert await scene.state() == before


async def taken(peer: Peer) -> list[str]:
    """The subjects of what the hub has for an endpoint now, acknowledged."""
    inbox = await peer.nc.subscribe(peer.nc.new_inbox())
    subject = f"$JS.API.CONSUMER.MSG.NEXT.{TRAFFIC}.{peer.public}"
    await peer.nc.publish(subject, b'{"batch":10,"no_wait":true}', reply=inbox.subject)
    seen = []
    async with asyncio.timeout(DEADLINE):
        while "Status" not in ((message := await inbox.next_msg(timeout=DEADLINE)).headers or {}):
            seen.append(message.subject)
            await message.ack()
    return seen


async def test_an_endpoint_reads_its_own_feed_and_nothing_else(scene: Scene) -> None:
    running = scene.running
    shared = f"f.live.{COM}.routine.{scene.victim.public}"
    await running.hub.request(shared, b"for both", timeout=DEADLINE)
    for peer, expected in (
        (scene.attacker, [shared]),
        (
            scene.victim,
            [f"f.live.{SECRET}.routine.{scene.victim.public}", f"w.{scene.victim.public}", shared],
        ),
    ):
        seen = await taken(peer)
        async with asyncio.timeout(DEADLINE):
            while len(seen) < len(expected):  # what is stored is with a consumer a moment later
                seen += await taken(peer)
        seen += await taken(peer)
        assert seen == expected


async def test_a_chunk_is_read_by_its_address_and_with_nothing_else_in_the_question(scene: Scene) -> None:
    """A star is not refused by the server: it gives the latest chunk. That is ciphertext, and is told in the
    threat model; no wildcard reaches another subject or stream.
    """
    nc = scene.attacker.nc
    assert (await nc.request(chunk_request(scene.address), timeout=DEADLINE)).data == CHUNK
    missing = await nc.request(chunk_request("ab" * 32), timeout=DEADLINE)
    assert (missing.headers or {})["Status"] == "404"
    for question in (b'{"seq":1}', b'{"last_by_subj":"cu.>"}', b'{"multi_last":["c.*"],"batch":9}'):
        told = await nc.request(chunk_request(scene.address), question, timeout=DEADLINE)
        assert ((told.headers or {})["Status"], told.data) == ("408", b"")
    await scene.running.hub.request(f"{CHUNK_USE}.{scene.victim.public}", b"1", timeout=DEADLINE)
    for star in ("*", ">"):
        assert (await nc.request(chunk_request(star), timeout=DEADLINE)).data == CHUNK


def test_the_export_list_is_exactly_this() -> None:
    listed = {
        one["subject"]: (one.get("account_token_position"), one["response_type"], one["type"])
        for one in grants.exports()
    }
    assert listed == {
        "u.*": (2, "Singleton", "service"),
        "$JS.API.DIRECT.GET.CHUNKS.c.*": (None, "Singleton", "service"),
        "in.*.*.*.*": (5, "Singleton", "service"),
        "s.*.*": (3, "Singleton", "service"),
        "past.*": (2, "Singleton", "service"),
        "$JS.API.CONSUMER.MSG.NEXT.TRAFFIC.*": (7, "Stream", "service"),
        "$JS.API.CONSUMER.INFO.TRAFFIC.*": (6, "Singleton", "service"),
        "$JS.ACK.TRAFFIC.*.>": (4, "Singleton", "service"),
        "$JS.API.CONSUMER.MSG.NEXT.DIRECTORY.*": (7, "Stream", "service"),
        "$JS.API.CONSUMER.INFO.DIRECTORY.*": (6, "Singleton", "service"),
        "$JS.ACK.DIRECTORY.*.>": (4, "Singleton", "service"),
    }
    for subject, (position, _, _) in listed.items():
        if position is None:  # a chunk belongs to who knows its address
            assert subject == grants.CHUNK_READS
            continue
        assert subject.split(".")[position - 1] == "*"
