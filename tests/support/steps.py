"""The way of a bulletin, step by step, and the processes that it passes: what `make faults` kills, when."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from schemas.subjects import DIRECTORY_DOCUMENTS, DIRECTORY_HEAD


def always(*_given: Any) -> bool:  # whatever the call is given
    """Each call matters."""
    return True


def _settles(_outbox: object, settlement: Any) -> bool:  # a test's look from outside
    return bool(settlement.settled)


def _has_records(_feed: object, batch: Any) -> bool:  # a test's look from outside
    return bool(batch.records)


def _is_document(_nc: object, messages: Any, **_named: object) -> bool:  # a test's look from outside
    return bool(messages[0].subject == DIRECTORY_DOCUMENTS)


def _is_head(_nc: object, messages: Any, **_named: object) -> bool:  # a test's look from outside
    return bool(messages[0].subject == DIRECTORY_HEAD)


@dataclass(frozen=True)
class Step:
    """A moment: before (or `after`) a coroutine function, in the process that plays `role`.

    `place` is its module and name, `when` says of a call's arguments whether it is about a bulletin.
    """

    name: str
    role: str
    place: str
    after: bool = False
    when: Callable[..., bool] = always

    @property
    def command(self) -> str:
        """Which of the commands passes it."""
        return {"sender": "agency", "reader": "agency"}.get(self.role, self.role)


_FEED: Final = "subscribers.exchange.traffic_feed"
STEPS: Final = (
    # the draft has come to the node, nothing is written
    Step("asked", "sender", "subscribers.node:Node.publish"),
    # its frame is in the outbox, nobody was answered
    Step("journalled", "sender", "subscribers.exchange.outbox:Outbox.put", after=True),
    # it was read from the outbox, and is not on the wire
    Step("sending", "sender", "subscribers.exchange.hub_link:stored"),
    # the intake has said that it has it
    Step("sent", "sender", "subscribers.exchange.hub_link:stored", after=True),
    # the hub has it from the intake
    Step("taken", "hub", "hub.router:Router._prepare"),
    # it is admitted in memory, nothing is written
    Step("settling", "hub", "hub.router:Router._write"),
    # it is in the traffic, its receipt is not
    Step("written", "hub", "hub.router:Router._finish"),
    # so is its receipt, the intake was not told
    Step("receipted", "hub", "nats.aio.msg:Msg.ack"),
    # the receipt is committed, the outbox's memory has not taken it in
    Step("settled", "sender", "subscribers.exchange.outbox:Outbox.merge", when=_settles),
    # the reader's node has it, nothing is verified
    Step("delivered", "reader", f"{_FEED}:TrafficFeed.take"),
    # it is verified and open, nothing is committed
    Step("opened", "reader", f"{_FEED}:TrafficFeed._commit", when=_has_records),
    # it is in the archive, the hub was not told
    Step("archived", "reader", f"{_FEED}:TrafficFeed.take", after=True),
    # the hub was told
    Step("acknowledged", "reader", f"{_FEED}:ack", after=True),
    # nothing of the agency's own has it
    Step("passing", "reader", "subscribers.telling.republish:Republisher._pass_on"),
    # the local stream has it, the sink has not
    Step("streamed", "reader", "subscribers.local:LocalNats.write", after=True),
    # so has the sink
    Step("sunk", "reader", "subscribers.sinks.jsonl:JsonlSink.write", after=True),
    # the archive does not know that
    Step("marking", "reader", "subscribers.storage.archive:Archive.mark_republished"),
    # the bot has it, and has not decided whom to tell
    Step("told", "bot", "bots.telling.intake:Intake.take"),
    # whom to tell is committed, the stream was not told
    Step("queued", "bot", "subscribers.feed:Delivery.ack"),
    # it is noted as in flight, and has not left
    Step("departed", "bot", "bots.telling.delivery:Delivery._send"),
    # the chat service has it, the bot has not noted that
    Step("chatted", "bot", "bots.state.outbox:Outbox.arrived"),
)

BESIDE: Final = (
    # the office has judged a directory document, and has not sent it to its stream
    Step("recording", "hub", "hub.among:publish_batch", when=_is_document),
    # it has signed the directory's head, and has not sent it
    Step("heading", "hub", "hub.among:publish_batch", when=_is_head),
)
"""Moments that are not on that way."""

PROCESSES: Final = ("sender", "sender-nats", "hub", "hub-nats", "reader", "reader-nats", "bot")
"""What is killed: the three commands, each server under them, and the bot."""
