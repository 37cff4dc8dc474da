"""`make faults` hangs its gates on functions of the product by their names: all of them are there."""

import importlib
import inspect

import pytest

from tests.support.steps import BESIDE, STEPS, Step


@pytest.mark.parametrize("step", [*STEPS, *BESIDE], ids=lambda each: each.name)
def test_the_step_is_a_coroutine_function(step: Step) -> None:
    module, _, path = step.place.partition(":")
    found: object = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    assert inspect.iscoroutinefunction(found)
