"""What the parts of the Python API share: one request to the node, one typed answer."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from pydantic import TypeAdapter

from subscribers.service.roles import Verb

T = TypeVar("T")


class Asking(Protocol):
    """Can ask the node."""

    async def _ask(self, verb: Verb, shape: TypeAdapter[T], fields: Mapping[str, object]) -> T:
        """The answer, read as `shape`. Raises LiaisonError: the node's refusal, or `node_unreachable`."""
        ...
