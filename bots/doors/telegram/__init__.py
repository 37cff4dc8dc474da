"""The chat service as a front door. Only this package imports aiogram, and only `run` imports it."""

from bots.doors.telegram.lean import load_aiogram

load_aiogram()  # before any module of this package imports it, which would build all of its types
