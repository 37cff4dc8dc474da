"""`doctor`: each thing that can be wrong with a node, how it stands, and what to do."""

import shutil
from collections.abc import Awaitable, Callable
from typing import Final

from schemas.checkpoint import ALWAYS_FRESH
from schemas.encoding import from_base64, instant
from schemas.errors import LiaisonError
from schemas.limits import CLOCK_SKEW_MAX
from schemas.signing import KEY_SIZE, fingerprint
from subscribers.airgap.node_side import AirGap
from subscribers.api import Finding
from subscribers.core import Core, apart
from subscribers.exchange.hub_link import directory_backlog, traffic_backlog
from subscribers.exchange.sent import Sent
from subscribers.judging.alarms import standing
from subscribers.judging.returned import LATEST

_BACKLOG_MAX: Final = 1_000
_FREE_MIN: Final = 512 * 1024 * 1024
_BY_PARCEL: Final = "let the courier carry a parcel of `liaison-agency export`, and `import` what comes back"


async def diagnose(core: Core, key_warning: str = "", unconfirmed: int = 0) -> list[Finding]:
    """Every check, the failing ones with a fix. `key_warning` is what there is to say of the keys' age,
    `unconfirmed` how many retractions of ours somebody has not confirmed in time.
    """
    checks: tuple[Callable[[Core], Awaitable[Finding]], ...] = (
        _keys,
        _identity,
        _root,
        _head,
        _connection,
        _clock,
        _backlog,
        _outbox,
        _archive,
        _alarms,
        _copy,
        _history,
        _disk,
    )
    offline = (each for each in checks if each not in {_connection, _clock, _backlog, _outbox})
    found = [await _guarded(check, core) for check in (checks if core.parcels is None else offline)]
    if core.parcels is not None:
        found.append(await _parcels(core.parcels))
    age = Finding(
        check="key-age",
        ok=not key_warning,
        message=key_warning or "the keys are within their age",
        fix="run `liaison-agency keys rotate`" if key_warning else "",
    )
    recall = Finding(
        check="recall",
        ok=not unconfirmed,
        message=f"{unconfirmed} retractions are not confirmed by every member"
        if unconfirmed
        else "every retraction is confirmed, or its time is not over",
        fix="see `liaison-agency compliance REF`, and call those who have not answered"
        if unconfirmed
        else "",
    )
    return [*found, age, recall]


async def _guarded(check: Callable[[Core], Awaitable[Finding]], core: Core) -> Finding:
    try:
        return await check(core)
    except LiaisonError as error:
        return Finding(check=check.__name__.strip("_"), ok=False, message=error.message, fix=error.fix)


async def _keys(core: Core) -> Finding:
    registered = core.ledger.known().endpoints.get(core.endpoint)
    if registered is None:
        fix = "run `liaison-agency enrol` again while the hub is up" if core.parcels is None else _BY_PARCEL
        return Finding(
            check="keys", ok=False, message="the directory does not hold this endpoint's keys", fix=fix
        )
    if from_base64(registered.signing, KEY_SIZE) != core.keys.signing.public:
        fix = "restore the newer key files, or stop: this state directory is an old copy"
        return Finding(
            check="keys", ok=False, message="the directory holds other keys for this endpoint", fix=fix
        )
    if core.ledger.known().kid_of(registered) in core.ledger.known().revoked:
        return Finding(
            check="keys",
            ok=False,
            message="this endpoint's signing key is revoked",
            fix="run `liaison-agency keys rotate`",
        )
    return Finding(check="keys", ok=True, message="the directory holds this endpoint's keys")


async def _identity(core: Core) -> Finding:
    known, ours = core.ledger.known(), core.keys.profile.id
    if ours not in known.agencies:
        fix = "see whether the connection stands; else ask the hub's operator"
        return Finding(check="identity", ok=False, message="the directory does not name this agency", fix=fix)
    spoken = fingerprint(known.identity(ours))
    if waits := known.identities.pending.get(ours):
        when = instant(min(waits.nbf, LATEST))
        message = (
            f"the identity key is to be replaced from {when} on; read aloud, the new one is "
            + fingerprint(from_base64(waits.identity, KEY_SIZE))
        )
        fix = "if nobody here asked for that: `liaison-agency identity object`; else wait"
        return Finding(check="identity", ok=False, message=message, fix=fix)
    if known.identity(ours) != core.keys.identity.public:
        message = f"the identity key is another than this node's; read aloud, it is {spoken}"
        fix = "if your agency does not hold it, call the secretariat; else restore its keys here"
        return Finding(check="identity", ok=False, message=message, fix=fix)
    return Finding(check="identity", ok=True, message=f"read aloud, it is {spoken}")


async def _root(core: Core) -> Finding:
    directory = core.ledger.known()
    if directory.hub is None:
        fix = "see whether the connection stands; else ask the hub's operator"
        if core.parcels is not None:
            fix = _BY_PARCEL
        return Finding(check="root", ok=False, message="the directory has not come beyond its root", fix=fix)
    return Finding(
        check="root",
        ok=True,
        message=f"root version {directory.root.version}, {directory.head.size} documents verified",
    )


async def _parcels(parcels: AirGap) -> Finding:
    out, taken = await parcels.last()
    said = "none yet" if taken < 0 else f"the last taken in is {taken}"
    return Finding(
        check="air gap", ok=True, message=f"by parcels: {said}, {out + 1} exported, not connected on purpose"
    )


async def _head(core: Core) -> Finding:
    until, kept = core.ledger.fresh_until(), core.ledger.vouched.kept
    if until >= ALWAYS_FRESH:
        return Finding(check="head", ok=True, message="the root asks for no witnesses")
    if core.clock() < until and kept:
        seen = f"{kept.head.size} documents, {len(kept.times)} witnesses, fresh until {instant(until)}"
        return Finding(check="head", ok=True, message=seen)
    since = f"stale since {instant(until)}" if kept else "none has come yet"
    fix = "see the connection and this clock; then ask the hub's operator about the witnesses"
    message = f"no fresh head of the directory ({since}): no new keys, no new epochs; reading goes on"
    return Finding(check="head", ok=False, message=message, fix=fix)


async def _connection(core: Core) -> Finding:
    if core.link.connected:
        return Finding(check="connection", ok=True, message="connected to the hub")
    fix = "check the network and the hub's address; if it refuses us, ask whether we are suspended"
    return Finding(check="connection", ok=False, message=f"not connected: {core.link.trouble}", fix=fix)


async def _clock(core: Core) -> Finding:
    if core.link.nc is None:
        return Finding(
            check="clock",
            ok=False,
            message="cannot be compared without a connection",
            fix="mend the connection first",
        )
    ahead = await core.compare_clocks()
    if abs(ahead) > CLOCK_SKEW_MAX:
        return Finding(check="clock", ok=False, message=apart(ahead), fix="synchronise it by NTP")
    return Finding(check="clock", ok=True, message="within the allowed difference of the hub's")


async def _backlog(core: Core) -> Finding:
    if core.link.nc is None:
        return Finding(
            check="backlog",
            ok=False,
            message="cannot be read without a connection",
            fix="mend the connection first",
        )
    waiting = await traffic_backlog(core.link.nc) + await directory_backlog(core.link.nc)
    ok = waiting <= _BACKLOG_MAX
    return Finding(
        check="backlog",
        ok=ok,
        message=f"{waiting} messages wait at the hub",
        fix="" if ok else "let the node run until they are read",
    )


async def _outbox(core: Core) -> Finding:
    if refused := await Sent(core.store, core.ledger).refused():
        fix = "see `liaison-agency outbox`; publish them again, or drop them"
        return Finding(check="outbox", ok=False, message=f"{refused} bulletins were refused", fix=fix)
    waiting = await core.outbox.size()
    if held := core.outbox.held_for():
        message = f"{waiting} bulletins are held back for {held:.0f} s: over_quota, the hub takes no more now"
        fix = "they go out by themselves, flash ones at once; see who publishes so much, or call the operator"
        return Finding(check="outbox", ok=False, message=message, fix=fix)
    ok = waiting == 0 or core.link.connected
    return Finding(
        check="outbox",
        ok=ok,
        message=f"{waiting} bulletins wait for the hub",
        fix="" if ok else "they go out by themselves once connected",
    )


async def _archive(core: Core) -> Finding:
    await core.store.integrity_check()
    return Finding(check="archive", ok=True, message=f"{await core.archive.count()} bulletins, file intact")


async def _alarms(core: Core) -> Finding:
    count = await standing(core.store)
    return Finding(
        check="alarms",
        ok=count == 0,
        message=f"{count} alarms stand" if count else "none",
        fix="read them with `liaison-agency alarms`; acknowledge what is seen to" if count else "",
    )


async def _copy(core: Core) -> Finding:
    copy = await core.returning.standing()
    if copy is None:
        return Finding(check="copy", ok=True, message="never restored from a copy")
    made = instant(min(copy.made, LATEST))
    if copy.doubted is not None:
        message = (
            f"restored from a copy of {made}, as the hub was: nothing is published before you have decided"
        )
        fix = "see the alarm `rollback` in `liaison-agency alarms`"
        return Finding(check="copy", ok=False, message=message, fix=fix)
    if copy.ended is None:
        message = f"restored from a copy of {made}: nothing is published before what came later has been read"
        fix = "let it reach the hub" if core.parcels is None else _BY_PARCEL
        return Finding(check="copy", ok=False, message=message, fix=fix)
    said = f"restored from a copy of {made}, read on since; {copy.found} frames of ours came after it"
    return Finding(check="copy", ok=True, message=said)


async def _history(core: Core) -> Finding:
    wanted = await core.history.status()
    late = [each for each in wanted if each.waiting]
    if not late:
        done = sum(each.wanted.state == "done" for each in wanted)
        return Finding(
            check="history", ok=True, message=f"{done} of {len(wanted)} that were asked for are here"
        )
    waiting = sum(each.waiting for each in late)
    return Finding(
        check="history",
        ok=True,
        message=f"{waiting} old bulletins wait for keys that other members hold",
        fix="see `liaison-agency history status`; ask an agency that was there whether its node runs",
    )


async def _disk(core: Core) -> Finding:
    free = shutil.disk_usage(core.state).free
    ok = free >= _FREE_MIN
    return Finding(
        check="disk",
        ok=ok,
        message=f"{free // (1024 * 1024)} MiB free",
        fix="" if ok else "free space: a full disk stops the outbox",
    )
