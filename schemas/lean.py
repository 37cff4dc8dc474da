"""Loading a library without another that it takes where it finds it. About no message at all: it is here
because the hub and the agencies have no other module in common.
"""

import sys
from importlib import import_module
from typing import Any


def load_without(unused: str, library: str) -> None:
    """Import `library` as if `unused` were not installed, when neither has been imported yet. Whoever imports
    `unused` later finds it as ever.
    """
    loaded: dict[str, Any] = sys.modules
    if unused in loaded or library in loaded:
        return
    loaded[unused] = None  # the import system's own way to say that there is no such module
    try:
        import_module(library)
    finally:
        del loaded[unused]
