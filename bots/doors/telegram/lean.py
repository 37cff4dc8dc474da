"""aiogram, with each of its types built when it is first used.

As it is, it has pydantic build all of its 450 types on import, each with everything that it refers to: more
than three seconds of processor time and 100 MB, for the few dozen that a bot uses. pydantic can build them
later by itself; only the names which their modules import for type checkers alone have to be there by then.
"""

import sys
from importlib import import_module
from typing import Any, Final

from pydantic import BaseModel

_TYPES: Final = "aiogram.types"


def load_aiogram() -> None:
    """Import aiogram, unless it is loaded. Of pydantic nothing is changed afterwards."""
    if "aiogram" in sys.modules:
        return
    build = BaseModel.__dict__["model_rebuild"]
    names: dict[str, Any] = {}

    def noted(model: type[BaseModel], /, **how: object) -> bool | None:
        given = how.get("_types_namespace")
        if not isinstance(given, dict) or not model.__module__.startswith(_TYPES):
            result: bool | None = build.__func__(model, **how)
            return result
        names.update(given)
        return None

    BaseModel.model_rebuild = classmethod(noted)  # type: ignore[assignment, method-assign]
    try:
        import_module("aiogram")
    finally:
        BaseModel.model_rebuild = build  # type: ignore[method-assign]
    for name in [each for each in sys.modules if each.startswith(f"{_TYPES}.")]:
        module = vars(sys.modules[name])
        module.update({each: names[each] for each in names.keys() - module.keys()})
