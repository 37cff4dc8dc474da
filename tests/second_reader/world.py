"""The world of a case: the base of the vectors, with what the case adds to it."""

import base64
from typing import Any

from .directory import Directory
from .membership import Memberships
from .receiver import Message, Receiver, Verdict
from .wraps import Keyring

Case = dict[str, Any]


class World:
    """The small federation that every case starts from, with what a case adds to it."""

    def __init__(self, base: Case, case: Case) -> None:
        self.directory = Directory(bytes.fromhex(base["fingerprint"]))
        self.memberships = Memberships(self.directory)
        for document in base["documents"] + case.get("documents", []):
            self.directory.append(document.encode())
        for entry in base["entries"] + case.get("entries", []):
            self.memberships.append(entry.encode())

    def head(self) -> Case:
        """The head of the directory as a case expects it."""
        size, root = self.directory.head
        return {"size": size, "root": root.hex()}


def read_message(written: list[str]) -> Message:
    """A message as a case writes it."""
    subject, data = written
    return subject, base64.b64decode(data)


def written(verdict: Verdict) -> Verdict:
    """A verdict as a case writes it."""
    return {name: list(value) if isinstance(value, range) else value for name, value in verdict.items()}


def receiver_of(base: Case, case: Case) -> Receiver:
    """The reader of a case, after what came before."""
    world = World(base, case)
    agency = base["agencies"][case["reader"]]
    keyring = Keyring(agency["endpoint"], [bytes.fromhex(agency["kem"])])
    receiver = Receiver(world.directory, world.memberships, agency["endpoint"], keyring)
    for key in case.get("keys", []):
        receiver.keep_key(bytes.fromhex(key))
    if "note" in case:
        receiver.accept_checkpoint(base64.b64decode(case["note"]), case["now"])
    for message in case.get("before", []):
        verdict = receiver.receive(read_message(message), case["now"])
        if verdict["verdict"] in ("refused", "log_behind"):
            raise AssertionError(f"a frame before the case's is not accepted: {verdict}")
    return receiver
