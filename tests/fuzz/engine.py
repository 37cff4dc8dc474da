"""Targets under atheris, each in a process of its own: libFuzzer ends the process when it is done.

    python -m tests.fuzz.engine NAME... -- [libFuzzer's options]

With several names each has its turn, in a process forked from this one, until one finds something.
"""

import inspect
import os
import random
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Final

import atheris

from tests.fuzz.catalogue import TARGETS
from tests.fuzz.target import Target

_SHARE: Final = 0.1
"""Of the inputs that are made by the target's own mutator."""


def fuzz(name: str, options: list[str]) -> None:
    """Fuzz one target; does not return."""
    target = TARGETS[name]
    for path in target.parses:
        for function in _functions(sys.modules[path.removesuffix(".py").replace("/", ".")]):
            atheris.instrument_func(function)
    # libFuzzer starts itself again by this, through a shell, when it merges.
    again = f"{sys.executable} -m tests.fuzz.engine {name} --"
    given = [again, f"-max_len={target.longest}", *options]
    mutator = _mutator(target)
    if mutator is None:
        atheris.Setup(given, target.run)
    else:
        atheris.Setup(given, target.run, custom_mutator=mutator)
    atheris.Fuzz()


def _mutator(target: Target) -> Callable[[bytes, int, int], bytes] | None:
    own, rng = target.mutate, random.Random(int.from_bytes(os.urandom(8)))
    if own is None:
        return None

    def mutator(data: bytes, room: int, _: int) -> bytes:
        if rng.random() < _SHARE:
            other = own(data, rng)
            if other is not None and 0 < len(other) <= room:
                return other
        mutated: bytes = atheris.Mutate(data, room)
        return mutated

    return mutator


def _functions(module: ModuleType) -> Iterator[Callable[..., object]]:
    """Everything with code that a module defines. Only the parser itself is instrumented: what it calls has
    targets of its own, and each instrumented branch costs time in every execution.
    """
    for value in vars(module).values():
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            yield value
        elif inspect.isclass(value) and value.__module__ == module.__name__:
            for each in vars(value).values():
                found = each.fget if isinstance(each, property) else getattr(each, "__func__", each)
                if inspect.isfunction(found) and found.__module__ == module.__name__:
                    yield found


def main() -> int:
    """The first status that is not 0."""
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    names, options = sys.argv[1:split], sys.argv[split + 1 :]
    if len(names) == 1:
        fuzz(names[0], options)
    for name in names:
        child = os.fork()
        if child == 0:
            print(f"fuzzing {name}", file=sys.stderr, flush=True)
            fuzz(name, options)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            return abs(status)
    return 0


if __name__ == "__main__":
    sys.exit(main())
