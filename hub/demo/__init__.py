"""`liaison-demo`: a whole federation on one machine, to watch or to measure.

Starts the other commands as processes and imports none of them: what it shows is what anybody would see.
"""

from hub.demo.cli import main

__all__ = ["main"]
