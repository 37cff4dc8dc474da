"""A reader of the Liaison wire format, version 1, written from FORMAT.md and its vectors alone."""
