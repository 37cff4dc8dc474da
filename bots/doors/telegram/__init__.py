"""The chat service as a front door. Only this package imports aiogram, and only `run` imports it."""
