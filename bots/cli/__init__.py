"""What `liaison-bot` does."""

from bots.cli.app import main

__all__ = ["main"]
