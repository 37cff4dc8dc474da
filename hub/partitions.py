"""How the hubs of a cluster divide the intake. Pure.

NATS itself spreads what endpoints send over a fixed number of slots, by the sender's account key: a mapping
in the HUB account puts `i.<slot>.` in front of the subject. So everything of one endpoint is in one slot, in
the order in which it was sent. A partition is every n-th slot; n may change from one start of the cluster to
the next, and no subject, stream or account changes with it.
"""

from typing import Any, Final

SLOTS: Final = 16
"""Written into the HUB account and the subjects of INTAKE: it never changes."""
SLOT: Final = "i"
"""First token of a subject in a shared INTAKE: `i.<slot>.in...`, `i.<slot>.s...`."""

_FNV_BASIS: Final = 0x811C9DC5
_FNV_PRIME: Final = 0x01000193
_PREFIX_TOKENS: Final = 2


def mappings() -> dict[str, Any]:
    """The mappings of the HUB account of a cluster, as its claims say them."""
    return {
        "in.*.*.*.*": [
            {
                "subject": f"{SLOT}.{{{{partition({SLOTS},4)}}}}.in."
                "{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}"
            }
        ],
        "s.*.*": [
            {"subject": f"{SLOT}.{{{{partition({SLOTS},2)}}}}.s.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}"}
        ],
    }


def slot_of(public: str) -> int:
    """The slot of an endpoint, as the server finds it: FNV-1a of its account key, modulo `SLOTS`."""
    value = _FNV_BASIS
    for byte in public.encode():
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return value % SLOTS


def partition_of(public: str, partitions: int) -> int:
    """The partition in which an endpoint is admitted."""
    return slot_of(public) % partitions


def filters(partition: int, partitions: int) -> list[str]:
    """The subjects of INTAKE that make up a partition."""
    return [f"{SLOT}.{slot}.>" for slot in range(partition, SLOTS, partitions)]


def sent_to(subject: str) -> str:
    """The subject on which an endpoint sent what stands in INTAKE on `subject`."""
    if subject.startswith(f"{SLOT}."):
        return subject.split(".", _PREFIX_TOKENS)[-1]
    return subject
