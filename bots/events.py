"""One JSON line for each thing that was delivered: numbers and ids, never text. For the demo, benches and
monitors.
"""

import json
from typing import TextIO


class Events:
    """Writes lines to a stream, or nowhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def emit(self, event: str, **ids: str | float | bool | None) -> None:
        """One line, flushed."""
        if self._stream is not None:
            self._stream.write(json.dumps({"event": event, **ids}) + "\n")
            self._stream.flush()
