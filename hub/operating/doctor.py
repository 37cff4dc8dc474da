"""`liaison-hub doctor`: each thing that can be wrong with a hub, how it stands, and what to do. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from hub.operating.notices import Limits, Recent, readings
from schemas.encoding import from_instant, instant
from schemas.errors import Code, LiaisonError
from schemas.operations import OperationKind

SERVER_LEAST: Final = (2, 12, 0)
"""Atomic batches and messages with a life of their own."""
SKEW_MAX: Final = 5_000
_BACKLOG_MAX: Final = 5_000
_NAMED_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `code` is empty when it is well, and so is `fix`."""

    check: str
    ok: bool
    message: str
    code: str = ""
    fix: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def well(check: str, message: str) -> Finding:
    """Nothing to do."""
    return Finding(check, ok=True, message=message)


def amiss(check: str, code: Code, message: str, fix: str) -> Finding:
    """Something to do."""
    return Finding(check, ok=False, message=message, code=str(code), fix=fix)


def refused(check: str, error: LiaisonError) -> Finding:
    """A check that ended in a refusal."""
    return Finding(check, ok=False, message=error.message, code=str(error.code), fix=error.fix)


def judge(exam: Mapping[str, Any], limits: Limits, now: int) -> list[Finding]:
    """What an examination says (`hub.operating.examination`). `now` is this command's clock, Unix ms."""
    facts = exam["status"]
    return [
        _server(facts["server"]),
        _clock(exam, now),
        _streams(exam["drift"]),
        *_accounts(exam["accounts"]),
        _backlog(facts),
        *_cluster(facts),
        _head(exam["head"]),
        *_limits(facts, limits),
    ]


def _server(version: str) -> Finding:
    numbers = tuple(int(each) for each in version.split("."))
    least = ".".join(map(str, SERVER_LEAST))
    if numbers < SERVER_LEAST:
        fix = f"update it to {least} or newer"
        return amiss("server", Code.BAD_SETTINGS, f"nats-server {version} is too old", fix)
    return well("server", f"nats-server {version}")


def _clock(exam: Mapping[str, Any], now: int) -> Finding:
    hub, server, newest = exam["clock"], exam["server_clock"], exam["newest"]
    for name, other in (("the NATS server's", server), ("this machine's", now)):
        if abs(hub - other) > SKEW_MAX:
            message = f"the hub's clock is {abs(hub - other) // 1000} s from {name}"
            return amiss("clock", Code.CLOCK_SKEW, message, "synchronise all of them by NTP")
    if newest > hub + SKEW_MAX:
        message = f"something was stored at {instant(newest)}, which is still to come: a clock was set back"
        fix = "see that NTP runs; what expires by time stays for longer, and nothing is lost"
        return amiss("clock", Code.CLOCK_SKEW, message, fix)
    return well("clock", "hub, NATS server and this machine agree")


def _streams(drift: Sequence[str]) -> Finding:
    if drift:
        fix = "start the hub again, which mends what it may; else see who changed it"
        return amiss("streams", Code.BAD_SETTINGS, _some(drift), fix)
    return well("streams", "as they should be")


def _accounts(found: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    whole = True
    for name, what, code, fix in (
        ("missing_at_server", "unknown to the NATS server", Code.STORE_CORRUPT, "start the hub again"),
        ("without_durable", "without a durable", Code.STORE_CORRUPT, "start the hub again"),
        (
            "without_agency",
            "of agencies that the directory does not name",
            Code.UNKNOWN_AGENCY,
            "see that NATS store and state directory belong together: restore both from one backup",
        ),
        (
            "without_account",
            "with keys in the directory and no account here",
            Code.NOT_FOUND,
            "restore the hub's state directory from its backup, or admit the agency again",
        ),
    ):
        if found[name]:
            whole = False
            yield amiss("accounts", code, f"endpoints {what}: {_some(found[name])}", fix)
    if whole:
        waits = found["without_keys"]
        said = f"; without keys yet: {_some(waits)}" if waits else ""
        yield well("accounts", f"directory, records and NATS server agree{said}")


def _backlog(facts: Mapping[str, Any]) -> Finding:
    count = facts["intake_waiting"]
    if count > _BACKLOG_MAX:
        fix = "see the hub's log for what interrupts it, and `status` for who sends so much"
        return amiss("backlog", Code.HUB_UNREACHABLE, f"{count} submissions wait for admission", fix)
    return well("backlog", f"{count} submissions wait for admission")


def _cluster(facts: Mapping[str, Any]) -> Iterator[Finding]:
    behind = [f"{name} on {each}" for name, stream in facts["streams"].items() for each in stream["behind"]]
    if behind:
        fix = "see that those NATS servers run and reach the others; they catch up by themselves"
        yield amiss("replicas", Code.LOG_BEHIND, f"not current: {_some(behind)}", fix)
    cluster = facts["cluster"]
    if cluster is None:
        return
    idle = [duty for duty, holder in cluster["duties"].items() if holder is None]
    if idle:
        fix = "see that every hub of the cluster runs: a free duty is taken within seconds"
        yield amiss("leases", Code.NOT_FOUND, f"nobody does {_some(idle)}", fix)
    else:
        yield well("leases", f"{len(cluster['members'])} hubs do all of it")


def _head(head: Mapping[str, Any]) -> Finding:
    signed, quorum = len(head["cosigned"]), head["quorum"]
    if signed < quorum:
        message = f"{signed} of {quorum} witnesses have signed the newest head"
        fix = "see that the witnesses run and reach the hub: `liaison-witness status` at each"
        return amiss("witnesses", Code.WITNESS_SHORTFALL, message, fix)
    return well("witnesses", f"{signed} have signed the newest head, {quorum} must")


_TOLD: Final = {
    OperationKind.LAG: (Code.LOG_BEHIND, "messages wait", "ask the agency whether its node runs"),
    OperationKind.SILENCE: (Code.NODE_UNREACHABLE, "ms silent", "ask the agency whether its node runs"),
    OperationKind.QUOTA: (
        Code.OVER_QUOTA,
        "bytes uploaded today",
        "wait, or raise the day's limit",
    ),
    OperationKind.REFUSED: (Code.BAD_REQUEST, "refused", "see `liaison-hub quarantine`"),
    OperationKind.EXPIRY: (Code.EXPIRED, "is when it ends", "renew the certificate; rotate the keys"),
}


def _limits(facts: Mapping[str, Any], limits: Limits) -> Iterator[Finding]:
    """What operators are told of (`hub.operating.notices`), as it is now; the disk is seen by itself."""
    names = {
        each["public"]: f"{agency['id']} {each['public']}"
        for agency in facts["agencies"]
        for each in agency["endpoints"]
    }
    seen = readings(facts, limits, Recent())
    found = [each for each in seen if each.amiss and each.topic.kind is not OperationKind.DISK]
    for each in found:
        kind, about, _ = each.topic
        code, unit, fix = _TOLD[kind]
        value = instant(each.value) if kind is OperationKind.EXPIRY else str(each.value)
        yield amiss(str(kind), code, f"{names.get(about, 'hub')}: {value} {unit}", fix)
    if not found:
        yield well("limits", "no lag, silence, quota or expiry to tell of")
    if unreadable := [name for name, ends in facts["certificates"].items() if not from_instant(ends)]:
        fix = "give PEM files that the hub may read: LIAISON_HUB_CERTIFICATES"
        yield amiss("certificates", Code.BAD_SETTINGS, f"no certificate in {_some(unreadable)}", fix)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return "; ".join(names[:_NAMED_MAX]) + more
