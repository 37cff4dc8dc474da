"""Authenticity of frames: by their own signature, or as ancestors of a frame that is authentic by its own."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from .directory import Binding, Directory
from .frame import Frame
from .refusals import Refused
from .signatures import holds

Successors = defaultdict[bytes, list[tuple[Frame, int]]]


def binding_of(frame: Frame, directory: Directory) -> Binding:
    """The publisher's key that a frame names; refused where it is none of the publisher's."""
    endpoint = directory.endpoints.get(frame.header.pub)
    if endpoint is None:
        raise Refused("unknown_publisher")
    binding = endpoint.bindings.get(frame.header.kid)
    if binding is None:
        raise Refused("unknown_key")
    return binding


def authentic_places(
    batch: Sequence[Frame | None], directory: Directory, believed: Callable[[Binding], bool]
) -> set[int]:
    """Which places of a batch, read in its order, hold authentic frames.

    Keys that are not believed may sign, but vouch for no other frame.
    """
    places: set[int] = set()
    successors: Successors = defaultdict(list)
    for place in reversed(range(len(batch))):
        frame = batch[place]
        if frame is None:
            continue
        try:
            binding = binding_of(frame, directory)
        except Refused:
            continue
        version = _relied_version(frame, binding, successors, directory)
        if version is None:
            continue
        places.add(place)
        if believed(binding):
            successors[frame.header.prev].append((frame, version))
    return places


def _relied_version(
    frame: Frame, binding: Binding, successors: Successors, directory: Directory
) -> int | None:
    """The version of the newest key on whose signature the frame's authenticity rests."""
    versions = [
        version
        for successor, version in successors.get(frame.hash, [])
        if frame.stands_before(successor) and version >= binding.version
    ]
    if versions:
        return max(versions)
    revoked = frame.header.kid in directory.revoked
    if not revoked and holds(binding.key, frame.signature, frame.signed):
        return binding.version
    return None
